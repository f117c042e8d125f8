/* Counts what the calling thread allocates and locks. The program that links this has malloc, calloc, realloc,
   reallocarray, memalign, posix_memalign, aligned_alloc and the pthread locks of every library in it pass through
   here (glibc). What MPI allocates for a message is its own matter and not counted, but the messages are. */
#pragma once
#include <stddef.h>

typedef struct {
  size_t allocations, locks, messages;
} ac_counts;

/* Counts on this thread from zero; with `keeping_places`, also from where it was called. */
void ac_start(int keeping_places);
/* What was counted since. */
ac_counts ac_stop(void);
/* Makes one allocation and takes one lock: what a count of 0 is to be believed by. */
void ac_allocate_and_lock(void);
/* Prints the places kept since the process began, the most frequent first: times, what, and the stack above it. */
void ac_print_places(void);
/* A line of its own on standard output, in order with what C libraries print there. */
void ac_print_line(const char *text);
