/*
 * Mail to persons: only that something waits for them at our pages.  It holds no link that logs
 * in, no data of theirs, and nothing that a portal wrote; decision 0026.
 */
#ifndef KONTOR_IDP_MAIL_H
#define KONTOR_IDP_MAIL_H

#include "db/outbox.h"
#include "idp/outbox.h"
#include "idp/party.h"

/* Kind in the outbox: never rename. */
#define MAIL_KIND "mail"

/*
 * That a portal's request waits for this person until `expires`.  NULL: no mail is sent here.
 * Whether the person has an address, and which, is looked up when it is sent.
 */
const struct db_outbox_item *mail_of_request(struct request *rq, struct subject_id who,
					     const struct party *p, time_t expires);

struct outbox_outcome mail_send(const struct outbox_try *t, struct err *err);

#endif
