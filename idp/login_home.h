/* Choosing another provider's account to come with; see idp/home.h. */
#ifndef KONTOR_IDP_LOGIN_HOME_H
#define KONTOR_IDP_LOGIN_HOME_H

#include "idp/flow.h"

/* The page; `problem` a text key or NULL. */
MUST_USE bool login_home_show(struct flow *f, const char *problem, struct response *rs,
			      struct err *err);

/* Its handlers (idp/route.c). */
bool login_home_page(struct request *rq, struct response *rs, struct err *err);
bool login_home_handle(struct request *rq, struct response *rs, struct err *err);

#endif
