/* Maximum and mean over windows, x[batch][height][width][channels]. */
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

CK_LOOP void ck_max_pool(ck_windows p, const float *from, float *to) {
  FOR_EACH_WINDOW(
      p, { for (int c = 0; c < p.channels; c++) to[y + c] = -INFINITY; },
      {
        VECTORS for (int c = 0; c < p.channels; c++) {
          const float value = from[x + c];
          const float most = to[y + c];
          to[y + c] = value > most || value != value ? value : most; /* NaN stays */
        }
      },
      {})
}

/* The first position of a window that has its maximum takes the gradient, as PyTorch has it. `work`: a row of channels. */
CK_LOOP void ck_max_pool_backward(ck_windows p, const float *dy, const float *from, const float *to, float *dx,
                                  float *work) {
  memset(dx, 0, sizeof(float) * (size_t)p.batch * p.height * p.width * p.channels);
  FOR_EACH_WINDOW(
      p, { memcpy(work, dy + y, sizeof(float) * p.channels); },
      {
        VECTORS for (int c = 0; c < p.channels; c++) {
          const int is_here = from[x + c] == to[y + c];
          dx[x + c] += is_here ? work[c] : 0;
          work[c] = is_here ? 0 : work[c];
        }
      },
      {})
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
