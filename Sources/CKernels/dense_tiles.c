/* The three products of a dense layer, x[rows][inputs], w[outputs][inputs], y[rows][outputs], without an allocation or a
   lock: OpenBLAS takes three locks a product, for memory to pack into. oneDNN's matmul would be a primitive for each
   product and batch, allocates where there is no AVX-512, and is not faster. One core whose multiply-adds reach
   280 GFLOP/s with AVX-512, 140 with AVX2; medians, in microseconds; OpenBLAS 0.3.21, oneDNN 2.6.3:

                                    AVX-512: OpenBLAS  oneDNN  ours      AVX2: OpenBLAS  ours
     3072 -> 256,   8 rows  forward               254      96    53                 203   108
                            to the input          137      73    49                 189   156
     3072 -> 256, 128 rows  forward              1022     765   834                1644  1542
                            to the input          826     814   779                1529  1607
                            to the weights        808     768   744                1488  1551
      256 -> 256,   8 rows  forward              16.2     8.1   4.2                17.1   8.1
      256 -> 256, 128 rows  forward               109      64    69                 168   128
       64 ->  10,  32 rows  forward               0.5     0.6   0.4                 0.9   0.8

   Sums stay in registers for a tile of the result, and weights are read as they lie: a piece of a batch has too few rows
   to pay for packing them. Every sum is taken in one order, whatever tile its element falls in and however many rows
   there are: bits depend on the instruction set alone. */
#include "vectors.h"
#include <string.h>

/* ---- Forward ---- */

enum {
  CHUNK = 256, /* inputs whose products are summed before they are added to y */
  SLAB = 32,   /* rows of a chunk that stay in the first-level cache, 32 KiB, while all weights pass by */
};

/* y[rows][columns] += x w^T over a chunk; at most 16 sums, of 16 lanes each. */
INLINE void forward_tile(int rows, int columns, const float *x, size_t x_stride, const float *w, size_t w_stride,
                         int length, float *y, size_t y_stride) {
  lanes sum[LANES], values[8];
  UNROLLED for (int s = 0; s < LANES; s++) sum[s] = (lanes){0};
#define ADD_PRODUCTS(LOAD)                                                                        \
  UNROLLED for (int r = 0; r < rows; r++) values[r] = LOAD(x + r * x_stride + k);                 \
  UNROLLED for (int c = 0; c < columns; c++) {                                                    \
    const lanes weights = LOAD(w + c * w_stride + k);                                             \
    UNROLLED for (int r = 0; r < rows; r++) sum[r * columns + c] += values[r] * weights;          \
  }
#define LOAD_REST(AT) load_some(AT, length - k)
  int k = 0;
  ROLLED for (; k + LANES <= length; k += LANES) { ADD_PRODUCTS(load) }
  if (k < length) { ADD_PRODUCTS(LOAD_REST) }
#undef ADD_PRODUCTS
  const lanes sums = sixteen_sums(sum);
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int c = 0; c < columns; c++) y[r * y_stride + c] += sums[r * columns + c];
}

INLINE void forward(int most, int fewer, const float *x, const float *w, int rows, int inputs, int outputs, float *y) {
  _Alignas(64) float slab[SLAB * CHUNK];
  for (int k = 0; k < inputs; k += CHUNK)
    for (int first = 0; first < rows; first += SLAB) {
      const int length = smaller(CHUNK, inputs - k), count = smaller(SLAB, rows - first);
      const float *source = x + (size_t)first * inputs + k;
      size_t stride = inputs;
      /* Where rows are a multiple of 4 KiB apart, they push each other out of the cache: 3072 inputs, 32 rows, 430 us
         uncopied, 220 copied. */
      if (count > most) {
        for (int r = 0; r < count; r++) memcpy(slab + r * CHUNK, source + r * stride, sizeof(float) * length);
        source = slab, stride = CHUNK;
      }
#define TILES(ROWS, COLUMNS)                                                                                     \
  for (; r + ROWS <= count; r += ROWS)                                                                         \
    forward_tile(ROWS, COLUMNS, source + r * stride, stride, weights, inputs, length, to + (size_t)r * outputs, outputs);
      for (int o = 0; o < outputs; o += 2) {
        const float *weights = w + (size_t)o * inputs + k;
        float *to = y + (size_t)first * outputs + o;
        int r = 0;
        if (o + 2 <= outputs) {
          TILES(most, 2) TILES(fewer, 2) TILES(1, 2)
        } else {
          TILES(most, 1) TILES(1, 1)
        }
      }
#undef TILES
    }
}

CK_LOOP void ck_tiles_forward(ck_dense d, const float *x, const float *w, float *y) {
  if (is_wide())
    forward(8, 4, x, w, d.rows, d.inputs, d.outputs, y);
  else
    forward(3, 2, x, w, d.rows, d.inputs, d.outputs, y);
}

/* ---- Backward: c[rows][columns] = a b, where a[r][k] lies at a[r * row_step + k * step] ---- */

enum { DEPTH = 64, VECTORS = 3, SHORT = 16 }; /* of b, a tile reads DEPTH rows of VECTORS vectors: 12 KiB */

INLINE void backward_tile(int rows, int vectors, const float *a, size_t row_step, size_t step, const float *b,
                          size_t b_stride, int depth, int adds, float *c, size_t columns) {
  lanes sum[8][VECTORS];
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] = adds ? load(c + r * columns + v * LANES) : (lanes){0};
  ROLLED for (int k = 0; k < depth; k++) {
    lanes values[VECTORS];
    UNROLLED for (int v = 0; v < vectors; v++) values[v] = load(b + k * b_stride + v * LANES);
    UNROLLED for (int r = 0; r < rows; r++) {
      const float factor = a[r * row_step + k * step];
      UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] += factor * values[v];
    }
  }
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int v = 0; v < vectors; v++) store(c + r * columns + v * LANES, sum[r][v]);
}

/* One strip of columns, `vectors` wide. */
INLINE void backward_strip(int most, int fewer, int vectors, const float *a, size_t row_step, size_t step,
                           const float *b, int rows, size_t columns, int depth, int adds, float *c) {
  _Alignas(64) float copy[DEPTH * VECTORS * LANES];
  size_t stride = columns;
  if (rows > 4 * most) { /* against strides that are a multiple of 4 KiB, as above */
    stride = vectors * LANES;
    for (int k = 0; k < depth; k++)
      UNROLLED for (int v = 0; v < vectors; v++) store(copy + k * stride + v * LANES, load(b + k * columns + v * LANES));
    b = copy;
  }
  int r = 0;
#define TILES(ROWS)                                                                                               \
  for (; r + ROWS <= rows; r += ROWS)                                                                           \
    backward_tile(ROWS, vectors, a + r * row_step, row_step, step, b, stride, depth, adds, c + r * columns, columns);
  TILES(most) TILES(fewer) TILES(1)
#undef TILES
}

INLINE void backward_rows(int most, int fewer, int vectors, const float *a, size_t row_step, size_t step, const float *b,
                    int rows, int columns, int depth, float *c) {
  for (int k = 0; k < depth; k += DEPTH, a += DEPTH * step, b += (size_t)DEPTH * columns) {
    const int count = smaller(DEPTH, depth - k);
    int column = 0;
    for (; column + vectors * LANES <= columns; column += vectors * LANES)
      backward_strip(most, fewer, vectors, a, row_step, step, b + column, rows, columns, count, k > 0, c + column);
    for (; column + LANES <= columns; column += LANES)
      backward_strip(most, fewer, 1, a, row_step, step, b + column, rows, columns, count, k > 0, c + column);
    for (; column < columns; column++)
      for (int r = 0; r < rows; r++) {
        float *to = c + (size_t)r * columns + column, sum = k > 0 ? *to : 0;
        for (int i = 0; i < count; i++) sum += a[r * row_step + i * step] * b[(size_t)i * columns + column];
        *to = sum;
      }
  }
}

INLINE void product(int most, int fewer, int vectors, const float *a, size_t row_step, size_t step, const float *b,
                    int rows, int columns, int depth, float *c) {
  /* Of a short sum the result is what takes time: it is written row by row, not strip by strip (gradient of 256 x 3072
     weights, 8 rows: 168 us by strips, 53 so). */
  const int block = depth <= SHORT ? most : rows;
  for (int r = 0; r < rows; r += block)
    backward_rows(most, fewer, vectors, a + r * row_step, row_step, step, b, smaller(block, rows - r), columns, depth,
                  c + (size_t)r * columns);
}

CK_LOOP static void multiply(const float *a, size_t row_step, size_t step, const float *b, int rows, int columns,
                             int depth, float *c) {
  if (is_wide())
    product(8, 4, 3, a, row_step, step, b, rows, columns, depth, c);
  else
    product(4, 2, 1, a, row_step, step, b, rows, columns, depth, c);
}

void ck_tiles_backward_data(ck_dense d, const float *dy, const float *w, float *dx) {
  multiply(dy, d.outputs, 1, w, d.rows, d.inputs, d.outputs, dx);
}

void ck_tiles_backward_weights(ck_dense d, const float *dy, const float *x, float *dw) {
  multiply(dy, 1, d.outputs, x, d.outputs, d.inputs, d.rows, dw);
}
