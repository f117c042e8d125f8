/* Loops over feature maps that neither library has, each one pass over memory. Sums are taken in float over a block that
   stays in the first-level cache, and in double over the blocks: the rounding error does not grow with the batch.

   A map of few channels is read as rows of several positions, about 128 floats, with the channels' coefficients repeated
   along the row: with rows of 16 channels a sum would wait for its own last addition at every step. */
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

CK_LOOP static void block_sum(const float *restrict x, size_t count, int width, float *restrict sum) {
  FOR_EACH_ROW(count, width, { VECTORS for (int k = 0; k < end; k++) sum[k] += x[at + k]; })
}

CK_LOOP static void block_moments(const float *restrict x, const float *restrict middle, size_t count, int width,
                                  float *restrict first, float *restrict second) {
  FOR_EACH_ROW(count, width, {
    VECTORS for (int k = 0; k < end; k++) {
      const float distance = x[at + k] - middle[k];
      first[k] += distance;
      second[k] += distance * distance;
    }
  })
}

void ck_add_statistics(const float *x, size_t rows, int channels, size_t before, double *mean, double *squares,
                       float *work) {
  const int width = ck_row_width(channels);
  float *const first = work, *const second = work + width, *const middle = work + 2 * width;
  const size_t elements = rows * channels, step = block_of(width);
  for (size_t at = 0; at < elements; at += step) {
    const size_t length = smaller(step, elements - at), count = length / channels;
    /* Corrected two passes over the block: what rounding left of its mean is in the distances' sum. */
    memset(first, 0, sizeof(float) * width);
    block_sum(x + at, length, width, first);
    for (int c = 0; c < channels; c++) {
      const double sum = folded(first, width, channels, c);
      for (int k = c; k < width; k += channels) middle[k] = (float)(sum / count);
    }
    memset(first, 0, sizeof(float) * 2 * width);
    block_moments(x + at, middle, length, width, first, second);
    const double merged = (double)before * count / (before + count);
    for (int c = 0; c < channels; c++) {
      const double left = folded(first, width, channels, c), square = folded(second, width, channels, c);
      const double difference = middle[c] + left / count - mean[c];
      squares[c] += square - left * left / count + difference * difference * merged;
      mean[c] += difference * count / (before + count);
    }
    before += count;
  }
}

CK_LOOP void ck_normalize(const float *x, size_t elements, int width, const float *mean, const float *scale,
                          const float *shift, const float *addend, int relu, float *y) {
  const float floor = relu ? 0 : -INFINITY;
  if (addend) {
    FOR_EACH_ROW(elements, width, {
      VECTORS for (int k = 0; k < end; k++) {
        const float value = (x[at + k] - mean[k]) * scale[k] + shift[k] + addend[at + k];
        y[at + k] = value < floor ? floor : value;
      }
    })
  } else {
    FOR_EACH_ROW(elements, width, {
      VECTORS for (int k = 0; k < end; k++) {
        const float value = (x[at + k] - mean[k]) * scale[k] + shift[k];
        y[at + k] = value < floor ? floor : value;
      }
    })
  }
}

/* d = sum of one to three sources, masked by y > 0 where y is given; sums of more take several passes */
CK_LOOP static void masked_sum(const float *s0, const float *s1, const float *s2, const float *y, size_t elements,
                               float *d) {
#define MASKED_SUM(SUM)                                                     \
  if (y) {                                                                  \
    VECTORS for (size_t i = 0; i < elements; i++) d[i] = y[i] > 0 ? (SUM) : 0; \
  } else {                                                                  \
    VECTORS for (size_t i = 0; i < elements; i++) d[i] = (SUM);             \
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
  const float *const second = count > 1 ? sources[1] : NULL, *const third = count > 2 ? sources[2] : NULL;
  masked_sum(sources[0], second, third, count > 3 ? NULL : y, elements, d);
  for (int s = 3; s < count; s += 2)
    masked_sum(d, sources[s], s + 1 < count ? sources[s + 1] : NULL, s + 2 < count ? NULL : y, elements, d);
}

CK_LOOP static void block_products(const float *restrict d, const float *restrict x, const float *restrict mean,
                                   size_t count, int width, float *restrict sum, float *restrict product) {
  FOR_EACH_ROW(count, width, {
    VECTORS for (int k = 0; k < end; k++) {
      sum[k] += d[at + k];
      product[k] += d[at + k] * (x[at + k] - mean[k]);
    }
  })
}

void ck_mask_and_add_sums(const float *const *sources, int count, const float *y, const float *x, const float *mean,
                          size_t rows, int channels, float *d, double *sum, double *product, float *work) {
  const int width = ck_row_width(channels);
  const size_t elements = rows * channels, step = block_of(width);
  for (size_t at = 0; at < elements; at += step) {
    const size_t length = smaller(step, elements - at);
    const float *shifted[count];
    for (int s = 0; s < count; s++) shifted[s] = sources[s] + at;
    ck_mask(shifted, count, y ? y + at : NULL, length, d + at);
    memset(work, 0, sizeof(float) * 2 * width);
    block_products(d + at, x + at, mean, length, width, work, work + width);
    for (int c = 0; c < channels; c++) {
      sum[c] += folded(work, width, channels, c);
      product[c] += folded(work + width, width, channels, c);
    }
  }
}

void ck_add_channel_sums(const float *x, size_t rows, int channels, double *sums, float *work) {
  const int width = ck_row_width(channels);
  const size_t elements = rows * channels, step = block_of(width);
  for (size_t at = 0; at < elements; at += step) {
    memset(work, 0, sizeof(float) * width);
    block_sum(x + at, smaller(step, elements - at), width, work);
    for (int c = 0; c < channels; c++) sums[c] += folded(work, width, channels, c);
  }
}

CK_LOOP void ck_relu(const float *x, size_t count, float *y) {
VECTORS
  for (size_t i = 0; i < count; i++) y[i] = x[i] <= 0 ? 0 : x[i];
}

CK_LOOP void ck_normalize_backward(const float *d, const float *x, const float *mean, const float *a, const float *b,
                                   const float *c, size_t elements, int width, float *dx) {
  FOR_EACH_ROW(elements, width, {
    VECTORS for (int k = 0; k < end; k++) dx[at + k] = a[k] * d[at + k] + b[k] * (x[at + k] - mean[k]) + c[k];
  })
}

CK_LOOP void ck_pool(const float *x, int batch, int positions, int channels, float *y) {
  for (int n = 0; n < batch; n++, y += channels) {
    memset(y, 0, sizeof(float) * channels);
    for (int p = 0; p < positions; p++, x += channels)
VECTORS
      for (int c = 0; c < channels; c++) y[c] += x[c];
    for (int c = 0; c < channels; c++) y[c] /= positions;
  }
}

CK_LOOP void ck_pool_backward(const float *dy, int batch, int positions, int channels, float *dx) {
  const float share = 1.0f / positions;
  for (int n = 0; n < batch; n++, dy += channels)
    for (int p = 0; p < positions; p++, dx += channels)
VECTORS
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
VECTORS
  for (size_t i = 0; i < count; i++) z[i] = a * x[i] + b * y[i];
}
