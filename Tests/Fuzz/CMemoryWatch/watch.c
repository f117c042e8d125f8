#define _GNU_SOURCE
#include "CMemoryWatch.h"
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static atomic_int watching;
static atomic_long live, largest, peak;

static void raise_to(atomic_long *maximum, long value) {
  long known = atomic_load(maximum);
  while (value > known && !atomic_compare_exchange_weak(maximum, &known, value)) {}
}

static void took(size_t bytes) {
  if (!watching) return;
  raise_to(&largest, (long)bytes);
  raise_to(&peak, atomic_fetch_add(&live, (long)bytes) + (long)bytes);
}

/* What was taken before the watch began may be given back too: then live falls below zero, and peak stays. */
static void gave(size_t bytes) {
  if (watching) atomic_fetch_sub(&live, (long)bytes);
}

void mw_start(void) {
  live = largest = peak = 0;
  watching = 1;
}

mw_bytes mw_stop(void) {
  watching = 0;
  return (mw_bytes){.largest = (size_t)largest, .peak = (size_t)peak};
}

#if __has_feature(address_sanitizer)

extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t), void (*)(const volatile void *));
extern size_t __sanitizer_get_allocated_size(const volatile void *);

static void on_malloc(const volatile void *memory, size_t bytes) {
  (void)memory;
  took(bytes);
}

static void on_free(const volatile void *memory) {
  if (watching && memory) gave(__sanitizer_get_allocated_size(memory));
}

__attribute__((constructor)) static void install(void) { __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free); }

#else

/* glibc's own names for its allocator: finding the next malloc with dlsym would call malloc. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *noted(void *memory) {
  if (memory) took(malloc_usable_size(memory));
  return memory;
}

void *malloc(size_t bytes) { return noted(__libc_malloc(bytes)); }

void *calloc(size_t count, size_t bytes) { return noted(__libc_calloc(count, bytes)); }

void free(void *memory) {
  if (memory) gave(malloc_usable_size(memory));
  __libc_free(memory);
}

void *realloc(void *memory, size_t bytes) {
  if (memory) gave(malloc_usable_size(memory));
  return noted(__libc_realloc(memory, bytes));
}

void *reallocarray(void *memory, size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(memory, total);
}

void *memalign(size_t alignment, size_t bytes) { return noted(__libc_memalign(alignment, bytes)); }

void *aligned_alloc(size_t alignment, size_t bytes) { return noted(__libc_memalign(alignment, bytes)); }

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void *) || !alignment || (alignment & (alignment - 1))) return EINVAL;
  void *result = noted(__libc_memalign(alignment, bytes));
  if (!result) return ENOMEM;
  *memory = result;
  return 0;
}

#endif
