#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "facts.h"

enum { longest_chunk = 8 << 20, largest_chunk_count = 256 };

typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t left;
  uint8_t *raw; /* a row as stored, or all rows of an interlaced picture */
  ci_facts *facts;
  int status;
  uint8_t palette[256][3];
} reader;

static void on_error(png_structp png, png_const_charp message) {
  reader *r = png_get_error_ptr(png);
  snprintf(r->facts->message, CI_MESSAGE, "%s", message);
  if (!r->status) r->status = CI_DAMAGED;
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void take(png_structp png, png_bytep target, size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->left) {
    r->status = CI_TRUNCATED;
    png_error(png, "the file ends early");
  }
  memcpy(target, r->bytes, count);
  r->bytes += count;
  r->left -= count;
}

static void fail(reader *r, int status, const char *message) {
  r->status = status;
  png_error(r->png, message);
}

static void keep_metadata(reader *r) {
  ci_facts *facts = r->facts;
  png_bytep exif = NULL;
  png_uint_32 count = 0;
  if (png_get_eXIf_1(r->png, r->info, &count, &exif) && exif)
    if (ci_keep(&facts->exif, &facts->exif_count, exif, count)) fail(r, CI_MEMORY, "metadata");
  png_textp texts = NULL;
  int text_count = 0;
  png_get_text(r->png, r->info, &texts, &text_count);
  for (int i = 0; i < text_count; i++) {
    size_t length = texts[i].compression > 0 ? texts[i].itxt_length : texts[i].text_length;
    if (!texts[i].text || strcmp(texts[i].key, "XML:com.adobe.xmp")) continue;
    if (ci_keep(&facts->xmp, &facts->xmp_count, (const uint8_t *)texts[i].text, length))
      fail(r, CI_MEMORY, "metadata");
  }
}

static void read_header(reader *r) {
  png_set_read_fn(r->png, r, take);
  png_set_user_limits(r->png, 0x7fffffff, 0x7fffffff); /* the caller's bound is on their product */
  png_set_chunk_malloc_max(r->png, longest_chunk);
  png_set_chunk_cache_max(r->png, largest_chunk_count);
  png_set_crc_action(r->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_check_for_invalid_index(r->png, 0); /* such an index is black, as Pillow has it */
  png_read_info(r->png, r->info);
  int type = png_get_color_type(r->png, r->info);
  ci_facts *facts = r->facts;
  facts->width = (int32_t)png_get_image_width(r->png, r->info);
  facts->height = (int32_t)png_get_image_height(r->png, r->info);
  facts->channels = png_get_channels(r->png, r->info);
  facts->bits = png_get_bit_depth(r->png, r->info);
  facts->colour = (type & PNG_COLOR_MASK_COLOR) != 0;
  keep_metadata(r);
}

static void read_palette(reader *r) {
  png_colorp entries = NULL;
  int count = 0;
  if (!png_get_PLTE(r->png, r->info, &entries, &count)) return;
  for (int i = 0; i < count && i < 256; i++) {
    r->palette[i][0] = entries[i].red;
    r->palette[i][1] = entries[i].green;
    r->palette[i][2] = entries[i].blue;
  }
}

/* One row as stored (`samples` of `size` bytes a pixel) to 1 or 3 channels. Of 16 bits the upper 8 count; but values of a
   16-bit grey picture are cut off at 255, as Pillow does. */
static void convert(reader *r, const uint8_t *row, int type, int channels, uint8_t *pixels) {
  int size = r->facts->bits == 16 ? 2 : 1;
  int step = r->facts->channels * size;
  for (int x = 0; x < r->facts->width; x++, row += step, pixels += channels) {
    int red, green, blue;
    if (type == PNG_COLOR_TYPE_PALETTE) {
      red = r->palette[row[0]][0], green = r->palette[row[0]][1], blue = r->palette[row[0]][2];
    } else if (type & PNG_COLOR_MASK_COLOR) {
      red = row[0], green = row[size], blue = row[2 * size];
    } else if (size == 2 && type == PNG_COLOR_TYPE_GRAY) {
      red = green = blue = row[0] ? 255 : row[1];
    } else {
      red = green = blue = row[0];
    }
    if (channels == 3)
      pixels[0] = (uint8_t)red, pixels[1] = (uint8_t)green, pixels[2] = (uint8_t)blue;
    else
      pixels[0] = type == PNG_COLOR_TYPE_GRAY ? (uint8_t)red : ci_luma(red, green, blue);
  }
}

static void decode(reader *r, int channels, uint8_t *pixels, size_t room) {
  ci_facts *facts = r->facts;
  size_t stride = (size_t)facts->width * (size_t)channels;
  if (room / stride < (size_t)facts->height) fail(r, CI_ROOM, "room");
  int type = png_get_color_type(r->png, r->info);
  if (type == PNG_COLOR_TYPE_PALETTE) {
    read_palette(r);
    png_set_packing(r->png);
  } else if (facts->bits < 8) {
    png_set_expand_gray_1_2_4_to_8(r->png);
  }
  int passes = png_set_interlace_handling(r->png);
  png_read_update_info(r->png, r->info);
  size_t raw_stride = png_get_rowbytes(r->png, r->info);
  int direct = raw_stride == stride && facts->bits <= 8 && facts->channels == channels &&
               type != PNG_COLOR_TYPE_PALETTE;
  if (!direct) {
    r->raw = calloc(passes > 1 ? (size_t)facts->height : 1, raw_stride);
    if (!r->raw) fail(r, CI_MEMORY, "memory");
  }
  for (int pass = 0; pass < passes; pass++)
    for (int y = 0; y < facts->height; y++) {
      uint8_t *target = pixels + (size_t)y * stride;
      uint8_t *row = direct ? target : r->raw + (passes > 1 ? (size_t)y * raw_stride : 0);
      png_read_row(r->png, row, NULL);
      if (!direct && pass == passes - 1) convert(r, row, type, channels, target);
    }
  png_read_end(r->png, r->info);
  keep_metadata(r);
}

/* Everything that a longjmp could clobber lies in `reader`. */
static int run(const uint8_t *bytes, size_t count, int decodes, int channels, uint8_t *pixels, size_t room,
               ci_facts *facts) {
  reader *r = calloc(1, sizeof *r);
  memset(facts, 0, sizeof *facts);
  if (!r) return CI_MEMORY;
  r->bytes = bytes;
  r->left = count;
  r->facts = facts;
  r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
  if (r->png) r->info = png_create_info_struct(r->png);
  if (!r->info) {
    r->status = CI_MEMORY;
  } else if (!setjmp(png_jmpbuf(r->png))) {
    read_header(r);
    if (decodes) decode(r, channels, pixels, room);
  }
  int status = r->status;
  png_destroy_read_struct(&r->png, &r->info, NULL);
  free(r->raw);
  free(r);
  return status;
}

int ci_png_header(const uint8_t *bytes, size_t count, ci_facts *facts) {
  return run(bytes, count, 0, 0, NULL, 0, facts);
}

int ci_png_decode(const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, size_t room, ci_facts *facts) {
  return run(bytes, count, 1, channels, pixels, room, facts);
}

uint8_t *ci_png_encode(const uint8_t *pixels, int width, int height, int channels, size_t *count) {
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  uint8_t *bytes = malloc(size);
  if (bytes && !png_image_write_to_memory(&image, bytes, &size, 0, pixels, 0, NULL)) {
    free(bytes);
    return NULL;
  }
  *count = bytes ? size : 0;
  return bytes;
}
