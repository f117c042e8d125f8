/* dnnl_primitive_execute makes a hash table of its arguments at each call, and some kernels make small lists: dozens
   of calls of C++'s operator new, all of them deleted before it returns. Between ck_arena_begin and ck_arena_end they
   come from one fixed block instead. The operators below replace those of the C++ library in the whole process, and
   are what those are, malloc and free, but for the thread that is between the two calls.

   Nothing breaks where the block is too small, where a second thread begins, or where an object outlives the call:
   the first two get memory from malloc, and the third keeps the block to itself, for good. */
#include "internal.h"
#include <stdatomic.h>

enum { ARENA_BYTES = 16 << 10, ALIGNMENT = 16 };
static _Alignas(64) char block[ARENA_BYTES];
/* Whether a thread is between begin and end, or an object outlived it. */
static atomic_int taken;
/* Objects in the block: another thread may delete what this one made. */
static atomic_int objects;
/* Where the next object goes, on the thread that took the block. */
static _Thread_local char *next;

void ck_arena_begin(void) {
  if (!atomic_exchange_explicit(&taken, 1, memory_order_acquire)) next = block;
}

void ck_arena_end(void) {
  if (!next) return;
  next = NULL;
  if (atomic_load_explicit(&objects, memory_order_acquire) == 0) atomic_store_explicit(&taken, 0, memory_order_release);
}

static void *allocate(size_t bytes) {
  if (!bytes) bytes = 1; /* an address of its own */
  if (next && bytes <= (size_t)(block + ARENA_BYTES - next)) {
    char *const object = next;
    next += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    atomic_fetch_add_explicit(&objects, 1, memory_order_relaxed);
    return object;
  }
  return malloc(bytes);
}

/* operator new and operator delete under their names in the Itanium C++ ABI for 64 bits, the latter with and without a
   size. The other forms (of arrays, nothrow) are by the C++ standard calls of these; the aligned ones stay as they are. */
void *_Znwm(size_t bytes) {
  void *const object = allocate(bytes);
  if (object) return object;
  fprintf(stderr, "icp: out of memory: %zu bytes for a C++ library\n", bytes); /* C cannot throw std::bad_alloc */
  abort();
}

void _ZdlPv(void *object) {
  if ((char *)object >= block && (char *)object < block + ARENA_BYTES)
    atomic_fetch_sub_explicit(&objects, 1, memory_order_release);
  else
    free(object);
}

void _ZdlPvm(void *object, size_t bytes) {
  (void)bytes;
  _ZdlPv(object);
}
