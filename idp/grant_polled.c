/*
 * The grants of clients that ask until somebody has agreed: devices (RFC 8628 3.4) and CIBA
 * (Core 1.0, 10.1).  What was agreed to is taken as any code is, once.
 */
#include "idp/grant.h"

#include "db/polled.h"
#include "idp/app.h"
#include "oidc/error.h"

#define CODE_MAX_BYTES 128

/* `name`: of the parameter with the code. */
static bool
give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
     const char *kind, const char *name, struct oidc_token_response *out, struct err *err)
{
	static const char *const errors[] = {
		[DB_POLLED_UNKNOWN] = OIDC_INVALID_GRANT,
		[DB_POLLED_EXPIRED] = OIDC_EXPIRED_TOKEN,
		[DB_POLLED_DENIED] = OIDC_ACCESS_DENIED,
		[DB_POLLED_SOON] = OIDC_SLOW_DOWN,
		[DB_POLLED_WAITING] = OIDC_AUTHORIZATION_PENDING,
	};
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	enum db_polled_state state;
	const char *code;

	if (!oidc_param(&rq->form, name, CODE_MAX_BYTES, &code, err))
		return false;
	if (code == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "%s is missing", name);
	if (!db_polled_poll(&c, code, kind, p->id, rq->now, &state, err))
		return false;
	if (state != DB_POLLED_AGREED)
		return FAIL(err, ERR_DENIED, errors[state], "the client has to wait, or in vain");
	return grant_code_exchange(rq, p, proof, code, NULL, out, err);
}

bool
grant_device_give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
		  struct oidc_token_response *out, struct err *err)
{
	return give(rq, p, proof, DB_POLLED_DEVICE, "device_code", out, err);
}

bool
grant_ciba_give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
		struct oidc_token_response *out, struct err *err)
{
	return give(rq, p, proof, DB_POLLED_CIBA, "auth_req_id", out, err);
}
