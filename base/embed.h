/* Files that the build put into the binary (tools/embed.py): templates, texts, migrations, assets.
 */
#ifndef KONTOR_BASE_EMBED_H
#define KONTOR_BASE_EMBED_H

#include "base/base.h"

struct embed_file {
	const char *name;   /* path below the embedded folder: "templates/login.html" */
	struct bytes data;  /* followed by a NUL that n does not count */
	const char *sha256; /* hex digest, for ETags and migration checksums */
};

/* rows ends with a NULL name and is sorted by name.  NULL when there is no such file. */
const struct embed_file *embed_find(const struct embed_file *rows, const char *name);

#endif
