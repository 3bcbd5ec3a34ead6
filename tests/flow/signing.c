/* What a test does while an answer is signed; see signing.h. */
#include "tests/flow/signing.h"

#include "keys/sign.h"

static struct pg *at;
static const char *pending;
static struct key_ops real_ops;

void
while_signing(struct pg *pg, const char *sql)
{
	at = pg;
	pending = sql;
}

bool
was_signed(void)
{
	return pending == NULL;
}

static bool
sign(void *ctx, struct arena *a, const char *kid, enum sig_alg alg, struct bytes text,
     struct bytes *sig, struct err *err)
{
	const char *sql = pending;

	pending = NULL;
	if (sql != NULL)
		pg_sql(at, sql);
	return real_ops.sign(ctx, a, kid, alg, text, sig, err);
}

struct key_ops __real_signer_key_ops(struct signer *s);
struct key_ops __wrap_signer_key_ops(struct signer *s);
struct key_ops
__wrap_signer_key_ops(struct signer *s)
{
	real_ops = __real_signer_key_ops(s);
	return (struct key_ops){real_ops.ctx, sign, real_ops.unwrap, real_ops.agree};
}
