/* Accounts' keys under the newest epoch; see epoch.h. */
#include "idp/epoch.h"

#include "db/epoch.h"

#define BATCH 500

struct batch {
	uint32_t oldest;     /* epoch of those wrapped anew; 0: none */
	int64_t done, stuck; /* stuck: their epoch key is not there */
};

static bool
rewrap_one(struct signer *signer, const struct db_call *c, const struct db_epoch_account *account,
	   struct batch *b, struct err *err)
{
	struct bytes id = {account->id.octets, sizeof(account->id.octets)}, wrapped;
	uint32_t epoch = signer_account_epoch(account->account_key);
	struct err why = {0};
	bool replaced;

	if (!signer_account_rewrap(signer, c->a, id, account->account_key, &wrapped, &why)) {
		b->stuck += why.kind == ERR_NOT_FOUND;
		return why.kind == ERR_NOT_FOUND || FAIL(err, why.kind, NULL, "%s", why.text);
	}
	if (!db_epoch_replace(c, account, wrapped, &replaced, err))
		return false;
	if (b->oldest == 0 || epoch < b->oldest)
		b->oldest = epoch;
	b->done += replaced;
	return true;
}

bool
epoch_rewrap(struct signer *signer, const struct db_call *c, time_t now, int64_t *done,
	     struct err *err)
{
	const struct db_epoch_account *accounts;
	struct signer_status status;
	struct batch b = {0};
	size_t n;

	if (!signer_status(signer, c->a, &status, err) ||
	    !db_epoch_old(c, status.newest_epoch, BATCH, &accounts, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!rewrap_one(signer, c, &accounts[i], &b, err))
			return false;
	if (b.oldest != 0 && !db_epoch_unsettle(c, b.oldest, err))
		return false;
	if (b.stuck > 0 && b.done == 0)
		return FAIL(err, ERR_NOT_FOUND, NULL,
			    "%lld accounts are wrapped under epoch keys that are not in the master "
			    "key file",
			    (long long)b.stuck);
	if (n == 0 && !db_epoch_settle(c, status.newest_epoch, now, err))
		return false;
	*done = b.done;
	return true;
}
