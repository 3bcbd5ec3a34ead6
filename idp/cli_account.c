/*
 * kontor account: what the office behind an account service does: make
 * accounts, record a proofing by two named operators, disable, delete.
 * Passwords come on standard input, never as a word that others can see.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/proofing.h"
#include "idp/evidence.h"
#include "idp/audit.h"
#include "idp/cli_work.h"
#include "idp/login.h"
#include "idp/logout_send.h"
#include "idp/password.h"
#include "idp/totp.h"
#include "keys/sign.h"

#define MAX_EVIDENCE_BYTES ((size_t)64 * 1024 * 1024)
#define MAX_LEDGER_BYTES   ((size_t)64 * 1024 * 1024)
#define MAX_VALUES         128 /* no attribute twice, so no more than there are */

/* ---- words all of them take ---- */

static bool
login_word(struct cli *cli, const char **name, struct err *err)
{
	const char *word = cli_word(cli);

	if (word == NULL)
		return FAIL(err, ERR_INPUT, NULL, "whose account? LOGIN is missing");
	return account_login_name(cli->a, word, name, err);
}

/* Nobody has a thing twice, and which of two values was meant is not ours to guess. */
static bool
put(struct held *held, size_t *n, struct held value, struct err *err)
{
	for (size_t i = 0; i < *n; i++)
		if (held[i].at == value.at)
			return FAIL(err, ERR_INPUT, NULL, "attribute '%s': given twice",
				    value.at->name);
	held[(*n)++] = value;
	return true;
}

static bool
known_attribute(const char *option, const char *name, const struct attribute **out, struct err *err)
{
	*out = attribute_by_name(name);
	return *out != NULL ||
	       FAIL(err, ERR_INPUT, NULL, "%s: unknown attribute '%s'", option, name);
}

/* Every --attribute NAME=VALUE and --empty NAME; as many as there are attributes at most. */
static bool
take_values(struct cli *cli, enum level level, const char *source, time_t verified_at,
	    struct held *held, size_t *n, struct err *err)
{
	const struct attribute *at;
	const char *word;

	*n = 0;
	while ((word = cli_value(cli, "--attribute")) != NULL) {
		size_t len = strcspn(word, "=");

		if (word[len] == '\0')
			return FAIL(err, ERR_INPUT, NULL, "--attribute: NAME=VALUE expected");
		if (!known_attribute("--attribute", arena_strndup(cli->a, word, len), &at, err) ||
		    !attribute_check_value(at, word + len + 1, err) ||
		    !put(held, n,
			 (struct held){at, word + len + 1, false, level, source, verified_at, {0}},
			 err))
			return false;
	}
	while ((word = cli_value(cli, "--empty")) != NULL)
		if (!known_attribute("--empty", word, &at, err) ||
		    !put(held, n, (struct held){at, "", true, level, source, verified_at, {0}},
			 err))
			return false;
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
	const struct db_subject *there;
	struct kdf_memory *memory;
	struct subject_id id;
	struct err why = {0};

	if (cli_find_account(work, person->login_name, &there, &why))
		return FAIL(err, ERR_CONFLICT, NULL, "this login name is taken");
	if (why.kind != ERR_NOT_FOUND)
		return FAIL(err, why.kind, NULL, "%s", why.text);
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
		(void)FAIL(&err, ERR_INPUT, NULL, "this password is not taken: %s",
			   text_eq(problem, "password_weak") ? "too easy to guess" : "too short");
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
	const char *method; /* NULL: unsaid */
	const char *operators[2];
	enum level level;
	struct held held[MAX_VALUES];
	size_t n;
};

/* Without blanks around it, so that one name in two spellings is not two persons. */
static bool
take_name(struct cli *cli, const char *option, const char **name, struct err *err)
{
	*name = text_trim(cli->a, *name);
	return **name != '\0' || FAIL(err, ERR_INPUT, NULL, "%s: a name is needed", option);
}

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
	v->method = cli_value(cli, "--method");
	v->level = level == NULL ? LEVEL_SUBSTANTIAL : level_from_word(level);
	if (v->operators[0] == NULL || v->operators[1] == NULL)
		return FAIL(err, ERR_INPUT, NULL, "--operator is needed twice: two persons vouch");
	if (!take_name(cli, "--operator", &v->operators[0], err) ||
	    !take_name(cli, "--operator", &v->operators[1], err))
		return false;
	if (strcmp(v->operators[0], v->operators[1]) == 0)
		return FAIL(err, ERR_DENIED, NULL, "the two operators must differ");
	if (v->document_kind == NULL || v->evidence == NULL)
		return FAIL(err, ERR_INPUT, NULL, "--document KIND and --evidence FILE are needed");
	if (!take_name(cli, "--document", &v->document_kind, err))
		return false;
	if (v->method != NULL && !evidence_is_method(v->method))
		return FAIL(err, ERR_INPUT, NULL, "--method: %s", evidence_methods(cli->a));
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
		.method = v->method,
		.at = work->w.now,
	};
	struct bytes evidence;

	if (!cli_find_account(work, v->login_name, &subject, err) ||
	    !conf_read_file(work->w.a, v->evidence, MAX_EVIDENCE_BYTES, &evidence, err) ||
	    !account_seal(&work->w, subject->id, subject->account_key, v->held, v->n, rows, err))
		return false;
	hash_sha256(evidence, proofing.evidence_hash);
	rand_bytes(proofing.id, sizeof(proofing.id));
	proofing.subject = subject->id;
	audit.subject = &subject->id;
	audit.details = audit_details(work->w.a, "document", v->document_kind, "method", v->method,
				      "operator1", v->operators[0], "operator2", v->operators[1],
				      "level", level_word(v->level, LEVEL_VOCAB_SHORT), NULL);
	return db_proofing_record(&work->w.db, &proofing, rows, v->n, &audit, err);
}

static enum cli_exit
account_verify(struct cli *cli)
{
	struct verify *v = ARENA_NEW(cli->a, struct verify);
	struct cli_work work;
	struct err err = {0};

	if (!take_verify(cli, v, &err) ||
	    !take_values(cli, v->level, "proofing", clock_now(), v->held, &v->n, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (v->n == 0)
		return cli_usage(cli, "nothing was proofed: --attribute NAME=VALUE is missing");
	if (!cli_work_open(cli, CLI_SIGNER, &work, &err) || !record(&work, v, &err))
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

	if (!cli_work_open(cli, CLI_SIGNER, &work, &err) ||
	    !cli_find_account(&work, name, &subject, &err) ||
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
	enum cli_exit rc = cli_work_begin(cli, CLI_SIGNER, &work);

	if (rc != CLI_OK)
		return rc;
	if (!cli_find_account(&work, name, &subject, &err) ||
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

static void
not_told(const char *id UNUSED, const struct err *err UNUSED)
{
	/* One that does not read hears nothing; running nodes say so in their logs. */
}

/* Who is there to be told; the nodes that run send it. */
static bool
parties_of(struct cli_work *work, struct parties *out, struct err *err)
{
	const struct db_party *rows;
	size_t n;

	if (!db_party_list(&work->w.db, &rows, &n, err))
		return false;
	parties_create(work->w.a, rows, n, config_level_most(&work->config), not_told, out);
	return true;
}

/* Its sessions end, and portals hear of it; there is no browser that could be sent anywhere. */
static bool
leave_state(struct cli_work *work, struct subject_id id, enum db_subject_state state,
	    const struct db_audit *audit, struct err *err)
{
	struct parties parties;
	struct logout_plan plan = {.parties = &parties};
	struct db_telling telling = {
		.plan = logout_plan, .ctx = &plan, .until = work->w.now + LOGOUT_TRIED_S};

	return parties_of(work, &parties, err) &&
	       db_account_set_state_told(&work->w.db, id, state, &telling, audit, work->w.now, err);
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
	enum cli_exit rc = cli_work_begin(cli, CLI_SIGNER, &work);

	if (rc != CLI_OK)
		return rc;
	if (!cli_find_account(&work, name, &subject, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_ACCOUNT_STATE);

	audit.subject = &subject->id;
	audit.details = audit_details(cli->a, "state", db_subject_state_name(state), NULL);
	if (!leave_state(&work, subject->id, state, &audit, &err))
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

/* ---- kontor account deleted, delete-again: after a restore ---- */

static const char *
id_text(struct arena *a, const struct subject_id *id)
{
	return enc_hex(a, (struct bytes){id->octets, sizeof(id->octets)});
}

static enum cli_exit
account_deleted(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	const struct subject_id *ids;
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!db_account_deleted(&work.w.db, &ids, &n, &err))
		return cli_fail(cli, &err);
	for (size_t i = 0; i < n; i++) {
		if (cli->json)
			json_push_str(cli->a, list, id_text(cli->a, &ids[i]));
		else
			cli_print(arena_printf(cli->a, "%s\n", id_text(cli->a, &ids[i])));
	}
	json_put(cli->a, o, "deleted", list);
	return cli_tell(cli, o, "");
}

/* A line of the ledger; *done: it was there and not deleted. */
static bool
delete_again(struct cli_work *work, const char *line, bool *done, struct err *err)
{
	struct db_audit audit = cli_audit(work, AUDIT_ACCOUNT_STATE);
	const struct db_subject *subject;
	struct subject_id id;
	struct bytes octets;

	*done = false;
	if (!dec_hex(work->w.a, bytes_of(line), &octets, err))
		return false;
	if (octets.n != sizeof(id.octets))
		return FAIL(err, ERR_INPUT, NULL, "an id has %zu octets", sizeof(id.octets));
	memcpy(id.octets, octets.p, octets.n);
	if (!db_account_load(&work->w.db, id, &subject, err))
		return false;
	if (subject == NULL || subject->state == DB_DELETED)
		return true;
	audit.subject = &id;
	audit.details = audit_details(work->w.a, "state", db_subject_state_name(DB_DELETED), NULL);
	*done = true;
	return db_account_set_state(&work->w.db, id, DB_DELETED, &audit, work->w.now, err);
}

static const char *
in_one_line(struct arena *a, const char *text)
{
	char *line = arena_strdup(a, text);

	for (char *p = line; (p = strchr(p, '\n')) != NULL;)
		*p = ' ';
	return line;
}

static enum cli_exit
account_delete_again(struct cli *cli)
{
	const char *path = cli_word(cli), **lines;
	enum cli_exit rc = cli_end(cli);
	struct bytes ledger;
	const char *text;
	struct cli_work work;
	struct err err = {0}, why = {0};
	int64_t n_done = 0;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (path == NULL)
		return cli_usage(cli, "which ledger? FILE is missing");
	if (!conf_read_file(cli->a, path, MAX_LEDGER_BYTES, &ledger, &err) ||
	    !text_from_bytes(cli->a, ledger, MAX_LEDGER_BYTES, path, &text, &err) ||
	    !text_words(cli->a, in_one_line(cli->a, text), ledger.n, &lines, &n, &err) ||
	    !cli_work_open(cli, CLI_DATABASE, &work, &err))
		return cli_fail(cli, &err);
	for (size_t i = 0; i < n; i++) {
		bool done;

		if (!delete_again(&work, lines[i], &done, &why)) {
			(void)FAIL(&err, why.kind, NULL, "%s: id %zu: %s", path, i + 1, why.text);
			return cli_fail(cli, &err);
		}
		n_done += done;
	}
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "deleted", n_done);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%lld accounts deleted again\n", (long long)n_done));
}

enum cli_exit
cli_account(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"add", account_add},
		{"verify", account_verify},
		{"totp", account_totp},
		{"show", account_show},
		{"disable", account_disable},
		{"enable", account_enable},
		{"delete", account_delete},
		{"deleted", account_deleted},
		{"delete-again", account_delete_again},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
