/* The flow's own page, its restart, and the way back to it. */
#include "idp/ep_flow.h"

#include "idp/flow.h"
#include "idp/party_member.h"

bool
ep_flow_show(struct request *rq, struct response *rs, struct err *err)
{
	struct flow *f;

	if (!flow_load(rq, rs, &f, err))
		return false;
	return f == NULL || flow_show(f, rs, err);
}

bool
ep_flow_again(struct request *rq, struct response *rs, struct err *err)
{
	const char *party = request_query(rq, "party");
	const struct party *p = NULL;
	struct err why = {0};

	if (party != NULL) {
		p = party_find(&rq->snap->parties, party);
		/* second line: of nobody there is no flow */
		if (p == NULL && !party_find_member(rq, party, &p, &why))
			p = NULL;
	}
	return flow_come_again(rq, p, request_query(rq, "request"), rs, err);
}

bool
ep_flow_restart(struct request *rq, struct response *rs, struct err *err)
{
	struct flow *f;

	if (!flow_load(rq, rs, &f, err))
		return false;
	if (f == NULL || !flow_take_event(f, FLOW_EVENT_RESTART, rs))
		return true;
	return flow_restart(f, rs, err);
}
