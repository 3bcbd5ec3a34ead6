/*
 * Messages between the signer and its clients: one packet each on a
 * SOCK_SEQPACKET pair, so that any number of threads may send and receive without
 * a lock.  Numbers are big endian.  Internal to keys/.
 *
 *	length of the whole (4) | version (1) | code (1) | number (8) | fields
 *
 * A request's code is enum wire_op; its answer carries the same number and enum
 * err_kind as code: ERR_NONE and the op's fields, or an error and its text.
 */
#ifndef KONTOR_KEYS_WIRE_H
#define KONTOR_KEYS_WIRE_H

#include "base/buf.h"

#define WIRE_MAX    131072 /* octets of a message */
#define WIRE_HEADER 14

/* Append, never renumber: a node may meet its older signer during a restart. */
enum wire_op {
	WIRE_SECRETS = 1,
	WIRE_STATUS = 2,
	WIRE_LOAD_KEY = 3,
	WIRE_FORGET_KEY = 4,
	WIRE_SIGN = 5,
	WIRE_UNWRAP = 6,
	WIRE_AGREE = 7,
	WIRE_MAC = 8,
	WIRE_PSEUDONYM = 9,
	WIRE_SEAL = 10,
	WIRE_OPEN = 11,
	WIRE_ACCOUNT_NEW = 12,
	WIRE_ACCOUNT_REWRAP = 13,
	WIRE_ACCOUNT_SEAL = 14,
	WIRE_ACCOUNT_OPEN = 15,
	WIRE_GENERATE = 16,
	WIRE_REWRAP = 17,
	WIRE_HSM_SECRETS = 18, /* these three to the HSM process alone */
	WIRE_HSM_STATE = 19,
	WIRE_HSM_GENERATE = 20,
	WIRE_MAC_CHECK = 21,
};

/* What the token is like, in the answer to WIRE_HSM_STATE. */
enum wire_hsm {
	WIRE_HSM_UNKNOWN = 0, /* nothing was asked of it yet */
	WIRE_HSM_UP = 1,
	WIRE_HSM_DOWN = 2,
};

/* Bounds of fields, held by both sides. */
#define WIRE_KID_MAX        64
#define WIRE_LABEL_MAX      256
#define WIRE_SPKI_MAX       2048
#define WIRE_SEALED_KEY_MAX 8192
#define WIRE_VALUE_MAX      16384
#define WIRE_DATA_MAX       65536

struct wire_header {
	uint8_t code;
	uint64_t number;
};

/* Reads fields in order.  The first that does not fit sets `bad`, which stays. */
struct wire_reader {
	const unsigned char *p;
	size_t n;
	bool bad;
};

/* False: too short or long, another version, or a length that is not the packet's. */
MUST_USE bool wire_open(struct bytes message, struct wire_header *h, struct wire_reader *r);

uint8_t wire_u8(struct wire_reader *r);
uint32_t wire_u32(struct wire_reader *r);
uint64_t wire_u64(struct wire_reader *r);

/* min..max octets behind a length; points into the message. */
struct bytes wire_bytes(struct wire_reader *r, size_t min, size_t max);

/* The same as UTF-8 text in `a`; "" when bad. */
const char *wire_text(struct wire_reader *r, struct arena *a, size_t min, size_t max);

/* All fields fitted and nothing is left. */
bool wire_end(const struct wire_reader *r);

/* A message into a buffer of WIRE_MAX; wire_finish sets the length. */
void wire_begin(struct buf *b, struct arena *a, uint8_t code, uint64_t number);
void wire_put_u8(struct buf *b, uint8_t v);
void wire_put_u32(struct buf *b, uint32_t v);
void wire_put_u64(struct buf *b, uint64_t v);
void wire_put_bytes(struct buf *b, struct bytes v); /* with its length before it */
void wire_put_text(struct buf *b, const char *s);
MUST_USE bool wire_finish(struct buf *b, struct bytes *message, struct err *err);

#endif
