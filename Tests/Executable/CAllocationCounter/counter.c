#define _GNU_SOURCE
#include "CAllocationCounter.h"
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#if __has_include(<mpi.h>)
#include <mpi.h>
#else
#include <mpi_abi.h>
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Counting ------------------------------------------------------------------------------------------------- */

enum { DEPTH = 24, PLACES = 512 };
struct place {
  const char *what;
  void *stack[DEPTH];
  int depth;
  size_t times;
};
static struct place places[PLACES];
static int place_count;

/* In the program itself, so reading them allocates nothing. */
static __thread int counting, keeping;
static __thread ac_counts counts;

static void keep_place(const char *what) {
  void *stack[DEPTH];
  const int depth = backtrace(stack, DEPTH);
  for (int i = 0; i < place_count; i++)
    if (places[i].what == what && places[i].depth == depth && !memcmp(places[i].stack, stack, sizeof *stack * depth)) {
      places[i].times++;
      return;
    }
  if (place_count == PLACES) return;
  struct place *place = &places[place_count++];
  *place = (struct place){.what = what, .depth = depth, .times = 1};
  memcpy(place->stack, stack, sizeof stack);
}

static void note(const char *what, size_t *count) {
  if (!counting) return;
  counting = 0; /* what keeping the place calls is ours */
  ++*count;
  if (keeping) keep_place(what);
  counting = 1;
}
#define NOTE_ALLOCATION() note(__func__, &counts.allocations)
#define NOTE_LOCK() note(__func__, &counts.locks)

void ac_start(int keeping_places) {
  void *stack[1];
  backtrace(stack, 1); /* its first call loads a library */
  counts = (ac_counts){0};
  keeping = keeping_places;
  counting = 1;
}

ac_counts ac_stop(void) {
  counting = 0;
  return counts;
}

void ac_allocate_and_lock(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  void *volatile memory = malloc(1); /* volatile: an unused allocation is left out */
  free(memory);
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
}

static int more_times(const void *a, const void *b) {
  const size_t x = ((const struct place *)a)->times, y = ((const struct place *)b)->times;
  return (x < y) - (x > y);
}

void ac_print_places(void) {
  qsort(places, place_count, sizeof *places, more_times);
  for (int i = 0; i < place_count; i++) {
    printf("%zu times %s\n", places[i].times, places[i].what);
    fflush(stdout);
    backtrace_symbols_fd(places[i].stack + 2, places[i].depth - 2, 1); /* without keep_place and note */
  }
}

void ac_print_line(const char *text) {
  puts(text);
  fflush(stdout);
}

/* ---- What is counted ------------------------------------------------------------------------------------------ */

/* glibc's own names for its allocator: finding the next malloc with dlsym would call malloc. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t bytes) {
  NOTE_ALLOCATION();
  return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
  NOTE_ALLOCATION();
  return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
  NOTE_ALLOCATION();
  return __libc_realloc(memory, bytes);
}

void *reallocarray(void *memory, size_t count, size_t bytes) {
  NOTE_ALLOCATION();
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_realloc(memory, total);
}

void *memalign(size_t alignment, size_t bytes) {
  NOTE_ALLOCATION();
  return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  NOTE_ALLOCATION();
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  NOTE_ALLOCATION();
  if (alignment % sizeof(void *) || !alignment || (alignment & (alignment - 1))) return EINVAL;
  void *result = __libc_memalign(alignment, bytes);
  if (!result) return ENOMEM;
  *memory = result;
  return 0;
}

#define NEXT(NAME, ...)                                     \
  static __typeof__(&NAME) next;                            \
  __typeof__(next) known = __atomic_load_n(&next, __ATOMIC_RELAXED); \
  if (!known) {                                             \
    known = (__typeof__(next))dlsym(RTLD_NEXT, #NAME);      \
    __atomic_store_n(&next, known, __ATOMIC_RELAXED);       \
  }                                                         \
  return known(__VA_ARGS__)

int pthread_mutex_lock(pthread_mutex_t *lock) {
  NOTE_LOCK();
  NEXT(pthread_mutex_lock, lock);
}

int pthread_mutex_trylock(pthread_mutex_t *lock) {
  NOTE_LOCK();
  NEXT(pthread_mutex_trylock, lock);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
  NOTE_LOCK();
  NEXT(pthread_rwlock_rdlock, lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
  NOTE_LOCK();
  NEXT(pthread_rwlock_wrlock, lock);
}

/* ---- What is not ---------------------------------------------------------------------------------------------- */

#define WITHOUT_COUNTING(CALL)  \
  const int before = counting;  \
  counting = 0;                 \
  const int code = CALL;        \
  counting = before;            \
  return code

int MPI_Allreduce(const void *sent, void *received, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm ranks) {
  if (counting) counts.messages++;
  WITHOUT_COUNTING(PMPI_Allreduce(sent, received, count, type, operation, ranks));
}

int MPI_Iallreduce(
    const void *sent, void *received, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm ranks,
    MPI_Request *request) {
  if (counting) counts.messages++;
  WITHOUT_COUNTING(PMPI_Iallreduce(sent, received, count, type, operation, ranks, request));
}

int MPI_Isend(
    const void *sent, int count, MPI_Datatype type, int to, int tag, MPI_Comm ranks, MPI_Request *request) {
  if (counting) counts.messages++;
  WITHOUT_COUNTING(PMPI_Isend(sent, count, type, to, tag, ranks, request));
}

int MPI_Irecv(
    void *received, int count, MPI_Datatype type, int from, int tag, MPI_Comm ranks, MPI_Request *request) {
  WITHOUT_COUNTING(PMPI_Irecv(received, count, type, from, tag, ranks, request));
}

int MPI_Testsome(int count, MPI_Request *requests, int *done, int *indices, MPI_Status *statuses) {
  WITHOUT_COUNTING(PMPI_Testsome(count, requests, done, indices, statuses));
}

int MPI_Test(MPI_Request *request, int *done, MPI_Status *status) {
  WITHOUT_COUNTING(PMPI_Test(request, done, status));
}
