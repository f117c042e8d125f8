/* JPEG by libjpeg-turbo, PNG by libpng, both from memory, and Pillow's resampling: what must be C, since both libraries
   report errors by longjmp. Pixels are bytes, row by row, 1 or 3 channels beside each other. */
#ifndef CIMAGES_H
#define CIMAGES_H

#include <stddef.h>
#include <stdint.h>

enum { CI_OK, CI_TRUNCATED, CI_DAMAGED, CI_UNSUPPORTED, CI_MEMORY, CI_ROOM };

enum { CI_MESSAGE = 200 };

/* What a file says of itself. `exif` and `xmp` are copies, given back by ci_free. */
typedef struct {
  int32_t width, height; /* as stored, before any turn by `exif` */
  int32_t channels;      /* as stored: 1 grey, 2 with alpha, 3, 4; an indexed PNG has 1 */
  int32_t bits;          /* of a channel, or of an index */
  int32_t colour;        /* 0 where all is grey */
  int32_t arithmetic;    /* a JPEG's coding, which has no least size of a block */
  uint8_t *exif, *xmp;
  size_t exif_count, xmp_count;
  char message[CI_MESSAGE]; /* the library's, where a call fails */
} ci_facts;

void ci_free(ci_facts *facts);

/* The facts that stand before the pixels; nothing of the picture's size is allocated. */
int ci_jpeg_header(const uint8_t *bytes, size_t count, ci_facts *facts);
int ci_png_header(const uint8_t *bytes, size_t count, ci_facts *facts);

/* Decodes to `channels` (1 or 3), at most `room` bytes, else CI_ROOM. Facts are filled as far as reading got. */
int ci_jpeg_decode(const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, size_t room, ci_facts *facts);
int ci_png_decode(const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, size_t room, ci_facts *facts);

/* A PNG of `channels` (1 or 3) into memory that ci_release gives back; null where memory is short. */
uint8_t *ci_png_encode(const uint8_t *pixels, int width, int height, int channels, size_t *count);
void ci_release(uint8_t *bytes);

/* Pillow's resize(..., BILINEAR) for 8 bits a channel, to the bit: `stride` is the input's bytes from row to row.
   Returns CI_OK or CI_MEMORY. All sizes are positive. */
int ci_resize(const uint8_t *input, size_t stride, int width, int height, int channels, uint8_t *output, int new_width,
              int new_height);

/* ITU-R 601 as Pillow rounds it. */
static inline uint8_t ci_luma(int red, int green, int blue) {
  return (uint8_t)((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}

#endif
