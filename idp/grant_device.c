/*
 * The device grant (RFC 8628 3.4): a device asks whether somebody has agreed.  What was agreed to
 * is taken as any code is, once; a second time takes back what the first gave.
 */
#include "idp/grant.h"

#include "db/device.h"
#include "idp/app.h"
#include "oidc/error.h"

#define CODE_MAX_BYTES 128

bool
grant_device_give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
		  struct oidc_token_response *out, struct err *err)
{
	static const char *const errors[] = {
		[DB_DEVICE_UNKNOWN] = OIDC_INVALID_GRANT,
		[DB_DEVICE_EXPIRED] = OIDC_EXPIRED_TOKEN,
		[DB_DEVICE_DENIED] = OIDC_ACCESS_DENIED,
		[DB_DEVICE_SOON] = OIDC_SLOW_DOWN,
		[DB_DEVICE_WAITING] = OIDC_AUTHORIZATION_PENDING,
	};
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	enum db_device_state state;
	const char *code;

	if (!oidc_param(&rq->form, "device_code", CODE_MAX_BYTES, &code, err))
		return false;
	if (code == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "device_code is missing");
	if (!db_device_ask(&c, code, p->id, rq->now, &state, err))
		return false;
	if (state != DB_DEVICE_AGREED)
		return FAIL(err, ERR_DENIED, errors[state], "the device has to wait, or in vain");
	return grant_code_exchange(rq, p, proof, code, NULL, out, err);
}
