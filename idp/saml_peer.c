/* The SAML side of a party; see saml_peer.h. */
#include "idp/saml_peer.h"

#include <string.h>

#include "idp/app.h"
#include "idp/config.h"
#include "idp/party_member.h"
#include "idp/party_metadata.h"
#include "idp/party_suite.h"
#include "idp/refusal.h"
#include "idp/show.h"
#include "keys/sign.h"

const char *
saml_our_url(const struct request *rq, const char *path)
{
	return arena_printf(rq->a, "%s%s", rq->app->config->base_url, path);
}

enum saml_binding
saml_binding_of(const struct request *rq)
{
	return rq->method == HTTP_GET ? SAML_BINDING_REDIRECT : SAML_BINDING_POST;
}

bool
saml_receive(struct request *rq, enum saml_binding binding, const struct saml_message **m,
	     const struct party **p, struct err *err)
{
	struct bytes raw = binding == SAML_BINDING_REDIRECT ? bytes_of(rq->query_raw) : rq->body;

	if (!saml_message_decode(rq->a, binding, raw, m, err))
		return false;
	if (!party_find_saml(rq, saml_message_issuer(*m), p, err))
		return false;
	refusal_of(rq, *p, false);
	return party_check_time(*p, rq->now, err);
}

bool
saml_expect(const struct saml_message *m, enum saml_kind kind, struct err *err)
{
	return saml_message_kind(m) == kind ||
	       FAIL(err, ERR_INPUT, "portal_request", "another kind of message");
}

bool
saml_prove(struct request *rq, const struct saml_message *m, const struct party *p,
	   enum saml_kind kind, const struct saml_verified **v, struct err *err)
{
	if (!saml_expect(m, kind, err) || !saml_message_verify(rq->a, m, p->saml, v, err))
		return false;
	refusal_of(rq, p, true);
	return true;
}

bool
saml_receive_soap(struct request *rq, enum saml_kind kind, const struct party **p,
		  const struct saml_verified **v, struct err *err)
{
	const struct saml_message *m;

	return saml_receive(rq, SAML_BINDING_SOAP, &m, p, err) &&
	       saml_prove(rq, m, *p, kind, v, err);
}

const struct saml_suite *
saml_suite_first(const struct keyring *kr, enum key_purpose purpose)
{
	const struct saml_suite *s;

	for (size_t i = 0; (s = saml_suite_at(i)) != NULL; i++)
		if (s->make != SIG_NONE && !s->old &&
		    keyring_active(kr, purpose, key_type_of_sig(s->make)) != NULL)
			return s;
	return NULL;
}

bool
saml_signer_of(struct arena *a, const struct keyring *kr, struct signer *signer,
	       enum key_purpose purpose, enum sig_alg alg, struct saml_signer *out, struct err *err)
{
	const struct key *k = keyring_active(kr, purpose, key_type_of_sig(alg));
	struct key_ops *ops = ARENA_NEW(a, struct key_ops);

	if (k == NULL) /* second line: a suite is chosen among those with a key */
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active %s key of type %s",
			    key_purpose_name(purpose), key_type_name(key_type_of_sig(alg)));
	*ops = signer_key_ops(signer);
	*out = (struct saml_signer){
		.ops = ops,
		.kid = k->row.kid,
		.suite = saml_suite_by_alg(alg),
		.cert_der = k->row.cert,
	};
	return true;
}

bool
saml_peer_of(struct request *rq, const struct party *p, struct saml_peer *out, struct err *err)
{
	static const enum saml_encrypt encrypt[] = {
		[ENCRYPT_AUTO] = SAML_ENCRYPT_AUTO,
		[ENCRYPT_NEVER] = SAML_ENCRYPT_NEVER,
		[ENCRYPT_ALWAYS] = SAML_ENCRYPT_ALWAYS,
	};
	struct saml_policy *policy = ARENA_NEW(rq->a, struct saml_policy);
	struct saml_signer *signer = ARENA_NEW(rq->a, struct saml_signer);

	*policy = (struct saml_policy){
		.accept_unsigned = p->policy.accept_unsigned,
		.sign = SAML_SIGN_BOTH,
		.encrypt = encrypt[p->policy.encrypt],
	};
	const struct saml_suite *suite;

	*out = (struct saml_peer){p->saml, policy, signer};
	return party_check_time(p, rq->now, err) &&
	       party_suite(p, rq->snap->keyring, rq->now, &suite, err) &&
	       saml_signer_of(rq->a, rq->snap->keyring, rq->app->signer, KEY_SAML_SIGN, suite->make,
			      signer, err);
}

bool
saml_peer_ready(struct request *rq, const struct party *p, struct saml_peer *out, struct err *err)
{
	if (!saml_peer_of(rq, p, out, err))
		return false;
	return signer_key_ready(rq->app->signer, out->signer->kid) ||
	       FAIL(err, ERR_UNAVAILABLE, NULL, "the HSM with key %s is away", out->signer->kid);
}

void
saml_decryption_keys(struct request *rq, struct xmlenc_keys *out)
{
	struct key_ops *ops = ARENA_NEW(rq->a, struct key_ops);
	const struct keyring *kr = rq->snap->keyring;
	const struct key *k;
	size_t n = 0, used = 0;

	for (size_t i = 0; keyring_each(kr, &i) != NULL;)
		n++;
	const char **kids = ARENA_ARRAY(rq->a, const char *, n + 1);

	/* Retired ones too: a peer may still hold older metadata. */
	for (size_t i = 0; (k = keyring_each(kr, &i)) != NULL;)
		if (k->row.purpose == KEY_DECRYPT && k->row.state != KEY_GONE)
			kids[used++] = k->row.kid;
	*ops = signer_key_ops(rq->app->signer);
	*out = (struct xmlenc_keys){ops, kids, used};
}

const char *
url_origin(struct arena *a, const char *url)
{
	const char *host = strstr(url, "://");

	if (host == NULL) /* a native client's own scheme: CSP3 2.3.1 scheme-source */
		return arena_strndup(a, url, strcspn(url, ":") + 1);
	return arena_strndup(a, url, (size_t)(host - url) + 3 + strcspn(host + 3, "/?#"));
}

bool
saml_send(struct request *rq, const struct saml_carrier *carrier, const struct party *p,
	  struct response *rs, struct err *err)
{
	const struct param fields[] = {{carrier->name, carrier->value},
				       {"RelayState", carrier->relay_state}};

	if (carrier->envelope.n > 0) {
		response_soap(rs, 200, carrier->envelope);
		return true;
	}
	if (carrier->location != NULL) {
		response_redirect(rs, carrier->location);
		return true;
	}
	return show_post(rq, rs, carrier->action, fields, carrier->relay_state == NULL ? 1 : 2,
			 p->display_name, err);
}
