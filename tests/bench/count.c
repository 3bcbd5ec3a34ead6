/*
 * Warm logins in one process, for counting what they cost in instructions:
 *   count saml|oidc LOGINS
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

int
main(int argc, char **argv)
{
	bool is_saml = argc == 3 && text_eq(argv[1], "saml");
	void *state = NULL;
	struct web b;

	if (argc != 3 || (!is_saml && !text_eq(argv[1], "oidc"))) {
		fprintf(stderr, "usage: count saml|oidc LOGINS\n");
		return 2;
	}
	if (world_setup(&state) != 0)
		return 1;
	struct world *w = state;

	world_person(w, "erika", PASSWORD, person, LEVEL_SUBSTANTIAL);
	web_init(&b, w);
	web_get(&b, is_saml ? fresh_request(w) : oidc_request_url(w, "openid profile", ""));
	web_submit(&b, "/flow/password/", "login_name=erika&password=" PASSWORD "&do=login");
	if (web_shows(&b, "/flow/consent/"))
		web_submit(&b, "/flow/consent/", "do=agree");
	for (unsigned long n = strtoul(argv[2], NULL, 10); n > 0; n--) {
		is_saml ? saml(&b) : oidc(&b);
		b.body = b.location = NULL;
	}
	return world_teardown(&state);
}
