/* Clients that ask until a person has answered; see polled.h. */
#include "tests/flow/polled.h"

#include "base/enc.h"

int
polled_fresh(void **state)
{
	struct world *w = *state;

	pg_sql(w->pg, "DELETE FROM polled; DELETE FROM outbox");
	w->config.mail_relay = NULL;
	return steps_fresh(state);
}

const char *
karl_was_there(struct world *w)
{
	struct web b;

	web_init(&b, w);
	return karl_at_the_client(&b);
}

const char *
karl_sub(struct world *w)
{
	return text_member(oidc_token_says(w, karl_was_there(w)), "sub");
}

/* "": it is good. */
static const char *
error_of(struct web *tv)
{
	const char *error = web_member(tv, "error");

	assert_int_equal(tv->status == 200, error == NULL);
	return error == NULL ? "" : error;
}

const char *
try_begin(struct web *tv, const char *form)
{
	web_as_client(tv, "/oidc/backchannel", form);
	return error_of(tv);
}

const char *
begin(struct web *tv, const char *sub, const char *more)
{
	assert_string_equal(
		try_begin(tv, arena_printf(tv->w->a, "scope=openid+profile&login_hint=%s%s", sub,
					   more)),
		"");
	const char *id = web_member(tv, "auth_req_id");

	/* CIBA 7.3: of these alone */
	assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    ".-_"),
			 strlen(id));
	return id;
}

const char *
redeem(struct web *tv, const char *auth_req_id)
{
	web_as_client(
		tv, "/oidc/token",
		arena_printf(tv->w->a, "grant_type=" CIBA_GRANT "&auth_req_id=%s", auth_req_id));
	return error_of(tv);
}

const char *
redeem_device(struct web *tv, const char *device_code)
{
	web_as_client(
		tv, "/oidc/token",
		arena_printf(tv->w->a, "grant_type=" DEVICE_GRANT "&device_code=%s", device_code));
	return error_of(tv);
}

void
open_list(struct web *b)
{
	web_get(b, "/requests");
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	assert_true(web_shows(b, "Anfragen von Portalen"));
}

void
agree(struct web *b)
{
	open_list(b);
	web_submit(b, "/requests", "do=agree");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", "do=agree");
}
