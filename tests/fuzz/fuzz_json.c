/* json_parse_object and the getters on whatever it accepts. */
#include "base/json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(4 << 20);
	struct err err = {0};
	const char *text = NULL, **list;
	const json_t *part = NULL;
	bool flag = false;
	int64_t number = 0;
	size_t n;
	json_t *object;

	if (a == NULL)
		return 0;
	if (json_parse_object(a, (struct bytes){data, size}, 64 << 10, &object, &err)) {
		if (json_get_str(object, "a", &text, NULL) &&
		    json_get_bool(object, "a", &flag, NULL) &&
		    json_get_i64(object, "a", &number, NULL) &&
		    json_get_array(object, "a", &part, NULL) &&
		    json_get_object(object, "a", &part, NULL) &&
		    json_get_strs(a, object, "a", 8, &list, &n, NULL))
			(void)json_text(a, object, true);
		(void)json_text(a, object, false);
	}
	arena_destroy(a);
	return 0;
}
