/* Convolution by oneDNN, versions 2 and 3: primitives, argument lists and the order of packed weights are found once. */
#include "bfloat16.h"
#include "onednn.h"
#include <string.h>

enum { MAXIMUM_ARGUMENTS = 6 };

struct ck_onednn_pass {
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t arguments[MAXIMUM_ARGUMENTS];
  int count;
  size_t scratch;
  ck_element element; /* of everything but biases and the weights' gradient */
  void *packed;  /* weights in the order that the primitive asks for; NULL for their gradient */
  float *sum;    /* the gradient over the pieces so far, in that order; NULL for a pass that takes weights */
  int sums;      /* its length; a piece's part lies in the scratch memory before it is added */
  int rounds;    /* x comes as float32, and is rounded into the scratch memory's beginning, of so many elements */
  /* A pass that takes weights reads OIHW ones into `packed`, one that makes their gradient reads `sum` into OIHW. */
  ck_order order;
  int has_run;
};

/* What a convolution's descriptors are made of. */
struct shapes {
  memory_desc x, w, dw, bias, y;
  dnnl_dim_t strides[2], dilations[2], before[2], after[2];
};

static memory_desc weights_of(ck_geometry g, ck_element element) {
  if (g.groups == 1)
    return describe(4, (dnnl_dim_t[]){g.outputs, g.inputs, g.kernel_height, g.kernel_width}, element,
                    dnnl_format_tag_any);
  return describe(5, (dnnl_dim_t[]){g.groups, g.outputs / g.groups, g.inputs / g.groups, g.kernel_height, g.kernel_width},
                  element, dnnl_format_tag_any);
}

static struct shapes shapes_of(ck_geometry g, ck_element element) {
  return (struct shapes){
      .x = describe(4, (dnnl_dim_t[]){g.batch, g.inputs, g.height, g.width}, element, dnnl_nhwc),
      .w = weights_of(g, element),
      .dw = weights_of(g, CK_FLOAT32),
      .bias = describe(1, (dnnl_dim_t[]){g.outputs}, CK_FLOAT32, dnnl_x),
      .y = describe(4, (dnnl_dim_t[]){g.batch, g.outputs, ck_out_height(g), ck_out_width(g)}, element, dnnl_nhwc),
      .strides = {g.stride_height, g.stride_width},
      .dilations = {g.dilation_height - 1, g.dilation_width - 1},
      .before = {g.top, g.left},
      .after = {g.bottom, g.right},
  };
}

static dnnl_primitive_desc_t forward_description(const struct shapes *s, int bias, const_dnnl_primitive_attr_t attr) {
  dnnl_primitive_desc_t description;
#if DNNL_VERSION_MAJOR >= 3
  CHECK(dnnl_convolution_forward_primitive_desc_create, &description, ck_engine, dnnl_forward_training,
        dnnl_convolution_direct, s->x, s->w, bias ? s->bias : NULL, s->y, s->strides, s->dilations, s->before,
        s->after, attr);
#else
  dnnl_convolution_desc_t operation;
  CHECK(dnnl_dilated_convolution_forward_desc_init, &operation, dnnl_forward_training, dnnl_convolution_direct, &s->x, &s->w,
        bias ? &s->bias : NULL, &s->y, s->strides, s->dilations, s->before, s->after);
  CHECK(dnnl_primitive_desc_create, &description, &operation, attr, ck_engine, NULL);
#endif
  return description;
}

#if DNNL_VERSION_MAJOR >= 3
/* oneDNN 3.7 prefers, for the gradient of a convolution's input, two kernels that allocate at each run and are the slower
   ones (AVX-512, 8 images, microseconds, it and the next one). With strides: 3x3 of 16 channels, 32x32: 214, 127; 32
   channels, 16x16: 163, 130; 1x1 of 16 channels: 77, 28. Without: 3x3 of 16 channels, 12x12: 27, 20. */
static void pass_over_allocating(dnnl_primitive_desc_t description) {
  const char *name = NULL;
  while (dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name) == dnnl_success && name &&
         (strstr(name, "brgconv_strided") || strstr(name, "brg_conv_bwd")) &&
         dnnl_primitive_desc_next_impl(description) == dnnl_success) {
  }
}
#endif

static dnnl_primitive_desc_t backward_description(ck_kind kind, const struct shapes *s,
                                                  const_dnnl_primitive_attr_t attr) {
  dnnl_primitive_desc_t description, hint = forward_description(s, 0, attr);
#if DNNL_VERSION_MAJOR >= 3
  if (kind == CK_BACKWARD_DATA) {
    CHECK(dnnl_convolution_backward_data_primitive_desc_create, &description, ck_engine, dnnl_convolution_direct, s->x,
          s->w, s->y, s->strides, s->dilations, s->before, s->after, hint, attr);
    pass_over_allocating(description);
  } else
    CHECK(dnnl_convolution_backward_weights_primitive_desc_create, &description, ck_engine, dnnl_convolution_direct,
          s->x, s->dw, NULL, s->y, s->strides, s->dilations, s->before, s->after, hint, attr);
#else
  dnnl_convolution_desc_t operation;
  if (kind == CK_BACKWARD_DATA)
    CHECK(dnnl_dilated_convolution_backward_data_desc_init, &operation, dnnl_convolution_direct, &s->x, &s->w, &s->y,
          s->strides, s->dilations, s->before, s->after);
  else
    CHECK(dnnl_dilated_convolution_backward_weights_desc_init, &operation, dnnl_convolution_direct, &s->x, &s->dw, NULL, &s->y,
          s->strides, s->dilations, s->before, s->after);
  CHECK(dnnl_primitive_desc_create, &description, &operation, attr, ck_engine, hint);
#endif
  dnnl_primitive_desc_destroy(hint);
  return description;
}

/* dx = dy * w transposed is, at stride 1, the forward convolution of dy with the filters turned by half a circle, inputs and
   outputs exchanged. oneDNN 2.6's forward kernel is the faster one from 32 channels on (one core of an AVX-512 machine, 8
   images, GFLOP/s: 64 channels 311 against 281, 32 channels 295 against 272; but 16 channels 239 against 250). Narrow maps of 32
   channels and those of 64 still come here (convolution_narrow.c). */
static int runs_as_forward(const ck_pass *request) {
  const ck_geometry g = request->geometry;
  return request->kind == CK_BACKWARD_DATA && ck_keeps_size(g) && g.inputs >= 32;
}

static ck_geometry transposed(ck_geometry g) {
  const int inputs = g.inputs;
  g.inputs = g.outputs, g.outputs = inputs;
  return g;
}

static dnnl_primitive_attr_t attributes(const ck_pass *pass, const struct shapes *s) {
  dnnl_primitive_attr_t attr;
  CHECK(dnnl_primitive_attr_create, &attr);
  CHECK(dnnl_primitive_attr_set_scratchpad_mode, attr, dnnl_scratchpad_mode_user);
  if (pass->kind == CK_FORWARD && pass->addend) {
    dnnl_post_ops_t operations;
    CHECK(dnnl_post_ops_create, &operations);
    CHECK(dnnl_post_ops_append_binary, operations, dnnl_binary_add, VIEW(s->y));
    CHECK(dnnl_primitive_attr_set_post_ops, attr, operations);
    dnnl_post_ops_destroy(operations);
  }
  return attr;
}

/* Adds an argument whose memory is set at each run (handle NULL) or fixed now. */
static dnnl_memory_t argue(struct ck_onednn_pass *pass, int argument, memory_desc_view md, void *handle) {
  dnnl_memory_t memory;
  CHECK(dnnl_memory_create, &memory, md, ck_engine, handle);
  pass->arguments[pass->count++] = (dnnl_exec_arg_t){argument, memory};
  return memory;
}

struct ck_onednn_pass *ck_onednn_create(const ck_pass *request) {
  ck_onednn_start();
  struct ck_onednn_pass *pass = calloc(1, sizeof *pass);
  if (!pass) abort();
  const ck_geometry g = request->geometry;
  const int is_turned = runs_as_forward(request);
  const ck_element element = pass->element = request->elements.y;
  /* Of images only the weights' gradient comes here (ck_few_fits). */
  pass->rounds = request->elements.x == element ? 0 : g.batch * g.height * g.width * g.inputs;
  const struct shapes s = shapes_of(is_turned ? transposed(g) : g, element);
  dnnl_primitive_attr_t attr = attributes(request, &s);
  dnnl_primitive_desc_t description = request->kind == CK_FORWARD || is_turned
                                          ? forward_description(&s, request->bias, attr)
                                          : backward_description(request->kind, &s, attr);
  CHECK(dnnl_primitive_create, &pass->primitive, description);

  const int backward_weights = request->kind == CK_BACKWARD_WEIGHTS;
  memory_desc_view packed = dnnl_primitive_desc_query_md(
      description, backward_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  pass->order = backward_weights ? ck_unpacking_order(g, packed) : ck_packing_order(g, is_turned, packed, element);
  if (backward_weights) {
    pass->sums = (int)(size_of(packed) / sizeof(float));
    pass->sum = ck_allocate(size_of(packed));
  } else
    pass->packed = ck_allocate(size_of(packed));

  /* The arguments that change from run to run come first, in the order run() sets them. */
  if (request->kind == CK_FORWARD || is_turned) {
    argue(pass, DNNL_ARG_SRC, VIEW(s.x), NULL);
    argue(pass, DNNL_ARG_DST, VIEW(s.y), NULL);
    if (request->bias) argue(pass, DNNL_ARG_BIAS, VIEW(s.bias), NULL);
    if (request->addend) argue(pass, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, VIEW(s.y), NULL);
  } else {
    argue(pass, DNNL_ARG_DIFF_DST, VIEW(s.y), NULL);
    argue(pass, backward_weights ? DNNL_ARG_SRC : DNNL_ARG_DIFF_SRC, VIEW(s.x), NULL);
  }
  memory_desc_view scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
  pass->scratch = size_of(scratch);
  argue(pass, DNNL_ARG_SCRATCHPAD, scratch, NULL);
  argue(pass, backward_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, packed, pass->packed);

  dnnl_primitive_desc_destroy(description);
  dnnl_primitive_attr_destroy(attr);
  forget(s.x), forget(s.w), forget(s.dw), forget(s.bias), forget(s.y);
  return pass;
}

void ck_onednn_destroy(struct ck_onednn_pass *pass) {
  dnnl_primitive_destroy(pass->primitive);
  for (int i = 0; i < pass->count; i++) dnnl_memory_destroy(pass->arguments[i].memory);
  free(pass->packed);
  free(pass->sum);
  ck_order_free(pass->order);
  free(pass);
}

static size_t rounded_bytes(const struct ck_onednn_pass *pass) {
  return (sizeof(bfloat16) * pass->rounds + 63) / 64 * 64;
}

static size_t part_bytes(const struct ck_onednn_pass *pass) { return (sizeof(float) * pass->sums + 63) / 64 * 64; }

size_t ck_onednn_scratch(const struct ck_onednn_pass *pass) {
  return rounded_bytes(pass) + part_bytes(pass) + pass->scratch;
}

void ck_onednn_pack(struct ck_onednn_pass *pass, const float *weights) {
  if (pass->element == CK_BFLOAT16)
    ck_gather_rounded(weights, &pass->order, pass->packed);
  else
    ck_gather(weights, &pass->order, pass->packed);
}

static void run(struct ck_onednn_pass *pass, const void *const *handles, int count) {
  for (int i = 0; i < count; i++)
    CHECK(dnnl_memory_set_data_handle, pass->arguments[i].memory, (void *)handles[i]);
  /* What a primitive makes the first time it runs it may keep. */
  if (pass->has_run) ck_arena_begin();
  CHECK(dnnl_primitive_execute, pass->primitive, ck_stream, pass->count, pass->arguments);
  if (pass->has_run) ck_arena_end();
  pass->has_run = 1;
}

void ck_onednn_forward(struct ck_onednn_pass *pass, const void *x, const float *bias, const void *addend, void *y,
                       void *scratch) {
  const void *handles[5];
  int count = 0;
  handles[count++] = x, handles[count++] = y;
  if (bias) handles[count++] = bias;
  if (addend) handles[count++] = addend;
  handles[count++] = scratch;
  run(pass, handles, count);
}

void ck_onednn_backward_data(struct ck_onednn_pass *pass, const void *dy, void *dx, void *scratch) {
  run(pass, (const void *[]){dy, dx, scratch}, 3);
}

CK_LOOP static void add(const float *restrict values, int count, float *restrict sum) {
  for (int i = 0; i < count; i++) sum[i] += values[i];
}

void ck_onednn_backward_weights(struct ck_onednn_pass *pass, const void *x, const void *dy, int is_first,
                                void *scratch) {
  if (pass->rounds) {
    ck_round(x, pass->rounds, scratch);
    x = scratch;
    scratch = (char *)scratch + rounded_bytes(pass);
  }
  float *const part = is_first ? pass->sum : scratch;
  run(pass, (const void *[]){dy, x, (char *)scratch + part_bytes(pass), part}, 4);
  if (!is_first) add(part, pass->sums, pass->sum);
}

void ck_onednn_weight_gradient(const struct ck_onednn_pass *pass, int adds, float *dw) {
  (adds ? ck_gather_and_add : ck_gather)(pass->sum, &pass->order, dw);
}
