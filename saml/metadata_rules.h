/* Between metadata_lint.c, which has the table of rules, and metadata_rules.c. */
#ifndef KONTOR_SAML_METADATA_RULES_H
#define KONTOR_SAML_METADATA_RULES_H

#include "saml/metadata_check.h"

/* How far the reading of a document came. */
enum lint_stage {
	STAGE_SIZE,
	STAGE_XML,
	STAGE_SCHEMA,
	STAGE_ENTITY,
	STAGE_READ, /* there is a party */
};

struct lint {
	struct arena *a;
	const struct saml_party *party; /* NULL before STAGE_READ */
	const struct saml_check_wish *wish;
	bool whole; /* the document is looked at, and what is fine is told */
	enum lint_stage stage;
	struct err why;              /* before STAGE_READ */
	const struct xml_node *root; /* from STAGE_SCHEMA on; NULL without a document */
	const struct rule *rule;     /* whose turn it is */
	bool silent;                 /* it had nothing to look at */
	struct saml_finding *found;
	size_t n, max;
};

/* A finding of the rule whose turn it is. */
void lint_find(struct lint *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The authority of an http or https URL as it stands there; n 0: none, p is never NULL. */
struct bytes lint_authority(const char *url);

/* Rules about the document. */
void rule_size(struct lint *l);
void rule_xml(struct lint *l);
void rule_schema(struct lint *l);
void rule_several_entities(struct lint *l);
void rule_entity(struct lint *l);
void rule_signature(struct lint *l);
void rule_no_signature(struct lint *l);
void rule_cache(struct lint *l);

/* Keys and algorithms. */
void rule_key_use(struct lint *l);
void rule_certificate_digest(struct lint *l);
void rule_certificate_ends(struct lint *l);
void rule_signing_unsaid(struct lint *l);
void rule_signing_never(struct lint *l);
void rule_encryption_unsaid(struct lint *l);
void rule_encryption_never(struct lint *l);

/* Endpoints and names. */
void rule_hosts(struct lint *l);
void rule_slo_soap(struct lint *l);
void rule_slo_binding(struct lint *l);
void rule_nameid_none(struct lint *l);
void rule_nameid_format(struct lint *l);
void rule_assertions_signed(struct lint *l);

/* Attributes. */
void rule_no_attributes(struct lint *l);
void rule_service_index(struct lint *l);
void rule_name_unknown(struct lint *l);
void rule_name_elsewhere(struct lint *l);
void rule_name_format(struct lint *l);
void rule_names_mixed(struct lint *l);
void rule_required(struct lint *l);

/* People. */
void rule_no_ui_info(struct lint *l);
void rule_no_organization(struct lint *l);
void rule_contacts(struct lint *l);

#endif
