/* What people and programs do while something fails; see scenes.h. */
#include "tests/fail/scenes.h"

#include "base/text.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/flow/home.h"

bool scene_fails;

/* ---- what people do ---- */

static unsigned serial;

static bool
came(struct web *b, enum page page)
{
	return b->status == 200 && page_of(b) == page;
}

static bool
to_consent(struct web *b, const char *url)
{
	web_get(b, url);
	if (!came(b, LOGIN))
		return false;
	log_in(b, "karl");
	return came(b, CONSENT);
}

static bool
saml_login(struct web *b)
{
	const char *id = arena_printf(b->w->a, "_fail%u", serial++);

	if (!to_consent(b, saml_request_url(b->w, id, "", "")))
		return false;
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return came(b, ANSWER) && succeeded(b) &&
	       strstr(saml_response_of(b), "erika@example.invalid") != NULL;
}

/* With the account of a federation's member. */
static bool
login_elsewhere(struct web *b)
{
	struct world *w = b->w;

	web_get(b, saml_request_url(w, arena_printf(w->a, "_fail%u", serial++), "", ""));
	if (!came(b, LOGIN) || !web_shows(b, "/flow/home/"))
		return false;
	web_get(b, arena_printf(w->a, "/flow/home/%s", flow_of(b)));
	if (b->status != 200 || !web_shows(b, "value=\"" PROVIDER_ENTITY "\""))
		return false;
	home_choose(b, BADEN);
	if (b->status != 303 || !text_starts(b->location, PROVIDER_SSO "?"))
		return false;
	struct home_request q = home_request(b);
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(b, &p);
	if (!came(b, CONSENT))
		return false;
	assert_true(web_shows(b, "Berta Beispiel"));
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return came(b, ANSWER) && succeeded(b) &&
	       strstr(saml_response_of(b), "berta@example.invalid") != NULL;
}

static bool
oidc_login(struct web *b)
{
	if (!to_consent(b, oidc_request_url(b->w, "openid profile", "")))
		return false;
	web_submit(b, "/flow/consent/", "do=agree");
	const char *code = location_param(b, "code");

	if (code == NULL)
		return false;
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, code));
	const char *token =
		b->status == 200 ? json_string_value(json_object_get(web_json(b), "access_token"))
				 : NULL;

	if (token == NULL)
		return false;
	web_userinfo(b, token);
	return b->status == 200 && json_object_get(web_json(b), "sub") != NULL;
}

static bool
logout(struct web *b)
{
	bool failing = scene_fails;

	scene_fails = false;
	bool in = saml_login(b);

	scene_fails = failing;
	if (!in)
		return false;
	web_get(b, "/logout");
	if (b->status != 200 || !web_shows(b, "action=\"/logout\""))
		return false;
	web_submit(b, "/logout", "do=logout");
	return b->status == 200 && web_cookie(b, "__Host-session") == NULL;
}

/* A portal's word: when it is told that all is over, it is. */
static bool
logout_by_portal(struct web *b)
{
	static const char left[] =
		"SELECT count(*) FROM session_participant WHERE session_index = '%s'";
	struct world *w = b->w;
	bool failing = scene_fails;

	scene_fails = false;
	bool in = saml_login(b);

	scene_fails = failing;
	if (!in)
		return false;
	const char *response = saml_response_of(b), *name = strstr(response, "<saml:NameID");
	const char *index = between(w->a, response, "SessionIndex=\"", "\"");

	assert_string_equal(world_value(w, arena_printf(w->a, left, index)), "1");
	web_get(b, saml_logout_url(w, arena_printf(w->a, "_fail%u", serial++),
				   between(w->a, name, ">", "</saml:NameID>"), index));
	if (!text_starts(b->location, SAML_SLO "?SAMLResponse="))
		return false;
	assert_string_equal(world_value(w, arena_printf(w->a, left, index)), "0");
	return true;
}

/* Up to the page that asks for a code, or that shows a new app. */
static bool
to_second_means(struct web *b, const char *login_name, enum page page)
{
	web_get(b, saml_request_url(b->w, arena_printf(b->w->a, "_fail%u", serial++), "", LEVEL3));
	if (!came(b, LOGIN))
		return false;
	log_in(b, login_name);
	return came(b, page);
}

static bool
give_code(struct web *b)
{
	if (!to_second_means(b, "erika", CODE))
		return false;
	web_submit(b, "/flow/totp/", arena_printf(b->w->a, "code=%s&do=login", world_code(b->w)));
	return came(b, CONSENT);
}

/* Its step counts anew. */
static void
forget_codes(struct world *w)
{
	pg_sql(w->pg, "UPDATE credential SET last_step = 0 WHERE kind = 'totp'");
}

static bool
one_time_code(struct web *b)
{
	forget_codes(b->w);
	if (!give_code(b))
		return false;
	web_submit(b, "/flow/consent/", "do=agree");
	return came(b, ANSWER) && succeeded(b) &&
	       strstr(saml_response_of(b), "STORK-QAA-Level-3") != NULL;
}

/* Never lets anybody in. */
static bool
one_time_code_again(struct web *b)
{
	bool failing = scene_fails;
	struct web other;

	scene_fails = false;
	forget_codes(b->w);
	web_init(&other, b->w);
	assert_true(give_code(&other));
	scene_fails = failing;
	return give_code(b);
}

static bool
app_set_up(struct web *b)
{
	const char *name = arena_printf(b->w->a, "app%u", serial++);
	bool failing = scene_fails;

	scene_fails = false;
	world_person(b->w, name, PASSWORD, everybody, LEVEL_BASIC);
	scene_fails = failing;
	if (!to_second_means(b, name, ENROLL))
		return false;
	web_submit(b, "/flow/enroll/",
		   arena_printf(b->w->a, "code=%s&do=enroll", web_shown_code(b)));
	return came(b, CONSENT);
}

static bool
registration(struct web *b)
{
	web_get(b, "/register");
	if (b->status != 200 || !web_shows(b, "action=\"/register/"))
		return false;
	web_submit(b, "/register/",
		   arena_printf(b->w->a,
				"given_names=Max&family_name=Muster&birth_date_day=1&"
				"birth_date_month=2&birth_date_year=1990&country=DE&"
				"email=max%%40example.invalid&login_name=max%u&"
				"new_password=Pflaume-Regal-83&password_repeat=Pflaume-Regal-83&"
				"store_consent=1&do=register",
				serial++));
	return b->status == 200 && web_cookie(b, "__Host-session") != NULL;
}

/* Never lets anybody in; "true" is that it did. */
static bool
wrong_password(struct web *b)
{
	web_get(b, "/login");
	if (!came(b, LOGIN))
		return false;
	web_submit(b, "/flow/password/", "login_name=karl&password=Falsch-Falsch-1&do=login");
	return web_cookie(b, "__Host-session") != NULL;
}

static bool
wrong_verifier(struct web *b)
{
	bool failing = scene_fails;

	scene_fails = false;
	if (to_consent(b, oidc_request_url(b->w, "openid", "")))
		web_submit(b, "/flow/consent/", "do=agree");
	scene_fails = failing;
	const char *code = location_param(b, "code");

	assert_non_null(code);
	const char *form = oidc_redeem_form(b->w, code), *at = strstr(form, PKCE_VERIFIER);

	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "%.*sx%s", (int)(at - form), form, at + 1));
	return b->status == 200;
}

/* ---- what programs do, at a portal that one person has agreed to ---- */

#define PROGRAMS SCENES_PROGRAMS
#define ART      "https://bau.example/artifact"

static char paula[64]; /* as that portal knows him */

/* Of a message whose answer shows it; as long as what is masked. */
static const char *
fresh_id(struct world *w)
{
	return arena_printf(w->a, "_of_a_message_%u", serial++);
}

/* The envelope of one more kind, from that portal, sent as a program; its answer. */
static bool
told_by_soap(struct web *b, const char *path, const char *envelope)
{
	web_program(b, path, SOAP_CONTENT_TYPE, envelope);
	return b->status == 200 && web_shows(b, "status:Success\"") && web_shows(b, ">Mustermann<");
}

static bool
sign_on_of_client(struct web *b, const char *password)
{
	struct world *w = b->w;

	w->saml_party = PROGRAMS;
	const char *envelope = ecp_envelope(w, &(struct ecp_asking){.id = fresh_id(w)});

	w->saml_party = NULL;
	b->authorization = ecp_basic(w, "paula", password);
	return told_by_soap(b, ECP_ENDPOINT, envelope);
}

static bool
client_login(struct web *b)
{
	return sign_on_of_client(b, PASSWORD);
}

static bool
client_with_a_wrong_password(struct web *b)
{
	return sign_on_of_client(b, "Falsch-Falsch-1");
}

static bool
attribute_query(struct web *b)
{
	struct world *w = b->w;
	const struct query_asking about = {
		.id = fresh_id(w), .name = paula, .format = SAML_NAMEID_PERSISTENT};

	w->saml_party = PROGRAMS;
	const char *envelope = query_envelope(w, &about);

	w->saml_party = NULL;
	return told_by_soap(b, QUERY_ENDPOINT, envelope);
}

/* A login that the browser carries an artifact away from; NULL: none. */
static const char *
artifact_login(struct web *b)
{
	struct world *w = b->w;

	w->saml_party = PROGRAMS;
	w->acs = ART;
	const char *url = saml_request_url(w, fresh_id(w), "", "");

	w->saml_party = NULL;
	w->acs = NULL;
	web_get(b, url);
	if (!came(b, LOGIN))
		return NULL;
	log_in(b, "paula");
	return b->location != NULL && text_starts(b->location, ART) ? location_param(b, "SAMLart")
								    : NULL;
}

static bool
resolve(struct web *b, const char *artifact)
{
	struct world *w = b->w;

	w->saml_party = PROGRAMS;
	const char *envelope = saml_artifact_envelope(w, fresh_id(w), artifact);

	w->saml_party = NULL;
	return told_by_soap(b, "/saml/artifact", envelope);
}

static bool
login_by_artifact(struct web *b)
{
	const char *artifact = artifact_login(b);

	return artifact != NULL && resolve(b, artifact);
}

/* Never gives anything. */
static bool
artifact_again(struct web *b)
{
	bool failing = scene_fails;

	scene_fails = false;
	const char *artifact = artifact_login(b);

	assert_non_null(artifact);
	assert_true(resolve(b, artifact));
	scene_fails = failing;
	return resolve(b, artifact);
}

/* That portal; paula logs in there once and agrees. */
static void
set_up_programs(struct world *w)
{
	struct web b;

	w->saml_party = PROGRAMS;
	w->saml_acs = "<md:AssertionConsumerService index=\"4\" Binding=\"" SAML_BINDING_URI_PAOS
		      "\" Location=\"" ECP_ACS "\"/><md:AssertionConsumerService index=\"5\" "
		      "Binding=\"" SAML_BINDING_URI_ARTIFACT "\" Location=\"" ART "\"/>";
	world_saml_party(w, "{\"ecp\":\"yes\",\"attribute-query\":\"yes\","
			    "\"attribute\":[\"family_name:required\"]}");
	w->saml_acs = NULL;
	world_person(w, "paula", PASSWORD, everybody, LEVEL_BASIC);
	web_init(&b, w);
	ask(&b, "",
	    "<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"" SAML_NAMEID_PERSISTENT "\"/>");
	log_in(&b, "paula");
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, ANSWER);
	const char *name = strstr(saml_response_of(&b), "<saml:NameID ");

	assert_non_null(name);
	(void)snprintf(paula, sizeof(paula), "%s", between(w->a, name, ">", "</saml:NameID>"));
	w->saml_party = NULL;
}

/* ---- clients that ask until a person has answered ---- */

#define CIBA   "urn:openid:params:grant-type:ciba"
#define DEVICE "urn:ietf:params:oauth:grant-type:device_code"

static char karl[64]; /* as the client knows him */

/* What a run before has left is no limit for this one. */
static void
forget_requests(struct world *w)
{
	pg_sql(w->pg, "UPDATE polled SET created = 1, expires = 1");
}

static const char *
told(struct web *b, const char *name)
{
	return b->status == 200 ? web_member(b, name) : NULL;
}

static bool
redeem(struct web *b, const char *grant, const char *name, const char *code)
{
	web_as_client(b, "/oidc/token",
		      arena_printf(b->w->a, "grant_type=%s&%s=%s", grant, name, code));
	return told(b, "access_token") != NULL;
}

/* At a page of ours with that form, after a login: agree there and at the consent. */
static bool
say_yes(struct web *b, const char *action)
{
	if (b->status != 200 || !web_shows(b, arena_printf(b->w->a, "action=\"%s\"", action)))
		return false;
	web_submit(b, action, "do=agree");
	if (came(b, LOGIN))
		log_in(b, "karl");
	if (!came(b, CONSENT))
		return false;
	web_submit(b, "/flow/consent/", "do=agree");
	return b->status == 200;
}

static bool
device_login(struct web *b)
{
	forget_requests(b->w);
	web_as_client(b, "/oidc/device_authorization", "scope=openid+profile");
	const char *code = told(b, "device_code"), *url = told(b, "verification_uri_complete");

	if (code == NULL)
		return false;
	web_get(b, url);
	return say_yes(b, "/device") && redeem(b, DEVICE, "device_code", code);
}

static bool
named_person(struct web *b)
{
	forget_requests(b->w);
	web_as_client(b, "/oidc/backchannel",
		      arena_printf(b->w->a, "scope=openid+profile&binding_message=7&login_hint=%s",
				   karl));
	const char *id = told(b, "auth_req_id");

	if (id == NULL)
		return false;
	web_get(b, "/requests");
	if (!came(b, LOGIN))
		return false;
	log_in(b, "karl");
	return say_yes(b, "/requests") && redeem(b, CIBA, "auth_req_id", id);
}

/* The client; karl logs in there once and agrees. */
static void
set_up_client(struct world *w)
{
	struct web b;

	world_oidc_document(
		w,
		arena_printf(w->a,
			     "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
			     "\",\"redirect_uris\":[\"" OIDC_BACK
			     "\"],\"scope\":\"openid profile email address\",\"grant_types\":"
			     "[\"authorization_code\",\"" CIBA "\",\"" DEVICE
			     "\"],\"backchannel_token_delivery_mode\":\"poll\"},"
			     "\"secret_sha256\":\"%s\"}",
			     oidc_secret_digest(w)),
		"{\"consent\":\"always\"}");
	web_init(&b, w);
	assert_true(to_consent(&b, oidc_request_url(w, "openid", "")));
	web_submit(&b, "/flow/consent/", "do=agree");
	const json_t *t = web_redeem(&b, location_param(&b, "code"));
	const json_t *says = oidc_token_says(w, text_member(t, "id_token"));

	(void)snprintf(karl, sizeof(karl), "%s", text_member(says, "sub"));
}

void
scenes_set_up(struct world *w)
{
	set_up_client(w);
	set_up_programs(w);
	home_be_members(w, true);
}

const struct scene scenes[] = {
	{"SAML login", saml_login, true},
	{"SAML login with an account elsewhere", login_elsewhere, true},
	{"OpenID Connect login and redemption", oidc_login, true},
	{"a device's login and redemption", device_login, true},
	{"a named person's answer and redemption", named_person, true},
	{"logout", logout, true},
	{"logout by a portal", logout_by_portal, true},
	{"login with a one-time code", one_time_code, true},
	{"setting up an app", app_set_up, true},
	{"registration", registration, true},
	{"login with a wrong password", wrong_password, false},
	{"redemption with a wrong verifier", wrong_verifier, false},
	{"login with a code that was used", one_time_code_again, false},
	{"login of a client without a browser", client_login, true},
	{"the same with a wrong password", client_with_a_wrong_password, false},
	{"attribute query", attribute_query, true},
	{"SAML login by artifact and its resolution", login_by_artifact, true},
	{"resolution of an artifact that was used", artifact_again, false},
};

const size_t n_scenes = ARRAY_LEN(scenes);
