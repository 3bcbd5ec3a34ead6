/* Listening sockets: opened by the supervisor, or handed to it by systemd. */
#ifndef KONTOR_IDP_LISTENER_H
#define KONTOR_IDP_LISTENER_H

#include "idp/config.h"

struct listeners {
	int fds[CONFIG_LISTEN_MAX];
	size_t n;
	int metrics; /* -1: none */
};

/*
 * All that the configuration names.  A Unix socket's stale file is replaced.
 * ERR_INPUT: systemd handed over no socket of that name; ERR_UNAVAILABLE: the
 * address is taken or not ours.  What was opened before a failure is closed.
 */
MUST_USE bool listeners_open(struct arena *a, const struct config *config, struct listeners *out,
			     struct err *err);

void listeners_close(struct listeners *l);

#endif
