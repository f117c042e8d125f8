/* The convolution's implementations behind one face. */
#include "internal.h"

ck_pass *ck_pass_create(ck_backend backend, ck_kind kind, ck_geometry geometry, int bias, int relu, int addend) {
  ck_pass *pass = calloc(1, sizeof *pass);
  if (!pass) abort();
  *pass = (ck_pass){.kind = kind, .geometry = geometry, .bias = bias, .relu = relu, .addend = addend};
  if (backend == CK_ONEDNN && ck_few_fits(kind, geometry))
    pass->few = ck_few_create(geometry);
  else if (backend == CK_ONEDNN && ck_narrow_fits(kind, geometry))
    pass->narrow = ck_narrow_create(geometry);
  else if (backend == CK_ONEDNN)
    pass->onednn = ck_onednn_create(pass);
  else
    pass->gemm = ck_gemm_create(pass);
  return pass;
}

int ck_pass_is_ours(ck_kind kind, ck_geometry geometry) {
  return ck_few_fits(kind, geometry) || ck_narrow_fits(kind, geometry);
}

void ck_pass_destroy(ck_pass *pass) {
  free(pass->few);
  free(pass->narrow);
  if (pass->onednn) ck_onednn_destroy(pass->onednn);
  if (pass->gemm) ck_gemm_destroy(pass->gemm);
  free(pass);
}

size_t ck_pass_scratch(const ck_pass *pass) {
  if (pass->few || pass->narrow) return 0;
  return pass->onednn ? ck_onednn_scratch(pass->onednn) : ck_gemm_scratch(pass);
}

void ck_pass_pack(ck_pass *pass, const float *weights) {
  if (pass->few)
    ck_few_pack(pass, weights);
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

void ck_forward(ck_pass *pass, const float *x, const float *bias, const float *addend, float *y, void *scratch) {
  if (pass->few)
    ck_few_forward(pass, x, bias, addend, y);
  else if (pass->narrow)
    ck_narrow_forward(pass, x, bias, addend, y);
  else if (pass->onednn) {
    ck_onednn_forward(pass->onednn, x, bias, addend, y, scratch);
    if (pass->relu) ck_relu(y, result_count(pass->geometry), y);
  } else
    ck_gemm_forward(pass, x, bias, addend, y, scratch);
}

void ck_backward_data(ck_pass *pass, const float *dy, float *dx, void *scratch) {
  if (pass->few)
    ck_few_backward_data(pass, dy, dx);
  else if (pass->narrow)
    ck_narrow_backward_data(pass, dy, NULL, 0, NULL, dx);
  else if (pass->onednn)
    ck_onednn_backward_data(pass->onednn, dy, dx, scratch);
  else
    ck_gemm_backward_data(pass, dy, dx, scratch);
}

int ck_pass_masks(const ck_pass *pass) { return pass->narrow != NULL; }

void ck_backward_data_masked(ck_pass *pass, const float *dy, const float *const *sources, int count, const float *y,
                             float *dx) {
  ck_narrow_backward_data(pass, dy, sources, count, y, dx);
}

void ck_backward_weights(ck_pass *pass, const float *x, const float *dy, int is_first, void *scratch) {
  if (pass->onednn)
    ck_onednn_backward_weights(pass->onednn, x, dy, is_first, scratch);
  else
    ck_gemm_backward_weights(pass, x, dy, is_first, scratch);
}

void ck_weight_gradient(const ck_pass *pass, int adds, float *dw) {
  if (pass->onednn)
    ck_onednn_weight_gradient(pass->onednn, adds, dw);
  else
    ck_gemm_weight_gradient(pass, adds, dw);
}
