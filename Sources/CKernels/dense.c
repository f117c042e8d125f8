/* OpenBLAS, and what both libraries want to know at the start. */
#include "internal.h"
#include <cblas.h>

void ck_gemm(int transpose_a, int transpose_b, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc) {
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n, k,
              1, a, lda, b, ldb, beta, c, ldc);
}

/* oneDNN counts on OpenMP's setting; a build of it without OpenMP has no such symbol. */
extern void omp_set_num_threads(int) __attribute__((weak));

void ck_set_threads(int threads) {
  openblas_set_num_threads(threads);
  if (omp_set_num_threads) omp_set_num_threads(threads);
}

const char *ck_library_versions(void) {
  static char text[96];
  char name[16] = "", version[32] = "";
  sscanf(openblas_get_config(), "%15s %31s", name, version);
  snprintf(text, sizeof text, "%s, OpenBLAS %s", ck_onednn_version(), version);
  return text;
}
