/*
 * Encodings between octets and text, each strict: one spelling per value, no
 * white space, no padding where the standard has none.
 */
#ifndef KONTOR_BASE_ENC_H
#define KONTOR_BASE_ENC_H

#include "base/buf.h"

/* RFC 4648 5 without padding.  Never NULL. */
char *enc_base64url(struct arena *a, struct bytes b);

/* Refused (ERR_INPUT): padding, foreign characters, a length of 1 mod 4, non-zero spare bits. */
MUST_USE bool dec_base64url(struct arena *a, struct bytes text, struct bytes *out, struct err *err);

/* RFC 4648 4 with padding. */
char *enc_base64(struct arena *a, struct bytes b);

/*
 * As above, strict padding.  With allow_space, XML white space between
 * characters is skipped (xs:base64Binary and form fields of real peers).
 */
MUST_USE bool dec_base64(struct arena *a, struct bytes text, bool allow_space, struct bytes *out,
			 struct err *err);

/*
 * The value of an Authorization header of scheme Basic (RFC 7617), taken apart at its first colon.
 * ERR_INPUT: another scheme, base64 that is none, no colon.
 */
MUST_USE bool dec_basic(struct arena *a, const char *authorization, struct bytes *user,
			struct bytes *password, struct err *err);

char *enc_hex(struct arena *a, struct bytes b); /* lower case */
MUST_USE bool dec_hex(struct arena *a, struct bytes text, struct bytes *out, struct err *err);

/* Percent-encode all but RFC 3986 unreserved characters. */
void enc_percent(struct buf *b, struct bytes text);

/*
 * Decode one name or value of a query or form (application/x-www-form-urlencoded):
 * '+' is a space.  Refused: a broken escape, %00.
 */
MUST_USE bool dec_form(struct arena *a, struct bytes text, struct bytes *out, struct err *err);

/* Escape for HTML text and double-quoted attributes: & < > " ' */
void enc_html(struct buf *b, const char *s);

/*
 * Escape as exclusive canonical XML writes it (RFC 3741 via XML-C14N 2.3):
 * text turns & < > CR, attribute values turn & < " TAB LF CR into references.
 */
void enc_xml_text(struct buf *b, const char *s);
void enc_xml_attr(struct buf *b, const char *s);

#endif
