/*
 * The attributes of a SAML answer: which ones a request means by the names it
 * uses, and what an assertion tells of the person and of the login in them.
 */
#ifndef KONTOR_IDP_SAML_ATTRIBUTES_H
#define KONTOR_IDP_SAML_ATTRIBUTES_H

#include "idp/flow.h"
#include "saml/authn_request.h"

/*
 * Fill in what is wanted (ask->wanted, ask->names_attributes) and note in
 * ask->state what the answer needs to know.  What the request names itself
 * counts, else what the metadata's service names, else what the record says.
 * ERR_DENIED: too many names; SAML_WHY_ATTRIBUTE_MISSING: one is required that nobody can be told
 * of, *about is its name.
 */
MUST_USE bool saml_attributes_asked(struct arena *a, const struct saml_authn_request *r,
				    const struct saml_wish *wish, struct ask *ask,
				    const char **about, struct err *err);

/*
 * The first of these names that is required and that this party is never told, whoever logs in: it
 * means nothing here, or is not registered.  NULL: none.
 */
const char *saml_attributes_lacking(const struct saml_named_list *names, const struct party *p);

/*
 * What these names mean, and in which vocabulary who uses them is answered.  Of a name that stands
 * for several attributes, those that are not registered for p are not required.
 */
struct wanted_list saml_attributes_wanted(struct arena *a, const struct saml_named_list *names,
					  const struct party *p);
enum vocabulary saml_attributes_vocabulary(const struct saml_named_list *names,
					   const struct party *p);

/* The names that metadata ask for at one of its services. */
struct saml_named_list saml_attributes_of_service(struct arena *a,
						  const struct saml_attribute_service *s);

/* What an attribute is called in the answer of this ask. */
const char *saml_attributes_name(struct arena *a, const struct ask *ask,
				 const struct attribute *at);

/* The attributes to tell: what was granted, and the facts of the login that were asked for. */
MUST_USE bool saml_attributes_told(struct flow *f, const char *pseudonym, const char *class_ref,
				   const struct saml_attribute **out, size_t *n, struct err *err);

/* The same without a login, of which no fact is told: what was granted to a query. */
void saml_attributes_queried(struct request *rq, const struct party *p, enum vocabulary v,
			     const struct release *granted, const struct saml_attribute **out,
			     size_t *n);

#endif
