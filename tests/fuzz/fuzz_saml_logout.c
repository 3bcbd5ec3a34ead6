/*
 * LogoutRequest, LogoutResponse and AttributeQuery as XML, signed beside it by the party they
 * name: parsing and checking.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "saml/attribute_query.h"
#include "saml/logout.h"
#include "tests/saml/fixture.h"

#define SLO "https://konto.example/saml/slo"

/* Stored blocks: what is fuzzed is the XML, not zlib. */
static void
add_stored(struct buf *b, struct bytes xml)
{
	for (size_t at = 0; at == 0 || at < xml.n;) {
		size_t n = xml.n - at < 65535 ? xml.n - at : 65535;
		const unsigned char head[] = {
			at + n == xml.n,   (unsigned char)n,         (unsigned char)(n >> 8),
			(unsigned char)~n, (unsigned char)(~n >> 8),
		};

		buf_add(b, (struct bytes){head, sizeof(head)});
		buf_add(b, (struct bytes){xml.p + at, n});
		at += n > 0 ? n : 1;
	}
}

static bool
signed_query(struct arena *a, const char *param, struct bytes xml, struct bytes *out)
{
	const struct saml_suite *suite = saml_suite_by_name("ecdsa-sha256");
	struct bytes packed, octets;
	struct buf stored, b;

	buf_init(&stored, a, 1 << 20);
	add_stored(&stored, xml);
	if (!buf_finish(&stored, &packed, NULL))
		return false;
	buf_init(&b, a, 8 << 20);
	buf_str(&b, param);
	buf_str(&b, "=");
	enc_percent(&b, bytes_of(enc_base64(a, packed)));
	buf_str(&b, "&SigAlg=");
	enc_percent(&b, bytes_of(suite->uri));
	if (!buf_finish(&b, &octets, NULL))
		return false;
	octets = arena_bytes(a, octets);
	buf_str(&b, "&Signature=");
	enc_percent(&b, bytes_of(enc_base64(a, fixture_sign_octets(a, suite, octets))));
	return buf_finish(&b, out, NULL);
}

static void
read_message(struct arena *a, const struct saml_verified *v)
{
	const struct saml_logout_request *req;
	const struct saml_logout_response *res;
	const struct saml_attribute_query *query;

	if (saml_logout_request_parse(a, v, NULL, &req, NULL)) {
		if (req->nameid.value[0] == '\0' ||
		    req->n_session_indexes > SAML_SESSION_INDEXES_MAX)
			abort();
		(void)!saml_logout_request_check(req, SLO, &saml_window_default,
						 req->header.issued_at, NULL);
	}
	if (saml_attribute_query_parse(a, v, NULL, &query, NULL)) {
		if (query->subject.value[0] == '\0' || query->names.n > SAML_QUERY_NAMES_MAX)
			abort();
		(void)!saml_attribute_query_check_wish(query, NULL);
	}
	if (saml_logout_response_parse(a, v, &res, NULL))
		(void)!saml_logout_response_check(res, "_ours1", SLO, &saml_window_default,
						  res->header.issued_at, NULL);
}

static void
send(struct arena *a, const char *param, struct bytes xml)
{
	const struct saml_message *m;
	const struct saml_verified *v;
	struct bytes query;

	if (!signed_query(a, param, xml, &query) ||
	    !saml_message_decode(a, SAML_BINDING_REDIRECT, query, &m, NULL))
		return;
	const struct saml_party party = {
		.entity_id = saml_message_issuer(m),
		.signing = fixture_keys(),
	};

	if (saml_message_verify(a, m, &party, &v, NULL))
		read_message(a, v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);

	if (a == NULL)
		return 0;
	if (size > 0 && size <= 200 << 10)
		send(a,
		     memmem(data, size, "LogoutResponse", 14) != NULL ? "SAMLResponse"
								      : "SAMLRequest",
		     (struct bytes){data, size});
	arena_destroy(a);
	return 0;
}
