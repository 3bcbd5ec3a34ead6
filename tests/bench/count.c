/*
 * Warm logins in one process, for counting what they cost in instructions, or refreshes:
 *   count saml|oidc|refresh TIMES
 * The route table, signer and database lanes of the program without a socket (tests/flow);
 * what the portal and the browser of the test do is counted with it.
 */
#include <stdio.h>

#include "base/text.h"
#include "tests/flow/world.h"
#include "tests/test.h"

#define PASSWORD "Lachs-Turmuhr-Wiese-47"

static const char *const person[] = {"given_names", "Erika", "family_name", "Mustermann", NULL};

static const char *
fresh_request(struct world *w)
{
	static int n;

	return saml_request_url(w, arena_printf(w->a, "_count%d", n++), "", "");
}

static void
saml(struct web *b)
{
	web_get(b, fresh_request(b->w));
	if (web_field(b, "SAMLResponse") == NULL)
		fail_msg("no Response: %d", b->status);
}

static void
oidc(struct web *b)
{
	web_get(b, oidc_request_url(b->w, "openid profile", ""));
	const char *code = location_param(b, "code");

	if (code == NULL)
		fail_msg("no code: %d", b->status);
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, code));
	web_userinfo(b, between(b->w->a, b->body, "\"access_token\":\"", "\""));
	if (b->status != 200)
		fail_msg("no claims: %d", b->status);
}

/* With the token that the last one gave; NULL: log in for the first. */
static void
refresh(struct web *b)
{
	static const char *token;

	b->w->now++; /* of two uses: what depends on the time is written anew */
	if (token == NULL) {
		web_get(b, oidc_request_url(b->w, "openid profile", ""));
		web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, location_param(b, "code")));
	} else {
		web_token(
			b, oidc_basic(b->w),
			arena_printf(b->w->a, "grant_type=refresh_token&refresh_token=%s", token));
	}
	if (b->status != 200)
		fail_msg("no token: %d %s", b->status, b->body);
	token = between(b->w->a, b->body, "\"refresh_token\":\"", "\"");
}

int
main(int argc, char **argv)
{
	static void (*const loads[])(struct web * b) = {saml, oidc, refresh};
	static const char *const names[] = {"saml", "oidc", "refresh"};
	void (*load)(struct web * b) = NULL;
	void *state = NULL;
	struct web b;

	for (size_t i = 0; argc == 3 && i < ARRAY_LEN(loads); i++)
		if (text_eq(argv[1], names[i]))
			load = loads[i];
	if (load == NULL) {
		fprintf(stderr, "usage: count saml|oidc|refresh TIMES\n");
		return 2;
	}
	if (world_setup(&state) != 0)
		return 1;
	struct world *w = state;

	if (load == refresh)
		world_oidc_client(w, ",\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
				     "\"refresh_tokens\":\"session\"");
	world_person(w, "erika", PASSWORD, person, LEVEL_SUBSTANTIAL);
	web_init(&b, w);
	web_get(&b, load == saml ? fresh_request(w) : oidc_request_url(w, "openid profile", ""));
	web_submit(&b, "/flow/password/", "login_name=erika&password=" PASSWORD "&do=login");
	if (web_shows(&b, "/flow/consent/"))
		web_submit(&b, "/flow/consent/", "do=agree");
	for (unsigned long n = strtoul(argv[2], NULL, 10); n > 0; n--) {
		load(&b);
		b.body = b.location = NULL;
	}
	return world_teardown(&state);
}
