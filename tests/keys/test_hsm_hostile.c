/*
 * A hostile program in the HTTP process's place, at the HSM process (docs/threats.md):
 * every operation in every state and role, whole, cut, longer, changed and made up.
 * Each message gets one answer, and none holds a piece of the PIN or of the keys that
 * open rows.
 */
#include "tests/test.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rand.h"
#include "keys/hsm_core.h"
#include "keys/keyring.h"
#include "tests/keys/needles.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_signer_thread.h"
#include "tests/keys/test_token.h"

#define NOW        ((time_t)1800000000)
#define TIMEOUT_US 20000000
#define OPS_MAX    24

enum stage { NO_SECRETS, NO_KEYS, ALL_KEYS, STAGES };
enum { SIGN_ROW, AGREE_ROW, ROWS };

struct hostile {
	struct arena *a, *message;
	struct hsm_core *core;
	pthread_t thread;
	int fds[2];
	struct needles *needles;
	size_t answers;
};

/* What it has from the database. */
static struct key_row rows[ROWS];
static struct arena *kept;

static struct hsm_settings
settings(void)
{
	return (struct hsm_settings){.module = getenv("KONTOR_P11_MODULE"),
				     .token = TEST_TOKEN,
				     .pin = TEST_TOKEN_PIN,
				     .sessions = 2,
				     .queue = 8,
				     .timeout_us = TIMEOUT_US};
}

/* ---- the place ---- */

static void *
serve(void *arg)
{
	struct hostile *h = arg;

	return (void *)(intptr_t)hsm_core_serve(h->core, h->fds[1]);
}

static void
core_start(struct hostile *h, enum signer_role role)
{
	struct err err = {0};

	ASSERT_OK(signer_socketpair(h->fds, &err) && hsm_core_create(role, &h->core, &err), &err);
	assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
}

/* In good order, whatever it was sent. */
static void
core_stop(struct hostile *h)
{
	void *orderly;

	close(h->fds[0]);
	pthread_join(h->thread, &orderly);
	assert_true(orderly != NULL);
	hsm_core_destroy(h->core);
	close(h->fds[1]);
}

static void
give_secrets(struct hostile *h)
{
	struct hsm_settings set = settings();
	struct err err = {0};

	ASSERT_OK(hsm_send_secrets(h->fds[0], TEST_INSTANCE, test_signer_secrets(), &set,
				   TIMEOUT_US, &err),
		  &err);
}

static void
rows_make(struct hostile *h)
{
	static const struct key_wish wishes[ROWS] = {{KEY_OIDC_SIGN, KEY_P256, 30},
						     {KEY_DECRYPT, KEY_P256, 30}};
	struct signer *s;
	struct err err = {0};
	const char *label;

	if (kept != NULL)
		return;
	kept = arena_create((size_t)1 << 20);
	core_start(h, SIGNER_CLI);
	give_secrets(h);
	ASSERT_OK(signer_create(-1, TIMEOUT_US, &s, &err), &err);
	ASSERT_OK(signer_add_hsm(s, dup(h->fds[0]), TIMEOUT_US, &err), &err);
	for (size_t i = 0; i < ROWS; i++)
		ASSERT_OK(
			signer_hsm_generate(s, kept, &wishes[i], NULL, NOW, &rows[i], &label, &err),
			&err);
	signer_destroy(s);
	shutdown(h->fds[0], SHUT_RDWR);
	core_stop(h);
}

/* What may never come out: the PIN, and what opens rows. */
static void
needles_fill(struct hostile *h)
{
	const struct masterfile *mf = test_signer_secrets();

	h->needles = needles_create(h->a);
	needles_add_secret(h->needles, "pin", bytes_of(TEST_TOKEN_PIN));
	for (size_t i = 0; i < mf->n_masters; i++) {
		unsigned char key[32];
		unsigned n = sizeof(key);

		HMAC(EVP_sha256(), mf->masters[i].key, 32,
		     (const unsigned char *)"kontor hsm key rows", 19, key, &n);
		needles_add_secret(h->needles, "row key", (struct bytes){key, n});
	}
}

static struct hostile
start(void)
{
	struct hostile h = {.a = arena_create((size_t)8 << 20),
			    .message = arena_create((size_t)2 << 20)};

	rows_make(&h);
	needles_fill(&h);
	return h;
}

static void
stop(struct hostile *h)
{
	arena_destroy(h->message);
	arena_destroy(h->a);
}

/* ---- asking ---- */

/* One question, one answer: a whole frame, the question's number, nothing secret. */
static enum err_kind
tell(struct hostile *h, struct bytes message)
{
	static unsigned char answer[WIRE_MAX];
	struct wire_header asked = {0}, got = {0};
	struct wire_reader fields, unused;

	assert_int_equal(send(h->fds[0], message.p, message.n, MSG_NOSIGNAL), message.n);
	ssize_t n;

	do /* the socket is as impatient as the client that gave the secrets over it */
		n = recv(h->fds[0], answer, sizeof(answer), 0);
	while (n < 0 && errno == EAGAIN);
	assert_true(n > 0);
	struct bytes out = {answer, (size_t)n};

	assert_int_equal(needles_hunt(h->needles, out), 0);
	assert_true(wire_open(out, &got, &fields));
	if (wire_open(message, &asked, &unused))
		assert_int_equal(got.number, asked.number);
	h->answers++;
	return (enum err_kind)got.code;
}

static struct buf
begin(struct hostile *h, uint8_t op)
{
	struct buf b;

	wire_begin(&b, h->message, op, 77);
	return b;
}

static struct bytes
finish(struct buf *b)
{
	struct bytes out = {0};

	assert_true(wire_finish(b, &out, NULL));
	return out;
}

static void
put_row(struct buf *b, const struct key_row *row)
{
	wire_put_text(b, row->kid);
	wire_put_u8(b, (uint8_t)row->purpose);
	wire_put_u8(b, (uint8_t)row->type);
	wire_put_bytes(b, row->spki);
	wire_put_bytes(b, row->sealed);
}

static void
put_secrets(struct buf *b)
{
	wire_put_text(b, TEST_INSTANCE);
	wire_put_u8(b, 1);
	wire_put_u32(b, 7);
	wire_put_bytes(b, bytes_of("0123456789abcdef0123456789abcdef"));
	wire_put_text(b, "/nowhere.so");
	wire_put_text(b, "token");
	wire_put_text(b, "pin");
	wire_put_u32(b, 1);
	wire_put_u32(b, 1);
	wire_put_u64(b, TIMEOUT_US);
}

static void
put_wish(struct buf *b)
{
	wire_put_u8(b, KEY_OIDC_SIGN);
	wire_put_u8(b, KEY_P256);
	wire_put_u64(b, NOW);
	wire_put_u32(b, 0);
	wire_put_text(b, "nobody"); /* an object to be taken: the token is not to fill up */
}

/* The operation as the real HTTP process, or a command, would ask for it. */
static struct bytes
proper(struct hostile *h, uint8_t op)
{
	struct buf b = begin(h, op);

	switch (op) {
	case WIRE_HSM_SECRETS:
		put_secrets(&b);
		break;
	case WIRE_LOAD_KEY:
	case WIRE_REWRAP:
		put_row(&b, &rows[SIGN_ROW]);
		break;
	case WIRE_FORGET_KEY:
		wire_put_text(&b, rows[AGREE_ROW].kid);
		break;
	case WIRE_SIGN:
		wire_put_text(&b, rows[SIGN_ROW].kid);
		wire_put_u8(&b, SIG_ES256);
		wire_put_bytes(&b, test_jws_input(h->message, "ES256", rows[SIGN_ROW].kid));
		break;
	case WIRE_UNWRAP:
		wire_put_text(&b, rows[AGREE_ROW].kid);
		wire_put_u8(&b, WRAP_RSA_OAEP_SHA256);
		wire_put_bytes(&b, bytes_of("wrapped"));
		break;
	case WIRE_AGREE:
		wire_put_text(&b, rows[AGREE_ROW].kid);
		wire_put_bytes(&b, rows[SIGN_ROW].spki);
		wire_put_bytes(&b, bytes_of("info"));
		wire_put_u32(&b, 32);
		break;
	case WIRE_HSM_GENERATE:
		put_wish(&b);
		break;
	default:
		break;
	}
	return finish(&b);
}

/* ---- every message in every state ---- */

/* What docs/threats.md says of a proper message: is it done? */
static enum err_kind
due(uint8_t op, enum signer_role role, enum stage stage)
{
	bool keys = stage == ALL_KEYS;

	if (stage == NO_SECRETS)
		return op == WIRE_HSM_SECRETS ? ERR_NONE : ERR_DENIED;
	switch (op) {
	case WIRE_STATUS:
	case WIRE_HSM_STATE:
	case WIRE_LOAD_KEY:
		return ERR_NONE;
	case WIRE_FORGET_KEY:
		return keys ? ERR_NONE : ERR_NOT_FOUND;
	case WIRE_SIGN:
	case WIRE_AGREE:
		return keys ? ERR_NONE : ERR_DENIED;
	case WIRE_REWRAP:
		return role == SIGNER_CLI ? ERR_NONE : ERR_DENIED;
	default: /* also what only the signer does, and a wish for an object that is not there */
		return ERR_DENIED;
	}
}

static void
stage_make(struct hostile *h, enum signer_role role, enum stage stage)
{
	core_start(h, role);
	if (stage >= NO_KEYS)
		give_secrets(h);
	for (size_t i = 0; stage == ALL_KEYS && i < ROWS; i++) {
		struct buf b = begin(h, WIRE_LOAD_KEY);

		put_row(&b, &rows[i]);
		assert_int_equal(tell(h, finish(&b)), ERR_NONE);
	}
}

typedef void (*visit_fn)(struct hostile *h, uint8_t op, enum signer_role role, enum stage stage);

static void
everywhere(visit_fn visit)
{
	struct hostile h = start();

	for (int role = SIGNER_SERVE; role <= SIGNER_CLI; role++)
		for (int stage = NO_SECRETS; stage < STAGES; stage++)
			for (uint8_t op = 0; op < OPS_MAX; op++) {
				/* These two change what comes after them. */
				if (op == 0 || op == WIRE_FORGET_KEY + 1 || op == WIRE_HSM_STATE) {
					if (op != 0)
						core_stop(&h);
					stage_make(&h, (enum signer_role)role, (enum stage)stage);
				}
				visit(&h, op, (enum signer_role)role, (enum stage)stage);
				arena_reset(h.message);
				if (op == OPS_MAX - 1)
					core_stop(&h);
			}
	assert_true(h.answers > 100);
	stop(&h);
}

static void
visit_proper(struct hostile *h, uint8_t op, enum signer_role role, enum stage stage)
{
	enum err_kind got = tell(h, proper(h, op));

	if (got != due(op, role, stage))
		fail_msg("operation %u, role %u, stage %u: %u", op, role, stage, got);
}

static void
a_proper_message_is_done_where_its_row_says_and_nowhere_else(void **state UNUSED)
{
	everywhere(visit_proper);
}

static struct bytes
whole(struct hostile *h, uint8_t op, struct bytes fields)
{
	struct buf b = begin(h, op);

	buf_add(&b, fields);
	return finish(&b);
}

/* Cut in its fields (the length is right again), and one octet longer: never done. */
static void
visit_cut(struct hostile *h, uint8_t op, enum signer_role role UNUSED, enum stage stage UNUSED)
{
	struct bytes good = arena_bytes(h->a, proper(h, op));
	struct bytes fields = {good.p + WIRE_HEADER, good.n - WIRE_HEADER};

	for (size_t n = 0; n < fields.n; n++) {
		enum err_kind got = tell(h, whole(h, op, (struct bytes){fields.p, n}));

		assert_true(got == ERR_INPUT || got == ERR_DENIED);
		arena_reset(h->message);
	}
	struct buf b = begin(h, op);

	buf_add(&b, fields);
	wire_put_u8(&b, 0);
	enum err_kind got = tell(h, finish(&b));

	assert_true(got == ERR_INPUT || got == ERR_DENIED);
}

static void
a_message_cut_or_longer_is_never_done(void **state UNUSED)
{
	everywhere(visit_cut);
}

/* An octet changed in turn, and random ones in their place: one answer each, nothing secret. */
static void
visit_changed(struct hostile *h, uint8_t op, enum signer_role role, enum stage stage)
{
	struct bytes good = arena_bytes(h->a, proper(h, op));
	unsigned char *p = (unsigned char *)(uintptr_t)good.p;

	if (op == WIRE_HSM_SECRETS && stage == NO_SECRETS)
		return; /* other secrets are as good to one that has none */
	for (size_t i = WIRE_HEADER; i < good.n; i++) {
		p[i] ^= 0x80;
		enum err_kind got = tell(h, good);

		if (due(op, role, stage) != ERR_NONE)
			assert_int_not_equal(got, ERR_NONE);
		p[i] ^= 0x80;
		arena_reset(h->message);
	}
	for (size_t i = 0; i < 20; i++) {
		unsigned char junk[64];

		rand_bytes(junk, sizeof(junk));
		(void)tell(h, whole(h, op, (struct bytes){junk, 1 + junk[0] % 63}));
		(void)tell(h, (struct bytes){junk, 1 + junk[1] % 63});
		arena_reset(h->message);
	}
}

static void
a_message_changed_anywhere_gives_nothing_away(void **state UNUSED)
{
	everywhere(visit_changed);
}

/* A row, or its envelope, in the place of another's: not even the right object's name helps. */
static void
a_row_is_good_for_its_own_key_alone(void **state UNUSED)
{
	struct hostile h = start();

	stage_make(&h, SIGNER_CLI, NO_KEYS);
	for (int field = 0; field < 4; field++)
		for (int op = WIRE_LOAD_KEY; op <= WIRE_REWRAP; op += WIRE_REWRAP - WIRE_LOAD_KEY) {
			struct key_row row = rows[SIGN_ROW];
			struct buf b = begin(&h, (uint8_t)op);

			row.kid = field == 0 ? rows[AGREE_ROW].kid : row.kid;
			row.purpose = field == 1 ? KEY_SAML_SIGN : row.purpose;
			row.spki = field == 2 ? rows[AGREE_ROW].spki : row.spki;
			row.sealed = field == 3 ? rows[AGREE_ROW].sealed : row.sealed;
			put_row(&b, &row);
			assert_int_equal(tell(&h, finish(&b)), ERR_INPUT);
		}
	core_stop(&h);
	stop(&h);
}

/* The hunt itself finds. */
static void
the_hunt_finds_what_an_answer_would_give_away(void **state UNUSED)
{
	struct hostile h = start();

	assert_true(needles_hunt(h.needles, bytes_of("xx" TEST_TOKEN_PIN "yy")) > 0);
	stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hunt_finds_what_an_answer_would_give_away),
		cmocka_unit_test(a_proper_message_is_done_where_its_row_says_and_nowhere_else),
		cmocka_unit_test(a_message_cut_or_longer_is_never_done),
		cmocka_unit_test(a_message_changed_anywhere_gives_nothing_away),
		cmocka_unit_test(a_row_is_good_for_its_own_key_alone),
	};
	int failed = cmocka_run_group_tests_name("hsm_hostile", tests, test_token_make,
						 test_token_remove);

	arena_destroy(kept);
	return failed;
}
