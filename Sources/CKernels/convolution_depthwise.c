/* The weights' gradient of a depthwise convolution, each channel of which has a filter of its own: oneDNN 2.6 has fast code
   for 3x3 filters on maps of 4 pixels and more alone. One core with AVX-512, batch 8, GFLOP/s (padding counts as work),
   oneDNN's -> ours:

      96, 7x7, 16x16     15 -> 127        144, 5x5, stride 2, 16x16      8 -> 102
     384, 7x7,   4x4    2.4 -> 166        672, 5x5,             4x4    3.0 -> 124
     768, 7x7,   2x2    0.6 -> 125       1152, 5x5,             2x2    0.6 -> 115
    1152, 3x3,   2x2    1.3 ->  90        144, 3x3,           16x16    121 ->  80: left to it

   A vector holds 16 channels. The sums of a row of taps stay in registers over an image; then they are added to
   sum[tap][channel]. Every sum is taken in one order: bits depend on the instruction set alone. */
#include "vectors.h"

int ck_depthwise_fits(ck_kind kind, ck_geometry g, ck_elements elements) {
  const int is_fast = g.kernel_height == 3 && g.kernel_width == 3 && ck_out_height(g) >= 4 && ck_out_width(g) >= 4;
  return ck_threads() == 1 && kind == CK_BACKWARD_WEIGHTS && g.groups > 1 && g.groups == g.inputs && g.groups == g.outputs &&
         g.inputs % LANES == 0 && g.dilation_height == 1 && g.dilation_width == 1 && elements.x == elements.y && !is_fast;
}

float *ck_depthwise_create(ck_geometry g) { return ck_allocate(sizeof(float) * ck_weight_count(g)); }

INLINE int ceiling(int a, int b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }
INLINE int larger(int a, int b) { return a > b ? a : b; }

/* Adds, of one image, the sums of `taps` taps of row `row` from column `first` on, and of `vectors` times 16 channels from
   `channel` on. */
INLINE void add_taps(ck_geometry g, ck_element element, int taps, int vectors, int row, int first, int channel,
                     const void *x, const void *dy, size_t x_at, size_t dy_at, float *sum) {
  enum { MOST_TAPS = 7, MOST_VECTORS = 4 };
  const int width = ck_out_width(g), height = ck_out_height(g), stride = g.stride_width;
  /* Pixels all of whose taps lie within the image. */
  const int inner = smaller(width, ceiling(g.left - first, stride));
  const int outer = larger(inner, smaller(width, ceiling(g.width + g.left - first - taps + 1, stride)));
  lanes sums[MOST_TAPS][MOST_VECTORS];
  UNROLLED for (int t = 0; t < taps; t++)
    UNROLLED for (int v = 0; v < vectors; v++) sums[t][v] = (lanes){0};
  for (int y = 0; y < height; y++) {
    const int from = y * g.stride_height - g.top + row;
    if (from < 0 || from >= g.height) continue;
    const size_t source = x_at + (size_t)from * g.width * g.inputs + channel;
    const size_t gradient = dy_at + (size_t)y * width * g.outputs + channel;
    for (int p = 0; p < width; p++) {
      const int left = p * stride - g.left + first, inside = p >= inner && p < outer;
      lanes d[MOST_VECTORS];
      UNROLLED for (int v = 0; v < vectors; v++)
        d[v] = load_elements(element, dy, gradient + (size_t)p * g.outputs + v * LANES);
      UNROLLED for (int t = 0; t < taps; t++)
        if (inside || (left + t >= 0 && left + t < g.width))
          UNROLLED for (int v = 0; v < vectors; v++)
            sums[t][v] += d[v] * load_elements(element, x, source + (size_t)(left + t) * g.inputs + v * LANES);
    }
  }
  UNROLLED for (int t = 0; t < taps; t++)
    UNROLLED for (int v = 0; v < vectors; v++) {
      float *const to = sum + (size_t)(row * g.kernel_width + first + t) * g.inputs + channel + v * LANES;
      store(to, load(to) + sums[t][v]);
    }
}

/* Of an image, in parts of `taps` columns of the kernel and `vectors` times 16 channels, as far as these go. */
INLINE void add_image(ck_geometry g, ck_element element, int taps, int vectors, const void *x, const void *dy,
                      size_t x_at, size_t dy_at, float *sum) {
  int channel = 0;
  for (; channel + vectors * LANES <= g.inputs; channel += vectors * LANES)
    for (int row = 0; row < g.kernel_height; row++)
      for (int first = 0; first < g.kernel_width; first += taps)
        add_taps(g, element, taps, vectors, row, first, channel, x, dy, x_at, dy_at, sum);
  for (; channel < g.inputs; channel += LANES)
    for (int row = 0; row < g.kernel_height; row++)
      for (int first = 0; first < g.kernel_width; first += taps)
        add_taps(g, element, taps, 1, row, first, channel, x, dy, x_at, dy_at, sum);
}

INLINE void add_batch(const ck_pass *pass, ck_element element, const void *x, const void *dy) {
  const ck_geometry g = pass->geometry;
  const size_t images = (size_t)g.height * g.width * g.inputs;
  const size_t gradients = (size_t)ck_out_height(g) * ck_out_width(g) * g.outputs;
  for (int n = 0; n < g.batch; n++)
    switch (g.kernel_width) {
    case 3: add_image(g, element, 3, 3, x, dy, n * images, n * gradients, pass->depthwise); break;
    case 5: add_image(g, element, 5, 2, x, dy, n * images, n * gradients, pass->depthwise); break;
    case 7: add_image(g, element, 7, 2, x, dy, n * images, n * gradients, pass->depthwise); break;
    default: add_image(g, element, 1, 4, x, dy, n * images, n * gradients, pass->depthwise);
    }
}

CK_LOOP static void add_float32(const ck_pass *pass, const void *x, const void *dy) {
  add_batch(pass, CK_FLOAT32, x, dy);
}

CK_BFLOAT16_LOOP static void add_bfloat16(const ck_pass *pass, const void *x, const void *dy) {
  add_batch(pass, CK_BFLOAT16, x, dy);
}

void ck_depthwise_backward_weights(const ck_pass *pass, const void *x, const void *dy, int is_first) {
  if (is_first) memset(pass->depthwise, 0, sizeof(float) * ck_weight_count(pass->geometry));
  (pass->elements.x == CK_BFLOAT16 ? add_bfloat16 : add_float32)(pass, x, dy);
}

void ck_depthwise_weight_gradient(const ck_pass *pass, int adds, float *dw) {
  const int area = ck_area(pass->geometry), channels = pass->geometry.inputs;
  for (int channel = 0; channel < channels; channel++)
    for (int tap = 0; tap < area; tap++) {
      float *const to = dw + channel * area + tap;
      *to = (adds ? *to : 0) + pass->depthwise[tap * channels + channel];
    }
}
