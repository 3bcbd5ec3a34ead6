/* Statements that fail to order; see statement.h. */
#include "tests/fail/statement.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/base.h"
#include "tests/fail/fail.h"

#define EXPORTED  __attribute__((visibility("default")))
#define ANSWER_MS 10000
#define CONNS     32
#define DISK_FULL "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$"

static enum statement_fault fault;

/* What is known of a connection. */
struct known {
	PGconn *pg;
	PQnoticeReceiver receiver;
	void *arg;
	bool deaf; /* from the next sync on */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct known table[CONNS];

void
statement_set_fault(enum statement_fault f)
{
	fault = f;
}

static void *
real_of(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	return p;
}

#define REAL(name) ((__typeof__(&name))real_of(#name))

static struct known *
known_of(PGconn *pg)
{
	struct known *found = NULL;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < CONNS; i++)
		if (table[i].pg == pg || (table[i].pg == NULL && found == NULL)) {
			found = &table[i];
			if (found->pg == pg)
				break;
		}
	if (found == NULL)
		abort();
	found->pg = pg;
	pthread_mutex_unlock(&lock);
	return found;
}

/* The other side is gone, whatever it had to say. */
static void
cut(PGconn *pg)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		abort();
	dup2(fds[0], PQsocket(pg));
	close(fds[0]);
	close(fds[1]);
}

static void
cut_when_answered(PGconn *pg)
{
	struct pollfd p = {.fd = PQsocket(pg), .events = POLLIN};

	while (PQflush(pg) == 1)
		(void)poll(NULL, 0, 1);
	(void)poll(&p, 1, ANSWER_MS);
	cut(pg);
}

/* What has been sent instead, or with which end; false: nothing, the connection is lost. */
static int
fail_statement(PGconn *pg, bool simple, int sent_by_real)
{
	struct known *k = known_of(pg);

	switch (fault) {
	case STATEMENT_UNSENT:
		cut(pg);
		return 0;
	case STATEMENT_UNHEARD:
		if (PQpipelineStatus(pg) == PQ_PIPELINE_OFF)
			cut_when_answered(pg);
		else
			k->deaf = true;
		return sent_by_real;
	case STATEMENT_WARNED:
		if (k->receiver != NULL)
			k->receiver(k->arg, NULL);
		return sent_by_real;
	case STATEMENT_REFUSED:
		break;
	}
	return simple ? REAL(PQsendQuery)(pg, DISK_FULL)
		      : REAL(PQsendQueryParams)(pg, DISK_FULL, 0, NULL, NULL, NULL, NULL, 1);
}

static bool
is_sent(void)
{
	return fault == STATEMENT_UNHEARD || fault == STATEMENT_WARNED;
}

EXPORTED int
PQsendQuery(PGconn *pg, const char *sql)
{
	if (!fail_place(FAIL_STATEMENT))
		return REAL(PQsendQuery)(pg, sql);
	return fail_statement(pg, true, is_sent() ? REAL(PQsendQuery)(pg, sql) : 0);
}

EXPORTED int
PQsendQueryParams(PGconn *pg, const char *sql, int n, const Oid *types, const char *const *values,
		  const int *lengths, const int *formats, int result_format)
{
	if (!fail_place(FAIL_STATEMENT))
		return REAL(PQsendQueryParams)(pg, sql, n, types, values, lengths, formats,
					       result_format);
	return fail_statement(pg, false,
			      is_sent() ? REAL(PQsendQueryParams)(pg, sql, n, types, values,
								  lengths, formats, result_format)
					: 0);
}

EXPORTED int
PQsendQueryPrepared(PGconn *pg, const char *name, int n, const char *const *values,
		    const int *lengths, const int *formats, int result_format)
{
	if (!fail_place(FAIL_STATEMENT))
		return REAL(PQsendQueryPrepared)(pg, name, n, values, lengths, formats,
						 result_format);
	return fail_statement(pg, false,
			      is_sent() ? REAL(PQsendQueryPrepared)(pg, name, n, values, lengths,
								    formats, result_format)
					: 0);
}

EXPORTED int
PQpipelineSync(PGconn *pg)
{
	int rc = REAL(PQpipelineSync)(pg);
	struct known *k = known_of(pg);

	if (k->deaf) {
		k->deaf = false;
		cut_when_answered(pg);
	}
	return rc;
}

EXPORTED PQnoticeReceiver
PQsetNoticeReceiver(PGconn *pg, PQnoticeReceiver receiver, void *arg)
{
	struct known *k = known_of(pg);

	k->receiver = receiver;
	k->arg = arg;
	return REAL(PQsetNoticeReceiver)(pg, receiver, arg);
}

EXPORTED void
PQfinish(PGconn *pg)
{
	if (pg != NULL)
		*known_of(pg) = (struct known){.pg = NULL};
	REAL(PQfinish)(pg);
}
