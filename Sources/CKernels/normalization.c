/* Normalisation within a sample: over rows (LayerNorm), and over groups of channels (GroupNorm). Means and variances are taken
   in two passes; the backward passes take them again, so that nothing has to be kept. */
#include "internal.h"
#include <math.h>
#include <string.h>

#define VECTORS _Pragma("clang loop vectorize(assume_safety)")
enum { PART = 1024 }; /* values that are summed in float */

CK_LOOP static double sum_of(const float *x, size_t count) {
  double total = 0;
  for (size_t start = 0; start < count; start += PART) {
    const size_t end = start + PART < count ? start + PART : count;
    float sum = 0;
    { _Pragma("clang fp reassociate(on)") for (size_t i = start; i < end; i++) sum += x[i]; }
    total += sum;
  }
  return total;
}

CK_LOOP static double squares_of(const float *x, float mean, size_t count) {
  double total = 0;
  for (size_t start = 0; start < count; start += PART) {
    const size_t end = start + PART < count ? start + PART : count;
    float sum = 0;
    { _Pragma("clang fp reassociate(on)") for (size_t i = start; i < end; i++) sum += (x[i] - mean) * (x[i] - mean); }
    total += sum;
  }
  return total;
}

static float inverse_deviation(double squares, size_t count, float epsilon) {
  return (float)(1 / sqrt(squares / count + epsilon));
}

CK_LOOP void ck_layer_norm(const float *x, size_t rows, size_t size, float epsilon, const float *weight,
                           const float *bias, float *y) {
  for (size_t r = 0; r < rows; r++, x += size, y += size) {
    const float mean = (float)(sum_of(x, size) / size);
    const float inverse = inverse_deviation(squares_of(x, mean, size), size, epsilon);
    if (weight && bias) {
      VECTORS for (size_t i = 0; i < size; i++) y[i] = (x[i] - mean) * inverse * weight[i] + bias[i];
    } else {
      for (size_t i = 0; i < size; i++)
        y[i] = (x[i] - mean) * inverse * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
    }
  }
}

/* With n = (x - mean) / deviation and g = dy weight: dx = (g - mean of g - n mean of g n) / deviation; dweight += dy n,
   dbias += dy. `work`: two rows. */
CK_LOOP void ck_layer_norm_backward(const float *dy, const float *x, size_t rows, size_t size, float epsilon,
                                    const float *weight, float *dx, float *dweight, float *dbias, float *work) {
  float *const n = work, *const g = work + size;
  for (size_t r = 0; r < rows; r++, x += size, dy += size) {
    const float mean = (float)(sum_of(x, size) / size);
    const float inverse = inverse_deviation(squares_of(x, mean, size), size, epsilon);
    VECTORS for (size_t i = 0; i < size; i++) n[i] = (x[i] - mean) * inverse;
    if (dweight) VECTORS for (size_t i = 0; i < size; i++) dweight[i] += dy[i] * n[i];
    if (dbias) VECTORS for (size_t i = 0; i < size; i++) dbias[i] += dy[i];
    if (!dx) continue;
    if (weight)
      VECTORS for (size_t i = 0; i < size; i++) g[i] = dy[i] * weight[i];
    else
      memcpy(g, dy, sizeof(float) * size);
    float first = 0, second = 0;
    {
      _Pragma("clang fp reassociate(on)") for (size_t i = 0; i < size; i++) {
        first += g[i];
        second += g[i] * n[i];
      }
    }
    first /= size, second /= size;
    VECTORS for (size_t i = 0; i < size; i++) dx[i] = (g[i] - first - n[i] * second) * inverse;
    dx += size;
  }
}

/* x[samples][positions][channels]; statistics over the positions and the channels of a group. `work`: two rows of
   channels. */
static void group_moments(const float *x, size_t positions, int channels, int groups, float epsilon, float *mean,
                          float *inverse) {
  const int width = channels / groups;
  const double count = (double)positions * width;
  for (int g = 0; g < groups; g++) {
    double sum = 0, squares = 0;
    for (size_t p = 0; p < positions; p++) sum += sum_of(x + p * channels + g * width, width);
    const float middle = (float)(sum / count);
    for (size_t p = 0; p < positions; p++) squares += squares_of(x + p * channels + g * width, middle, width);
    const float scale = (float)(1 / sqrt(squares / count + epsilon));
    for (int c = g * width; c < (g + 1) * width; c++) mean[c] = middle, inverse[c] = scale;
  }
}

CK_LOOP void ck_group_norm(const float *x, size_t samples, size_t positions, int channels, int groups, float epsilon,
                           const float *weight, const float *bias, float *y, float *work) {
  float *const mean = work, *const inverse = work + channels;
  for (size_t s = 0; s < samples; s++, x += positions * channels, y += positions * channels) {
    group_moments(x, positions, channels, groups, epsilon, mean, inverse);
    for (size_t p = 0; p < positions; p++)
      VECTORS for (int c = 0; c < channels; c++)
        y[p * channels + c] = (x[p * channels + c] - mean[c]) * inverse[c] * weight[c] + bias[c];
  }
}

/* `work`: six rows of channels. */
CK_LOOP void ck_group_norm_backward(const float *dy, const float *x, size_t samples, size_t positions, int channels,
                                    int groups, float epsilon, const float *weight, float *dx, float *dweight,
                                    float *dbias, float *work) {
  float *const mean = work, *const inverse = work + channels;
  float *const sums = work + 2 * channels, *const products = work + 3 * channels; /* of dy, and of dy n, by channel */
  float *const first = work + 4 * channels, *const second = work + 5 * channels;
  const int width = channels / groups;
  for (size_t s = 0; s < samples; s++, x += positions * channels, dy += positions * channels) {
    group_moments(x, positions, channels, groups, epsilon, mean, inverse);
    memset(sums, 0, sizeof(float) * 2 * channels);
    for (size_t p = 0; p < positions; p++)
      VECTORS for (int c = 0; c < channels; c++) {
        sums[c] += dy[p * channels + c];
        products[c] += dy[p * channels + c] * (x[p * channels + c] - mean[c]) * inverse[c];
      }
    for (int c = 0; c < channels; c++) {
      if (dweight) dweight[c] += products[c];
      if (dbias) dbias[c] += sums[c];
    }
    if (!dx) continue;
    for (int g = 0; g < groups; g++) {
      double a = 0, b = 0;
      for (int c = g * width; c < (g + 1) * width; c++) a += sums[c] * weight[c], b += products[c] * weight[c];
      for (int c = g * width; c < (g + 1) * width; c++) {
        first[c] = (float)(a / ((double)positions * width));
        second[c] = (float)(b / ((double)positions * width));
      }
    }
    for (size_t p = 0; p < positions; p++)
      VECTORS for (int c = 0; c < channels; c++) {
        const float n = (x[p * channels + c] - mean[c]) * inverse[c];
        dx[p * channels + c] = (dy[p * channels + c] * weight[c] - first[c] - n * second[c]) * inverse[c];
      }
    dx += positions * channels;
  }
}
