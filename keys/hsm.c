/* The HSM's process and its first message; see hsm.h. */
#include "keys/hsm.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keys/hsm_core.h"
#include "keys/secretfile.h"
#include "keys/sign_call.h"
#include "keys/signer_sandbox.h"

#define SECRETS_ARENA_BYTES ((size_t)256 * 1024)

bool
hsm_run(int fd, enum signer_role role, struct err *err)
{
	struct hsm_core *core;
	bool memory_locked = false;

	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
				NULL) != 1)
		return FAIL(err, ERR_INTERNAL, NULL, "OpenSSL cannot be set up");
	if (!signer_sandbox_prepare(&fd, &memory_locked, err) || !hsm_core_create(role, &core, err))
		return false;
	core->memory_locked = memory_locked;
	return hsm_core_serve(core, fd) ||
	       FAIL(err, ERR_UNAVAILABLE, NULL, "a call into the HSM's module does not come back");
}

/* What rows of keys in an HSM are sealed with: nothing else opens with it, and no master key. */
static bool
row_key_derive(struct arena *a, const struct master_key *master, unsigned char out[32],
	       struct err *err)
{
	struct crypto c;
	EVP_MAC_CTX *ctx;

	return crypto_init(a, &c, err) &&
	       crypto_hmac_init(a, &c, (struct bytes){master->key, sizeof(master->key)}, &ctx,
				err) &&
	       crypto_hmac(ctx, bytes_of("kontor hsm key rows"), out, err);
}

static bool
put_row_keys(struct sign_call *c, const struct masterfile *mf, struct err *err)
{
	wire_put_u8(&c->fields, (uint8_t)mf->n_masters);
	for (size_t i = 0; i < mf->n_masters; i++) {
		unsigned char *key = arena_alloc(c->a, MASTERFILE_KEY_BYTES);

		if (!row_key_derive(c->a, &mf->masters[i], key, err))
			return false;
		wire_put_u32(&c->fields, mf->masters[i].generation);
		wire_put_bytes(&c->fields, (struct bytes){key, MASTERFILE_KEY_BYTES});
	}
	return true;
}

/* The message and its answer, through arena_run. */
struct secrets {
	struct arena *a;
	struct signer *s;
	const char *instance;
	const struct masterfile *mf;
	const struct hsm_settings *settings;
	struct err *err;
	bool ok;
};

static void
secrets_tell(void *arg)
{
	struct secrets *t = arg;
	const struct hsm_settings *settings = t->settings;
	struct wire_reader answer;
	struct sign_call c;

	sign_call_begin(&c, t->s, t->a, WIRE_HSM_SECRETS);
	wire_put_text(&c.fields, t->instance);
	if (!put_row_keys(&c, t->mf, t->err))
		return;
	wire_put_text(&c.fields, settings->module);
	wire_put_text(&c.fields, settings->token);
	wire_put_text(&c.fields, settings->pin);
	wire_put_u32(&c.fields, settings->sessions);
	wire_put_u32(&c.fields, settings->queue);
	wire_put_u64(&c.fields, (uint64_t)settings->timeout_us);
	t->ok = sign_call_ask(&c, 0, &answer, t->err);
}

bool
hsm_send_secrets(int fd, const char *instance, const struct masterfile *mf,
		 const struct hsm_settings *settings, int64_t timeout_us, struct err *err)
{
	struct secrets t = {.instance = instance, .mf = mf, .settings = settings, .err = err};
	int own = dup(fd);

	if (own < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "HSM process's socket: %s",
			    strerror(errno));
	if (!signer_create(own, timeout_us, &t.s, err))
		return false;
	t.a = arena_create(SECRETS_ARENA_BYTES);
	if (t.a == NULL || !arena_run(t.a, secrets_tell, &t))
		t.ok = arena_run_failed(t.a, err);
	signer_destroy(t.s);
	arena_destroy(t.a);
	return t.ok;
}

bool
hsm_pin_read(struct arena *a, const char *path, const char **pin, struct err *err)
{
	struct bytes text;

	/* One octet more than a PIN and its line's end, so that what is too long is seen. */
	if (!secretfile_read(a, "PIN file", path, HSM_PIN_MAX + 1, &text, err))
		return false;
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n == 0 || text.n > HSM_PIN_MAX || memchr(text.p, '\n', text.n) != NULL ||
	    memchr(text.p, '\0', text.n) != NULL)
		return FAIL(err, ERR_INPUT, NULL,
			    "PIN file %s: one line of 1 to %d octets expected", path, HSM_PIN_MAX);
	*pin = arena_strndup(a, (const char *)text.p, text.n);
	return true;
}
