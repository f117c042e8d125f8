/* Loops over feature maps that neither library has, each one pass over memory. Sums are taken in float over a block that
   stays in the first-level cache, and in double over the blocks: the rounding error does not grow with the batch.

   A map of few channels is read as rows of several positions, about 128 floats, with the channels' coefficients repeated
   along the row: with rows of 16 channels a sum would wait for its own last addition at every step. */
#include "bfloat16.h"
#include "internal.h"
#include <math.h>
#include <string.h>

enum { ROW = 128, BLOCK = 4096 }; /* floats of a row, and of a block, 16 KiB, at most unless a single position has more */

int ck_row_width(int channels) { return channels < ROW ? ROW / channels * channels : channels; }

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t block_of(int width) { return width < BLOCK ? (size_t)(BLOCK / width) * width : (size_t)width; }

/* Runs BODY for each whole row and for what is left: `at` is its first element, `end` its length. */
#define FOR_EACH_ROW(count, width, BODY)                               \
  for (size_t at = 0; at < (count); at += (width)) {                   \
    const int end = (int)smaller((width), (count) - at);               \
    BODY                                                               \
  }
#define VECTORS _Pragma("clang loop vectorize(assume_safety)")

/* The sum of a channel over a row. */
static double folded(const float *row, int width, int channels, int channel) {
  double sum = 0;
  for (int k = channel; k < width; k += channels) sum += row[k];
  return sum;
}

#define LOOP CK_LOOP
#define ELEMENT float
#define OF_TYPE(name) name##_float32
#define VALUE(x) (x)
#define ROUNDED(x) (x)
#include "map_loops.h"
#undef LOOP
#undef ELEMENT
#undef OF_TYPE
#undef VALUE
#undef ROUNDED

#define LOOP CK_BFLOAT16_LOOP
#define ELEMENT bfloat16
#define OF_TYPE(name) name##_bfloat16
#define VALUE(x) ck_widened(x)
#define ROUNDED(x) ck_rounded_by_instruction(x)
#include "map_loops.h"

#define BY_TYPE(element, name, ...) \
  ((element) == CK_BFLOAT16 ? name##_bfloat16(__VA_ARGS__) : name##_float32(__VA_ARGS__))

void ck_add_statistics(ck_element element, const void *x, size_t rows, int channels, size_t before, double *mean,
                       double *squares, float *work) {
  BY_TYPE(element, add_statistics, x, rows, channels, before, mean, squares, work);
}
void ck_normalize(ck_element element, const void *x, size_t elements, int width, const float *mean, const float *scale,
                  const float *shift, const void *addend, int relu, void *y) {
  BY_TYPE(element, normalize, x, elements, width, mean, scale, shift, addend, relu, y);
}
void ck_normalize_backward(ck_element element, const void *d, const void *x, const float *mean, const float *a,
                           const float *b, const float *c, size_t elements, int width, void *dx) {
  BY_TYPE(element, normalize_backward, d, x, mean, a, b, c, elements, width, dx);
}
void ck_mask(ck_element element, const void *const *sources, int count, const void *y, size_t elements, void *d) {
  if (element == CK_BFLOAT16)
    mask_bfloat16((const bfloat16 *const *)sources, count, y, elements, d);
  else
    mask_float32((const float *const *)sources, count, y, elements, d);
}
void ck_mask_and_add_sums(ck_element element, const void *const *sources, int count, const void *y, const void *x,
                          const float *mean, size_t rows, int channels, void *d, double *sum, double *product,
                          float *work) {
  if (element == CK_BFLOAT16)
    mask_and_add_sums_bfloat16((const bfloat16 *const *)sources, count, y, x, mean, rows, channels, d, sum, product,
                               work);
  else
    mask_and_add_sums_float32((const float *const *)sources, count, y, x, mean, rows, channels, d, sum, product, work);
}
void ck_add_channel_sums(ck_element element, const void *x, size_t rows, int channels, double *sums, float *work) {
  BY_TYPE(element, add_channel_sums, x, rows, channels, sums, work);
}
void ck_relu(ck_element element, const void *x, size_t count, void *y) { BY_TYPE(element, relu, x, count, y); }
void ck_pool(ck_element element, const void *x, int batch, int positions, int channels, float *y) {
  BY_TYPE(element, pool, x, batch, positions, channels, y);
}
void ck_pool_backward(ck_element element, const float *dy, int batch, int positions, int channels, void *dx) {
  BY_TYPE(element, pool_backward, dy, batch, positions, channels, dx);
}

CK_LOOP void ck_round(const float *x, size_t count, uint16_t *y) {
  VECTORS for (size_t i = 0; i < count; i++) y[i] = ck_rounded(x[i]);
}

CK_LOOP void ck_widen(const uint16_t *x, size_t count, float *y) {
  VECTORS for (size_t i = 0; i < count; i++) y[i] = ck_widened(x[i]);
}

#define BLOCKED_SUM(TERM)                                                \
  double total = 0;                                                      \
  for (size_t start = 0; start < count; start += BLOCK) {                \
    const size_t end = smaller(start + BLOCK, count);                    \
    float sum = 0;                                                       \
    {                                                                    \
      _Pragma("clang fp reassociate(on)")                                \
      for (size_t i = start; i < end; i++) sum += (TERM);                \
    }                                                                    \
    total += sum;                                                        \
  }                                                                      \
  return total;

CK_LOOP double ck_squared_distance(const float *x, const float *y, size_t count) {
  BLOCKED_SUM((x[i] - y[i]) * (x[i] - y[i]))
}

CK_LOOP double ck_absolute_distance(const float *x, const float *y, size_t count) { BLOCKED_SUM(fabsf(x[i] - y[i])) }

CK_LOOP double ck_dot(const float *x, const float *y, size_t count) { BLOCKED_SUM(x[i] * y[i]) }

CK_LOOP void ck_combine(float a, const float *x, float b, const float *y, size_t count, float *z) {
VECTORS
  for (size_t i = 0; i < count; i++) z[i] = a * x[i] + b * y[i];
}
