/* What the tests of single steps share; see steps.h. */
#include "tests/flow/steps.h"

#include "base/text.h"

const char *const everybody[] = {"given_names", "Erika", "family_name",
				 "Mustermann",  "email", "erika@example.invalid",
				 NULL};

struct subject_id erika_id;

int
steps_setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	erika_id = world_person(w, "erika", PASSWORD, everybody, LEVEL_SUBSTANTIAL);
	world_totp(w, erika_id);
	world_person(w, "karl", PASSWORD, everybody, LEVEL_BASIC);
	world_saml_party(w, POLICY);
	return world_fresh(state);
}

int
steps_fresh(void **state)
{
	struct world *w = *state;

	w->now += 1800;
	return world_fresh(state);
}

void
ask(struct web *b, const char *extra, const char *inner)
{
	static int counter;

	web_get(b,
		saml_request_url(b->w, arena_printf(b->w->a, "_step%d", counter++), extra, inner));
}

void
log_in(struct web *b, const char *login_name)
{
	web_submit(
		b, "/flow/password/",
		arena_printf(b->w->a, "login_name=%s&password=" PASSWORD "&do=login", login_name));
}

void
enter_code(struct web *b)
{
	b->w->now += 60; /* a step counts once */
	web_submit(b, "/flow/totp/", arena_printf(b->w->a, "code=%s&do=login", world_code(b->w)));
}

void
log_out(struct web *b)
{
	web_get(b, "/logout");
	web_submit(b, "/logout", "do=logout");
}

void
log_in_aside(struct web *b, const char *login_name)
{
	web_get(b, "/login");
	log_in(b, login_name);
}

enum page
page_of(struct web *b)
{
	if (web_field(b, "SAMLResponse") != NULL || location_param(b, "code") != NULL)
		return ANSWER;
	if (web_field(b, "password") != NULL)
		return LOGIN;
	if (web_shows(b, "<svg"))
		return ENROLL;
	if (web_field(b, "code") != NULL)
		return CODE;
	if (web_field(b, "offer") != NULL)
		return CONSENT;
	return web_shows(b, "fehlt eine Angabe") ? MISSING : OTHER;
}

bool
succeeded(struct web *b)
{
	const char *response = saml_response_of(b);

	return response != NULL && strstr(response, "status:Success") != NULL;
}

void
forge(struct web *b, const char *page, const char *route, const char *flow, const char *fields)
{
	struct web old = *b;

	old.body = page;
	const char *offer = web_field(&old, "offer");

	web_post(b, route, flow,
		 arena_printf(b->w->a, "offer=%s&%s", offer == NULL ? "" : offer, fields));
}

const char *
flow_of(const struct web *b)
{
	assert_true(text_starts(b->path, "/flow/"));
	return b->path + strlen("/flow/");
}
