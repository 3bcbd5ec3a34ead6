/*
 * A raw request from text: "GET /x HTTP/1.1" and "Name: value" lines separated
 * by LF.  Shared by the tests of the HTTP side and its fuzz target.
 */
#ifndef KONTOR_TESTS_IDP_RAW_H
#define KONTOR_TESTS_IDP_RAW_H

#include "idp/gate.h"

struct raw_text {
	struct raw_request raw;
	struct raw_header headers[GATE_HEADERS_MAX + 2];
};

/* Points into line and headers, which must outlive it.  More headers than fit are left out. */
void raw_text_init(struct raw_text *t, const char *line, const char *headers);

#endif
