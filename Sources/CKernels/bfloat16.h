/* bfloat16: a float32's sign, exponent and first seven bits of fraction, in 16 bits. */
#pragma once
#include <stdint.h>
#include <string.h>

typedef uint16_t bfloat16;

static inline float ck_widened(bfloat16 value) {
  const uint32_t bits = (uint32_t)value << 16;
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}

/* Compiled for processors with AVX512_BF16, where alone oneDNN and so we compute in bfloat16: no other code is needed. */
#if defined(__x86_64__) && defined(__clang__)
#define CK_BFLOAT16_LOOP __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#else
#define CK_BFLOAT16_LOOP
#endif

/* To the nearest, halves to even; what is not a number stays one. */
static inline bfloat16 ck_rounded(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16, quiet = (bits >> 16) | 0x40;
  return (bfloat16)((bits & 0x7fffffff) > 0x7f800000 ? quiet : nearest);
}

/* The same, by the processor's instruction where it is: in a CK_BFLOAT16_LOOP alone. What is below 2^-126 becomes 0. */
#if defined(__x86_64__) && defined(__clang__)
CK_BFLOAT16_LOOP static inline bfloat16 ck_rounded_by_instruction(float value) {
  const __bf16 rounded = (__bf16)value;
  bfloat16 result;
  memcpy(&result, &rounded, sizeof result);
  return result;
}
#else
static inline bfloat16 ck_rounded_by_instruction(float value) { return ck_rounded(value); }
#endif
