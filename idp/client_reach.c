/* Trying a client's URLs; see client_reach.h. */
#include "idp/client_reach.h"

#include "base/text.h"
#include "idp/client_report.h"
#include "oidc/jwk.h"

#define REACH_MS    10000
#define ANSWER_MOST ((size_t)64 * 1024)

static bool
read_keys(struct arena *a, const struct config *config, const struct oidc_client *c,
	  const char **what, struct err *err)
{
	const struct fetch_get get = {
		.url = c->jwks_uri,
		.ca_file = config->outbound_ca,
		.accept = "application/jwk-set+json, application/json",
		.max_bytes = OIDC_JWKS_MAX_BYTES,
		.timeout_ms = REACH_MS,
		.inside = &config->outbound_inside,
	};
	struct oidc_client *with = ARENA_NEW(a, struct oidc_client);
	struct fetch_got got;

	*with = *c;
	if (!fetch_get(a, &get, &got, err) || !oidc_client_take_keys(a, with, got.body, err))
		return false;
	*what = arena_printf(a, "keys: %zu", with->jwks.n);
	return true;
}

static bool
knock(struct arena *a, const struct config *config, const char *url, const char **what,
      struct err *err)
{
	const struct fetch_post post = {
		.url = url,
		.ca_file = config->outbound_ca,
		.type = "application/x-www-form-urlencoded",
		.max_bytes = ANSWER_MOST,
		.timeout_ms = REACH_MS,
		.inside = &config->outbound_inside,
	};
	struct fetch_answer answer;

	if (!fetch_post(a, &post, &answer, err))
		return false;
	*what = arena_printf(a, "it answers with %ld", answer.status);
	return true;
}

json_t *
client_reach(struct arena *a, const struct config *config, const struct oidc_client *c)
{
	struct client_call calls[CLIENT_CALLS];
	json_t *list = json_new_array(a);

	client_report_calls(c, calls);
	for (size_t i = 0; i < CLIENT_CALLS; i++) {
		json_t *row = json_new_object(a);
		struct err err = {0};
		const char *what;

		if (calls[i].url == NULL)
			continue;
		bool reached = text_eq(calls[i].member, "jwks_uri")
				       ? read_keys(a, config, c, &what, &err)
				       : knock(a, config, calls[i].url, &what, &err);

		json_put_str(a, row, "member", calls[i].member);
		json_put_str(a, row, "url", calls[i].url);
		json_put_bool(a, row, "reached", reached);
		json_put_str(a, row, "what", reached ? what : err.text);
		json_push(a, list, row);
	}
	return list;
}
