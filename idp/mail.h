/*
 * Mail to persons: only that something waits for them at our pages.  It holds no link that logs
 * in, no data of theirs, and nothing that a portal wrote; decision 0026.
 */
#ifndef KONTOR_IDP_MAIL_H
#define KONTOR_IDP_MAIL_H

#include "db/polled.h"
#include "idp/outbox.h"
#include "idp/party.h"

/* Kind in the outbox: never rename. */
#define MAIL_KIND "mail"

/*
 * That this request waits for the person it names.  NULL: no mail is sent here.  Whether it still
 * waits, and whether the person has an address, and which, is looked up when it is sent.
 */
const struct db_outbox_item *mail_of_request(struct request *rq, const struct db_polled *polled);

struct outbox_outcome mail_send(const struct outbox_try *t, struct err *err);

#endif
