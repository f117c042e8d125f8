/* What must be done in C: signal handlers, which may call next to nothing, and the end of a process that nobody asked for. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Where a rank is, for its last words. The strings and the two numbers stay where they are until the process ends. */
typedef struct {
  const char *place;               /* "rank 1 host node7" */
  const volatile int64_t *step;    /* 0: before the first */
  const volatile int64_t *phase;   /* an index of `phases` */
  const char *const *phases;
  int status;                      /* what the process ends with */
} supervision_place;

/* From here on a crash (a trap, a segmentation fault, abort) and an early exit say one line on standard error, and the
   process ends with the place's status. Where core dumps are on (ulimit -c), or Swift's backtraces (SWIFT_BACKTRACE with
   enable=yes), the line is followed by these, and the process ends by its signal. */
void supervision_begin(supervision_place place);

/* The run is over, or ends in a way that has been told: exit is no surprise any more; a crash still is. */
void supervision_end(void);

/* SIGUSR1, SIGTERM, SIGINT and, where it is not ignored (nohup), SIGHUP become requests to stop; a second SIGINT ends the
   process at once. */
void supervision_take_stop_requests(void);

/* How many there were. */
int supervision_stop_requests(void);

/* From here on a request ends the process at once, with this status; from supervision_keep_requests on it is kept again. */
void supervision_leave_on_request(int status);
void supervision_keep_requests(void);

/* 0, or the error with which so many more threads at once cannot be made. */
int supervision_try_threads(int count);
