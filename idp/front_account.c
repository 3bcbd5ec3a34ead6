/* Login to one's own account; see front_account.h. */
#include "idp/front_account.h"

#include "idp/flow.h"

static bool
build(struct flow *f, struct response *rs, struct err *err)
{
	const char *to = "/account";

	if (f->ask.state != NULL && !json_get_str(f->ask.state, "to", &to, err))
		return false;
	response_redirect(rs, to);
	return true;
}

/* Nobody else learns anything: the session itself is all there is to keep. */
static bool
record(struct flow *f UNUSED, struct err *err UNUSED)
{
	return true;
}

static bool
refuse(struct flow *f UNUSED, enum flow_state why UNUSED, struct response *rs,
       struct err *err UNUSED)
{
	response_redirect(rs, "/");
	return true;
}

static const char *
word_for(struct arena *a UNUSED, const struct ask *ask UNUSED, enum level told)
{
	return level_word(told, LEVEL_VOCAB_SHORT);
}

static const char *
origins(struct arena *a UNUSED, const struct ask *ask UNUSED)
{
	return NULL;
}

const struct front front_account = {"account", false, build, record, refuse, word_for, origins};

bool
front_account_start(struct request *rq, enum level level, const char *first, struct response *rs,
		    struct err *err)
{
	struct ask ask = {.front = &front_account,
			  .levels = level_set_range(level, LEVEL_HIGH),
			  .max_age_s = -1};

	return flow_start_at(rq, &ask, first == NULL ? "/flow/" : "/register/", rs, err);
}

bool
front_account_start_for(struct request *rq, const char *path, struct response *rs, struct err *err)
{
	struct ask ask = {.front = &front_account,
			  .levels = level_set_range(LEVEL_NONE, LEVEL_HIGH),
			  .max_age_s = -1,
			  .state = json_new_object(rq->a)};

	json_put_str(rq->a, ask.state, "to", path);
	return flow_start(rq, &ask, true, rs, err);
}
