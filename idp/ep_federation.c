/* What those ask who follow a federation member by member: queries and what has changed. */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/text.h"
#include "db/member.h"
#include "idp/config.h"
#include "idp/gzip.h"
#include "idp/publication.h"

#define SHA1_MARK    "%7Bsha1%7D" /* "{sha1}", as gate.c lets it pass */
#define CHANGES_MOST 500
#define SINCE_DIGITS 18

/* draft-young-md-query-saml 2.2.2 */
static bool
read_sha1(struct arena *a, const char *tail, struct bytes *out)
{
	size_t n = strlen(SHA1_MARK);

	return strncasecmp(tail, SHA1_MARK, n) == 0 && dec_hex(a, bytes_of(tail + n), out, NULL) &&
	       out->n == SHA1_BYTES;
}

bool
ep_entity(struct request *rq, struct response *rs, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_publication_found found;
	struct bytes sha1;

	if (rq->app->config->federation_name == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no federation is administrated here");
	if (!read_sha1(rq->a, rq->path_tail, &sha1))
		return FAIL(err, ERR_NOT_FOUND, NULL, "members are asked for by {sha1}");
	if (!db_publication_find(&c, sha1, &found, err))
		return false;
	if (found.sha256.n == 0)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no such member is published");
	struct document doc = {
		.path = rq->path,
		.type = PUBLICATION_TYPE,
		.cache = PUBLICATION_CACHE,
		.etag = arena_printf(rq->a, "W/\"%s\"", enc_base64url(rq->a, found.sha256)),
		.gzip = found.document};
	enum document_form form = document_form_for(rq, &doc);

	if (form == DOCUMENT_PLAIN &&
	    !gzip_unpack(rq->a, found.document, 2 * PUBLICATION_MEMBER_BYTES, &doc.body, err))
		return false;
	document_answer(&doc, form, rs);
	return true;
}

static bool
read_since(const struct request *rq, int64_t *out, struct err *err)
{
	const char *text = request_query(rq, "since");
	size_t n = text == NULL ? 0 : strlen(text);

	*out = 0;
	if (text != NULL && (n == 0 || n > SINCE_DIGITS || strspn(text, "0123456789") != n))
		return FAIL(err, ERR_INPUT, NULL, "since is not a number");
	for (size_t i = 0; i < n; i++)
		*out = *out * 10 + (text[i] - '0');
	return true;
}

bool
ep_changes(struct request *rq, struct response *rs, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	json_t *o = json_new_object(rq->a), *list = json_new_array(rq->a);
	const struct db_member_change *changes;
	int64_t since;
	size_t n;

	if (rq->app->config->federation_name == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no federation is administrated here");
	if (!read_since(rq, &since, err) ||
	    !db_member_changes(&c, since, CHANGES_MOST, &changes, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_new_object(rq->a);

		json_put_i64(rq->a, row, "number", changes[i].seq);
		json_put_str(rq->a, row, "at", clock_text(rq->a, changes[i].at));
		json_put_str(rq->a, row, "entity_id", changes[i].entity_id);
		json_put_str(rq->a, row, "what", changes[i].what);
		json_push(rq->a, list, row);
	}
	json_put(rq->a, o, "changes", list);
	json_put_bool(rq->a, o, "more", n == CHANGES_MOST);
	response_json(rs, 200, json_text(rq->a, o, false));
	return true;
}
