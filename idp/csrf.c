/* Form tokens; see csrf.h. */
#include "idp/csrf.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/route.h"

#define SECRET_CHARS 43 /* 32 octets in base64url */

/* The cookie's secret when it has the shape we write. */
static const char *
known_secret(const struct request *rq)
{
	const char *s = request_cookie(rq, CSRF_COOKIE);

	if (rq->form_secret != NULL)
		return rq->form_secret;
	return s != NULL && strlen(s) == SECRET_CHARS ? s : NULL;
}

/* The secret has a fixed length and nobody chooses the path, so a plain digest binds both. */
static const char *
derive(struct arena *a, const char *secret, const char *path)
{
	struct bytes parts[] = {bytes_of(secret), bytes_of(" form "), bytes_of(path)};
	unsigned char digest[SHA256_BYTES];

	hash_sha256_parts(parts, ARRAY_LEN(parts), digest);
	return enc_base64url(a, (struct bytes){digest, sizeof(digest)});
}

const char *
csrf_token(struct request *rq, struct response *rs, const char *path)
{
	const char *secret = known_secret(rq);

	if (secret == NULL) {
		secret = rq->form_secret = rand_token(rq->a, 32);
		response_cookie(rq, rs, CSRF_COOKIE, secret, -1);
	}
	return derive(rq->a, secret, path);
}

/*
 * What the browser itself says of where the form stood.  Both headers are set
 * by it alone; a browser that sends neither cannot be told from another site.
 */
static bool
check_origin(const struct request *rq, struct err *err)
{
	const char *site = request_header(rq, "sec-fetch-site");
	const char *origin = request_header(rq, "origin");

	if (site == NULL && origin == NULL)
		return FAIL(err, ERR_DENIED, NULL, "form without Origin and Sec-Fetch-Site");
	if (site != NULL && strcmp(site, "same-origin") != 0)
		return FAIL(err, ERR_DENIED, NULL, "form from another site");
	if (origin != NULL && strcmp(origin, rq->app->config->base_url) != 0)
		return FAIL(err, ERR_DENIED, NULL, "form from another origin");
	return true;
}

bool
csrf_check(const struct request *rq, struct err *err)
{
	const char *secret = known_secret(rq), *given = request_form(rq, CSRF_FIELD);

	if (!check_origin(rq, err))
		return false;
	if (secret == NULL)
		return FAIL(err, ERR_DENIED, "cookie", "form without its cookie");
	if (given == NULL)
		return FAIL(err, ERR_DENIED, NULL, "form without its token");
	const char *wanted = derive(rq->a, secret, rq->route->path);

	if (!bytes_eq_secret(bytes_of(given), bytes_of(wanted)))
		return FAIL(err, ERR_DENIED, NULL, "form with a wrong token");
	return true;
}
