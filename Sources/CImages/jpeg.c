#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "facts.h"

/* A progressive file can have a great many scans, each of which goes over the whole picture. */
enum { largest_scan_count = 500 };

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf leave;
  ci_facts *facts;
  int status;
} error_manager;

typedef struct {
  struct jpeg_decompress_struct info;
  error_manager errors;
  struct jpeg_progress_mgr progress;
} reader;

static void fail(j_common_ptr info, int status) {
  error_manager *errors = (error_manager *)info->err;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(errors->facts->message, CI_MESSAGE, "%s", text);
  errors->status = status;
  longjmp(errors->leave, 1);
}

static void on_error(j_common_ptr info) {
  switch (info->err->msg_code) {
  case JERR_OUT_OF_MEMORY: fail(info, CI_MEMORY); break;
  case JERR_BAD_PRECISION:
  case JERR_COMPONENT_COUNT:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_NOT_COMPILED:
  case JERR_ARITH_NOTIMPL:
  case JERR_SOF_UNSUPPORTED: fail(info, CI_UNSUPPORTED); break;
  case JERR_INPUT_EMPTY:
  case JERR_INPUT_EOF: fail(info, CI_TRUNCATED); break;
  default: fail(info, CI_DAMAGED);
  }
}

/* Warnings of lost pixels are errors. What else there is, such as bytes between markers, costs no pixel. */
static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
  case JWRN_JPEG_EOF: fail(info, CI_TRUNCATED); break;
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_MUST_RESYNC:
  case JWRN_NOT_SEQUENTIAL: fail(info, CI_DAMAGED); break;
  default: break;
  }
}

static void on_output(j_common_ptr info) { (void)info; }

static void on_progress(j_common_ptr info) {
  if (!info->is_decompressor || ((j_decompress_ptr)info)->input_scan_number <= largest_scan_count) return;
  error_manager *errors = (error_manager *)info->err;
  snprintf(errors->facts->message, CI_MESSAGE, "more than %d scans", largest_scan_count);
  errors->status = CI_DAMAGED;
  longjmp(errors->leave, 1);
}

static void keep_metadata(reader *r) {
  static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/";
  ci_facts *facts = r->errors.facts;
  for (jpeg_saved_marker_ptr marker = r->info.marker_list; marker; marker = marker->next) {
    const uint8_t *data = marker->data;
    size_t count = marker->data_length;
    int status = CI_OK;
    if (count > sizeof exif && !memcmp(data, exif, sizeof exif))
      status = ci_keep(&facts->exif, &facts->exif_count, data + sizeof exif, count - sizeof exif);
    else if (count > sizeof xmp && !memcmp(data, xmp, sizeof xmp))
      status = ci_keep(&facts->xmp, &facts->xmp_count, data + sizeof xmp, count - sizeof xmp);
    if (status) {
      r->errors.status = status;
      longjmp(r->errors.leave, 1);
    }
  }
}

static void read_header(reader *r, const uint8_t *bytes, size_t count) {
  jpeg_create_decompress(&r->info);
  r->info.progress = &r->progress;
  jpeg_save_markers(&r->info, JPEG_APP0 + 1, 0xffff);
  jpeg_mem_src(&r->info, bytes, count);
  jpeg_read_header(&r->info, TRUE);
  ci_facts *facts = r->errors.facts;
  facts->width = (int32_t)r->info.image_width;
  facts->height = (int32_t)r->info.image_height;
  facts->channels = r->info.num_components;
  facts->bits = r->info.data_precision;
  facts->colour = r->info.num_components > 1;
  facts->arithmetic = r->info.arith_code;
  keep_metadata(r);
}

static void prepare(reader *r, ci_facts *facts) {
  memset(r, 0, sizeof *r);
  memset(facts, 0, sizeof *facts);
  r->info.err = jpeg_std_error(&r->errors.base);
  r->errors.base.error_exit = on_error;
  r->errors.base.emit_message = on_message;
  r->errors.base.output_message = on_output;
  r->errors.facts = facts;
  r->progress.progress_monitor = on_progress;
}

int ci_jpeg_header(const uint8_t *bytes, size_t count, ci_facts *facts) {
  reader r;
  prepare(&r, facts);
  if (!setjmp(r.errors.leave)) read_header(&r, bytes, count);
  jpeg_destroy_decompress(&r.info);
  return r.errors.status;
}

/* As Pillow: the inks of Adobe's files are inverted, and all CMYK files are taken to be Adobe's. */
static void from_inks(const uint8_t *row, int width, int channels, uint8_t *pixels) {
  for (int x = 0; x < width; x++, row += 4) {
    int light = row[3]; /* 255 - black, black being 255 - row[3] */
    int colour[3];
    for (int c = 0; c < 3; c++) {
      int product = (255 - row[c]) * light + 128;
      int value = light - (((product >> 8) + product) >> 8);
      colour[c] = value < 0 ? 0 : value;
    }
    if (channels == 3)
      for (int c = 0; c < 3; c++) *pixels++ = (uint8_t)colour[c];
    else
      *pixels++ = ci_luma(colour[0], colour[1], colour[2]);
  }
}

static void convert(const uint8_t *row, int width, int stored, int channels, uint8_t *pixels) {
  if (stored == 4) {
    from_inks(row, width, channels, pixels);
  } else if (stored == 1) {
    for (int x = 0; x < width; x++, pixels += 3) pixels[0] = pixels[1] = pixels[2] = row[x];
  } else {
    for (int x = 0; x < width; x++, row += 3) pixels[x] = ci_luma(row[0], row[1], row[2]);
  }
}

static void decode(reader *r, int channels, uint8_t *pixels, size_t room) {
  ci_facts *facts = r->errors.facts;
  int stored = facts->channels;
  if (stored != 1 && stored != 3 && stored != 4) {
    snprintf(facts->message, CI_MESSAGE, "%d components", stored);
    r->errors.status = CI_UNSUPPORTED;
    longjmp(r->errors.leave, 1);
  }
  size_t stride = (size_t)facts->width * (size_t)channels;
  if (room / stride < (size_t)facts->height) {
    r->errors.status = CI_ROOM;
    longjmp(r->errors.leave, 1);
  }
  r->info.out_color_space = stored == 1 ? JCS_GRAYSCALE : stored == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_start_decompress(&r->info);
  JSAMPARRAY line = stored == channels ? NULL
                                       : r->info.mem->alloc_sarray((j_common_ptr)&r->info, JPOOL_IMAGE,
                                                                   (JDIMENSION)(facts->width * stored), 1);
  while (r->info.output_scanline < r->info.output_height) {
    uint8_t *target = pixels + r->info.output_scanline * stride;
    JSAMPROW rows[1] = {line ? line[0] : target};
    jpeg_read_scanlines(&r->info, rows, 1);
    if (line) convert(line[0], facts->width, stored, channels, target);
  }
  jpeg_finish_decompress(&r->info);
}

int ci_jpeg_decode(const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, size_t room, ci_facts *facts) {
  reader r;
  prepare(&r, facts);
  if (!setjmp(r.errors.leave)) {
    read_header(&r, bytes, count);
    decode(&r, channels, pixels, room);
  }
  jpeg_destroy_decompress(&r.info);
  return r.errors.status;
}
