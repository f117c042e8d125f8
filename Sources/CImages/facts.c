#include "facts.h"

#include <stdlib.h>
#include <string.h>

int ci_keep(uint8_t **kept, size_t *kept_count, const uint8_t *bytes, size_t count) {
  if (*kept || !count) return CI_OK;
  if (!(*kept = malloc(count))) return CI_MEMORY;
  memcpy(*kept, bytes, count);
  *kept_count = count;
  return CI_OK;
}

void ci_free(ci_facts *facts) {
  free(facts->exif);
  free(facts->xmp);
  facts->exif = facts->xmp = NULL;
}

void ci_release(uint8_t *bytes) { free(bytes); }
