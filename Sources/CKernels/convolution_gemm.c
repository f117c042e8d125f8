/* Convolution as im2col and sgemm, image by image: the second implementation, the oracle of the tests. */
#include "internal.h"
#include <string.h>

struct ck_gemm_pass {
  float *packed; /* weights [outputs][kernel y][kernel x][inputs], as the columns lie */
};

static int taps(ck_geometry g) { return g.kernel * g.kernel * g.inputs; }
static int out_height(ck_geometry g) { return (g.height + 2 * g.padding - g.kernel) / g.stride + 1; }
static int out_width(ck_geometry g) { return (g.width + 2 * g.padding - g.kernel) / g.stride + 1; }

struct ck_gemm_pass *ck_gemm_create(const ck_pass *pass) {
  struct ck_gemm_pass *gemm = calloc(1, sizeof *gemm);
  if (!gemm) abort();
  gemm->packed = ck_allocate(sizeof(float) * (size_t)pass->geometry.outputs * taps(pass->geometry));
  return gemm;
}

void ck_gemm_destroy(struct ck_gemm_pass *gemm) {
  free(gemm->packed);
  free(gemm);
}

size_t ck_gemm_scratch(const ck_pass *pass) {
  const ck_geometry g = pass->geometry;
  return sizeof(float) * (size_t)out_height(g) * out_width(g) * taps(g);
}

void ck_gemm_pack(const ck_pass *pass, const float *weights) {
  const ck_geometry g = pass->geometry;
  const int area = g.kernel * g.kernel;
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < g.inputs; i++)
      for (int k = 0; k < area; k++)
        pass->gemm->packed[(o * area + k) * g.inputs + i] = weights[(o * g.inputs + i) * area + k];
}

/* Calls for every (output position, kernel position): the matching stretch of the image, or NULL in the padding. */
#define FOR_EACH_TAP(g, BODY)                                                        \
  for (int oy = 0, position = 0; oy < out_height(g); oy++)                           \
    for (int ox = 0; ox < out_width(g); ox++, position++)                            \
      for (int ky = 0; ky < (g).kernel; ky++)                                        \
        for (int kx = 0; kx < (g).kernel; kx++) {                                    \
          const int y = oy * (g).stride + ky - (g).padding;                          \
          const int x = ox * (g).stride + kx - (g).padding;                          \
          const int inside = y >= 0 && y < (g).height && x >= 0 && x < (g).width;    \
          const size_t pixel = ((size_t)y * (g).width + x) * (g).inputs;             \
          float *column = columns + ((size_t)position * (g).kernel * (g).kernel + ky * (g).kernel + kx) * (g).inputs; \
          BODY                                                                       \
        }

static void image_to_columns(ck_geometry g, const float *image, float *columns) {
  const size_t bytes = sizeof(float) * g.inputs;
  FOR_EACH_TAP(g, {
    if (inside)
      memcpy(column, image + pixel, bytes);
    else
      memset(column, 0, bytes);
  })
}

static void columns_to_image(ck_geometry g, float *columns, float *image) {
  memset(image, 0, sizeof(float) * (size_t)g.height * g.width * g.inputs);
  FOR_EACH_TAP(g, {
    if (inside)
      for (int i = 0; i < g.inputs; i++) image[pixel + i] += column[i];
  })
}

void ck_gemm_forward(const ck_pass *pass, const float *x, const float *bias, const float *addend, float *y,
                     float *columns) {
  const ck_geometry g = pass->geometry;
  const int positions = out_height(g) * out_width(g);
  const size_t source = (size_t)g.height * g.width * g.inputs, result = (size_t)positions * g.outputs;
  for (int n = 0; n < g.batch; n++) {
    image_to_columns(g, x + n * source, columns);
    ck_gemm(0, 1, positions, g.outputs, taps(g), columns, taps(g), pass->gemm->packed, taps(g), 0, y + n * result,
            g.outputs);
  }
  if (!bias && !addend && !pass->relu) return;
  for (size_t row = 0; row < (size_t)g.batch * positions; row++)
    for (int o = 0; o < g.outputs; o++) {
      const size_t at = row * g.outputs + o;
      const float value = y[at] + (bias ? bias[o] : 0) + (addend ? addend[at] : 0);
      y[at] = pass->relu && value < 0 ? 0 : value;
    }
}

void ck_gemm_backward_data(const ck_pass *pass, const float *dy, float *dx, float *columns) {
  const ck_geometry g = pass->geometry;
  const int positions = out_height(g) * out_width(g);
  const size_t source = (size_t)g.height * g.width * g.inputs, result = (size_t)positions * g.outputs;
  for (int n = 0; n < g.batch; n++) {
    ck_gemm(0, 0, positions, taps(g), g.outputs, dy + n * result, g.outputs, pass->gemm->packed, taps(g), 0, columns,
            taps(g));
    columns_to_image(g, columns, dx + n * source);
  }
}

void ck_gemm_backward_weights(const ck_pass *pass, const float *x, const float *dy, int is_first, float *columns) {
  const ck_geometry g = pass->geometry;
  const int positions = out_height(g) * out_width(g);
  const size_t source = (size_t)g.height * g.width * g.inputs, result = (size_t)positions * g.outputs;
  for (int n = 0; n < g.batch; n++) {
    image_to_columns(g, x + n * source, columns);
    ck_gemm(1, 0, g.outputs, taps(g), positions, dy + n * result, g.outputs, columns, taps(g), n > 0 || !is_first,
            pass->gemm->packed, taps(g));
  }
}

void ck_gemm_weight_gradient(const ck_pass *pass, int adds, float *dw) {
  const ck_geometry g = pass->geometry;
  const int area = g.kernel * g.kernel;
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < g.inputs; i++)
      for (int k = 0; k < area; k++) {
        float *const to = dw + (o * g.inputs + i) * area + k;
        *to = (adds ? *to : 0) + pass->gemm->packed[(o * area + k) * g.inputs + i];
      }
}
