/* Asks in flow rows; see ask.h. */
#include "idp/ask.h"

#include "idp/party_member.h"
#include "idp/snapshot.h"

#define MAX_ASK_BYTES 65536

static json_t *
wanted_write(struct arena *a, struct wanted_list list)
{
	json_t *array = json_new_array(a);

	for (size_t i = 0; i < list.n; i++) {
		json_t *w = json_new_object(a);

		json_put_str(a, w, "name", list.p[i].at->name);
		json_put_bool(a, w, "required", list.p[i].required);
		json_put_bool(a, w, "filled", list.p[i].filled);
		json_push(a, array, w);
	}
	return array;
}

struct bytes
ask_write(struct arena *a, const struct ask *ask)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "front", ask->front->name);
	json_put_str(a, o, "party", ask->party == NULL ? NULL : ask->party->id);
	json_put_bool(a, o, "member", party_is_member(ask->party));
	json_put_i64(a, o, "levels", ask->levels);
	json_put_bool(a, o, "names_attributes", ask->names_attributes);
	json_put(a, o, "wanted", wanted_write(a, ask->wanted));
	json_put_bool(a, o, "force", ask->force);
	json_put_bool(a, o, "passive", ask->passive);
	json_put_bool(a, o, "consent_anew", ask->consent_anew);
	json_put_bool(a, o, "offline", ask->offline);
	json_put_i64(a, o, "max_age_s", ask->max_age_s);
	json_put_str(a, o, "lang", ask->lang);
	json_put_str(a, o, "service", ask->service);
	json_put_str(a, o, "behind", ask->behind);
	json_put_bool(a, o, "behind_private", ask->behind_private);
	json_put_str(a, o, "person", ask->person);
	json_put_bool(a, o, "known_only", ask->known_only);
	json_put_bool(a, o, "local_only", ask->local_only);
	json_put_str(a, o, "home", ask->home);
	json_put_str(a, o, "login_hint", ask->login_hint);
	json_put_str(a, o, "replay", ask->replay);
	json_put_i64(a, o, "replay_expires", ask->replay_expires);
	if (ask->access != NULL)
		json_put(a, o, "access", ask->access);
	if (ask->state != NULL)
		json_put(a, o, "state", ask->state);
	return bytes_of(json_text(a, o, false));
}

static bool
wanted_read(struct arena *a, const json_t *o, struct wanted_list *out, struct err *err)
{
	const json_t *array = NULL;

	if (!json_get_array(o, "wanted", &array, err))
		return false;
	size_t n = json_array_size(array);

	if (n > ASK_NAMES_MAX)
		return FAIL(err, ERR_INPUT, NULL, "ask: %zu attributes", n);
	struct wanted *w = ARENA_ARRAY(a, struct wanted, n + 1);

	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(array, i);
		const char *name = "";

		if (!json_get_str(row, "name", &name, err) || /* second line: no text is no name */
		    !json_get_bool(row, "required", &w[i].required, err) ||
		    !json_get_bool(row, "filled", &w[i].filled, err))
			return false;
		w[i].at = attribute_by_name(name);
		if (w[i].at == NULL)
			return FAIL(err, ERR_NOT_FOUND, NULL, "ask: attribute '%s' is gone", name);
	}
	*out = (struct wanted_list){w, n};
	return true;
}

/* Where parties are looked for. */
struct places {
	const struct parties *parties;
	struct request *rq; /* whose members count, too; NULL: none do */
};

static bool
who_read(const json_t *o, const struct places *in, struct ask *ask, struct err *err)
{
	const char *front = "", *party = NULL;
	bool member = false;

	if (!json_get_str(o, "front", &front, err) || /* second line: no text names no front */
	    !json_get_str(o, "party", &party, err) || !json_get_bool(o, "member", &member, err))
		return false;
	ask->front = front_find(front);
	if (ask->front == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "ask: no front '%s'", front);
	if (member && party != NULL && in->rq != NULL)
		return party_find_member(in->rq, party, &ask->party, err);
	ask->party = party == NULL || member ? NULL : party_find(in->parties, party);
	if (party != NULL && ask->party == NULL)
		return FAIL(err, ERR_NOT_FOUND, "portal_unknown", "ask: party is gone or disabled");
	return true;
}

static bool
read_in(struct arena *a, struct bytes json, const struct places *in, struct ask *out,
	struct err *err)
{
	struct ask ask = {.max_age_s = -1};
	const json_t *state = NULL, *access = NULL;
	int64_t levels = 0, replay_expires = 0;
	json_t *o;

	if (!json_parse_object(a, json, MAX_ASK_BYTES, &o, err) || !who_read(o, in, &ask, err) ||
	    !wanted_read(a, o, &ask.wanted, err) || !json_get_i64(o, "levels", &levels, err) ||
	    !json_get_bool(o, "force", &ask.force, err) ||
	    !json_get_bool(o, "passive", &ask.passive, err) ||
	    !json_get_bool(o, "names_attributes", &ask.names_attributes, err) ||
	    !json_get_bool(o, "consent_anew", &ask.consent_anew, err) ||
	    !json_get_bool(o, "offline", &ask.offline, err) ||
	    !json_get_i64(o, "max_age_s", &ask.max_age_s, err) ||
	    !json_get_str(o, "lang", &ask.lang, err) ||
	    !json_get_str(o, "service", &ask.service, err) ||
	    !json_get_str(o, "behind", &ask.behind, err) ||
	    !json_get_bool(o, "behind_private", &ask.behind_private, err) ||
	    !json_get_str(o, "person", &ask.person, err) ||
	    !json_get_bool(o, "known_only", &ask.known_only, err) ||
	    !json_get_bool(o, "local_only", &ask.local_only, err) ||
	    !json_get_str(o, "home", &ask.home, err) ||
	    !json_get_str(o, "login_hint", &ask.login_hint, err) ||
	    !json_get_str(o, "replay", &ask.replay, err) ||
	    !json_get_i64(o, "replay_expires", &replay_expires, err) ||
	    !json_get_array(o, "access", &access, err) || !json_get_object(o, "state", &state, err))
		return false;
	ask.levels = (level_set)levels;
	ask.replay_expires = (time_t)replay_expires;
	ask.access = json_object_get(o, "access");
	ask.state = json_object_get(o, "state");
	*out = ask;
	return true;
}

bool
ask_read(struct arena *a, struct bytes json, const struct parties *parties, struct ask *out,
	 struct err *err)
{
	return read_in(a, json, &(struct places){.parties = parties}, out, err);
}

bool
ask_load(struct request *rq, struct bytes json, struct ask *out, struct err *err)
{
	return read_in(rq->a, json, &(struct places){&rq->snap->parties, rq}, out, err);
}
