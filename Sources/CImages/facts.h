#include "include/CImages.h"

/* Copies a block of metadata, the first of its kind only. */
int ci_keep(uint8_t **kept, size_t *kept_count, const uint8_t *bytes, size_t count);
