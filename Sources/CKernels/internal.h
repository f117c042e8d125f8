#pragma once
#include "CKernels.h"
#include <stdio.h>
#include <stdlib.h>

/* Rows and columns of a convolution's output. */
static inline int ck_extent(int size, int padding, int kernel, int dilation, int stride) {
  return (size + padding - dilation * (kernel - 1) - 1) / stride + 1;
}
static inline int ck_out_height(ck_geometry g) {
  return ck_extent(g.height, g.top + g.bottom, g.kernel_height, g.dilation_height, g.stride_height);
}
static inline int ck_out_width(ck_geometry g) {
  return ck_extent(g.width, g.left + g.right, g.kernel_width, g.dilation_width, g.stride_width);
}
static inline int ck_area(ck_geometry g) { return g.kernel_height * g.kernel_width; }
static inline size_t ck_weight_count(ck_geometry g) {
  return (size_t)g.outputs * (g.inputs / g.groups) * ck_area(g);
}
/* Stride 1, no dilation, no groups, and the output as large as the input. */
static inline int ck_keeps_size(ck_geometry g) {
  return g.groups == 1 && g.stride_height == 1 && g.stride_width == 1 && g.dilation_height == 1 &&
         g.dilation_width == 1 && g.top == g.bottom && g.left == g.right && g.kernel_height == 2 * g.top + 1 &&
         g.kernel_width == 2 * g.left + 1;
}
/* A 3x3 one of these. */
static inline int ck_is_3x3(ck_geometry g) { return ck_keeps_size(g) && g.kernel_height == 3 && g.kernel_width == 3; }

struct ck_onednn_pass;
struct ck_gemm_pass;

struct ck_pass {
  ck_kind kind;
  ck_geometry geometry;
  ck_elements elements;
  int bias, relu, addend;
  /* who computes: all but one are NULL */
  float *few, *stem, *narrow; /* their packed weights */
  float *depthwise;           /* its sum */
  struct ck_onednn_pass *onednn;
  struct ck_gemm_pass *gemm;
};

/* Forward and backward data of a 3x3 convolution of one to four input channels, without scratch memory; y, dy and the addend
   of either type of element. */
int ck_few_fits(ck_kind kind, ck_geometry geometry);
float *ck_few_create(ck_geometry geometry);
void ck_few_pack(const struct ck_pass *pass, const float *weights);
void ck_few_forward(const struct ck_pass *pass, const float *x, const float *bias, const void *addend, void *y);
void ck_few_backward_data(const struct ck_pass *pass, const void *dy, float *dx);

/* Backward data of a convolution of one to four input channels, of any kernel and stride; dy and dx of either type of element. */
int ck_stem_fits(ck_kind kind, ck_geometry geometry);
float *ck_stem_create(ck_geometry geometry);
size_t ck_stem_scratch(ck_geometry geometry, ck_elements elements);
void ck_stem_pack(const struct ck_pass *pass, const float *weights);
void ck_stem_backward_data(const struct ck_pass *pass, const void *dy, void *dx, float *scratch);

/* Forward and backward data of a 3x3 convolution from 16 or 32 channels, without scratch memory; `sources`, `count` and `y` as
   ck_backward_data_masked has them. */
int ck_narrow_fits(ck_kind kind, ck_geometry geometry);
float *ck_narrow_create(ck_geometry geometry);
void ck_narrow_pack(const struct ck_pass *pass, const float *weights);
void ck_narrow_forward(const struct ck_pass *pass, const float *x, const float *bias, const float *addend, float *y);
void ck_narrow_backward_data(const struct ck_pass *pass, const float *dy, const float *const *sources, int count,
                             const float *y, float *dx);

/* The same in bfloat16, with AVX512_BF16; its packed weights take half of ck_narrow_create's memory. */
int ck_narrow_bfloat16_fits(ck_kind kind, ck_geometry geometry);
void ck_narrow_bfloat16_pack(const struct ck_pass *pass, const float *weights);
void ck_narrow_bfloat16_forward(const struct ck_pass *pass, const uint16_t *x, const float *bias, const uint16_t *addend,
                                uint16_t *y);
void ck_narrow_bfloat16_backward_data(const struct ck_pass *pass, const uint16_t *dy, const uint16_t *const *sources,
                                      int count, const uint16_t *y, uint16_t *dx);

/* The weights' gradient of a depthwise convolution, without scratch memory. */
int ck_depthwise_fits(ck_kind kind, ck_geometry geometry, ck_elements elements);
float *ck_depthwise_create(ck_geometry geometry);
void ck_depthwise_backward_weights(const struct ck_pass *pass, const void *x, const void *dy, int is_first);
void ck_depthwise_weight_gradient(const struct ck_pass *pass, int adds, float *dw);

/* What ck_set_threads was given: kernels of our own use one thread, and leave more to the libraries. */
int ck_threads(void);

/* Whether oneDNN's code, and so ours that stands in for it, may use AVX-512. */
int ck_has_avx512(void);

struct ck_onednn_pass *ck_onednn_create(const struct ck_pass *pass);
void ck_onednn_destroy(struct ck_onednn_pass *pass);
size_t ck_onednn_scratch(const struct ck_onednn_pass *pass);
void ck_onednn_pack(struct ck_onednn_pass *pass, const float *weights);
/* Without the ReLU: oneDNN's makes 0 of a NaN. */
void ck_onednn_forward(struct ck_onednn_pass *pass, const void *x, const float *bias, const void *addend, void *y,
                       void *scratch);
void ck_onednn_backward_data(struct ck_onednn_pass *pass, const void *dy, void *dx, void *scratch);
void ck_onednn_backward_weights(struct ck_onednn_pass *pass, const void *x, const void *dy, int is_first,
                                void *scratch);
void ck_onednn_weight_gradient(const struct ck_onednn_pass *pass, int adds, float *dw);
const char *ck_onednn_version(void);

struct ck_gemm_pass *ck_gemm_create(const struct ck_pass *pass);
void ck_gemm_destroy(struct ck_gemm_pass *pass);
size_t ck_gemm_scratch(const struct ck_pass *pass);
void ck_gemm_pack(const struct ck_pass *pass, const float *weights);
void ck_gemm_forward(const struct ck_pass *pass, const float *x, const float *bias, const float *addend, float *y,
                     float *columns);
void ck_gemm_backward_data(const struct ck_pass *pass, const float *dy, float *dx, float *columns);
void ck_gemm_backward_weights(const struct ck_pass *pass, const float *x, const float *dy, int is_first,
                              float *columns);
void ck_gemm_weight_gradient(const struct ck_pass *pass, int adds, float *dw);

/* Dense layers by loops of ours; forward adds to y. */
void ck_tiles_forward(ck_dense dense, const float *x, const float *w, float *y);
void ck_tiles_backward_data(ck_dense dense, const float *dy, const float *w, float *dx);
void ck_tiles_backward_weights(ck_dense dense, const float *dy, const float *x, float *dw);

/* c[m,n] = op(a) op(b) + beta c by OpenBLAS, row-major, leading dimensions given; transposed where the flag says so. */
void ck_gemm(int transpose_a, int transpose_b, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc);

/* What this thread makes with C++'s operator new between the two calls comes from one fixed block (arena.c). */
void ck_arena_begin(void);
void ck_arena_end(void);

static inline void *ck_allocate(size_t bytes) {
  void *memory = NULL;
  if (posix_memalign(&memory, 64, bytes ? bytes : 64) != 0) {
    fprintf(stderr, "icp: out of memory: %zu bytes for a kernel\n", bytes);
    abort();
  }
  return memory;
}
