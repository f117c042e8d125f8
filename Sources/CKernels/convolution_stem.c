/* Backward to the input of one to four channels by a kernel of any size and stride: a stem, such as ResNet's 7x7 of stride
   2, MobileNet's 3x3 of stride 2 or the patches of a transformer, where oneDNN 2.6 is slow (convolution_few.c has 3x3 of
   stride 1). One core with AVX-512, 64x64 pixels, batch 8, GFLOP/s, oneDNN's -> ours:

     3 -> 64, 7x7, stride 2    45 -> 158
     3 -> 96, 4x4, stride 4    40 -> 147
     3 -> 32, 3x3, stride 2    32 ->  74

   A row of dy makes all that its pixels hand back, [pixel][kernel row][kernel column][input], as a product with the
   weights; what a row of the kernel hands back lies side by side in dx, too, and is added there. Every sum is taken in one
   order: bits depend on the instruction set alone. */
#include "vectors.h"

/* Pixels, at most, and vectors of a tile, whose sums stay in registers. With AVX2 a tile of 2 pixels reaches 90 GFLOP/s in the
   first line above, one of 6 46; with AVX-512 one of 8 158, one of 6 144. */
enum { MOST_PIXELS = 8, VECTORS = 2, TILE = VECTORS * LANES };

static int columns(ck_geometry g) { return ck_area(g) * g.inputs; }
static int tiles(ck_geometry g) { return (columns(g) + TILE - 1) / TILE; }
static size_t padded(size_t count) { return (count + LANES - 1) / LANES * LANES; }

int ck_stem_fits(ck_kind kind, ck_geometry g) {
  return ck_threads() == 1 && kind == CK_BACKWARD_DATA && g.groups == 1 && g.inputs <= 4 && g.dilation_height == 1 &&
         g.dilation_width == 1;
}

float *ck_stem_create(ck_geometry g) { return ck_allocate(sizeof(float) * tiles(g) * TILE * g.outputs); }

/* packed[columns / 32][output][32], zeros after the last column. */
void ck_stem_pack(const ck_pass *pass, const float *weights) {
  const ck_geometry g = pass->geometry;
  const int area = ck_area(g);
  for (int tile = 0; tile < tiles(g); tile++)
    for (int o = 0; o < g.outputs; o++)
      for (int lane = 0; lane < TILE; lane++) {
        const int column = tile * TILE + lane, tap = column / g.inputs, i = column % g.inputs;
        pass->stem[((size_t)tile * g.outputs + o) * TILE + lane] =
            column < columns(g) ? weights[((size_t)o * g.inputs + i) * area + tap] : 0;
      }
}

/* What a row's pixels hand back; the row in float32; an image's dx in float32. */
static size_t products_count(ck_geometry g) { return (size_t)(ck_out_width(g) + MOST_PIXELS) * tiles(g) * TILE; }
static size_t row_count(ck_geometry g) { return padded((size_t)ck_out_width(g) * g.outputs); }

size_t ck_stem_scratch(ck_geometry g, ck_elements elements) {
  const size_t image = padded((size_t)g.height * g.width * g.inputs);
  return sizeof(float) * (products_count(g) + (elements.y == CK_BFLOAT16 ? row_count(g) : 0) +
                          (elements.x == CK_BFLOAT16 ? image : 0));
}

/* products[pixel][column] = the sum over outputs of dy[pixel][output] w[output][column], of a tile's pixels from `first` on;
   where the row ends, the others repeat its last one. */
INLINE void multiply(const ck_pass *pass, int pixels, const float *dy, int first, int width, float *products) {
  const ck_geometry g = pass->geometry;
  const int stride = tiles(g) * TILE;
  const float *at[MOST_PIXELS];
  UNROLLED for (int p = 0; p < pixels; p++) at[p] = dy + (size_t)smaller(first + p, width - 1) * g.outputs;
  for (int tile = 0; tile < tiles(g); tile++) {
    const float *w = pass->stem + (size_t)tile * g.outputs * TILE;
    lanes sum[MOST_PIXELS][VECTORS];
    UNROLLED for (int p = 0; p < pixels; p++)
      UNROLLED for (int v = 0; v < VECTORS; v++) sum[p][v] = (lanes){0};
    for (int o = 0; o < g.outputs; o++, w += TILE) {
      lanes weights[VECTORS];
      UNROLLED for (int v = 0; v < VECTORS; v++) weights[v] = load(w + v * LANES);
      UNROLLED for (int p = 0; p < pixels; p++)
        UNROLLED for (int v = 0; v < VECTORS; v++) sum[p][v] += at[p][o] * weights[v];
    }
    UNROLLED for (int p = 0; p < pixels; p++)
      UNROLLED for (int v = 0; v < VECTORS; v++)
        store(products + (size_t)(first + p) * stride + tile * TILE + v * LANES, sum[p][v]);
  }
}

/* Adds what row y of dy hands back to an image's dx. */
INLINE void add_row(const ck_pass *pass, const float *products, int y, float *dx) {
  const ck_geometry g = pass->geometry;
  const int stride = tiles(g) * TILE, width = ck_out_width(g), span = g.kernel_width * g.inputs;
  for (int row = 0; row < g.kernel_height; row++) {
    const int to = y * g.stride_height - g.top + row;
    if (to < 0 || to >= g.height) continue;
    for (int x = 0; x < width; x++) {
      const int left = x * g.stride_width - g.left;
      const int from = left < 0 ? -left * g.inputs : 0, end = smaller(span, (g.width - left) * g.inputs);
      const float *source = products + (size_t)x * stride + row * span;
      float *sink = dx + ((ptrdiff_t)to * g.width + left) * g.inputs;
      int k = from;
      for (; k + LANES <= end; k += LANES) store(sink + k, load(sink + k) + load(source + k));
      for (; k < end; k++) sink[k] += source[k];
    }
  }
}

INLINE void backward(const ck_pass *pass, int pixels, const void *dy, void *dx, float *scratch) {
  const ck_geometry g = pass->geometry;
  const int height = ck_out_height(g), width = ck_out_width(g);
  const size_t image = (size_t)g.height * g.width * g.inputs, row = (size_t)width * g.outputs;
  float *const products = scratch, *const widened = products + products_count(g);
  float *const sums = widened + (pass->elements.y == CK_BFLOAT16 ? row_count(g) : 0);
  for (int n = 0; n < g.batch; n++) {
    float *const to = pass->elements.x == CK_BFLOAT16 ? sums : (float *)dx + n * image;
    memset(to, 0, sizeof(float) * image);
    for (int y = 0; y < height; y++) {
      const size_t at = ((size_t)n * height + y) * row;
      const float *source = (const float *)dy + at;
      if (pass->elements.y == CK_BFLOAT16) {
        for (size_t k = 0; k < row; k++) widened[k] = ck_widened(((const bfloat16 *)dy)[at + k]);
        source = widened;
      }
      for (int x = 0; x < width; x += pixels) multiply(pass, pixels, source, x, width, products);
      add_row(pass, products, y, to);
    }
    if (pass->elements.x == CK_BFLOAT16) ck_round(sums, image, (bfloat16 *)dx + n * image);
  }
}

CK_LOOP void ck_stem_backward_data(const ck_pass *pass, const void *dy, void *dx, float *scratch) {
  if (is_wide())
    backward(pass, 8, dy, dx, scratch);
  else
    backward(pass, 2, dy, dx, scratch);
}
