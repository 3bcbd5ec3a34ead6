/* kontor federation member …: what its parts share. */
#ifndef KONTOR_IDP_CLI_MEMBER_H
#define KONTOR_IDP_CLI_MEMBER_H

#include "db/member.h"
#include "idp/cli_work.h"

/* One EntityDescriptor as the schema has it: entity_id, valid_until, and what is kept of it. */
MUST_USE bool cli_member_read(struct arena *a, struct bytes text, struct db_member_document *out,
			      struct err *err);

/* kontor federation member check [ENTITY | --file FILE] */
enum cli_exit cli_member_check(struct cli *cli);

#endif
