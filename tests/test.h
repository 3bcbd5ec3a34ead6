/* What every test file starts with: cmocka in the order it demands, and two checks of ours. */
#ifndef KONTOR_TESTS_TEST_H
#define KONTOR_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"

/* How often, how many: `small` fits ./dev test, `full` is for ./dev test --full. */
static inline size_t
test_size(size_t small, size_t full)
{
	return getenv("KONTOR_TEST_FULL") == NULL ? small : full;
}

/* The call succeeds; else the failure's own text is shown. */
#define ASSERT_OK(call, err)                                    \
	do {                                                    \
		if (!(call))                                    \
			fail_msg("%s: %s", #call, (err)->text); \
	} while (0)

/* The call is refused with this kind, and the text for the log contains `part`. */
#define ASSERT_REFUSED(call, err, wanted, part)                                              \
	do {                                                                                 \
		err_clear(err);                                                              \
		if (call)                                                                    \
			fail_msg("%s was not refused", #call);                               \
		if ((err)->kind != (wanted) || strstr((err)->text, (part)) == NULL)          \
			fail_msg("%s: refused as %s: %s", #call, err_kind_name((err)->kind), \
				 (err)->text);                                               \
		err_clear(err);                                                              \
	} while (0)

#endif
