/* Choosing algorithms for a party; see choose.h. */
#include "saml/choose.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "keys/key_type.h"
#include "saml/xmlenc_alg.h"

/* ---- signatures ---- */

static int
bits_of(enum key_type type)
{
	const struct key_type_row *row = key_type_row(type);

	return row->curve == NULL ? KEY_RSA_BITS : (int)row->field_bytes * 8;
}

/* SAML2MetaAlgSup 2.4: what is not listed is not understood, unless nothing is. */
static bool
permits(const struct saml_party *p, const struct saml_suite *s)
{
	int bits = bits_of(key_type_of_sig(s->make));
	bool digest = p->n_digest_methods == 0, method = p->n_signing_methods == 0;

	for (size_t i = 0; i < p->n_digest_methods; i++)
		digest = digest || strcmp(p->digest_methods[i], s->digest_uri) == 0;
	for (size_t i = 0; i < p->n_signing_methods; i++) {
		const struct saml_signing_method *m = &p->signing_methods[i];

		method = method || (strcmp(m->uri, s->uri) == 0 && m->min_bits <= bits &&
				    (m->max_bits == 0 || m->max_bits >= bits));
	}
	return digest && method;
}

/* The party signs on the very curve: then it verifies there, too. */
static bool
is_its_curve(const struct saml_party *p, const struct saml_suite *s)
{
	for (size_t i = 0; i < p->signing.n; i++)
		if (!EVP_PKEY_is_a(p->signing.key[i], "RSA") &&
		    key_type_fits(key_type_of_sig(s->make), p->signing.key[i]))
			return true;
	return false;
}

/* What was found on the way through the table. */
struct found {
	const struct saml_suite *best, *keyless, *ended;
};

static void
consider(const struct saml_party *p, const struct saml_sign_wish *wish, const struct saml_suite *s,
	 struct found *f)
{
	if (s->old && p->old_until <= wish->now) {
		f->ended = s;
	} else if ((wish->have & 1u << s->make) == 0) {
		if (f->keyless == NULL)
			f->keyless = s;
	} else if (f->best == NULL || (is_its_curve(p, s) && !is_its_curve(p, f->best))) {
		f->best = s;
	}
}

static bool
nothing_found(const struct saml_party *p, const struct found *f, struct err *err)
{
	if (f->keyless != NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active saml-sign key of type %s",
			    key_type_name(key_type_of_sig(f->keyless->make)));
	if (f->ended != NULL && p->old_until == 0)
		return FAIL(err, ERR_DENIED, NULL,
			    "%s is for parties marked old alone (old-until), and this is none",
			    f->ended->name);
	if (f->ended != NULL)
		return FAIL(err, ERR_DENIED, NULL, "%s has ended for this party (old-until)",
			    f->ended->name);
	return FAIL(err, ERR_DENIED, NULL,
		    "its metadata permit no signature of the kind that our record names");
}

bool
saml_choose_suite(const struct saml_party *party, const struct saml_sign_wish *wish,
		  const struct saml_suite **out, struct err *err)
{
	struct found f = {NULL, NULL, NULL};
	const struct saml_suite *s;

	for (size_t i = 0; (s = saml_suite_at(i)) != NULL; i++)
		if (s->make != SIG_NONE && (wish->alg == SIG_NONE || wish->alg == s->make) &&
		    permits(party, s))
			consider(party, wish, s, &f);
	if (f.best == NULL)
		return nothing_found(party, &f, err);
	*out = f.best;
	return true;
}

const char *
saml_party_signing_problem(const struct saml_party *party)
{
	const struct saml_suite *s;

	for (size_t i = 0; (s = saml_suite_at(i)) != NULL; i++)
		if (s->make != SIG_NONE && permits(party, s))
			return NULL;
	return "its SigningMethods and DigestMethods name no signature that we make; SHA-1 is none "
	       "(TR-03116-4, SAML/XML Security: ECDSA or RSASSA-PSS with SHA-256 or longer)";
}

/* ---- encryption ---- */

static bool
has_word(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (text_eq(words[i], word))
			return true;
	return n == 0;
}

static bool
lists(const struct saml_party_key *key, const char *uri)
{
	for (size_t i = 0; i < key->n_methods; i++)
		if (strcmp(key->methods[i].uri, uri) == 0)
			return true;
	return false;
}

/* Does it list any method with one of these in its name? */
static bool
lists_some(const struct saml_party_key *key, const char *one, const char *other)
{
	for (size_t i = 0; i < key->n_methods; i++)
		if (strstr(key->methods[i].uri, one) != NULL ||
		    strstr(key->methods[i].uri, other) != NULL)
			return true;
	return false;
}

static bool
is_agreement(const struct saml_party_key *key)
{
	return EVP_PKEY_is_a(key->pub, "EC");
}

/* Of what the key lists, the strongest we have (XMLENC 1.1 5.2.4); NULL: nothing. */
static const struct xmlenc_content_row *
content_of(const struct saml_party_key *key, enum xmlenc_content wanted)
{
	bool any = !lists_some(key, "#aes", "#tripledes");
	bool any_wrap = !is_agreement(key) || !lists_some(key, "#kw-aes", "#kw-tripledes");
	const struct xmlenc_content_row *row;

	/* Of all implementations, each has AES-128 (XMLENC 1.1 5.1). */
	if (any && wanted == 0)
		wanted = XMLENC_A128GCM;
	for (size_t i = 0; (row = xmlenc_content_at(i)) != NULL; i++)
		if ((wanted == 0 || wanted == row->content) && (any || lists(key, row->uri)) &&
		    (any_wrap || lists(key, row->key_wrap_uri)))
			return row;
	return NULL;
}

/* The row's digest and mask are among those that the method lists, if it lists any. */
static bool
lists_transport(const struct saml_party_key *key, const struct xmlenc_transport_row *row)
{
	for (size_t i = 0; i < key->n_methods; i++) {
		const struct saml_encryption_method *m = &key->methods[i];

		if (strcmp(m->uri, row->uri) == 0 &&
		    has_word(m->digests, m->n_digests, row->digest_uri) &&
		    has_word(m->masks, m->n_masks, row->mgf_uri))
			return true;
	}
	return false;
}

static bool
fits(const struct saml_party_key *key, const struct xmlenc_transport_row *row)
{
	return EVP_PKEY_is_a(key->pub, row->key);
}

static const struct xmlenc_transport_row *
transport_of(const struct saml_party_key *key, enum xmlenc_transport wanted)
{
	bool any = !lists_some(key, "#rsa-", "#ECDH") && !lists_some(key, "#dh", "#x25519");
	const struct xmlenc_transport_row *row;

	for (size_t i = 0; (row = xmlenc_transport_at(i)) != NULL; i++)
		if (fits(key, row) && (wanted == 0 || wanted == row->transport) &&
		    (any || lists_transport(key, row)))
			return row;
	return NULL;
}

/* The first row that there is for keys of its kind. */
static bool
is_best(const struct saml_party_key *key, const struct xmlenc_transport_row *row)
{
	const struct xmlenc_transport_row *first;
	size_t i = 0;

	while ((first = xmlenc_transport_at(i)) != NULL && !fits(key, first))
		i++;
	return first == row;
}

bool
saml_choose_recipient(const struct saml_party *party, enum xmlenc_content content,
		      enum xmlenc_transport transport, struct xmlenc_recipient *out)
{
	bool found = false;

	for (size_t i = 0; i < party->n_keys; i++) {
		const struct saml_party_key *key = &party->keys[i];

		if (!key->encryption || key->pub == NULL)
			continue;
		const struct xmlenc_content_row *c = content_of(key, content);
		const struct xmlenc_transport_row *t = transport_of(key, transport);

		if (c == NULL || t == NULL || (found && !is_best(key, t)))
			continue;
		*out = (struct xmlenc_recipient){key->pub, c->content, t->transport, key->cert,
						 party->entity_id};
		found = true;
		if (is_best(key, t))
			return true;
	}
	return found;
}

const char *
saml_key_encryption_problem(const struct saml_party_key *key)
{
	if (content_of(key, 0) == NULL)
		return "its EncryptionMethods name no AES-GCM, with a key wrap of the same size; "
		       "CBC "
		       "is none (TR-03116-4, SAML/XML Security; XMLENC 1.1 5.2.4)";
	if (is_agreement(key) && transport_of(key, 0) == NULL)
		return "its EncryptionMethods name no ECDH-ES, the one for keys of its kind "
		       "(TR-03116-4, SAML/XML Security; XMLENC 1.1 5.6)";
	if (transport_of(key, 0) == NULL)
		return "its EncryptionMethods name neither rsa-oaep with SHA-256 throughout nor "
		       "rsa-oaep-mgf1p; RSA 1.5 is none (TR-03116-4, SAML/XML Security; XMLENC 1.1 "
		       "5.5.2)";
	return NULL;
}
