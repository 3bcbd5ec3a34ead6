/* A signer on threads; see test_signer_thread.h. */
#include "tests/keys/test_signer_thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/enc.h"
#include "keys/cert.h"
#include "keys/cert_build.h"
#include "keys/signer_loop.h"
#include "tests/keys/test_rsa.h"

#define LANES    2
#define KEYS_MAX 32
#define NOW      ((time_t)1800000000)

struct running {
	int fd;
	struct signer_core *core;
	pthread_t threads[LANES];
	struct lane_arg {
		struct running *r;
		size_t lane;
	} args[LANES];
};

static void
need(bool ok, const struct err *err)
{
	if (ok)
		return;
	fprintf(stderr, "test signer: %s\n", err->text);
	abort();
}

static void *
lane_main(void *arg)
{
	struct lane_arg *l = arg;

	signer_loop(l->r->fd, l->r->core, l->lane);
	return NULL;
}

static void
stop(void *p)
{
	struct running *r = p;

	for (size_t i = 0; i < LANES; i++)
		pthread_join(r->threads[i], NULL);
	signer_core_destroy(r->core);
	close(r->fd);
}

const struct masterfile *
test_signer_secrets(void)
{
	static struct masterfile mf = {
		.n_masters = 2,
		.masters = {{.generation = 1, .key = {1}}, {.generation = 2, .key = {2}}},
		.n_epochs = 3,
		.epochs = {{.id = 4, .created = NOW, .key = {4}},
			   {.id = 5, .created = NOW, .key = {5}},
			   {.id = 7, .created = NOW, .key = {7}}},
	};

	return &mf;
}

int
test_signer_start(struct arena *a, enum signer_role role, const struct masterfile *secrets)
{
	struct running *r = ARENA_NEW(a, struct running);
	struct err err = {0};
	int fds[2];

	need(signer_socketpair(fds, &err) && signer_core_create(role, LANES, &r->core, &err), &err);
	r->fd = fds[1];
	for (size_t i = 0; i < LANES; i++) {
		r->args[i] = (struct lane_arg){r, i};
		need(pthread_create(&r->threads[i], NULL, lane_main, &r->args[i]) == 0, &err);
	}
	arena_defer(a, stop, r);
	if (secrets != NULL)
		need(signer_send_secrets(fds[0], TEST_INSTANCE, secrets, TEST_TIMEOUT_US, &err),
		     &err);
	return fds[0];
}

static void
destroy_client(void *p)
{
	signer_destroy(p);
}

static struct signer *
client(struct arena *a, enum signer_role role)
{
	struct signer *s = NULL;
	struct err err = {0};

	need(signer_create(test_signer_start(a, role, test_signer_secrets()), TEST_TIMEOUT_US, &s,
			   &err),
	     &err);
	arena_defer(a, destroy_client, s); /* called before the signer itself is waited for */
	return s;
}

/* A row for a fixed RSA key, sealed as the signer would. */
static void
rsa_row_make(struct arena *a, const struct key_wish *wish, struct key_row *row)
{
	const struct master_key *master = &test_signer_secrets()->masters[1];
	const char *kid = arena_printf(a, "%s-%s", key_purpose_name(wish->purpose),
				       key_type_name(wish->type));
	struct bytes plain, aad = signer_row_aad(a, TEST_INSTANCE, wish->purpose, wish->type, kid);
	struct crypto c;
	struct seal seal;
	EVP_PKEY *pkey;
	struct err err = {0};

	*row = (struct key_row){.kid = kid,
				.place = KEY_SEALED,
				.purpose = wish->purpose,
				.type = wish->type,
				.created = NOW,
				.state_since = NOW};
	need(dec_base64(a, bytes_of(test_rsa_keys[wish->purpose == KEY_DECRYPT]), false, &plain,
			&err) &&
		     private_key_parse(a, wish->type, plain, &pkey, &err) &&
		     cert_spki_build(a, pkey, &row->spki, &err) &&
		     cert_build_self_signed(a, pkey, TEST_INSTANCE, NOW, 3650, &row->cert, &err) &&
		     crypto_init(a, &c, &err) &&
		     seal_init(a, &c, master->generation, master->key, &seal, &err) &&
		     seal_write(&seal, a, aad, plain, &row->sealed, &err),
	     &err);
}

/* One active key of each purpose and type that go together. */
static size_t
rows_make(struct arena *a, struct key_row *rows)
{
	struct signer *s = client(a, SIGNER_CLI);
	struct err err = {0};
	size_t n = 0;

	for (int purpose = KEY_SAML_SIGN; purpose <= KEY_AUDIT; purpose++)
		for (int type = KEY_P256; type <= KEY_RSA_PSS; type++) {
			struct key_wish wish = {(enum key_purpose)purpose, (enum key_type)type,
						3650};

			if (!key_purpose_takes(wish.purpose, wish.type))
				continue;
			if (key_type_is_rsa(wish.type))
				rsa_row_make(a, &wish, &rows[n]);
			else
				need(signer_generate(s, a, &wish, NOW, &rows[n], &err), &err);
			rows[n++].state = KEY_ACTIVE;
		}
	return n;
}

struct test_signer *
test_signer_create(struct arena *a)
{
	static struct key_row rows[KEYS_MAX];
	static struct arena *rows_arena;
	static size_t n_rows;
	struct test_signer *t = ARENA_NEW(a, struct test_signer);
	struct err err = {0};

	if (rows_arena == NULL) {
		rows_arena = arena_create((size_t)8 << 20);
		n_rows = rows_make(rows_arena, rows);
	}
	t->s = client(a, SIGNER_SERVE);
	need(keyring_create(a, rows, n_rows, &t->keys, &err), &err);
	need(signer_load(t->s, t->keys, &err), &err);
	return t;
}

const char *
test_signer_kid(const struct test_signer *t, enum key_purpose purpose, enum key_type type)
{
	const struct key *k = keyring_active(t->keys, purpose, type);

	return k != NULL ? k->row.kid : "none";
}

enum err_kind
test_ask(struct signer *s)
{
	struct arena *a = arena_create((size_t)1 << 20);
	struct signer_status status;
	struct err err = {0};

	(void)!signer_status(s, a, &status, &err);
	arena_destroy(a);
	return err.kind;
}

static void *
asker_main(void *arg)
{
	return (void *)(intptr_t)test_ask(arg);
}

void
test_askers_start(struct test_askers *askers, struct signer *s)
{
	struct err err = {0};

	for (size_t i = 0; i < TEST_ASKERS; i++)
		need(pthread_create(&askers->threads[i], NULL, asker_main, s) == 0, &err);
}

size_t
test_askers_refused(struct test_askers *askers, enum err_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < TEST_ASKERS; i++) {
		void *got;

		pthread_join(askers->threads[i], &got);
		n += (intptr_t)got == kind;
	}
	return n;
}
