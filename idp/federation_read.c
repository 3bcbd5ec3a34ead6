/* Reading a copy of a federation's metadata; see federation_read.h. */
#include "idp/federation_read.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "idp/party.h"
#include "idp/party_metadata.h"
#include "keys/cert.h"
#include "saml/names.h"

#define CHUNK_ENTRIES  512
#define INDEX_BYTES    ((size_t)96 * 1024 * 1024)
#define SCRATCH_BYTES  ((size_t)64 * 1024 * 1024)
#define NAME_MOST      200
#define KEYWORDS_MOST  400
#define PIECE_LIMIT_US ((int64_t)10 * 1000000)
#define PIECE_ARENA    (FEDERATION_PIECE_BYTES * 16)

struct chunk {
	struct chunk *before;
	size_t n;
	struct federation_entry entries[CHUNK_ENTRIES];
};

struct names {
	struct names *before;
	struct federation_named named;
};

struct claims {
	struct claims *before;
	struct federation_claim claim;
};

struct federation_reading {
	struct arena *a;
	const struct federation_reader *o;
	struct saml_aggregate_options options;
	struct saml_aggregate *aggregate;
	struct hash_stream *octets; /* NULL: it is a stored one */
	size_t n_octets;
	struct federation_index *index; /* held once by the arena */
	struct arena *scratch;          /* for one member at a time */
	struct chunk *chunk;
	struct names *names;
	struct claims *claims;
	size_t n_claims;
	struct federation_policy policy; /* of members without one of their own; for its numbers */
};

/* ---- the index ---- */

void
federation_index_hold(struct federation_index *index)
{
	atomic_fetch_add_explicit(&index->refs, 1, memory_order_relaxed);
}

void
federation_index_release(struct federation_index *index)
{
	if (index != NULL && atomic_fetch_sub_explicit(&index->refs, 1, memory_order_acq_rel) == 1)
		arena_destroy(index->a);
}

static void
release(void *p)
{
	federation_index_release(p);
}

static void
destroy(void *p)
{
	arena_destroy(p);
}

int
federation_id_order(const void *x, const void *y)
{
	return memcmp(x, y, SHA256_BYTES);
}

const struct federation_entry *
federation_index_find(const struct federation_index *index, const unsigned char id[SHA256_BYTES])
{
	struct federation_entry wanted;

	if (index->n == 0)
		return NULL;
	memcpy(wanted.id, id, SHA256_BYTES);
	return bsearch(&wanted, index->p, index->n, sizeof(wanted), federation_id_order);
}

/* ---- names for people ---- */

/* One line of at most `most` octets, cut between characters; in the index. */
static const char *
keep_name(struct federation_reading *r, const char *text, size_t most)
{
	const char *line = text_one_line(r->scratch, text);
	size_t n = strlen(line);

	if (n > most)
		for (n = most; n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80;)
			n--;
	return arena_strndup(r->index->a, line, n);
}

/* Of these the first that says something: in this language (0 de, 1 en), else in any. */
static const char *
name_in(struct arena *a, const struct saml_entity *said, unsigned lang)
{
	const unsigned order[] = {SAML_SAID_NAME + lang,
				  SAML_SAID_NAME + 2,
				  SAML_SAID_ROLE_ORGANIZATION + lang,
				  SAML_SAID_ROLE_ORGANIZATION + 2,
				  SAML_SAID_ORGANIZATION + lang,
				  SAML_SAID_ORGANIZATION + 2};
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		text = saml_said_text(a, said->said[order[i]]);
		if (text[0] != '\0')
			return text;
	}
	text = party_host(a, said->entity_id);
	return text == NULL ? said->entity_id : text;
}

static const char *
keywords_of(struct arena *a, const struct saml_entity *said)
{
	const char *all = "";

	for (size_t i = SAML_SAID_KEYWORDS; i < SAML_SAID_MOST && said->said[i].p != NULL; i++) {
		char *words = arena_printf(a, "%s%s%s", all, all[0] == '\0' ? "" : " ",
					   saml_said_text(a, said->said[i]));

		for (char *p = words; *p != '\0'; p++)
			if (*p == '+')
				*p = ' ';
		all = words;
	}
	return all;
}

/* Where the browser is led to, as a policy of a page names it; NULL: nowhere. */
static const char *
origin_of(struct arena *a, const struct saml_entity *said)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-.:[]";

	for (size_t i = 0; i < ARRAY_LEN(said->sso); i++) {
		const char *url = said->sso[i];

		if (!text_starts(url, "https://"))
			continue;
		const char *host = url + strlen("https://");
		size_t n = strspn(host, allowed);

		if (n > 0 && n == strcspn(host, "/?#"))
			return arena_strndup(a, url, strlen("https://") + n);
	}
	return NULL;
}

/* ---- scopes ---- */

static void
add_claim(struct federation_reading *r, const char *scope, const char *entity_id, bool named)
{
	struct claims *c = ARENA_NEW(r->a, struct claims);

	c->before = r->claims;
	c->claim = (struct federation_claim){federation_scope_key(r->index->a, scope), entity_id,
					     named};
	r->claims = c;
	r->n_claims++;
}

/* Those that the rules give to members by name. */
static void
claim_named(struct federation_reading *r)
{
	const char *id;
	json_t *own;

	json_object_foreach((json_t *)(uintptr_t)r->o->rules->members, id, own)
	{
		const json_t *list = json_object_get(own, "scopes");
		const char *kept = arena_strdup(r->index->a, id);

		for (size_t i = 0; i < json_array_size(list); i++)
			add_claim(r, json_string_value(json_array_get(list, i)), kept, true);
	}
}

static const struct xml_node *
child(const struct xml_node *n, const char *ns, const char *name)
{
	for (const struct xml_node *c = n == NULL ? NULL : xml_first(n); c != NULL; c = xml_next(c))
		if (xml_is(c, ns, name))
			return c;
	return NULL;
}

static void
claim_of_role(struct federation_reading *r, const struct xml_node *role, const char *entity_id)
{
	const struct xml_node *extensions = child(role, SAML_NS_METADATA, "Extensions");
	const char *text;

	for (const struct xml_node *c = extensions == NULL ? NULL : xml_first(extensions);
	     c != NULL; c = xml_next(c))
		if (xml_is(c, SAML_NS_SHIBMD, "Scope") && xml_text(r->scratch, c, &text, NULL))
			add_claim(r, text_trim(r->scratch, text), entity_id, false);
}

/* More than the parser that verifies looks for: every one of them counts. */
static void
claim_parsed(struct federation_reading *r, const struct saml_entity *said, const char *entity_id)
{
	struct xml_doc *doc;

	if (!xml_parse(r->scratch, said->text, &xml_limits_metadata, &doc, NULL))
		return;
	for (const struct xml_node *c = xml_first(xml_root(doc)); c != NULL; c = xml_next(c))
		if (xml_is(c, SAML_NS_METADATA, "IDPSSODescriptor"))
			claim_of_role(r, c, entity_id);
}

/* Those of its metadata, where they are what it speaks for. */
static void
claim(struct federation_reading *r, const struct federation_policy *p, const char *entity_id,
      const struct saml_entity *said)
{
	if (!p->scoped || p->n_scopes > 0)
		return;
	if (said->n_scopes > SAML_SCOPES_MOST) {
		claim_parsed(r, said, entity_id);
		return;
	}
	for (size_t i = SAML_SAID_SCOPES; i < SAML_SAID_MOST && said->said[i].p != NULL; i++)
		add_claim(r, saml_said_text(r->scratch, said->said[i]), entity_id, false);
}

static void
end_claims(struct federation_reading *r)
{
	struct federation_claim *p = ARENA_ARRAY(r->index->a, struct federation_claim, r->n_claims);
	size_t n = 0;

	for (const struct claims *c = r->claims; c != NULL; c = c->before)
		p[n++] = c->claim;
	federation_claims_sort(p, n);
	r->index->claims = (struct federation_claims){p, n};
}

/* ---- identity providers ---- */

/* The rules have been judged: there is no policy that does not read. */
static struct federation_policy
policy_of(struct arena *a, const struct federation_rules *rules, const char *entity_id)
{
	struct federation_policy p = {.scoped = true};

	return federation_policy_of(a, rules, entity_id, LEVEL_HIGH, &p, NULL)
		       ? p
		       : (struct federation_policy){.scoped = true};
}

/* Who says of nothing where it can be asked is not chosen from. */
static void
note_provider(struct federation_reading *r, const struct saml_entity *said, bool hidden)
{
	struct arena *s = r->scratch;
	const struct federation_rules *rules = r->o->rules;
	const char *id = arena_strdup(r->index->a, said->entity_id);
	struct federation_policy policy =
		json_object_get(rules->members, id) == NULL ? r->policy : policy_of(s, rules, id);

	claim(r, &policy, id, said);
	if (hidden)
		return;
	const char *origin = origin_of(r->index->a, said);

	if (origin == NULL)
		return;
	struct names *n = ARENA_NEW(r->a, struct names);

	n->before = r->names;
	n->named = (struct federation_named){
		.choice = {.entity_id = id,
			   .source = r->o->source,
			   .de = keep_name(r, name_in(s, said, 0), NAME_MOST),
			   .en = keep_name(r, name_in(s, said, 1), NAME_MOST),
			   .keywords = keep_name(r, keywords_of(s, said), KEYWORDS_MOST),
			   .origin = origin,
			   .home_cap = policy.home_cap},
		.valid_until = said->valid_until};
	r->names = n;
	r->index->n_named++;
}

/* ---- required fields ---- */

/* What each of its roles that are taken must have. */
static void
check_fields(struct federation_reading *r, const struct saml_entity *said,
	     struct federation_entry *e)
{
	unsigned has = ~0u;

	for (unsigned role = SAML_ROLE_IDP; role <= SAML_ROLE_SP; role <<= 1) {
		const struct saml_party *p;

		if ((e->roles & role) == 0)
			continue;
		if (!saml_metadata_parse_role(r->scratch, said->text, said->entity_id,
					      role == SAML_ROLE_IDP, &p, NULL)) {
			e->filter = FEDERATION_UNREADABLE;
			return;
		}
		has &= federation_fields_of(p) |
		       (said->valid_until != 0 ? FEDERATION_VALID_UNTIL : 0);
	}
	e->missing = (uint16_t)(r->o->rules->required & ~has);
	if (e->missing != 0)
		e->filter = FEDERATION_FIELDS;
}

/* ---- reading ---- */

static struct federation_entry *
next_entry(struct federation_reading *r)
{
	if (r->chunk == NULL || r->chunk->n == CHUNK_ENTRIES) {
		struct chunk *chunk = ARENA_NEW(r->a, struct chunk);

		chunk->before = r->chunk;
		r->chunk = chunk;
	}
	r->index->n++;
	return &r->chunk->entries[r->chunk->n++];
}

static bool
member(void *ctx, const struct saml_entity *said, struct err *err)
{
	struct federation_reading *r = ctx;
	const struct federation_rules *rules = r->o->rules;
	struct federation_entry *e = next_entry(r);

	hash_sha256(bytes_of(said->entity_id), e->id);
	hash_sha256(said->text, e->digest);
	e->valid_until = said->valid_until;
	e->roles = (uint8_t)(said->roles & rules->roles);
	e->filter = (uint8_t)federation_filter(rules, said);
	if (e->filter == FEDERATION_TAKEN && rules->required != 0)
		check_fields(r, said, e);
	if (e->filter == FEDERATION_TAKEN && (e->roles & SAML_ROLE_IDP) != 0)
		note_provider(r, said, federation_is_hidden(rules, said->marks));
	arena_reset(r->scratch);
	r->index->n_filtered[e->filter]++;
	return r->o->member == NULL || r->o->member(r->o->ctx, e, said, err);
}

static bool
around(void *ctx, struct bytes octets, struct err *err)
{
	struct federation_reading *r = ctx;

	return r->o->around(r->o->ctx, octets, err);
}

/*
 * What is stored may be longer than what came: names of namespaces stand with each text.  And it
 * was taken: caps that were lowered since are for what comes next.
 */
static struct federation_reading *
read_begin(struct arena *a, const struct federation_reader *o, bool stored)
{
	struct federation_reading *r = ARENA_NEW(a, struct federation_reading);
	struct arena *own;

	r->a = a;
	r->o = o;
	r->scratch = arena_create(SCRATCH_BYTES);
	arena_defer(a, destroy, r->scratch);
	r->index = arena_create_with(INDEX_BYTES, sizeof(*r->index), &own);
	if (r->scratch == NULL || r->index == NULL)
		arena_leave(a);
	r->index->a = own;
	r->policy = policy_of(r->a, o->rules, "");
	atomic_init(&r->index->refs, 1);
	arena_defer(a, release, r->index);
	r->options = (struct saml_aggregate_options){
		.keys = o->keys,
		.max_bytes =
			stored ? FEDERATION_BYTES_MOST * FEDERATION_STORED : o->rules->bytes_most,
		.max_entities = stored ? FEDERATION_MEMBERS_MOST : o->rules->members_most,
		.max_entity_bytes =
			stored ? FEDERATION_MEMBER_BYTES_MOST : o->rules->member_bytes_most,
		.marks = o->rules->marks,
		.n_marks = federation_n_marks(o->rules),
		.entity = member,
		.around = o->around == NULL ? NULL : around,
		.ctx = r};
	if (!stored)
		r->octets = hash_stream_begin(a, "SHA256");
	r->aggregate = saml_aggregate_begin(a, &r->options);
	if ((o->rules->roles & SAML_ROLE_IDP) != 0)
		claim_named(r);
	return r;
}

struct federation_reading *
federation_read_begin(struct arena *a, const struct federation_reader *o)
{
	return read_begin(a, o, false);
}

bool
federation_read_add(struct federation_reading *r, struct bytes piece, struct err *err)
{
	if (r->octets != NULL)
		hash_stream_add(r->octets, piece);
	r->n_octets += piece.n;
	return saml_aggregate_add(r->aggregate, piece, err);
}

static bool
sort_entries(struct federation_reading *r, struct err *err)
{
	struct federation_entry *p = ARENA_ARRAY(r->index->a, struct federation_entry, r->index->n);
	size_t n = 0;

	for (const struct chunk *c = r->chunk; c != NULL; c = c->before) {
		memcpy(p + n, c->entries, c->n * sizeof(*p));
		n += c->n;
	}
	if (n > 0)
		qsort(p, n, sizeof(*p), federation_id_order);
	for (size_t i = 1; i < n; i++)
		if (federation_id_order(&p[i - 1], &p[i]) == 0)
			return FAIL(err, ERR_INPUT, NULL, "an entityID stands in it twice");
	r->index->p = p;
	return true;
}

static int
by_name(const void *x, const void *y)
{
	const struct federation_choice *p = &((const struct federation_named *)x)->choice;
	const struct federation_choice *q = &((const struct federation_named *)y)->choice;
	int names = strcmp(p->de, q->de);

	return names != 0 ? names : strcmp(p->entity_id, q->entity_id);
}

static void
sort_names(struct federation_reading *r)
{
	struct federation_named *p =
		ARENA_ARRAY(r->index->a, struct federation_named, r->index->n_named);
	const char *source = arena_strdup(r->index->a, r->o->source);
	size_t n = 0;

	for (const struct names *one = r->names; one != NULL; one = one->before) {
		p[n] = one->named;
		p[n++].choice.source = source;
	}
	if (n > 0)
		qsort(p, n, sizeof(*p), by_name);
	r->index->named = p;
}

bool
federation_read_end(struct federation_reading *r, struct federation_index **out, struct err *err)
{
	struct saml_aggregate_info info;
	struct hash_digest digest;

	if (!saml_aggregate_end(r->aggregate, &info, err))
		return false;
	/* SAML2Metadata 2.3.1; TR-03160-2 4.2.1.1: without an end who stole it could serve it for
	 * ever. */
	if (info.valid_until == 0)
		return FAIL(err, ERR_INPUT, NULL, "it has no validUntil");
	if (!sort_entries(r, err))
		return false;
	sort_names(r);
	end_claims(r);
	if (r->octets != NULL) {
		hash_stream_end(r->octets, &digest);
		memcpy(r->index->digest, digest.octets, SHA256_BYTES);
	}
	hash_sha256(info.digest, r->index->content);
	r->index->octets = r->n_octets;
	r->index->valid_until = info.valid_until;
	r->index->key = info.key;
	federation_index_hold(r->index);
	*out = r->index;
	return true;
}

/* ---- a stored one ---- */

/* Texts that are asked for at once, by number and by how long they are. */
#define TEXTS_MOST  256
#define TEXTS_BYTES ((size_t)1024 * 1024)

struct stored {
	struct federation_reading *r;
	struct db_call c; /* results live in an arena for one piece, or one batch of texts */
	const char *source;
};

/* What begins a piece: octets that stand around, or (digest not NULL) a member's text; *size: how
 * much of the piece that is. */
struct element {
	const unsigned char *digest;
	struct bytes around;
	size_t length, size;
};

static bool
next_element(struct bytes piece, struct element *out, struct err *err)
{
	size_t head = 0;
	uint32_t length;

	*out = (struct element){.digest = NULL};
	if (piece.n > 0 && piece.p[0] == FEDERATION_AROUND)
		head = FEDERATION_AROUND_BYTES;
	if (piece.n > 0 && piece.p[0] == FEDERATION_MEMBER)
		head = FEDERATION_MEMBER_BYTES;
	if (head == 0 || piece.n < head)
		return FAIL(err, ERR_INTERNAL, NULL, "a row of a federation's copy is damaged");
	memcpy(&length, piece.p + head - sizeof(length), sizeof(length));
	out->length = be32toh(length);
	out->size = head;
	if (head == FEDERATION_MEMBER_BYTES) {
		out->digest = piece.p + 1;
		return true;
	}
	if (out->length > piece.n - head)
		return FAIL(err, ERR_INTERNAL, NULL, "a row of a federation's copy is damaged");
	out->around = (struct bytes){piece.p + head, out->length};
	out->size += out->length;
	return true;
}

static bool
add_text(struct stored *s, struct bytes text, struct err *err)
{
	if (text.n == 0)
		return FAIL(err, ERR_INTERNAL, NULL,
			    "a text of a federation's copy is not in the database");
	return federation_read_add(s->r, text, err);
}

/* The first elements of a piece, with so many members that their texts come at once; *piece: what
 * is behind them. */
static bool
add_batch(struct stored *s, struct bytes *piece, struct err *err)
{
	unsigned char digests[TEXTS_MOST * SHA256_BYTES];
	const struct bytes *texts = NULL;
	struct element e;
	size_t n = 0, k = 0, octets = 0, taken = 0;

	for (; taken < piece->n && n < TEXTS_MOST && octets < TEXTS_BYTES; taken += e.size) {
		if (!next_element((struct bytes){piece->p + taken, piece->n - taken}, &e, err))
			return false;
		if (e.digest == NULL)
			continue;
		memcpy(digests + n++ * SHA256_BYTES, e.digest, SHA256_BYTES);
		octets += e.length;
	}
	s->c.deadline_us = clock_mono_us() + PIECE_LIMIT_US;
	if (!db_federation_texts(&s->c, s->source, (struct bytes){digests, n * SHA256_BYTES},
				 &texts, err))
		return false;
	for (size_t at = 0; at < taken; at += e.size) {
		bool ok = next_element((struct bytes){piece->p + at, taken - at}, &e, err) &&
			  (e.digest == NULL ? federation_read_add(s->r, e.around, err)
					    : add_text(s, texts[k++], err));

		if (!ok)
			return false;
	}
	*piece = (struct bytes){piece->p + taken, piece->n - taken};
	return true;
}

/* Piece n into the reading; *more is false: there is none. */
static bool
read_piece(struct stored *s, struct arena *a, int64_t seq, int64_t n, bool *more, struct err *err)
{
	const struct db_call c = {s->c.db, a, clock_mono_us() + PIECE_LIMIT_US};
	struct bytes piece;

	if (!db_federation_piece(&c, seq, n, &piece, err))
		return false;
	*more = piece.n > 0;
	for (bool ok = true; piece.n > 0;) {
		ok = add_batch(s, &piece, err);
		arena_reset(s->c.a);
		if (!ok)
			return false;
	}
	return true;
}

bool
federation_read_copy(const struct db_call *c, int64_t seq, const struct federation_reader *o,
		     struct federation_index **out, struct err *err)
{
	struct arena *pieces = arena_create(PIECE_ARENA), *texts = arena_create(SCRATCH_BYTES);
	struct stored s = {.c = {c->db, texts, 0}, .source = o->source};
	bool more = true, ok = true;

	arena_defer(c->a, destroy, pieces);
	arena_defer(c->a, destroy, texts);
	if (pieces == NULL || texts == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no memory for a federation's copy");
	s.r = read_begin(c->a, o, true);
	for (int64_t n = 0; more && ok; n++) {
		ok = read_piece(&s, pieces, seq, n, &more, err);
		arena_reset(pieces);
	}
	if (!ok || federation_read_end(s.r, out, err))
		return ok;
	/* It was what was signed when it was stored. */
	if (err->kind == ERR_DENIED && saml_aggregate_is_signed(s.r->aggregate))
		err->kind = ERR_INTERNAL;
	return false;
}

/* ---- signers ---- */

bool
federation_signers(struct arena *a, const char *pem, struct saml_keys *keys,
		   const struct bytes **sha256, struct err *err)
{
	struct bytes *digests;
	const struct bytes *ders;
	size_t n;

	if (!party_signers_parse(a, pem, keys, err) || !party_signers_certs(a, pem, &ders, &n, err))
		return false;
	digests = ARENA_ARRAY(a, struct bytes, n);
	for (size_t i = 0; i < n; i++) {
		unsigned char *d = arena_alloc(a, SHA256_BYTES);

		hash_sha256(ders[i], d);
		digests[i] = (struct bytes){d, SHA256_BYTES};
	}
	*sha256 = digests;
	return true;
}
