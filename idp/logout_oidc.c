/* Telling OpenID Connect clients that a session is over; see logout_send.h. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/rand.h"
#include "idp/config.h"
#include "idp/fetch.h"
#include "idp/jose.h"
#include "idp/logout_send.h"
#include "oidc/logout_token.h"
#include "oidc/redirect.h"

#define ANSWER_MAX ((size_t)16 * 1024) /* nobody reads it */
#define FORM_MAX   (OIDC_JWE_MAX_BYTES + 64)

/*
 * A refusal may be of this moment: the client has an older JWKS (publish.c has it kept for five
 * minutes), or a clock that is off.  It counts after so many tries, over so long a time.
 */
#define REFUSED_TRIES 3
#define REFUSED_S     600

#define CONTENT_TYPE  "application/x-www-form-urlencoded"

/*
 * Made anew at each try, by the keys and the record of that moment; signed and encrypted as ID
 * tokens are (Back-Channel Logout 1.0, 2.4).
 */
static bool
build(const struct outbox_try *t, const struct oidc_client *client, struct bytes *form,
      struct err *err)
{
	struct logout_content c;
	struct jose_maker m;
	const char *signed_token, *token;
	struct buf b;

	if (!logout_content_read(t->a, t->taken->item.content, &c, err) ||
	    !jose_maker_find(t->app, t->snap, client, client->id_token_alg,
			     &client->id_token_encryption, &m, err))
		return false;
	struct oidc_logout_token claims = {
		.issuer = t->app->config->base_url,
		.client_id = client->client_id,
		.sub = c.name_id,
		.sid = c.n_sessions == 0 ? NULL : c.sessions[0],
		.jti = rand_token(t->a, 16),
	};

	if (!oidc_logout_token_build(t->a, &m.ops, m.kid, m.alg, &claims, t->now, &signed_token,
				     err) ||
	    !jose_encrypt(t->a, &m, signed_token, &token, err))
		return false;
	buf_init(&b, t->a, FORM_MAX);
	buf_str(&b, "logout_token=");
	enc_percent(&b, bytes_of(token));
	return buf_finish(&b, form, err);
}

static bool
refusal_counts(const struct outbox_try *t)
{
	time_t began = t->taken->item.expires - LOGOUT_TRIED_S;

	return t->taken->tries >= REFUSED_TRIES && t->now - began >= REFUSED_S;
}

/*
 * Back-Channel Logout 1.0, 2.8: 200, or 204 from frameworks that will have it so; 400 is for a
 * request that the client does not take.
 */
static struct outbox_outcome
judge(const struct outbox_try *t, long status, struct err *err)
{
	if (status == 200 || status == 204)
		return (struct outbox_outcome){OUTBOX_DONE, LOGOUT_CONFIRMED};
	(void)!FAIL(err, ERR_UNAVAILABLE, NULL, "the client answered with status %ld", status);
	if (status != 400)
		return (struct outbox_outcome){OUTBOX_AGAIN, "status"};
	return (struct outbox_outcome){refusal_counts(t) ? OUTBOX_GIVE_UP : OUTBOX_AGAIN,
				       "refused"};
}

struct outbox_outcome
logout_send_oidc(const struct outbox_try *t, struct err *err)
{
	const struct party *p = party_find(&t->snap->parties, t->taken->item.target);
	struct fetch_answer answer;

	if (p == NULL || p->oidc == NULL || p->oidc->backchannel_logout_uri == NULL) {
		(void)!FAIL(err, ERR_NOT_FOUND, NULL,
			    "no such client, or none that hears logout tokens now");
		return (struct outbox_outcome){OUTBOX_AGAIN, "no_endpoint"};
	}
	struct fetch_post what = {
		.url = p->oidc->backchannel_logout_uri,
		.ca_file = t->app->config->outbound_ca,
		.type = CONTENT_TYPE,
		.max_bytes = ANSWER_MAX,
		.timeout_ms = LOGOUT_SEND_LIMIT_MS,
		.inside = &t->app->config->outbound_inside,
	};

	if (!build(t, p->oidc, &what.body, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_built"};
	if (!t->app->post(t->a, &what, &answer, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_reached"};
	return judge(t, answer.status, err);
}

bool
logout_frame_url(struct arena *a, const struct party *p, const char *content, const char *issuer,
		 const char **url, struct err *err)
{
	struct logout_content c;

	*url = NULL;
	if (p == NULL || p->oidc == NULL || p->oidc->frontchannel_logout_uri == NULL)
		return true;
	if (!logout_content_read(a, content, &c, err))
		return false;
	/* Both or neither; the client tells by them whether it is meant. */
	const struct param add[] = {{"iss", issuer},
				    {"sid", c.n_sessions == 0 ? NULL : c.sessions[0]}};

	return oidc_uri_with(a, p->oidc->frontchannel_logout_uri, false, add,
			     c.n_sessions == 0 ? 0 : ARRAY_LEN(add), url, err);
}
