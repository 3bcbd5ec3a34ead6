/* kontor restored: what a backup brought back and nobody may use again. */
#include "db/restored.h"
#include "idp/audit.h"
#include "idp/cli_work.h"
#include "idp/totp.h"

enum cli_exit
cli_restored(struct cli *cli)
{
	struct db_restored done = {0};
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	struct db_audit audit = cli_audit(&work, AUDIT_RESTORED);

	if (!db_restored_clear(&work.w.db, totp_last_step(work.w.now), &audit, work.w.now, &done,
			       &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "sessions", done.sessions);
	json_put_i64(cli->a, o, "flows", done.flows);
	json_put_i64(cli->a, o, "codes", done.codes);
	json_put_i64(cli->a, o, "artifacts", done.artifacts);
	json_put_i64(cli->a, o, "refresh_tokens", done.refresh_tokens);
	json_put_i64(cli->a, o, "tokens", done.tokens);
	json_put_i64(cli->a, o, "tickets", done.tickets);
	json_put_i64(cli->a, o, "polled", done.polled);
	json_put_i64(cli->a, o, "one_time_codes", done.one_time_codes);
	return cli_tell(cli, o,
			arena_printf(cli->a,
				     "ended: %lld sessions, %lld flows, %lld codes, %lld "
				     "artifacts, %lld refresh tokens, %lld tokens, %lld tickets, "
				     "%lld requests of devices and to persons; one-time codes of "
				     "%lld authenticators up to now\n",
				     (long long)done.sessions, (long long)done.flows,
				     (long long)done.codes, (long long)done.artifacts,
				     (long long)done.refresh_tokens, (long long)done.tokens,
				     (long long)done.tickets, (long long)done.polled,
				     (long long)done.one_time_codes));
}
