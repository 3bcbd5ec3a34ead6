/*
 * Ways to prove who one is, in one table: what each reaches, in which step of a
 * login it counts, and what the protocols call it.  A new way is a file
 * (login_x.c) with its page and its judge, and a row here.
 */
#ifndef KONTOR_IDP_LOGIN_H
#define KONTOR_IDP_LOGIN_H

#include "idp/flow.h"
#include "idp/form.h"

struct login_method {
	const char *name;      /* stored with each proof: "password" */
	const char *amr;       /* RFC 8176 */
	const char *proved_by; /* AssertionProvedBy as BundID's portals know it */
	enum db_credential_kind kind;
	enum level level;      /* of a session that holds its proof */
	enum flow_event event; /* the step it answers */
};

extern const struct login_method login_methods[]; /* ends with a NULL name */

const struct login_method *login_method_find(const char *name);
const struct login_method *login_method_of_kind(enum db_credential_kind kind);

/* The highest level any of them reaches. */
enum level login_reachable(void);

/*
 * RFC 8176 names of the means that a login in its session rests on, each once, "mfa" added for more
 * than one; *n of them.
 */
const char **login_amr(struct flow *f, size_t *n);

/* Page of the first step; `form` with what was sent before, or NULL; `problem` a text key or NULL.
 */
MUST_USE bool login_show_first(struct flow *f, struct form *form, const char *problem,
			       struct response *rs, struct err *err);

/*
 * Whom a portal expects, as the login page will show it and a flow keeps it:
 * sealed, since it names a person.  *out is NULL when text is, or is no login name.
 */
MUST_USE bool login_hint_seal(struct request *rq, const char *text, const char **out,
			      struct err *err);

/* How a person stands to the one-time-code app, the second means. */
enum login_totp {
	LOGIN_TOTP_OFFICE,  /* has none that may be used; only an office can add one */
	LOGIN_TOTP_MAY_ADD, /* has none, and may set one up alone */
	LOGIN_TOTP_THERE,
};

/* means: all of the account's; session: the level it is used at. */
MUST_USE bool login_totp_standing(struct request *rq, struct subject_id subject, enum level session,
				  const struct db_credential *means, size_t n, enum login_totp *out,
				  struct err *err);

/* Page of the second step: the code of a registered app, setting one up, or where to get one. */
MUST_USE bool login_show_step_up(struct flow *f, struct response *rs, struct err *err);

/* The forms' handlers (idp/route.c). */
bool login_password_handle(struct request *rq, struct response *rs, struct err *err);
bool login_totp_handle(struct request *rq, struct response *rs, struct err *err);
bool login_totp_enroll_handle(struct request *rq, struct response *rs, struct err *err);

/*
 * Register a one-time-code app with this seed (an office does so for a person;
 * on the way of a login see login_totp.c).
 */
MUST_USE bool login_totp_add(const struct account_work *w, struct subject_id subject,
			     struct bytes seed, struct err *err);

/*
 * A form of event `e` was sent: *out is its flow, to go on with; or NULL, when rs is the answer
 * already: the flow is gone, is in another state, or the person pressed the button to leave it.
 */
MUST_USE bool login_take_form(struct request *rq, enum flow_event e, struct flow **out,
			      struct response *rs, struct err *err);

/*
 * Whether this browser proved the same means before (idp/login_known.c).  Zero
 * value: no.
 */
struct login_known {
	bool known;
	const char *device; /* the browser: random, made now when it has no cookie of ours */
	const char *mark;   /* keyed hash of the browser and the means */
};

/*
 * means: n rows, of which those of `kind` that are not blocked count; none: there is
 * no such account, and nothing is known.
 */
MUST_USE bool login_known_read(struct request *rq, enum db_credential_kind kind,
			       const struct db_credential *means, size_t n, struct login_known *out,
			       struct err *err);

/* The means was proved: the browser keeps its mark. */
void login_known_keep(struct request *rq, const struct login_known *known, struct response *rs);

/*
 * Attempts are counted before a password or code is compared: per source address,
 * and per account (or per name that is no account); those of a browser that is
 * known count for it instead of for the account.  Nothing ever locks an account
 * for good.  Zero value: refused.
 */
struct login_attempt {
	bool allowed;
	struct db_budget_pair *reserved; /* for login_attempt_good */
};
/* Where a request comes from, as a key of attempts: a keyed hash of the address or its /64. */
MUST_USE bool login_source(struct request *rq, struct bytes *out, struct err *err);

/* known NULL: browsers are not told apart. */
MUST_USE bool login_attempt_reserve(struct request *rq, const char *method, struct bytes account,
				    const struct login_known *known, struct login_attempt *out,
				    struct err *err);

/* It was the right person: the attempt does not count. */
MUST_USE bool login_attempt_good(struct request *rq, const struct login_attempt *attempt,
				 struct err *err);

/* What came of a name and a password.  Zero value: refused. */
struct login_checked {
	bool right;
	bool slow; /* not looked at: too many attempts */
	struct subject_id subject;
	enum level level;
	struct login_known known; /* for login_known_keep, where there is a browser */
};

/*
 * Judge a name and a password (1..KDF_PASSWORD_MAX octets), with all that it takes: the attempt
 * counted, a refusal in the audit log, the password stored anew at today's cost.  Unknown names
 * take as long.  Needs a worker of LANE_PASSWORD.
 */
MUST_USE bool login_password_check(struct request *rq, const char *login_name, const char *password,
				   struct login_checked *out, struct err *err);

/* A refusal in the audit log: method and a static reason. */
MUST_USE bool login_refused(struct request *rq, const struct subject_id *subject,
			    const char *method, const char *why, struct err *err);

#endif
