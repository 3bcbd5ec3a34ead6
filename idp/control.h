/*
 * The supervisor's line to the HTTP process: small numbered messages, each with
 * at most one descriptor (SCM_RIGHTS), over a SOCK_SEQPACKET pair.  This is how
 * configuration, listeners, TLS files and each new signer's socket get there.
 */
#ifndef KONTOR_IDP_CONTROL_H
#define KONTOR_IDP_CONTROL_H

#include "base/arena.h"
#include "base/err.h"

enum control_type {
	CONTROL_END = 0, /* the other side is gone */

	/* supervisor -> HTTP process, up to CONTROL_START; CONTROL_SIGNER and _HSM also later */
	CONTROL_CONFIG = 1,      /* memory file: text of the configuration */
	CONTROL_CERTIFICATE = 2, /* memory file: PEM */
	CONTROL_KEY = 3,         /* memory file: PEM */
	CONTROL_LISTEN = 4,      /* listening socket, public */
	CONTROL_METRICS = 5,     /* listening socket, internal */
	CONTROL_SIGNER = 6, /* socket of a signer that has its secrets; again after its death */
	CONTROL_START = 7,  /* arg: milliseconds to wait for keys and parties before listening */
	CONTROL_PING = 8,
	CONTROL_STOP = 9, /* arg: enum control_stop */
	CONTROL_HSM = 10, /* socket of an HSM process that has its secrets; as CONTROL_SIGNER */

	/* HTTP process -> supervisor */
	CONTROL_READY = 20, /* listening */
	CONTROL_PONG = 21,
};

enum control_stop {
	CONTROL_STOP_NODE = 0,     /* the node goes: tell the balancer first */
	CONTROL_STOP_HANDOVER = 1, /* another process has taken over already */
};

struct control_message {
	enum control_type type;
	uint32_t arg;
	int fd; /* -1: none; the receiver's to close */
};

MUST_USE bool control_pair(int fds[2], struct err *err);

/* passed_fd -1: none; it stays open here.  ERR_UNAVAILABLE: the other side is gone. */
MUST_USE bool control_send(int fd, enum control_type type, uint32_t arg, int passed_fd,
			   struct err *err);

/* Waits.  The end of the other side is a message of type CONTROL_END. */
MUST_USE bool control_receive(int fd, struct control_message *out, struct err *err);

/* A sealed file in memory that holds `text`; *fd is the caller's. */
MUST_USE bool control_memory(const char *name, struct bytes text, int *fd, struct err *err);

/* What such a file holds.  fd stays open. */
MUST_USE bool control_memory_read(struct arena *a, int fd, size_t max_bytes, struct bytes *out,
				  struct err *err);

#endif
