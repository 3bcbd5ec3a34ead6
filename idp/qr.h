/* QR codes as a path for inline SVG, so that a secret in one needs no URL of its own. */
#ifndef KONTOR_IDP_QR_H
#define KONTOR_IDP_QR_H

#include "base/arena.h"
#include "base/err.h"

/*
 * The code of `text` at error correction M: *path is the d attribute of a path
 * with strokes of width 1, in a square of *size units, quiet zone included
 * (ISO/IEC 18004: 4 modules).  ERR_INPUT when the text does not fit.
 */
MUST_USE bool qr_path(struct arena *a, const char *text, size_t *size, const char **path,
		      struct err *err);

#endif
