/* Libraries that cannot do without memory; see libraries.h. */
#include "tests/fail/libraries.h"

#include <zxcvbn.h>

#include "saml/xml.h"
#include "tests/fail/fail.h"

void
libraries_know_thread(void)
{
	struct arena *a = arena_create(1 << 16);
	struct xml_doc *doc;

	(void)!xml_parse(a, bytes_of("<a/>"), &xml_limits_message, &doc, NULL);
	arena_destroy(a);
}

double __real_ZxcvbnMatch(const char *password, const char *words[], ZxcMatch_t **info);
double __wrap_ZxcvbnMatch(const char *password, const char *words[], ZxcMatch_t **info);

double
__wrap_ZxcvbnMatch(const char *password, const char *words[], ZxcMatch_t **info)
{
	fail_spare(true);
	double bits = __real_ZxcvbnMatch(password, words, info);

	fail_spare(false);
	return bits;
}
