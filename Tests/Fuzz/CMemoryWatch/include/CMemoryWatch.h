/* Watches what the program allocates with malloc and its kin, on all threads: the largest allocation, and the most that
   was allocated at once. Mapped files are not in it. With the address sanitizer its hooks tell, else malloc itself is
   replaced (glibc). */
#pragma once
#include <stddef.h>

typedef struct {
  size_t largest, peak;
} mw_bytes;

/* Watches from zero. */
void mw_start(void);
/* What was seen since. */
mw_bytes mw_stop(void);
