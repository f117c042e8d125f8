"""Small libraries that stand before the C library's (LD_PRELOAD), for faults that no tool makes."""

import os
import subprocess

from .rows import Skip

# Each says once that it is there, so that a row cannot pass because it was not.
PRELUDE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
static void here(const char *name) {
  syscall(SYS_write, 2, "shim: ", 6);
  syscall(SYS_write, 2, name, strlen(name));
  syscall(SYS_write, 2, "\n", 1);
}
"""

SOURCES = {
    # Every write to a file writes 1 to SHIM_LIMIT bytes.
    "short_writes": r"""
#include <sys/stat.h>
ssize_t write(int descriptor, const void *bytes, size_t count) {
  static int told;
  static unsigned state = 1;
  struct stat status;
  if (count > 1 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && descriptor > 2) {
    if (!__atomic_exchange_n(&told, 1, __ATOMIC_RELAXED)) here("short_writes");
    state = state * 1103515245u + 12345u;
    size_t limit = 1 + (state >> 8) % (unsigned)atoi(getenv("SHIM_LIMIT"));
    if (count > limit) count = limit;
  }
  return syscall(SYS_write, descriptor, bytes, count);
}
""",
    # The wall clock jumps back an hour at its SHIM_AFTER-th reading; the monotonic one goes on.
    "clock_back": r"""
#include <sys/time.h>
static long readings;
static long back(void) {
  static int told;
  if (__atomic_add_fetch(&readings, 1, __ATOMIC_RELAXED) < atoi(getenv("SHIM_AFTER"))) return 0;
  if (!__atomic_exchange_n(&told, 1, __ATOMIC_RELAXED)) here("clock_back");
  return 3600;
}
int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec -= back();
  return result;
}
int gettimeofday(struct timeval *now, void *zone) {
  (void)zone;
  struct timespec precise;
  int result = syscall(SYS_clock_gettime, CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec - back();
  now->tv_usec = precise.tv_nsec / 1000;
  return result;
}
time_t time(time_t *where) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  now.tv_sec -= back();
  if (where) *where = now.tv_sec;
  return now.tv_sec;
}
""",
    # Kills the process in the middle of the MPI call that SHIM_CALL names.
    "kill_in": r"""
#include <signal.h>
static void strike(const char *call) {
  const char *wanted = getenv("SHIM_CALL");
  if (!wanted || strcmp(wanted, call)) return;
  here("kill_in");
  const pid_t victim = getpid();
  if (fork() == 0) {
    usleep(20000);
    kill(victim, SIGKILL);
    _exit(0);
  }
}
int MPI_Init_thread(int *count, char ***arguments, int required, int *provided) {
  int (*real)(int *, char ***, int, int *) = dlsym(RTLD_NEXT, "MPI_Init_thread");
  strike("MPI_Init_thread");
  return real(count, arguments, required, provided);
}
int MPI_Finalize(void) {
  int (*real)(void) = dlsym(RTLD_NEXT, "MPI_Finalize");
  strike("MPI_Finalize");
  if (getenv("SHIM_CALL") && !strcmp(getenv("SHIM_CALL"), "MPI_Finalize")) pause();
  return real();
}
""",
}


def build(lab, name):
    """The path of the library, for LD_PRELOAD."""
    lab.needs("gcc")
    source = lab.write(f"{name}.c", PRELUDE + SOURCES[name])
    library = lab.path(f"{name}.so")
    done = subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], capture_output=True, text=True)
    if done.returncode or not os.path.exists(library):
        raise Skip(f"gcc cannot build {name}: {done.stderr[:200]}")
    return library
