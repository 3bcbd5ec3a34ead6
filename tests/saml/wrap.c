/* Signature wrapping; see wrap.h. */
#include "tests/saml/wrap.h"

#include "tests/saml/support.h"
#include "tests/test.h"

struct wrap_target
wrap_target(struct arena *a, const char *text)
{
	struct wrap_target t = {.text = text};
	struct err err = {0};
	struct xml_doc *doc;

	t.sig = cut(a, text, "<ds:Signature ", "</ds:Signature>");
	t.bare = replace(a, text, t.sig, "");
	ASSERT_OK(xml_parse(a, bytes_of(t.bare), &test_limits, &doc, &err), &err);
	ASSERT_OK(xml_c14n(a, xml_root(doc), NULL, NULL, 0, &t.octets, &err), &err);
	return t;
}

char *
wrap_put(struct arena *a, const char *element, const char *where, const char *what)
{
	const char *close = strrchr(element, '<'), *issuer = strstr(element, "Issuer>");
	const char *start = strchr(element, '>') + 1;

	/* "<saml:Issuer>" if it has no attribute, else the closing tag already. */
	if (issuer != NULL && issuer < strstr(element, "</"))
		issuer = strstr(issuer + 1, "Issuer>");
	if (issuer != NULL)
		issuer += strlen("Issuer>");
	const char *at = strcmp(where, "end") == 0                       ? close
			 : strcmp(where, "start") == 0 || issuer == NULL ? start
									 : issuer;

	return arena_printf(a, "%.*s%s%s", (int)(at - element), element, what, at);
}

char *
wrap_in_signature(struct arena *a, const char *sig, const char *what)
{
	return wrap_put(a, sig, "end", what);
}

char *
wrap_in_object(struct arena *a, const char *sig, const char *what)
{
	return wrap_in_signature(a, sig, arena_printf(a, "<ds:Object>%s</ds:Object>", what));
}

char *
wrap_in_extensions(struct arena *a, const char *what)
{
	return arena_printf(a,
			    "<samlp:Extensions xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""
			    ">%s</samlp:Extensions>",
			    what);
}

/* ---- IDs ---- */

/* {} is the signed element's own ID. */
static const char *const ids[] = {
	"ID=\"_evil\"",
	"ID=\"{}\"",
	"",
	"ID=\"_evil\" xml:id=\"{}\"",
	"ID=\"_evil\" Id=\"{}\" id=\"{}\"",
	"xmlns:x=\"urn:x\" x:ID=\"{}\" ID=\"_evil\"",
	"ID=\"{} \"",
};

const char *
wrap_id(size_t i)
{
	return i < ARRAY_LEN(ids) ? ids[i] : NULL;
}

/* The evil element under another ID. */
static const char *
evil_named(struct arena *a, const struct wrap_target *t, size_t i)
{
	const char *at = strstr(t->evil, " ID=") + 1;
	char quote[] = {at[3], '\0'};
	const char *attr = arena_strndup(a, at, strcspn(at + 4, quote) + 5);
	const char *name = arena_strndup(a, attr + 4, strlen(attr) - 5), *id = ids[i];

	while (strstr(id, "{}") != NULL)
		id = replace(a, id, "{}", name);
	return replace(a, t->evil, attr, id);
}

/* ---- shapes ---- */

const char *
wrap_message(struct arena *a, int shape, const struct wrap_target *t, size_t id)
{
	const char *evil = evil_named(a, t, id);

	switch (shape) {
	case 1: /* the signed element inside the evil one's Signature */
		return wrap_put(a, evil, "issuer", wrap_in_signature(a, t->sig, t->bare));
	case 2: /* beside the Signature, before it */
		return wrap_put(a, evil, "issuer", arena_printf(a, "%s%s", t->bare, t->sig));
	case 3: /* whole and valid, as a child of the evil one */
		return wrap_put(a, evil, "start", t->text);
	case 4: /* the evil one inside the signed one */
		return wrap_put(a, t->text, "end", evil);
	case 5: /* behind the evil one's Signature, at the end */
		return wrap_put(a, wrap_put(a, evil, "issuer", t->sig), "end", t->bare);
	case 6: /* the signed one, whole, inside the evil one's Signature */
		return wrap_put(a, evil, "issuer", wrap_in_signature(a, t->sig, t->text));
	case 7: /* in Extensions */
		return wrap_put(a, wrap_put(a, evil, "issuer", t->sig), "end",
				wrap_in_extensions(a, t->bare));
	case 8: /* in ds:Object */
		return wrap_put(a, evil, "issuer", wrap_in_object(a, t->sig, t->bare));
	default:
		fail_msg("no shape %d", shape);
		return NULL;
	}
}

const char *
wrap_child(struct arena *a, int shape, const struct wrap_target *t, size_t id)
{
	const char *evil = evil_named(a, t, id);

	switch (shape) {
	case 3: /* the evil one, unsigned, before the signed one */
		return arena_printf(a, "%s%s", evil, t->text);
	case 4: /* the signed one, whole, inside the evil one */
		return wrap_put(a, evil, "end", t->text);
	case 5: /* the evil one has the Signature, the signed one follows */
		return arena_printf(a, "%s%s", wrap_put(a, evil, "issuer", t->sig), t->bare);
	case 7: /* the evil one in Extensions, before the signed one */
		return arena_printf(a, "%s%s", wrap_in_extensions(a, evil), t->text);
	default: /* as around a message */
		return wrap_message(a, shape, t, id);
	}
}
