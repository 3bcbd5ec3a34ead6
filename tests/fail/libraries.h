/*
 * Libraries that end the process when they find no memory: what they take is left out.
 * saml/xml.c and idp/password.c see to it that there is some before.
 */
#ifndef KONTOR_TESTS_FAIL_LIBRARIES_H
#define KONTOR_TESTS_FAIL_LIBRARIES_H

/* libxml2, for what it keeps of a thread: on each that uses it, before its plan begins. */
void libraries_know_thread(void);

/* zxcvbn needs no call: it is linked by --wrap. */

#endif
