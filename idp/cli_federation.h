/* What the files of kontor federation share. */
#ifndef KONTOR_IDP_CLI_FEDERATION_H
#define KONTOR_IDP_CLI_FEDERATION_H

#include "db/federation.h"
#include "idp/cli_work.h"

/* ERR_NOT_FOUND: there is no such source. */
MUST_USE bool cli_federation_find(struct cli_work *work, const char *name,
				  const struct db_federation_source **out, struct err *err);

/* *out: a copy that counts has it, or cannot be read; of this source, NULL: of any. */
MUST_USE bool cli_federation_has(struct cli_work *work, const char *source, const char *entity_id,
				 bool *out, struct err *err);

/* kontor federation statistics [--days N] */
enum cli_exit cli_federation_statistics(struct cli *cli);

/* kontor federation why ENTITY */
enum cli_exit cli_federation_why(struct cli *cli);

#endif
