/*
 * What no XML from outside may hold, looked at in its octets and counted while libxml2 parses:
 * one set of rules for documents read whole (saml/xml.c) and in pieces (saml/xml_push.c).
 */
#ifndef KONTOR_SAML_XML_GUARD_H
#define KONTOR_SAML_XML_GUARD_H

#include <libxml/parser.h>

#include "saml/xml.h"

/* A PrefixList names the few prefixes that occur in values ("xs"). */
#define XML_MAX_PREFIXES 16

/*
 * Step over the byte order mark (where the limits allow one) and the XML declaration, so that
 * libxml2 sees none and nothing can make it read the octets as anything but UTF-8.
 */
MUST_USE bool xml_skip_declaration(struct bytes *text, const struct xml_limits *limits,
				   struct err *err);

/* Where a look at the markup stands between two pieces; zero at the start. */
struct xml_scan {
	bool in_tag, heading; /* behind a '<'; in the octets that say what it begins */
	bool may_comment, may_cdata;
	unsigned n_head, n_attrs;
	unsigned char quote;
};

/* The next octets: UTF-8 that is cut between characters, and no markup that may not be. */
MUST_USE bool xml_scan_octets(struct xml_scan *s, struct bytes piece,
			      const struct xml_limits *limits, struct err *err);

struct xml_guard {
	const struct xml_limits *limits;
	size_t nodes;
	unsigned max_depth;
	unsigned in_scope[XML_MAX_DEPTH + 2]; /* declarations, by the depth of the element */
	const char *fault;                    /* why we stopped; NULL: we did not */
	bool remarked;                        /* libxml2 had an error or a warning */
	char remark[120];
};

/* An element inside `depth` others begins: libxml2's arguments.  NULL, or why it may not. */
const char *xml_guard_start(struct xml_guard *g, unsigned depth, int n_ns, const xmlChar **ns,
			    int n_attr);

/* libxml2 said something: the first of it is kept. */
void xml_guard_remark(struct xml_guard *g, const xmlError *e);

/* Nothing was said or found, and the parser has no fault. */
bool xml_guard_is_clean(const struct xml_guard *g, const xmlParserCtxt *p);

/* A parser may be made: what libxml2 keeps for this thread is there. */
bool xml_guard_thread(void);

/* Split InclusiveNamespaces/@PrefixList; the words live in `a`, the array ends in NULL. */
MUST_USE bool xml_prefixes(struct arena *a, const char *list,
			   xmlChar *prefixes[XML_MAX_PREFIXES + 1], struct err *err);

#endif
