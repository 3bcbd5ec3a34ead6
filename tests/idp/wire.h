/* A client that puts octets on the wire and reads what comes; failures end the test. */
#ifndef KONTOR_TESTS_IDP_WIRE_H
#define KONTOR_TESTS_IDP_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#define WIRE_PATH_BYTES 108
#define ANSWER_BYTES    65536

/* The answer that hear and hear_all read last. */
extern char answer[ANSWER_BYTES];

/* A listening socket at a path of this process, which is written to p[WIRE_PATH_BYTES]. */
int listen_at(char *p, const char *name);

/* A connection that waits 20 seconds for each piece of an answer. */
int dial(const char *at);

/* Whether somebody listens there. */
bool is_heard(const char *at);

/* Send it whole. */
void put(int fd, const void *p, size_t n);
void say(int fd, const char *text);

/* Everything up to the other side's close; -1 as status: not one octet.  Closes fd. */
int hear_all(int fd);

/* One answer with a Content-Length, the connection stays. */
int hear(int fd);

#endif
