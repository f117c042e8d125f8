/* The loops over feature maps, written once: elementwise.c takes them in for each type of element. Before it are defined LOOP,
   which instructions a loop is compiled for; ELEMENT, the type; OF_TYPE(name), a function's name for it; VALUE(x), the float
   of an element; and ROUNDED(x), the element of a float. What is computed is float, whatever the elements are. */

LOOP static void OF_TYPE(block_sum)(const ELEMENT *restrict x, size_t count, int width, float *restrict sum) {
  FOR_EACH_ROW(count, width, { VECTORS for (int k = 0; k < end; k++) sum[k] += VALUE(x[at + k]); })
}

LOOP static void OF_TYPE(block_moments)(const ELEMENT *restrict x, const float *restrict middle, size_t count,
                                           int width, float *restrict first, float *restrict second) {
  FOR_EACH_ROW(count, width, {
    VECTORS for (int k = 0; k < end; k++) {
      const float distance = VALUE(x[at + k]) - middle[k];
      first[k] += distance;
      second[k] += distance * distance;
    }
  })
}

static void OF_TYPE(add_statistics)(const ELEMENT *x, size_t rows, int channels, size_t before, double *mean,
                                    double *squares, float *work) {
  const int width = ck_row_width(channels);
  float *const first = work, *const second = work + width, *const middle = work + 2 * width;
  const size_t elements = rows * channels, step = block_of(width);
  for (size_t at = 0; at < elements; at += step) {
    const size_t length = smaller(step, elements - at), count = length / channels;
    /* Corrected two passes over the block: what rounding left of its mean is in the distances' sum. */
    memset(first, 0, sizeof(float) * width);
    OF_TYPE(block_sum)(x + at, length, width, first);
    for (int c = 0; c < channels; c++) {
      const double sum = folded(first, width, channels, c);
      for (int k = c; k < width; k += channels) middle[k] = (float)(sum / count);
    }
    memset(first, 0, sizeof(float) * 2 * width);
    OF_TYPE(block_moments)(x + at, middle, length, width, first, second);
    const double merged = (double)before * count / (before + count);
    for (int c = 0; c < channels; c++) {
      const double left = folded(first, width, channels, c), square = folded(second, width, channels, c);
      const double difference = middle[c] + left / count - mean[c];
      squares[c] += square - left * left / count + difference * difference * merged;
      mean[c] += difference * count / (before + count);
    }
    before += count;
  }
}

LOOP static void OF_TYPE(normalize)(const ELEMENT *x, size_t elements, int width, const float *mean,
                                       const float *scale, const float *shift, const ELEMENT *addend, int relu,
                                       ELEMENT *y) {
  const float floor = relu ? 0 : -INFINITY;
  if (addend) {
    FOR_EACH_ROW(elements, width, {
      VECTORS for (int k = 0; k < end; k++) {
        const float value = (VALUE(x[at + k]) - mean[k]) * scale[k] + shift[k] + VALUE(addend[at + k]);
        y[at + k] = ROUNDED(value < floor ? floor : value);
      }
    })
  } else {
    FOR_EACH_ROW(elements, width, {
      VECTORS for (int k = 0; k < end; k++) {
        const float value = (VALUE(x[at + k]) - mean[k]) * scale[k] + shift[k];
        y[at + k] = ROUNDED(value < floor ? floor : value);
      }
    })
  }
}

/* d = sum of one to three sources, masked by y > 0 where y is given; sums of more take several passes */
LOOP static void OF_TYPE(masked_sum)(const ELEMENT *s0, const ELEMENT *s1, const ELEMENT *s2, const ELEMENT *y,
                                        size_t elements, ELEMENT *d) {
#define MASKED_SUM(SUM)                                                                         \
  if (y) {                                                                                      \
    VECTORS for (size_t i = 0; i < elements; i++) d[i] = VALUE(y[i]) > 0 ? ROUNDED(SUM) : 0;    \
  } else {                                                                                      \
    VECTORS for (size_t i = 0; i < elements; i++) d[i] = ROUNDED(SUM);                          \
  }
  if (s2) {
    MASKED_SUM(VALUE(s0[i]) + VALUE(s1[i]) + VALUE(s2[i]))
  } else if (s1) {
    MASKED_SUM(VALUE(s0[i]) + VALUE(s1[i]))
  } else {
    MASKED_SUM(VALUE(s0[i]))
  }
#undef MASKED_SUM
}

static void OF_TYPE(mask)(const ELEMENT *const *sources, int count, const ELEMENT *y, size_t elements, ELEMENT *d) {
  if (count == 1 && !y && sources[0] == d) return; /* it is there already */
  const ELEMENT *const second = count > 1 ? sources[1] : NULL, *const third = count > 2 ? sources[2] : NULL;
  OF_TYPE(masked_sum)(sources[0], second, third, count > 3 ? NULL : y, elements, d);
  for (int s = 3; s < count; s += 2)
    OF_TYPE(masked_sum)(d, sources[s], s + 1 < count ? sources[s + 1] : NULL, s + 2 < count ? NULL : y, elements, d);
}

LOOP static void OF_TYPE(block_products)(const ELEMENT *restrict d, const ELEMENT *restrict x,
                                            const float *restrict mean, size_t count, int width, float *restrict sum,
                                            float *restrict product) {
  FOR_EACH_ROW(count, width, {
    VECTORS for (int k = 0; k < end; k++) {
      sum[k] += VALUE(d[at + k]);
      product[k] += VALUE(d[at + k]) * (VALUE(x[at + k]) - mean[k]);
    }
  })
}

static void OF_TYPE(mask_and_add_sums)(const ELEMENT *const *sources, int count, const ELEMENT *y, const ELEMENT *x,
                                       const float *mean, size_t rows, int channels, ELEMENT *d, double *sum,
                                       double *product, float *work) {
  const int width = ck_row_width(channels);
  const size_t elements = rows * channels, step = block_of(width);
  for (size_t at = 0; at < elements; at += step) {
    const size_t length = smaller(step, elements - at);
    const ELEMENT *shifted[count];
    for (int s = 0; s < count; s++) shifted[s] = sources[s] + at;
    OF_TYPE(mask)(shifted, count, y ? y + at : NULL, length, d + at);
    memset(work, 0, sizeof(float) * 2 * width);
    OF_TYPE(block_products)(d + at, x + at, mean, length, width, work, work + width);
    for (int c = 0; c < channels; c++) {
      sum[c] += folded(work, width, channels, c);
      product[c] += folded(work + width, width, channels, c);
    }
  }
}

LOOP static void OF_TYPE(normalize_backward)(const ELEMENT *d, const ELEMENT *x, const float *mean, const float *a,
                                                const float *b, const float *c, size_t elements, int width,
                                                ELEMENT *dx) {
  FOR_EACH_ROW(elements, width, {
    VECTORS for (int k = 0; k < end; k++)
      dx[at + k] = ROUNDED(a[k] * VALUE(d[at + k]) + b[k] * (VALUE(x[at + k]) - mean[k]) + c[k]);
  })
}

static void OF_TYPE(add_channel_sums)(const ELEMENT *x, size_t rows, int channels, double *sums, float *work) {
  const int width = ck_row_width(channels);
  const size_t elements = rows * channels, step = block_of(width);
  for (size_t at = 0; at < elements; at += step) {
    memset(work, 0, sizeof(float) * width);
    OF_TYPE(block_sum)(x + at, smaller(step, elements - at), width, work);
    for (int c = 0; c < channels; c++) sums[c] += folded(work, width, channels, c);
  }
}

LOOP static void OF_TYPE(relu)(const ELEMENT *x, size_t count, ELEMENT *y) {
  VECTORS for (size_t i = 0; i < count; i++) y[i] = VALUE(x[i]) <= 0 ? 0 : x[i];
}

LOOP static void OF_TYPE(pool)(const ELEMENT *x, int batch, int positions, int channels, float *y) {
  for (int n = 0; n < batch; n++, y += channels) {
    memset(y, 0, sizeof(float) * channels);
    for (int p = 0; p < positions; p++, x += channels)
      VECTORS for (int c = 0; c < channels; c++) y[c] += VALUE(x[c]);
    for (int c = 0; c < channels; c++) y[c] /= positions;
  }
}

LOOP static void OF_TYPE(pool_backward)(const float *dy, int batch, int positions, int channels, ELEMENT *dx) {
  const float share = 1.0f / positions;
  for (int n = 0; n < batch; n++, dy += channels)
    for (int p = 0; p < positions; p++, dx += channels)
      VECTORS for (int c = 0; c < channels; c++) dx[c] = ROUNDED(dy[c] * share);
}
