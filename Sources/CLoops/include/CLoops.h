/* Loops that need no library, over float32: values of any shape, functions of one number. */
#pragma once
#include <stddef.h>

/* A loop compiled for the baseline, AVX2 and AVX-512, chosen when the program starts. */
#if defined(__x86_64__) && defined(__linux__)
#define CK_LOOP __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_LOOP
#endif

/* ---- Loops over values of any shape (loops.c) ----------------------------------------------------------------- */

enum { CK_LOOP_RANK = 5 };
/* A walk through the elements of one value as they lie, outermost extent first, with the strides at which the elements of
   one or two others go beside; 0 where those are repeated. */
typedef struct {
  size_t extents[CK_LOOP_RANK], first[CK_LOOP_RANK], second[CK_LOOP_RANK];
} ck_loop;

/* y, as it lies, from x at the first strides; the other way round; and x += y. */
void ck_copy_strided(const ck_loop *loop, const float *x, float *y);
void ck_put_strided(const ck_loop *loop, const float *y, float *x);
void ck_add_strided(const ck_loop *loop, const float *y, float *x);
/* y, as it lies, of a at the first strides and b at the second. */
typedef void ck_arithmetic(const ck_loop *loop, const float *a, const float *b, float *y);
ck_arithmetic ck_add, ck_subtract, ck_multiply, ck_divide;
/* The slopes of a / b: 1 / b to a, -a / b^2 to b. */
ck_arithmetic ck_divide_by, ck_divide_slope;
/* result, at the first strides, += scale * dy * factor, dy as it lies, factor at the second strides; NULL: no factor. */
void ck_add_products(const ck_loop *loop, float scale, const float *dy, const float *factor, float *result);
/* y's blocks of `size` from x's, or += them: `count` of them, so many floats from one to the next. */
void ck_copy_blocks(const float *x, size_t count, size_t size, size_t x_step, size_t y_step, float *y);
void ck_add_blocks(const float *x, size_t count, size_t size, size_t x_step, size_t y_step, float *y);

/* ---- Functions of one number (activations.c) ------------------------------------------------------------------- */

/* y = f(x), with the function's constants a and b. */
typedef void ck_function(const float *x, size_t count, float a, float b, float *y);
/* dx = dy f'; `x` is f's argument, or its value where the slope is a function of that: sigmoid, tanh, exp, sqrt,
   reciprocal. */
typedef void ck_slope(const float *dy, const float *x, size_t count, float a, float b, float *dx);
ck_function ck_leaky_relu, ck_clip, ck_hard_sigmoid, ck_hard_swish, ck_silu, ck_elu, ck_softplus, ck_gelu,
    ck_gelu_tanh, ck_erf, ck_power, ck_square, ck_log, ck_abs, ck_affine, ck_sigmoid, ck_tanh, ck_exp, ck_sqrt,
    ck_reciprocal;
ck_slope ck_leaky_relu_slope, ck_clip_slope, ck_hard_sigmoid_slope, ck_hard_swish_slope, ck_silu_slope, ck_elu_slope,
    ck_softplus_slope, ck_gelu_slope, ck_gelu_tanh_slope, ck_erf_slope, ck_power_slope, ck_square_slope, ck_log_slope,
    ck_abs_slope, ck_affine_slope, ck_sigmoid_slope, ck_tanh_slope, ck_exp_slope, ck_sqrt_slope, ck_reciprocal_slope;

/* Softmax of each row, and dx from dy and y. */
void ck_softmax(const float *x, size_t rows, size_t size, float *y);
void ck_softmax_backward(const float *dy, const float *y, size_t rows, size_t size, float *dx);
