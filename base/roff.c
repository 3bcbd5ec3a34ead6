/* Text for manual pages; see roff.h. */
#include "base/roff.h"

void
roff_text(struct buf *b, const char *s)
{
	bool line_start = true, bold = false;

	for (; *s != '\0'; s++) {
		if (line_start && (*s == '.' || *s == '\''))
			buf_str(b, "\\&");
		if (line_start && *s == '\n') {
			buf_str(b, ".PP\n");
			continue;
		}
		line_start = *s == '\n';
		if (*s == '`')
			buf_str(b, (bold = !bold) ? "\\fB" : "\\fP");
		else if (*s == '\\')
			buf_str(b, "\\e");
		else if (*s == '-')
			buf_str(b, "\\-");
		else
			buf_char(b, *s);
	}
	buf_char(b, '\n');
}
