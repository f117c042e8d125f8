/* What the files over oneDNN share: its versions 2 and 3 under the same words, its handles, packed weights. */
#pragma once
#include "internal.h"
#include <dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t memory_desc; /* an owned handle */
typedef const_dnnl_memory_desc_t memory_desc_view;
#define VIEW(md) (md)
#else
typedef dnnl_memory_desc_t memory_desc; /* a plain struct */
typedef const dnnl_memory_desc_t *memory_desc_view;
#define VIEW(md) (&(md))
#endif

/* A failure is a bug or lack of memory. */
void ck_check(const char *call, dnnl_status_t status);
#define CHECK(call, ...) ck_check(#call, call(__VA_ARGS__))

/* oneDNN's own handles of "this CPU, in order"; immutable once ck_onednn_start has made them. */
extern dnnl_engine_t ck_engine;
extern dnnl_stream_t ck_stream;
void ck_onednn_start(void);

static inline memory_desc describe(int dimensions, const dnnl_dim_t *sizes, ck_element element, dnnl_format_tag_t tag) {
  const dnnl_data_type_t type = element == CK_BFLOAT16 ? dnnl_bf16 : dnnl_f32;
  memory_desc md;
#if DNNL_VERSION_MAJOR >= 3
  CHECK(dnnl_memory_desc_create_with_tag, &md, dimensions, sizes, type, tag);
#else
  CHECK(dnnl_memory_desc_init_by_tag, &md, dimensions, sizes, type, tag);
#endif
  return md;
}

static inline void forget(memory_desc md) {
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_desc_destroy(md);
#else
  (void)md;
#endif
}

static inline size_t size_of(memory_desc_view md) { return dnnl_memory_desc_get_size(md); }

/* ---- Packed weights (packing.c) ---- */

/* Where each of some values comes from: value i of block b is at begins[b] + places[i]; places[i] is -1 for what is padding. */
typedef struct {
  int *begins, *places, blocks, size;
} ck_order;

/* Of each value of `packed`, whose elements are given, its place among the OIHW weights. `is_turned`: the primitive takes the
   filters turned by half a circle, inputs and outputs exchanged. */
ck_order ck_packing_order(ck_geometry geometry, int is_turned, memory_desc_view packed, ck_element element);
/* Of each OIHW weight, its place among the packed ones, which are float32. */
ck_order ck_unpacking_order(ck_geometry geometry, memory_desc_view packed);
void ck_order_free(ck_order order);
/* result = the values in that order, 0 for padding; the same rounded; or result += them. */
void ck_gather(const float *values, const ck_order *order, float *result);
void ck_gather_rounded(const float *values, const ck_order *order, uint16_t *result);
void ck_gather_and_add(const float *values, const ck_order *order, float *result);
