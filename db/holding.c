/* Several aggregates read at once; see holding.h. */
#include "db/holding.h"

#include "db/part.h"

enum { SUBJECT, ATTRIBUTES, CONSENT, PSEUDONYM, N_PARTS };

bool
db_holding_load(const struct db_call *c, const struct db_holder *who, struct db_holding *out,
		struct err *err)
{
	struct db_consent_key key = {who->acting, who->represented, who->party};
	size_t n = who->party == NULL ? CONSENT : N_PARTS;
	struct db_ask asks[N_PARTS] = {{0}};

	*out = (struct db_holding){0};
	db_account_ask(c->a, &who->acting, &asks[SUBJECT]);
	db_attribute_ask(c->a, &who->acting, &asks[ATTRIBUTES]);
	if (who->party != NULL) {
		db_consent_ask(c->a, &key, &asks[CONSENT]);
		db_pseudonym_ask(c->a, &who->acting, who->sector, &asks[PSEUDONYM]);
	}
	if (!db_run_all(c, asks, n, err) ||
	    !db_account_answer(c->a, asks[SUBJECT].rows, &out->subject, err) ||
	    !db_attribute_answer(c->a, asks[ATTRIBUTES].rows, &out->attributes, &out->n_attributes,
				 err))
		return false;
	return who->party == NULL ||
	       (db_consent_answer(c->a, asks[CONSENT].rows, &key, &out->consent, err) &&
		db_pseudonym_answer(asks[PSEUDONYM].rows, &out->pseudonym, err));
}
