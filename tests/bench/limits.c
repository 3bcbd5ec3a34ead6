/*
 * What this machine can do at most, one core each: raw signatures, password
 * hashes, durable writes.  Prints one line of JSON.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/clock.h"
#include "keys/kdf.h"

#define RUN_US 1000000

static double
rate_of(bool (*once)(void *), void *ctx)
{
	int64_t from = clock_mono_us(), n = 0;

	for (; clock_mono_us() - from < RUN_US; n++)
		if (!once(ctx)) {
			fputs("limits: a measured operation failed\n", stderr);
			exit(1);
		}
	return (double)n * 1e6 / (double)(clock_mono_us() - from);
}

static bool
sign_once(void *ctx)
{
	static const unsigned char text[64];
	unsigned char sig[512];
	size_t n = sizeof(sig);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md != NULL && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, ctx) == 1 &&
		  EVP_DigestSign(md, sig, &n, text, sizeof(text)) == 1;

	EVP_MD_CTX_free(md);
	return ok;
}

static double
sign_rate(EVP_PKEY *key)
{
	double rate = key == NULL ? 0 : rate_of(sign_once, key);

	EVP_PKEY_free(key);
	return rate;
}

static bool
hash_once(void *ctx)
{
	static const unsigned char salt[16];
	const struct kdf_cost cost = {KDF_DEFAULT_M_KIB, KDF_DEFAULT_T, KDF_DEFAULT_P, NULL};
	unsigned char raw[32];

	return kdf_argon2id(ctx, &cost, bytes_of("password"), salt, raw, NULL);
}

static double
hash_rate(void)
{
	struct kdf_memory *m;

	if (!kdf_memory_create(KDF_DEFAULT_M_KIB, &m, NULL))
		return 0;
	double rate = rate_of(hash_once, m);

	kdf_memory_destroy(m);
	return rate;
}

static bool
sync_once(void *ctx)
{
	int fd = *(int *)ctx;

	return pwrite(fd, "12345678", 8, 0) == 8 && fdatasync(fd) == 0;
}

static double
sync_rate(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return 0;
	double rate = rate_of(sync_once, &fd);

	close(fd);
	unlink(path);
	return rate;
}

static double
rsa2048_rate(void)
{
	return sign_rate(EVP_RSA_gen(2048));
}

static double
rsa3072_rate(void)
{
	return sign_rate(EVP_RSA_gen(3072));
}

static double
p256_rate(void)
{
	return sign_rate(EVP_EC_gen("P-256"));
}

static const char *sync_path;

static double
fdatasync_rate(void)
{
	return sync_rate(sync_path);
}

static const struct {
	const char *name;
	double (*measure)(void);
} limits[] = {
	{"rsa2048_sign_s", rsa2048_rate}, {"rsa3072_sign_s", rsa3072_rate},
	{"p256_sign_s", p256_rate},       {"argon2id_s", hash_rate},
	{"fdatasync_s", fdatasync_rate},
};

/* limits FILE [NAME]: all, or the one of that name. */
int
main(int argc, char **argv)
{
	const char *comma = "{";

	sync_path = argc > 1 ? argv[1] : "limits.tmp";
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (argc > 2 && strcmp(argv[2], limits[i].name) != 0)
			continue;
		printf("%s\"%s\":%.1f", comma, limits[i].name, limits[i].measure());
		comma = ",";
	}
	puts("}");
	return 0;
}
