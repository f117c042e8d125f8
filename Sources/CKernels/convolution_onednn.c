/* Convolution by oneDNN, versions 2 and 3: primitives, packed weights and argument lists are built once. */
#include "internal.h"
#include <dnnl.h>
#include <pthread.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t memory_desc; /* an owned handle */
typedef const_dnnl_memory_desc_t memory_desc_view;
#define VIEW(md) (md)
#else
typedef dnnl_memory_desc_t memory_desc; /* a plain struct */
typedef const dnnl_memory_desc_t *memory_desc_view;
#define VIEW(md) (&(md))
#endif

static void check(const char *call, dnnl_status_t status) {
  if (status == dnnl_success) return;
  fprintf(stderr, "icp: oneDNN: %s failed with status %d\n", call, (int)status);
  abort();
}
#define CHECK(call, ...) check(#call, call(__VA_ARGS__))

/* oneDNN's own handles of "this CPU, in order"; immutable once made. */
static dnnl_engine_t engine;
static dnnl_stream_t stream;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void start(void) {
  CHECK(dnnl_engine_create, &engine, dnnl_cpu, 0);
  CHECK(dnnl_stream_create, &stream, engine, dnnl_stream_default_flags);
}

enum { MAXIMUM_ARGUMENTS = 6 };

struct ck_onednn_pass {
  dnnl_primitive_t primitive, reorder;
  dnnl_exec_arg_t arguments[MAXIMUM_ARGUMENTS];
  int count;
  dnnl_memory_t plain; /* OIHW weights: source of the reorder, or its destination for weight gradients */
  dnnl_memory_t packed;
  float *packed_values;
  size_t scratch;
  int has_run, has_reordered;
};

static memory_desc describe(int dimensions, const dnnl_dim_t *sizes, dnnl_format_tag_t tag) {
  memory_desc md;
#if DNNL_VERSION_MAJOR >= 3
  CHECK(dnnl_memory_desc_create_with_tag, &md, dimensions, sizes, dnnl_f32, tag);
#else
  CHECK(dnnl_memory_desc_init_by_tag, &md, dimensions, sizes, dnnl_f32, tag);
#endif
  return md;
}

static void forget(memory_desc md) {
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_desc_destroy(md);
#else
  (void)md;
#endif
}

static size_t size_of(memory_desc_view md) { return dnnl_memory_desc_get_size(md); }

/* What a convolution's descriptors are made of. */
struct shapes {
  memory_desc x, w, bias, y;
  dnnl_dim_t strides[2], dilations[2], padding[2];
};

static struct shapes shapes_of(ck_geometry g) {
  const int height = (g.height + 2 * g.padding - g.kernel) / g.stride + 1;
  const int width = (g.width + 2 * g.padding - g.kernel) / g.stride + 1;
  return (struct shapes){
      .x = describe(4, (dnnl_dim_t[]){g.batch, g.inputs, g.height, g.width}, dnnl_nhwc),
      .w = describe(4, (dnnl_dim_t[]){g.outputs, g.inputs, g.kernel, g.kernel}, dnnl_format_tag_any),
      .bias = describe(1, (dnnl_dim_t[]){g.outputs}, dnnl_x),
      .y = describe(4, (dnnl_dim_t[]){g.batch, g.outputs, height, width}, dnnl_nhwc),
      .strides = {g.stride, g.stride},
      .padding = {g.padding, g.padding},
  };
}

static dnnl_primitive_desc_t forward_description(const struct shapes *s, int bias, const_dnnl_primitive_attr_t attr) {
  dnnl_primitive_desc_t description;
#if DNNL_VERSION_MAJOR >= 3
  CHECK(dnnl_convolution_forward_primitive_desc_create, &description, engine, dnnl_forward_training,
        dnnl_convolution_direct, s->x, s->w, bias ? s->bias : NULL, s->y, s->strides, s->dilations, s->padding,
        s->padding, attr);
#else
  dnnl_convolution_desc_t operation;
  CHECK(dnnl_convolution_forward_desc_init, &operation, dnnl_forward_training, dnnl_convolution_direct, &s->x, &s->w,
        bias ? &s->bias : NULL, &s->y, s->strides, s->padding, s->padding);
  CHECK(dnnl_primitive_desc_create, &description, &operation, attr, engine, NULL);
#endif
  return description;
}

static dnnl_primitive_desc_t backward_description(ck_kind kind, const struct shapes *s,
                                                  const_dnnl_primitive_attr_t attr) {
  dnnl_primitive_desc_t description, hint = forward_description(s, 0, attr);
#if DNNL_VERSION_MAJOR >= 3
  if (kind == CK_BACKWARD_DATA)
    CHECK(dnnl_convolution_backward_data_primitive_desc_create, &description, engine, dnnl_convolution_direct, s->x,
          s->w, s->y, s->strides, s->dilations, s->padding, s->padding, hint, attr);
  else
    CHECK(dnnl_convolution_backward_weights_primitive_desc_create, &description, engine, dnnl_convolution_direct,
          s->x, s->w, NULL, s->y, s->strides, s->dilations, s->padding, s->padding, hint, attr);
#else
  dnnl_convolution_desc_t operation;
  if (kind == CK_BACKWARD_DATA)
    CHECK(dnnl_convolution_backward_data_desc_init, &operation, dnnl_convolution_direct, &s->x, &s->w, &s->y,
          s->strides, s->padding, s->padding);
  else
    CHECK(dnnl_convolution_backward_weights_desc_init, &operation, dnnl_convolution_direct, &s->x, &s->w, NULL, &s->y,
          s->strides, s->padding, s->padding);
  CHECK(dnnl_primitive_desc_create, &description, &operation, attr, engine, hint);
#endif
  dnnl_primitive_desc_destroy(hint);
  return description;
}

static dnnl_primitive_attr_t attributes(const ck_pass *pass, const struct shapes *s) {
  dnnl_primitive_attr_t attr;
  CHECK(dnnl_primitive_attr_create, &attr);
  CHECK(dnnl_primitive_attr_set_scratchpad_mode, attr, dnnl_scratchpad_mode_user);
  if (pass->kind == CK_FORWARD && (pass->addend || pass->relu)) {
    dnnl_post_ops_t operations;
    CHECK(dnnl_post_ops_create, &operations);
    if (pass->addend) CHECK(dnnl_post_ops_append_binary, operations, dnnl_binary_add, VIEW(s->y));
    if (pass->relu)
#if DNNL_VERSION_MAJOR >= 3
      CHECK(dnnl_post_ops_append_eltwise, operations, dnnl_eltwise_relu, 0, 0);
#else
      CHECK(dnnl_post_ops_append_eltwise, operations, 1, dnnl_eltwise_relu, 0, 0);
#endif
    CHECK(dnnl_primitive_attr_set_post_ops, attr, operations);
    dnnl_post_ops_destroy(operations);
  }
  return attr;
}

/* Adds an argument whose memory is set at each run (handle NULL) or fixed now. */
static dnnl_memory_t argue(struct ck_onednn_pass *pass, int argument, memory_desc_view md, void *handle) {
  dnnl_memory_t memory;
  CHECK(dnnl_memory_create, &memory, md, engine, handle);
  pass->arguments[pass->count++] = (dnnl_exec_arg_t){argument, memory};
  return memory;
}

static void make_reorder(struct ck_onednn_pass *pass, memory_desc_view from, memory_desc_view to) {
  dnnl_primitive_desc_t description;
  CHECK(dnnl_reorder_primitive_desc_create, &description, from, engine, to, engine, NULL);
  CHECK(dnnl_primitive_create, &pass->reorder, description);
  dnnl_primitive_desc_destroy(description);
}

struct ck_onednn_pass *ck_onednn_create(const ck_pass *request) {
  pthread_once(&once, start);
  struct ck_onednn_pass *pass = calloc(1, sizeof *pass);
  if (!pass) abort();
  const ck_geometry g = request->geometry;
  const struct shapes s = shapes_of(g);
  dnnl_primitive_attr_t attr = attributes(request, &s);
  dnnl_primitive_desc_t description = request->kind == CK_FORWARD
                                          ? forward_description(&s, request->bias, attr)
                                          : backward_description(request->kind, &s, attr);
  CHECK(dnnl_primitive_create, &pass->primitive, description);

  const int backward_weights = request->kind == CK_BACKWARD_WEIGHTS;
  memory_desc_view packed = dnnl_primitive_desc_query_md(
      description, backward_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  pass->packed_values = ck_allocate(size_of(packed));
  const memory_desc plain =
      describe(4, (dnnl_dim_t[]){g.outputs, g.inputs, g.kernel, g.kernel}, dnnl_oihw);
  CHECK(dnnl_memory_create, &pass->plain, VIEW(plain), engine, NULL);

  /* The arguments that change from run to run come first, in the order run() sets them. */
  if (request->kind == CK_FORWARD) {
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
  pass->packed = argue(pass, backward_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, packed, pass->packed_values);
  if (backward_weights)
    make_reorder(pass, packed, VIEW(plain));
  else
    make_reorder(pass, VIEW(plain), packed);

  dnnl_primitive_desc_destroy(description);
  dnnl_primitive_attr_destroy(attr);
  forget(plain), forget(s.x), forget(s.w), forget(s.bias), forget(s.y);
  return pass;
}

void ck_onednn_destroy(struct ck_onednn_pass *pass) {
  dnnl_primitive_destroy(pass->primitive);
  dnnl_primitive_destroy(pass->reorder);
  for (int i = 0; i < pass->count; i++) dnnl_memory_destroy(pass->arguments[i].memory);
  dnnl_memory_destroy(pass->plain);
  free(pass->packed_values);
  free(pass);
}

size_t ck_onednn_scratch(const struct ck_onednn_pass *pass) { return pass->scratch; }

/* What a primitive makes the first time it runs it may keep. */
static void execute(dnnl_primitive_t primitive, int *has_run, int count, const dnnl_exec_arg_t *arguments) {
  if (*has_run) ck_arena_begin();
  CHECK(dnnl_primitive_execute, primitive, stream, count, arguments);
  if (*has_run) ck_arena_end();
  *has_run = 1;
}

static void reorder(struct ck_onednn_pass *pass, dnnl_memory_t from, dnnl_memory_t to, const float *plain) {
  CHECK(dnnl_memory_set_data_handle, pass->plain, (void *)plain);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  execute(pass->reorder, &pass->has_reordered, 2, arguments);
}

void ck_onednn_pack(struct ck_onednn_pass *pass, const float *weights) {
  reorder(pass, pass->plain, pass->packed, weights);
}

static void run(struct ck_onednn_pass *pass, const void *const *handles, int count) {
  for (int i = 0; i < count; i++)
    CHECK(dnnl_memory_set_data_handle, pass->arguments[i].memory, (void *)handles[i]);
  execute(pass->primitive, &pass->has_run, pass->count, pass->arguments);
}

void ck_onednn_forward(struct ck_onednn_pass *pass, const float *x, const float *bias, const float *addend, float *y,
                       void *scratch) {
  const void *handles[5];
  int count = 0;
  handles[count++] = x, handles[count++] = y;
  if (bias) handles[count++] = bias;
  if (addend) handles[count++] = addend;
  handles[count++] = scratch;
  run(pass, handles, count);
}

void ck_onednn_backward_data(struct ck_onednn_pass *pass, const float *dy, float *dx, void *scratch) {
  run(pass, (const void *[]){dy, dx, scratch}, 3);
}

void ck_onednn_backward_weights(struct ck_onednn_pass *pass, const float *x, const float *dy, float *dw,
                                void *scratch) {
  run(pass, (const void *[]){dy, x, scratch}, 3);
  reorder(pass, pass->packed, pass->plain, dw);
}

const char *ck_onednn_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
  return text;
}

const char *ck_instruction_set(void) {
  const int isa = (int)dnnl_get_effective_cpu_isa();
  if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core) return "AVX-512";
  if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2) return "AVX2";
  return (isa & dnnl_cpu_isa_avx) == dnnl_cpu_isa_avx ? "AVX" : "baseline";
}
