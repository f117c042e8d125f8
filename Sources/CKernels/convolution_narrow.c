/* Convolution 3x3, stride 1, padding 1, from 16 or 32 channels to a multiple of 16: a ResNet's first two stages. With
   AVX-512 only. One core whose multiply-adds reach 264 GFLOP/s, batch 4; padding counts as work, but is not done; oneDNN
   2.6, with the mask in a pass after it -> ours:

                               16 channels, 32x32      32 channels, 16x16
     forward, bias, ReLU       231 -> 283 GFLOP/s      288 -> 310
     and with an addend        184 -> 282              275 -> 309
     backward to the input     250 -> 284              292 -> 310
     and masked                241 -> 282              287 -> 310

   (64 channels at 8x8, 3 % below the peak already, stay oneDNN's.) The same kernel is the backward pass to the input, with
   the filters turned by half a circle and inputs and outputs exchanged; it adds up the gradients that meet at x and masks
   them before it stores, which saves a pass over memory.

   x[batch][height][width][from], y[batch][height][width][to]. A vector holds 16 channels of y of a pixel. A block is 16
   pixels of a row, whose sums stay in registers; each value of x is loaded once, for the three pixels of the block that
   it counts for. Other widths than multiples of 16 are oneDNN's: at 28x28 a block that overlaps the one before it makes the
   backward pass 7 % slower than oneDNN's. Every sum is taken in one order, whatever block its pixel falls in. */
#include "vectors.h"

/* 16 sums, the three columns' weights and the value fit into 32 registers, and two sums in turn wait for none. 8 pixels
   reach 249 GFLOP/s. */
enum { PIXELS = 16 };

static int from(ck_kind kind, ck_geometry g) { return kind == CK_BACKWARD_DATA ? g.outputs : g.inputs; }
static int to(ck_kind kind, ck_geometry g) { return kind == CK_BACKWARD_DATA ? g.inputs : g.outputs; }

int ck_narrow_fits(ck_kind kind, ck_geometry g) {
  return ck_threads() == 1 && kind != CK_BACKWARD_WEIGHTS && ck_is_3x3(g) &&
         g.width % PIXELS == 0 && (from(kind, g) == 16 || from(kind, g) == 32) && to(kind, g) % LANES == 0 && ck_has_avx512();
}

float *ck_narrow_create(ck_geometry g) { return ck_allocate(sizeof(float) * 9 * g.inputs * g.outputs); }

/* packed[to / 16][row][from][column][16] */
void ck_narrow_pack(const ck_pass *pass, const float *weights) {
  const ck_geometry g = pass->geometry;
  const int is_turned = pass->kind == CK_BACKWARD_DATA, sources = from(pass->kind, g);
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < g.inputs; i++)
      for (int tap = 0; tap < 9; tap++) {
        const int place = is_turned ? 8 - tap : tap, row = place / 3, column = place % 3;
        const int result = is_turned ? i : o, source = is_turned ? o : i;
        const int at = ((result / LANES * 3 + row) * sources + source) * 3 + column;
        pass->narrow[at * LANES + result % LANES] = weights[(o * g.inputs + i) * 9 + tap];
      }
}

/* What happens to a sum before it is stored, in this order; NULL or 0: nothing. */
struct finish {
  const float *bias;       /* [to] */
  const float *addends[2]; /* as y */
  const float *positive;   /* as y: 0 where this is not above 0 */
  int relu;
};

struct images {
  int height, width, from, to;
  const float *weights; /* packed */
};

/* Pixels column ..< column + 16 of a row, channels o ..< o + 16. `left`, `right`: the block begins or ends with the row,
   beyond which there is nothing to load. */
INLINE void block(struct images g, int left, int right, const float *x, int row, int column, int o,
                  struct finish finish, float *y) {
  lanes sum[PIXELS];
  UNROLLED for (int p = 0; p < PIXELS; p++) sum[p] = (lanes){0};
  for (int tap = first_row(row); tap < end_row(row, g.height); tap++) {
    const float *w = g.weights + (size_t)(o / LANES * 3 + tap) * g.from * 3 * LANES;
    const float *source = x + ((ptrdiff_t)(row + tap - 1) * g.width + column) * g.from;
    ROLLED for (int i = 0; i < g.from; i++, w += 3 * LANES, source++) {
      const lanes w0 = load(w), w1 = load(w + LANES), w2 = load(w + 2 * LANES);
      UNROLLED for (int p = -1; p <= PIXELS; p++) {
        if ((left && p < 0) || (right && p == PIXELS)) continue;
        const float value = source[(ptrdiff_t)p * g.from];
        if (p + 1 < PIXELS) sum[p + 1] += value * w0;
        if (p >= 0 && p < PIXELS) sum[p] += value * w1;
        if (p >= 1) sum[p - 1] += value * w2;
      }
    }
  }
  const size_t start = ((size_t)row * g.width + column) * g.to + o;
  UNROLLED for (int p = 0; p < PIXELS; p++) {
    const size_t at = start + (size_t)p * g.to;
    lanes value = sum[p];
    if (finish.bias) value += load(finish.bias + o);
    if (finish.addends[0]) value += load(finish.addends[0] + at);
    if (finish.addends[1]) value += load(finish.addends[1] + at);
    if (finish.positive) value = where(load(finish.positive + at) > 0, value);
    if (finish.relu) value = where(~(value < 0), value); /* NaN stays */
    store(y + at, value);
  }
}

INLINE const float *shifted(const float *array, size_t count) { return array ? array + count : NULL; }

INLINE void convolve_from(int channels, const ck_pass *pass, const float *x, struct finish finish, float *y) {
  const ck_geometry p = pass->geometry;
  const struct images g = {p.height, p.width, channels, to(pass->kind, p), pass->narrow};
  const size_t positions = (size_t)g.height * g.width;
  for (int n = 0; n < p.batch; n++) {
    for (int row = 0; row < g.height; row++)
      for (int o = 0; o < g.to; o += LANES) {
        if (g.width == PIXELS) {
          block(g, 1, 1, x, row, 0, o, finish, y);
          continue;
        }
        block(g, 1, 0, x, row, 0, o, finish, y);
        int column = PIXELS;
        for (; column < g.width - PIXELS; column += PIXELS) block(g, 0, 0, x, row, column, o, finish, y);
        block(g, 0, 1, x, row, column, o, finish, y);
      }
    x += positions * g.from;
    y += positions * g.to;
    for (int s = 0; s < 2; s++) finish.addends[s] = shifted(finish.addends[s], positions * g.to);
    finish.positive = shifted(finish.positive, positions * g.to);
  }
}

/* With the number of channels known, compilers unroll what they want to. */
INLINE void convolve(const ck_pass *pass, const float *x, struct finish finish, float *y) {
  if (from(pass->kind, pass->geometry) == 16)
    convolve_from(16, pass, x, finish, y);
  else
    convolve_from(32, pass, x, finish, y);
}

CK_LOOP void ck_narrow_forward(const ck_pass *pass, const float *x, const float *bias, const float *addend, float *y) {
  const struct finish finish = {
      .bias = pass->bias ? bias : NULL, .addends = {pass->addend ? addend : NULL}, .relu = pass->relu};
  convolve(pass, x, finish, y);
}

/* A source's value is read before dx is stored there, and never after it: dx may be a source. */
CK_LOOP void ck_narrow_backward_data(const ck_pass *pass, const float *dy, const float *const *sources, int count,
                                     const float *y, float *dx) {
  const struct finish finish = {
      .addends = {count > 0 ? sources[0] : NULL, count > 1 ? sources[1] : NULL}, .positive = y};
  convolve(pass, dy, finish, dx);
}
