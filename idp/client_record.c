/* Records of clients; see client_record.h. */
#include "idp/client_record.h"

#include <string.h>

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/config.h"
#include "keys/sign.h"
#include "oidc/error.h"

#define SECRET_BYTES   32 /* 256 bits, which HS256 needs (RFC 7518 3.2); 43 characters */
#define DOCUMENT_BYTES ((size_t)1024 * 1024)
#define SECTOR_BYTES   ((size_t)64 * 1024)
#define SECTOR_MS      5000

/* The member that holds what the client's way of proving itself needs; NULL: it needs none. */
static const char *
secret_member(const struct oidc_client *c)
{
	if (c->auth_method == OIDC_AUTH_SECRET_JWT)
		return PARTY_OIDC_SEALED;
	return oidc_client_has_password(c) ? PARTY_OIDC_SECRET : NULL;
}

static bool
secret_stored(struct arena *a, const struct db_party *stored, const char *member, const char **out,
	      struct err *err)
{
	json_t *o;

	*out = NULL;
	return stored == NULL || (json_parse_object(a, stored->document, DOCUMENT_BYTES, &o, err) &&
				  json_get_str(o, member, out, err));
}

/* Sealed for checking MACs alone; even who holds the seal key's process cannot open it. */
static bool
secret_seal(const struct account_work *w, const char *client_id, const char *secret,
	    const char **out, struct err *err)
{
	const struct key *k =
		w->keyring == NULL ? NULL : keyring_active(w->keyring, KEY_SEAL, KEY_SECRET);
	struct bytes sealed;

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active seal key");
	if (!signer_seal(w->signer, w->a, k->row.kid, party_secret_label(w->a, client_id),
			 bytes_of(secret), &sealed, err))
		return false;
	*out = enc_base64(w->a, sealed);
	return true;
}

/* *kept is what the record keeps of it, *told the secret itself if it is a new one. */
static bool
secret_make(const struct account_work *w, const struct oidc_client *c,
	    const struct db_party *stored, bool anew, const char **kept, const char **told,
	    struct err *err)
{
	const char *member = secret_member(c);
	unsigned char digest[SHA256_BYTES];

	*kept = *told = NULL;
	if (member == NULL)
		return true;
	if (!anew && !secret_stored(w->a, stored, member, kept, err))
		return false;
	if (*kept != NULL)
		return true;
	*told = rand_token(w->a, SECRET_BYTES);
	if (c->auth_method == OIDC_AUTH_SECRET_JWT)
		return secret_seal(w, c->client_id, *told, kept, err);
	hash_sha256(bytes_of(*told), digest);
	*kept = enc_hex(w->a, (struct bytes){digest, sizeof(digest)});
	return true;
}

static const char *
name_of(const struct oidc_client *c, const struct db_party *stored, const char *given)
{
	const char *own = oidc_client_text(c, "client_name", "de");

	if (given != NULL)
		return given;
	if (own != NULL)
		return own;
	return stored == NULL ? c->client_id : stored->display_name;
}

bool
client_record_make(const struct account_work *w, const struct oidc_client *c,
		   const struct db_party *stored, bool anew, struct client_record *record,
		   struct err *err)
{
	json_t *document = json_new_object(w->a);
	const char *kept, *told;

	if (!secret_make(w, c, stored, anew, &kept, &told, err))
		return false;
	record->told = oidc_client_build(w->a, c);
	json_put(w->a, document, PARTY_OIDC_METADATA, record->told);
	if (kept != NULL)
		json_put_str(w->a, document, secret_member(c), kept);
	record->row = (struct db_party){
		.id = c->client_id,
		.kind = "oidc",
		.display_name = name_of(c, stored, record->display_name),
		.document = bytes_of(json_text(w->a, document, true)),
		.policy = record->policy,
		.enabled = stored == NULL || stored->enabled,
	};
	/* RFC 7591 3.2.1: told in the answer, not kept. */
	json_put_str(w->a, record->told, "client_secret", told);
	if (told != NULL)
		json_put_i64(w->a, record->told, "client_secret_expires_at", 0);
	return true;
}

#define BLOCK_BYTES 64 /* of SHA-256 */

/* HMAC-SHA-256 (RFC 2104 2); the key is no longer than a block. */
static void
mac_make(struct bytes key, struct bytes text, unsigned char out[SHA256_BYTES])
{
	unsigned char inner[BLOCK_BYTES], outer[BLOCK_BYTES];

	for (size_t i = 0; i < BLOCK_BYTES; i++) {
		unsigned char k = i < key.n ? key.p[i] : 0;

		inner[i] = k ^ 0x36;
		outer[i] = k ^ 0x5c;
	}
	hash_sha256_parts((const struct bytes[]){{inner, BLOCK_BYTES}, text}, 2, out);
	hash_sha256_parts((const struct bytes[]){{outer, BLOCK_BYTES}, {out, SHA256_BYTES}}, 2,
			  out);
}

/* What is sealed cannot be looked at, but a MAC by it can be checked. */
static bool
sealed_check(const struct account_work *w, const struct oidc_client *c, const char *secret,
	     struct err *err)
{
	struct bytes text = bytes_of(c->client_id);
	unsigned char mac[SHA256_BYTES];

	if (strlen(secret) > BLOCK_BYTES)
		return FAIL(err, ERR_DENIED, NULL, "longer than any of ours");
	mac_make(bytes_of(secret), text, mac);
	return signer_mac_check(w->signer, w->a, party_secret_label(w->a, c->client_id),
				c->secret_sealed, text, (struct bytes){mac, sizeof(mac)}, err);
}

bool
client_secret_check(const struct account_work *w, const struct oidc_client *c, const char *secret,
		    struct err *err)
{
	unsigned char digest[SHA256_BYTES];
	struct err why = {0};

	hash_sha256(bytes_of(secret), digest);
	if (bytes_eq_secret((struct bytes){digest, sizeof(digest)}, c->secret_sha256) ||
	    (c->secret_sealed.n > 0 && sealed_check(w, c, secret, &why)))
		return true;
	if (why.kind == ERR_UNAVAILABLE)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s", why.text);
	return FAIL(err, ERR_INPUT, OIDC_INVALID_CLIENT_METADATA,
		    "client_secret: not the one of this client");
}

static bool
sector_fetch(struct arena *a, const struct config *config, client_get_fn get, const char *url,
	     json_t **out, struct err *err)
{
	const struct fetch_get what = {
		.url = url,
		.ca_file = config->outbound_ca,
		.accept = "application/json",
		.max_bytes = SECTOR_BYTES,
		.timeout_ms = SECTOR_MS,
		.inside = &config->outbound_inside,
	};
	struct fetch_got got;

	return get(a, &what, &got, err) && json_parse_array(a, got.body, SECTOR_BYTES, out, err);
}

static bool
array_has(const json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (text_eq(json_string_value(json_array_get(array, i)), text))
			return true;
	return false;
}

bool
client_sector_check(struct arena *a, const struct config *config, client_get_fn get,
		    const struct oidc_client *c, struct err *err)
{
	struct err why = {0};
	json_t *uris;

	if (c->sector_identifier_uri == NULL)
		return true;
	if (!sector_fetch(a, config, get, c->sector_identifier_uri, &uris, &why))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_CLIENT_METADATA,
			    "sector_identifier_uri: %s", why.text);
	for (size_t i = 0; i < c->redirect_uris.n; i++)
		if (!array_has(uris, c->redirect_uris.s[i]))
			return FAIL(err, ERR_INPUT, OIDC_INVALID_CLIENT_METADATA,
				    "sector_identifier_uri: its document lacks a redirect URI");
	return true;
}
