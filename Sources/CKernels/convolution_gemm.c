/* Convolution as im2col and sgemm, image by image: the second implementation, the oracle of the tests. */
#include "internal.h"
#include <string.h>

struct ck_gemm_pass {
  float *packed; /* weights [outputs][kernel y][kernel x][inputs], as the columns lie */
};

/* Of a group: its channels, and the floats of a position's columns. */
static int group_inputs(ck_geometry g) { return g.inputs / g.groups; }
static int group_outputs(ck_geometry g) { return g.outputs / g.groups; }
static int taps(ck_geometry g) { return ck_area(g) * group_inputs(g); }
static size_t group_weights(ck_geometry g) { return (size_t)group_outputs(g) * taps(g); }
static int positions_of(ck_geometry g) { return ck_out_height(g) * ck_out_width(g); }

struct ck_gemm_pass *ck_gemm_create(const ck_pass *pass) {
  struct ck_gemm_pass *gemm = calloc(1, sizeof *gemm);
  if (!gemm) abort();
  gemm->packed = ck_allocate(sizeof(float) * ck_weight_count(pass->geometry));
  return gemm;
}

void ck_gemm_destroy(struct ck_gemm_pass *gemm) {
  free(gemm->packed);
  free(gemm);
}

size_t ck_gemm_scratch(const ck_pass *pass) {
  return sizeof(float) * (size_t)positions_of(pass->geometry) * taps(pass->geometry);
}

void ck_gemm_pack(const ck_pass *pass, const float *weights) {
  const ck_geometry g = pass->geometry;
  const int area = ck_area(g), inputs = group_inputs(g);
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < inputs; i++)
      for (int k = 0; k < area; k++)
        pass->gemm->packed[((size_t)o * area + k) * inputs + i] = weights[((size_t)o * inputs + i) * area + k];
}

/* Calls for every (output position, kernel position): the matching stretch of the image, or NULL in the padding. */
#define FOR_EACH_TAP(g, BODY)                                                                                       \
  for (int oy = 0, position = 0; oy < ck_out_height(g); oy++)                                                       \
    for (int ox = 0; ox < ck_out_width(g); ox++, position++)                                                        \
      for (int ky = 0; ky < (g).kernel_height; ky++)                                                                \
        for (int kx = 0; kx < (g).kernel_width; kx++) {                                                             \
          const int y = oy * (g).stride_height + ky * (g).dilation_height - (g).top;                                \
          const int x = ox * (g).stride_width + kx * (g).dilation_width - (g).left;                                 \
          const int inside = y >= 0 && y < (g).height && x >= 0 && x < (g).width;                                   \
          const size_t pixel = ((size_t)y * (g).width + x) * (g).inputs;                                            \
          float *column = columns + ((size_t)position * ck_area(g) + ky * (g).kernel_width + kx) * group_inputs(g); \
          BODY                                                                                                      \
        }

/* `image` begins at the group's first channel. */
static void image_to_columns(ck_geometry g, const float *image, float *columns) {
  const size_t bytes = sizeof(float) * group_inputs(g);
  FOR_EACH_TAP(g, {
    if (inside)
      memcpy(column, image + pixel, bytes);
    else
      memset(column, 0, bytes);
  })
}

static void add_columns_to_image(ck_geometry g, float *columns, float *image) {
  FOR_EACH_TAP(g, {
    if (inside)
      for (int i = 0; i < group_inputs(g); i++) image[pixel + i] += column[i];
  })
}

/* Runs BODY for each image and group: `from` and `to` are their stretches of x and y. */
#define FOR_EACH_GROUP(g, BODY)                                                                    \
  for (int n = 0; n < (g).batch; n++)                                                              \
    for (int group = 0; group < (g).groups; group++) {                                             \
      const size_t from = (size_t)n * (g).height * (g).width * (g).inputs + group * group_inputs(g); \
      const size_t to = (size_t)n * positions_of(g) * (g).outputs + group * group_outputs(g);      \
      float *const weights = pass->gemm->packed + group * group_weights(g);                        \
      BODY                                                                                         \
    }

void ck_gemm_forward(const ck_pass *pass, const float *x, const float *bias, const float *addend, float *y,
                     float *columns) {
  const ck_geometry g = pass->geometry;
  FOR_EACH_GROUP(g, {
    image_to_columns(g, x + from, columns);
    ck_gemm(0, 1, positions_of(g), group_outputs(g), taps(g), columns, taps(g), weights, taps(g), 0, y + to, g.outputs);
  })
  if (!bias && !addend && !pass->relu) return;
  for (size_t row = 0; row < (size_t)g.batch * positions_of(g); row++)
    for (int o = 0; o < g.outputs; o++) {
      const size_t at = row * g.outputs + o;
      const float value = y[at] + (bias ? bias[o] : 0) + (addend ? addend[at] : 0);
      y[at] = pass->relu && value < 0 ? 0 : value;
    }
}

void ck_gemm_backward_data(const ck_pass *pass, const float *dy, float *dx, float *columns) {
  const ck_geometry g = pass->geometry;
  memset(dx, 0, sizeof(float) * (size_t)g.batch * g.height * g.width * g.inputs);
  FOR_EACH_GROUP(g, {
    ck_gemm(0, 0, positions_of(g), taps(g), group_outputs(g), dy + to, g.outputs, weights, taps(g), 0, columns, taps(g));
    add_columns_to_image(g, columns, dx + from);
  })
}

void ck_gemm_backward_weights(const ck_pass *pass, const float *x, const float *dy, int is_first, float *columns) {
  const ck_geometry g = pass->geometry;
  FOR_EACH_GROUP(g, {
    image_to_columns(g, x + from, columns);
    ck_gemm(1, 0, group_outputs(g), taps(g), positions_of(g), dy + to, g.outputs, columns, taps(g), n > 0 || !is_first,
            weights, taps(g));
  })
}

void ck_gemm_weight_gradient(const ck_pass *pass, int adds, float *dw) {
  const ck_geometry g = pass->geometry;
  const int area = ck_area(g), inputs = group_inputs(g);
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < inputs; i++)
      for (int k = 0; k < area; k++) {
        float *const to = dw + ((size_t)o * inputs + i) * area + k;
        *to = (adds ? *to : 0) + pass->gemm->packed[((size_t)o * area + k) * inputs + i];
      }
}
