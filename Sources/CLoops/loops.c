/* Loops over values of any shape: copies between orders of axes, arithmetic with broadcasting. */
#include "CLoops.h"
#include <string.h>

#define VECTORS _Pragma("clang loop vectorize(assume_safety)")

/* Four outer loops; BODY runs the innermost one: n elements of the walk from `at`, of the operands from a and b, a step
   sa and sb apart. */
#define FOR_EACH_RUN(BODY)                                                                  \
  const size_t n = loop->extents[4];                                                        \
  const size_t sa = loop->first[4], sb = loop->second[4];                                   \
  size_t at = 0;                                                                            \
  (void)sa, (void)sb;                                                                       \
  for (size_t i = 0; i < loop->extents[0]; i++)                                             \
    for (size_t j = 0; j < loop->extents[1]; j++)                                           \
      for (size_t k = 0; k < loop->extents[2]; k++)                                         \
        for (size_t l = 0; l < loop->extents[3]; l++, at += n) {                            \
          const size_t a = i * loop->first[0] + j * loop->first[1] + k * loop->first[2] + l * loop->first[3]; \
          const size_t b = i * loop->second[0] + j * loop->second[1] + k * loop->second[2] + l * loop->second[3]; \
          (void)b;                                                                          \
          BODY                                                                              \
        }

CK_LOOP void ck_copy_strided(const ck_loop *loop, const float *x, float *y) {
  FOR_EACH_RUN({
    if (sa == 1)
      memcpy(y + at, x + a, sizeof(float) * n);
    else
      for (size_t m = 0; m < n; m++) y[at + m] = x[a + m * sa];
  })
}

CK_LOOP void ck_put_strided(const ck_loop *loop, const float *y, float *x) {
  FOR_EACH_RUN({
    if (sa == 1)
      memcpy(x + a, y + at, sizeof(float) * n);
    else
      for (size_t m = 0; m < n; m++) x[a + m * sa] = y[at + m];
  })
}

CK_LOOP void ck_add_strided(const ck_loop *loop, const float *y, float *x) {
  FOR_EACH_RUN({
    if (sa == 1)
      VECTORS for (size_t m = 0; m < n; m++) x[a + m] += y[at + m];
    else
      for (size_t m = 0; m < n; m++) x[a + m * sa] += y[at + m];
  })
}

/* One operation with both operands in a run, with either one repeated, or at any step. */
#define ARITHMETIC(NAME, TERM)                                                                    \
  CK_LOOP void NAME(const ck_loop *loop, const float *first, const float *second, float *y) {     \
    FOR_EACH_RUN({                                                                                \
      if (sa == 1 && sb == 1) {                                                                   \
        VECTORS for (size_t m = 0; m < n; m++) {                                                  \
          const float p = first[a + m];                                                           \
          const float q = second[b + m];                                                          \
          y[at + m] = TERM;                                                                       \
        }                                                                                         \
      } else if (sa == 1 && sb == 0) {                                                            \
        const float q = second[b];                                                                \
        VECTORS for (size_t m = 0; m < n; m++) {                                                  \
          const float p = first[a + m];                                                           \
          y[at + m] = TERM;                                                                       \
        }                                                                                         \
      } else if (sa == 0 && sb == 1) {                                                            \
        const float p = first[a];                                                                 \
        VECTORS for (size_t m = 0; m < n; m++) {                                                  \
          const float q = second[b + m];                                                          \
          y[at + m] = TERM;                                                                       \
        }                                                                                         \
      } else {                                                                                    \
        for (size_t m = 0; m < n; m++) {                                                          \
          const float p = first[a + m * sa];                                                      \
          const float q = second[b + m * sb];                                                     \
          y[at + m] = TERM;                                                                       \
        }                                                                                         \
      }                                                                                           \
    })                                                                                            \
  }

ARITHMETIC(ck_add, p + q)
ARITHMETIC(ck_subtract, p - q)
ARITHMETIC(ck_multiply, p * q)
ARITHMETIC(ck_divide, p / q)
/* Slopes of a / b. */
ARITHMETIC(ck_divide_by, ((void)p, 1 / q))
ARITHMETIC(ck_divide_slope, -p / (q * q))

/* result (at `first`'s strides) += scale * dy * factor (at `second`'s strides); no factor: dy alone. */
CK_LOOP void ck_add_products(const ck_loop *loop, float scale, const float *dy, const float *factor, float *result) {
  if (!factor) {
    FOR_EACH_RUN({
      if (sa == 1) {
        VECTORS for (size_t m = 0; m < n; m++) result[a + m] += scale * dy[at + m];
      } else {
        float sum = 0;
        if (sa == 0) {
          _Pragma("clang fp reassociate(on)") for (size_t m = 0; m < n; m++) sum += dy[at + m];
          result[a] += scale * sum;
        } else
          for (size_t m = 0; m < n; m++) result[a + m * sa] += scale * dy[at + m];
      }
    })
    return;
  }
  FOR_EACH_RUN({
    if (sa == 1 && sb == 1) {
      VECTORS for (size_t m = 0; m < n; m++) result[a + m] += scale * dy[at + m] * factor[b + m];
    } else if (sa == 1 && sb == 0) {
      const float by = scale * factor[b];
      VECTORS for (size_t m = 0; m < n; m++) result[a + m] += by * dy[at + m];
    } else if (sa == 0 && sb == 1) {
      float sum = 0;
      { _Pragma("clang fp reassociate(on)") for (size_t m = 0; m < n; m++) sum += dy[at + m] * factor[b + m]; }
      result[a] += scale * sum;
    } else {
      for (size_t m = 0; m < n; m++) result[a + m * sa] += scale * dy[at + m] * factor[b + m * sb];
    }
  })
}

CK_LOOP void ck_copy_blocks(const float *x, size_t count, size_t size, size_t x_step, size_t y_step, float *y) {
  for (size_t i = 0; i < count; i++) memcpy(y + i * y_step, x + i * x_step, sizeof(float) * size);
}

CK_LOOP void ck_add_blocks(const float *x, size_t count, size_t size, size_t x_step, size_t y_step, float *y) {
  for (size_t i = 0; i < count; i++)
    VECTORS for (size_t k = 0; k < size; k++) y[i * y_step + k] += x[i * x_step + k];
}
