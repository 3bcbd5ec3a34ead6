/*
 * kontor account: what the office behind an account service does: make
 * accounts, record a proofing by two named operators, disable, delete.
 * Passwords come on standard input, never as a word that others can see.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/proofing.h"
#include "idp/audit.h"
#include "idp/cli_work.h"
#include "idp/login.h"
#include "idp/password.h"
#include "idp/totp.h"
#include "keys/sign.h"

#define MAX_EVIDENCE_BYTES ((size_t)64 * 1024 * 1024)
#define MAX_VALUES         64

/* ---- words all of them take ---- */

static bool
login_word(struct cli *cli, const char **name, struct err *err)
{
	const char *word = cli_word(cli);

	if (word == NULL)
		return FAIL(err, ERR_INPUT, NULL, "whose account? LOGIN is missing");
	return account_login_name(cli->a, word, name, err);
}

static bool
find(struct cli_work *work, const char *name, const struct db_subject **out, struct err *err)
{
	struct bytes lookup;

	if (!account_lookup(&work->w, name, &lookup, err) ||
	    !db_account_find(&work->w.db, lookup, out, err))
		return false;
	return *out != NULL || FAIL(err, ERR_NOT_FOUND, NULL, "no account of this login name");
}

/* Every --attribute NAME=VALUE and --empty NAME. */
static bool
take_values(struct cli *cli, enum level level, const char *source, time_t verified_at,
	    struct held *held, size_t *n, struct err *err)
{
	const char *word;

	for (*n = 0; (word = cli_value(cli, "--attribute")) != NULL; (*n)++) {
		size_t len = strcspn(word, "=");
		const struct attribute *at = attribute_by_name(arena_strndup(cli->a, word, len));

		if (at == NULL || word[len] == '\0' || *n == MAX_VALUES)
			return FAIL(err, ERR_INPUT, NULL, "--attribute: NAME=VALUE expected: %.*s",
				    (int)len, word);
		if (!attribute_check_value(at, word + len + 1, err))
			return false;
		held[*n] = (struct held){at, word + len + 1, false, level, source, verified_at};
	}
	for (; (word = cli_value(cli, "--empty")) != NULL; (*n)++) {
		const struct attribute *at = attribute_by_name(word);

		if (at == NULL || *n == MAX_VALUES)
			return FAIL(err, ERR_INPUT, NULL, "--empty: unknown attribute '%s'", word);
		held[*n] = (struct held){at, "", true, level, source, verified_at};
	}
	return true;
}

/* ---- kontor account add ---- */

static bool
read_password(struct cli *cli, const char **out, struct err *err)
{
	char *line = arena_alloc(cli->a, KDF_PASSWORD_MAX + 2);

	if (fgets(line, KDF_PASSWORD_MAX + 2, stdin) == NULL)
		return FAIL(err, ERR_INPUT, NULL, "a password is expected on standard input");
	size_t n = strcspn(line, "\n");

	if (n > KDF_PASSWORD_MAX)
		return FAIL(err, ERR_INPUT, NULL, "the password has more than %d bytes",
			    KDF_PASSWORD_MAX);
	return text_from_bytes(cli->a, (struct bytes){(unsigned char *)line, n}, KDF_PASSWORD_MAX,
			       "password", out, err);
}

static void
free_memory(void *p)
{
	kdf_memory_destroy(p);
}

static bool
make(struct cli_work *work, const struct account_person *person, struct err *err)
{
	struct kdf_memory *memory;
	struct subject_id id;

	if (!kdf_memory_create(work->w.password_cost.m_kib, &memory, err))
		return false;
	arena_defer(work->w.a, free_memory, memory);
	return account_create(&work->w, memory, person, &id, err);
}

static enum cli_exit
account_add(struct cli *cli)
{
	struct held held[MAX_VALUES];
	const char *hints[] = {NULL, NULL}, *problem;
	struct account_person person = {.held = held};
	struct cli_work work;
	struct err err = {0};

	if (!login_word(cli, &person.login_name, &err) ||
	    !take_values(cli, LEVEL_BASIC, "self", 0, held, &person.n, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (!read_password(cli, &person.password, &err))
		return cli_fail(cli, &err);
	hints[0] = person.login_name;
	if ((problem = password_problem(person.password, hints)) != NULL) {
		(void)FAIL(&err, ERR_INPUT, NULL, "this password is not taken: %s", problem);
		return cli_fail(cli, &err);
	}
	if (!cli_work_open(cli, CLI_SIGNER, &work, &err) || !make(&work, &person, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "login_name", person.login_name);
	return cli_tell(cli, o, arena_printf(cli->a, "%s: account made\n", person.login_name));
}

/* ---- kontor account verify ---- */

struct verify {
	const char *login_name, *document_kind, *evidence;
	const char *operators[2];
	enum level level;
	struct held held[MAX_VALUES];
	size_t n;
};

static bool
take_verify(struct cli *cli, struct verify *v, struct err *err)
{
	const char *level = cli_value(cli, "--level");

	if (!login_word(cli, &v->login_name, err))
		return false;
	v->operators[0] = cli_value(cli, "--operator");
	v->operators[1] = cli_value(cli, "--operator");
	v->document_kind = cli_value(cli, "--document");
	v->evidence = cli_value(cli, "--evidence");
	v->level = level == NULL ? LEVEL_SUBSTANTIAL : level_from_word(level);
	if (v->operators[0] == NULL || v->operators[1] == NULL)
		return FAIL(err, ERR_INPUT, NULL, "--operator is needed twice: two persons vouch");
	if (strcmp(v->operators[0], v->operators[1]) == 0)
		return FAIL(err, ERR_DENIED, NULL, "the two operators must differ");
	if (v->document_kind == NULL || v->evidence == NULL)
		return FAIL(err, ERR_INPUT, NULL, "--document KIND and --evidence FILE are needed");
	if (v->level < LEVEL_LOW)
		return FAIL(err, ERR_INPUT, NULL, "--level: low, substantial or high");
	return true;
}

/* Attributes that the proofing does not name keep their value and level. */
static bool
record(struct cli_work *work, const struct verify *v, struct err *err)
{
	struct db_attribute rows[MAX_VALUES];
	struct db_audit audit = cli_audit(work, AUDIT_ACCOUNT_PROOFED);
	const struct db_subject *subject;
	struct db_proofing proofing = {
		.operator1 = v->operators[0],
		.operator2 = v->operators[1],
		.document_kind = v->document_kind,
		.at = work->w.now,
	};
	struct bytes evidence;

	if (!find(work, v->login_name, &subject, err) ||
	    !conf_read_file(work->w.a, v->evidence, MAX_EVIDENCE_BYTES, &evidence, err) ||
	    !account_seal(&work->w, subject->id, subject->account_key, v->held, v->n, rows, err))
		return false;
	hash_sha256(evidence, proofing.evidence_hash);
	rand_bytes(proofing.id, sizeof(proofing.id));
	proofing.subject = subject->id;
	audit.subject = &subject->id;
	audit.details = audit_details(work->w.a, "document", v->document_kind, "operator1",
				      v->operators[0], "operator2", v->operators[1], "level",
				      level_word(v->level, LEVEL_VOCAB_SHORT), NULL);
	return db_proofing_record(&work->w.db, &proofing, rows, v->n, &audit, err);
}

static enum cli_exit
account_verify(struct cli *cli)
{
	struct verify *v = ARENA_NEW(cli->a, struct verify);
	struct cli_work work;
	struct err err = {0};

	if (!take_verify(cli, v, &err) || !cli_work_open(cli, CLI_SIGNER, &work, &err) ||
	    !take_values(cli, v->level, "proofing", work.w.now, v->held, &v->n, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (v->n == 0)
		return cli_usage(cli, "nothing was proofed: --attribute NAME=VALUE is missing");
	if (!record(&work, v, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "login_name", v->login_name);
	json_put_i64(cli->a, o, "attributes", (int64_t)v->n);
	json_put_str(cli->a, o, "level", level_word(v->level, LEVEL_VOCAB_SHORT));
	return cli_tell(cli, o,
			arena_printf(cli->a, "%s: %zu attributes verified\n", v->login_name, v->n));
}

/* ---- kontor account totp ---- */

static enum cli_exit
account_totp(struct cli *cli)
{
	unsigned char *secret = arena_alloc(cli->a, TOTP_SECRET_BYTES);
	const char *name, *text;
	const struct db_subject *subject;
	struct cli_work work;
	struct err err = {0};

	if (!login_word(cli, &name, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	rand_bytes(secret, TOTP_SECRET_BYTES);
	struct bytes seed = {secret, TOTP_SECRET_BYTES};

	if (!cli_work_open(cli, CLI_SIGNER, &work, &err) || !find(&work, name, &subject, &err) ||
	    !login_totp_add(&work.w, subject->id, seed, &err) ||
	    !totp_secret_text(cli->a, seed, &text, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "login_name", name);
	json_put_str(cli->a, o, "secret", text);
	json_put_str(cli->a, o, "uri", totp_uri(cli->a, work.config.site_name, text));
	return cli_tell(cli, o, arena_printf(cli->a, "%s\n", text));
}

/* ---- kontor account show, disable, enable, delete ---- */

static json_t *
attribute_json(struct arena *a, const struct held *h)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "name", h->at->name);
	json_put_str(a, o, "value", h->value);
	json_put_bool(a, o, "verified_empty", h->verified_empty);
	json_put_str(a, o, "level", level_word(h->level, LEVEL_VOCAB_SHORT));
	json_put_str(a, o, "source", h->source);
	return o;
}

static enum cli_exit
account_show(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a),
	       *methods = json_new_array(cli->a);
	const struct db_credential *means;
	const struct db_subject *subject;
	struct held_list held;
	struct cli_work work;
	struct err err = {0};
	const char *name;
	size_t n;

	if (!login_word(cli, &name, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_SIGNER, &work, &err) || !find(&work, name, &subject, &err) ||
	    !account_attributes(&work.w, subject, &held, &err) ||
	    !db_credential_list(&work.w.db, subject->id, &means, &n, &err))
		return cli_fail(cli, &err);
	for (size_t i = 0; i < held.n; i++)
		json_push(cli->a, list, attribute_json(cli->a, &held.p[i]));
	for (size_t i = 0; i < n; i++)
		json_push_str(cli->a, methods, login_method_of_kind(means[i].kind)->name);
	json_put_str(cli->a, o, "login_name", name);
	json_put_str(cli->a, o, "state", db_subject_state_name(subject->state));
	json_put(cli->a, o, "means", methods);
	json_put(cli->a, o, "attributes", list);
	cli_print_json(cli, o);
	return CLI_OK;
}

static enum cli_exit
set_state(struct cli *cli, enum db_subject_state state)
{
	const struct db_subject *subject;
	struct cli_work work;
	struct err err = {0};
	const char *name;

	if (!login_word(cli, &name, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_SIGNER, &work, &err) || !find(&work, name, &subject, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_ACCOUNT_STATE);

	audit.subject = &subject->id;
	audit.details = audit_details(cli->a, "state", db_subject_state_name(state), NULL);
	if (!db_account_set_state(&work.w.db, subject->id, state, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "login_name", name);
	json_put_str(cli->a, o, "state", db_subject_state_name(state));
	return cli_tell(cli, o,
			arena_printf(cli->a, "%s: %s\n", name, db_subject_state_name(state)));
}

static enum cli_exit
account_disable(struct cli *cli)
{
	return set_state(cli, DB_DISABLED);
}

static enum cli_exit
account_enable(struct cli *cli)
{
	return set_state(cli, DB_ACTIVE);
}

static enum cli_exit
account_delete(struct cli *cli)
{
	return set_state(cli, DB_DELETED);
}

enum cli_exit
cli_account(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"add", account_add},         {"verify", account_verify},
		{"totp", account_totp},       {"show", account_show},
		{"disable", account_disable}, {"enable", account_enable},
		{"delete", account_delete},   {NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
