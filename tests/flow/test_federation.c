/* Federations: what of a publisher's metadata counts, what waits, what is refused; and whom we
 * know by it. */
#include "idp/federation_take.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "idp/fetch.h"
#include "keys/cert_build.h"
#include "saml/names.h"
#include "tests/flow/steps.h"
#include "tests/saml/fixture.h"

#define URL    "https://verbund.example/metadata.xml"
#define NAME   "verbund"
#define LAND   "https://konto.land.example/idp"
#define STADT  "https://konto.stadt.example/idp"
#define NEU    "https://konto.neu.example/idp"
#define PORTAL "https://portal.land.example/sp"
#define DAYS   ((time_t)86400)

/* ---- the publisher ---- */

static struct far {
	struct world *w;
	const char *text;    /* NULL: the network fails */
	size_t piece;        /* octets at once; 0: all */
	size_t cut;          /* that do not come any more */
	const char *endless; /* comes again and again behind it; NULL: nothing */
	bool same;
	struct fetch_known known;
	struct fetch_get last;
	size_t n_asked, n_octets;
} far;

static bool
hand_on(const struct fetch_stream *what, const char *text, size_t n, struct err *err)
{
	size_t most = far.piece == 0 ? n : far.piece;

	for (size_t i = 0; i < n; i += most) {
		size_t some = n - i < most ? n - i : most;

		far.n_octets += some;
		if (far.n_octets > what->get.max_bytes)
			return FAIL(err, ERR_INPUT, NULL, "the answer has more than %zu bytes",
				    what->get.max_bytes);
		if (!what->take(what->ctx, (struct bytes){(const unsigned char *)text + i, some},
				err))
			return false;
	}
	return true;
}

static bool
far_stream(struct arena *a UNUSED, const struct fetch_stream *what, struct fetch_got *out,
	   struct err *err)
{
	far.n_asked++;
	far.n_octets = 0;
	far.last = what->get;
	far.last.url = arena_strdup(far.w->a, what->get.url);
	far.last.known.etag = arena_strdup(far.w->a, what->get.known.etag);
	if (far.text == NULL && !far.same)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	*out = (struct fetch_got){.same = far.same, .known = far.known};
	if (far.same)
		return true;
	if (!hand_on(what, far.text, strlen(far.text) - far.cut, err))
		return false;
	while (far.endless != NULL)
		if (!hand_on(what, far.endless, strlen(far.endless), err))
			return false;
	return true;
}

/* ---- its metadata ---- */

static const char *certificate[2]; /* of the fixtures' keys, base64 */

static const char *
key(struct world *w, const char *use, size_t which)
{
	return arena_printf(w->a,
			    "<md:KeyDescriptor use=\"%s\"><ds:KeyInfo><ds:X509Data>"
			    "<ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
			    "</md:KeyDescriptor>",
			    use, certificate[which]);
}

#define IDP_ROLE "<md:IDPSSODescriptor protocolSupportEnumeration=\"" SAML_NS_PROTOCOL "\">"
#define SP_ROLE  "<md:SPSSODescriptor protocolSupportEnumeration=\"" SAML_NS_PROTOCOL "\">"
#define PEOPLE                                                                                  \
	"<md:Organization><md:OrganizationName xml:lang=\"de\">Land</md:OrganizationName>"      \
	"<md:OrganizationDisplayName xml:lang=\"de\">Landesportal</md:OrganizationDisplayName>" \
	"<md:OrganizationURL xml:lang=\"de\">https://land.example/</md:OrganizationURL>"        \
	"</md:Organization>"

static const char *
idp(struct world *w, const char *id, const char *name, const char *more)
{
	return arena_printf(
		w->a,
		"<md:EntityDescriptor entityID=\"%s\">" IDP_ROLE
		"<md:Extensions><mdui:UIInfo><mdui:DisplayName "
		"xml:lang=\"de\">%s</mdui:DisplayName>"
		"<mdui:DisplayName xml:lang=\"en\">The %s</mdui:DisplayName>"
		"<mdui:Keywords xml:lang=\"de\">amt rat+haus</mdui:Keywords></mdui:UIInfo>"
		"<shibmd:Scope>%s</shibmd:Scope></md:Extensions>%s"
		"<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-"
		"Redirect\" Location=\"%s/sso\"/></md:IDPSSODescriptor>%s</md:EntityDescriptor>\n",
		id, name, name, party_host(w->a, id), key(w, "signing", 0), id, more);
}

static const char *
sp_at(struct world *w, const char *id, const char *acs)
{
	return arena_printf(w->a,
			    "<md:EntityDescriptor entityID=\"%s\">" SP_ROLE "%s%s"
			    "<md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:"
			    "bindings:HTTP-POST\" Location=\"%s\" index=\"0\"/>"
			    "</md:SPSSODescriptor>" PEOPLE "</md:EntityDescriptor>\n",
			    id, key(w, "signing", 0), key(w, "encryption", 1), acs);
}

#define GROUP "EntitiesDescriptor"

/* All of them in one group; `attrs`: of the root. */
static const char *
unsigned_group(struct world *w, const char *attrs, const char *members)
{
	return arena_printf(w->a,
			    "<?xml version=\"1.0\"?>\n<md:" GROUP " xmlns:md=\"" SAML_NS_METADATA
			    "\" xmlns:ds=\"" SAML_NS_DS "\" xmlns:mdui=\"" SAML_NS_MDUI
			    "\" xmlns:shibmd=\"" SAML_NS_SHIBMD
			    "\" xmlns:mdattr=\"" SAML_NS_ATTRIBUTE
			    "\" xmlns:saml=\"" SAML_NS_ASSERTION "\" ID=\"_fed\"%s>" FIXTURE_PLACE
			    "%s</md:" GROUP ">",
			    attrs, members);
}

static const char *
signed_by(struct world *w, const char *text, const char *suite)
{
	struct fixture f = fixture_request();

	f.text = text;
	f.id = "_fed";
	f.suite = saml_suite_by_name(suite);
	return fixture_sign(w->a, &f);
}

/* Valid for so many days. */
static const char *
group(struct world *w, int days, const char *members)
{
	return signed_by(w,
			 unsigned_group(w,
					arena_printf(w->a, " validUntil=\"%s\"",
						     clock_text(w->a, w->now + days * DAYS)),
					members),
			 "ecdsa-sha256");
}

static const char *
three(struct world *w)
{
	return arena_printf(w->a, "%s%s%s", idp(w, LAND, "Land", ""), idp(w, STADT, "Stadt", ""),
			    sp_at(w, PORTAL, PORTAL "/acs"));
}

/* ---- what is there ---- */

static struct db_call
call(struct world *w)
{
	return (struct db_call){w->pg->db, w->a, clock_mono_us() + 60 * 1000000LL};
}

static const char *
value(struct world *w, const char *sql)
{
	return arena_strdup(w->a, world_value(w, sql));
}

static const char *
copies(struct world *w)
{
	return value(w, "SELECT coalesce(string_agg(state, ' ' ORDER BY seq DESC), '')"
			" FROM federation_copy");
}

static const char *
trouble(struct world *w)
{
	return value(w, "SELECT coalesce(trouble, '') FROM federation_source");
}

/* The rules that the newest copy was held by, or told of. */
static const char *
told(struct world *w)
{
	return value(w, "SELECT string_agg(DISTINCT c->>'rule', ' ' ORDER BY c->>'rule') FROM"
			" federation_copy f, jsonb_array_elements(f.changes->'changes') c"
			" WHERE seq = (SELECT max(seq) FROM federation_copy)");
}

static void
put(struct world *w, const char *name, const char *rules)
{
	const char *pem =
		arena_printf(w->a,
			     "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
			     "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
			     certificate[0], certificate[1]);
	const struct db_federation_source s = {.name = name,
					       .kind = DB_FEDERATION_AGGREGATE,
					       .url = URL,
					       .signers = pem,
					       .rules = rules};
	struct db_call c = call(w);
	struct err err = {0};

	ASSERT_OK(db_federation_put(&c, &s, NULL, w->now, &err), &err);
}

static void
look(struct world *w)
{
	struct err err = {0};

	ASSERT_OK(federation_look(w->app.federation, &err), &err);
}

static bool
take(struct world *w)
{
	struct err err = {0};
	bool did;

	ASSERT_OK(federation_take_one(&w->app, w->a, w->now, &did, &err), &err);
	return did;
}

/* A day later what is served is taken, and read. */
static void
fetch(struct world *w, const char *text)
{
	w->now += DAYS;
	far.text = text;
	assert_true(take(w));
	assert_string_equal(trouble(w), "");
	look(w);
}

static void
fetch_in_vain(struct world *w, const char *text, const char *why)
{
	const char *before = copies(w);

	w->now += DAYS;
	far.text = text;
	assert_true(take(w));
	if (strstr(trouble(w), why) == NULL)
		fail_msg("%s, not: %s", why, trouble(w));
	assert_string_equal(copies(w), before);
	look(w);
}

static bool
find(struct world *w, const char *id, enum saml_role role, struct federation_member *m,
     struct err *err)
{
	struct db_call c = call(w);

	err_clear(err);
	return federation_find(&w->app, &c, id, role, w->now, m, err);
}

/* "" when it is found, else the name of why not. */
static const char *
missed(struct world *w, const char *id, enum saml_role role)
{
	struct federation_member m;
	struct err err = {0};

	if (find(w, id, role, &m, &err))
		return "";
	return arena_printf(w->a, "%s", err.proto == NULL ? err.text : err.proto);
}

/* One source with these rules, and the first copy of it. */
static void
begin_with(struct world *w, const char *rules)
{
	if (certificate[0] == NULL)
		for (size_t i = 0; i < 2; i++) {
			struct err err = {0};
			struct bytes der;

			ASSERT_OK(cert_build_for(w->pg->a, fixture_keys().key[i], "verbund",
						 clock_now() - 100, 10000, &der, &err),
				  &err);
			certificate[i] = strdup(enc_base64(w->pg->a, der));
		}
	pg_sql(w->pg, "DELETE FROM federation_source; DELETE FROM federation_suspended");
	far = (struct far){.w = w};
	w->app.stream = far_stream;
	w->app.federation = federation_create(w->a, &w->app);
	put(w, NAME, rules);
	fetch(w, group(w, 8, three(w)));
}

static void
begin(struct world *w)
{
	begin_with(w, "{}");
}

/* ---- finding ---- */

static void
members_are_found_in_their_roles(void **state)
{
	struct world *w = *state;
	const struct federation_choice *const *list;
	struct federation_member m;
	struct err err = {0};
	bool complete;
	size_t n;

	begin(w);
	assert_string_equal(copies(w), "counting");
	ASSERT_OK(find(w, LAND, SAML_ROLE_IDP, &m, &err), &err);
	assert_string_equal(m.source, NAME);
	assert_true(m.saml->is_idp);
	assert_string_equal(m.saml->sso.p[0].url, LAND "/sso");
	assert_int_equal(m.saml->signing.n, 1);
	assert_int_equal(m.n_scopes, 1);
	assert_string_equal(m.scopes[0], "konto.land.example");
	assert_true(m.policy->scoped);
	assert_int_equal(m.policy->lifetime_s, 60);
	ASSERT_OK(find(w, PORTAL, SAML_ROLE_SP, &m, &err), &err);
	assert_string_equal(m.saml->acs.p[0].url, PORTAL "/acs");
	assert_non_null(m.saml->recipient.key);
	assert_string_equal(missed(w, LAND, SAML_ROLE_SP), "member_unknown");
	assert_string_equal(missed(w, PORTAL, SAML_ROLE_IDP), "member_unknown");
	assert_string_equal(missed(w, LAND "/", SAML_ROLE_IDP), "member_unknown");
	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	assert_true(complete);
	assert_int_equal(n, 2);
	assert_string_equal(list[0]->entity_id, LAND);
	assert_string_equal(list[0]->de, "Land");
	assert_string_equal(list[0]->en, "The Land");
	assert_string_equal(list[0]->keywords, "amt rat haus");
	assert_string_equal(list[1]->entity_id, STADT);
	/* After their time nobody of them is one. */
	w->now += 8 * DAYS;
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "member_over");
	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	assert_int_equal(n, 0);
}

static void
until_it_is_read_nobody_is_unknown(void **state)
{
	struct world *w = *state;
	const struct federation_choice *const *list;
	bool complete;
	size_t n;

	begin(w);
	w->app.federation = federation_create(w->a, &w->app);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "members_loading");
	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	assert_false(complete);
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	w->app.federation = NULL;
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "member_unknown");
}

static void
who_is_suspended_is_refused_at_once(void **state)
{
	struct world *w = *state;
	const struct federation_choice *const *list;
	struct db_federation_suspended s = {
		.entity = LAND, .by = "pruefer", .why = "Schlüssel verloren"};
	struct db_call c = call(w);
	struct err err = {0};
	bool complete;
	size_t n;

	begin(w);
	c = call(w);
	ASSERT_OK(db_federation_suspend(&c, &s, NULL, w->now, &err), &err);
	/* Nothing was read anew. */
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "member_suspended");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "");
	ASSERT_REFUSED(db_federation_suspend(&c, &s, NULL, w->now, &err), &err, ERR_CONFLICT, "");
	look(w);
	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	assert_int_equal(n, 1);
	ASSERT_OK(db_federation_unsuspend(&c, LAND, NULL, NULL, w->now, &err), &err);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	/* In one source alone; another source's member it still is. */
	s.source = NAME;
	ASSERT_OK(db_federation_suspend(&c, &s, NULL, w->now, &err), &err);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "member_suspended");
	put(w, "zweiter", "{}");
	fetch(w, group(w, 8, three(w)));
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
}

/* Another source's word for a member, by whatever name, takes nobody's place. */
static void
of_two_sources_the_rank_decides(void **state)
{
	struct world *w = *state;
	const struct federation_choice *const *list;
	struct federation_member m;
	struct err err = {0};
	bool complete;
	size_t n;

	begin(w);
	put(w, "aaa", "{}");
	fetch(w, group(w, 9, idp(w, LAND, "Anders", "")));
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "member_disputed");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "");
	/* On the page of accounts it stands once, under whatever name. */
	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	assert_int_equal(n, 2);
	put(w, NAME, "{\"rank\":10}");
	look(w);
	ASSERT_OK(find(w, LAND, SAML_ROLE_IDP, &m, &err), &err);
	assert_string_equal(m.source, NAME);
	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	assert_int_equal(n, 2);
	assert_string_equal(list[0]->de, "Land");
	/* Nor does it once that one does not count. */
	pg_sql(w->pg,
	       "INSERT INTO federation_suspended VALUES ('" LAND "', '" NAME "', 'x', 'x', 1)");
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "member_suspended");
	pg_sql(w->pg, "DELETE FROM federation_suspended");
	put(w, "aaa", "{\"rank\":9}");
	look(w);
	ASSERT_OK(find(w, LAND, SAML_ROLE_IDP, &m, &err), &err);
	assert_string_equal(m.source, "aaa");
	/* Nor while nobody knows yet what the first one says. */
	pg_sql(w->pg, "UPDATE federation_source SET version = version + 1, signers ="
		      " substring(signers FROM position('-----END' IN signers) + 26)"
		      " WHERE name = 'aaa'");
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "members_loading");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "members_loading");
}

/* Rows of copies and texts make nobody a member; the anchor is a row, too (decisions/0032). */
static void
the_database_is_not_believed(void **state)
{
	struct world *w = *state;
	const char *piece;

	begin(w);
	pg_sql(w->pg, "UPDATE federation_text SET text = (SELECT text FROM federation_text"
		      " ORDER BY digest LIMIT 1)");
	/* All but one have the text of another. */
	int refused = (missed(w, LAND, SAML_ROLE_IDP)[0] != '\0') +
		      (missed(w, STADT, SAML_ROLE_IDP)[0] != '\0') +
		      (missed(w, PORTAL, SAML_ROLE_SP)[0] != '\0');

	assert_int_equal(refused, 2);
	pg_sql(w->pg, "DELETE FROM federation_text");
	assert_non_null(strstr(missed(w, LAND, SAML_ROLE_IDP), "not in the database"));
	/* What was signed of it once is not what is. */
	begin_with(w, "{\"approval\":\"whole\"}");
	fetch(w, group(w, 9,
		       arena_printf(w->a, "%s%s%s", idp(w, LAND, "Neu", ""),
				    idp(w, STADT, "Stadt", ""), sp_at(w, PORTAL, PORTAL "/acs"))));
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	pg_sql(w->pg, "UPDATE federation_text SET text = (SELECT text FROM federation_text"
		      " ORDER BY since LIMIT 1) WHERE since = (SELECT max(since) FROM"
		      " federation_text)");
	assert_non_null(strstr(missed(w, LAND, SAML_ROLE_IDP), "not what was signed"));
	/* Octets that were changed are not read: what was read before counts on. */
	begin(w);
	piece = value(w, "SELECT seq FROM federation_copy");
	pg_sql(w->pg, "UPDATE federation_copy SET state = 'replaced'; INSERT INTO federation_copy"
		      " (source, state, digest, octets, members, valid_until, signer, changes, at)"
		      " SELECT source, 'counting', digest, octets, members, valid_until, signer,"
		      " changes, at FROM federation_copy");
	pg_sql(w->pg,
	       arena_printf(
		       w->a,
		       "INSERT INTO federation_piece SELECT (SELECT max(seq) FROM"
		       " federation_copy), n, substring(octets FROM 1 FOR length(octets)"
		       " - 40) FROM federation_piece WHERE copy = %s;"
		       " UPDATE federation_text SET used = (SELECT max(seq) FROM federation_copy)",
		       piece));
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	assert_string_equal(missed(w, "https://other.example/", SAML_ROLE_IDP), "members_loading");
	/* A node that never read another one has none. */
	w->app.federation = federation_create(w->a, &w->app);
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "members_loading");
}

/* Whoever is not pinned any more vouches for nobody, at once. */
static void
a_signer_that_is_not_pinned_any_more(void **state)
{
	struct world *w = *state;

	begin(w);
	pg_sql(w->pg, "UPDATE federation_source SET version = version + 1, signers ="
		      " substring(signers FROM position('-----END' IN signers) + 26)");
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "members_loading");
	/* And the key that is signs. */
	fetch(w, signed_by(w,
			   unsigned_group(w,
					  arena_printf(w->a, " validUntil=\"%s\"",
						       clock_text(w->a, w->now + 9 * DAYS)),
					  three(w)),
			   "rsa-sha256"));
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
}

/* Whoever signed what was read is pinned still, at another place: nobody waits for it to be read.
 */
static void
what_was_read_counts_on_while_keys_roll_over(void **state)
{
	struct world *w = *state;

	begin(w);
	pg_sql(w->pg, "UPDATE federation_source SET version = version + 1, signers ="
		      " substring(signers FROM position('-----END' IN signers) + 26) || signers;"
		      " DELETE FROM federation_piece");
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
}

/* ---- rules of the source ---- */

static const char *
why_not(struct world *w, const char *id)
{
	struct federation_member m;
	struct err err = {0};

	if (find(w, id, SAML_ROLE_IDP, &m, &err) || find(w, id, SAML_ROLE_SP, &m, &err))
		return "";
	assert_string_equal(err.proto, "member_left_out");
	return arena_strdup(w->a, err.text);
}

#define MARK(name, value)                                                                        \
	"<saml:Attribute Name=\"" name "\"><saml:AttributeValue>" value "</saml:AttributeValue>" \
	"</saml:Attribute>"

static const char *
marked(struct world *w, const char *id, const char *marks)
{
	const char *plain = idp(w, id, "Markiert", "");
	const char *role = strstr(plain, IDP_ROLE);

	return arena_printf(w->a,
			    "%.*s<md:Extensions><mdattr:EntityAttributes>%s"
			    "</mdattr:EntityAttributes></md:Extensions>%s",
			    (int)(role - plain), plain, marks, role);
}

static void
filters_leave_out_and_say_why(void **state)
{
	static const struct {
		const char *rules, *why; /* of LAND */
	} rows[] = {
		{"{\"roles\":[\"sp\"]}", "roles"},
		{"{\"deny\":[\"x\",\"" LAND "\"]}", "(deny)"},
		{"{\"allow\":[\"" STADT "\",\"" PORTAL "\"]}", "(allow)"},
		{"{\"registration-authorities\":[\"https://registrar.example\"]}",
		 "(registration-authorities)"},
		{"{\"attributes\":[{\"name\":\"urn:a\",\"value\":\"ja\"}]}", "(attributes)"},
		{"{\"required\":[\"tr-03160-2\"]}",
		 "organization-name organization-display-name organization-url encryption-key"
		 " contact-administrative contact-technical contact-support contact-other"},
		{"{\"required\":[\"signing-key\"]}", ""},
		{"{\"allow\":[\"" LAND "\"]}", ""},
		{"{}", ""},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin_with(w, rows[i].rules);
		const char *why = why_not(w, LAND);

		if (strstr(why, rows[i].why) == NULL ||
		    (rows[i].why[0] == '\0') != (why[0] == '\0'))
			fail_msg("%s: %s", rows[i].rules, why);
	}
	begin_with(w, "{\"attributes\":[{\"name\":\"urn:a\",\"value\":\"ja\"}],"
		      "\"without\":[{\"name\":\"urn:b\",\"value\":\"ja\"}]}");
	fetch(w, group(w, 8,
		       arena_printf(w->a, "%s%s%s", marked(w, LAND, MARK("urn:a", "ja")),
				    marked(w, STADT, MARK("urn:a", "ja") MARK("urn:b", "ja")),
				    idp(w, "https://x.example/", "X", ""))));
	assert_string_equal(why_not(w, LAND), "");
	assert_non_null(strstr(why_not(w, STADT), "(without)"));
	assert_non_null(strstr(why_not(w, "https://x.example/"), "(attributes)"));
	assert_string_equal(value(w, "SELECT changes->'left_out' FROM federation_copy"
				     " WHERE state = 'counting'"),
			    "{\"marked\": 1, \"unmarked\": 1}");
}

static void
some_are_not_for_choosing(void **state)
{
	struct world *w = *state;
	const struct federation_choice *const *list;
	bool complete;
	size_t n;

	begin_with(w, "{\"gone-percent\":50,\"approval\":\"whole\"}");
	fetch(w, group(w, 8,
		       arena_printf(w->a, "%s%s",
				    marked(w, LAND,
					   MARK("http://macedir.org/entity-category",
						"http://refeds.org/category/hide-from-discovery")),
				    idp(w, STADT, "Stadt", ""))));
	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	assert_int_equal(n, 1);
	assert_string_equal(list[0]->entity_id, STADT);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
}

static void
policy_is_the_sources_and_the_members_own(void **state)
{
	struct world *w = *state;
	struct federation_member m;
	struct err err = {0};

	begin_with(w,
		   "{\"policy\":{\"level-cap\":\"substantial\",\"lifetime\":90,"
		   "\"attribute-level\":\"low\"},"
		   "\"members\":{\"" LAND "\":{\"level-cap\":\"low\",\"scopes\":[\"land.de\"]}}}");
	ASSERT_OK(find(w, STADT, SAML_ROLE_IDP, &m, &err), &err);
	assert_int_equal(m.policy->policy.level_cap, LEVEL_SUBSTANTIAL);
	assert_int_equal(m.policy->lifetime_s, 90);
	assert_string_equal(m.scopes[0], "konto.stadt.example");
	assert_int_equal(m.policy->attribute_level, LEVEL_LOW);
	ASSERT_OK(find(w, LAND, SAML_ROLE_IDP, &m, &err), &err);
	assert_int_equal(m.policy->policy.level_cap, LEVEL_LOW);
	assert_int_equal(m.policy->lifetime_s, 90);
	assert_int_equal(m.n_scopes, 1);
	assert_string_equal(m.scopes[0], "land.de");
}

static void
rules_that_mean_nothing_are_refused(void **state)
{
	static const struct {
		const char *rules, *why;
	} rows[] = {
		{"[]", ""},
		{"{\"role\":[]}", "no rule"},
		{"{\"roles\":[\"aa\"]}", "neither idp nor sp"},
		{"{\"required\":[\"logo\"]}", "no field"},
		{"{\"attributes\":[{\"name\":\"x\"}]}", "name and value"},
		{"{\"valid-days\":0}", "between 1 and 366"},
		{"{\"gone-percent\":101}", "between 0 and 100"},
		{"{\"rank\":-1}", "between 0 and 1000"},
		{"{\"every-minutes\":0}", "between 1 and 1440"},
		{"{\"approval\":\"none\"}", "none of"},
		{"{\"policy\":{\"lifetime\":121}}", "between 60 and 120"},
		{"{\"policy\":{\"level-cap\":\"best\"}}", ""},
		{"{\"policy\":{\"attribute-level\":\"best\"}}", "no level is best"},
		{"{\"members\":{\"x\":{\"lifetime\":1}}}", "between 60 and 120"},
		{"{\"members\":{\"x\":1}}", "each is an object"},
	};
	struct world *w = *state;
	struct federation_rules r;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(federation_rules_parse(w->a, rows[i].rules, &r, &err), &err,
			       ERR_INPUT, rows[i].why);
}

/* ---- from one copy to the next ---- */

static void
it_is_asked_only_for_another_one(void **state)
{
	struct world *w = *state;
	const char *first;

	begin(w);
	first = far.text;
	assert_string_equal(far.last.url, URL);
	assert_null(far.last.known.etag);
	assert_false(take(w)); /* not before it is due */
	far.known = (struct fetch_known){"\"e1\"", NULL};
	fetch(w, first); /* the very same, without a word of it */
	assert_string_equal(copies(w), "counting");
	far.same = true;
	fetch(w, NULL);
	assert_string_equal(far.last.known.etag, "\"e1\"");
	assert_string_equal(copies(w), "counting");
	assert_int_equal(far.n_asked, 3);
	/* When it has ended, nothing new is no good news. */
	w->now += 8 * DAYS;
	fetch_in_vain(w, NULL, "validUntil has passed");
}

static void
texts_are_shared(void **state)
{
	struct world *w = *state;

	begin_with(w, "{\"gone-percent\":50}");
	fetch(w, group(w, 9, three(w)));
	assert_string_equal(copies(w), "counting replaced");
	assert_string_equal(told(w), "renewed");
	assert_string_equal(value(w, "SELECT count(*) FROM federation_text"), "3");
	fetch(w, group(w, 9, arena_printf(w->a, "%s%s", three(w), idp(w, NEU, "Neu", ""))));
	assert_string_equal(told(w), "member-new");
	assert_string_equal(value(w, "SELECT count(*) FROM federation_text"), "4");
	assert_string_equal(missed(w, NEU, SAML_ROLE_IDP), "");
	/* Those that no copy says any more go, with who left long ago; three that were replaced are
	 * kept. */
	for (int i = 0; i < 5; i++)
		fetch(w, group(w, 10 + i, three(w)));
	assert_string_equal(copies(w), "counting replaced replaced replaced");
	assert_string_equal(value(w, "SELECT count(*) FROM federation_text"), "4");
	pg_sql(w->pg, "UPDATE federation_left SET at = at - 370 * 86400");
	fetch(w, group(w, 15, three(w)));
	fetch(w, group(w, 15, three(w)));
	assert_string_equal(value(w, "SELECT count(*) FROM federation_text"), "3");
	assert_string_equal(value(w, "SELECT count(DISTINCT copy) FROM federation_piece"), "4");
	/* A text that somebody took away is written again. */
	pg_sql(w->pg, "DELETE FROM federation_text");
	fetch(w, group(w, 20, three(w)));
	assert_string_equal(value(w, "SELECT count(*) FROM federation_text"), "3");
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	/* But what cannot be compared is for a person. */
	assert_string_equal(told(w), "unreadable");
	assert_string_equal(value(w, "SELECT string_agg(state, ' ' ORDER BY seq DESC)"
				     " FROM federation_copy WHERE state <> 'replaced'"),
			    "waiting counting");
	w->app.federation = federation_create(w->a, &w->app);
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	/* No more does one escape it whose text was exchanged. */
	pg_sql(w->pg, "UPDATE federation_text SET text = text || ' '::bytea WHERE digest ="
		      " (SELECT digest FROM federation_text ORDER BY 1 LIMIT 1)");
	fetch(w, group(w, 21, three(w)));
	assert_string_equal(told(w), "unreadable");
}

static void
decide(struct world *w, const char *state, bool counts)
{
	const struct db_federation_copy *list;
	const struct db_federation_source *source;
	struct db_call c = call(w);
	struct err err = {0};
	size_t n, n_sources;

	ASSERT_OK(db_federation_copies(&c, NAME, false, &list, &n, &err), &err);
	ASSERT_OK(db_federation_list(&c, NAME, &source, &n_sources, &err), &err);
	for (size_t i = 0; i < n; i++)
		if (strcmp(db_federation_state_word(list[i].state), state) == 0) {
			ASSERT_OK(db_federation_decide(&c, &list[i], counts, source->counting.seq,
						       "pruefer", NULL, w->now, &err),
				  &err);
			look(w);
			return;
		}
	fail_msg("none is %s", state);
}

static const char *
acs_of_portal(struct world *w)
{
	struct federation_member m;
	struct err err = {0};

	ASSERT_OK(find(w, PORTAL, SAML_ROLE_SP, &m, &err), &err);
	return m.saml->acs.p[0].url;
}

#define EVIL "https://evil.example/acs"

static const char *
with_evil(struct world *w)
{
	return arena_printf(w->a, "%s%s%s", idp(w, LAND, "Land", ""), idp(w, STADT, "Stadt", ""),
			    sp_at(w, PORTAL, EVIL));
}

static const char *
edited(struct world *w, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (at == NULL)
		fail_msg("no %s", from);
	return arena_printf(w->a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void
what_is_grave_waits(void **state)
{
	struct world *w = *state;

	begin(w);
	fetch(w, group(w, 9, with_evil(w)));
	assert_string_equal(copies(w), "waiting counting");
	assert_string_equal(told(w), "acs-host");
	assert_string_equal(acs_of_portal(w), PORTAL "/acs");
	/* What comes next takes its place; and what is rejected is not asked again. */
	far.known = (struct fetch_known){"\"e1\"", NULL};
	fetch(w, group(w, 10, with_evil(w)));
	assert_string_equal(copies(w), "waiting counting");
	decide(w, "waiting", false);
	assert_string_equal(copies(w), "rejected counting");
	assert_string_equal(value(w, "SELECT coalesce(etag, 'none') FROM federation_source"),
			    "none");
	fetch_in_vain(w, group(w, 11, with_evil(w)), "what was rejected is still served");
	/* All else goes on. */
	fetch(w, group(w, 12, three(w)));
	assert_string_equal(copies(w), "counting rejected replaced");
	decide(w, "rejected", true);
	assert_string_equal(acs_of_portal(w), EVIL);
	decide(w, "replaced", true);
	assert_string_equal(acs_of_portal(w), PORTAL "/acs");
	assert_string_equal(value(w, "SELECT approved_by FROM federation_copy WHERE state ="
				     " 'counting'"),
			    "pruefer");
}

static size_t
n_choices(struct world *w)
{
	const struct federation_choice *const *list;
	bool complete;
	size_t n;

	federation_choices(&w->app, w->a, w->now, &list, &n, &complete);
	return n;
}

/* Who serves again what counts takes back what waits, and whom that left out. */
static void
what_is_taken_back_waits_no_more(void **state)
{
	struct world *w = *state;
	const char *good;

	begin(w);
	good = far.text;
	fetch(w, group(w, 9, edited(w, with_evil(w), idp(w, STADT, "Stadt", ""), "")));
	assert_string_equal(copies(w), "waiting counting");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "member_suspended");
	assert_int_equal(n_choices(w), 1);
	fetch(w, good);
	assert_string_equal(copies(w), "counting");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "");
	assert_int_equal(n_choices(w), 2);
	/* What was rejected likewise. */
	fetch(w, group(w, 9, edited(w, with_evil(w), idp(w, STADT, "Stadt", ""), "")));
	decide(w, "waiting", false);
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "member_suspended");
	fetch(w, good);
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "");
}

static void
the_whole_is_judged(void **state)
{
	static const char *const approvals[] = {"risky", "whole"};
	struct world *w = *state;
	const char *until;

	for (size_t i = 0; i < ARRAY_LEN(approvals); i++) {
		const char *rules = arena_printf(w->a, "{\"approval\":\"%s\"}", approvals[i]);

		begin_with(w, rules);
		fetch(w, group(w, 5, three(w)));
		assert_string_equal(copies(w), "waiting counting");
		assert_string_equal(told(w), "renewed shorter-validity");
		begin_with(w, rules);
		until = arena_printf(w->a, " validUntil=\"%s\"",
				     clock_text(w->a, w->now + 9 * DAYS));
		fetch(w, signed_by(w, unsigned_group(w, until, three(w)), "rsa-sha256"));
		assert_string_equal(copies(w), "waiting counting");
		assert_string_equal(told(w), "renewed signer");
	}
	/* Whom the signer vouches for. */
	fetch(w, group(w, 12, with_evil(w)));
	assert_string_equal(copies(w), "counting replaced");
	assert_string_equal(acs_of_portal(w), EVIL);
	begin_with(w, "{\"approval\":\"all\"}");
	fetch(w, group(w, 9, three(w)));
	assert_string_equal(copies(w), "counting replaced");
	fetch(w, group(w, 10, idp(w, LAND, "Land", "<!-- x -->")));
	assert_string_equal(copies(w), "waiting counting replaced");
}

static void
a_role_more_is_grave(void **state)
{
	struct world *w = *state;
	const char *both = sp_at(w, PORTAL, PORTAL "/acs");
	const char *role = strstr(both, SP_ROLE);

	begin(w);
	const char *idp_role = strstr(idp(w, PORTAL, "Portal", ""), IDP_ROLE);
	const char *end = strstr(idp_role, "</md:EntityDescriptor>");

	both = sp_at(w, PORTAL, PORTAL "/acs");
	role = strstr(both, SP_ROLE);
	both = arena_printf(w->a, "%.*s%.*s%s", (int)(role - both), both, (int)(end - idp_role),
			    idp_role, role);
	fetch(w, group(w, 9,
		       arena_printf(w->a, "%s%s%s", idp(w, LAND, "Land", ""),
				    idp(w, STADT, "Stadt", ""), both)));
	assert_string_equal(told(w), "role-new");
	assert_string_equal(copies(w), "waiting counting");
}

static void
who_is_gone_is_gone_at_once(void **state)
{
	struct world *w = *state;
	const char *members = "", *fewer = "", *e4 = "";

	begin(w);
	for (int i = 0; i < 20; i++) {
		const char *one = idp(w, arena_printf(w->a, "https://e%d.example/", i), "E", "");

		members = arena_printf(w->a, "%s%s", members, one);
		if (i == 4)
			e4 = one;
		if (i != 3)
			fewer = arena_printf(w->a, "%s%s", fewer, one);
	}
	members = arena_printf(w->a, "%s%s", members, three(w));
	fetch(w, group(w, 9, members));
	/* One is gone, and something else waits: that one is not believed any more. */
	fetch(w, group(w, 10, arena_printf(w->a, "%s%s", fewer, with_evil(w))));
	assert_string_equal(copies(w), "waiting counting replaced");
	assert_string_equal(missed(w, "https://e3.example/", SAML_ROLE_IDP), "member_suspended");
	assert_string_equal(missed(w, "https://e4.example/", SAML_ROLE_IDP), "");
	/* That what waits is rejected makes nobody a member again, nor does it hold others. */
	decide(w, "waiting", false);
	assert_string_equal(missed(w, "https://e3.example/", SAML_ROLE_IDP), "member_suspended");
	fetch_in_vain(
		w, group(w, 11, edited(w, arena_printf(w->a, "%s%s", fewer, with_evil(w)), e4, "")),
		"what was rejected is still served");
	assert_string_equal(missed(w, "https://e3.example/", SAML_ROLE_IDP), "member_suspended");
	assert_string_equal(missed(w, "https://e4.example/", SAML_ROLE_IDP), "member_suspended");
	/* Who is in it again is believed again. */
	fetch_in_vain(w, group(w, 12, arena_printf(w->a, "%s%s", fewer, with_evil(w))),
		      "what was rejected is still served");
	assert_string_equal(missed(w, "https://e4.example/", SAML_ROLE_IDP), "");
	fetch(w, group(w, 12, arena_printf(w->a, "%s%s", fewer, three(w))));
	assert_string_equal(told(w), "member-gone");
	assert_string_equal(missed(w, "https://e3.example/", SAML_ROLE_IDP), "member_unknown");
	/* More than a tenth: all of them stay, until somebody has looked. */
	fetch(w, group(w, 13, three(w)));
	assert_string_equal(told(w), "member-gone members-gone");
	assert_string_equal(missed(w, "https://e4.example/", SAML_ROLE_IDP), "");
	/* That these are gone was rejected; that others are is another question. */
	decide(w, "waiting", false);
	fetch_in_vain(w, group(w, 14, three(w)), "what was rejected is still served");
	fetch(w, group(w, 15, arena_printf(w->a, "%s%s", e4, three(w))));
	assert_string_equal(
		value(w, "SELECT count(*) FROM federation_copy WHERE state = 'waiting'"), "1");
}

static void
one_of_few_is_gone_at_once(void **state)
{
	struct world *w = *state;

	begin(w);
	fetch(w, group(w, 9, three(w)));
	/* One of three is more than a tenth, and yet the one change that must not wait. */
	fetch(w, group(w, 10,
		       arena_printf(w->a, "%s%s", idp(w, LAND, "Land", ""),
				    sp_at(w, PORTAL, PORTAL "/acs"))));
	assert_string_equal(told(w), "member-gone");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "member_unknown");
	fetch(w, group(w, 11, ""));
	assert_string_equal(told(w), "member-gone members-gone");
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
}

/* Nobody gets by the rules by being away for a copy. */
/* Two of ten at once, as of one operator: that waits, and yet they are not believed. */
static void
a_few_are_gone_at_once(void **state)
{
	struct world *w = *state;
	const char *members = "", *e[8];

	begin_with(w, "{\"gone-percent\":10}");
	for (size_t i = 0; i < ARRAY_LEN(e); i++) {
		e[i] = idp(w, arena_printf(w->a, "https://e%zu.example/", i), "E", "");
		members = arena_printf(w->a, "%s%s", members, e[i]);
	}
	members = arena_printf(w->a, "%s%s", members, three(w));
	fetch(w, group(w, 9, members));
	members = edited(w, edited(w, members, e[2], ""), e[5], "");
	fetch(w, group(w, 10, members));
	assert_string_equal(copies(w), "waiting counting replaced");
	assert_string_equal(missed(w, "https://e2.example/", SAML_ROLE_IDP), "member_suspended");
	assert_string_equal(missed(w, "https://e5.example/", SAML_ROLE_IDP), "member_suspended");
	assert_string_equal(missed(w, "https://e6.example/", SAML_ROLE_IDP), "");
	/* Four of eleven are many. */
	members = edited(w, edited(w, members, e[0], ""), e[1], "");
	fetch(w, group(w, 11, members));
	assert_string_equal(missed(w, "https://e2.example/", SAML_ROLE_IDP), "");
	/* So are two of three. */
	begin(w);
	fetch(w, group(w, 9, idp(w, LAND, "Land", "")));
	assert_string_equal(told(w), "member-gone members-gone");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "");
}

static void
who_comes_back_is_compared(void **state)
{
	struct world *w = *state;
	const char *without;

	begin_with(w, "{\"gone-percent\":50}");
	without = arena_printf(w->a, "%s%s", idp(w, LAND, "Land", ""), idp(w, STADT, "Stadt", ""));
	fetch(w, group(w, 9, without));
	assert_string_equal(missed(w, PORTAL, SAML_ROLE_SP), "member_unknown");
	fetch(w, group(w, 10, with_evil(w)));
	assert_string_equal(copies(w), "waiting counting replaced");
	assert_string_equal(told(w), "acs-host member-back");
	/* As it was it comes back without a question, however many copies later. */
	for (int i = 0; i < 5; i++)
		fetch(w, group(w, 11 + i, without));
	fetch(w, group(w, 16, three(w)));
	assert_string_equal(told(w), "member-back");
	assert_string_equal(acs_of_portal(w), PORTAL "/acs");
	/* A filter that leaves it out for a copy is no other way. */
	begin_with(w,
		   "{\"gone-percent\":50,\"required\":[\"organization-name\"],\"roles\":[\"sp\"]}");
	fetch(w, group(w, 9, edited(w, three(w), PEOPLE, "")));
	assert_string_equal(why_not(w, PORTAL)[0] == '\0' ? "" : "left out", "left out");
	fetch(w, group(w, 10, with_evil(w)));
	assert_string_equal(told(w), "acs-host member-back");
}

/* What cannot be compared is for a person. */
static void
what_cannot_be_compared_waits(void **state)
{
	struct world *w = *state;

	/* A copy in which it does not read is no way around the rules. */
	begin(w);
	fetch(w, group(w, 9, edited(w, three(w), " index=\"0\"", " index=\"x\"")));
	assert_string_equal(copies(w), "counting replaced");
	assert_string_equal(missed(w, PORTAL, SAML_ROLE_SP), "member_left_out");
	fetch(w, group(w, 10, with_evil(w)));
	assert_string_equal(copies(w), "waiting counting replaced");
	assert_string_equal(told(w), "uncompared");
	/* Nor is the text of one who left, when it is lost. */
	begin(w);
	fetch(w, group(w, 9,
		       arena_printf(w->a, "%s%s", idp(w, LAND, "Land", ""),
				    idp(w, STADT, "Stadt", ""))));
	pg_sql(w->pg, "DELETE FROM federation_text WHERE digest IN (SELECT digest FROM"
		      " federation_left)");
	fetch(w, group(w, 10, with_evil(w)));
	assert_string_equal(told(w), "member-back uncompared");
	/* A signature that does not verify any more is not one of a key that is not pinned. */
	begin(w);
	pg_sql(w->pg, "UPDATE federation_piece SET octets = overlay(octets PLACING 'AAAA'::bytea"
		      " FROM position('<ds:SignatureValue'::bytea IN octets) + 60)");
	fetch(w, group(w, 9, with_evil(w)));
	assert_string_equal(copies(w), "waiting counting");
	assert_string_equal(told(w), "unreadable");
}

/* Lowered below what counts they make neither that unreadable nor what comes unfit. */
static void
caps_are_for_what_comes(void **state)
{
	struct world *w = *state;

	begin(w);
	put(w, NAME, "{\"most-members\":2}");
	w->app.federation = federation_create(w->a, &w->app);
	look(w);
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	fetch_in_vain(w, group(w, 9, three(w)), "too many entities");
	fetch(w, group(w, 9,
		       arena_printf(w->a, "%s%s", idp(w, LAND, "Land", ""),
				    sp_at(w, PORTAL, PORTAL "/acs"))));
	assert_string_equal(copies(w), "counting replaced");
	assert_string_equal(told(w), "member-gone");
}

/* Who goes back to an earlier copy is not taken forward by the next one. */
static void
a_rollback_lasts(void **state)
{
	struct world *w = *state;
	const char *more;

	begin(w);
	more = arena_printf(w->a, "%s%s", three(w), idp(w, EVIL, "E", ""));
	fetch(w, group(w, 9, more));
	assert_string_equal(missed(w, EVIL, SAML_ROLE_IDP), "");
	decide(w, "replaced", true);
	assert_string_equal(missed(w, EVIL, SAML_ROLE_IDP), "member_unknown");
	fetch(w, group(w, 10, more));
	assert_string_equal(told(w), "member-new rolled-back");
	assert_string_equal(missed(w, EVIL, SAML_ROLE_IDP), "member_unknown");
	decide(w, "waiting", false);
	fetch_in_vain(w, group(w, 11, more), "what was rejected is still served");
	/* The same members for another time are no change. */
	fetch(w, group(w, 12, three(w)));
	assert_string_equal(told(w), "renewed");
	fetch(w, group(w, 13, arena_printf(w->a, "%s%s", more, idp(w, LAND "/neu", "N", ""))));
	decide(w, "waiting", true);
	assert_string_equal(missed(w, EVIL, SAML_ROLE_IDP), "");
	/* Now somebody has looked. */
	fetch(w, group(w, 14, more));
	assert_string_equal(told(w), "member-gone");
}

/* A node that has not read yet what counts believes nobody who is not in it any more, and who is as
 * before. */
static void
what_does_not_count_any_more_is_not_believed(void **state)
{
	struct world *w = *state;

	begin_with(w, "{\"approval\":\"whole\"}");
	w->now += DAYS;
	far.text = group(w, 9,
			 arena_printf(w->a, "%s%s", idp(w, LAND, "Land, neu", ""),
				      sp_at(w, PORTAL, PORTAL "/acs")));
	assert_true(take(w));
	assert_string_equal(copies(w), "counting replaced");
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "members_loading");
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	look(w);
	assert_string_equal(missed(w, STADT, SAML_ROLE_IDP), "member_unknown");
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
}

static void
a_source_says_how_often_it_is_asked(void **state)
{
	struct world *w = *state;
	struct federation_rules r = {0};

	assert_int_equal(federation_pause_s(&r, 0, w->now), 3600);
	assert_int_equal(federation_pause_s(&r, w->now + 1200, w->now), 600);
	assert_int_equal(federation_pause_s(&r, w->now + 2, w->now), 60);
	r.every_s = 60;
	assert_int_equal(federation_pause_s(&r, w->now + 5 * DAYS, w->now), 60);
}

/* ---- a hostile publisher ---- */

static const char *
until(struct world *w, time_t t)
{
	return arena_printf(w->a, " validUntil=\"%s\"", clock_text(w->a, t));
}

static void
nothing_else_than_what_was_signed_is_taken(void **state)
{
	struct world *w = *state;
	const char *good, *root, *inner;

	begin(w);
	good = group(w, 20, three(w));
	fetch_in_vain(w, group(w, 0, three(w)), "has passed");
	fetch_in_vain(w, group(w, 30, three(w)), "too far off");
	fetch_in_vain(w, signed_by(w, unsigned_group(w, "", three(w)), "ecdsa-sha256"),
		      "no validUntil");
	fetch_in_vain(w,
		      edited(w, unsigned_group(w, until(w, w->now + 9 * DAYS), three(w)),
			     FIXTURE_PLACE, ""),
		      "no signature in its place");
	fetch_in_vain(w, edited(w, good, LAND, "https://evil.example/idp"), "not what was signed");
	fetch_in_vain(w,
		      edited(w, good, "</md:" GROUP ">",
			     arena_printf(w->a, "%s</md:" GROUP ">", idp(w, EVIL, "E", ""))),
		      "not what was signed");
	fetch_in_vain(
		w, group(w, 20, arena_printf(w->a, "%s%s", three(w), idp(w, LAND, "Land 2", ""))),
		"twice");
	/* The signed one wrapped in another that says more. */
	root = strstr(good, "<md:" GROUP);
	inner = arena_printf(w->a,
			     "<md:" GROUP " xmlns:md=\"" SAML_NS_METADATA
			     "\" ID=\"_out\"%s>%s%s</md:" GROUP ">",
			     until(w, w->now + 9 * DAYS), root, idp(w, EVIL, "E", ""));
	fetch_in_vain(w, inner, "no signature in its place");
	/* The signature of the signed one moved out to it. */
	const char *sig = between(w->a, good, "<ds:Signature ", "</ds:Signature>");

	fetch_in_vain(w,
		      arena_printf(w->a,
				   "<md:" GROUP " xmlns:md=\"" SAML_NS_METADATA
				   "\" xmlns:ds=\"" SAML_NS_DS
				   "\" ID=\"_out\"%s><ds:Signature %s</ds:Signature>%s%s</md:" GROUP
				   ">",
				   until(w, w->now + 9 * DAYS), sig, root, idp(w, EVIL, "E", "")),
		      "not to the element itself");
	far.cut = 30;
	fetch_in_vain(w, good, "expected '>'");
	far.cut = 0;
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "member_over"); /* ten days later */
	fetch(w, group(w, 20, three(w)));
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
	assert_string_equal(missed(w, EVIL, SAML_ROLE_IDP), "member_unknown");
	assert_string_equal(value(w, "SELECT count(*) FROM federation_text"), "3");
}

static void
another_signer_is_refused(void **state)
{
	struct world *w = *state;

	begin(w);
	pg_sql(w->pg, "UPDATE federation_source SET version = version + 1, signers ="
		      " substring(signers FROM 1 FOR position('-----END' IN signers) + 25)");
	fetch_in_vain(w,
		      signed_by(w, unsigned_group(w, until(w, w->now + 9 * DAYS), three(w)),
				"rsa-sha256"),
		      "no key of the sender verifies the signature");
}

/* Its size is nobody's memory, and it has an end; what counts is what counted. */
static void
what_has_no_end_is_cut_off(void **state)
{
	struct world *w = *state;
	const char *good, *open;
	size_t n = test_size(3000, 1000000);

	begin_with(w, "{\"most-mib\":8,\"most-members\":2000,\"member-kib\":64}");
	good = group(w, 20, three(w));
	open = arena_strndup(w->a, good, strlen(good) - strlen("</md:" GROUP ">"));
	far.endless = idp(w, EVIL, "E", "");
	fetch_in_vain(w, open, "too many entities");
	far.endless = "                                                                ";
	far.piece = 1 << 16;
	fetch_in_vain(w, open, "the answer has more than");
	assert_in_range(far.n_octets, (size_t)8 << 20, ((size_t)8 << 20) + (1 << 16));
	far.endless = "<x>deeper and deeper";
	fetch_in_vain(w, open, "nested too deeply");
	far.endless = "text of an entity that never ends ";
	fetch_in_vain(w, arena_printf(w->a, "%s<md:EntityDescriptor entityID=\"urn:x\">", open),
		      "too long");
	far.endless = NULL;
	/* Very many, signed and all. */
	struct buf b;
	const char *many;
	struct err err = {0};

	buf_init(&b, w->a, (size_t)128 << 20);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "<md:EntityDescriptor entityID=\"urn:%zu\"/>", i);
	ASSERT_OK(buf_finish_str(&b, &many, &err), &err);
	fetch_in_vain(w, group(w, 20, many), "too many entities");
	assert_string_equal(value(w, "SELECT count(*) FROM federation_text"), "3");
	assert_string_equal(value(w, "SELECT count(DISTINCT copy) FROM federation_piece"), "1");
	w->now -= 6 * DAYS;
	assert_string_equal(missed(w, LAND, SAML_ROLE_IDP), "");
}

/* ---- two at once ---- */

/* Names of namespaces that all share are written with each member when a copy is stored. */
static void
what_becomes_too_long_is_not_taken(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	const char *many;
	struct buf b;

	begin_with(w, "{\"most-mib\":1,\"gone-percent\":100}");
	buf_init(&b, w->a, (size_t)1 << 20);
	for (size_t i = 0; i < 5000; i++)
		buf_printf(&b,
			   "<md:EntityDescriptor entityID=\"urn:%zu\"><md:Extensions><p:x/>"
			   "</md:Extensions></md:EntityDescriptor>",
			   i);
	ASSERT_OK(buf_finish_str(&b, &many, &err), &err);
	fetch_in_vain(w,
		      signed_by(w,
				unsigned_group(w,
					       arena_printf(w->a,
							    " xmlns:p=\"urn:%0500d\""
							    " validUntil=\"%s\"",
							    1, clock_text(w->a, w->now + 9 * DAYS)),
					       many),
				"ecdsa-sha256"),
		      "too long with its namespaces");
}

static void
who_was_overtaken_writes_nothing(void **state)
{
	struct world *w = *state;
	const struct db_federation_source *first, *second;
	struct federation_taking *t;
	struct federation_taken taken;
	struct db_call c;
	struct err err = {0};

	begin(w);
	c = call(w);
	const char *text = group(w, 9, arena_printf(w->a, "%s%s", three(w), idp(w, EVIL, "E", "")));

	ASSERT_OK(db_federation_take(&c, NAME, 60, w->now, &first, &err), &err);
	ASSERT_OK(federation_take_begin(&c, first, "ref", w->now, &t, &err), &err);
	ASSERT_OK(federation_take_add(t, bytes_of(text), &err), &err);
	/* Another node takes it, and is done. */
	fetch(w, group(w, 10, three(w)));
	assert_string_equal(copies(w), "counting replaced");
	ASSERT_REFUSED(federation_take_end(t, &taken, &err), &err, ERR_CONFLICT, "");
	federation_take_abandon(t);
	assert_string_equal(copies(w), "counting replaced");
	/* Nor does one whose base is not what counts any more. */
	c = call(w);
	ASSERT_OK(db_federation_take(&c, NAME, 60, w->now, &second, &err), &err);
	ASSERT_OK(federation_take_begin(&c, second, "ref", w->now, &t, &err), &err);
	ASSERT_OK(federation_take_add(t, bytes_of(text), &err), &err);
	decide(w, "replaced", true);
	ASSERT_REFUSED(federation_take_end(t, &taken, &err), &err, ERR_CONFLICT, "");
	federation_take_abandon(t);
	look(w);
	assert_string_equal(missed(w, EVIL, SAML_ROLE_IDP), "member_unknown");
}

/* Of what is judged by rules that do not count any more nothing is taken. */
static void
rules_count_for_what_is_on_its_way(void **state)
{
	struct world *w = *state;
	const struct db_federation_source *source;
	struct federation_taking *t;
	struct federation_taken taken;
	struct db_call c;
	struct err err = {0};

	begin(w);
	c = call(w);
	const char *text = group(w, 9, arena_printf(w->a, "%s%s", three(w), idp(w, EVIL, "E", "")));

	ASSERT_OK(db_federation_take(&c, NAME, 60, w->now, &source, &err), &err);
	ASSERT_OK(federation_take_begin(&c, source, "ref", w->now, &t, &err), &err);
	ASSERT_OK(federation_take_add(t, bytes_of(text), &err), &err);
	put(w, NAME, "{\"approval\":\"all\"}");
	ASSERT_REFUSED(federation_take_end(t, &taken, &err), &err, ERR_CONFLICT, "");
	federation_take_abandon(t);
	assert_string_equal(copies(w), "counting");
	fetch(w, text);
	assert_string_equal(copies(w), "waiting counting");
}

static void
it_is_told_before_it_ends(void **state)
{
	struct world *w = *state;
	struct db_federation_source s = {
		.kind = DB_FEDERATION_AGGREGATE,
		.counting = {.seq = 1, .at = w->now, .valid_until = w->now + 4 * DAYS}};

	assert_null(federation_end_warning(w->a, &s, w->now));
	s.trouble = "the network fails";
	assert_non_null(strstr(federation_end_warning(w->a, &s, w->now), "ends on"));
	s.trouble = NULL;
	s.kind = DB_FEDERATION_FILE;
	assert_non_null(strstr(federation_end_warning(w->a, &s, w->now), "ends on"));
	s.kind = DB_FEDERATION_AGGREGATE;
	/* It answers, and does not renew. */
	assert_null(federation_end_warning(w->a, &s, w->now + 2 * DAYS));
	assert_non_null(strstr(federation_end_warning(w->a, &s, w->now + 2 * DAYS + 1), "ends on"));
	s.counting.at = w->now + 3 * DAYS;
	assert_null(federation_end_warning(w->a, &s, w->now + 3 * DAYS - 1));
	assert_non_null(strstr(federation_end_warning(w->a, &s, w->now + 3 * DAYS), "ends on"));
	assert_non_null(strstr(federation_end_warning(w->a, &s, w->now + 4 * DAYS), "ended on"));
	s.counting.seq = 0;
	assert_null(federation_end_warning(w->a, &s, w->now));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(members_are_found_in_their_roles, world_fresh),
		cmocka_unit_test_setup(until_it_is_read_nobody_is_unknown, world_fresh),
		cmocka_unit_test_setup(who_is_suspended_is_refused_at_once, world_fresh),
		cmocka_unit_test_setup(of_two_sources_the_rank_decides, world_fresh),
		cmocka_unit_test_setup(the_database_is_not_believed, world_fresh),
		cmocka_unit_test_setup(a_signer_that_is_not_pinned_any_more, world_fresh),
		cmocka_unit_test_setup(what_was_read_counts_on_while_keys_roll_over, world_fresh),
		cmocka_unit_test_setup(filters_leave_out_and_say_why, world_fresh),
		cmocka_unit_test_setup(some_are_not_for_choosing, world_fresh),
		cmocka_unit_test_setup(policy_is_the_sources_and_the_members_own, world_fresh),
		cmocka_unit_test_setup(rules_that_mean_nothing_are_refused, world_fresh),
		cmocka_unit_test_setup(it_is_asked_only_for_another_one, world_fresh),
		cmocka_unit_test_setup(texts_are_shared, world_fresh),
		cmocka_unit_test_setup(what_is_grave_waits, world_fresh),
		cmocka_unit_test_setup(what_is_taken_back_waits_no_more, world_fresh),
		cmocka_unit_test_setup(the_whole_is_judged, world_fresh),
		cmocka_unit_test_setup(a_role_more_is_grave, world_fresh),
		cmocka_unit_test_setup(who_is_gone_is_gone_at_once, world_fresh),
		cmocka_unit_test_setup(one_of_few_is_gone_at_once, world_fresh),
		cmocka_unit_test_setup(a_few_are_gone_at_once, world_fresh),
		cmocka_unit_test_setup(who_comes_back_is_compared, world_fresh),
		cmocka_unit_test_setup(what_cannot_be_compared_waits, world_fresh),
		cmocka_unit_test_setup(caps_are_for_what_comes, world_fresh),
		cmocka_unit_test_setup(a_rollback_lasts, world_fresh),
		cmocka_unit_test_setup(what_does_not_count_any_more_is_not_believed, world_fresh),
		cmocka_unit_test_setup(a_source_says_how_often_it_is_asked, world_fresh),
		cmocka_unit_test_setup(nothing_else_than_what_was_signed_is_taken, world_fresh),
		cmocka_unit_test_setup(another_signer_is_refused, world_fresh),
		cmocka_unit_test_setup(what_has_no_end_is_cut_off, world_fresh),
		cmocka_unit_test_setup(what_becomes_too_long_is_not_taken, world_fresh),
		cmocka_unit_test_setup(who_was_overtaken_writes_nothing, world_fresh),
		cmocka_unit_test_setup(rules_count_for_what_is_on_its_way, world_fresh),
		cmocka_unit_test_setup(it_is_told_before_it_ends, world_fresh),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
