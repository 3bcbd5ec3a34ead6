/* What becomes different of a party's keys; see metadata_diff.h. */
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "saml/metadata_diff_part.h"

static bool
serves(const struct saml_party_key *k, bool signing)
{
	return k->pub != NULL && (signing ? k->signing : k->encryption);
}

static size_t
count_keys(const struct saml_party *p, bool signing)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_keys; i++)
		n += serves(&p->keys[i], signing);
	return n;
}

/* By the key itself: a certificate is a box around it (SAML2MetaIOP 2.6.1). */
static bool
has_key(const struct saml_party *p, const struct saml_party_key *k, bool signing)
{
	for (size_t i = 0; i < p->n_keys; i++)
		if (serves(&p->keys[i], signing) && EVP_PKEY_eq(p->keys[i].pub, k->pub) == 1)
			return true;
	return false;
}

/* The fingerprint of this one. */
static const char *
sha256_of(const struct saml_party *p, const EVP_PKEY *key)
{
	for (size_t i = 0; i < p->n_keys; i++)
		if (p->keys[i].pub == key)
			return p->keys[i].sha256;
	return "";
}

/* No key of this use is left of those there were. */
static bool
all_replaced(const struct diff *d, bool signing)
{
	for (size_t i = 0; i < d->before->n_keys; i++)
		if (serves(&d->before->keys[i], signing) &&
		    has_key(d->after, &d->before->keys[i], signing))
			return false;
	return count_keys(d->before, signing) > 0;
}

static void
find_gone(struct diff *d, bool signing, const char *consequence)
{
	if (count_keys(d->before, signing) > 0 && count_keys(d->after, signing) == 0)
		diff_find(d, "", "it has no %s key any more: %s",
			  signing ? "signing" : "encryption", consequence);
}

static void
find_replaced(struct diff *d, bool signing)
{
	if (!all_replaced(d, signing))
		return;
	for (size_t i = 0; i < d->after->n_keys; i++)
		if (serves(&d->after->keys[i], signing))
			diff_find(d, d->after->keys[i].sha256,
				  "%s key %s takes the place of all keys of this use there were",
				  signing ? "signing" : "encryption", d->after->keys[i].sha256);
}

void
look_signing_gone(struct diff *d)
{
	find_gone(d, true, "what it signs cannot be verified");
}

/* By the key that is used: a key that lists nothing we do is none (saml/choose.h). */
void
look_encryption_gone(struct diff *d)
{
	if (d->before->recipient.key != NULL && d->after->recipient.key == NULL &&
	    count_keys(d->after, false) > 0)
		diff_find(d, "",
			  "it has no encryption key any more that we can use: assertions would "
			  "go in clear");
	find_gone(d, false, "assertions would go in clear");
}

void
look_signing_replaced(struct diff *d)
{
	find_replaced(d, true);
}

void
look_encryption_replaced(struct diff *d)
{
	find_replaced(d, false);
}

void
look_encryption_weaker(struct diff *d)
{
	const struct xmlenc_recipient *was = &d->before->recipient, *is = &d->after->recipient;

	if (was->key != NULL && was->transport != XMLENC_OAEP_SHA1 && is->key != NULL &&
	    is->transport == XMLENC_OAEP_SHA1)
		diff_find(d, "", "its best key transport is now rsa-oaep-mgf1p, with SHA-1");
}

/* By order or methods as well: whose key it is decides who reads. */
void
look_recipient(struct diff *d)
{
	const EVP_PKEY *was = d->before->recipient.key, *is = d->after->recipient.key;

	if (was != NULL && is != NULL && EVP_PKEY_eq(was, is) != 1)
		diff_find(d, sha256_of(d->after, is), "assertions would be encrypted to key %s",
			  sha256_of(d->after, is));
}

/* Keys of `list` that `other` does not have for this use. */
static void
find_keys(struct diff *d, const struct saml_party *list, const struct saml_party *other,
	  bool signing, const char *verdict)
{
	for (size_t i = 0; i < list->n_keys; i++)
		if (serves(&list->keys[i], signing) && !has_key(other, &list->keys[i], signing))
			diff_find(d, list->keys[i].sha256, "%s key %s is %s",
				  signing ? "signing" : "encryption", list->keys[i].sha256,
				  verdict);
}

/* With it requests, attribute queries and logouts could be signed. */
void
look_signing_new(struct diff *d)
{
	find_keys(d, d->after, d->before, true, "new");
}

void
look_keys(struct diff *d)
{
	find_keys(d, d->before, d->after, true, "gone");
	find_keys(d, d->after, d->before, false, "new");
	find_keys(d, d->before, d->after, false, "gone");
}

static bool
has_certificate(const struct saml_party *p, const char *sha256)
{
	for (size_t i = 0; i < p->n_keys; i++)
		if (text_eq(p->keys[i].sha256, sha256))
			return true;
	return false;
}

void
look_certificate(struct diff *d)
{
	for (size_t i = 0; i < d->after->n_keys; i++) {
		const struct saml_party_key *k = &d->after->keys[i];

		if (k->pub != NULL && !has_certificate(d->before, k->sha256) &&
		    (has_key(d->before, k, true) || has_key(d->before, k, false)))
			diff_find(d, k->sha256, "a key it had comes in another certificate: %s",
				  k->sha256);
	}
}
