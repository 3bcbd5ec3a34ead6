/* Draws QR codes through libqrencode (qr.h). */
#include "idp/qr.h"

#include <qrencode.h>

#include "base/buf.h"

#define QR_QUIET_ZONE     4
#define QR_PATH_BYTES_MAX 65536

static void
free_code(void *p)
{
	QRcode_free(p);
}

/* One stroke per run of dark modules in a row, through the middle of the row. */
static void
add_row(struct buf *b, const unsigned char *row, size_t width, size_t y)
{
	for (size_t x = 0, n; x < width; x += n) {
		n = 1;
		while (x + n < width && (row[x + n] & 1) == (row[x] & 1))
			n++;
		if ((row[x] & 1) != 0)
			buf_printf(b, "M%zu %zu.5h%zu", x + QR_QUIET_ZONE, y + QR_QUIET_ZONE, n);
	}
}

bool
qr_path(struct arena *a, const char *text, size_t *size, const char **path, struct err *err)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct buf b;
	const char *d;

	if (code == NULL)
		return FAIL(err, ERR_INPUT, NULL, "text does not fit into a QR code");
	arena_defer(a, free_code, code);
	buf_init(&b, a, QR_PATH_BYTES_MAX);
	for (size_t y = 0; y < (size_t)code->width; y++)
		add_row(&b, code->data + y * (size_t)code->width, (size_t)code->width, y);
	if (!buf_finish_str(&b, &d, err))
		return false;
	*size = (size_t)code->width + (size_t)2 * QR_QUIET_ZONE;
	*path = d;
	return true;
}
