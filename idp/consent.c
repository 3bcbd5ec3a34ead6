/* Asking for consent; see consent.h. */
#include "idp/consent.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/access.h"
#include "idp/flow_member.h"
#include "idp/login.h"
#include "idp/show.h"

#define ROUTE "/flow/consent/"

/* One half of the offer as page members. */
static json_t *
half(struct arena *a, const struct release *offer, bool required)
{
	json_t *list = json_new_array(a), *o = json_new_object(a);

	for (size_t i = 0; i < offer->n; i++) {
		const struct released *r = &offer->p[i];
		json_t *row = json_new_object(a);

		if (r->required != required)
			continue;
		json_put_str(a, row, "name", r->at->name);
		json_put_str(a, row, "value", r->value);
		json_put_str(a, row, "source", r->source);
		json_put_str(a, row, "level", level_word(r->level, LEVEL_VOCAB_SHORT));
		json_put_bool(a, row, "checked", true);
		json_push(a, list, row);
	}
	json_put(a, o, "attributes", list);
	return o;
}

/* The person sees the identifier too that the portal will know the account by. */
static void
add_pseudonym(struct arena *a, json_t *required, const char *value, enum level level)
{
	json_t *row = json_new_object(a);

	json_put_str(a, row, "name", "pseudonym");
	json_put_str(a, row, "value", value);
	json_put_str(a, row, "source", "system");
	json_put_str(a, row, "level", level_word(level, LEVEL_VOCAB_SHORT));
	json_push(a, json_object_get(required, "attributes"), row);
}

/*
 * What the page shows: this offer to this person, and access as it is called and described today.
 * The fingerprint alone, which is stored, names attributes and sources and fits the next one at
 * this browser too.
 */
static const char *
offer_shown(const struct flow *f)
{
	struct subject_id id = f->session->acting;
	const char *access = json_text(f->rq->a, access_rows(f->rq, f->ask.access), true);
	struct bytes parts[] = {
		bytes_of(f->fingerprint), {id.octets, sizeof(id.octets)}, bytes_of(access)};
	unsigned char digest[SHA256_BYTES];

	hash_sha256_parts(parts, ARRAY_LEN(parts), digest);
	return enc_hex(f->rq->a, (struct bytes){digest, sizeof(digest)});
}

/* Who asks may do so for others, and the person sees for whom (TR-03160-2 4.3.2.3). */
static void
put_behind(struct arena *a, json_t *vars, const struct ask *ask)
{
	json_t *behind = json_new_object(a), *names = json_new_array(a);
	const char *rest = ask->behind;

	if (rest == NULL)
		return;
	while (*rest != '\0') {
		size_t n = strcspn(rest, " ");

		if (n > 0)
			json_push_str(a, names, arena_strndup(a, rest, n));
		rest += n + (rest[n] == ' ');
	}
	json_put(a, behind, "names", names);
	json_put_bool(a, behind, "private", ask->behind_private);
	json_put(a, vars, "behind", behind);
}

/* RFC 7591 2: what the portal itself says of the data, in the page's language if it does. */
static void
add_links(const struct flow *f, json_t *vars)
{
	const struct oidc_client *c = f->ask.party->oidc;
	const char *lang = lang_code(f->rq->lang);

	if (c == NULL)
		return;
	json_put_str(f->rq->a, vars, "portal_privacy_url", oidc_client_text(c, "policy_uri", lang));
	json_put_str(f->rq->a, vars, "portal_terms_url", oidc_client_text(c, "tos_uri", lang));
}

bool
consent_show(struct flow *f, struct response *rs, struct err *err)
{
	struct arena *a = f->rq->a;
	const struct party *p = f->ask.party;
	json_t *vars = flow_vars(f, ROUTE, rs), *required = half(a, &f->offer, true),
	       *optional = half(a, &f->offer, false);
	const char *pseudonym;

	if (!flow_pseudonym(f, &pseudonym, err))
		return false;
	add_pseudonym(a, required, pseudonym, f->level);

	json_put_str(a, vars, "offer", offer_shown(f));
	json_put_str(a, vars, "portal_organisation", f->ask.service);
	put_behind(a, vars, &f->ask);
	json_put_str(a, vars, "purpose", party_purpose(p, f->rq->lang));
	json_put_str(a, vars, "acting_name", account_person_name(a, f->held));
	json_put_str(a, vars, "login_level", level_word(f->level, LEVEL_VOCAB_SHORT));
	json_put(a, vars, "required", required);
	if (json_array_size(json_object_get(optional, "attributes")) > 0)
		json_put(a, vars, "optional", optional);
	if (f->ask.access != NULL) {
		json_t *access = json_new_object(a);

		json_put(a, access, "rows", access_rows(f->rq, f->ask.access));
		json_put(a, vars, "access", access);
	}
	add_links(f, vars);
	json_put_bool(a, vars, "offline", f->ask.offline);
	if (f->home != NULL)
		json_put_str(a, vars, "home_name", f->home->from->display_name);
	json_put_bool(a, vars, "remembered",
		      f->home == NULL && p->policy.consent == CONSENT_CHANGED);
	return show_page(f->rq, rs, 200, "consent", vars, flow_path(f, "/flow/"), err);
}

bool
consent_show_missing(struct flow *f, struct response *rs, struct err *err)
{
	json_t *vars = flow_vars(f, ROUTE, rs);

	json_put_str(f->rq->a, vars, "name", f->offer.missing->name);
	return show_page(f->rq, rs, 200, "missing", vars, flow_path(f, "/flow/"), err);
}

/* Names of the optional attributes left switched on. */
static const char **
names_sent(struct request *rq, const struct release *offer, size_t *n)
{
	const char **names = ARENA_ARRAY(rq->a, const char *, offer->n + 1);

	*n = 0;
	for (size_t i = 0; i < offer->n; i++) {
		const char *name = offer->p[i].at->name;

		if (request_form(rq, arena_printf(rq->a, "attr_%s", name)) != NULL)
			names[(*n)++] = name;
	}
	return names;
}

bool
consent_handle(struct request *rq, struct response *rs, struct err *err)
{
	struct flow *f;
	size_t n;

	if (!login_take_form(rq, FLOW_EVENT_CONSENT, &f, rs, err))
		return false;
	if (f == NULL)
		return true;
	/* Offer and person may have changed since the page was shown: only what was on it counts.
	 */
	if (!text_eq(request_form(rq, "offer"), offer_shown(f)))
		return flow_lead_on(f, rs);
	/* Nothing but the button that says so is a yes (TR-03160-2 4.3.2.3). */
	if (!text_eq(request_form(rq, "do"), "agree"))
		return flow_lead_on(f, rs);
	const char **names = names_sent(rq, &f->offer, &n);

	return flow_consented(f, names, n, rs, err);
}
