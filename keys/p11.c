/* A module, its token and sessions; see p11.h. */
#include "keys/p11.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define SLOTS_MAX        64
#define BACKOFF_FIRST_US 100000
#define BACKOFF_MOST_US  2000000
#define RESTART_WAIT_US  1000000
#define DOUBT_EVERY_US   5000000
#define LABEL_BYTES      32 /* CK_TOKEN_INFO: padded with blanks */

struct p11 {
	const char *module, *token;
	char *pin;
	pthread_rwlock_t use; /* shared: inside the module; alone: loading it or starting it anew */
	pthread_mutex_t connect; /* over what follows; one thread at a time looks for the token */
	void *so;
	CK_FUNCTION_LIST *f;
	bool initialized, found, suspect, pin_refused;
	CK_SLOT_ID slot;
	unsigned failures;
	int64_t retry_at_us, restarted_us;
	pthread_mutex_t note; /* over trouble and epoch */
	uint64_t epoch;
	char trouble[P11_TROUBLE_BYTES];
};

static const struct {
	CK_RV rv;
	const char *name;
} rv_names[] = {
	{CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
	{CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
	{CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
	{CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
	{CKR_CANT_LOCK, "CKR_CANT_LOCK"},
	{CKR_DATA_INVALID, "CKR_DATA_INVALID"},
	{CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
	{CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
	{CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
	{CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID"},
	{CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
	{CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
	{CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID"},
	{CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID"},
	{CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"},
	{CKR_PIN_LOCKED, "CKR_PIN_LOCKED"},
	{CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED"},
	{CKR_SESSION_COUNT, "CKR_SESSION_COUNT"},
	{CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID"},
	{CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT"},
	{CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
	{CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED"},
	{CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
	{CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
	{CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED"},
	{P11_NO_OBJECT, "the token does not have the key's object, or has it twice"},
};

const char *
p11_rv_name(CK_RV rv, char number[24])
{
	for (size_t i = 0; i < ARRAY_LEN(rv_names); i++)
		if (rv_names[i].rv == rv)
			return rv_names[i].name;
	snprintf(number, 24, "CKR 0x%lx", rv);
	return number;
}

static void
set_trouble(struct p11 *p, const char *text)
{
	pthread_mutex_lock(&p->note);
	snprintf(p->trouble, sizeof(p->trouble), "%.*s", (int)sizeof(p->trouble) - 1, text);
	pthread_mutex_unlock(&p->note);
}

void
p11_trouble(struct p11 *p, char out[P11_TROUBLE_BYTES])
{
	pthread_mutex_lock(&p->note);
	snprintf(out, P11_TROUBLE_BYTES, "%s", p->trouble);
	pthread_mutex_unlock(&p->note);
}

static uint64_t
epoch_now(struct p11 *p)
{
	pthread_mutex_lock(&p->note);
	uint64_t epoch = p->epoch;

	pthread_mutex_unlock(&p->note);
	return epoch;
}

/* Every session of before is none any more. */
static void
epoch_next(struct p11 *p)
{
	pthread_mutex_lock(&p->note);
	p->epoch++;
	pthread_mutex_unlock(&p->note);
}

/* Who starts the module anew must not wait for ever behind those who use it. */
static void
lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

struct p11 *
p11_create(struct arena *a, const struct p11_options *options)
{
	struct p11 *p = ARENA_NEW(a, struct p11);

	p->module = arena_strdup(a, options->module);
	p->token = arena_strdup(a, options->token);
	p->pin = arena_strdup(a, options->pin);
	p->epoch = 1;
	lock_init(&p->use);
	pthread_mutex_init(&p->connect, NULL);
	pthread_mutex_init(&p->note, NULL);
	return p;
}

void
p11_destroy(struct p11 *p)
{
	if (pthread_rwlock_trywrlock(&p->use) == 0) {
		if (p->initialized)
			p->f->C_Finalize(NULL);
		if (p->so != NULL)
			dlclose(p->so);
		pthread_rwlock_unlock(&p->use);
	}
	wipe(p->pin, strlen(p->pin));
}

/* ---- with `connect` held ---- */

static bool
rv_fail(struct err *err, const char *what, CK_RV rv)
{
	char number[24];

	return FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: %s: %s", what, p11_rv_name(rv, number));
}

/* With `use` held alone. */
static bool
module_load(struct p11 *p, struct err *err)
{
	CK_C_GetFunctionList list;

	if (p->so == NULL)
		p->so = dlopen(p->module, RTLD_NOW | RTLD_LOCAL);
	if (p->so == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: module cannot be loaded: %s",
			    dlerror());
	/* POSIX has it that a function's address goes into a void pointer and out again. */
	*(void **)&list = dlsym(p->so, "C_GetFunctionList");
	if (list == NULL || list(&p->f) != CKR_OK || p->f == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: %s is no PKCS#11 module", p->module);
	return true;
}

static bool
module_start(struct p11 *p, struct err *err)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_RV rv;

	if (!module_load(p, err))
		return false;
	if (p->initialized)
		p->f->C_Finalize(NULL);
	p->initialized = false;
	rv = p->f->C_Initialize(&args);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return rv_fail(err, "C_Initialize", rv);
	p->initialized = true;
	return true;
}

/* From nothing, also the module's own idea of what tokens there are. */
static bool
module_restart(struct p11 *p, struct err *err)
{
	struct timespec until = clock_mono_timespec(clock_mono_us() + RESTART_WAIT_US);

	/* Whoever is inside must come out first, and may never do so. */
	if (pthread_rwlock_clockwrlock(&p->use, CLOCK_MONOTONIC, &until) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: a call into the module hangs");
	bool ok = module_start(p, err);

	p->found = false;
	p->restarted_us = clock_mono_us();
	epoch_next(p);
	pthread_rwlock_unlock(&p->use);
	return ok;
}

static bool
label_is(const CK_TOKEN_INFO *info, const char *token)
{
	char padded[LABEL_BYTES + 1];

	snprintf(padded, sizeof(padded), "%-32s", token);
	return strlen(token) <= LABEL_BYTES &&
	       bytes_eq((struct bytes){info->label, LABEL_BYTES},
			(struct bytes){(const unsigned char *)padded, LABEL_BYTES});
}

/* Inside the module: the one slot with our token. */
static bool
token_look(struct p11 *p, struct err *err)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	CK_TOKEN_INFO info;
	size_t found = 0;
	CK_RV rv = p->f->C_GetSlotList(CK_TRUE, slots, &n);

	if (rv != CKR_OK)
		return rv_fail(err, "C_GetSlotList", rv);
	for (CK_ULONG i = 0; i < n; i++) {
		if (p->f->C_GetTokenInfo(slots[i], &info) != CKR_OK || !label_is(&info, p->token))
			continue;
		p->slot = slots[i];
		found++;
	}
	if (found != 1)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: %s token is called '%s'",
			    found == 0 ? "no" : "more than one", p->token);
	return true;
}

static bool
token_find(struct p11 *p, struct err *err)
{
	pthread_rwlock_rdlock(&p->use);
	p->found = token_look(p, err);
	pthread_rwlock_unlock(&p->use);
	return p->found;
}

/* A PIN that is refused is not tried again: tokens count, and lock. */
static bool
log_in(struct p11 *p, CK_SESSION_HANDLE session, struct err *err)
{
	CK_RV rv = p->f->C_Login(session, CKU_USER, (unsigned char *)p->pin, strlen(p->pin));

	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return true;
	p->pin_refused = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_INVALID ||
			 rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_EXPIRED;
	return rv_fail(err, "C_Login", rv);
}

static bool
session_open(struct p11 *p, struct p11_session *s, struct err *err)
{
	CK_SESSION_HANDLE handle;
	CK_RV rv;

	pthread_rwlock_rdlock(&p->use);
	rv = p->f->C_OpenSession(p->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &handle);
	bool ok = rv == CKR_OK || rv_fail(err, "C_OpenSession", rv);

	if (ok && !log_in(p, handle, err)) {
		p->f->C_CloseSession(handle);
		ok = false;
	}
	pthread_rwlock_unlock(&p->use);
	if (!ok)
		return false;
	*s = (struct p11_session){.handle = handle, .open = true, .epoch = epoch_now(p)};
	return true;
}

/* What is known first; if that does not lead to a session, everything anew, once. */
static bool
session_make(struct p11 *p, struct p11_session *s, struct err *err)
{
	bool anew = !p->initialized || p->suspect;

	p->suspect = false;
	if (anew && !module_restart(p, err))
		return false;
	if ((p->found || token_find(p, err)) && session_open(p, s, err))
		return true;
	if (anew || p->pin_refused)
		return false;
	err_clear(err);
	return module_restart(p, err) && token_find(p, err) && session_open(p, s, err);
}

static void
note_failure(struct p11 *p, const struct err *why)
{
	int64_t wait = BACKOFF_FIRST_US;

	for (unsigned i = 0; i < p->failures && wait < BACKOFF_MOST_US; i++)
		wait *= 2;
	p->failures++;
	p->retry_at_us = p->pin_refused ? INT64_MAX : clock_mono_us() + wait;
	p->suspect = true;
	set_trouble(p, why->text);
}

/* ---- */

static bool
session_ready(struct p11 *p, struct p11_session *s, struct err *err)
{
	struct err why = {0};

	if (s->open && s->epoch == epoch_now(p))
		return true;
	s->open = false;
	pthread_mutex_lock(&p->connect);
	bool wait = clock_mono_us() < p->retry_at_us;
	bool ok = !wait && session_make(p, s, &why);

	if (ok)
		p->failures = 0;
	else if (!wait)
		note_failure(p, &why);
	pthread_mutex_unlock(&p->connect);
	if (ok)
		return true;
	if (wait) {
		char text[P11_TROUBLE_BYTES];

		p11_trouble(p, text);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s", text);
	}
	return FAIL(err, why.kind, NULL, "%s", why.text);
}

/* What a session, a login or a token that is no longer there may be called. */
static bool
may_be_lost(CK_RV rv)
{
	static const CK_RV lost[] = {
		CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,    CKR_DEVICE_REMOVED,
		CKR_DEVICE_ERROR,           CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED,
		CKR_USER_NOT_LOGGED_IN,     CKR_SLOT_ID_INVALID,   CKR_CRYPTOKI_NOT_INITIALIZED,
		CKR_OBJECT_HANDLE_INVALID,  CKR_GENERAL_ERROR,     CKR_KEY_HANDLE_INVALID,
		CKR_FUNCTION_FAILED,        CKR_OPERATION_ACTIVE,  CKR_DEVICE_MEMORY,
	};

	for (size_t i = 0; i < ARRAY_LEN(lost); i++)
		if (lost[i] == rv)
			return true;
	return false;
}

static CK_RV
work_run(struct p11 *p, struct p11_session *s, const struct p11_work *work)
{
	pthread_rwlock_rdlock(&p->use);
	/* Started anew since session_ready looked: this handle may be somebody else's by now. */
	CK_RV rv = s->epoch == epoch_now(p) ? work->run(p->f, s, work->arg)
					    : CKR_SESSION_HANDLE_INVALID;

	pthread_rwlock_unlock(&p->use);
	return rv;
}

static void
session_drop(struct p11 *p, struct p11_session *s)
{
	pthread_rwlock_rdlock(&p->use);
	if (s->open && s->epoch == epoch_now(p))
		p->f->C_CloseSession(s->handle);
	pthread_rwlock_unlock(&p->use);
	s->open = false;
}

static void
be_suspicious(struct p11 *p, const struct err *why)
{
	pthread_mutex_lock(&p->connect);
	note_failure(p, why);
	pthread_mutex_unlock(&p->connect);
}

/*
 * An object that is not there: it was removed, or the module looks at a token that
 * is gone.  Now and then the module is started anew to tell; other keys go on.
 */
static void
be_doubtful(struct p11 *p, struct p11_session *s)
{
	pthread_mutex_lock(&p->connect);
	bool doubt = clock_mono_us() - p->restarted_us > DOUBT_EVERY_US;

	p->suspect |= doubt;
	pthread_mutex_unlock(&p->connect);
	if (doubt)
		session_drop(p, s);
}

bool
p11_do(struct p11 *p, struct p11_session *s, const struct p11_work *work, struct err *err)
{
	CK_RV rv = CKR_OK;
	char number[24];
	struct err why = {0};

	for (int attempt = 0; attempt < 2; attempt++) {
		if (!session_ready(p, s, err))
			return false;
		rv = work_run(p, s, work);
		if (rv == CKR_OK) {
			set_trouble(p, "");
			return true;
		}
		if (rv == CKR_DATA_INVALID)
			return FAIL(err, ERR_INPUT, NULL, "wrapped key does not open");
		if (rv == P11_NO_OBJECT) {
			be_doubtful(p, s);
			return FAIL(err, ERR_NOT_FOUND, NULL, "HSM: %s: %s", work->what,
				    p11_rv_name(rv, number));
		}
		session_drop(p, s);
		if (!may_be_lost(rv))
			break;
	}
	(void)rv_fail(&why, work->what, rv);
	if (may_be_lost(rv))
		be_suspicious(p, &why);
	else
		set_trouble(p, why.text);
	return FAIL(err, why.kind, NULL, "%s", why.text);
}
