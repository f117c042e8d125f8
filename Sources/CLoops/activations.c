/* Functions of one number, element by element, each with its slope: y = f(x), dx = dy f'(x).

   exp, tanh and erf are of our own, since the C library's do not vectorise: polynomials as Cephes has them (Moshier 1992),
   within 2 units in the last place; erf beyond 1 by Abramowitz and Stegun's 7.1.26, within 1.5e-7. */
#include "CLoops.h"
#include <math.h>
#include <string.h>

#define VECTORS _Pragma("clang loop vectorize(assume_safety)")
#define INLINE static inline __attribute__((always_inline))

INLINE float exponential(float x) {
  const float high = 88.72283f, low = -87.33654f;
  const float within = x < low ? low : x > high ? high : x; /* NaN stays */
  /* 1.5 x 2^23 rounds to a whole number. */
  const float shifted = within * 1.44269504f + 12582912.0f, n = shifted - 12582912.0f;
  const float r = (within - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1;
  /* 2^n in two factors: n may be 128. */
  const int whole = (int)n, half = whole >> 1, rest = whole - half;
  const int a = (half + 127) << 23, b = (rest + 127) << 23;
  float two_a, two_b;
  memcpy(&two_a, &a, 4), memcpy(&two_b, &b, 4);
  const float y = p * two_a * two_b;
  return x > high ? INFINITY : x < low ? 0 : y;
}

INLINE float logistic(float x) { return 1 / (1 + exponential(-x)); }

INLINE float hyperbolic_tangent(float x) {
  const float z = x * x, size = fabsf(x);
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float near = p * z * x + x, far = 1 - 2 / (exponential(2 * size) + 1);
  return size < 0.625f ? near : x < 0 ? -far : x > 0 ? far : x;
}

INLINE float error_function(float x) {
  const float z = x * x, size = fabsf(x);
  float p = 7.853861353153693e-5f;
  p = p * z - 8.010193625184903e-4f;
  p = p * z + 5.188327685732524e-3f;
  p = p * z - 2.685381193529856e-2f;
  p = p * z + 1.128358514861418e-1f;
  p = p * z - 3.761262582423300e-1f;
  p = p * z + 1.128379165726710f;
  const float near = p * x, t = 1 / (1 + 0.3275911f * size);
  const float q = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  const float far = 1 - q * exponential(-z);
  return size < 1 ? near : x < 0 ? -far : x > 0 ? far : x;
}

/* SLOPE may use x, y (where the operator keeps it) and the constants a and b. */
#define FUNCTION(NAME, VALUE, SLOPE)                                                                         \
  CK_LOOP void NAME(const float *from, size_t count, float a, float b, float *to) {                          \
    (void)a, (void)b;                                                                                        \
    VECTORS for (size_t i = 0; i < count; i++) {                                                             \
      const float x = from[i];                                                                               \
      to[i] = VALUE;                                                                                         \
    }                                                                                                        \
  }                                                                                                          \
  CK_LOOP void NAME##_slope(const float *dy, const float *from, size_t count, float a, float b, float *dx) { \
    (void)a, (void)b;                                                                                        \
    VECTORS for (size_t i = 0; i < count; i++) {                                                             \
      const float x = from[i];                                                                               \
      (void)x;                                                                                               \
      dx[i] = dy[i] * (SLOPE);                                                                               \
    }                                                                                                        \
  }

FUNCTION(ck_leaky_relu, x < 0 ? a * x : x, x > 0 ? 1 : a)
FUNCTION(ck_clip, x < a ? a : x > b ? b : x, x > a && x < b ? 1 : 0)
FUNCTION(ck_hard_sigmoid, a * x + b < 0 ? 0 : a * x + b > 1 ? 1 : a * x + b, a * x + b > 0 && a * x + b < 1 ? a : 0)
FUNCTION(ck_hard_swish, x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6, x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f)
FUNCTION(ck_silu, x * logistic(x), logistic(x) * (1 + x * (1 - logistic(x))))
FUNCTION(ck_elu, x > 0 ? x : a * (exponential(x) - 1), x > 0 ? 1 : a * exponential(x))
/* log(1 + e^x), by its larger part and the rest. */
FUNCTION(ck_softplus, (x > 0 ? x : 0) + log1pf(exponential(-fabsf(x))), logistic(x))
FUNCTION(ck_gelu, 0.5f * x * (1 + error_function(x * 0.70710678f)),
         0.5f * (1 + error_function(x * 0.70710678f)) + x * 0.39894228f * exponential(-0.5f * x * x))
#define INNER (0.79788456f * (x + 0.044715f * x * x * x))
FUNCTION(ck_gelu_tanh, 0.5f * x * (1 + hyperbolic_tangent(INNER)),
         0.5f * (1 + hyperbolic_tangent(INNER)) +
             0.5f * x * (1 - hyperbolic_tangent(INNER) * hyperbolic_tangent(INNER)) * 0.79788456f *
                 (1 + 0.134145f * x * x))
FUNCTION(ck_erf, error_function(x), 1.12837917f * exponential(-x * x))
FUNCTION(ck_power, powf(x, a), a * powf(x, a - 1))
FUNCTION(ck_square, x * x, 2 * x)
FUNCTION(ck_log, logf(x), 1 / x)
FUNCTION(ck_abs, fabsf(x), x > 0 ? 1 : x < 0 ? -1 : 0)
FUNCTION(ck_affine, a * x + b, a)
/* These read y, not x, in the slope. */
FUNCTION(ck_sigmoid, logistic(x), x * (1 - x))
FUNCTION(ck_tanh, hyperbolic_tangent(x), 1 - x * x)
FUNCTION(ck_exp, exponential(x), x)
FUNCTION(ck_sqrt, sqrtf(x), 0.5f / x)
FUNCTION(ck_reciprocal, 1 / x, -x * x)

/* ---- Softmax of rows ------------------------------------------------------------------------------------------ */

CK_LOOP void ck_softmax(const float *x, size_t rows, size_t size, float *y) {
  for (size_t r = 0; r < rows; r++, x += size, y += size) {
    float largest = x[0], sum = 0;
    { _Pragma("clang fp reassociate(on)") for (size_t i = 1; i < size; i++) largest = x[i] > largest ? x[i] : largest; }
    VECTORS for (size_t i = 0; i < size; i++) y[i] = exponential(x[i] - largest);
    { _Pragma("clang fp reassociate(on)") for (size_t i = 0; i < size; i++) sum += y[i]; }
    const float scale = 1 / sum;
    VECTORS for (size_t i = 0; i < size; i++) y[i] *= scale;
  }
}

/* dx = y (dy - sum of dy y) */
CK_LOOP void ck_softmax_backward(const float *dy, const float *y, size_t rows, size_t size, float *dx) {
  for (size_t r = 0; r < rows; r++, dy += size, y += size, dx += size) {
    float sum = 0;
    { _Pragma("clang fp reassociate(on)") for (size_t i = 0; i < size; i++) sum += dy[i] * y[i]; }
    VECTORS for (size_t i = 0; i < size; i++) dx[i] = y[i] * (dy[i] - sum);
  }
}
