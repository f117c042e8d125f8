/* The maximum over windows, written once: pooling.c takes it in for each type of element, with LOOP, ELEMENT, OF_TYPE, VALUE
   and ROUNDED as map_loops.h has them. */

LOOP static void OF_TYPE(max_pool)(ck_windows p, const ELEMENT *from, ELEMENT *to) {
  FOR_EACH_WINDOW(
      p, { for (int c = 0; c < p.channels; c++) to[y + c] = ROUNDED(-INFINITY); },
      {
        VECTORS for (int c = 0; c < p.channels; c++) {
          const float value = VALUE(from[x + c]);
          const float most = VALUE(to[y + c]);
          to[y + c] = value > most || value != value ? from[x + c] : to[y + c]; /* NaN stays */
        }
      },
      {})
}

/* The first position of a window that has its maximum takes the gradient, as PyTorch has it. `work`: a row of channels. */
LOOP static void OF_TYPE(max_pool_backward)(ck_windows p, const ELEMENT *dy, const ELEMENT *from, const ELEMENT *to,
                                            ELEMENT *dx, ELEMENT *work) {
  memset(dx, 0, sizeof(ELEMENT) * (size_t)p.batch * p.height * p.width * p.channels);
  FOR_EACH_WINDOW(
      p, { memcpy(work, dy + y, sizeof(ELEMENT) * p.channels); },
      {
        VECTORS for (int c = 0; c < p.channels; c++) {
          const int is_here = VALUE(from[x + c]) == VALUE(to[y + c]);
          dx[x + c] = ROUNDED(VALUE(dx[x + c]) + (is_here ? VALUE(work[c]) : 0));
          work[c] = is_here ? 0 : work[c];
        }
      },
      {})
}
