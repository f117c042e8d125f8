/* The few compiled loops and library calls under Kernels. This module knows pointers and sizes, nothing else.
   Arrays are float32, or hold a ck_element where one is named; feature maps are channels last (NHWC), weights OIHW as
   PyTorch keeps them. A failure of a
   library call here is a bug or lack of memory: the call and its status go to standard error, and the process
   aborts. Passes are not shared between threads: one thread computes. */
#pragma once
#include "CLoops.h"
#include <stddef.h>
#include <stdint.h>

/* ---- Set-up ------------------------------------------------------------------------------------------------ */

/* Threads of oneDNN (OpenMP) and OpenBLAS; before the first plan is built. */
void ck_set_threads(int threads);
/* "oneDNN 2.6.3, OpenBLAS 0.3.21" */
const char *ck_library_versions(void);
/* The instruction set that oneDNN's generated code may use, "AVX-512" say. */
const char *ck_instruction_set(void);

/* Hands back to the system what making kernels took and left: the C library keeps it otherwise. */
void ck_return_spare_memory(void);

/* What the elements of an array are. Whatever they are, sums and coefficients are float32. */
typedef enum { CK_FLOAT32, CK_BFLOAT16 } ck_element;
/* What computes in bfloat16, "AVX512_BF16" say; NULL where this processor, or oneDNN on it, would have to emulate it. */
const char *ck_bfloat16_instructions(void);
/* To bfloat16, to the nearest, halves to even; and back. */
void ck_round(const float *x, size_t count, uint16_t *y);
void ck_widen(const uint16_t *x, size_t count, float *y);

/* ---- Convolution: one object per pass and shape, built once, run many times --------------------------------- */

typedef struct {
  int batch, height, width, inputs; /* of x */
  int outputs, groups;              /* each group of outputs reads its own inputs / groups channels */
  int kernel_height, kernel_width, stride_height, stride_width;
  int dilation_height, dilation_width; /* positions from one tap to the next, at least 1 */
  int top, left, bottom, right;        /* padding */
} ck_geometry;

typedef enum { CK_ONEDNN, CK_OPENBLAS } ck_backend;
typedef enum { CK_FORWARD, CK_BACKWARD_DATA, CK_BACKWARD_WEIGHTS } ck_kind;

typedef struct ck_pass ck_pass;

/* What the elements of x and dx are, and those of y, dy and the addend. Weights and biases come as float32, and the weights'
   gradient leaves so. */
typedef struct {
  ck_element x, y;
} ck_elements;

/* bias, relu, addend: what the forward pass fuses after the convolution; 0 for the other kinds. bfloat16 by CK_ONEDNN alone,
   with ck_bfloat16_instructions, in both or, of what ck_reads_images, in y alone. */
ck_pass *ck_pass_create(ck_backend backend, ck_kind kind, ck_geometry geometry, ck_elements elements, int bias, int relu,
                        int addend);
void ck_pass_destroy(ck_pass *pass);
/* Whether such a pass of CK_ONEDNN would be a kernel of ours. */
int ck_pass_is_ours(ck_kind kind, ck_geometry geometry, ck_elements elements);
/* Bytes of scratch memory that such a kernel of ours needs. */
size_t ck_own_scratch(ck_kind kind, ck_geometry geometry, ck_elements elements);
/* Whether a kernel of ours goes from a float32 x of few channels, images, to a bfloat16 y. */
int ck_reads_images(ck_geometry geometry);
/* Bytes of scratch memory a run needs; one block may serve every pass that runs in turn. */
size_t ck_pass_scratch(const ck_pass *pass);
/* Copies OIHW weights (I: inputs of a group) into the pass's own layout; forward and backward data need it before they run. */
void ck_pass_pack(ck_pass *pass, const float *weights);
/* y = x * w, then + bias[o], + addend (shaped as y), max(., 0), each where the pass was created with it. y is none of
   its sources. */
void ck_forward(ck_pass *pass, const void *x, const float *bias, const void *addend, void *y, void *scratch);
/* dx = dy * w transposed */
void ck_backward_data(ck_pass *pass, const void *dy, void *dx, void *scratch);
/* Whether the backward pass to the input can do what ck_mask does before it stores its sums. */
int ck_pass_masks(const ck_pass *pass);
/* dx = (dy * w transposed + the sum of `count` sources, at most two) where y > 0, else 0; y NULL: no mask. dx may be a
   source. */
void ck_backward_data_masked(ck_pass *pass, const void *dy, const void *const *sources, int count, const void *y,
                             void *dx);
/* The sum over batch and positions of x dy, kept by the pass in an order of its own: set by the first piece of a batch,
   added to by the others. */
void ck_backward_weights(ck_pass *pass, const void *x, const void *dy, int is_first, void *scratch);
/* dw (OIHW) = that sum; or dw += that sum. */
void ck_weight_gradient(const ck_pass *pass, int adds, float *dw);

/* ---- Dense layers ------------------------------------------------------------------------------------------- */

typedef struct {
  int rows, inputs, outputs, relu;
} ck_dense;

/* y[rows][outputs] = x w^T + bias, then max(., 0) if relu; x[rows][inputs], w[outputs][inputs]. Beside
   oneDNN's convolutions, CK_ONEDNN, loops of ours do dense layers: they allocate nothing and take no lock. */
void ck_dense_forward(ck_backend backend, ck_dense dense, const float *x, const float *w, const float *bias, float *y);
/* dx = dy w */
void ck_dense_backward_data(ck_backend backend, ck_dense dense, const float *dy, const float *w, float *dx);
/* dw = dy^T x */
void ck_dense_backward_weights(ck_backend backend, ck_dense dense, const float *dy, const float *x, float *dw);

typedef enum { CK_NN, CK_NT, CK_TN } ck_product_kind;
/* c[m][n] = a b, where a is [m][k] and b [k][n]; CK_NT: b is [n][k], transposed; CK_TN: a is [k][m], transposed. */
void ck_product(ck_backend backend, ck_product_kind kind, int m, int n, int k, const float *a, const float *b, float *c);

/* ---- Loops over feature maps: x[rows][channels], a piece of a batch at a time -------------------------------- */

/* Floats of a row: whole positions, about 128. Coefficients of a channel are repeated along it: mean[k] is that of
   channel k modulo channels, for k below the width. */
int ck_row_width(int channels);
/* Adds rows to the mean and to the sum of squared distances from it, per channel, of the `before` rows so far, by blocks
   merged as Chan, Golub and LeVeque (1979) do, in double. `work`: three rows of floats. */
void ck_add_statistics(ck_element element, const void *x, size_t rows, int channels, size_t before, double *mean,
                       double *squares, float *work);
/* y = (x - mean) * scale + shift, + addend if not NULL, max(., 0) if relu. y may be x or addend. */
void ck_normalize(ck_element element, const void *x, size_t elements, int width, const float *mean, const float *scale,
                  const float *shift, const void *addend, int relu, void *y);
/* d = (sum of sources) where y > 0, else 0; y NULL: no mask. d may be one of the first three. */
void ck_mask(ck_element element, const void *const *sources, int count, const void *y, size_t elements, void *d);
/* The same, and adds per channel sum(d) and sum(d * (x - mean)), in one pass over memory. `work`: two rows of floats. */
void ck_mask_and_add_sums(ck_element element, const void *const *sources, int count, const void *y, const void *x,
                          const float *mean, size_t rows, int channels, void *d, double *sum, double *product,
                          float *work);
/* dx = a d + b (x - mean) + c. dx may be d. */
void ck_normalize_backward(ck_element element, const void *d, const void *x, const float *mean, const float *a,
                           const float *b, const float *c, size_t elements, int width, void *dx);

/* y = max(x, 0); NaN stays. y may be x. */
void ck_relu(ck_element element, const void *x, size_t count, void *y);
/* sums[c] += the sum of x over rows. `work`: a row of floats (ck_row_width). */
void ck_add_channel_sums(ck_element element, const void *x, size_t rows, int channels, double *sums, float *work);

/* Mean over positions: x[batch][positions][channels], of any element, to y[batch][channels]; and its transpose. */
void ck_pool(ck_element element, const void *x, int batch, int positions, int channels, float *y);
void ck_pool_backward(ck_element element, const float *dy, int batch, int positions, int channels, void *dx);

/* sum (x - y)^2, sum |x - y|, sum x y: float terms, double sums. */
double ck_squared_distance(const float *x, const float *y, size_t count);
double ck_absolute_distance(const float *x, const float *y, size_t count);
double ck_dot(const float *x, const float *y, size_t count);
/* z = a x + b y */
void ck_combine(float a, const float *x, float b, const float *y, size_t count, float *z);

/* ---- Normalisation within a sample (normalization.c) ------------------------------------------------------------ */

/* y = (x - mean) / sqrt(variance + epsilon) weight + bias, of each row; weight and bias, of a row, may be NULL. */
void ck_layer_norm(const float *x, size_t rows, size_t size, float epsilon, const float *weight, const float *bias,
                   float *y);
/* dx unless it is NULL; adds to dweight and dbias unless they are. `work`: two rows. */
void ck_layer_norm_backward(const float *dy, const float *x, size_t rows, size_t size, float epsilon,
                            const float *weight, float *dx, float *dweight, float *dbias, float *work);
/* The same over positions and the channels of a group, weight and bias by channel; `work`: two rows of channels. */
void ck_group_norm(const float *x, size_t samples, size_t positions, int channels, int groups, float epsilon,
                   const float *weight, const float *bias, float *y, float *work);
/* `work`: six rows of channels. */
void ck_group_norm_backward(const float *dy, const float *x, size_t samples, size_t positions, int channels, int groups,
                            float epsilon, const float *weight, float *dx, float *dweight, float *dbias, float *work);

/* ---- Windows (pooling.c) ---------------------------------------------------------------------------------------- */

typedef struct {
  int batch, height, width, channels, out_height, out_width;
  int kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
  int top, left, bottom, right;
  int counts_padding; /* of a mean: whether zeros of the padding count */
} ck_windows;

void ck_max_pool(ck_element element, ck_windows windows, const void *x, void *y);
/* `work`: a row of channels. */
void ck_max_pool_backward(ck_element element, ck_windows windows, const void *dy, const void *x, const void *y, void *dx,
                          float *work);
void ck_average_pool(ck_windows windows, const float *x, float *y);
void ck_average_pool_backward(ck_windows windows, const float *dy, float *dx);
