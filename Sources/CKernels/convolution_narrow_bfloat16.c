/* The sibling of convolution_narrow.c in bfloat16: 3x3, stride 1, padding 1, with AVX512_BF16. Its multiply-add takes two
   channels at once and sums in float, so a value of x here is a pair of channels, and weights lie in pairs.

   x[batch][height][width][from], y[batch][height][width][to]; sums, biases and what is done to a sum before it is stored
   are float. Every sum is taken in one order, whatever block its pixel falls in.

   One core, batch 4, GFLOP/s; padding counts as work, but is not done; oneDNN 2.6, with the ReLU in a pass behind it -> ours, on a
   machine that did something else, too:

                                16 ch., 32x32   32 ch., 16x16   64 ch., 16x16   64 ch., 32x32
     forward, all fused         369 -> 527      520 -> 564      560 -> 582      504 -> 550
     backward to the input      404 -> 549      510 -> 578      569 -> 587      511 -> 555

   From 256 channels on the weights of a row of taps leave the first-level cache. */
#include "bfloat16.h"
#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"))), apply_to = function)
#define INLINE static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")

/* Pixels of a block, and channels of a vector. */
enum { PIXELS = 16, LANES = 16 };

static int from(ck_kind kind, ck_geometry g) { return kind == CK_BACKWARD_DATA ? g.outputs : g.inputs; }
static int to(ck_kind kind, ck_geometry g) { return kind == CK_BACKWARD_DATA ? g.inputs : g.outputs; }

int ck_narrow_bfloat16_fits(ck_kind kind, ck_geometry g) {
  const char *const instructions = ck_bfloat16_instructions();
  const int channels = from(kind, g);
  /* With AMX oneDNN's kernels are several times as fast. */
  return instructions && strcmp(instructions, "AVX512_BF16") == 0 && ck_threads() == 1 && kind != CK_BACKWARD_WEIGHTS &&
         ck_is_3x3(g) && g.width % PIXELS == 0 && to(kind, g) % LANES == 0 &&
         (channels == 16 || channels == 32 || channels == 64 || channels == 128);
}

/* packed[to / 16][row][from / 2][column][16][2] */
void ck_narrow_bfloat16_pack(const ck_pass *pass, const float *weights) {
  const ck_geometry g = pass->geometry;
  const int is_turned = pass->kind == CK_BACKWARD_DATA, sources = from(pass->kind, g);
  bfloat16 *const packed = (bfloat16 *)pass->narrow;
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < g.inputs; i++)
      for (int tap = 0; tap < 9; tap++) {
        const int place = is_turned ? 8 - tap : tap, row = place / 3, column = place % 3;
        const int result = is_turned ? i : o, source = is_turned ? o : i;
        const int at = ((result / LANES * 3 + row) * (sources / 2) + source / 2) * 3 + column;
        packed[(at * LANES + result % LANES) * 2 + source % 2] = ck_rounded(weights[(o * g.inputs + i) * 9 + tap]);
      }
}

/* What happens to a sum before it is stored, in this order; NULL or 0: nothing. */
struct finish {
  const float *bias;          /* [to] */
  const bfloat16 *addends[2]; /* as y */
  const bfloat16 *positive;   /* as y: 0 where this is not above 0 */
  int relu;
};

struct images {
  int height, width, from, to;
  const bfloat16 *weights; /* packed */
};

INLINE __m512bh load_weights(const bfloat16 *at) { return (__m512bh)_mm512_loadu_si512(at); }
/* A pair of channels in all lanes. */
INLINE __m512bh load_pair(const bfloat16 *at) {
  int pair;
  memcpy(&pair, at, sizeof pair);
  return (__m512bh)_mm512_set1_epi32(pair);
}
INLINE __m512 load_widened(const bfloat16 *at) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)at)), 16));
}

/* Pixels column ..< column + 16 of a row, channels o ..< o + 16. `left`, `right`: the block begins or ends with the row,
   beyond which there is nothing to load. */
INLINE void block(struct images g, int left, int right, const bfloat16 *x, int row, int column, int o,
                  struct finish finish, bfloat16 *y) {
  __m512 sum[PIXELS];
  UNROLLED for (int p = 0; p < PIXELS; p++) sum[p] = _mm512_setzero_ps();
  const int first = row == 0, end = row + 1 == g.height ? 2 : 3;
  for (int tap = first; tap < end; tap++) {
    const bfloat16 *w = g.weights + (size_t)(o / LANES * 3 + tap) * (g.from / 2) * 3 * LANES * 2;
    const bfloat16 *source = x + ((ptrdiff_t)(row + tap - 1) * g.width + column) * g.from;
    ROLLED for (int i = 0; i < g.from; i += 2, w += 3 * LANES * 2, source += 2) {
      const __m512bh w0 = load_weights(w), w1 = load_weights(w + 2 * LANES), w2 = load_weights(w + 4 * LANES);
      UNROLLED for (int p = -1; p <= PIXELS; p++) {
        if ((left && p < 0) || (right && p == PIXELS)) continue;
        const __m512bh value = load_pair(source + (ptrdiff_t)p * g.from);
        if (p + 1 < PIXELS) sum[p + 1] = _mm512_dpbf16_ps(sum[p + 1], value, w0);
        if (p >= 0 && p < PIXELS) sum[p] = _mm512_dpbf16_ps(sum[p], value, w1);
        if (p >= 1) sum[p - 1] = _mm512_dpbf16_ps(sum[p - 1], value, w2);
      }
    }
  }
  const size_t start = ((size_t)row * g.width + column) * g.to + o;
  const __m512 zero = _mm512_setzero_ps();
  UNROLLED for (int p = 0; p < PIXELS; p++) {
    const size_t at = start + (size_t)p * g.to;
    __m512 value = sum[p];
    if (finish.bias) value = _mm512_add_ps(value, _mm512_loadu_ps(finish.bias + o));
    if (finish.addends[0]) value = _mm512_add_ps(value, load_widened(finish.addends[0] + at));
    if (finish.addends[1]) value = _mm512_add_ps(value, load_widened(finish.addends[1] + at));
    if (finish.positive)
      value = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(load_widened(finish.positive + at), zero, _CMP_GT_OQ), value);
    /* NaN stays */
    if (finish.relu) value = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(value, zero, _CMP_NLT_UQ), value);
    _mm256_storeu_si256((__m256i *)(y + at), (__m256i)_mm512_cvtneps_pbh(value));
  }
}

INLINE const bfloat16 *shifted(const bfloat16 *array, size_t count) { return array ? array + count : NULL; }

INLINE void convolve_from(int channels, const ck_pass *pass, const bfloat16 *x, struct finish finish, bfloat16 *y) {
  const ck_geometry p = pass->geometry;
  const struct images g = {p.height, p.width, channels, to(pass->kind, p), (const bfloat16 *)pass->narrow};
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
INLINE void convolve(const ck_pass *pass, const bfloat16 *x, struct finish finish, bfloat16 *y) {
  switch (from(pass->kind, pass->geometry)) {
  case 16: convolve_from(16, pass, x, finish, y); break;
  case 32: convolve_from(32, pass, x, finish, y); break;
  case 64: convolve_from(64, pass, x, finish, y); break;
  default: convolve_from(128, pass, x, finish, y); break;
  }
}

void ck_narrow_bfloat16_forward(const ck_pass *pass, const bfloat16 *x, const float *bias, const bfloat16 *addend,
                                bfloat16 *y) {
  const struct finish finish = {
      .bias = pass->bias ? bias : NULL, .addends = {pass->addend ? addend : NULL}, .relu = pass->relu};
  convolve(pass, x, finish, y);
}

/* A source's value is read before dx is stored there, and never after it: dx may be a source. */
void ck_narrow_bfloat16_backward_data(const ck_pass *pass, const bfloat16 *dy, const bfloat16 *const *sources, int count,
                                      const bfloat16 *y, bfloat16 *dx) {
  const struct finish finish = {
      .addends = {count > 0 ? sources[0] : NULL, count > 1 ? sources[1] : NULL}, .positive = y};
  convolve(pass, dy, finish, dx);
}
#pragma clang attribute pop

#else /* of what never fits */
int ck_narrow_bfloat16_fits(ck_kind kind, ck_geometry geometry) {
  (void)kind, (void)geometry;
  return 0;
}
void ck_narrow_bfloat16_pack(const ck_pass *pass, const float *weights) { (void)pass, (void)weights, abort(); }
void ck_narrow_bfloat16_forward(const ck_pass *pass, const bfloat16 *x, const float *bias, const bfloat16 *addend,
                                bfloat16 *y) {
  (void)pass, (void)x, (void)bias, (void)addend, (void)y, abort();
}
void ck_narrow_bfloat16_backward_data(const ck_pass *pass, const bfloat16 *dy, const bfloat16 *const *sources, int count,
                                      const bfloat16 *y, bfloat16 *dx) {
  (void)pass, (void)dy, (void)sources, (void)count, (void)y, (void)dx, abort();
}
#endif
