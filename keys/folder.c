/* A test double's own keys; see folder.h. */
#include "keys/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/cert_build.h"
#include "keys/key_type.h"
#include "keys/private.h"
#include "keys/secretfile.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024)
#define CERT_DAYS      3650
#define LABEL_KEY      "PRIVATE KEY"
#define LABEL_CERT     "CERTIFICATE"

struct folder_keys {
	struct crypto crypto;
	pthread_mutex_t lock; /* every key has one lane */
	struct private_key *keys;
	struct bytes *certs;
	size_t n;
};

/* Both halves as they stand in the file. */
struct pair {
	struct bytes plain, cert;
};

/* ---- files ---- */

static void
free_bio(void *p)
{
	BIO_free(p);
}

static BIO *
keep_bio(struct arena *a, BIO *bio)
{
	if (bio != NULL)
		arena_defer(a, free_bio, bio);
	return bio;
}

static bool
read_part(struct arena *a, BIO *bio, const char *label, struct bytes *out)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long n = 0;
	bool ok = PEM_read_bio(bio, &name, &header, &data, &n) == 1 && strcmp(name, label) == 0;

	if (ok)
		*out = arena_bytes(a, (struct bytes){data, (size_t)n});
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, n > 0 ? (size_t)n : 0);
	return ok;
}

static bool
read_pair(struct arena *a, const char *path, struct pair *out, struct err *err)
{
	struct bytes text;

	if (!secretfile_read(a, "key", path, FILE_MAX_BYTES, &text, err))
		return false;
	BIO *bio = keep_bio(a, BIO_new_mem_buf(text.p, (int)text.n));

	if (bio == NULL || !read_part(a, bio, LABEL_KEY, &out->plain) ||
	    !read_part(a, bio, LABEL_CERT, &out->cert))
		return CRYPTO_FAIL(err, ERR_INPUT, "%s: not a key with its certificate", path);
	return true;
}

static bool
write_file(const char *path, struct bytes text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok = fd >= 0 && file_write(fd, text);

	if (!ok)
		(void)!FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
write_pair(struct arena *a, const char *path, const struct pair *pair, struct err *err)
{
	BIO *bio = keep_bio(a, BIO_new(BIO_s_mem()));
	char *text = NULL;

	if (bio == NULL ||
	    PEM_write_bio(bio, LABEL_KEY, "", pair->plain.p, (long)pair->plain.n) == 0 ||
	    PEM_write_bio(bio, LABEL_CERT, "", pair->cert.p, (long)pair->cert.n) == 0)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "%s: cannot be written as PEM", path);
	long n = BIO_get_mem_data(bio, &text);

	return write_file(path, (struct bytes){(const unsigned char *)text, (size_t)n}, err);
}

/* ---- keys ---- */

static bool
make_pair(struct arena *a, const char *cn, const struct folder_wish *wish, time_t now,
	  struct pair *out, struct err *err)
{
	EVP_PKEY *key;

	return private_key_generate(a, wish->type, &out->plain, err) &&
	       private_key_parse(a, wish->type, out->plain, &key, err) &&
	       (wish->purpose == KEY_DECRYPT
			? cert_build_for(a, key, cn, now, CERT_DAYS, &out->cert, err)
			: cert_build_self_signed(a, key, cn, now, CERT_DAYS, &out->cert, err));
}

static bool
get_pair(struct arena *a, const char *folder, const char *cn, const struct folder_wish *wish,
	 time_t now, struct pair *out, struct err *err)
{
	struct err why = {0};

	if (folder == NULL)
		return make_pair(a, cn, wish, now, out, err);
	const char *path =
		arena_printf(a, "%s/%s-%s.pem", folder, wish->kid, key_type_name(wish->type));

	if (read_pair(a, path, out, &why))
		return true;
	if (why.kind != ERR_NOT_FOUND)
		return FAIL(err, why.kind, NULL, "%s", why.text);
	return make_pair(a, cn, wish, now, out, err) && write_pair(a, path, out, err);
}

static void
end_lock(void *lock)
{
	pthread_mutex_destroy(lock);
}

bool
folder_keys_open(struct arena *a, const char *folder, const char *cn,
		 const struct folder_wish *wishes, size_t n, time_t now, struct folder_keys **out,
		 struct err *err)
{
	struct folder_keys *k = ARENA_NEW(a, struct folder_keys);

	if (folder != NULL && mkdir(folder, 0700) != 0 && errno != EEXIST)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", folder, strerror(errno));
	if (!crypto_init(a, &k->crypto, err))
		return false;
	pthread_mutex_init(&k->lock, NULL);
	arena_defer(a, end_lock, &k->lock);
	k->keys = ARENA_ARRAY(a, struct private_key, n + 1);
	k->certs = ARENA_ARRAY(a, struct bytes, n + 1);
	for (; k->n < n; k->n++) {
		const struct folder_wish *w = &wishes[k->n];
		struct pair pair;

		if (!get_pair(a, folder, cn, w, now, &pair, err) ||
		    !private_key_init(a, &k->crypto, w->kid, w->purpose, w->type, pair.plain, 1,
				      &k->keys[k->n], err))
			return false;
		k->certs[k->n] = pair.cert;
	}
	*out = k;
	return true;
}

/* ---- use ---- */

static struct private_key *
find(struct folder_keys *k, const char *kid, struct err *err)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->keys[i].kid, kid) == 0)
			return &k->keys[i];
	(void)!FAIL(err, ERR_DENIED, NULL, "no key %s", kid);
	return NULL;
}

static bool
folder_sign(void *ctx, struct arena *a, const char *kid, enum sig_alg alg, struct bytes text,
	    struct bytes *sig, struct err *err)
{
	struct folder_keys *k = ctx;
	struct private_key *key = find(k, kid, err);

	pthread_mutex_lock(&k->lock);
	bool ok = key != NULL && private_key_sign(key, 0, a, alg, text, sig, err);

	pthread_mutex_unlock(&k->lock);
	return ok;
}

static bool
folder_unwrap(void *ctx, struct arena *a, const char *kid, enum wrap_alg alg, struct bytes wrapped,
	      struct bytes *out, struct err *err)
{
	struct folder_keys *k = ctx;
	struct private_key *key = find(k, kid, err);

	pthread_mutex_lock(&k->lock);
	bool ok = key != NULL && private_key_unwrap(key, 0, a, alg, wrapped, out, err);

	pthread_mutex_unlock(&k->lock);
	return ok;
}

static bool
folder_agree(void *ctx, struct arena *a, const char *kid, struct bytes peer_spki,
	     struct bytes other_info, size_t key_bytes, struct bytes *out, struct err *err)
{
	struct folder_keys *k = ctx;
	struct private_key *key = find(k, kid, err);

	pthread_mutex_lock(&k->lock);
	bool ok = key != NULL &&
		  private_key_agree(key, 0, a, peer_spki, other_info, key_bytes, out, err);

	pthread_mutex_unlock(&k->lock);
	return ok;
}

struct key_ops
folder_keys_ops(struct folder_keys *keys)
{
	return (struct key_ops){
		.ctx = keys, .sign = folder_sign, .unwrap = folder_unwrap, .agree = folder_agree};
}

struct bytes
folder_keys_certificate(const struct folder_keys *keys, const char *kid)
{
	for (size_t i = 0; i < keys->n; i++)
		if (strcmp(keys->keys[i].kid, kid) == 0)
			return keys->certs[i];
	return (struct bytes){NULL, 0};
}
