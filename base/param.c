/* Looking up parameters; see param.h. */
#include "base/param.h"

#include <string.h>

size_t
params_find(const struct params *ps, const char *name, const char **value)
{
	size_t count = 0;

	*value = NULL;
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->p[i].name, name) == 0 && count++ == 0)
			*value = ps->p[i].value;
	return count;
}
