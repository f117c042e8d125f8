/* Loops over feature maps x[rows][channels] that neither library has, each one pass over memory. Sums are taken in
   float over a block that stays in the first-level cache, and in double over the blocks: the rounding error does not
   grow with the batch. */
#include "internal.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 4096 }; /* floats of a block: 16 KiB */

static size_t block_rows(int channels) { return channels >= BLOCK ? 1 : BLOCK / channels; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static float *channel_sums(int channels) { return ck_allocate(sizeof(float) * 2 * channels); }

CK_LOOP static void block_sum(const float *restrict x, size_t rows, int channels, float *restrict sum) {
  for (size_t r = 0; r < rows; r++, x += channels)
    for (int c = 0; c < channels; c++) sum[c] += x[c];
}

CK_LOOP static void block_moments(const float *restrict x, const float *restrict middle, size_t rows, int channels,
                                  float *restrict first, float *restrict second) {
  for (size_t r = 0; r < rows; r++, x += channels)
    for (int c = 0; c < channels; c++) {
      const float distance = x[c] - middle[c];
      first[c] += distance;
      second[c] += distance * distance;
    }
}

void ck_batch_statistics(const float *x, size_t rows, int channels, double *mean, double *variance) {
  float *const sum = ck_allocate(sizeof(float) * 3 * channels), *const middle = sum + channels;
  float *const squares = middle + channels;
  memset(mean, 0, sizeof(double) * channels);
  memset(variance, 0, sizeof(double) * channels);
  size_t before = 0;
  for (size_t step = block_rows(channels); before < rows;) {
    const size_t count = smaller(step, rows - before);
    const float *block = x + before * channels;
    /* Corrected two passes over the block: what rounding left of its mean is in the distances' sum. */
    memset(sum, 0, sizeof(float) * channels);
    block_sum(block, count, channels, sum);
    for (int c = 0; c < channels; c++) middle[c] = sum[c] / count;
    memset(sum, 0, sizeof(float) * channels);
    memset(squares, 0, sizeof(float) * channels);
    block_moments(block, middle, count, channels, sum, squares);
    /* mean: of the rows so far; variance: the sum of squared distances from it */
    const double merged = (double)before * count / (before + count);
    for (int c = 0; c < channels; c++) {
      const double left = sum[c], difference = middle[c] + left / count - mean[c];
      variance[c] += squares[c] - left * left / count + difference * difference * merged;
      mean[c] += difference * count / (before + count);
    }
    before += count;
  }
  for (int c = 0; c < channels; c++) variance[c] /= rows;
  free(sum);
}

CK_LOOP void ck_normalize(const float *x, size_t rows, int channels, const float *mean, const float *scale,
                          const float *shift, const float *addend, int relu, float *y) {
  const float floor = relu ? 0 : -INFINITY;
  if (addend) {
    for (size_t r = 0; r < rows; r++, x += channels, y += channels, addend += channels)
#pragma clang loop vectorize(assume_safety)
      for (int c = 0; c < channels; c++) {
        const float value = (x[c] - mean[c]) * scale[c] + shift[c] + addend[c];
        y[c] = value < floor ? floor : value;
      }
  } else {
    for (size_t r = 0; r < rows; r++, x += channels, y += channels)
#pragma clang loop vectorize(assume_safety)
      for (int c = 0; c < channels; c++) {
        const float value = (x[c] - mean[c]) * scale[c] + shift[c];
        y[c] = value < floor ? floor : value;
      }
  }
}

/* d = sum of one to three sources, masked by y > 0 where y is given */
CK_LOOP static void masked_sum(const float *s0, const float *s1, const float *s2, const float *y, size_t elements,
                               float *d) {
#define MASKED_SUM(SUM)                                                     \
  if (y) {                                                                  \
    _Pragma("clang loop vectorize(assume_safety)") for (size_t i = 0; i < elements; i++) d[i] = y[i] > 0 ? (SUM) : 0; \
  } else {                                                                  \
    _Pragma("clang loop vectorize(assume_safety)") for (size_t i = 0; i < elements; i++) d[i] = (SUM); \
  }
  if (s2) {
    MASKED_SUM(s0[i] + s1[i] + s2[i])
  } else if (s1) {
    MASKED_SUM(s0[i] + s1[i])
  } else {
    MASKED_SUM(s0[i])
  }
}

void ck_mask(const float *const *sources, int count, const float *y, size_t elements, float *d) {
  if (count == 1 && !y && sources[0] == d) return; /* it is there already */
  masked_sum(sources[0], count > 1 ? sources[1] : NULL, count > 2 ? sources[2] : NULL, y, elements, d);
}

CK_LOOP static void block_products(const float *restrict d, const float *restrict x, const float *restrict mean,
                                   size_t rows, int channels, float *restrict sum, float *restrict product) {
  for (size_t r = 0; r < rows; r++, d += channels, x += channels)
    for (int c = 0; c < channels; c++) {
      sum[c] += d[c];
      product[c] += d[c] * (x[c] - mean[c]);
    }
}

void ck_mask_and_sums(const float *const *sources, int count, const float *y, const float *x, const float *mean,
                      size_t rows, int channels, float *d, double *sum, double *product) {
  float stack[2 * 512], *sums = channels <= 512 ? stack : channel_sums(channels);
  memset(sum, 0, sizeof(double) * channels);
  memset(product, 0, sizeof(double) * channels);
  const size_t step = block_rows(channels);
  for (size_t row = 0; row < rows; row += step) {
    const size_t block = smaller(step, rows - row), at = row * channels;
    const float *shifted[3];
    for (int s = 0; s < count; s++) shifted[s] = sources[s] + at;
    ck_mask(shifted, count, y ? y + at : NULL, block * channels, d + at);
    memset(sums, 0, sizeof(float) * 2 * channels);
    block_products(d + at, x + at, mean, block, channels, sums, sums + channels);
    for (int c = 0; c < channels; c++) {
      sum[c] += sums[c];
      product[c] += sums[channels + c];
    }
  }
  if (channels > 512) free(sums);
}

CK_LOOP void ck_normalize_backward(const float *d, const float *x, const float *mean, const float *a, const float *b,
                                   const float *c, size_t rows, int channels, float *dx) {
  for (size_t r = 0; r < rows; r++, d += channels, x += channels, dx += channels)
#pragma clang loop vectorize(assume_safety)
    for (int k = 0; k < channels; k++) dx[k] = a[k] * d[k] + b[k] * (x[k] - mean[k]) + c[k];
}

CK_LOOP void ck_pool(const float *x, int batch, int positions, int channels, float *y) {
  for (int n = 0; n < batch; n++, y += channels) {
    memset(y, 0, sizeof(float) * channels);
    for (int p = 0; p < positions; p++, x += channels)
#pragma clang loop vectorize(assume_safety)
      for (int c = 0; c < channels; c++) y[c] += x[c];
    for (int c = 0; c < channels; c++) y[c] /= positions;
  }
}

CK_LOOP void ck_pool_backward(const float *dy, int batch, int positions, int channels, float *dx) {
  const float share = 1.0f / positions;
  for (int n = 0; n < batch; n++, dy += channels)
    for (int p = 0; p < positions; p++, dx += channels)
#pragma clang loop vectorize(assume_safety)
      for (int c = 0; c < channels; c++) dx[c] = dy[c] * share;
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
#pragma clang loop vectorize(assume_safety)
  for (size_t i = 0; i < count; i++) z[i] = a * x[i] + b * y[i];
}
