/* Convolution 3x3, stride 1, padding 1, of one to four input channels: a network's first layer, where oneDNN 2.6 is
   slow. 3 -> 16 channels, 32x32, batch 8, one core whose multiply-adds reach 265 GFLOP/s with AVX-512; medians,
   oneDNN's -> ours:

                             AVX-512                                 AVX2        SSE
     forward (bias, ReLU)    143 -> 236 GFLOP/s (0.049 -> 0.030 ms)  100 -> 91    32 -> 39
     backward to the input    46 -> 249 GFLOP/s (0.152 -> 0.028 ms)   39 -> 75    19 -> 32

   Backward to the weights stays oneDNN's, which reaches 225.

   x[batch][height][width][inputs], y[batch][height][width][outputs], and dx and dy likewise. A vector holds 16 outputs
   of a pixel. A block is some pixels of a row whose sums stay in registers, so that a weight is loaded once for all of
   them; where blocks do not divide the width, the last one ends with the row and repeats pixels of the one before it.
   Every sum is taken in one order, whatever block its pixel falls in: bits depend on the instruction set alone. */
#include "vectors.h"
#include <string.h>

int ck_few_fits(ck_kind kind, ck_geometry g) {
  return ck_threads() == 1 && kind != CK_BACKWARD_WEIGHTS && g.inputs >= 1 && g.inputs <= 4 && g.outputs % LANES == 0 &&
         ck_is_3x3(g);
}

float *ck_few_create(ck_geometry g) { return ck_allocate(sizeof(float) * 9 * g.inputs * g.outputs); }

/* packed[outputs / 16][row][input][column][16]. A tap that took x from the left hands dy back from the right, so the
   taps of backward data are mirrored. */
void ck_few_pack(const ck_pass *pass, const float *weights) {
  const ck_geometry g = pass->geometry;
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < g.inputs; i++)
      for (int tap = 0; tap < 9; tap++) {
        const int place = pass->kind == CK_BACKWARD_DATA ? 8 - tap : tap, row = place / 3, column = place % 3;
        const int at = ((o / LANES * 3 + row) * g.inputs + i) * 3 + column;
        pass->few[at * LANES + o % LANES] = weights[(o * g.inputs + i) * 9 + tap];
      }
}

/* The weights of 16 outputs from `o` on, of one row of taps: [input][column][16]. */
INLINE const float *row_weights(const ck_pass *pass, int inputs, int o, int row) {
  return pass->few + (size_t)(o / LANES * 9 + row * 3) * inputs * LANES;
}

/* Where an array of either type of element goes on. */
INLINE const void *advanced(ck_element element, const void *array, ptrdiff_t count) {
  return (const char *)array + count * (ptrdiff_t)(element == CK_FLOAT32 ? sizeof(float) : sizeof(bfloat16));
}

/* Pixel x + p, where `at` is pixel x. Left and right of the image stand zeros. A branch in place of the choice
   takes backward of one channel from 225 to 135 GFLOP/s. */
static const float zeros[LANES];
INLINE const void *pixel(ck_element element, const void *at, int x, int p, int width, int size, int inside) {
  const void *there = advanced(element, at, (ptrdiff_t)p * size);
  return !inside && (x + p < 0 || x + p >= width) ? zeros : there;
}

/* ---- Forward ---- */

/* 4 or 6 pixels reach 180 GFLOP/s, 16 220. AVX2, which needs two registers a sum, would like 4: 121. */
enum { FORWARD_PIXELS = 8 };

/* Pixels x ..< x + 8 of row y of an image; if the image is narrower, a partial block, those inside. */
INLINE void forward_block(const ck_pass *pass, ck_element element, int partial, const float *image, int y, int x,
                          const float *bias, const void *addend, void *result) {
  const ck_geometry g = pass->geometry;
  for (int o = 0; o < g.outputs; o += LANES) {
    lanes sum[FORWARD_PIXELS];
    UNROLLED for (int p = 0; p < FORWARD_PIXELS; p++) sum[p] = (lanes){0};
    for (int row = first_row(y); row < end_row(y, g.height); row++) {
      const float *w = row_weights(pass, g.inputs, o, row);
      const float *source = image + ((size_t)(y + row - 1) * g.width + x) * g.inputs;
      for (int i = 0; i < g.inputs; i++, w += 3 * LANES, source++) {
        const lanes w0 = load(w), w1 = load(w + LANES), w2 = load(w + 2 * LANES);
        /* Each value is loaded once, for the three pixels it counts for. */
        UNROLLED for (int p = -1; p <= FORWARD_PIXELS; p++) {
          const int inside = !partial && p >= 0 && p < FORWARD_PIXELS;
          const float value = *(const float *)pixel(CK_FLOAT32, source, x, p, g.width, g.inputs, inside);
          if (p + 1 < FORWARD_PIXELS) sum[p + 1] += value * w0;
          if (p >= 0 && p < FORWARD_PIXELS) sum[p] += value * w1;
          if (p >= 1) sum[p - 1] += value * w2;
        }
      }
    }
    UNROLLED for (int p = 0; p < FORWARD_PIXELS; p++)
      if (!partial || x + p < g.width) {
        const size_t at = ((size_t)y * g.width + x + p) * g.outputs + o;
        lanes value = sum[p];
        if (pass->bias) value += load(bias + o);
        if (pass->addend) value += load_elements(element, addend, at);
        if (pass->relu) value = where(~(value < 0), value); /* NaN stays */
        store_elements(element, result, at, value);
      }
  }
}

INLINE void forward(const ck_pass *pass, ck_element element, const float *x, const float *bias, const void *addend,
                    void *y) {
  const ck_geometry g = pass->geometry;
  const size_t positions = (size_t)g.height * g.width;
  for (int n = 0; n < g.batch; n++) {
    for (int row = 0; row < g.height; row++) {
      for (int column = 0; column < g.width; column += FORWARD_PIXELS)
        if (g.width < FORWARD_PIXELS)
          forward_block(pass, element, 1, x, row, 0, bias, addend, y);
        else
          forward_block(pass, element, 0, x, row, smaller(column, g.width - FORWARD_PIXELS), bias, addend, y);
    }
    x += positions * g.inputs;
    y = (void *)advanced(element, y, positions * g.outputs);
    if (pass->addend) addend = advanced(element, addend, positions * g.outputs);
  }
}

CK_LOOP static void forward_float32(const ck_pass *pass, const float *x, const float *bias, const void *addend, void *y) {
  forward(pass, CK_FLOAT32, x, bias, addend, y);
}

CK_BFLOAT16_LOOP static void forward_bfloat16(const ck_pass *pass, const float *x, const float *bias, const void *addend,
                                              void *y) {
  forward(pass, CK_BFLOAT16, x, bias, addend, y);
}

void ck_few_forward(const ck_pass *pass, const float *x, const float *bias, const void *addend, void *y) {
  (pass->elements.y == CK_BFLOAT16 ? forward_bfloat16 : forward_float32)(pass, x, bias, addend, y);
}

/* ---- Backward to the input ---- */

/* Pixels x ..< x + pixels of row y of an image, all their inputs; of a partial block, those inside. */
INLINE void backward_block(const ck_pass *pass, ck_element element, int inputs, int pixels, int partial,
                           const void *dy, int y, int x, float *dx) {
  const ck_geometry g = pass->geometry;
  lanes sum[LANES];
  UNROLLED for (int s = 0; s < LANES; s++) sum[s] = (lanes){0};
  for (int o = 0; o < g.outputs; o += LANES)
    /* Unrolled, the rows' code is in each other's way: 227 GFLOP/s. */
    ROLLED for (int row = first_row(y); row < end_row(y, g.height); row++) {
      const float *w = row_weights(pass, inputs, o, row);
      const void *source = advanced(element, dy, ((size_t)(y + row - 1) * g.width + x) * g.outputs + o);
      UNROLLED for (int column = 0; column < 3; column++)
        UNROLLED for (int p = 0; p < pixels; p++) {
          const int tap = p + column - 1, inside = !partial && tap >= 0 && tap < pixels;
          const lanes value =
              load_elements(element, pixel(element, source, x, tap, g.width, g.outputs, inside), 0);
          UNROLLED for (int i = 0; i < inputs; i++) sum[p * inputs + i] += value * load(w + (i * 3 + column) * LANES);
        }
    }
  const lanes sums = sixteen_sums(sum);
  float *to = dx + ((size_t)y * g.width + x) * inputs;
  if (!partial)
    memcpy(to, &sums, sizeof(float) * pixels * inputs);
  else
    for (int k = 0; k < (g.width - x) * inputs; k++) to[k] = sums[k];
}

INLINE void backward(const ck_pass *pass, ck_element element, int inputs, int pixels, const void *dy, float *dx) {
  const ck_geometry g = pass->geometry;
  const size_t positions = (size_t)g.height * g.width;
  for (int n = 0; n < g.batch; n++, dx += positions * inputs, dy = advanced(element, dy, positions * g.outputs))
    for (int row = 0; row < g.height; row++) {
      for (int column = 0; column < g.width; column += pixels)
        if (g.width < pixels)
          backward_block(pass, element, inputs, pixels, 1, dy, row, 0, dx);
        else
          backward_block(pass, element, inputs, pixels, 0, dy, row, smaller(column, g.width - pixels), dx);
    }
}

/* As many pixels as have 16 sums at most, 4 rather than 5 of three channels: 4 divides the widths that occur. */
INLINE void backward_of(const ck_pass *pass, ck_element element, const void *dy, float *dx) {
  switch (pass->geometry.inputs) {
  case 1: backward(pass, element, 1, 16, dy, dx); break;
  case 2: backward(pass, element, 2, 8, dy, dx); break;
  case 3: backward(pass, element, 3, 4, dy, dx); break;
  case 4: backward(pass, element, 4, 4, dy, dx); break;
  }
}

CK_LOOP static void backward_float32(const ck_pass *pass, const void *dy, float *dx) {
  backward_of(pass, CK_FLOAT32, dy, dx);
}

CK_BFLOAT16_LOOP static void backward_bfloat16(const ck_pass *pass, const void *dy, float *dx) {
  backward_of(pass, CK_BFLOAT16, dy, dx);
}

void ck_few_backward_data(const ck_pass *pass, const void *dy, float *dx) {
  (pass->elements.y == CK_BFLOAT16 ? backward_bfloat16 : backward_float32)(pass, dy, dx);
}
