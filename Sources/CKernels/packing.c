/* The order in which oneDNN wants weights, and packing as a loop over it. */
#include "onednn.h"

/* Where each packed value comes from: oneDNN reorders the numbers 1, 2, 3, ... as if they were the OIHW weights (or, for a
   pass that runs as a forward one, those turned and exchanged), and its padding shows as zeros. So a pack is one loop, of
   ours, whatever the layout. Numbers up to 2^24 are exact as floats. */
int *ck_packing(ck_geometry g, int is_turned, memory_desc_view packed, int *values) {
  const int taps = g.kernel * g.kernel, count = g.outputs * g.inputs * taps;
  *values = (int)(size_of(packed) / sizeof(float));
  if (count >= 1 << 24) {
    fprintf(stderr, "icp: a convolution of %d weights; at most 2^24 can be packed\n", count);
    abort();
  }
  float *const numbers = ck_allocate(sizeof(float) * count), *const reordered = ck_allocate(size_of(packed));
  for (int o = 0; o < g.outputs; o++)
    for (int i = 0; i < g.inputs; i++)
      for (int k = 0; k < taps; k++)
        numbers[is_turned ? (i * g.outputs + o) * taps + taps - 1 - k : (o * g.inputs + i) * taps + k] =
            (o * g.inputs + i) * taps + k + 1;
  const int rows = is_turned ? g.inputs : g.outputs;
  const memory_desc plain =
      describe(4, (dnnl_dim_t[]){rows, g.inputs * g.outputs / rows, g.kernel, g.kernel}, dnnl_oihw);
  dnnl_primitive_desc_t description;
  dnnl_primitive_t reorder;
  dnnl_memory_t from, to;
  CHECK(dnnl_reorder_primitive_desc_create, &description, VIEW(plain), ck_engine, packed, ck_engine, NULL);
  CHECK(dnnl_primitive_create, &reorder, description);
  CHECK(dnnl_memory_create, &from, VIEW(plain), ck_engine, numbers);
  CHECK(dnnl_memory_create, &to, packed, ck_engine, reordered);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  CHECK(dnnl_primitive_execute, reorder, ck_stream, 2, arguments);
  int *const source = ck_allocate(sizeof(int) * *values);
  for (int i = 0; i < *values; i++) source[i] = (int)reordered[i] - 1;
  dnnl_memory_destroy(from), dnnl_memory_destroy(to);
  dnnl_primitive_destroy(reorder);
  dnnl_primitive_desc_destroy(description);
  forget(plain);
  free(numbers), free(reordered);
  return source;
}

int *ck_inverted(const int *source, int values, int count) {
  int *const inverse = ck_allocate(sizeof(int) * count);
  for (int i = 0; i < values; i++)
    if (source[i] >= 0) inverse[source[i]] = i;
  return inverse;
}

CK_LOOP void ck_gather(const float *values, const int *source, int count, float *result) {
  for (int i = 0; i < count; i++) result[i] = source[i] < 0 ? 0 : values[source[i]];
}

CK_LOOP void ck_gather_and_add(const float *values, const int *source, int count, float *result) {
  for (int i = 0; i < count; i++) result[i] += values[source[i]];
}
