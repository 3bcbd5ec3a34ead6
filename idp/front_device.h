/* A device as a front: what it asks for, and the page at the end instead of an answer to it. */
#ifndef KONTOR_IDP_FRONT_DEVICE_H
#define KONTOR_IDP_FRONT_DEVICE_H

#include "db/device.h"
#include "idp/front.h"

extern const struct front front_device;

/* What the device of this row asks of the person whose word it is. */
MUST_USE bool front_device_ask(struct request *rq, const struct party *p,
			       const struct db_device *device, struct bytes user, struct ask *out,
			       struct err *err);

/* The page at the end. */
MUST_USE bool front_device_end(struct request *rq, const struct party *p, bool agreed,
			       struct response *rs, struct err *err);

#endif
