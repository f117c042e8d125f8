/* The order in which oneDNN wants weights, and packing as a loop over it. */
#include "bfloat16.h"
#include "onednn.h"

/* Where each packed value comes from: oneDNN reorders numbers as if they were the OIHW weights (or, for a pass that runs as a
   forward one, those turned and exchanged), and its padding shows as zeros. So a pack is one loop, of ours, whatever the
   layout. Floats hold numbers up to 2^24, bfloat16 up to 2^8, so an index travels in parts: 1 + its last bits, 1 + those
   above, and so on. */
static int bits_of_a_part(ck_element element) { return element == CK_BFLOAT16 ? 7 : 20; }

static dnnl_primitive_t reorder_to(memory_desc_view packed, memory_desc_view plain) {
  dnnl_primitive_desc_t description;
  dnnl_primitive_t reorder;
  CHECK(dnnl_reorder_primitive_desc_create, &description, plain, ck_engine, packed, ck_engine, NULL);
  CHECK(dnnl_primitive_create, &reorder, description);
  dnnl_primitive_desc_destroy(description);
  return reorder;
}

static void run(dnnl_primitive_t reorder, memory_desc_view plain, float *numbers, memory_desc_view packed,
                void *reordered) {
  dnnl_memory_t from, to;
  CHECK(dnnl_memory_create, &from, plain, ck_engine, numbers);
  CHECK(dnnl_memory_create, &to, packed, ck_engine, reordered);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  CHECK(dnnl_primitive_execute, reorder, ck_stream, 2, arguments);
  dnnl_memory_destroy(from), dnnl_memory_destroy(to);
}

int *ck_packing(ck_geometry g, int is_turned, memory_desc_view packed, ck_element element, int *values) {
  const int taps = ck_area(g), inputs = g.inputs / g.groups, count = (int)ck_weight_count(g);
  const int bits = bits_of_a_part(element);
  *values = (int)(size_of(packed) / (element == CK_BFLOAT16 ? sizeof(bfloat16) : sizeof(float)));
  const memory_desc plain =
      g.groups > 1 ? describe(5, (dnnl_dim_t[]){g.groups, g.outputs / g.groups, inputs, g.kernel_height, g.kernel_width},
                              CK_FLOAT32, dnnl_goihw)
      : is_turned ? describe(4, (dnnl_dim_t[]){g.inputs, g.outputs, g.kernel_height, g.kernel_width}, CK_FLOAT32, dnnl_oihw)
                  : describe(4, (dnnl_dim_t[]){g.outputs, g.inputs, g.kernel_height, g.kernel_width}, CK_FLOAT32, dnnl_oihw);
  const dnnl_primitive_t reorder = reorder_to(packed, VIEW(plain));
  float *const numbers = ck_allocate(sizeof(float) * count);
  void *const reordered = ck_allocate(size_of(packed));
  int *const source = ck_allocate(sizeof(int) * *values);
  for (int shift = 0; shift == 0 || (shift < 31 && (count - 1) >> shift > 0); shift += bits) {
    for (int o = 0; o < g.outputs; o++)
      for (int i = 0; i < inputs; i++)
        for (int k = 0; k < taps; k++) {
          const int index = (o * inputs + i) * taps + k;
          numbers[is_turned ? (i * g.outputs + o) * taps + taps - 1 - k : index] =
              1 + ((index >> shift) & ((1 << bits) - 1));
        }
    run(reorder, VIEW(plain), numbers, packed, reordered);
    for (int i = 0; i < *values; i++) {
      const float moved = element == CK_BFLOAT16 ? ck_widened(((bfloat16 *)reordered)[i]) : ((float *)reordered)[i];
      const int number = (int)moved - 1;
      if (shift == 0)
        source[i] = number;
      else if (number > 0)
        source[i] |= number << shift;
    }
  }
  dnnl_primitive_destroy(reorder);
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

CK_LOOP void ck_gather_rounded(const float *values, const int *source, int count, bfloat16 *result) {
  for (int i = 0; i < count; i++) result[i] = source[i] < 0 ? 0 : ck_rounded(values[source[i]]);
}

CK_LOOP void ck_gather_and_add(const float *values, const int *source, int count, float *result) {
  for (int i = 0; i < count; i++) result[i] += values[source[i]];
}
