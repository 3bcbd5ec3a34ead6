/*
 * A hostile program in the HTTP process's place (docs/threats.md, "What a taken-over HTTP
 * process gets from the signer").  It knows the protocol and every row of the database; it
 * sends each operation in each state and role, whole, cut, longer, changed and made up.  What
 * it gets is held against what that page says, and no answer holds a piece of a key.
 */
#include "tests/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/enc.h"
#include "base/text.h"
#include "keys/key_type.h"
#include "base/hash.h"
#include "keys/keyring.h"
#include "keys/signer_core.h"
#include "tests/keys/needles.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_rsa.h"
#include "tests/keys/test_signer_thread.h"

#define KEYS_MAX     32
#define OPS_MAX      24
#define ANSWER_BYTES ((size_t)1 << 20)
#define NOW          ((time_t)1800000000)
#define ID           bytes_of("0123456789abcdef")
#define LABEL        bytes_of("totp:1")
#define MAC_LABEL    bytes_of("mac:c1")
#define TEXT         bytes_of("Mustermann")

/* A row as it lies in the database, and what it hides. */
struct row {
	const char *kid;
	enum key_purpose purpose;
	enum key_type type;
	struct bytes spki, sealed, plain;
};

enum stage { NO_SECRETS, NO_KEYS, ALL_KEYS, STAGES };

struct hostile {
	struct arena *a;       /* of the whole */
	struct arena *message; /* of one message and its answer */
	struct signer_core *core;
	struct masterfile mf;
	struct row rows[KEYS_MAX];
	size_t n_rows;
	struct needles *needles;
	struct bytes wrapped, value, sealed; /* an account's key and value, a sealed secret */
	struct bytes mac_sealed, mac;        /* a secret that checks MACs, a MAC by it */
	uint64_t answers;
};

/* ---- asking ---- */

struct answer {
	uint8_t code;
	struct wire_reader fields;
};

/* Every answer passes here: a whole frame, the question's number, no piece of a key. */
static struct answer
tell(struct hostile *h, struct bytes message)
{
	struct wire_header asked = {0}, got = {0};
	struct wire_reader unused = {0};
	struct answer answer = {0};
	struct bytes out = signer_core_handle(h->core, 0, message);

	if (needles_hunt(h->needles, out) != 0)
		fail_msg("a piece of a key in the answer to operation %u",
			 message.n > 5 ? message.p[5] : 0);
	out = arena_bytes(h->message, out);
	signer_core_wipe(h->core, 0);
	assert_true(wire_open(out, &got, &answer.fields));
	if (wire_open(message, &asked, &unused))
		assert_int_equal(got.number, asked.number);
	answer.code = got.code;
	h->answers++;
	return answer;
}

static struct buf
begin(struct hostile *h, enum wire_op op)
{
	struct buf b;

	wire_begin(&b, h->message, (uint8_t)op, 77);
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
clear(struct hostile *h)
{
	arena_reset(h->message);
}

/* ---- what it knows ---- */

static const struct row *
row_of(const struct hostile *h, enum key_purpose purpose, enum key_type type)
{
	for (size_t i = 0; i < h->n_rows; i++)
		if (h->rows[i].purpose == purpose && h->rows[i].type == type)
			return &h->rows[i];
	fail_msg("no such row");
	return NULL;
}

static struct bytes
load_message(struct hostile *h, enum wire_op op, const struct row *row)
{
	struct buf b = begin(h, op);

	wire_put_text(&b, row->kid);
	wire_put_u8(&b, (uint8_t)row->purpose);
	wire_put_u8(&b, (uint8_t)row->type);
	wire_put_bytes(&b, row->spki);
	wire_put_bytes(&b, row->sealed);
	return finish(&b);
}

static struct bytes
secrets_message(struct hostile *h)
{
	const struct masterfile *mf = &h->mf;
	struct buf b = begin(h, WIRE_SECRETS);

	wire_put_text(&b, TEST_INSTANCE);
	wire_put_u8(&b, (uint8_t)mf->n_masters);
	for (size_t i = 0; i < mf->n_masters; i++) {
		wire_put_u32(&b, mf->masters[i].generation);
		wire_put_bytes(&b, (struct bytes){mf->masters[i].key, 32});
	}
	wire_put_u8(&b, (uint8_t)mf->n_epochs);
	for (size_t i = 0; i < mf->n_epochs; i++) {
		wire_put_u32(&b, mf->epochs[i].id);
		wire_put_bytes(&b, (struct bytes){mf->epochs[i].key, 32});
	}
	return finish(&b);
}

static const char *
jws_input(struct hostile *h, const char *kid, const char *alg, const char *typ)
{
	const char *header = arena_printf(
		h->message, "{\"typ\":\"%s\",\"alg\":\"%s\",\"kid\":\"%s\"}", typ, alg, kid);

	return arena_printf(h->message, "%s.e30", enc_base64url(h->message, bytes_of(header)));
}

static struct bytes
sign_message(struct hostile *h, const char *kid, unsigned alg, struct bytes text)
{
	struct buf b = begin(h, WIRE_SIGN);

	wire_put_text(&b, kid);
	wire_put_u8(&b, (uint8_t)alg);
	wire_put_bytes(&b, text);
	return finish(&b);
}

static struct bytes
agree_message(struct hostile *h, const char *kid, struct bytes spki)
{
	struct buf b = begin(h, WIRE_AGREE);

	wire_put_text(&b, kid);
	wire_put_bytes(&b, spki);
	wire_put_bytes(&b, bytes_of("info"));
	wire_put_u32(&b, 32);
	return finish(&b);
}

static struct bytes
unwrap_message(struct hostile *h)
{
	const struct row *row = row_of(h, KEY_DECRYPT, KEY_RSA3072);
	unsigned char out[512], key[32] = {9};
	struct buf b = begin(h, WIRE_UNWRAP);
	const unsigned char *p = row->spki.p;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)row->spki.n);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t n = sizeof(out);

	assert_true(EVP_PKEY_encrypt_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_encrypt(ctx, out, &n, key, sizeof(key)) == 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	wire_put_text(&b, row->kid);
	wire_put_u8(&b, WRAP_RSA_OAEP_SHA256);
	wire_put_bytes(&b, (struct bytes){out, n});
	return finish(&b);
}

static struct bytes
values_message(struct hostile *h, enum wire_op op, struct bytes id, struct bytes data)
{
	struct buf b = begin(h, op);

	wire_put_bytes(&b, id);
	wire_put_bytes(&b, h->wrapped);
	wire_put_u32(&b, 1);
	wire_put_bytes(&b, bytes_of("family_name"));
	wire_put_bytes(&b, data);
	return finish(&b);
}

/* Label, data and so on of the small operations. */
static struct bytes
small_message(struct hostile *h, enum wire_op op)
{
	struct buf b = begin(h, op);

	switch (op) {
	case WIRE_FORGET_KEY:
		wire_put_text(&b, row_of(h, KEY_AUDIT, KEY_SECRET)->kid);
		break;
	case WIRE_MAC:
		wire_put_u8(&b, KEY_PEPPER);
		wire_put_text(&b, row_of(h, KEY_PEPPER, KEY_SECRET)->kid);
		wire_put_text(&b, "label");
		wire_put_bytes(&b, TEXT);
		break;
	case WIRE_PSEUDONYM:
		wire_put_text(&b, row_of(h, KEY_PSEUDONYM, KEY_SECRET)->kid);
		wire_put_u8(&b, 1);
		wire_put_text(&b, "local");
		wire_put_bytes(&b, ID);
		wire_put_text(&b, "amt24");
		break;
	case WIRE_SEAL:
		wire_put_text(&b, row_of(h, KEY_SEAL, KEY_SECRET)->kid);
		wire_put_bytes(&b, LABEL);
		wire_put_bytes(&b, TEXT);
		break;
	case WIRE_OPEN:
		wire_put_bytes(&b, LABEL);
		wire_put_bytes(&b, h->sealed);
		break;
	case WIRE_MAC_CHECK:
		wire_put_bytes(&b, MAC_LABEL);
		wire_put_bytes(&b, h->mac_sealed);
		wire_put_bytes(&b, TEXT);
		wire_put_bytes(&b, h->mac);
		break;
	case WIRE_ACCOUNT_NEW:
		wire_put_bytes(&b, ID);
		break;
	case WIRE_ACCOUNT_REWRAP:
		wire_put_bytes(&b, ID);
		wire_put_bytes(&b, h->wrapped);
		break;
	case WIRE_GENERATE:
		wire_put_u8(&b, KEY_OIDC_SIGN);
		wire_put_u8(&b, KEY_P256);
		wire_put_u64(&b, NOW);
		wire_put_u32(&b, 30);
		break;
	default:
		break;
	}
	return finish(&b);
}

/* The operation as the real HTTP process, or a command, would ask for it. */
static struct bytes
proper_message(struct hostile *h, enum wire_op op)
{
	const struct row *sign = row_of(h, KEY_OIDC_SIGN, KEY_P256);
	const struct row *dec = row_of(h, KEY_DECRYPT, KEY_P256);

	switch (op) {
	case WIRE_SECRETS:
		return secrets_message(h);
	case WIRE_LOAD_KEY:
	case WIRE_REWRAP:
		return load_message(h, op, row_of(h, KEY_COOKIE, KEY_SECRET));
	case WIRE_SIGN:
		return sign_message(h, sign->kid, SIG_ES256,
				    bytes_of(jws_input(h, sign->kid, "ES256", "JWT")));
	case WIRE_UNWRAP:
		return unwrap_message(h);
	case WIRE_AGREE:
		return agree_message(h, dec->kid, sign->spki);
	case WIRE_ACCOUNT_SEAL:
		return values_message(h, op, ID, TEXT);
	case WIRE_ACCOUNT_OPEN:
		return values_message(h, op, ID, h->value);
	default:
		return small_message(h, op);
	}
}

/* ---- the place it is in ---- */

/* A row as the command line's signer makes it, but that we know what it hides. */
static void
row_make(struct hostile *h, const struct crypto *c, struct seal *master, struct row *r)
{
	const char *rsa = test_rsa_keys[r->purpose == KEY_DECRYPT];
	struct private_key k;
	struct bytes aad;
	struct err err = {0};

	r->kid = arena_printf(h->a, "%s-%s", key_purpose_name(r->purpose), key_type_name(r->type));
	aad = signer_row_aad(h->a, TEST_INSTANCE, r->purpose, r->type, r->kid);
	if (key_type_is_rsa(r->type))
		ASSERT_OK(dec_base64(h->a, bytes_of(rsa), false, &r->plain, &err), &err);
	else
		ASSERT_OK(private_key_generate(h->a, r->type, &r->plain, &err), &err);
	ASSERT_OK(private_key_init(h->a, c, r->kid, r->purpose, r->type, r->plain, 1, &k, &err),
		  &err);
	r->spki = k.spki;
	ASSERT_OK(seal_write(master, h->a, aad, r->plain, &r->sealed, &err), &err);
	needles_add_key(h->needles, r->kid, r->type, r->plain);
}

static void
rows_make(struct hostile *h)
{
	const struct master_key *master = &h->mf.masters[1];
	struct crypto *c = ARENA_NEW(h->a, struct crypto);
	struct seal seal;
	struct err err = {0};

	ASSERT_OK(crypto_init(h->a, c, &err), &err);
	ASSERT_OK(seal_init(h->a, c, master->generation, master->key, &seal, &err), &err);
	for (int p = KEY_SAML_SIGN; p <= KEY_AUDIT; p++)
		for (int t = KEY_P256; t <= KEY_RSA_PSS; t++) {
			struct row *r = &h->rows[h->n_rows];

			r->purpose = (enum key_purpose)p;
			r->type = (enum key_type)t;
			if (!key_purpose_takes(r->purpose, r->type))
				continue;
			row_make(h, c, &seal, r);
			h->n_rows++;
		}
}

/* Two masters and two epochs of their own: those of other tests are mostly zeros. */
static void
secrets_make(struct hostile *h)
{
	struct masterfile *mf = &h->mf;
	struct err err = {0};

	masterfile_init(mf, NOW);
	ASSERT_OK(masterfile_add_master(mf, &err), &err);
	ASSERT_OK(masterfile_add_epoch(mf, NOW, &err), &err);
	for (size_t i = 0; i < mf->n_masters; i++)
		needles_add_secret(h->needles, "master", (struct bytes){mf->masters[i].key, 32});
	for (size_t i = 0; i < mf->n_epochs; i++)
		needles_add_secret(h->needles, "epoch", (struct bytes){mf->epochs[i].key, 32});
}

static void
core_make(struct hostile *h, enum signer_role role, enum stage stage)
{
	struct err err = {0};

	signer_core_destroy(h->core);
	ASSERT_OK(signer_core_create(role, 1, &h->core, &err), &err);
	if (stage >= NO_KEYS)
		assert_int_equal(tell(h, secrets_message(h)).code, ERR_NONE);
	for (size_t i = 0; stage == ALL_KEYS && i < h->n_rows; i++)
		assert_int_equal(tell(h, load_message(h, WIRE_LOAD_KEY, &h->rows[i])).code,
				 ERR_NONE);
	clear(h);
}

static struct bytes
got_bytes(struct hostile *h, struct answer got)
{
	assert_int_equal(got.code, ERR_NONE);
	struct bytes b = arena_bytes(h->a, wire_bytes(&got.fields, 1, WIRE_DATA_MAX));

	assert_true(wire_end(&got.fields));
	return b;
}

static void
mac_fill(struct hostile *h)
{
	struct bytes secret = bytes_of("a secret of a client, 256 bits at least");
	unsigned char *mac = arena_alloc(h->a, SHA256_BYTES);
	struct buf b = begin(h, WIRE_SEAL);

	wire_put_text(&b, row_of(h, KEY_SEAL, KEY_SECRET)->kid);
	wire_put_bytes(&b, MAC_LABEL);
	wire_put_bytes(&b, secret);
	h->mac_sealed = got_bytes(h, tell(h, finish(&b)));
	assert_non_null(HMAC(EVP_sha256(), secret.p, (int)secret.n, TEXT.p, TEXT.n, mac, NULL));
	h->mac = (struct bytes){mac, SHA256_BYTES};
	needles_add_secret(h->needles, "client secret", secret);
}

/* An account's key and value and a sealed secret, as they lie in the database. */
static void
database_fill(struct hostile *h)
{
	struct signer_lane *lane = &h->core->lanes[0];
	struct bytes key, id = ID,
			  aad = signer_aad(h->a, "kontor account key", TEST_INSTANCE, &id, 1);
	struct err err = {0};

	h->wrapped = got_bytes(h, tell(h, small_message(h, WIRE_ACCOUNT_NEW)));
	h->value = got_bytes(h, tell(h, values_message(h, WIRE_ACCOUNT_SEAL, ID, TEXT)));
	h->sealed = got_bytes(h, tell(h, small_message(h, WIRE_SEAL)));
	mac_fill(h);
	ASSERT_OK(
		seal_read(&lane->epochs[h->core->n_epochs - 1], h->a, aad, h->wrapped, &key, &err),
		&err);
	needles_add_secret(h->needles, "account key", key);
	clear(h);
}

static struct hostile
start(enum signer_role role)
{
	struct hostile h = {.a = arena_create((size_t)16 << 20),
			    .message = arena_create(ANSWER_BYTES)};

	h.needles = needles_create(h.a);
	secrets_make(&h);
	rows_make(&h);
	core_make(&h, role, ALL_KEYS);
	database_fill(&h);
	return h;
}

static void
stop(struct hostile *h)
{
	signer_core_destroy(h->core);
	arena_destroy(h->message);
	arena_destroy(h->a);
}

/* ---- every message in every state ---- */

/* What docs/threats.md says of a proper message: is it done? */
static enum err_kind
due(enum wire_op op, enum signer_role role, enum stage stage)
{
	bool keys = stage == ALL_KEYS;

	if (stage == NO_SECRETS)
		return op == WIRE_SECRETS ? ERR_NONE : ERR_DENIED;
	switch (op) {
	case WIRE_SECRETS:
		return ERR_DENIED;
	case WIRE_GENERATE:
	case WIRE_REWRAP:
		return role == SIGNER_CLI ? ERR_NONE : ERR_DENIED;
	case WIRE_STATUS:
	case WIRE_LOAD_KEY:
	case WIRE_ACCOUNT_NEW:
	case WIRE_ACCOUNT_REWRAP:
	case WIRE_ACCOUNT_SEAL:
	case WIRE_ACCOUNT_OPEN:
		return ERR_NONE;
	case WIRE_FORGET_KEY:
		return keys ? ERR_NONE : ERR_NOT_FOUND;
	case WIRE_OPEN:
	case WIRE_MAC_CHECK:
		return keys ? ERR_NONE : ERR_INPUT;
	default:
		return keys ? ERR_NONE : ERR_DENIED;
	}
}

typedef void (*visit_fn)(struct hostile *h, enum wire_op op, enum signer_role role,
			 enum stage stage);

/* Of another process alone. */
static bool
is_of_hsm(int op)
{
	return op == WIRE_HSM_SECRETS || op == WIRE_HSM_STATE || op == WIRE_HSM_GENERATE;
}

static void
everywhere(visit_fn visit)
{
	struct hostile h = start(SIGNER_CLI);

	for (int role = SIGNER_SERVE; role <= SIGNER_CLI; role++)
		for (int stage = NO_SECRETS; stage < STAGES; stage++)
			for (int op = WIRE_MAC_CHECK; op >= WIRE_SECRETS; op--) {
				if (is_of_hsm(op))
					continue;
				if (op == WIRE_MAC_CHECK || op == WIRE_FORGET_KEY - 1)
					core_make(&h, (enum signer_role)role, (enum stage)stage);
				visit(&h, (enum wire_op)op, (enum signer_role)role,
				      (enum stage)stage);
				clear(&h);
			}
	assert_true(h.answers > 100);
	stop(&h);
}

static void
visit_proper(struct hostile *h, enum wire_op op, enum signer_role role, enum stage stage)
{
	struct answer got = tell(h, proper_message(h, op));

	if (got.code != due(op, role, stage))
		fail_msg("operation %u, role %u, stage %u: %u", op, role, stage, got.code);
}

static void
a_proper_message_is_done_where_its_row_says_and_nowhere_else(void **state UNUSED)
{
	everywhere(visit_proper);
}

static struct bytes
whole(struct hostile *h, uint8_t op, struct bytes fields)
{
	struct buf b = begin(h, (enum wire_op)op);

	buf_add(&b, fields);
	return finish(&b);
}

/* Cut in its fields (the length is right again), and one octet longer: never done. */
static void
visit_cut(struct hostile *h, enum wire_op op, enum signer_role role UNUSED, enum stage stage UNUSED)
{
	struct bytes good = arena_bytes(h->a, proper_message(h, op));
	struct bytes fields = {good.p + WIRE_HEADER, good.n - WIRE_HEADER};

	for (size_t n = 0; n < fields.n; n++) {
		struct answer got = tell(h, whole(h, (uint8_t)op, (struct bytes){fields.p, n}));

		assert_true(got.code == ERR_INPUT || got.code == ERR_DENIED);
		clear(h);
	}
	struct buf b = begin(h, op);

	buf_add(&b, fields);
	wire_put_u8(&b, 0);
	struct answer got = tell(h, finish(&b));

	assert_true(got.code == ERR_INPUT || got.code == ERR_DENIED);
}

static void
a_message_cut_or_longer_is_never_done(void **state UNUSED)
{
	everywhere(visit_cut);
}

/* An octet changed in turn; the fields of one operation under each other's number. */
static void
visit_changed(struct hostile *h, enum wire_op op, enum signer_role role, enum stage stage)
{
	struct bytes good = arena_bytes(h->a, proper_message(h, op));
	unsigned char *p = (unsigned char *)(uintptr_t)good.p;

	if (op == WIRE_SECRETS && stage == NO_SECRETS)
		return; /* other keys are as good to a signer that has none */
	for (size_t i = WIRE_HEADER; i < good.n; i++) {
		p[i] ^= 0x80;
		struct answer got = tell(h, good);

		if (due(op, role, stage) != ERR_NONE)
			assert_int_not_equal(got.code, ERR_NONE);
		p[i] ^= 0x80;
		clear(h);
	}
	for (uint8_t other = 0; other < OPS_MAX; other++) {
		if (other == op || (other == WIRE_LOAD_KEY && op == WIRE_REWRAP) ||
		    (other == WIRE_REWRAP && op == WIRE_LOAD_KEY))
			continue; /* these two have the same fields */
		struct answer got = tell(
			h, whole(h, other, (struct bytes){p + WIRE_HEADER, good.n - WIRE_HEADER}));

		if (stage == NO_SECRETS || other > WIRE_MAC_CHECK || is_of_hsm(other) ||
		    other == WIRE_SECRETS)
			assert_int_not_equal(got.code, ERR_NONE);
		clear(h);
	}
}

static void
a_message_changed_anywhere_gives_no_key_away(void **state UNUSED)
{
	everywhere(visit_changed);
}

/* Octets without sense, the same ones each time. */
static void
visit_random(struct hostile *h, enum wire_op op, enum signer_role role, enum stage stage)
{
	static const size_t sizes[] = {0, 1, 4, 13, 14, 61, 200, 1000, WIRE_MAX - WIRE_HEADER};
	unsigned seed = (unsigned)op * 64 + (unsigned)role * 8 + (unsigned)stage;
	unsigned char *p = arena_alloc(h->message, WIRE_MAX);

	for (size_t i = 0; i < WIRE_MAX; i++)
		p[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
	if (op == WIRE_GENERATE)
		return; /* 14 octets of any kind can be a wish, and RSA keys take long */
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct answer got = tell(h, whole(h, (uint8_t)op, (struct bytes){p, sizes[i]}));

		assert_true(got.code != ERR_NONE || (op == WIRE_STATUS && sizes[i] == 0));
		got = tell(h, (struct bytes){p, sizes[i]}); /* without a header */
		assert_int_equal(got.code, ERR_INPUT);
	}
}

static void
random_octets_get_an_error_and_nothing_else(void **state UNUSED)
{
	everywhere(visit_random);
}

/* ---- what it gets: each sentence of docs/threats.md that no other test holds ---- */

/* Texts of every shape; a key signs those of its own, in the algorithms of its type. */
struct shape {
	const char *what;
	enum key_purpose purpose; /* 0: nobody signs this */
	enum key_purpose also;    /* and keys of this one; 0: none */
	const char *head, *tail;  /* the algorithm's name between them; or */
	const char *typ;          /* a JWS of this type */
};

static const struct shape shapes[] = {
	{"SignedInfo", KEY_SAML_SIGN, KEY_FEDERATION_SIGN,
	 "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignatureMethod "
	 "Algorithm=\"",
	 "\"></ds:SignatureMethod><ds:Reference URI=\"#_1\"></ds:Reference></ds:SignedInfo>", NULL},
	{"token", KEY_OIDC_SIGN, (enum key_purpose)0, "", "", "JWT"},
	{"federation statement", KEY_FEDERATION_SIGN, (enum key_purpose)0, "", "",
	 "entity-statement+jwt"},
	{"digest", (enum key_purpose)0, (enum key_purpose)0, "0123456789abcdef0123456789abcdef", "",
	 NULL},
	{"certificate", (enum key_purpose)0, (enum key_purpose)0,
	 "\x30\x82\x01\x01\xa0\x03\x02\x01\x02", "", NULL},
};

/* A text that names one algorithm, under the number of each. */
static void
sign_try(struct hostile *h, const struct row *row, const struct shape *s,
	 const struct sig_alg_row *alg)
{
	const struct sig_alg_row *asked;

	for (size_t i = 0; (asked = sig_alg_at(i)) != NULL; i++) {
		const char *text =
			s->typ != NULL
				? jws_input(h, row->kid, alg->jose != NULL ? alg->jose : "ES512",
					    s->typ)
				: arena_printf(h->message, "%s%s%s", s->head,
					       s->purpose != 0 && alg->xml != NULL ? alg->xml : "",
					       s->tail);
		bool same = s->typ != NULL ? asked == alg && alg->jose != NULL
					   : asked->xml != NULL && text_eq(asked->xml, alg->xml);
		bool whose =
			row->purpose == s->purpose || (s->also != 0 && row->purpose == s->also);
		bool may = whose && row->type == asked->type && same;
		struct answer got = tell(h, sign_message(h, row->kid, asked->alg, bytes_of(text)));

		if (may != (got.code == ERR_NONE))
			fail_msg("%s over a %s: %u", row->kid, s->what, got.code);
		clear(h);
	}
}

static void
a_key_signs_what_has_its_shape_and_nothing_else(void **state UNUSED)
{
	struct hostile h = start(SIGNER_SERVE);
	const struct sig_alg_row *alg;

	for (size_t i = 0; i < h.n_rows; i++)
		for (size_t s = 0; s < ARRAY_LEN(shapes); s++)
			for (size_t r = 0; (alg = sig_alg_at(r)) != NULL; r++)
				sign_try(&h, &h.rows[i], &shapes[s], alg);
	stop(&h);
}

/* The signer knows no state of a key: what was retired, or taken out of the way, works again. */
static void
a_row_it_kept_loads_again_until_its_master_key_is_gone(void **state UNUSED)
{
	struct hostile h = start(SIGNER_SERVE);
	const struct row *audit = row_of(&h, KEY_AUDIT, KEY_SECRET);

	assert_int_equal(tell(&h, small_message(&h, WIRE_FORGET_KEY)).code, ERR_NONE);
	assert_int_equal(tell(&h, small_message(&h, WIRE_FORGET_KEY)).code, ERR_NOT_FOUND);
	assert_int_equal(tell(&h, load_message(&h, WIRE_LOAD_KEY, audit)).code, ERR_NONE);
	h.core->lanes[0].masters[1].id = 3; /* the generation that sealed it was pushed out */
	assert_int_equal(tell(&h, small_message(&h, WIRE_FORGET_KEY)).code, ERR_NONE);
	assert_int_equal(tell(&h, load_message(&h, WIRE_LOAD_KEY, audit)).code, ERR_INPUT);
	stop(&h);
}

/* With row and id any account's values, and with its label any sealed value; never the key. */
static void
what_the_database_holds_opens_and_its_keys_stay(void **state UNUSED)
{
	struct hostile h = start(SIGNER_SERVE);
	struct bytes got =
		got_bytes(&h, tell(&h, values_message(&h, WIRE_ACCOUNT_OPEN, ID, h.value)));

	assert_true(bytes_eq(got, TEXT));
	assert_true(bytes_eq(got_bytes(&h, tell(&h, small_message(&h, WIRE_OPEN))), TEXT));
	/* Another's id, or the wrapped key or a key row where a value belongs. */
	assert_int_equal(tell(&h, values_message(&h, WIRE_ACCOUNT_OPEN,
						 bytes_of("another account!"), h.value))
				 .code,
			 ERR_INPUT);
	assert_int_equal(tell(&h, values_message(&h, WIRE_ACCOUNT_OPEN, ID, h.wrapped)).code,
			 ERR_INPUT);
	for (size_t i = 0; i < h.n_rows; i++) {
		struct answer opened =
			tell(&h, values_message(&h, WIRE_ACCOUNT_OPEN, ID, h.rows[i].sealed));

		assert_int_equal(opened.code, ERR_INPUT);
		clear(&h);
	}
	stop(&h);
}

/* Key rows and account keys in the place of a value under a KEY_SEAL key. */
static void
a_sealed_key_does_not_open_as_a_value(void **state UNUSED)
{
	struct hostile h = start(SIGNER_SERVE);
	const char *kid = row_of(&h, KEY_SEAL, KEY_SECRET)->kid;

	for (size_t i = 0; i <= h.n_rows; i++) {
		struct bytes envelope = i < h.n_rows ? h.rows[i].sealed : h.wrapped;
		struct buf named, b = begin(&h, WIRE_OPEN);
		struct bytes all = {0};

		buf_init(&named, h.message, WIRE_SEALED_KEY_MAX);
		wire_put_u8(&named, (uint8_t)strlen(kid));
		buf_str(&named, kid);
		buf_add(&named, envelope);
		assert_true(buf_finish(&named, &all, NULL));
		wire_put_bytes(&b, LABEL);
		wire_put_bytes(&b, all);
		assert_int_equal(tell(&h, finish(&b)).code, ERR_INPUT);
		clear(&h);
	}
	stop(&h);
}

/* What checks MACs says whether, and never with what; no other value is a secret for it. */
static void
a_secret_that_checks_macs_does_not_open(void **state UNUSED)
{
	struct hostile h = start(SIGNER_SERVE);
	struct buf b = begin(&h, WIRE_OPEN);

	wire_put_bytes(&b, MAC_LABEL);
	wire_put_bytes(&b, h.mac_sealed);
	assert_int_equal(tell(&h, finish(&b)).code, ERR_DENIED);
	b = begin(&h, WIRE_MAC_CHECK);
	wire_put_bytes(&b, LABEL);
	wire_put_bytes(&b, h.sealed);
	wire_put_bytes(&b, TEXT);
	wire_put_bytes(&b, h.mac);
	assert_int_equal(tell(&h, finish(&b)).code, ERR_DENIED);
	stop(&h);
}

/* An agreed key is derived: the shared point's coordinate itself never comes back. */
static void
an_agreed_key_is_not_the_shared_secret(void **state UNUSED)
{
	struct hostile h = start(SIGNER_SERVE);
	const struct row *dec = row_of(&h, KEY_DECRYPT, KEY_P256);
	const struct row *mine = row_of(&h, KEY_OIDC_SIGN, KEY_P256);
	EVP_PKEY *pkeys[2];
	unsigned char z[32];
	size_t n = sizeof(z);
	struct err err = {0};

	ASSERT_OK(private_key_parse(h.a, KEY_P256, dec->plain, &pkeys[0], &err), &err);
	ASSERT_OK(private_key_parse(h.a, KEY_P256, mine->plain, &pkeys[1], &err), &err);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkeys[0], NULL);

	assert_true(EVP_PKEY_derive_init(ctx) == 1 &&
		    EVP_PKEY_derive_set_peer(ctx, pkeys[1]) == 1 &&
		    EVP_PKEY_derive(ctx, z, &n) == 1);
	EVP_PKEY_CTX_free(ctx);
	needles_add_secret(h.needles, "shared secret", (struct bytes){z, sizeof(z)});
	assert_int_equal(got_bytes(&h, tell(&h, agree_message(&h, dec->kid, mine->spki))).n, 32);
	stop(&h);
}

/* The hunt itself finds: each secret, whole and in part, in an answer that would hold it. */
static void
the_hunt_finds_what_an_answer_would_give_away(void **state UNUSED)
{
	struct hostile h = start(SIGNER_SERVE);

	for (size_t i = 0; i < h.n_rows; i++) {
		struct bytes plain = h.rows[i].plain;

		assert_true(needles_hunt(h.needles, plain) > 0);
		if (h.rows[i].type == KEY_SECRET)
			assert_true(needles_hunt(h.needles, (struct bytes){plain.p + 16, 16}) > 0);
	}
	stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hunt_finds_what_an_answer_would_give_away),
		cmocka_unit_test(a_proper_message_is_done_where_its_row_says_and_nowhere_else),
		cmocka_unit_test(a_message_cut_or_longer_is_never_done),
		cmocka_unit_test(a_message_changed_anywhere_gives_no_key_away),
		cmocka_unit_test(random_octets_get_an_error_and_nothing_else),
		cmocka_unit_test(a_key_signs_what_has_its_shape_and_nothing_else),
		cmocka_unit_test(a_row_it_kept_loads_again_until_its_master_key_is_gone),
		cmocka_unit_test(what_the_database_holds_opens_and_its_keys_stay),
		cmocka_unit_test(a_sealed_key_does_not_open_as_a_value),
		cmocka_unit_test(a_secret_that_checks_macs_does_not_open),
		cmocka_unit_test(an_agreed_key_is_not_the_shared_secret),
	};

	return cmocka_run_group_tests_name("signer_hostile", tests, NULL, NULL);
}
