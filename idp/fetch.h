/*
 * The only user of libcurl: fetch a document an operator names, tell other servers what they
 * have to hear, and give mail to the relay.
 */
#ifndef KONTOR_IDP_FETCH_H
#define KONTOR_IDP_FETCH_H

#include "idp/net.h"

/*
 * GET an https URL: at most max_bytes, 30 s in all, three redirects, each again
 * https.  ca_file: PEM of further authorities to trust; NULL: the system's.
 * ERR_UNAVAILABLE: the network; ERR_INPUT: not https, another status than 200,
 * too much.
 */
MUST_USE bool fetch_url(struct arena *a, const char *url, const char *ca_file, size_t max_bytes,
			struct bytes *out, struct err *err);

/*
 * The same by http, from this machine itself: the address that is connected to is a
 * loopback one, whatever the name says, and no redirect is followed.  ERR_DENIED: it is another.
 */
MUST_USE bool fetch_local_url(struct arena *a, const char *url, size_t max_bytes, struct bytes *out,
			      struct err *err);

/* One request to a server that metadata names. */
struct fetch_post {
	const char *url;     /* https, without a user's name in it */
	const char *ca_file; /* as above */
	const char *type;    /* Content-Type */
	const char *action;  /* SOAPAction; NULL: none */
	const char *bearer;  /* token of Authorization (RFC 6750 2.1); NULL: none */
	struct bytes body;
	size_t max_bytes;   /* of the answer's body */
	int64_t timeout_ms; /* for all of it */
	const struct net_list
		*inside; /* networks that are not public and may be sent to; NULL: none */
};

struct fetch_answer {
	long status;
	struct bytes body;
};

/*
 * Send it and read the answer, whatever its status.  No redirect is followed, no proxy used,
 * no cookie kept; the certificate must be good for the host's name.  An address that is
 * not public (loopback, private, link-local, reserved ones and those that hide one) is not
 * connected to unless it is in `inside`; what is judged is the address that is connected
 * to, so a name that resolves anew gains nothing.  ERR_DENIED: such an address;
 * ERR_INPUT: not a URL for this, too long an answer; ERR_UNAVAILABLE: the network, TLS, time.
 * Blocks; any thread.
 */
MUST_USE bool fetch_post(struct arena *a, const struct fetch_post *what, struct fetch_answer *out,
			 struct err *err);

/* One message to one person, by the relay of whoever runs this. */
struct fetch_mail {
	const char *relay;     /* smtp://HOST[:PORT] or smtps://, as an operator named it */
	const char *ca_file;   /* as above */
	const char *from, *to; /* plain addresses */
	struct bytes message;  /* headers and body, lines ended by CRLF */
	int64_t timeout_ms;    /* for all of it */
};

/*
 * Is the relay this machine itself, by its number?  A name may lead elsewhere tomorrow, whatever it
 * looks like.
 */
bool fetch_relay_is_here(const char *relay);

/*
 * Give it to the relay: by TLS with a certificate that is good for its name, unless it is this
 * machine itself.  ERR_DENIED: it said no for good; ERR_UNAVAILABLE: the network, TLS, time, or
 * not now.  Blocks; any thread.
 */
MUST_USE bool fetch_mail(struct arena *a, const struct fetch_mail *what, struct err *err);

/* What a server was told of a document, to be asked only for another one. */
struct fetch_known {
	const char *etag, *last_modified; /* as they were sent; NULL: nothing */
};

struct fetch_get {
	const char *url;     /* as in fetch_post */
	const char *ca_file; /* as above */
	const char *accept;  /* Accept */
	struct fetch_known known;
	size_t max_bytes;
	int64_t timeout_ms;
	const struct net_list *inside; /* as in fetch_post */
};

struct fetch_got {
	bool same;                /* it is the document that is known; no body */
	struct fetch_known known; /* of this one, for the next time */
	int64_t fresh_s;          /* Cache-Control max-age (RFC 9111 5.2.2); -1: not said */
	struct bytes body;
};

/*
 * Read a document that is looked at again and again (RFC 9110 13.1), guarded as fetch_post
 * is.  ERR_INPUT also: another status than 200, and 304 where something was known.
 */
MUST_USE bool fetch_get(struct arena *a, const struct fetch_get *what, struct fetch_got *out,
			struct err *err);

/*
 * The same of a document that may be large: its octets are handed on as they come, 64 KiB at most
 * at once, and none is kept (out->body stays empty).  What `take` refuses ends it with its error.
 * It may leave by an arena's exit.
 */
struct fetch_stream {
	struct fetch_get get; /* max_bytes: in all */
	bool (*take)(void *ctx, struct bytes piece, struct err *err);
	void *ctx;
};
MUST_USE bool fetch_stream(struct arena *a, const struct fetch_stream *what, struct fetch_got *out,
			   struct err *err);

/* The address is public: nothing of a machine, its network or its provider. */
bool fetch_is_public(const struct net_addr *addr);

#endif
