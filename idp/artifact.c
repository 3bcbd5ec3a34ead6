/* Messages under artifacts; see artifact.h. */
#include "idp/artifact.h"

#include <string.h>

#include "base/enc.h"
#include "base/log.h"
#include "base/rand.h"
#include "idp/app.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/snapshot.h"
#include "keys/keyring.h"
#include "keys/sign.h"
#include "saml/artifact.h"

void
artifact_make(struct request *rq, struct artifact *out)
{
	unsigned char *handle = arena_alloc(rq->a, SAML_ARTIFACT_HANDLE_BYTES);

	rand_bytes(handle, SAML_ARTIFACT_HANDLE_BYTES);
	*out = (struct artifact){
		saml_artifact_write(rq->a, rq->app->config->entity_id, handle),
		{handle, SAML_ARTIFACT_HANDLE_BYTES},
	};
}

/* ---- keeping ---- */

static const char *
label_of(struct arena *a, struct bytes handle)
{
	return arena_printf(a, "artifact:%s", enc_hex(a, handle));
}

static bool
unseal(struct request *rq, const struct db_artifact_taken *t, const char *label,
       struct bytes *plain, struct err *err)
{
	struct account_lock of = {0};

	if (t->acting != NULL)
		of = (struct account_lock){*t->acting, t->account_key};
	return account_value_open(rq, t->acting == NULL ? NULL : &of, label, t->sealed, plain, err);
}

/* What is sealed: the prefixes in a line of their own, and the message. */
static bool
join(struct arena *a, const struct saml_carrier *carrier, struct bytes *out, struct err *err)
{
	const char *prefixes = carrier->kept_prefixes == NULL ? "" : carrier->kept_prefixes;
	struct buf b;

	buf_init(&b, a, strlen(prefixes) + 1 + carrier->kept.n);
	buf_str(&b, prefixes);
	buf_char(&b, '\n');
	buf_add(&b, carrier->kept);
	return buf_finish(&b, out, err);
}

static bool
split(struct arena *a, struct bytes plain, struct bytes *message, const char **prefixes,
      struct err *err)
{
	const unsigned char *end = memchr(plain.p, '\n', plain.n);

	if (end == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a kept message without its prefixes");
	size_t n = (size_t)(end - plain.p);

	*prefixes = n == 0 ? NULL : arena_strndup(a, (const char *)plain.p, n);
	*message = (struct bytes){end + 1, plain.n - n - 1};
	return true;
}

bool
artifact_keep(struct request *rq, const struct artifact *artifact,
	      const struct saml_carrier *carrier, const struct party *p,
	      const struct account_lock *of, struct db_artifact *out, struct err *err)
{
	struct bytes plain;

	*out = (struct db_artifact){
		.handle = artifact->handle,
		.party = p->id,
		.expires = rq->now + ARTIFACT_LIVES_S,
	};
	return join(rq->a, carrier, &plain, err) &&
	       account_value_seal(rq, of, label_of(rq->a, out->handle), plain, &out->sealed, err);
}

/* ---- resolving ---- */

static const char *const words[DB_ARTIFACT_COUNT] = {
	[DB_ARTIFACT_UNKNOWN] = "unknown",         [DB_ARTIFACT_USED] = "used",
	[DB_ARTIFACT_FOREIGN] = "another_party",   [DB_ARTIFACT_EXPIRED] = "expired",
	[DB_ARTIFACT_ENDED] = "consent_withdrawn",
};

/* An artifact that we never made leaves no row: a stranger could write the trail full. */
static void
audit_refusals(struct request *rq, const struct party *p, struct db_artifact_audit *out)
{
	for (int why = DB_ARTIFACT_USED; why < DB_ARTIFACT_COUNT; why++) {
		struct db_audit *row = ARENA_NEW(rq->a, struct db_audit);

		*row = (struct db_audit){
			.event = AUDIT_ARTIFACT_REFUSED,
			.ref = rq->ref,
			.party = p->id,
			.details = audit_details(rq->a, "why", words[why], NULL),
		};
		out->refused[why] = row;
	}
}

static bool
take(struct request *rq, const struct party *p, struct bytes handle, enum db_artifact_why *why,
     struct db_artifact_taken *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit taken = {
		.event = AUDIT_ARTIFACT_RESOLVED,
		.ref = rq->ref,
		.party = p->id,
	};
	struct db_artifact_audit audit = {.taken = &taken};

	audit_refusals(rq, p, &audit);
	return db_artifact_take(&c, handle, p->id, &audit, rq->now, why, out, err);
}

bool
artifact_resolve(struct request *rq, const struct party *p, const char *text, struct bytes *message,
		 const char **prefixes, struct err *err)
{
	unsigned char octets[SAML_ARTIFACT_HANDLE_BYTES];
	struct bytes handle = {octets, sizeof(octets)}, plain;
	struct db_artifact_taken taken;
	enum db_artifact_why why = DB_ARTIFACT_UNKNOWN;
	struct err not_ours = {0};

	*message = (struct bytes){NULL, 0};
	*prefixes = NULL;
	if (saml_artifact_read(rq->a, rq->app->config->entity_id, text, octets, &not_ours) &&
	    !take(rq, p, handle, &why, &taken, err))
		return false;
	if (why != DB_ARTIFACT_TAKEN) {
		log_event(LOG_LVL_INFO, "artifact_refused", "ref", rq->ref, "party", p->id, "why",
			  words[why], "text", not_ours.kind == ERR_NONE ? NULL : not_ours.text,
			  NULL);
		return true;
	}
	return unseal(rq, &taken, label_of(rq->a, handle), &plain, err) &&
	       split(rq->a, plain, message, prefixes, err);
}
