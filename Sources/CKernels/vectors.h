/* Vectors of 16 floats, for loops that keep their sums in registers: one register of AVX-512, two of AVX2, four of NEON. */
#pragma once
#include "bfloat16.h"
#include "internal.h"
#include <string.h>

enum { LANES = 16 };

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int lane_mask __attribute__((vector_size(LANES * sizeof(int))));
typedef uint32_t lane_bits __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef bfloat16 half_lanes __attribute__((vector_size(LANES * sizeof(bfloat16)), aligned(sizeof(bfloat16)), may_alias));
/* The same in the caller's arrays, which may begin at any float. */
typedef lanes lanes_in_memory __attribute__((aligned(sizeof(float)), may_alias));

/* Inlined into each clone of its caller, a function is compiled for the clone's instructions. It is never called, so
   that how vectors would be handed over, of which compilers warn, is of no matter. */
#define INLINE static inline __attribute__((always_inline))
#pragma GCC diagnostic ignored "-Wpsabi"

/* Sums stay in registers only where no loop over them is left, and compilers leave the longer ones: with one input
   channel, backward of convolution_few.c reaches 50 GFLOP/s so, 225 unrolled. */
#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define UNROLLED _Pragma("GCC unroll 18")
#define ROLLED _Pragma("GCC unroll 1")
#endif

/* Whether there are 32 registers that hold a vector each. Smaller tiles otherwise: the same bits. */
static inline int is_wide(void) {
#if defined(__x86_64__) && defined(__linux__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
#else
  return 0;
#endif
}

INLINE lanes load(const float *at) { return *(const lanes_in_memory *)at; }
INLINE void store(float *at, lanes values) { *(lanes_in_memory *)at = values; }
/* The same from `index` on in an array of either type of element; of bfloat16, in a CK_BFLOAT16_LOOP alone. */
INLINE lanes load_elements(ck_element element, const void *array, size_t index) {
  if (element == CK_FLOAT32) return load((const float *)array + index);
  return (lanes)(__builtin_convertvector(*(const half_lanes *)((const bfloat16 *)array + index), lane_bits) << 16);
}
INLINE void store_elements(ck_element element, void *array, size_t index, lanes values) {
  if (element == CK_FLOAT32) return store((float *)array + index, values);
#if defined(__x86_64__) && defined(__clang__)
  typedef __bf16 rounded_lanes __attribute__((vector_size(LANES * sizeof(bfloat16))));
  const rounded_lanes rounded = __builtin_convertvector(values, rounded_lanes); /* one instruction */
  memcpy((bfloat16 *)array + index, &rounded, sizeof rounded);
#else
  const lane_bits bits = (lane_bits)values, nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const lane_bits is_number = (lane_bits)((lane_mask)(bits & 0x7fffffff) <= 0x7f800000);
  const lane_bits result = (nearest & is_number) | ((bits >> 16 | 0x40) & ~is_number);
  *(half_lanes *)((bfloat16 *)array + index) = __builtin_convertvector(result, half_lanes);
#endif
}
/* The first `count` floats there, and zeros. */
INLINE lanes load_some(const float *at, int count) {
  lanes values = {0};
  memcpy(&values, at, sizeof(float) * count);
  return values;
}
INLINE int smaller(int a, int b) { return a < b ? a : b; }
/* Values where the condition holds, else 0. What is not a number stays one. */
INLINE lanes where(lane_mask condition, lanes values) { return (lanes)((lane_mask)values & condition); }
/* Rows of a 3x3 kernel's taps that row y of an image has: above and below it they are left out. */
INLINE int first_row(int y) { return y == 0; }
INLINE int end_row(int y, int height) { return y + 1 == height ? 2 : 3; }

/* Sixteen vectors become one of their sums by halves: two vectors' lanes are added in pairs, twice within every four
   lanes and twice across them. 16 sums take 30 shuffles and 15 additions, which run beside the multiply-adds. */
INLINE lanes add_pairs(lanes a, lanes b) { /* of every four lanes: a0+a2 b0+b2 a1+a3 b1+b3 */
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
         __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
INLINE lanes add_halves(lanes a, lanes b) { /* of every four lanes: a0+a2 a1+a3 b0+b2 b1+b3 */
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
         __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}
INLINE lanes add_fours(lanes a, lanes b) { /* fours of lanes: a0+a1 a2+a3 b0+b1 b2+b3 */
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
         __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}
INLINE lanes four_sums(const lanes *s) { return add_halves(add_pairs(s[0], s[1]), add_pairs(s[2], s[3])); }
INLINE lanes sixteen_sums(const lanes *s) {
  return add_fours(add_fours(four_sums(s), four_sums(s + 4)), add_fours(four_sums(s + 8), four_sums(s + 12)));
}
