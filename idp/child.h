/* The HTTP process: everything of the program that strangers talk to. */
#ifndef KONTOR_IDP_CHILD_H
#define KONTOR_IDP_CHILD_H

#include "idp/cli.h"

/* Serve what the supervisor hands over on `control` (idp/control.h) until told to stop. */
enum cli_exit child_run(int control);

#endif
