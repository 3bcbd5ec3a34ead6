/*
 * The readers of browser and back-channel parameters: whatever an
 * authorization request holds, its answer goes to the registered URI.
 */
#include <stdlib.h>

#include "oidc/answer.h"
#include "oidc/authorize.h"
#include "oidc/logout.h"
#include "oidc/token.h"
#include "oidc/userinfo.h"
#include "tests/fuzz/fuzz_query.h"

#define URI "https://portal.example/cb"

static const char *const uris[] = {URI};
static const char *const scopes[] = {"openid", "profile"};
static const struct oidc_client client = {
	.client_id = "c1",
	.redirect_uris = {uris, 1},
	.post_logout_redirect_uris = {uris, 1},
	.scopes = {scopes, 2},
	.default_max_age_s = -1,
	.profile = &oidc_profiles[0],
	.response_types = OIDC_TYPE_CODE | OIDC_TYPE_CODE_ID_TOKEN,
};

static void
must_lead_to_portal(const char *url)
{
	const char *next = url + sizeof(URI) - 1;

	if (!text_starts(url, URI) || (*next != '?' && *next != '#' && *next != '\0') ||
	    !text_is_visible_ascii(url, 1 << 20))
		abort();
}

static void
authorize(struct arena *a, const struct params *ps)
{
	const struct oidc_return *r;
	struct err err = {0};
	struct oidc_authorize rq;
	struct oidc_start start;
	struct oidc_answer answer = {.code = "code"};
	struct oidc_carrier c;

	if (!oidc_authorize_start(ps, &start, NULL) ||
	    !oidc_return_prove(a, &client, start.redirect_uri, start.state, start.way, &r, NULL))
		return;
	if (!oidc_authorize_parse(a, ps, &client, &rq, &err))
		answer = (struct oidc_answer){.error = oidc_error_of(&err)};
	else if (!oidc_strs_have(rq.scopes, "openid") || strlen(rq.challenge) != 43 ||
		 (start.way.type == OIDC_TYPE_CODE_ID_TOKEN &&
		  (rq.nonce == NULL || start.way.mode == OIDC_MODE_QUERY)))
		abort();
	if (oidc_return_wants_jwt(r))
		answer.response = "a.b.c";
	if (!oidc_return_send(a, r, "https://idp.example", &answer, &c, NULL))
		abort();
	must_lead_to_portal(c.location != NULL ? c.location : c.action);
}

static void
others(struct arena *a, const struct params *ps)
{
	struct oidc_code_request code;
	struct oidc_logout logout;
	const char *text, *header = NULL;
	bool dpop;

	(void)!oidc_token_grant_type(ps, &text, NULL);
	(void)!oidc_code_request_parse(ps, &code, NULL);
	params_find(ps, "authorization", &header);
	(void)!oidc_bearer_parse(header, ps, &(struct params){0}, &text, &dpop, NULL);
	if (oidc_logout_parse(a, ps, &logout, NULL) &&
	    oidc_logout_check(a, &logout, NULL, &client, &text, NULL) && text != NULL)
		must_lead_to_portal(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);

	if (a != NULL && size <= 64 << 10) {
		const struct params ps = query_params(a, (struct bytes){data, size});

		authorize(a, &ps);
		others(a, &ps);
	}
	arena_destroy(a);
	return 0;
}
