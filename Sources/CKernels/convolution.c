/* The convolution's implementations behind one face. */
#include "internal.h"

static int is_few(ck_kind kind, ck_geometry geometry, ck_elements elements) {
  return elements.x == CK_FLOAT32 && ck_few_fits(kind, geometry);
}

static int is_narrow(ck_kind kind, ck_geometry geometry, ck_elements elements) {
  return elements.x == CK_FLOAT32 ? ck_narrow_fits(kind, geometry) : ck_narrow_bfloat16_fits(kind, geometry);
}

ck_pass *ck_pass_create(ck_backend backend, ck_kind kind, ck_geometry geometry, ck_elements elements, int bias, int relu,
                        int addend) {
  ck_pass *pass = calloc(1, sizeof *pass);
  if (!pass) abort();
  *pass = (ck_pass){
      .kind = kind, .geometry = geometry, .elements = elements, .bias = bias, .relu = relu, .addend = addend};
  if (backend == CK_ONEDNN && is_few(kind, geometry, elements))
    pass->few = ck_few_create(geometry);
  else if (backend == CK_ONEDNN && ck_stem_fits(kind, geometry))
    pass->stem = ck_stem_create(geometry);
  else if (backend == CK_ONEDNN && ck_depthwise_fits(kind, geometry, elements))
    pass->depthwise = ck_depthwise_create(geometry);
  else if (backend == CK_ONEDNN && is_narrow(kind, geometry, elements))
    pass->narrow = ck_narrow_create(geometry);
  else if (backend == CK_ONEDNN)
    pass->onednn = ck_onednn_create(pass);
  else
    pass->gemm = ck_gemm_create(pass);
  return pass;
}

int ck_pass_is_ours(ck_kind kind, ck_geometry geometry, ck_elements elements) {
  return is_few(kind, geometry, elements) || ck_stem_fits(kind, geometry) || is_narrow(kind, geometry, elements) ||
         ck_depthwise_fits(kind, geometry, elements);
}

size_t ck_own_scratch(ck_kind kind, ck_geometry geometry, ck_elements elements) {
  return !is_few(kind, geometry, elements) && ck_stem_fits(kind, geometry) ? ck_stem_scratch(geometry, elements) : 0;
}

int ck_reads_images(ck_geometry geometry) { return ck_few_fits(CK_FORWARD, geometry); }

void ck_pass_destroy(ck_pass *pass) {
  free(pass->few);
  free(pass->stem);
  free(pass->depthwise);
  free(pass->narrow);
  if (pass->onednn) ck_onednn_destroy(pass->onednn);
  if (pass->gemm) ck_gemm_destroy(pass->gemm);
  free(pass);
}

size_t ck_pass_scratch(const ck_pass *pass) {
  if (pass->few || pass->narrow || pass->depthwise) return 0;
  if (pass->stem) return ck_stem_scratch(pass->geometry, pass->elements);
  return pass->onednn ? ck_onednn_scratch(pass->onednn) : ck_gemm_scratch(pass);
}

void ck_pass_pack(ck_pass *pass, const float *weights) {
  if (pass->few)
    ck_few_pack(pass, weights);
  else if (pass->stem)
    ck_stem_pack(pass, weights);
  else if (pass->narrow && pass->elements.x == CK_BFLOAT16)
    ck_narrow_bfloat16_pack(pass, weights);
  else if (pass->narrow)
    ck_narrow_pack(pass, weights);
  else if (pass->onednn)
    ck_onednn_pack(pass->onednn, weights);
  else
    ck_gemm_pack(pass, weights);
}

static size_t result_count(ck_geometry g) {
  return (size_t)g.batch * ck_out_height(g) * ck_out_width(g) * g.outputs;
}

void ck_forward(ck_pass *pass, const void *x, const float *bias, const void *addend, void *y, void *scratch) {
  if (pass->few)
    ck_few_forward(pass, x, bias, addend, y);
  else if (pass->narrow && pass->elements.x == CK_BFLOAT16)
    ck_narrow_bfloat16_forward(pass, x, bias, addend, y);
  else if (pass->narrow)
    ck_narrow_forward(pass, x, bias, addend, y);
  else if (pass->onednn) {
    ck_onednn_forward(pass->onednn, x, bias, addend, y, scratch);
    if (pass->relu) ck_relu(pass->elements.y, y, result_count(pass->geometry), y);
  } else
    ck_gemm_forward(pass, x, bias, addend, y, scratch);
}

void ck_backward_data(ck_pass *pass, const void *dy, void *dx, void *scratch) {
  if (pass->few)
    ck_few_backward_data(pass, dy, dx);
  else if (pass->stem)
    ck_stem_backward_data(pass, dy, dx, scratch);
  else if (pass->narrow)
    ck_backward_data_masked(pass, dy, NULL, 0, NULL, dx);
  else if (pass->onednn)
    ck_onednn_backward_data(pass->onednn, dy, dx, scratch);
  else
    ck_gemm_backward_data(pass, dy, dx, scratch);
}

int ck_pass_masks(const ck_pass *pass) { return pass->narrow != NULL; }

void ck_backward_data_masked(ck_pass *pass, const void *dy, const void *const *sources, int count, const void *y,
                             void *dx) {
  if (pass->elements.x == CK_BFLOAT16)
    ck_narrow_bfloat16_backward_data(pass, dy, (const uint16_t *const *)sources, count, y, dx);
  else
    ck_narrow_backward_data(pass, dy, (const float *const *)sources, count, y, dx);
}

void ck_backward_weights(ck_pass *pass, const void *x, const void *dy, int is_first, void *scratch) {
  if (pass->depthwise)
    ck_depthwise_backward_weights(pass, x, dy, is_first);
  else if (pass->onednn)
    ck_onednn_backward_weights(pass->onednn, x, dy, is_first, scratch);
  else
    ck_gemm_backward_weights(pass, x, dy, is_first, scratch);
}

void ck_weight_gradient(const ck_pass *pass, int adds, float *dw) {
  if (pass->depthwise)
    ck_depthwise_weight_gradient(pass, adds, dw);
  else if (pass->onednn)
    ck_onednn_weight_gradient(pass->onednn, adds, dw);
  else
    ck_gemm_weight_gradient(pass, adds, dw);
}
