/* A test double's endpoints and pages; see simulate.h. */
#include <string.h>

#include "base/enc.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/saml_peer.h"
#include "idp/show.h"
#include "idp/simulate.h"
#include "saml/logout.h"
#include "saml/names.h"
#include "saml/status.h"

#define WITHHELD_MOST   128
#define METADATA_TYPE   "application/samlmetadata+xml"
#define ARENA           (8u * 1024 * 1024)
#define WIRE_MOST       (128u * 1024)
#define CHOICE_MOST     (256u * 1024)
#define QUERY_MOST      (16u * 1024)
#define DEFAULT_OUTCOME "success"

/* ---- words ---- */

/* The person may choose the language of a page that cannot be had again by a link. */
static void
take_lang(struct request *rq)
{
	const char *code = lang_code_of_tag(request_param(rq, "lang"));

	for (int l = 0; code != NULL && l < LANG_COUNT; l++)
		if (strcmp(code, lang_code((enum lang)l)) == 0)
			rq->lang = (enum lang)l;
}

static const char *
weight_word(const struct sim_finding *f)
{
	if (f->holds)
		return "fine";
	return f->rule->weight == SIM_ADVICE ? "advice" : "refusal";
}

static json_t *
finding_vars(struct arena *a, const struct sim_finding *f)
{
	json_t *row = json_new_object(a);

	json_put_i64(a, row, "number", f->rule->number);
	json_put_str(a, row, "rule", f->rule->name);
	json_put_str(a, row, "clause", f->rule->clause);
	json_put_str(a, row, "weight", weight_word(f));
	json_put_str(a, row, "detail", f->detail);
	return row;
}

/* An object with `rows`, those that hold or those that do not; nothing when there are none. */
static void
put_findings(struct arena *a, const struct sim_case *c, const char *name, bool holding,
	     json_t *vars)
{
	json_t *rows = json_new_array(a), *o = json_new_object(a);

	for (size_t i = 0; i < c->n_found; i++)
		if (c->found[i].holds == holding)
			json_push(a, rows, finding_vars(a, &c->found[i]));
	json_put(a, o, "rows", rows);
	if (json_array_size(rows) > 0)
		json_put(a, vars, name, o);
}

/* ---- the first page ---- */

static json_t *
portal_vars(struct request *rq, struct sim_portal *p)
{
	struct sim_case c = {.a = rq->a, .s = simulate_of(rq), .now = rq->now, .portal = p};
	json_t *row = json_new_object(rq->a);

	sim_judge_metadata(&c);
	json_put_str(rq->a, row, "name", p->name);
	json_put_str(rq->a, row, "entity_id", p->party->entity_id);
	put_findings(rq->a, &c, "wrong", false, row);
	return row;
}

static json_t *
person_vars(struct request *rq, const struct sim_person *p, const struct sim_case *c)
{
	json_t *row = json_new_object(rq->a);

	json_put_str(rq->a, row, "person", p->id);
	json_put_str(rq->a, row, "title", p->title[rq->lang]);
	json_put_str(rq->a, row, "level", level_word(p->level, LEVEL_VOCAB_SHORT));
	json_put_bool(rq->a, row, "unfit",
		      c != NULL && (!sim_method_allowed(c, p) || p->level < sim_level_wanted(c)));
	return row;
}

/* Those that fit first, and of them the first is chosen. */
static json_t *
persons_vars(struct request *rq, const struct sim_case *c)
{
	const struct sim_persons *list = &simulate_of(rq)->persons;
	json_t *fit = json_new_array(rq->a), *rest = json_new_array(rq->a);

	for (size_t i = 0; i < list->n; i++) {
		json_t *row = person_vars(rq, &list->p[i], c);
		bool unfit = json_is_true(json_object_get(row, "unfit"));

		json_put_bool(rq->a, row, "chosen", !unfit && json_array_size(fit) == 0);
		json_push(rq->a, unfit ? rest : fit, row);
	}
	json_array_extend(fit, rest);
	return fit;
}

static void
put_automatic(struct request *rq, json_t *vars)
{
	struct sim_automatic now = simulate_automatic(simulate_of(rq));
	json_t *o = json_new_object(rq->a);

	if (now.person == NULL)
		return;
	json_put_str(rq->a, o, "person", now.person->id);
	json_put_str(rq->a, o, "outcome", now.outcome->name);
	json_put(rq->a, vars, "automatic", o);
}

static bool
ep_start(struct request *rq, struct response *rs, struct err *err)
{
	struct simulate *s = simulate_of(rq);
	json_t *vars = json_new_object(rq->a), *portals = json_new_array(rq->a);

	take_lang(rq);
	for (size_t i = 0; i < s->n_portals; i++)
		json_push(rq->a, portals, portal_vars(rq, &s->portals[i]));
	json_put_str(rq->a, vars, "kind", s->kind->title);
	json_put_str(rq->a, vars, "entity_id", s->entity_id);
	json_put_str(rq->a, vars, "other_lang", rq->lang == LANG_DE ? "en" : "de");
	json_put(rq->a, vars, "portals", portals);
	json_put(rq->a, vars, "persons", persons_vars(rq, NULL));
	put_automatic(rq, vars);
	return show_page(rq, rs, 200, "simulate_start", vars, NULL, err);
}

static bool
ep_metadata(struct request *rq, struct response *rs, struct err *err)
{
	struct bytes xml;

	if (!simulate_metadata(rq->a, simulate_of(rq), rq->now, &xml, err))
		return false;
	rs->status = 200;
	rs->body = xml;
	response_header(rs, "Content-Type", METADATA_TYPE);
	return true;
}

/* ---- a request ---- */

static bool
send_to(struct request *rq, const struct sim_case *c, const struct saml_carrier *carrier,
	struct response *rs, struct err *err)
{
	const struct party as_party = {.display_name = c->portal->name};

	if (!saml_send(rq, carrier, &as_party, rs, err))
		return false;
	/* Where portals lead on to from there is theirs: no provider's page forbids it. */
	if (carrier->location == NULL)
		rs->form_action = "http: https:";
	return true;
}

static json_t *
asked_vars(struct request *rq, const struct sim_case *c)
{
	const struct saml_akdb_request *akdb = c->r->akdb;
	json_t *list = json_new_array(rq->a);

	for (size_t i = 0; akdb != NULL && i < akdb->attributes.n; i++) {
		const struct sim_name *name =
			sim_name_by_wire(c->s->kind, akdb->attributes.p[i].name);
		json_t *row = json_new_object(rq->a);

		if (name == NULL)
			continue;
		json_put_str(rq->a, row, "friendly", name->friendly);
		json_put_str(rq->a, row, "wire", name->wire);
		json_put_bool(rq->a, row, "required", akdb->attributes.p[i].required);
		json_push(rq->a, list, row);
	}
	return list;
}

/* What the request says in the words of the interface. */
static void
put_asked(struct request *rq, const struct sim_case *c, json_t *vars)
{
	const struct saml_akdb_request *akdb = c->r->akdb;
	json_t *names = asked_vars(rq, c), *o = json_new_object(rq->a);

	json_put_str(rq->a, vars, "portal_name", c->portal->name);
	json_put_str(rq->a, vars, "entity_id", c->portal->party->entity_id);
	if (c->r->n_class_refs > 0)
		json_put_str(rq->a, vars, "class_ref", c->r->class_refs[0]);
	if (akdb != NULL) {
		json_put_str(rq->a, vars, "organization", akdb->organization_display_name);
		json_put_str(rq->a, vars, "service_id", akdb->online_service_id);
	}
	json_put(rq->a, o, "rows", names);
	if (json_array_size(names) > 0)
		json_put(rq->a, vars, "asked", o);
}

static json_t *
outcomes_vars(struct request *rq, bool broken)
{
	const struct sim_kind *k = simulate_of(rq)->kind;
	const struct sim_outcome *o;
	json_t *list = json_new_array(rq->a);

	for (size_t i = 0; (o = sim_outcome_at(i)) != NULL; i++) {
		json_t *row = json_new_object(rq->a);

		if (o->broken != broken || (o->of & k->of) == 0)
			continue;
		json_put_str(rq->a, row, "outcome", o->name);
		json_put_bool(rq->a, row, "chosen", strcmp(o->name, DEFAULT_OUTCOME) == 0);
		json_push(rq->a, list, row);
	}
	return list;
}

static json_t *
levels_vars(struct request *rq)
{
	json_t *list = json_new_array(rq->a);

	for (enum level l = LEVEL_BASIC; l <= LEVEL_HIGH; l++)
		json_push_str(rq->a, list, level_word(l, LEVEL_VOCAB_SHORT));
	return list;
}

/* The request goes along: nothing of it is kept here. */
static bool
show_request(struct request *rq, const struct sim_case *c, struct response *rs, struct err *err)
{
	json_t *vars = json_new_object(rq->a), *choice = json_new_object(rq->a);

	json_put_str(rq->a, vars, "kind", c->s->kind->title);
	json_put_str(rq->a, vars, "binding",
		     c->binding == SAML_BINDING_REDIRECT ? "redirect" : "post");
	json_put_str(rq->a, vars, "wire", enc_base64url(rq->a, c->raw));
	json_put_str(rq->a, vars, "other_lang", rq->lang == LANG_DE ? "en" : "de");
	put_findings(rq->a, c, "wrong", false, vars);
	put_findings(rq->a, c, "right", true, vars);
	json_put_bool(rq->a, vars, "refused", c->n_refusals > 0);
	json_put_str(rq->a, vars, "status", c->status);
	if (c->r != NULL)
		put_asked(rq, c, vars);
	if (c->n_refusals == 0) {
		json_put(rq->a, choice, "persons", persons_vars(rq, c));
		json_put(rq->a, choice, "levels", levels_vars(rq));
		json_put(rq->a, choice, "good", outcomes_vars(rq, false));
		json_put(rq->a, choice, "broken", outcomes_vars(rq, true));
		json_put(rq->a, vars, "choice", choice);
	}
	return show_page(rq, rs, c->n_refusals > 0 ? 400 : 200, "simulate_request", vars, NULL,
			 err);
}

/* For who reads the log of a test run: numbers of the rules that do not hold. */
static void
note(const struct request *rq, const struct sim_case *c)
{
	const char *refusals = "", *advice = "";

	for (size_t i = 0; i < c->n_found; i++) {
		const struct sim_rule *rule = c->found[i].rule;
		const char **list = rule->weight == SIM_ADVICE ? &advice : &refusals;

		if (!c->found[i].holds)
			*list = arena_printf(rq->a, "%s%s%d", *list, **list == '\0' ? "" : " ",
					     rule->number);
	}
	log_event(LOG_LVL_INFO, "judged", "ref", rq->ref, "refusals", refusals, "advice", advice,
		  NULL);
}

static void
begin_case(struct request *rq, enum saml_binding binding, struct bytes raw, struct sim_case *c)
{
	*c = (struct sim_case){.a = rq->a,
			       .s = simulate_of(rq),
			       .now = rq->now,
			       .binding = binding,
			       .raw = raw,
			       .address = rq->client_addr};
	sim_judge(c);
	note(rq, c);
}

static bool
ep_sso(struct request *rq, struct response *rs, struct err *err)
{
	struct sim_automatic now = simulate_automatic(simulate_of(rq));
	enum saml_binding binding = saml_binding_of(rq);
	struct saml_carrier carrier;
	struct sim_case c;

	begin_case(rq, binding,
		   binding == SAML_BINDING_REDIRECT ? bytes_of(rq->query_raw) : rq->body, &c);
	if (c.n_refusals > 0 || now.person == NULL)
		return show_request(rq, &c, rs, err);
	const struct sim_choice choice = {.person = now.person, .outcome = now.outcome};

	return sim_answer(&c, &choice, &carrier, err) && send_to(rq, &c, &carrier, rs, err);
}

/* ---- what the tester chose ---- */

/* The fields a_NAME say what is given; what was asked and has none is withheld. */
static void
read_withheld(struct request *rq, const struct sim_case *c, struct sim_choice *out)
{
	const char **list = ARENA_ARRAY(rq->a, const char *, WITHHELD_MOST);
	const struct saml_akdb_request *akdb = c->r->akdb;

	out->withheld = list;
	for (size_t i = 0; akdb != NULL && i < akdb->attributes.n; i++) {
		const struct sim_name *name =
			sim_name_by_wire(c->s->kind, akdb->attributes.p[i].name);

		if (name != NULL && out->n_withheld < WITHHELD_MOST &&
		    request_form(rq, arena_printf(rq->a, "a_%s", name->friendly)) == NULL)
			list[out->n_withheld++] = name->friendly;
	}
}

static bool
read_choice(struct request *rq, const struct sim_case *c, struct sim_choice *out, struct err *err)
{
	*out = (struct sim_choice){
		.person = sim_person_find(&c->s->persons, request_form(rq, "person")),
		.level = level_from_word(request_form(rq, "level")),
		.outcome = sim_outcome_find(c->s->kind, request_form(rq, "outcome")),
	};
	if (out->person == NULL || out->outcome == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no such person or outcome");
	read_withheld(rq, c, out);
	return true;
}

static bool
ep_choice(struct request *rq, struct response *rs, struct err *err)
{
	const char *wire = request_form(rq, "wire");
	struct saml_carrier carrier;
	struct sim_choice choice;
	struct sim_case c;
	struct bytes raw;

	take_lang(rq);
	if (wire == NULL || !dec_base64url(rq->a, bytes_of(wire), &raw, err))
		return FAIL(err, ERR_INPUT, NULL, "no request goes along");
	begin_case(rq,
		   text_eq(request_form(rq, "binding"), "redirect") ? SAML_BINDING_REDIRECT
								    : SAML_BINDING_POST,
		   raw, &c);
	if (request_form(rq, "do") == NULL) /* another language */
		return show_request(rq, &c, rs, err);
	if (c.n_refusals > 0)
		return sim_refuse(&c, &carrier, err) && send_to(rq, &c, &carrier, rs, err);
	return read_choice(rq, &c, &choice, err) && sim_answer(&c, &choice, &carrier, err) &&
	       send_to(rq, &c, &carrier, rs, err);
}

/* ---- for programs ---- */

static void
answer_automatic(struct request *rq, struct response *rs)
{
	struct simulate *s = simulate_of(rq);
	struct sim_automatic now = simulate_automatic(s);
	json_t *o = json_new_object(rq->a), *persons = json_new_array(rq->a),
	       *outcomes = json_new_array(rq->a);
	const struct sim_outcome *outcome;

	json_put_str(rq->a, o, "person", now.person == NULL ? NULL : now.person->id);
	json_put_str(rq->a, o, "outcome", now.person == NULL ? NULL : now.outcome->name);
	for (size_t i = 0; i < s->persons.n; i++)
		json_push_str(rq->a, persons, s->persons.p[i].id);
	for (size_t i = 0; (outcome = sim_outcome_at(i)) != NULL; i++)
		if ((outcome->of & s->kind->of) != 0)
			json_push_str(rq->a, outcomes, outcome->name);
	json_put(rq->a, o, "persons", persons);
	json_put(rq->a, o, "outcomes", outcomes);
	response_json(rs, 200, json_text(rq->a, o, false));
}

static bool
ep_automatic(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	answer_automatic(rq, rs);
	return true;
}

static bool
ep_set_automatic(struct request *rq, struct response *rs, struct err *err)
{
	const char *origin = request_header(rq, "origin");
	const char *person = request_form(rq, "person");

	/* Some page that the tester has open is no program of his. */
	if (origin != NULL && strcmp(origin, rq->app->config->base_url) != 0)
		return FAIL(err, ERR_DENIED, NULL, "from a page of %s", origin);
	if (!simulate_set(simulate_of(rq), text_eq(person, "") ? NULL : person,
			  request_form(rq, "outcome"), err))
		return false;
	answer_automatic(rq, rs);
	return true;
}

/* ---- logout ---- */

static bool
verify_logout(struct request *rq, const struct sim_case *c, const struct saml_verified *v,
	      const struct saml_logout_request **r, struct err *err)
{
	static const char *const kids[] = {SIM_KID_DECRYPT};
	const struct xmlenc_keys keys = {&c->s->ops, kids, ARRAY_LEN(kids)};

	return saml_logout_request_parse(rq->a, v, &keys, r, err) &&
	       saml_header_check_place(&(*r)->header, c->s->slo_url, err) &&
	       saml_logout_request_check(*r, &saml_window_default, rq->now, err);
}

/* No session is kept here, so none is left. */
static bool
ep_slo(struct request *rq, struct response *rs, struct err *err)
{
	struct sim_case c = {.a = rq->a, .s = simulate_of(rq), .now = rq->now};
	const struct saml_status success = {.code = SAML_SUCCESS};
	enum saml_binding binding = saml_binding_of(rq);
	const struct saml_logout_request *r;
	const struct saml_verified *v;
	struct saml_carrier carrier;
	struct saml_signer signer;

	if (!saml_message_decode(rq->a, binding,
				 binding == SAML_BINDING_REDIRECT ? bytes_of(rq->query_raw)
								  : rq->body,
				 &c.m, err) ||
	    !saml_expect(c.m, SAML_LOGOUT_REQUEST, err))
		return false;
	for (size_t i = 0; i < c.s->n_portals; i++)
		if (strcmp(c.s->portals[i].party->entity_id, saml_message_issuer(c.m)) == 0)
			c.portal = &c.s->portals[i];
	if (c.portal == NULL)
		return FAIL(err, ERR_NOT_FOUND, "portal_unknown", "the sender is no portal here");
	const struct saml_endpoint *slo = saml_party_slo(c.portal->party, SAML_BINDING_NONE);

	if (!saml_message_verify(rq->a, c.m, c.portal->party, &v, err) ||
	    !verify_logout(rq, &c, v, &r, err))
		return false;
	if (slo == NULL)
		return FAIL(err, ERR_DENIED, NULL, "the portal has no SingleLogoutService");
	if (!simulate_signer(rq->a, c.s, SIM_KID_SIGN, &signer, err))
		return false;
	const struct saml_logout_send how = {
		.binding = slo->binding,
		.url = slo->response_url,
		.relay_state = saml_message_relay_state(c.m),
		.id = rand_xml_id(rq->a),
		.issuer = c.s->entity_id,
		.issued_at = rq->now,
		.signer = &signer,
	};

	return saml_logout_response_build(rq->a, &how, r->header.id, &success, &carrier, err) &&
	       send_to(rq, &c, &carrier, rs, err);
}

/* ---- paths ---- */

/* Nothing here is anybody's session: no cookies, so no forms to be forged. */
#define PROTOCOL ROUTE_PROTOCOL

#define SHARED                                                                                       \
	{HTTP_GET, "/", ep_start, LANE_LIGHT, 0, 64, 0, ARENA, NULL},                                \
		{HTTP_GET, "/answer", ep_automatic, LANE_LIGHT, ROUTE_MACHINE, 0, 0, ARENA, NULL},   \
		{HTTP_POST, "/answer", ep_set_automatic, LANE_LIGHT, ROUTE_MACHINE, 0, 4096,         \
		 ARENA,     NULL},                                                                   \
		{HTTP_POST, "/choice", ep_choice, LANE_SAML, PROTOCOL, 0, CHOICE_MOST, ARENA, NULL}, \
	{                                                                                            \
		HTTP_GET, "/static/", document_handle, LANE_LOOP, ROUTE_PREFIX, 64, 0, ARENA, NULL   \
	}

static const struct route bundid_routes[] = {
	SHARED,
	{HTTP_GET, "/test-double/bundid/idp", ep_metadata, LANE_LIGHT, 0, 0, 0, ARENA, NULL},
	{HTTP_POST, "/test-double/bundid/idp/profile/SAML2/POST/SSO", ep_sso, LANE_SAML, PROTOCOL,
	 0, WIRE_MOST, ARENA, NULL},
	{HTTP_GET, "/test-double/bundid/idp/profile/SAML2/Redirect/SSO", ep_sso, LANE_SAML,
	 PROTOCOL, QUERY_MOST, 0, ARENA, NULL},
	{HTTP_GET, "/test-double/bundid/idp/profile/SAML2/SLO", ep_slo, LANE_SAML, PROTOCOL,
	 QUERY_MOST, 0, ARENA, NULL},
	{HTTP_POST, "/test-double/bundid/idp/profile/SAML2/SLO", ep_slo, LANE_SAML, PROTOCOL, 0,
	 WIRE_MOST, ARENA, NULL},
	{.path = NULL},
};

static const struct route organisation_routes[] = {
	SHARED,
	{HTTP_GET, "/test-double/organisation", ep_metadata, LANE_LIGHT, 0, 0, 0, ARENA, NULL},
	{HTTP_POST, "/test-double/organisation/ekona/sso", ep_sso, LANE_SAML, PROTOCOL, 0,
	 WIRE_MOST, ARENA, NULL},
	{HTTP_GET, "/test-double/organisation/ekona/slo", ep_slo, LANE_SAML, PROTOCOL, QUERY_MOST,
	 0, ARENA, NULL},
	{HTTP_POST, "/test-double/organisation/ekona/slo", ep_slo, LANE_SAML, PROTOCOL, 0,
	 WIRE_MOST, ARENA, NULL},
	{.path = NULL},
};

const struct route *
simulate_routes(const struct sim_kind *k)
{
	return k->of == SIM_BUNDID ? bundid_routes : organisation_routes;
}
