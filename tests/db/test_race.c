/*
 * One-time things raced by 50 nodes, each with connections of its own: exactly
 * one has it, whoever that is.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "base/text.h"
#include "db/account.h"
#include "db/artifact.h"
#include "db/budget.h"
#include "db/dated.h"
#include "db/flow.h"
#include "db/grant.h"
#include "db/key.h"
#include "db/polled.h"
#include "db/pseudonym.h"
#include "db/seen.h"
#include "db/session.h"
#include "db/setting.h"
#include "db/refresh.h"
#include "db/ticket.h"
#include "tests/db/pg.h"

/* The client as it takes part in a session. */
static const struct db_participant part = {
	.dialect = "oidc", .name_id = "name", .session_index = "1"};

#define NODES  50
#define ROUNDS (int)test_size(5, 100)

/* What the nodes fight for in a round. */
struct prize {
	const char *text; /* a code, an id, a name: new for each round */
	const char *sid;
	struct subject_id subject;
	const struct db_consent *consent; /* its, to "p" */
	unsigned char id[16];
	int64_t round;
};

enum result { LOST = 0, WON, BROKEN };

struct node {
	pthread_t thread;
	struct db *db;
	struct db_call c;
	size_t number;
	const struct prize *prize;
	enum result (*attempt)(struct node *node);
	pthread_barrier_t *start;
	enum result result;
	enum db_take take;
	enum db_refresh_used used;
	struct err err;
};

static struct node nodes[NODES];

static int
setup(void **state)
{
	if (pg_setup(state) != 0)
		return -1;
	for (size_t i = 0; i < NODES; i++) {
		nodes[i].db = pg_connect(*state);
		nodes[i].number = i;
	}
	for (size_t i = 0; i < NODES; i++)
		while (!db_ready(nodes[i].db))
			pg_sql(*state, "SELECT pg_sleep(0.01)");
	return 0;
}

static int
teardown(void **state)
{
	for (size_t i = 0; i < NODES; i++)
		db_destroy(nodes[i].db);
	return pg_teardown(state);
}

static void *
node_main(void *arg)
{
	struct node *node = arg;

	pthread_barrier_wait(node->start);
	node->result = node->attempt(node);
	return NULL;
}

/* Let all nodes try at once.  Returns how many won. */
static size_t
race(struct pg *pg, const struct prize *prize, enum result (*attempt)(struct node *node))
{
	pthread_barrier_t start;
	size_t won = 0;

	pthread_barrier_init(&start, NULL, NODES);
	for (size_t i = 0; i < NODES; i++) {
		nodes[i].c = pg_call(pg, nodes[i].db);
		nodes[i].c.a = arena_create(1024 * 1024);
		nodes[i].prize = prize;
		nodes[i].attempt = attempt;
		nodes[i].start = &start;
		nodes[i].err = (struct err){0};
		assert_int_equal(pthread_create(&nodes[i].thread, NULL, node_main, &nodes[i]), 0);
	}
	for (size_t i = 0; i < NODES; i++) {
		pthread_join(nodes[i].thread, NULL);
		arena_destroy(nodes[i].c.a);
	}
	pthread_barrier_destroy(&start);
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i].result == BROKEN)
			fail_msg("node %zu: %s", i, nodes[i].err.text);
		won += nodes[i].result == WON;
	}
	return won;
}

static struct prize
new_prize(struct pg *pg, int round)
{
	struct prize prize = {.text = db_dated_create(pg->a, NOW + 60),
			      .sid = rand_token(pg->a, 16),
			      .subject = pg_person(pg),
			      .round = round};

	rand_bytes(prize.id, sizeof(prize.id));
	prize.consent = pg_consent(pg, prize.subject, "p");
	return prize;
}

/*
 * A call that says yes or no.  A lock that another node held for too long (a slow
 * machine) is a refusal too; everything else would be a fault.
 */
static enum result
judge(const struct node *node, bool held, bool won)
{
	if (!held)
		return node->err.kind == ERR_UNAVAILABLE && strstr(node->err.text, "55P03") != NULL
			       ? LOST
			       : BROKEN;
	return won ? WON : LOST;
}

static enum result
try_seen(struct node *n)
{
	bool first = false;
	bool held =
		db_seen_once(&n->c, &(struct db_mark){"jti", bytes_of(n->prize->text), NOW + 60},
			     NOW, &first, &n->err);

	return judge(n, held, first);
}

static enum result
try_ticket(struct node *n)
{
	const struct db_ticket *taken = NULL;
	bool held = db_ticket_take(&n->c, "race", n->prize->text, NOW, &taken, &n->err);

	return judge(n, held, taken != NULL);
}

static enum result
try_flow(struct node *n)
{
	const struct db_flow *taken = NULL;
	bool held = db_flow_take(&n->c, n->prize->text, "browser", NOW, &taken, &n->err);

	return judge(n, held, taken != NULL);
}

static enum result
try_code(struct node *n)
{
	const struct db_grant *grant = NULL;

	n->take = DB_TAKE_REFUSED;
	struct db_token_new token = {.text = db_dated_create(n->c.a, NOW + 600),
				     .expires = NOW + 600};
	bool held = db_grant_take(&n->c, n->prize->text, "p", &token, NULL, NULL, NOW, &n->take,
				  &grant, &(bool){0}, &n->err);

	return judge(n, held, n->take == DB_TAKE_TAKEN);
}

static enum result
try_totp(struct node *n)
{
	bool accepted = false;
	bool held = db_credential_totp_step(&n->c, n->prize->id, 1, NOW, &accepted, &n->err);

	return judge(n, held, accepted);
}

static enum result
try_rotate(struct node *n)
{
	const struct db_proof proof = {.level = 3, .method = "totp", .at = NOW};
	bool held = db_session_add_proof(&n->c, n->prize->text, rand_token(n->c.a, 32), &proof,
					 NOW + 60, NULL, NOW, &n->err);

	return !held && n->err.kind == ERR_NOT_FOUND ? LOST : judge(n, held, true);
}

static enum result
try_end(struct node *n)
{
	const struct db_participant *list;
	bool ended = false;
	size_t participants = 0;
	bool held = db_session_end(&n->c, n->prize->sid, NULL, NULL, NOW, &ended, &list,
				   &participants, &n->err);

	return judge(n, held, participants == 1);
}

static enum result
try_setting(struct node *n)
{
	bool held = db_setting_save(&n->c, n->prize->text, "v", 0, NULL, NOW, &n->err);

	return !held && n->err.kind == ERR_CONFLICT ? LOST : judge(n, held, true);
}

static enum result
try_name(struct node *n)
{
	unsigned char lookup[32] = {0};
	const struct db_account_new account = {.subject = {.id = subject_id_create(),
							   .kind = DB_PERSON,
							   .origin = DB_LOCAL,
							   .account_key = bytes_of("k")},
					       .lookup = {lookup, sizeof(lookup)}};

	memcpy(lookup, n->prize->id, sizeof(n->prize->id));
	bool held = db_account_create(&n->c, &account, NULL, NOW, &n->err);

	return !held && n->err.kind == ERR_CONFLICT ? LOST : judge(n, held, true);
}

static enum result
try_budget(struct node *n)
{
	const struct db_budget budget = {
		.purpose = "race", .key = bytes_of(n->prize->text), .limit = 7, .window_s = 600};
	struct db_attempt attempt = {0};
	bool held = db_budget_reserve(&n->c, &budget, NOW, &attempt, &n->err);

	return judge(n, held, attempt.allowed);
}

static enum result
try_pseudonym(struct node *n)
{
	const char *mine = rand_token(n->c.a, 32), *kept = NULL;
	bool held =
		db_pseudonym_keep(&n->c, n->prize->subject, "race", 1, mine, NOW, &kept, &n->err);

	return judge(n, held, held && strcmp(mine, kept) == 0);
}

static enum result
try_activate(struct node *n)
{
	bool held = db_key_move(&n->c, arena_printf(n->c.a, "k%zu", n->number), DB_KEY_ACTIVE, NULL,
				NOW, &n->err);

	return judge(n, held, true);
}

#define EXACTLY_ONE(pg, prepare, attempt)                       \
	for (int round = 0; round < ROUNDS; round++) {          \
		struct prize prize = new_prize(pg, round);      \
		prepare(pg, &prize);                            \
		assert_int_equal(race(pg, &prize, attempt), 1); \
	}

static void
nothing(struct pg *pg, const struct prize *prize)
{
	(void)pg;
	(void)prize;
}

static void
a_replay_mark_is_first_once(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, nothing, try_seen);
}

static void
make_ticket(struct pg *pg, const struct prize *prize)
{
	const struct db_ticket ticket = {.expires = NOW + 60};

	ASSERT_OK(db_ticket_create(&pg->c, "race", prize->text, &ticket, NOW, &pg->err), &pg->err);
}

static void
a_ticket_is_taken_once(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, make_ticket, try_ticket);
}

static void
make_flow(struct pg *pg, const struct prize *prize)
{
	const struct db_flow flow = {.id = prize->text,
				     .party = "p",
				     .front = "saml",
				     .state = "s",
				     .expires = NOW + 60};

	ASSERT_OK(db_flow_create(&pg->c, &flow, "browser", NOW, &pg->err), &pg->err);
}

static void
a_flow_is_answered_once(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, make_flow, try_flow);
}

static void
make_session(struct pg *pg, const struct prize *prize)
{
	const struct db_proof proof = {.level = 2, .method = "password", .at = NOW};
	const struct db_session session = {.sid = prize->sid,
					   .acting = prize->subject,
					   .sso_group = "g",
					   .proofs = &proof,
					   .n_proofs = 1,
					   .expires = NOW + 60};

	ASSERT_OK(db_session_create(&pg->c, prize->text, &session, NULL, NOW, &pg->err), &pg->err);
}

static void
make_code(struct pg *pg, const struct prize *prize)
{
	struct db_grant grant = {.party = "p",
				 .acting = prize->subject,
				 .sid = prize->sid,
				 .scope = "",
				 .redirect_uri = "u",
				 .expires = NOW + 60,
				 .consent = prize->consent};

	memcpy(grant.id, prize->id, sizeof(grant.id));
	make_session(pg, prize);
	ASSERT_OK(db_grant_create(&pg->c, prize->text, &grant, &part, NULL, NOW, &(bool){0},
				  &pg->err),
		  &pg->err);
}

static void
a_code_is_taken_once_and_its_replays_revoke_it(void **state)
{
	struct pg *pg = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct prize prize = new_prize(pg, round);
		size_t replayed = 0, late = 0;

		make_code(pg, &prize);
		assert_int_equal(race(pg, &prize, try_code), 1);
		for (size_t i = 0; i < NODES; i++) {
			replayed += nodes[i].take == DB_TAKE_REPLAYED;
			late += nodes[i].err.kind == ERR_UNAVAILABLE;
		}
		/* Nobody who came with a used code leaves the token alive. */
		assert_int_equal(replayed + late, NODES - 1);
		assert_true(replayed > 0);
		assert_string_equal(
			pg_value(pg, arena_printf(pg->a,
						  "SELECT count(*) || ' ' || count(revoked_at)"
						  " FROM access_token WHERE grant_id = %s",
						  pg_hex(pg, (struct bytes){prize.id, 16}))),
			"1 1");
	}
}

/* ---- clients that poll ---- */

/* The person's side of a prize. */
static struct bytes
handle_of(struct arena *a, const struct prize *prize)
{
	return db_polled_typed(a, prize->text);
}

static struct db_polled
polled_of(struct arena *a, const struct prize *prize, const char *kind)
{
	return (struct db_polled){
		.kind = kind,
		.handle = handle_of(a, prize),
		.party = "p",
		.scope = "",
		.acting = text_eq(kind, DB_POLLED_CIBA) ? &prize->subject : NULL,
		.expires = NOW + 60,
	};
}

/* A device's in even rounds, a named person's in odd ones. */
static const char *
kind_of(const struct prize *prize)
{
	return prize->round % 2 == 0 ? DB_POLLED_DEVICE : DB_POLLED_CIBA;
}

static const struct db_polled_limits limits = {3, NODES, NODES};

static const struct db_polled_more more = {.ping = "{}", .pause_s = 5};

static void
make_polled(struct pg *pg, const struct prize *prize)
{
	struct db_polled polled = polled_of(pg->a, prize, kind_of(prize));
	const struct db_audit asked = {.event = "asked", .ref = "r"};
	enum db_polled_asked made = DB_POLLED_NOBODY;
	bool created = false;

	if (prize->round % 2 == 0)
		ASSERT_OK(
			db_polled_create(&pg->c, prize->text, &polled, 5, NOW, &created, &pg->err),
			&pg->err);
	else
		ASSERT_OK(db_polled_ask(&pg->c, prize->text, &polled, &more, &limits, &asked, NOW,
					&made, &pg->err),
			  &pg->err);
	assert_true(created || made == DB_POLLED_ASKED);
}

static bool
say_yes(const struct db_call *c, const struct prize *prize, enum db_polled_said *said,
	struct err *err)
{
	struct db_grant grant = {.party = "p",
				 .acting = prize->subject,
				 .sid = prize->sid,
				 .scope = "",
				 .redirect_uri = "",
				 .expires = NOW + 60,
				 .consent = prize->consent};

	memcpy(grant.id, prize->id, sizeof(grant.id));
	return db_polled_agree(c, handle_of(c->a, prize), &grant, &part, NULL, NOW, said, err);
}

/* Every other says no. */
static enum result
try_say(struct node *n)
{
	const struct db_audit denied = {.event = "denied", .ref = "r"};
	enum db_polled_said said = DB_POLLED_TOO_LATE;
	bool yes = n->number % 2 == 0, first = false;
	bool held = yes ? say_yes(&n->c, n->prize, &said, &n->err)
			: db_polled_deny(&n->c, handle_of(n->c.a, n->prize), &n->prize->subject,
					 &denied, NOW, &first, &n->err);

	return judge(n, held, yes ? said == DB_POLLED_SAID : first);
}

static void
make_waiting(struct pg *pg, const struct prize *prize)
{
	make_session(pg, prize);
	make_polled(pg, prize);
}

static void
of_answers_at_once_one_counts(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, make_waiting, try_say);
	/* A yes is its grant. */
	assert_string_equal(
		pg_value(pg, "SELECT count(*) FROM polled p LEFT JOIN grant_code g ON g.day = p.day"
			     " AND g.hash = p.code WHERE (p.state = 'agreed') <> (g.hash IS NOT"
			     " NULL) OR p.state = 'waiting'"),
		"0");
	/* And the client of each that named somebody is told once. */
	assert_string_equal(pg_value(pg, "SELECT count(*) = count(DISTINCT id) AND count(*) ="
					 " (SELECT count(*) FROM polled WHERE kind = 'ciba')"
					 " FROM outbox WHERE kind = 'ciba-ping'"),
			    "t");
}

static void
make_agreed(struct pg *pg, const struct prize *prize)
{
	enum db_polled_said said = DB_POLLED_TOO_LATE;

	make_waiting(pg, prize);
	ASSERT_OK(say_yes(&pg->c, prize, &said, &pg->err), &pg->err);
	assert_int_equal(said, DB_POLLED_SAID);
}

static enum result
try_poll(struct node *n)
{
	enum db_polled_state polled = DB_POLLED_UNKNOWN;

	if (!db_polled_poll(&n->c, n->prize->text, kind_of(n->prize), "p", NOW, &polled, &n->err))
		return judge(n, false, false);
	if (polled != DB_POLLED_AGREED) /* somebody has had it */
		return polled == DB_POLLED_UNKNOWN ? LOST : BROKEN;
	return try_code(n);
}

static void
of_pollers_at_once_one_has_the_tokens(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, make_agreed, try_poll);
	/* And keeps them, whoever came second. */
	assert_string_equal(pg_value(pg, "SELECT count(*) > 0 AND count(t.revoked_at) = 0 FROM"
					 " access_token t JOIN grant_code g USING (grant_id)"
					 " WHERE g.redirect_uri = ''"),
			    "t");
}

/* All ask one person. */
static enum result
try_ask(struct node *n)
{
	const struct db_audit asked = {.event = "asked", .ref = "r"};
	struct db_polled polled = polled_of(n->c.a, n->prize, DB_POLLED_CIBA);
	const char *code = db_dated_create(n->c.a, NOW + 60);
	enum db_polled_asked made = DB_POLLED_NOBODY;

	polled.handle = db_polled_typed(n->c.a, code);
	bool held =
		db_polled_ask(&n->c, code, &polled, &more, &limits, &asked, NOW, &made, &n->err);

	return judge(n, held, made == DB_POLLED_ASKED);
}

/* One takes the consent back while the others ask. */
static enum result
try_ask_or_withdraw(struct node *n)
{
	const struct db_audit audit = {.event = "withdrawn", .ref = "r"};

	if (n->number > 0)
		return try_ask(n);
	return judge(n,
		     db_consent_withdraw(&n->c, n->prize->subject, NULL, "p", &audit, NOW, &n->err),
		     false);
}

static void
who_takes_a_consent_back_is_not_asked(void **state)
{
	struct pg *pg = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct prize prize = new_prize(pg, round);

		race(pg, &prize, try_ask_or_withdraw);
		if (nodes[0].err.kind != ERR_NONE) /* a slow machine */
			continue;
		assert_string_equal(
			pg_value(pg, arena_printf(
					     pg->a,
					     "SELECT count(*) FROM polled WHERE state ="
					     " 'waiting' AND acting = %s",
					     pg_hex(pg, (struct bytes){prize.subject.octets, 16}))),
			"0");
	}
}

/* A slow machine refuses some for want of the lock; never does it let one more through. */
static void
a_person_is_asked_within_limits_by_all_at_once(void **state)
{
	struct pg *pg = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct prize prize = new_prize(pg, round);
		size_t made = race(pg, &prize, try_ask);

		assert_in_range(made, 1, 3);
		assert_int_equal(race(pg, &prize, try_ask) <= 3 - made, true);
		assert_true(atoi(pg_value(
				    pg, arena_printf(pg->a,
						     "SELECT count(*) FROM polled WHERE"
						     " acting = %s",
						     pg_hex(pg, (struct bytes){prize.subject.octets,
									       16})))) <= 3);
	}
}

/* A refresh token that its code gave, whose text the nodes find in `kept`. */
static const char *kept;

static void
make_refresh(struct pg *pg, const struct prize *prize)
{
	const struct db_token_new token = {.text = db_dated_create(pg->a, NOW + 600),
					   .expires = NOW + 600};
	const struct db_refresh_new new = {.text = db_refresh_create(pg->a),
					   .of_session = true,
					   .expires = NOW + 600,
					   .ends = NOW + 600};
	const struct db_grant *grant;
	enum db_take take;
	bool refreshed;

	make_code(pg, prize);
	ASSERT_OK(db_grant_take(&pg->c, prize->text, "p", &token, &new, NULL, NOW, &take, &grant,
				&refreshed, &pg->err),
		  &pg->err);
	assert_true(refreshed);
	kept = new.text;
}

static enum result
try_refresh(struct node *n)
{
	static const unsigned char secret[32] = {1};
	const struct db_token_new token = {.text = db_dated_create(n->c.a, NOW + 600),
					   .expires = NOW + 600};
	const struct db_refresh_use use = {
		.next = db_refresh_next(n->c.a, kept, (struct bytes){secret, sizeof(secret)}),
		.token = &token,
		.scope = "",
		.expires = NOW + 600};

	n->used = DB_REFRESH_ENDED;
	bool held = db_refresh_use(&n->c, kept, "p", &use, NULL, NOW, &n->used, &n->err);

	return judge(n, held, n->used == DB_REFRESH_USED);
}

/* One makes the successor; who came with the same token is given the same, and nothing ends. */
static void
a_refresh_token_is_used_once(void **state)
{
	struct pg *pg = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct prize prize = new_prize(pg, round);
		size_t again = 0, late = 0;

		make_refresh(pg, &prize);
		assert_int_equal(race(pg, &prize, try_refresh), 1);
		for (size_t i = 0; i < NODES; i++) {
			again += nodes[i].used == DB_REFRESH_AGAIN;
			late += nodes[i].err.kind == ERR_UNAVAILABLE;
		}
		assert_int_equal(again + late, NODES - 1);
		/* That of the code, and one for each that had an answer. */
		assert_string_equal(
			pg_value(pg, arena_printf(pg->a,
						  "SELECT count(*) || ' ' || count(revoked_at)"
						  " FROM access_token WHERE grant_id = %s",
						  pg_hex(pg, (struct bytes){prize.id, 16}))),
			arena_printf(pg->a, "%zu 0", again + 2));
	}
}

static enum result
try_replay(struct node *n)
{
	bool ended = false;
	bool held = db_refresh_replayed(&n->c, kept, "p", NULL, NOW, &ended, &n->err);

	return judge(n, held, ended);
}

static void
a_family_ends_once(void **state)
{
	struct pg *pg = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct prize prize = new_prize(pg, round);

		make_refresh(pg, &prize);
		kept = db_refresh_next(pg->a, kept, bytes_of("0123456789abcdef0123456789abcdef"));
		assert_int_equal(race(pg, &prize, try_replay), 1);
	}
}

static void
make_totp(struct pg *pg, const struct prize *prize)
{
	struct db_credential credential = {
		.subject = prize->subject, .kind = DB_TOTP, .level = 3, .secret = bytes_of("s")};

	memcpy(credential.id, prize->id, sizeof(credential.id));
	ASSERT_OK(db_credential_add(&pg->c, &credential, NULL, NOW, &pg->err), &pg->err);
}

static void
a_totp_step_is_accepted_once(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, make_totp, try_totp);
}

static enum result
try_answer(struct node *n)
{
	const char *name = rand_token(n->c.a, 16);
	const struct db_participant p = {
		.party = "p", .dialect = "saml", .name_id = name, .session_index = ""};
	const struct db_mark mark = {"request", bytes_of(n->prize->text), NOW + 60};
	const struct db_answer answer = {n->prize->sid, &p, n->prize->consent, &mark, NULL};
	enum db_answered how = DB_ANSWERED_BEFORE;
	bool held = db_session_participate(&n->c, &answer, NULL, NOW, &how, &n->err);

	if (held && how == DB_ANSWERED_WITHDRAWN)
		return BROKEN;
	return judge(n, held, how == DB_ANSWERED_NOW);
}

/* One statement leaves mark and participation: what was replayed took no part. */
static void
a_request_is_answered_once(void **state)
{
	struct pg *pg = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct prize prize = new_prize(pg, round);

		make_session(pg, &prize);
		assert_int_equal(race(pg, &prize, try_answer), 1);
		assert_string_equal(
			pg_value(pg, arena_printf(pg->a,
						  "SELECT count(*) FROM session_participant"
						  " WHERE sid = '%s'",
						  prize.sid)),
			"1");
	}
}

/* A message in a session; its handle is the prize's id. */
static void
make_artifact(struct pg *pg, const struct prize *prize)
{
	const struct db_participant p = {
		.party = "p", .dialect = "saml", .name_id = "n", .session_index = ""};
	const struct db_artifact artifact = {
		{prize->id, sizeof(prize->id)}, "p", bytes_of("sealed"), NOW + 60};

	make_session(pg, prize);
	pg_take_part(pg, prize->subject, prize->sid, &p, &artifact, NULL);
}

static enum result
try_artifact(struct node *n)
{
	static const struct db_audit taken = {.event = "artifact_won", .ref = "r"},
				     used = {.event = "artifact_lost", .ref = "r"};
	static const struct db_artifact_audit audit = {&taken, {[DB_ARTIFACT_USED] = &used}};
	enum db_artifact_why why = DB_ARTIFACT_UNKNOWN;
	struct db_artifact_taken got;
	bool held = db_artifact_take(&n->c, (struct bytes){n->prize->id, sizeof(n->prize->id)}, "p",
				     &audit, NOW, &why, &got, &n->err);

	/* Who loses, has seen that another has it. */
	if (held && why != DB_ARTIFACT_TAKEN && why != DB_ARTIFACT_USED)
		return BROKEN;
	return judge(n, held, why == DB_ARTIFACT_TAKEN);
}

static void
an_artifact_is_resolved_once(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, make_artifact, try_artifact);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM audit WHERE event = 'artifact_won'"),
			    arena_printf(pg->a, "%d", ROUNDS));
	assert_string_equal(
		pg_value(pg, "SELECT count(*) FROM audit WHERE event = 'artifact_lost'"),
		arena_printf(pg->a, "%d", ROUNDS));
}

static void
a_cookie_changes_once(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, make_session, try_rotate);
}

static void
take_part(struct pg *pg, const struct prize *prize)
{
	const struct db_participant p = {
		.party = "p", .dialect = "saml", .name_id = "n", .session_index = ""};

	make_session(pg, prize);
	pg_take_part(pg, prize->subject, prize->sid, &p, NULL, NULL);
}

static void
one_tells_the_parties_of_the_end(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, take_part, try_end);
}

static void
a_setting_is_changed_by_one(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, nothing, try_setting);
}

static void
a_login_name_goes_to_one_account(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, nothing, try_name);
}

static void
a_pseudonym_is_the_same_for_all(void **state)
{
	struct pg *pg = *state;

	EXACTLY_ONE(pg, nothing, try_pseudonym);
}

static void
parallel_guesses_do_not_outrun_the_budget(void **state)
{
	struct pg *pg = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct prize prize = new_prize(pg, round);
		size_t allowed = race(pg, &prize, try_budget);

		assert_in_range(allowed, 1, 7);
		/* Every attempt that was let through is counted. */
		assert_int_equal(race(pg, &prize, try_budget), 7 - allowed);
	}
}

static void
one_key_stays_active(void **state)
{
	struct pg *pg = *state;
	int64_t generation;

	for (size_t i = 0; i < NODES; i++) {
		const struct db_key key = {.kid = arena_printf(pg->a, "k%zu", i),
					   .purpose = 1,
					   .type = 1,
					   .place = DB_KEY_SEALED,
					   .state = DB_KEY_PUBLISHED,
					   .sealed = bytes_of("s")};

		ASSERT_OK(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err);
	}
	struct prize prize = new_prize(pg, 0);

	assert_true(race(pg, &prize, try_activate) > 0);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM key WHERE state = 'active'"), "1");
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_request_is_answered_once),
		T(a_replay_mark_is_first_once),
		T(a_ticket_is_taken_once),
		T(a_flow_is_answered_once),
		T(a_code_is_taken_once_and_its_replays_revoke_it),
		T(of_answers_at_once_one_counts),
		T(of_pollers_at_once_one_has_the_tokens),
		T(a_person_is_asked_within_limits_by_all_at_once),
		T(who_takes_a_consent_back_is_not_asked),
		T(a_refresh_token_is_used_once),
		T(a_family_ends_once),
		T(a_totp_step_is_accepted_once),
		T(an_artifact_is_resolved_once),
		T(a_cookie_changes_once),
		T(one_tells_the_parties_of_the_end),
		T(a_setting_is_changed_by_one),
		T(a_login_name_goes_to_one_account),
		T(a_pseudonym_is_the_same_for_all),
		T(parallel_guesses_do_not_outrun_the_budget),
		T(one_key_stays_active),
	};

	return cmocka_run_group_tests_name("race", tests, setup, teardown);
}
