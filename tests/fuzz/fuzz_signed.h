/* Any XML as a message that the party it names has signed, beside it. */
#ifndef KONTOR_TESTS_FUZZ_FUZZ_SIGNED_H
#define KONTOR_TESTS_FUZZ_FUZZ_SIGNED_H

#include "base/enc.h"
#include "saml/message.h"
#include "tests/saml/fixture.h"

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

/* False when it is no message.  *party, whom it is from, lives as long as *v. */
static bool
fuzz_signed(struct arena *a, const char *param, struct bytes xml, struct saml_party *party,
	    const struct saml_verified **v)
{
	const struct saml_message *m;
	struct bytes query;

	if (!signed_query(a, param, xml, &query) ||
	    !saml_message_decode(a, SAML_BINDING_REDIRECT, query, &m, NULL))
		return false;
	*party = (struct saml_party){
		.entity_id = saml_message_issuer(m),
		.signing = fixture_keys(),
	};
	return saml_message_verify(a, m, party, v, NULL);
}

#endif
