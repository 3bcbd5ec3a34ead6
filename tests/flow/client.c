/* Clients that are told something, or that sign what they ask; see client.h. */
#include "tests/flow/client.h"

#include "base/text.h"
#include "idp/fetch.h"
#include "idp/outbox.h"

struct far far;

const char *
karl_at_the_client(struct web *b)
{
	struct web token;

	web_get(b, oidc_request_url(b->w, "openid", ""));
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", "do=agree");
	assert_true(text_starts(b->location, OIDC_BACK "?"));
	web_init(&token, b->w);
	return text_member(web_redeem(&token, location_param(b, "code")), "id_token");
}

static bool
far_post(struct arena *a UNUSED, const struct fetch_post *what, struct fetch_answer *out,
	 struct err *err)
{
	far.n_requests++;
	far.url = arena_strdup(far.w->a, what->url);
	far.type = arena_strdup(far.w->a, what->type);
	far.bearer = what->bearer == NULL ? NULL : arena_strdup(far.w->a, what->bearer);
	far.body = arena_strndup(far.w->a, (const char *)what->body.p, what->body.n);
	assert_null(what->action);
	assert_non_null(what->inside);
	if (far.status == 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	*out = (struct fetch_answer){far.status, {NULL, 0}};
	return true;
}

void
far_answers(struct world *w, long status)
{
	far = (struct far){.w = w, .status = status};
	w->app.post = far_post;
	pg_sql(w->pg, "DELETE FROM outbox");
}

bool
send_one(struct world *w)
{
	struct arena *a = arena_create(64 << 20);
	struct err err = {0};
	bool sent;

	ASSERT_OK(outbox_send_one(&w->app, a, w->now, &sent, &err), &err);
	arena_destroy(a);
	return sent;
}

const char *
client_jwks(struct world *w)
{
	const struct oidc_jwk key = {w->keys->p256.kid, OIDC_ES256, w->keys->p256.pub};
	struct err err = {0};
	const char *jwks;

	ASSERT_OK(oidc_jwks_build(w->a, &(struct oidc_jwks){.keys = &key, .n = 1}, &jwks, &err),
		  &err);
	return jwks;
}

const char *
client_signs(struct world *w, const char *typ, const char *members)
{
	const char *text = arena_printf(
		w->a, "{\"iss\":\"" OIDC_CLIENT "\",\"aud\":\"" BASE "\",%s}", members);
	struct key_ops ops = w->keys->ops;
	struct err err = {0};
	const char *compact;
	json_t *claims;

	ASSERT_OK(json_parse_object(w->a, bytes_of(text), 65536, &claims, &err), &err);
	ASSERT_OK(oidc_jws_build(w->a, &ops, w->keys->p256.kid, OIDC_ES256, typ, claims, &compact,
				 &err),
		  &err);
	return compact;
}
