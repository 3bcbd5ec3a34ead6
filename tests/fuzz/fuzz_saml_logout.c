/*
 * LogoutRequest, LogoutResponse and AttributeQuery as XML, signed beside it by the party they
 * name: parsing and checking.
 */
#include <stdlib.h>
#include <string.h>

#include "saml/attribute_query.h"
#include "saml/logout.h"
#include "tests/fuzz/fuzz_signed.h"

#define SLO "https://konto.example/saml/slo"

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
		(void)!(saml_header_check_place(&req->header, SLO, NULL) &&
			saml_logout_request_check(req, &saml_window_default, req->header.issued_at,
						  NULL));
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
	const struct saml_verified *v;
	struct saml_party party;

	if (fuzz_signed(a, param, xml, &party, &v))
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
