/* What the two halves of kontor party share: the record (cli_party.c), and where its metadata
 * comes from (cli_party_source.c). */
#ifndef KONTOR_IDP_CLI_PARTY_H
#define KONTOR_IDP_CLI_PARTY_H

#include "base/buf.h"
#include "idp/cli_work.h"
#include "idp/party_metadata.h"

#define CLI_KIND_SAML "saml"
#define CLI_KIND_OIDC "oidc"

/* The row of this id and kind; ERR_NOT_FOUND says when it is one of the other. */
MUST_USE bool cli_party_find(struct cli_work *work, const char *id, const char *kind,
			     const struct db_party **out, struct err *err);

/* Take "--metadata-signer PEM …" off the command line: their text, "" for none. */
MUST_USE bool cli_party_signers(struct cli *cli, const char **out, struct err *err);

/* The changes as "changes" of `o` and a line each. */
void cli_party_tell_changes(struct cli *cli, const struct saml_changes *changes, json_t *o,
			    struct buf *text);

/* What is followed, and how that goes: "source" of `o`. */
void cli_party_put_source(struct cli *cli, const struct db_source *source, json_t *o);

/* "copies" of `o`: without their documents. */
void cli_party_put_copies(struct cli *cli, const struct db_copy *copies, size_t n, json_t *o);

enum cli_exit cli_party_follow(struct cli *cli);
enum cli_exit cli_party_unfollow(struct cli *cli);
enum cli_exit cli_party_refresh(struct cli *cli);
enum cli_exit cli_party_changes(struct cli *cli);
enum cli_exit cli_party_approve(struct cli *cli);
enum cli_exit cli_party_reject(struct cli *cli);
enum cli_exit cli_party_rollback(struct cli *cli);

#endif
