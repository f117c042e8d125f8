#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/CImages.h"

/* Pillow's fixed point: 32 bits less 8 of the pixel and 2 for sums beyond it. */
enum { precision = 32 - 8 - 2 };

/* For each output: where its inputs begin, how many there are, and their weights, `width` apart. */
typedef struct {
  int width;
  int *first, *count;
  int32_t *weights;
} taps;

static void release(taps *t) {
  free(t->first);
  free(t->count);
  free(t->weights);
}

static double triangle(double x) {
  x = fabs(x);
  return x < 1 ? 1 - x : 0;
}

/* The same arithmetic as Pillow's precompute_coeffs, in its order: the rounded weights are the same bits. */
static int prepare(taps *t, int inputs, int outputs) {
  double scale = (double)inputs / outputs;
  double filter_scale = scale < 1 ? 1 : scale;
  double support = filter_scale;
  t->width = (int)ceil(support) * 2 + 1;
  t->first = malloc(sizeof(int) * (size_t)outputs);
  t->count = malloc(sizeof(int) * (size_t)outputs);
  t->weights = calloc((size_t)outputs * (size_t)t->width, sizeof(int32_t));
  double *exact = malloc(sizeof(double) * (size_t)t->width);
  if (!t->first || !t->count || !t->weights || !exact) {
    free(exact);
    return CI_MEMORY;
  }
  for (int i = 0; i < outputs; i++) {
    double centre = (i + 0.5) * scale, sum = 0, step = 1 / filter_scale;
    int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
    if (first < 0) first = 0;
    if (end > inputs) end = inputs;
    int count = end - first;
    for (int k = 0; k < count; k++) {
      exact[k] = triangle((k + first - centre + 0.5) * step);
      sum += exact[k];
    }
    int32_t *weights = t->weights + (size_t)i * (size_t)t->width;
    for (int k = 0; k < count; k++) {
      double weight = sum != 0 ? exact[k] / sum : exact[k];
      weights[k] = (int32_t)(weight < 0 ? -0.5 + weight * (1 << precision) : 0.5 + weight * (1 << precision));
    }
    t->first[i] = first;
    t->count[i] = count;
  }
  free(exact);
  return CI_OK;
}

static inline uint8_t byte(int32_t sum) {
  sum >>= precision;
  return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void across(const uint8_t *input, int channels, const taps *t, int outputs, uint8_t *output) {
  for (int i = 0; i < outputs; i++) {
    const int32_t *weights = t->weights + (size_t)i * (size_t)t->width;
    const uint8_t *pixel = input + (size_t)t->first[i] * (size_t)channels;
    int count = t->count[i];
    if (channels == 3) {
      int32_t a = 1 << (precision - 1), b = a, c = a;
      for (int k = 0; k < count; k++, pixel += 3) {
        a += pixel[0] * weights[k];
        b += pixel[1] * weights[k];
        c += pixel[2] * weights[k];
      }
      *output++ = byte(a);
      *output++ = byte(b);
      *output++ = byte(c);
    } else {
      int32_t a = 1 << (precision - 1);
      for (int k = 0; k < count; k++) a += pixel[k] * weights[k];
      *output++ = byte(a);
    }
  }
}

static void down(const uint8_t *input, size_t stride, size_t bytes, const int32_t *weights, int count, int32_t *sums,
                 uint8_t *output) {
  for (size_t x = 0; x < bytes; x++) sums[x] = 1 << (precision - 1);
  for (int k = 0; k < count; k++, input += stride) {
    int32_t weight = weights[k];
    for (size_t x = 0; x < bytes; x++) sums[x] += input[x] * weight;
  }
  for (size_t x = 0; x < bytes; x++) output[x] = byte(sums[x]);
}

static int resize_rows(const uint8_t *input, size_t stride, int height, size_t bytes, uint8_t *output,
                       int new_height) {
  taps t = {0};
  int32_t *sums = malloc(bytes * sizeof(int32_t));
  int status = sums ? prepare(&t, height, new_height) : CI_MEMORY;
  for (int y = 0; y < new_height && status == CI_OK; y++)
    down(input + (size_t)t.first[y] * stride, stride, bytes, t.weights + (size_t)y * (size_t)t.width, t.count[y], sums,
         output + (size_t)y * bytes);
  release(&t);
  free(sums);
  return status;
}

int ci_resize(const uint8_t *input, size_t stride, int width, int height, int channels, uint8_t *output, int new_width,
              int new_height) {
  size_t bytes = (size_t)new_width * (size_t)channels;
  if (width == new_width && height == new_height) {
    for (int y = 0; y < height; y++) memcpy(output + (size_t)y * bytes, input + (size_t)y * stride, bytes);
    return CI_OK;
  }
  if (width == new_width) return resize_rows(input, stride, height, bytes, output, new_height);
  uint8_t *rows = height == new_height ? output : malloc(bytes * (size_t)height);
  taps t = {0};
  int status = rows ? prepare(&t, width, new_width) : CI_MEMORY;
  for (int y = 0; y < height && status == CI_OK; y++)
    across(input + (size_t)y * stride, channels, &t, new_width, rows + (size_t)y * bytes);
  release(&t);
  if (rows != output) {
    if (status == CI_OK) status = resize_rows(rows, bytes, height, bytes, output, new_height);
    free(rows);
  }
  return status;
}
