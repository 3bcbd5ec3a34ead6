/* Looking up embedded files; see embed.h. */
#include "base/embed.h"

#include <string.h>

const struct embed_file *
embed_find(const struct embed_file *rows, const char *name)
{
	for (const struct embed_file *f = rows; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}
