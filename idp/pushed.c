/* Pushed authorization requests, as tickets; see pushed.h. */
#include "idp/pushed.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "db/dated.h"
#include "db/ticket.h"
#include "idp/app.h"
#include "keys/keyring.h"
#include "keys/sign.h"

#define PREFIX         "urn:ietf:params:oauth:request_uri:" /* RFC 9126 2.2 */
#define KEPT_MAX_BYTES (256 * 1024)

bool
pushed_is(const char *request_uri)
{
	return text_starts(request_uri, PREFIX);
}

/* Another client's request_uri is a text of another purpose: unknown. */
static const char *
purpose_of(struct arena *a, const struct party *p)
{
	return arena_printf(a, "pushed:%s", p->id);
}

static struct bytes
seal_label(struct arena *a, const struct party *p)
{
	return bytes_of(purpose_of(a, p));
}

/* Proofs of the client have been used, and are nobody's business any more. */
static bool
is_proof(const char *name)
{
	static const char *const names[] = {"client_secret", "client_assertion",
					    "client_assertion_type"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static struct bytes
write_params(struct arena *a, const struct params *ps)
{
	json_t *o = json_new_object(a), *list = json_new_array(a);

	for (size_t i = 0; i < ps->n; i++) {
		json_t *pair = json_new_array(a);

		if (is_proof(ps->p[i].name))
			continue;
		json_push_str(a, pair, ps->p[i].name);
		json_push_str(a, pair, ps->p[i].value);
		json_push(a, list, pair);
	}
	json_put(a, o, "request", list);
	return bytes_of(json_text(a, o, false));
}

static bool
read_params(struct arena *a, struct bytes json, struct params *out, struct err *err)
{
	const json_t *list = NULL;
	json_t *o;

	if (!json_parse_object(a, json, KEPT_MAX_BYTES, &o, err) ||
	    !json_get_array(o, "request", &list, err))
		return false;
	size_t n = json_array_size(list);
	struct param *p = ARENA_ARRAY(a, struct param, n + 1);

	for (size_t i = 0; i < n; i++) {
		const json_t *pair = json_array_get(list, i);

		p[i].name = json_string_value(json_array_get(pair, 0));
		p[i].value = json_string_value(json_array_get(pair, 1));
		if (p[i].name == NULL || p[i].value == NULL) /* second line: we have written it */
			return FAIL(err, ERR_INTERNAL, NULL, "a pushed request that is no list");
	}
	*out = (struct params){p, n};
	return true;
}

bool
pushed_keep(struct request *rq, const struct party *p, const struct params *ps,
	    const char **request_uri, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct key *k = keyring_active(rq->snap->keyring, KEY_SEAL, KEY_SECRET);
	struct db_ticket ticket = {.created = rq->now, .expires = rq->now + PUSHED_LIVES_S};
	const char *text = db_dated_create(rq->a, ticket.expires);

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active seal key");
	if (!signer_seal(rq->app->signer, rq->a, k->row.kid, seal_label(rq->a, p),
			 write_params(rq->a, ps), &ticket.data, err) ||
	    !db_ticket_create(&c, purpose_of(rq->a, p), text, &ticket, rq->now, err))
		return false;
	*request_uri = arena_printf(rq->a, PREFIX "%s", text);
	return true;
}

bool
pushed_look(struct request *rq, const struct party *p, const char *request_uri, struct params *out,
	    time_t *expires, bool *found, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_ticket *ticket;
	struct bytes plain;

	*found = false;
	if (!db_ticket_look(&c, purpose_of(rq->a, p), request_uri + strlen(PREFIX), rq->now,
			    &ticket, err))
		return false;
	if (ticket == NULL)
		return true;
	if (!signer_open(rq->app->signer, rq->a, seal_label(rq->a, p), ticket->data, &plain, err) ||
	    !read_params(rq->a, plain, out, err))
		return false;
	*expires = ticket->expires;
	*found = true;
	return true;
}
