/*
 * `kontor serve`: a small process that reads nothing from outside.  It holds
 * the configuration, the listeners and the master key file, and keeps a pair of
 * children alive: the signer and the HTTP process that uses it; and, where an HSM
 * is set up, beside them the process that uses that.
 *
 * A configuration read again (SIGHUP) means a second pair; when its HTTP process
 * listens, the first one is drained.  So nothing in the HTTP process ever changes
 * under a request, and a certificate is renewed without a lost connection.
 */
#ifndef KONTOR_IDP_SUPERVISOR_H
#define KONTOR_IDP_SUPERVISOR_H

#include "idp/cli.h"

#define SUPERVISOR_CHILD_FD 3 /* where a child finds its socket */

/* Run until told to stop.  Reports on stderr (the log) and to systemd. */
enum cli_exit supervisor_run(struct cli *cli);

#endif
