/* conf_parse with a row of each type. */
#include "base/conf.h"

struct target {
	const char *text, *choice_text, *file;
	bool flag;
	int64_t count, duration_ms, size_bytes;
	int choice;
};

static const struct conf_row rows[] = {
	{"text", CONF_TEXT, offsetof(struct target, text), "", NULL, 0, 0, CONF_RELOAD, ""},
	{"flag", CONF_BOOL, offsetof(struct target, flag), "no", NULL, 0, 0, CONF_RELOAD, ""},
	{"count", CONF_COUNT, offsetof(struct target, count), "1", NULL, 1, 9, CONF_RELOAD, ""},
	{"wait", CONF_DURATION, offsetof(struct target, duration_ms), "1 s", NULL, 0, 0,
	 CONF_RELOAD, ""},
	{"size", CONF_SIZE, offsetof(struct target, size_bytes), "1 KiB", NULL, 0, 0, CONF_RELOAD,
	 ""},
	{"word", CONF_CHOICE, offsetof(struct target, choice), "one", "one|two", 0, 0, CONF_RESTART,
	 ""},
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(4 << 20);
	struct target target = {0};

	if (a == NULL)
		return 0;
	if (size <= 64 << 10)
		(void)!conf_parse(a, "fuzz.conf", (struct bytes){data, size}, rows, ARRAY_LEN(rows),
				  &target, NULL);
	arena_destroy(a);
	return 0;
}
