/* What a party is signed and encrypted with; see party_suite.h. */
#include "idp/party_suite.h"

#include "base/clock.h"
#include "saml/status.h"

#define DAY_S 86400

/* 1 << enum sig_alg of each that an active key makes. */
static unsigned
algs_of(const struct keyring *kr)
{
	const struct sig_alg_row *row;
	unsigned have = 0;

	for (size_t i = 0; (row = sig_alg_at(i)) != NULL; i++)
		if (keyring_active(kr, KEY_SAML_SIGN, row->type) != NULL)
			have |= 1u << row->alg;
	return have;
}

bool
party_suite(const struct party *p, const struct keyring *kr, time_t now,
	    const struct saml_suite **out, struct err *err)
{
	const struct saml_sign_wish wish = {p->policy.suite, algs_of(kr), now};

	return saml_choose_suite(p->saml, &wish, out, err);
}

bool
party_suite_next(const struct party *p, const struct keyring *kr, time_t now,
		 const struct saml_suite **out, struct err *err)
{
	unsigned have = algs_of(kr);
	const struct sig_alg_row *row;
	const struct key *k;

	for (size_t i = 0; (k = keyring_shown(kr, KEY_SAML_SIGN, &i)) != NULL;)
		for (size_t j = 0; k->row.state == KEY_PUBLISHED && (row = sig_alg_at(j)) != NULL;
		     j++)
			if (row->type == k->row.type)
				have |= 1u << row->alg;
	const struct saml_sign_wish wish = {p->policy.suite, have, now};

	return saml_choose_suite(p->saml, &wish, out, err);
}

bool
party_suite_exists(const struct party *p, time_t now, struct err *err)
{
	const struct saml_sign_wish wish = {p->policy.suite, SAML_SIGN_ALL, now};
	const struct saml_suite *suite;

	return saml_choose_suite(p->saml, &wish, &suite, err);
}

bool
party_can_encrypt(const struct party *p, struct err *err)
{
	return p->policy.encrypt != ENCRYPT_ALWAYS || p->saml->recipient.key != NULL ||
	       FAIL(err, ERR_DENIED, SAML_REQUEST_DENIED,
		    "assertions are to be encrypted always (encrypt), and there is no key for it");
}

const char *
party_old_day(struct arena *a, const struct party *p)
{
	if (p->policy.old_until == 0)
		return NULL;
	return arena_strndup(a, clock_text(a, p->policy.old_until - 1), 10);
}

const char *
party_old_warning(struct arena *a, const struct party *p, time_t now)
{
	time_t until = p->policy.old_until;

	if (until == 0 || p->saml == NULL || until - now > PARTY_OLD_WARNS_S)
		return NULL;
	if (until <= now)
		return arena_printf(a, "rsa-sha256 ended for it on %s (old-until)",
				    party_old_day(a, p));
	return arena_printf(a, "rsa-sha256 ends for it on %s (old-until), in %lld days",
			    party_old_day(a, p), (long long)((until - now) / DAY_S));
}

json_t *
party_suite_json(struct arena *a, const struct party *p, const struct keyring *kr, time_t now)
{
	const struct xmlenc_recipient *to = &p->saml->recipient;
	bool encrypts = to->key != NULL && p->policy.encrypt != ENCRYPT_NEVER;
	json_t *o = json_new_object(a);
	const struct saml_suite *suite;
	struct err why = {0};

	if (party_suite(p, kr, now, &suite, &why)) {
		json_put_str(a, o, "signature", suite->name);
		json_put_str(a, o, "key_type", key_type_name(key_type_of_sig(suite->make)));
	} else {
		json_put_str(a, o, "problem", why.text);
	}
	json_put_str(a, o, "content", encrypts ? xmlenc_content_word(to->content) : NULL);
	json_put_str(a, o, "key_transport", encrypts ? xmlenc_transport_word(to->transport) : NULL);
	json_put_str(a, o, "old_until", party_old_day(a, p));
	json_put_str(a, o, "warning", party_old_warning(a, p, now));
	return o;
}
