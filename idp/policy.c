/* Party policies; see policy.h.  Values are text in JSON, attributes an array of "name[:required]".
 */
#include "idp/policy.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "saml/suite.h"

#define MAX_ATTRIBUTES   64
#define MAX_LEVEL_WORDS  16
#define MAX_POLICY_BYTES 65536

static bool
word_to_index(const char *const *words, const json_t *v, int *out)
{
	const char *s = json_string_value(v);

	for (int i = 0; s != NULL && words[i] != NULL; i++) {
		if (strcmp(words[i], s) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool
read_level(const json_t *v, enum level *out, struct err *err)
{
	enum level l = level_from_word(json_string_value(v));

	if (l == LEVEL_NONE)
		return FAIL(err, ERR_INPUT, NULL, "not a level: basic, low, substantial, high");
	*out = l;
	return true;
}

static bool
read_floor(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_level(v, &p->level, err);
}

static bool
read_cap(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	p->capped = true;
	return read_level(v, &p->level_cap, err);
}

static bool
read_wanted(struct arena *a, const char *text, struct wanted *out, struct err *err)
{
	const char *colon = text == NULL ? NULL : strchr(text, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);
	const char *name = colon == NULL ? text : arena_strndup(a, text, n);

	if (colon != NULL && strcmp(colon, ":required") != 0)
		return FAIL(err, ERR_INPUT, NULL, "NAME or NAME:required expected");
	out->at = name == NULL ? NULL : attribute_by_name(name);
	out->required = colon != NULL;
	if (out->at == NULL)
		return FAIL(err, ERR_INPUT, NULL, "unknown attribute '%s'",
			    name == NULL ? "" : name);
	return true;
}

static bool
read_attributes(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v) || n > MAX_ATTRIBUTES)
		return FAIL(err, ERR_INPUT, NULL, "a list of at most %d attributes expected",
			    MAX_ATTRIBUTES);
	struct wanted *w = ARENA_ARRAY(a, struct wanted, n + 1);

	for (size_t i = 0; i < n; i++) {
		if (!read_wanted(a, json_string_value(json_array_get(v, i)), &w[i], err))
			return false;
		for (size_t k = 0; k < i; k++)
			if (w[k].at == w[i].at)
				return FAIL(err, ERR_INPUT, NULL, "%s: named twice", w[i].at->name);
	}
	p->attributes = (struct wanted_list){w, n};
	return true;
}

/* Sector and group names: short, visible, stored as they are for ever. */
static bool
read_name(struct arena *a, const json_t *v, const char **out, struct err *err)
{
	const char *s = json_string_value(v);

	if (s == NULL || !text_is_visible_ascii(s, 256))
		return FAIL(err, ERR_INPUT, NULL, "1 to 256 visible ASCII characters expected");
	*out = arena_strdup(a, s);
	return true;
}

static bool
read_sector(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	return read_name(a, v, &p->sector, err);
}

/* The word of a row: "auto" is none, and leaves the choice to the party's metadata. */
static bool
is_auto(const json_t *v)
{
	return text_eq(json_string_value(v), "auto");
}

static bool
read_suite(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	const char *s = json_string_value(v);
	const struct saml_suite *suite = s == NULL ? NULL : saml_suite_by_word(s);

	if (suite == NULL && !is_auto(v))
		return FAIL(err, ERR_INPUT, NULL,
			    "auto, es256, es384, bp256, bp384, ps256 or rs256 expected");
	p->suite = suite == NULL ? SIG_NONE : suite->make;
	return true;
}

/* The day counts to its end, in UTC. */
static bool
read_old_until(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	const char *s = json_string_value(v);
	time_t day;

	if (s == NULL || strlen(s) != strlen("YYYY-MM-DD") ||
	    !clock_parse(arena_printf(a, "%sT00:00:00Z", s), &day, NULL))
		return FAIL(err, ERR_INPUT, NULL, "a day as YYYY-MM-DD expected");
	p->old_until = day + 86400;
	return true;
}

static bool
read_content(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	const char *s = json_string_value(v);

	p->content = s == NULL ? 0 : xmlenc_content_by_word(s);
	return p->content != 0 || is_auto(v) ||
	       FAIL(err, ERR_INPUT, NULL, "auto, aes128-gcm or aes256-gcm expected");
}

static bool
read_transport(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	const char *s = json_string_value(v);

	p->transport = s == NULL ? 0 : xmlenc_transport_by_word(s);
	return p->transport != 0 || is_auto(v) ||
	       FAIL(err, ERR_INPUT, NULL, "auto, rsa-oaep, rsa-oaep-mgf1p or ecdh-es expected");
}

static bool
read_vocabulary(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	if (!level_vocabulary_from_name(json_string_value(v), &p->vocabulary))
		return FAIL(err, ERR_INPUT, NULL, "stork, eidas, bsi or short expected");
	return true;
}

/* WORD=LEVEL; the word is opaque and may hold "=" itself. */
static bool
read_level_word(struct arena *a, const char *text, struct level_word *out, struct err *err)
{
	const char *equals = text == NULL ? NULL : strrchr(text, '=');

	if (equals == NULL)
		return FAIL(err, ERR_INPUT, NULL, "WORD=LEVEL expected");
	out->word = arena_strndup(a, text, (size_t)(equals - text));
	out->level = level_from_word(equals + 1);
	if (out->level == LEVEL_NONE)
		return FAIL(err, ERR_INPUT, NULL, "'%s' is no level", equals + 1);
	if (!text_is_visible_ascii(out->word, 256))
		return FAIL(err, ERR_INPUT, NULL, "a word of 1 to 256 visible characters expected");
	return true;
}

static bool
read_level_words(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v) || n > MAX_LEVEL_WORDS)
		return FAIL(err, ERR_INPUT, NULL, "a list of at most %d words expected",
			    MAX_LEVEL_WORDS);
	struct level_word *w = ARENA_ARRAY(a, struct level_word, n + 1);

	for (size_t i = 0; i < n; i++) {
		if (!read_level_word(a, json_string_value(json_array_get(v, i)), &w[i], err))
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(w[k].word, w[i].word) == 0)
				return FAIL(err, ERR_INPUT, NULL, "%s: named twice", w[i].word);
	}
	p->level_words = w;
	p->n_level_words = n;
	return true;
}

static bool
read_sso_group(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	if (!read_name(a, v, &p->sso_group, err))
		return false;
	if (strcmp(p->sso_group, "never") == 0)
		p->sso_group = NULL;
	return true;
}

static bool
read_consent(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	static const char *const words[] = {"changed", "always", NULL};
	int i;

	if (!word_to_index(words, v, &i))
		return FAIL(err, ERR_INPUT, NULL, "changed or always expected");
	p->consent = (enum policy_consent)i;
	return true;
}

static bool
read_encrypt(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	static const char *const words[] = {"auto", "never", "always", NULL};
	int i;

	if (!word_to_index(words, v, &i))
		return FAIL(err, ERR_INPUT, NULL, "auto, never or always expected");
	p->encrypt = (enum policy_encrypt)i;
	return true;
}

static bool
read_nameids(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	static const char *const words[] = {"transient", "persistent", "email", NULL};
	static const unsigned bits[] = {SAML_NAMEID_IS_TRANSIENT, SAML_NAMEID_IS_PERSISTENT,
					SAML_NAMEID_IS_EMAIL};
	size_t n = json_array_size(v);
	int word;

	p->nameid_formats = 0;
	for (size_t i = 0; i < n; i++) {
		if (!word_to_index(words, json_array_get(v, i), &word))
			break;
		p->nameid_formats |= bits[word];
	}
	/* Each word once, and at least one. */
	if (n == 0 || (size_t)__builtin_popcount(p->nameid_formats) != n)
		return FAIL(err, ERR_INPUT, NULL,
			    "transient, persistent or email expected, each once");
	return true;
}

static bool
read_create(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	static const char *const words[] = {"asked", "always", NULL};
	int i;

	if (!word_to_index(words, v, &i))
		return FAIL(err, ERR_INPUT, NULL, "asked or always expected");
	p->create = (enum policy_create)i;
	return true;
}

static bool
read_akdb(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	static const char *const words[] = {"v2", "v1", "required", NULL};
	int i;

	if (!word_to_index(words, v, &i))
		return FAIL(err, ERR_INPUT, NULL, "v2, v1 or required expected");
	p->akdb = (enum saml_akdb_rule)i;
	return true;
}

static bool
read_attribute_names(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return vocabulary_from_word(json_string_value(v), &p->names) ||
	       FAIL(err, ERR_INPUT, NULL, "bundid, basic, eidas or ekona expected");
}

static bool
read_yes_no(const json_t *v, bool *out, struct err *err)
{
	static const char *const words[] = {"no", "yes", NULL};
	int i;

	if (!word_to_index(words, v, &i))
		return FAIL(err, ERR_INPUT, NULL, "yes or no expected");
	*out = i == 1;
	return true;
}

static bool
read_unsigned(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->accept_unsigned, err);
}

static bool
read_subject_id(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->subject_id, err);
}

static bool
read_unsolicited(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->unsolicited, err);
}

static bool
read_query(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->query, err);
}

static bool
read_ecp(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->ecp, err);
}

static bool
read_level_attributes(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->level_attributes, err);
}

static bool
read_address(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->tell_address, err);
}

static bool
read_home_accounts(struct arena *a UNUSED, const json_t *v, struct policy *p, struct err *err)
{
	return read_yes_no(v, &p->home_accounts, err);
}

static bool
read_text(struct arena *a, const json_t *v, const char **out, struct err *err)
{
	const char *s = json_string_value(v);

	if (s == NULL || *s == '\0' || strlen(s) > 500)
		return FAIL(err, ERR_INPUT, NULL, "a text of 1 to 500 bytes expected");
	*out = arena_strdup(a, s);
	return true;
}

static bool
read_purpose_de(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	return read_text(a, v, &p->purpose_de, err);
}

static bool
read_purpose_en(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	return read_text(a, v, &p->purpose_en, err);
}

static bool
read_home(struct arena *a, const json_t *v, struct policy *p, struct err *err)
{
	const char *s = json_string_value(v);

	if (s == NULL || !text_is_visible_ascii(s, 2000) || !text_starts(s, "https://"))
		return FAIL(err, ERR_INPUT, NULL, "an https URL expected");
	p->home_url = arena_strdup(a, s);
	return true;
}

const struct policy_key policy_keys[] = {
	{"level", "LEVEL", "what the request asks",
	 "Least level of every login: basic, low, substantial, high.", false, read_floor},
	{"level-cap", "LEVEL", "high, of a public client low",
	 "Nothing above this level is told to the party.", false, read_cap},
	{"attribute", "NAME[:required]", "what its metadata asks for, of a public client none",
	 "An attribute the party may receive; required: no answer without it.", true,
	 read_attributes},
	{"sector", "NAME", "host of the entityID, or of the sector_identifier_uri",
	 "Parties of one sector see the same pseudonym.", false, read_sector},
	{"suite", "auto|es256|es384|bp256|bp384|ps256|rs256", "auto, by its metadata, else es256",
	 "Signature suite of what we send; rs256 needs old-until.", false, read_suite},
	{"old-until", "YYYY-MM-DD", "never",
	 "The last day on which RSA PKCS#1 v1.5 (rs256) counts, in what it sends and what it gets.",
	 false, read_old_until},
	{"vocabulary", "stork|eidas|bsi|short", "stork for SAML, short for OIDC",
	 "The words for levels that the party gets.", false, read_vocabulary},
	{"level-word", "WORD=LEVEL", "those of the vocabulary",
	 "A word of the party's own for a level, asked with and answered with.", true,
	 read_level_words},
	{"sso-group", "NAME|never", "portalverbund",
	 "Group of parties that share one login; never: each login anew.", false, read_sso_group},
	{"consent", "changed|always", "changed",
	 "When consent is asked again: when something changed, or each time.", false, read_consent},
	{"encrypt", "auto|never|always", "auto",
	 "Encrypt assertions: auto when the party has an encryption key.", false, read_encrypt},
	{"content", "auto|aes128-gcm|aes256-gcm", "auto, by its metadata, else aes128-gcm",
	 "Encryption of assertions.", false, read_content},
	{"key-transport", "auto|rsa-oaep|rsa-oaep-mgf1p|ecdh-es", "auto, by its metadata and key",
	 "How the key of the encryption gets to the party.", false, read_transport},
	{"nameid", "transient|persistent|email", "transient and persistent",
	 "A format of NameID the party may get; email needs the attribute email, and consent.",
	 true, read_nameids},
	{"create", "asked|always", "asked",
	 "When a first persistent NameID is made: when a NameIDPolicy allows it, or always.", false,
	 read_create},
	{"accept-unsigned", "yes|no", "no", "Take authentication requests without a signature.",
	 false, read_unsigned},
	{"akdb", "v2|v1|required", "v2",
	 "BundID's request extension: read in version 2, in version 1 as well, or demanded.", false,
	 read_akdb},
	{"attribute-names", "bundid|basic|eidas|ekona", "those of its metadata, else bundid",
	 "The names of SAML attributes, when a request names none.", false, read_attribute_names},
	{"subject-id", "yes|no", "no",
	 "Tell the one identifier for all parties, too, when it is asked for.", false,
	 read_subject_id},
	{"unsolicited", "yes|no", "no", "Sign on by a link to us, without a request of the party.",
	 false, read_unsolicited},
	{"attribute-query", "yes|no", "no",
	 "Answer attribute queries about persons whose consent stands, without a login.", false,
	 read_query},
	{"ecp", "yes|no", "no",
	 "Sign on by name and password from clients without a browser (SAML ECP).", false,
	 read_ecp},
	{"address", "yes|no", "no",
	 "Tell the network address of the browser in SAML assertions, as BundID does.", false,
	 read_address},
	{"level-attributes", "yes|no", "no",
	 "Send the level of each attribute also as an attribute or claim of its own.", false,
	 read_level_attributes},
	{"home-accounts", "yes|no", "yes",
	 "Take people who come with an account of another provider (kontor upstream).", false,
	 read_home_accounts},
	{"purpose-de", "TEXT", "none", "Purpose shown at consent, in German.", false,
	 read_purpose_de},
	{"purpose-en", "TEXT", "none", "Purpose shown at consent, in English.", false,
	 read_purpose_en},
	{"home", "URL", "none", "Where the way back to the portal leads.", false, read_home},
	{0},
};

static size_t
key_index(const char *name)
{
	size_t i = 0;

	while (policy_keys[i].name != NULL && strcmp(policy_keys[i].name, name) != 0)
		i++;
	return i;
}

bool
policy_parse(struct arena *a, const char *json, struct policy *out, struct err *err)
{
	struct policy p = {
		.level_cap = LEVEL_HIGH,
		.nameid_formats = SAML_NAMEID_IS_TRANSIENT | SAML_NAMEID_IS_PERSISTENT,
		.vocabulary = LEVEL_VOCAB_COUNT, /* the dialect decides */
		.names = VOCABULARY_COUNT,
		.sso_group = "portalverbund",
		.home_accounts = true,
	};
	json_t *o, *v;
	const char *name;

	if (!json_parse_object(a, bytes_of(json), MAX_POLICY_BYTES, &o, err))
		return false;
	json_object_foreach(o, name, v)
	{
		struct err why = {0};
		size_t i = key_index(name);

		if (policy_keys[i].name == NULL)
			return FAIL(err, ERR_INPUT, NULL, "policy: unknown key '%s'", name);
		if (!policy_keys[i].read(a, v, &p, &why))
			return FAIL(err, ERR_INPUT, NULL, "policy: %s: %s", name, why.text);
	}
	if (p.vocabulary == LEVEL_VOCAB_EIDAS && p.level_cap < LEVEL_LOW)
		return FAIL(err, ERR_INPUT, NULL,
			    "policy: eidas has no word for a level below low");
	*out = p;
	return true;
}

bool
policy_put(struct arena *a, json_t *policy, const char *key, const char *text, struct err *err)
{
	size_t i = key_index(key);

	if (policy_keys[i].name == NULL)
		return FAIL(err, ERR_INPUT, NULL, "policy: unknown key '%s'", key);
	if (!policy_keys[i].repeatable) {
		json_put_str(a, policy, key, text);
		return true;
	}
	json_t *list = json_object_get(policy, key);

	if (list == NULL)
		json_put(a, policy, key, list = json_new_array(a));
	json_push_str(a, list, text);
	return true;
}
