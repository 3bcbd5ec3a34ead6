/* Shared by the tests of XML signatures and encryption; see support.h. */
#include "tests/saml/support.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "keys/key_type.h"
#include "tests/test.h"

char *
replace(struct arena *a, const char *s, const char *from, const char *to)
{
	const char *at = strstr(s, from);

	if (at == NULL)
		fail_msg("\"%s\" does not occur in %s", from, s);
	return arena_printf(a, "%.*s%s%s", (int)(at - s), s, to, at + strlen(from));
}

char *
cut(struct arena *a, const char *s, const char *from, const char *to)
{
	const char *start = strstr(s, from);
	const char *end = start != NULL ? strstr(start, to) : NULL;

	if (end == NULL)
		fail_msg("no \"%s\" to \"%s\" in %s", from, to, s);
	return arena_strndup(a, start, (size_t)(end - start) + strlen(to));
}

char *
text_of(struct arena *a, struct bytes b)
{
	return arena_strndup(a, (const char *)b.p, b.n);
}

const struct xml_limits test_limits = {.max_bytes = 4 << 20,
				       .max_nodes = 100000,
				       .max_attrs = 64,
				       .flags = XML_COMMENTS | XML_CDATA};

const struct xml_node *
parse_xml(struct arena *a, const char *text)
{
	struct err err = {0};
	struct xml_doc *doc;

	ASSERT_OK(xml_parse(a, bytes_of(text), &xml_limits_message, &doc, &err), &err);
	return xml_root(doc);
}

static const struct test_key *
key_for(const struct test_keys *k, const char *suite)
{
	const struct saml_suite *s = saml_suite_by_name(suite);

	assert_non_null(s);
	if (s->make == SIG_NONE)
		return &k->rsa;
	return test_key_of(k, KEY_SAML_SIGN, key_type_of_sig(s->make));
}

struct saml_signer
test_signer(const struct test_keys *k, const char *suite)
{
	const struct test_key *key = key_for(k, suite);

	return (struct saml_signer){&k->ops, key->kid, saml_suite_by_name(suite), key->cert};
}

EVP_PKEY *
test_signer_pub(const struct test_keys *k, const char *suite)
{
	return key_for(k, suite)->pub;
}

bool
run_program(struct arena *a, const char *const *argv, char **out)
{
	posix_spawn_file_actions_t fa;
	int pipe_fd[2], status;
	char buf[4096];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(pipe_fd), 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, pipe_fd[1], 1);
	posix_spawn_file_actions_adddup2(&fa, pipe_fd[1], 2);
	posix_spawn_file_actions_addclose(&fa, pipe_fd[0]);
	if (posix_spawnp(&pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		fail_msg("%s cannot be started", argv[0]);
	posix_spawn_file_actions_destroy(&fa);
	close(pipe_fd[1]);
	char *text = arena_strdup(a, "");

	while ((n = read(pipe_fd[0], buf, sizeof(buf))) > 0)
		text = arena_printf(a, "%s%.*s", text, (int)n, buf);
	close(pipe_fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (out != NULL)
		*out = text;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static char dir[64];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_dir(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
temp_file(struct arena *a, const char *name, struct bytes content)
{
	if (dir[0] == '\0') {
		snprintf(dir, sizeof(dir), "/tmp/kontor-test-XXXXXX");
		assert_non_null(mkdtemp(dir));
		atexit(remove_dir);
	}
	const char *path = arena_printf(a, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content.p, 1, content.n, f), content.n);
	assert_int_equal(fclose(f), 0);
	return path;
}

const char *
pem_file(struct arena *a, const char *name, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *p;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	long n = BIO_get_mem_data(bio, &p);
	const char *path = temp_file(a, name, (struct bytes){p, (size_t)n});

	BIO_free(bio);
	return path;
}

bool
xmlsec1_knows(struct arena *a, const char *transform)
{
	const char *argv[] = {"xmlsec1", "--list-transforms", NULL};
	char *list;

	assert_true(run_program(a, argv, &list));
	return strstr(list, arena_printf(a, "\"%s\"", transform)) != NULL;
}
