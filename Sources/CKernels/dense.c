/* Dense layers by either implementation, OpenBLAS, and what both libraries want to know at the start. */
#include "internal.h"
#include <cblas.h>
#include <string.h>

void ck_gemm(int transpose_a, int transpose_b, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc) {
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n, k,
              1, a, lda, b, ldb, beta, c, ldc);
}

static int is_ours(ck_backend backend) { return backend == CK_ONEDNN && ck_threads() == 1; }

void ck_dense_forward(ck_backend backend, ck_dense d, const float *x, const float *w, const float *bias, float *y) {
  for (int r = 0; r < d.rows; r++) memcpy(y + (size_t)r * d.outputs, bias, sizeof(float) * d.outputs);
  if (is_ours(backend))
    ck_tiles_forward(d, x, w, y);
  else
    ck_gemm(0, 1, d.rows, d.outputs, d.inputs, x, d.inputs, w, d.inputs, 1, y, d.outputs);
  if (!d.relu) return;
  for (size_t i = 0; i < (size_t)d.rows * d.outputs; i++) y[i] = y[i] < 0 ? 0 : y[i]; /* NaN stays */
}

void ck_dense_backward_data(ck_backend backend, ck_dense d, const float *dy, const float *w, float *dx) {
  if (is_ours(backend))
    ck_tiles_backward_data(d, dy, w, dx);
  else
    ck_gemm(0, 0, d.rows, d.inputs, d.outputs, dy, d.outputs, w, d.inputs, 0, dx, d.inputs);
}

void ck_dense_backward_weights(ck_backend backend, ck_dense d, const float *dy, const float *x, float *dw) {
  if (is_ours(backend))
    ck_tiles_backward_weights(d, dy, x, dw);
  else
    ck_gemm(1, 0, d.outputs, d.inputs, d.rows, dy, d.outputs, x, d.inputs, 0, dw, d.inputs);
}

void ck_product(ck_backend backend, ck_product_kind kind, int m, int n, int k, const float *a, const float *b, float *c) {
  if (!is_ours(backend)) {
    ck_gemm(kind == CK_TN, kind == CK_NT, m, n, k, a, kind == CK_TN ? m : k, b, kind == CK_NT ? k : n, 0, c, n);
    return;
  }
  switch (kind) {
    case CK_NT:
      memset(c, 0, sizeof(float) * (size_t)m * n);
      ck_tiles_forward((ck_dense){.rows = m, .inputs = k, .outputs = n}, a, b, c);
      break;
    case CK_NN: ck_tiles_backward_data((ck_dense){.rows = m, .inputs = n, .outputs = k}, a, b, c); break;
    case CK_TN: ck_tiles_backward_weights((ck_dense){.rows = k, .inputs = n, .outputs = m}, a, b, c); break;
  }
}

/* oneDNN counts on OpenMP's setting; a build of it without OpenMP has no such symbol. */
extern void omp_set_num_threads(int) __attribute__((weak));

static int threads_of_kernels = 1;
int ck_threads(void) { return threads_of_kernels; }

void ck_set_threads(int threads) {
  threads_of_kernels = threads;
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
