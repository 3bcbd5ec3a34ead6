/*
 * Statements that fail to order: functions of libpq that send, with others of our own in
 * their place.  A statement is what is sent at once: BEGIN, one of an aggregate, COMMIT.
 */
#ifndef KONTOR_TESTS_FAIL_STATEMENT_H
#define KONTOR_TESTS_FAIL_STATEMENT_H

enum statement_fault {
	STATEMENT_UNSENT,  /* the connection is lost before */
	STATEMENT_UNHEARD, /* it is lost when the server has done it and answers */
	STATEMENT_REFUSED, /* the server says that its disk is full */
	STATEMENT_WARNED,  /* the server does it and warns, as when no standby confirms */
};

void statement_set_fault(enum statement_fault fault);

#endif
