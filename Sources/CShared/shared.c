#define _GNU_SOURCE
#include "CShared.h"

#include <sys/mman.h>
#include <unistd.h>

int shared_create(size_t bytes) {
  const int descriptor = memfd_create("icp", MFD_CLOEXEC);
  if (descriptor >= 0 && ftruncate(descriptor, (off_t)bytes) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

__attribute__((weak)) long shared_put(int64_t *values, long count, long ranks) {
  (void)values;
  (void)ranks;
  return count;
}
