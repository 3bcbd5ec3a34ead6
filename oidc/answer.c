/* Answers to authorization requests; see answer.h. */
#include "oidc/answer.h"

#include "oidc/redirect.h"

#define FIELDS_MAX  6
#define JWT_LIVES_S 600 /* JARM 2.1 */

struct oidc_return {
	const char *client_id, *uri, *state;
	struct oidc_way way;
};

bool
oidc_return_prove(struct arena *a, const struct oidc_client *client, const char *redirect_uri,
		  const char *state, struct oidc_way way, const struct oidc_return **out,
		  struct err *err)
{
	if (client == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "no such client");
	if (!oidc_client_redirects_to(client, redirect_uri))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "redirect_uri is not registered");
	struct oidc_return *r = ARENA_NEW(a, struct oidc_return);

	*r = (struct oidc_return){client->client_id, redirect_uri, state, way};
	*out = r;
	return true;
}

/* Those that are there. */
static size_t
fields_of(const struct oidc_return *r, const char *issuer, const struct oidc_answer *answer,
	  struct param *fields)
{
	const struct oidc_error *e = answer->error;
	const struct param told[FIELDS_MAX] = {
		{"error", e == NULL ? NULL : e->name},
		{"error_description", e == NULL ? NULL : e->description},
		{"code", answer->code},
		{"id_token", answer->id_token},
		{"state", r->state},
		{"iss", issuer},
	};
	size_t n = 0;

	for (size_t i = 0; i < FIELDS_MAX; i++)
		if (told[i].value != NULL)
			fields[n++] = told[i];
	return n;
}

bool
oidc_return_wants_jwt(const struct oidc_return *r)
{
	return r->way.jwt;
}

json_t *
oidc_return_claims(struct arena *a, const struct oidc_return *r, const char *issuer,
		   const struct oidc_answer *answer, time_t now)
{
	json_t *o = json_new_object(a);
	struct param fields[FIELDS_MAX];
	size_t n = fields_of(r, issuer, answer, fields);

	for (size_t i = 0; i < n; i++)
		json_put_str(a, o, fields[i].name, fields[i].value);
	json_put_str(a, o, "aud", r->client_id);
	json_put_i64(a, o, "exp", now + JWT_LIVES_S);
	return o;
}

bool
oidc_return_send(struct arena *a, const struct oidc_return *r, const char *issuer,
		 const struct oidc_answer *answer, struct oidc_carrier *out, struct err *err)
{
	struct param *fields = ARENA_ARRAY(a, struct param, FIELDS_MAX);
	size_t n = 1;

	if (r->way.jwt != (answer->response != NULL))
		return FAIL(err, ERR_INTERNAL, NULL,
			    "an answer that is not signed as it should be");
	if (r->way.jwt)
		fields[0] = (struct param){"response", answer->response};
	else
		n = fields_of(r, issuer, answer, fields);
	if (r->way.mode == OIDC_MODE_FORM_POST) {
		*out = (struct oidc_carrier){.action = r->uri, .fields = fields, .n_fields = n};
		return true;
	}
	*out = (struct oidc_carrier){0};
	return oidc_uri_with(a, r->uri, r->way.mode == OIDC_MODE_FRAGMENT, fields, n,
			     &out->location, err);
}
