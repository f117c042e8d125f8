/* Maximum and mean over windows, x[batch][height][width][channels]. */
#include "bfloat16.h"
#include "internal.h"
#include <math.h>
#include <string.h>

#define VECTORS _Pragma("clang loop vectorize(assume_safety)")

/* Runs BODY for each window's positions that are inside: `x` and `y` are offsets of their channels. BEGIN and END run before
   and after a window. */
#define FOR_EACH_WINDOW(p, BEGIN, BODY, END)                                                                      \
  for (int n = 0; n < (p).batch; n++)                                                                             \
    for (int oy = 0; oy < (p).out_height; oy++)                                                                   \
      for (int ox = 0; ox < (p).out_width; ox++) {                                                                \
        const size_t y = (((size_t)n * (p).out_height + oy) * (p).out_width + ox) * (p).channels;                 \
        BEGIN                                                                                                     \
        for (int ky = 0; ky < (p).kernel_height; ky++) {                                                          \
          const int iy = oy * (p).stride_height + ky * (p).dilation_height - (p).top;                             \
          if (iy < 0 || iy >= (p).height) continue;                                                               \
          for (int kx = 0; kx < (p).kernel_width; kx++) {                                                         \
            const int ix = ox * (p).stride_width + kx * (p).dilation_width - (p).left;                            \
            if (ix < 0 || ix >= (p).width) continue;                                                              \
            const size_t x = (((size_t)n * (p).height + iy) * (p).width + ix) * (p).channels;                     \
            BODY                                                                                                  \
          }                                                                                                       \
        }                                                                                                         \
        END                                                                                                       \
      }

#define LOOP CK_LOOP
#define ELEMENT float
#define OF_TYPE(name) name##_float32
#define VALUE(x) (x)
#define ROUNDED(x) (x)
#include "max_pool_loops.h"
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
#include "max_pool_loops.h"

void ck_max_pool(ck_element element, ck_windows windows, const void *x, void *y) {
  if (element == CK_BFLOAT16)
    max_pool_bfloat16(windows, x, y);
  else
    max_pool_float32(windows, x, y);
}

void ck_max_pool_backward(ck_element element, ck_windows windows, const void *dy, const void *x, const void *y, void *dx,
                          float *work) {
  if (element == CK_BFLOAT16)
    max_pool_backward_bfloat16(windows, dy, x, y, dx, (bfloat16 *)work);
  else
    max_pool_backward_float32(windows, dy, x, y, dx, work);
}

/* One over the positions that count: those inside, or those of the padding too, but none beyond it. */
static float share(ck_windows p, int oy, int ox) {
  const int y0 = oy * p.stride_height - p.top, x0 = ox * p.stride_width - p.left;
  int y1 = y0 + p.kernel_height, x1 = x0 + p.kernel_width;
  if (p.counts_padding) {
    if (y1 > p.height + p.bottom) y1 = p.height + p.bottom;
    if (x1 > p.width + p.right) x1 = p.width + p.right;
    return 1.0f / ((y1 - y0) * (x1 - x0));
  }
  const int top = y0 < 0 ? 0 : y0, left = x0 < 0 ? 0 : x0;
  return 1.0f / (((y1 > p.height ? p.height : y1) - top) * ((x1 > p.width ? p.width : x1) - left));
}

CK_LOOP void ck_average_pool(ck_windows p, const float *from, float *to) {
  FOR_EACH_WINDOW(
      p, { memset(to + y, 0, sizeof(float) * p.channels); },
      { VECTORS for (int c = 0; c < p.channels; c++) to[y + c] += from[x + c]; },
      {
        const float by = share(p, oy, ox);
        VECTORS for (int c = 0; c < p.channels; c++) to[y + c] *= by;
      })
}

CK_LOOP void ck_average_pool_backward(ck_windows p, const float *dy, float *dx) {
  memset(dx, 0, sizeof(float) * (size_t)p.batch * p.height * p.width * p.channels);
  FOR_EACH_WINDOW(
      p, const float by = share(p, oy, ox);, { VECTORS for (int c = 0; c < p.channels; c++) dx[x + c] += by * dy[y + c]; }, {})
}
