/*
 * What a proofing rests on, in the words of OpenID Identity Assurance: kinds of documents and how
 * they were looked at, two tables.  What is in neither is not told, rather than by another's name.
 */
#ifndef KONTOR_IDP_EVIDENCE_H
#define KONTOR_IDP_EVIDENCE_H

#include "base/json.h"
#include "db/proofing.h"
#include "oidc/param.h"

/* A method that proofings are stored with? */
bool evidence_is_method(const char *method);

/* Those methods, for people: "in-person". */
const char *evidence_methods(struct arena *a);

/*
 * [{"type": "document", "document_details": {"type"}, "check_details": [{"check_method"}]}] of the
 * proofing with this id, without members that are not known.  NULL: there is none.
 */
const json_t *evidence_of(struct arena *a, const struct db_proofing *list, size_t n,
			  struct bytes id);

/* For discovery: all that can be told. */
struct oidc_strs evidence_documents(void);
struct oidc_strs evidence_check_methods(void);

#endif
