/*
 * Password hashes; see kdf.h.  libargon2 does the hashing; the block it works in
 * is ours, because mapping fresh pages for each hash costs more than the hash.
 */
#include "keys/kdf.h"

#include <argon2.h>
#include <string.h>
#include <sys/mman.h>

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "keys/keyring.h"
#include "keys/sign.h"

#define SALT_BYTES 16
#define TAG_BYTES  32
#define M_KIB_MAX  (1u << 20)
#define T_MAX      16
#define P_MAX      4
#define MAC_LABEL  "password"

struct kdf_memory {
	uint8_t *p; /* NULL: none */
	size_t n;
	struct arena *a; /* holds this */
};

struct kdf_record {
	struct kdf_cost cost;
	unsigned char salt[SALT_BYTES], tag[TAG_BYTES];
};

/* libargon2's callbacks take no context: the block of the hash this thread is computing. */
static _Thread_local struct kdf_memory *current;

static int
give(uint8_t **memory, size_t bytes)
{
	if (current == NULL || bytes > current->n)
		return ARGON2_MEMORY_ALLOCATION_ERROR;
	*memory = current->p;
	return ARGON2_OK;
}

/* The block stays; libargon2 has wiped it before (FLAG_clear_internal_memory). */
static void
take_back(uint8_t *memory UNUSED, size_t bytes UNUSED)
{
}

static bool
memory_reserve(struct kdf_memory *m, uint32_t m_kib, struct err *err)
{
	size_t n = (size_t)m_kib * 1024;

	if (n <= m->n)
		return true;
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no %u KiB for password hashing", m_kib);
	madvise(p, n, MADV_DONTDUMP);
	madvise(p, n, MADV_HUGEPAGE); /* fewer page walks; an optimisation only */
	if (m->p != NULL)
		munmap(m->p, m->n);
	m->p = p;
	m->n = n;
	return true;
}

bool
kdf_memory_create(uint32_t m_kib, struct kdf_memory **out, struct err *err)
{
	struct kdf_memory *m;
	struct arena *a;

	if (m_kib == 0 || m_kib > M_KIB_MAX ||
	    (m = arena_create_with(sizeof(*m) + 64, sizeof(*m), &a)) == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no %u KiB for password hashing", m_kib);
	m->a = a;
	if (!memory_reserve(m, m_kib, err)) {
		kdf_memory_destroy(m);
		return false;
	}
	*out = m;
	return true;
}

void
kdf_memory_destroy(struct kdf_memory *m)
{
	if (m == NULL)
		return;
	if (m->p != NULL)
		munmap(m->p, m->n);
	arena_destroy(m->a);
}

bool
kdf_argon2id(struct kdf_memory *m, const struct kdf_cost *cost, struct bytes password,
	     const unsigned char salt[16], unsigned char raw[32], struct err *err)
{
	unsigned char own_salt[SALT_BYTES];
	argon2_context ctx = {
		.out = raw,
		.outlen = TAG_BYTES,
		.pwd = (uint8_t *)(uintptr_t)password.p, /* read only: no flag to clear is set */
		.pwdlen = (uint32_t)password.n,
		.salt = own_salt,
		.saltlen = SALT_BYTES,
		.t_cost = cost->t,
		.m_cost = cost->m_kib,
		.lanes = cost->p,
		.threads = 1, /* a lane more is work more, never a thread more */
		.version = ARGON2_VERSION_13,
		.allocate_cbk = give,
		.free_cbk = take_back,
		.flags = ARGON2_DEFAULT_FLAGS,
	};

	if (password.n > KDF_PASSWORD_MAX)
		return FAIL(err, ERR_INPUT, NULL, "password is longer than %d octets",
			    KDF_PASSWORD_MAX);
	if (cost->t < 1 || cost->t > T_MAX || cost->p < 1 || cost->p > P_MAX ||
	    cost->m_kib < 8 * cost->p || cost->m_kib > M_KIB_MAX)
		return FAIL(err, ERR_INTERNAL, NULL, "password hashing cost is out of range");
	if (!memory_reserve(m, cost->m_kib, err))
		return false;
	memcpy(own_salt, salt, SALT_BYTES);
	current = m;
	int rc = argon2_ctx(&ctx, Argon2_id);

	current = NULL;
	if (rc != ARGON2_OK)
		return FAIL(err, ERR_INTERNAL, NULL, "Argon2: %s", argon2_error_message(rc));
	return true;
}

/* Go past a literal; false and *s untouched when it is not there. */
static bool
skip(const char **s, const char *literal)
{
	size_t n = strlen(literal);

	if (strncmp(*s, literal, n) != 0)
		return false;
	*s += n;
	return true;
}

/* The text up to `stop`, then go past it; NULL when there is no such character. */
static const char *
until(struct arena *a, const char **s, char stop)
{
	const char *end = strchr(*s, stop);

	if (end == NULL)
		return NULL;
	const char *text = arena_strndup(a, *s, (size_t)(end - *s));

	*s = end + 1;
	return text;
}

static bool
number(struct arena *a, const char **s, char stop, uint32_t max, uint32_t *out)
{
	const char *text = until(a, s, stop);
	uint64_t n;

	if (text == NULL || !text_to_u64(text, max, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

static bool
octets(struct arena *a, const char *text, unsigned char *out, size_t n)
{
	struct bytes b;

	if (text == NULL || !dec_base64url(a, bytes_of(text), &b, NULL) || b.n != n)
		return false;
	memcpy(out, b.p, n);
	return true;
}

static bool
record_parse(struct arena *a, const char *s, struct kdf_record *r)
{
	return skip(&s, "$argon2id$v=19$m=") && number(a, &s, ',', M_KIB_MAX, &r->cost.m_kib) &&
	       skip(&s, "t=") && number(a, &s, ',', T_MAX, &r->cost.t) && skip(&s, "p=") &&
	       number(a, &s, ',', P_MAX, &r->cost.p) && skip(&s, "keyid=") &&
	       (r->cost.pepper = until(a, &s, '$')) != NULL && key_kid_is_valid(r->cost.pepper) &&
	       octets(a, until(a, &s, '$'), r->salt, SALT_BYTES) && octets(a, s, r->tag, TAG_BYTES);
}

static const char *
record_build(struct arena *a, const struct kdf_record *r)
{
	return arena_printf(a, "$argon2id$v=19$m=%u,t=%u,p=%u,keyid=%s$%s$%s", r->cost.m_kib,
			    r->cost.t, r->cost.p, r->cost.pepper,
			    enc_base64url(a, (struct bytes){r->salt, SALT_BYTES}),
			    enc_base64url(a, (struct bytes){r->tag, TAG_BYTES}));
}

/* Argon2id, then the pepper: the tag for this password, salt and cost. */
static bool
tag_make(struct kdf_memory *m, struct signer *s, struct arena *a, const struct kdf_cost *cost,
	 struct bytes password, const unsigned char salt[16], unsigned char tag[32],
	 struct err *err)
{
	unsigned char *raw = arena_alloc(a, TAG_BYTES);

	return kdf_argon2id(m, cost, password, salt, raw, err) &&
	       signer_mac(s, a, KEY_PEPPER, cost->pepper, MAC_LABEL, (struct bytes){raw, TAG_BYTES},
			  tag, err);
}

bool
kdf_hash(struct kdf_memory *m, struct signer *s, struct arena *a, const struct kdf_cost *cost,
	 struct bytes password, const char **record, struct err *err)
{
	struct kdf_record r = {.cost = *cost};

	rand_bytes(r.salt, sizeof(r.salt));
	if (!tag_make(m, s, a, cost, password, r.salt, r.tag, err))
		return false;
	*record = record_build(a, &r);
	return true;
}

bool
kdf_verify(struct kdf_memory *m, struct signer *s, struct arena *a, const char *record,
	   const struct kdf_cost *cost, struct bytes password, bool *matches, struct err *err)
{
	struct kdf_record r = {.cost = *cost};
	unsigned char tag[TAG_BYTES];

	if (record != NULL && !record_parse(a, record, &r))
		return FAIL(err, ERR_INTERNAL, NULL, "stored password hash cannot be read");
	if (!tag_make(m, s, a, &r.cost, password, r.salt, tag, err))
		return false;
	bool equal =
		bytes_eq_secret((struct bytes){tag, TAG_BYTES}, (struct bytes){r.tag, TAG_BYTES});

	*matches = record != NULL && equal;
	return true;
}

bool
kdf_needs_rehash(struct arena *a, const char *record, const struct kdf_cost *cost)
{
	struct kdf_record r;

	return !record_parse(a, record, &r) || r.cost.m_kib != cost->m_kib || r.cost.t != cost->t ||
	       r.cost.p != cost->p || strcmp(r.cost.pepper, cost->pepper) != 0;
}
