/* What an operator laid down for a federation; see federation_rules.h. */
#include "idp/federation_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define HIDE_NAME      "http://macedir.org/entity-category"
#define HIDE_VALUE     "http://refeds.org/category/hide-from-discovery"
#define NAMES_MOST     100000
#define DAY_S          ((int64_t)86400)
#define MIB            ((int64_t)1024 * 1024)

#define LIFETIME_LEAST 60
#define LIFETIME_MOST  120

static const struct {
	const char *word;
	unsigned bits;
} fields[] = {
	{"valid-until", FEDERATION_VALID_UNTIL},
	{"organization-name", FEDERATION_ORGANIZATION_NAME},
	{"organization-display-name", FEDERATION_ORGANIZATION_DISPLAY_NAME},
	{"organization-url", FEDERATION_ORGANIZATION_URL},
	{"signing-key", FEDERATION_SIGNING_KEY},
	{"encryption-key", FEDERATION_ENCRYPTION_KEY},
	{"contact-administrative", FEDERATION_CONTACT_ADMINISTRATIVE},
	{"contact-technical", FEDERATION_CONTACT_TECHNICAL},
	{"contact-support", FEDERATION_CONTACT_SUPPORT},
	{"contact-other", FEDERATION_CONTACT_OTHER},
	{"tr-03160-2", (FEDERATION_CONTACT_OTHER << 1) - 1}, /* last: all of them */
};

static const struct {
	const char *word, *sentence;
} filters[FEDERATION_FILTERS] = {
	[FEDERATION_TAKEN] = {"taken", "It is taken."},
	[FEDERATION_NO_ROLE] = {"role", "It has none of the roles that are taken (roles)."},
	[FEDERATION_DENIED] = {"denied", "It is among those that are not taken (deny)."},
	[FEDERATION_NOT_ALLOWED] = {"not-allowed", "It is not among those that are taken (allow)."},
	[FEDERATION_REGISTRAR] = {"registrar",
				  "Another authority registered it (registration-authorities)."},
	[FEDERATION_UNMARKED] = {"unmarked",
				 "It has none of the entity attributes asked for (attributes)."},
	[FEDERATION_MARKED] = {"marked",
			       "It has an entity attribute of those not taken (without)."},
	[FEDERATION_FIELDS] = {"fields",
			       "Fields are missing that each member must have (required)."},
	[FEDERATION_UNREADABLE] = {"unreadable", "What is needed of its metadata cannot be read."},
};

/* ---- the object ---- */

static int
by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool
get_names(struct arena *a, const json_t *o, const char *name, struct federation_names *out,
	  struct err *err)
{
	if (!json_get_strs(a, o, name, NAMES_MOST, &out->p, &out->n, err))
		return false;
	if (out->n > 0)
		qsort(out->p, out->n, sizeof(*out->p), by_text);
	return true;
}

static bool
has_name(const struct federation_names *names, const char *name)
{
	return names->n > 0 &&
	       bsearch(&name, names->p, names->n, sizeof(*names->p), by_text) != NULL;
}

static bool
get_roles(struct arena *a, const json_t *o, unsigned *out, struct err *err)
{
	const char **words;
	size_t n;

	if (!json_get_strs(a, o, "roles", 2, &words, &n, err))
		return false;
	*out = n == 0 ? SAML_ROLE_IDP | SAML_ROLE_SP : 0;
	for (size_t i = 0; i < n; i++) {
		if (!text_eq(words[i], "idp") && !text_eq(words[i], "sp"))
			return FAIL(err, ERR_INPUT, NULL, "roles: \"%s\" is neither idp nor sp",
				    words[i]);
		*out |= text_eq(words[i], "idp") ? SAML_ROLE_IDP : SAML_ROLE_SP;
	}
	return true;
}

static bool
get_required(struct arena *a, const json_t *o, unsigned *out, struct err *err)
{
	const char **words;
	size_t n, i;

	if (!json_get_strs(a, o, "required", ARRAY_LEN(fields), &words, &n, err))
		return false;
	for (size_t w = 0; w < n; w++) {
		for (i = 0; i < ARRAY_LEN(fields) && !text_eq(fields[i].word, words[w]);)
			i++;
		if (i == ARRAY_LEN(fields))
			return FAIL(err, ERR_INPUT, NULL, "required: no field \"%s\"", words[w]);
		*out |= fields[i].bits;
	}
	return true;
}

/* [{"name": …, "value": …}, …] */
static bool
get_marks(struct arena *a, const json_t *o, const char *member, struct federation_rules *r,
	  size_t *n, struct err *err)
{
	const json_t *list = NULL;

	if (!json_get_array(o, member, &list, err))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct saml_mark m = {NULL, NULL};
		const json_t *one = json_array_get(list, i);

		if (federation_n_marks(r) == SAML_MARKS_MOST)
			return FAIL(err, ERR_INPUT, NULL, "more than %d entity attributes",
				    SAML_MARKS_MOST - 1);
		if (!json_is_object(one) || !json_get_str(one, "name", &m.name, err) ||
		    !json_get_str(one, "value", &m.value, err) || m.name == NULL || m.value == NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s: name and value are needed", member);
		r->marks[r->n_taken + r->n_left] =
			(struct saml_mark){arena_strdup(a, m.name), arena_strdup(a, m.value)};
		*n += 1;
	}
	return true;
}

static bool
get_number(const json_t *o, const char *name, int64_t least, int64_t most, int64_t *out,
	   struct err *err)
{
	if (!json_get_i64(o, name, out, err))
		return false;
	return (*out >= least && *out <= most) ||
	       FAIL(err, ERR_INPUT, NULL, "%s: between %lld and %lld", name, (long long)least,
		    (long long)most);
}

static bool
get_numbers(const json_t *o, struct federation_rules *r, struct err *err)
{
	int64_t days = 28, gone = 10, bytes = 128, members = 50000, each = 1024, every = 60;

	r->rank = 100;

	if (!get_number(o, "valid-days", 1, 366, &days, err) ||
	    !get_number(o, "gone-percent", 0, 100, &gone, err) ||
	    !get_number(o, "most-mib", 1, (int64_t)FEDERATION_BYTES_MOST / MIB, &bytes, err) ||
	    !get_number(o, "most-members", 1, FEDERATION_MEMBERS_MOST, &members, err) ||
	    !get_number(o, "member-kib", 1, (int64_t)FEDERATION_MEMBER_BYTES_MOST / 1024, &each,
			err) ||
	    !get_number(o, "every-minutes", 1, 1440, &every, err) ||
	    !get_number(o, "rank", 0, FEDERATION_RANK_MOST, &r->rank, err))
		return false;
	r->validity_most_s = days * DAY_S;
	r->gone_most = gone;
	r->bytes_most = (size_t)(bytes * MIB);
	r->members_most = (size_t)members;
	r->member_bytes_most = (size_t)each * 1024;
	r->every_s = every * 60;
	return true;
}

static bool
get_approval(const json_t *o, enum federation_approval *out, struct err *err)
{
	static const char *const words[] = {[FEDERATION_RISKY] = "risky",
					    [FEDERATION_WHOLE] = "whole",
					    [FEDERATION_ALL] = "all"};
	const char *word = words[FEDERATION_RISKY];

	if (!json_get_str(o, "approval", &word, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (text_eq(words[i], word)) {
			*out = (enum federation_approval)i;
			return true;
		}
	return FAIL(err, ERR_INPUT, NULL, "approval: \"%s\" is none of risky, whole, all", word);
}

static bool
check_known(const json_t *o, struct err *err)
{
	static const char *const known[] = {"roles",
					    "required",
					    "allow",
					    "deny",
					    "registration-authorities",
					    "attributes",
					    "without",
					    "valid-days",
					    "gone-percent",
					    "most-mib",
					    "most-members",
					    "member-kib",
					    "every-minutes",
					    "rank",
					    "approval",
					    "policy",
					    "members"};
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)o, name,
			    v) if (!text_in(known, ARRAY_LEN(known),
					    name)) return FAIL(err, ERR_INPUT, NULL,
							       "\"%s\" is no rule of a federation",
							       name);
	return true;
}

/* Policies are judged now, so that none is found wrong at a login. */
static bool
check_policies(struct arena *a, const struct federation_rules *r, struct err *err)
{
	struct federation_policy p;
	const char *id;
	json_t *v;

	if (!federation_policy_of(a, r, "", LEVEL_HIGH, &p, err))
		return false;
	json_object_foreach((json_t *)(uintptr_t)r->members, id, v)
	{
		if (!json_is_object(v))
			return FAIL(err, ERR_INPUT, NULL, "members: each is an object");
		if (!federation_policy_of(a, r, id, LEVEL_HIGH, &p, err))
			return false;
	}
	return true;
}

bool
federation_rules_parse(struct arena *a, const char *json, struct federation_rules *out,
		       struct err *err)
{
	struct federation_rules r = {.roles = 0};
	const json_t *policy = NULL;
	json_t *o;

	if (!json_parse_object(a, bytes_of(json), FEDERATION_RULES_BYTES, &o, err) ||
	    !check_known(o, err) || !get_roles(a, o, &r.roles, err) ||
	    !get_required(a, o, &r.required, err) || !get_names(a, o, "allow", &r.allow, err) ||
	    !get_names(a, o, "deny", &r.deny, err) ||
	    !get_names(a, o, "registration-authorities", &r.registrars, err) ||
	    !get_marks(a, o, "attributes", &r, &r.n_taken, err) ||
	    !get_marks(a, o, "without", &r, &r.n_left, err) || !get_numbers(o, &r, err) ||
	    !get_approval(o, &r.approval, err) || !json_get_object(o, "policy", &policy, err) ||
	    !json_get_object(o, "members", &r.members, err))
		return false;
	r.marks[r.n_taken + r.n_left] = (struct saml_mark){HIDE_NAME, HIDE_VALUE};
	r.policy = policy == NULL ? "{}" : json_text(a, policy, true);
	if (!check_policies(a, &r, err))
		return false;
	*out = r;
	return true;
}

/* ---- policy ---- */

/* What is the federation's own is taken out of the object; the rest is a party's policy. */
static bool
take_own(struct arena *a, json_t *o, struct federation_policy *p, struct err *err)
{
	static const char *const own[] = {"lifetime", "scoped", "scopes", "attribute-level"};
	const char *level = NULL;

	p->lifetime_s = LIFETIME_LEAST;
	p->scoped = true;
	if (!get_number(o, "lifetime", LIFETIME_LEAST, LIFETIME_MOST, &p->lifetime_s, err) ||
	    !json_get_bool(o, "scoped", &p->scoped, err) ||
	    !json_get_strs(a, o, "scopes", 256, &p->scopes, &p->n_scopes, err) ||
	    !json_get_str(o, "attribute-level", &level, err))
		return false;
	p->attribute_level = level_from_word(level);
	if (level != NULL && p->attribute_level == LEVEL_NONE)
		return FAIL(err, ERR_INPUT, NULL, "attribute-level: no level is %s", level);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		json_object_del(o, own[i]);
	return true;
}

bool
federation_policy_of(struct arena *a, const struct federation_rules *rules, const char *entity_id,
		     enum level cap, struct federation_policy *out, struct err *err)
{
	const json_t *own = json_object_get(rules->members, entity_id);
	struct federation_policy p = {.scoped = true};
	json_t *o;

	if (!json_parse_object(a, bytes_of(rules->policy), FEDERATION_RULES_BYTES, &o, err))
		return false;
	if (own != NULL)
		json_put_all(a, o, own);
	if (!take_own(a, o, &p, err) || !policy_parse(a, json_text(a, o, true), &p.policy, err))
		return false;
	p.policy.level_cap = level_min(p.policy.level_cap, cap);
	p.home_cap = p.policy.capped ? p.policy.level_cap : level_min(LEVEL_SUBSTANTIAL, cap);
	*out = p;
	return true;
}

/* ---- filters ---- */

size_t
federation_n_marks(const struct federation_rules *rules)
{
	return rules->n_taken + rules->n_left + 1;
}

bool
federation_is_hidden(const struct federation_rules *rules, uint32_t marks)
{
	return (marks >> (rules->n_taken + rules->n_left) & 1) != 0;
}

static uint32_t
bits(size_t from, size_t n)
{
	return (uint32_t)(((UINT64_C(1) << n) - 1) << from);
}

enum federation_filter
federation_filter(const struct federation_rules *rules, const struct saml_entity *e)
{
	if ((e->roles & rules->roles) == 0)
		return FEDERATION_NO_ROLE;
	if (has_name(&rules->deny, e->entity_id))
		return FEDERATION_DENIED;
	if (rules->allow.n > 0 && !has_name(&rules->allow, e->entity_id))
		return FEDERATION_NOT_ALLOWED;
	if (rules->registrars.n > 0 && !has_name(&rules->registrars, e->registrar))
		return FEDERATION_REGISTRAR;
	if (rules->n_taken > 0 && (e->marks & bits(0, rules->n_taken)) == 0)
		return FEDERATION_UNMARKED;
	if ((e->marks & bits(rules->n_taken, rules->n_left)) != 0)
		return FEDERATION_MARKED;
	return FEDERATION_TAKEN;
}

const char *
federation_filter_word(enum federation_filter filter)
{
	return filters[filter].word;
}

const char *
federation_filter_sentence(enum federation_filter filter)
{
	return filters[filter].sentence;
}

/* ---- fields ---- */

static unsigned
contact_field(const char *type)
{
	static const struct {
		const char *type;
		unsigned field;
	} types[] = {{"administrative", FEDERATION_CONTACT_ADMINISTRATIVE},
		     {"technical", FEDERATION_CONTACT_TECHNICAL},
		     {"support", FEDERATION_CONTACT_SUPPORT},
		     {"other", FEDERATION_CONTACT_OTHER}};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (text_eq(types[i].type, type))
			return types[i].field;
	return 0;
}

unsigned
federation_fields_of(const struct saml_party *p)
{
	unsigned has = 0;

	has |= p->organization_name.n > 0 ? FEDERATION_ORGANIZATION_NAME : 0;
	has |= p->organization_display_name.n > 0 ? FEDERATION_ORGANIZATION_DISPLAY_NAME : 0;
	has |= p->organization_url.n > 0 ? FEDERATION_ORGANIZATION_URL : 0;
	for (size_t i = 0; i < p->n_contacts; i++)
		has |= contact_field(p->contacts[i].type);
	for (size_t i = 0; i < p->n_keys; i++) {
		if (p->keys[i].pub == NULL)
			continue;
		has |= p->keys[i].signing ? FEDERATION_SIGNING_KEY : 0;
		has |= p->keys[i].encryption ? FEDERATION_ENCRYPTION_KEY : 0;
	}
	return has;
}

const char *
federation_fields_text(struct arena *a, unsigned which)
{
	const char *text = "";

	for (size_t i = 0; i + 1 < ARRAY_LEN(fields); i++)
		if ((which & fields[i].bits) != 0)
			text = arena_printf(a, "%s%s%s", text, text[0] == '\0' ? "" : " ",
					    fields[i].word);
	return text;
}
