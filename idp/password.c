/* Passwords of accounts; see password.h. */
#include "idp/password.h"

#include <stdlib.h>
#include <string.h>

#include <zxcvbn.h>

#include "base/memory.h"
#include "base/text.h"

/* Guesses an attacker needs, in bits: zxcvbn's "safely unguessable" for online attacks is 33. */
#define PASSWORD_MIN_BITS 36.0

/* zxcvbn's time grows with length; what follows only adds strength. */
#define ZXCVBN_MAX_BYTES 100
#define ZXCVBN_MEMORY    ((size_t)2 << 20) /* more than the worst of them takes */

static bool
cost_of(const struct account_work *w, struct kdf_cost *out, struct err *err)
{
	const struct key *pepper = keyring_active(w->keyring, KEY_PEPPER, KEY_SECRET);

	if (pepper == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active pepper key");
	*out = w->password_cost;
	out->pepper = pepper->row.kid;
	return true;
}

bool
password_hash(const struct account_work *w, struct kdf_memory *memory, const char *password,
	      struct bytes *record, struct err *err)
{
	struct kdf_cost cost;
	const char *text;

	if (!cost_of(w, &cost, err) ||
	    !kdf_hash(memory, w->signer, w->a, &cost, bytes_of(password), &text, err))
		return false;
	*record = bytes_of(text);
	return true;
}

bool
password_verify(const struct account_work *w, struct kdf_memory *memory, const char *password,
		struct bytes record, bool *right, struct err *err)
{
	struct kdf_cost cost;
	const char *text = NULL;

	if (record.n > 0 && !text_from_bytes(w->a, record, 1024, "password record", &text, err))
		return false;
	return cost_of(w, &cost, err) &&
	       kdf_verify(memory, w->signer, w->a, text, &cost, bytes_of(password), right, err);
}

bool
password_wants_rehash(const struct account_work *w, struct bytes record)
{
	struct kdf_cost cost;
	const char *text;

	return text_from_bytes(w->a, record, 1024, "password record", &text, NULL) &&
	       cost_of(w, &cost, NULL) && kdf_needs_rehash(w->a, text, &cost);
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

const char *
password_problem(const char *password, const char **hints)
{
	char start[ZXCVBN_MAX_BYTES + 1];
	size_t n = strnlen(password, ZXCVBN_MAX_BYTES);

	if (characters(password) < PASSWORD_MIN_CHARS)
		return "password_short";
	memcpy(start, password, n);
	start[n] = '\0';

	/* It takes memory for given, and ends the process when there is none. */
	void *room = memory_alloc(ZXCVBN_MEMORY);

	free(room);
	bool weak = room == NULL || ZxcvbnMatch(start, hints, NULL) < PASSWORD_MIN_BITS;

	wipe(start, sizeof(start));
	return weak ? "password_weak" : NULL;
}
