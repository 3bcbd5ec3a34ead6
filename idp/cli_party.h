/* What kontor party (cli_party.c: the record; cli_party_source.c: where its metadata comes from)
 * and kontor client (cli_client.c) share. */
#ifndef KONTOR_IDP_CLI_PARTY_H
#define KONTOR_IDP_CLI_PARTY_H

#include "base/buf.h"
#include "db/refusal.h"
#include "idp/cli_work.h"
#include "idp/party_metadata.h"

#define CLI_KIND_SAML "saml"
#define CLI_KIND_OIDC "oidc"

/* The row of this id and kind; ERR_NOT_FOUND says when it is one of the other. */
MUST_USE bool cli_party_find(struct cli_work *work, const char *id, const char *kind,
			     const struct db_party **out, struct err *err);

/* What is stored of a party, or an empty record, with the policy it gets. */
struct cli_stored {
	const struct db_party *row; /* NULL: new */
	json_t *policy;             /* a key of `given` replaces what is stored */
};

/* ERR_CONFLICT: the id is one of the other kind. */
MUST_USE bool cli_party_stored(struct cli_work *work, const char *id, const char *kind,
			       const json_t *given, struct cli_stored *out, struct err *err);

/*
 * Judge the record as the program will, then store it, with where its metadata comes from
 * (NULL: nothing of that changes).  Who was switched off stays so.
 */
MUST_USE bool cli_party_save(struct cli_work *work, struct db_party *row,
			     const struct db_source *source, struct err *err);

/* The verbs that are the same for both kinds. */
enum cli_change { CLI_ENABLE, CLI_DISABLE, CLI_REMOVE };
enum cli_exit cli_party_list(struct cli *cli, const char *kind);
enum cli_exit cli_party_show(struct cli *cli, const char *kind);
enum cli_exit cli_party_change(struct cli *cli, const char *kind, enum cli_change what);

/* Take "--metadata-signer PEM …" off the command line: their text, "" for none. */
MUST_USE bool cli_party_signers(struct cli *cli, const char **out, struct err *err);

/* The changes as "changes" of `o` and a line each. */
void cli_party_tell_changes(struct cli *cli, const struct saml_changes *changes, json_t *o,
			    struct buf *text);

/* What is followed, and how that goes: "source" of `o`. */
void cli_party_put_source(struct cli *cli, const struct db_source *source, json_t *o);

/* "copies" of `o`: without their documents. */
void cli_party_put_copies(struct cli *cli, const struct db_copy *copies, size_t n, json_t *o);

/* What was refused as "refusals" of `o`, and in words. */
void cli_party_tell_refusals(struct cli *cli, const struct db_refusal *list, size_t n, json_t *o,
			     struct buf *text);

enum cli_exit cli_party_refused(struct cli *cli);

enum cli_exit cli_client_check(struct cli *cli);
enum cli_exit cli_client_invite(struct cli *cli);
enum cli_exit cli_client_invited(struct cli *cli);
enum cli_exit cli_client_uninvite(struct cli *cli);

enum cli_exit cli_party_follow(struct cli *cli);
enum cli_exit cli_party_unfollow(struct cli *cli);
enum cli_exit cli_party_refresh(struct cli *cli);
enum cli_exit cli_party_changes(struct cli *cli);
enum cli_exit cli_party_approve(struct cli *cli);
enum cli_exit cli_party_reject(struct cli *cli);
enum cli_exit cli_party_rollback(struct cli *cli);

#endif
