/* oneDNN's handles, its errors, and what it says of itself. */
#include "onednn.h"
#include <pthread.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void ck_check(const char *call, dnnl_status_t status) {
  if (status == dnnl_success) return;
  fprintf(stderr, "icp: oneDNN: %s failed with status %d\n", call, (int)status);
  abort();
}

dnnl_engine_t ck_engine;
dnnl_stream_t ck_stream;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void start(void) {
  CHECK(dnnl_engine_create, &ck_engine, dnnl_cpu, 0);
  CHECK(dnnl_stream_create, &ck_stream, ck_engine, dnnl_stream_default_flags);
}

void ck_return_spare_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void ck_onednn_start(void) { pthread_once(&once, start); }

const char *ck_onednn_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
  return text;
}

int ck_has_avx512(void) {
  return ((int)dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

const char *ck_bfloat16_instructions(void) {
#if defined(__x86_64__)
  const int isa = (int)dnnl_get_effective_cpu_isa();
  if ((isa & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx) return "AMX";
  if ((isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16) return "AVX512_BF16";
#endif
  return NULL;
}

const char *ck_instruction_set(void) {
  if (ck_has_avx512()) return "AVX-512";
  const int isa = (int)dnnl_get_effective_cpu_isa();
  if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2) return "AVX2";
  return (isa & dnnl_cpu_isa_avx) == dnnl_cpu_isa_avx ? "AVX" : "baseline";
}
