/* A target with the faults that replay.c must notice, one for each first letter. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char *volatile block;
	enum { GREEDY_BYTES = 300 << 20 };

	switch (size > 0 ? data[0] : 0) {
	case 'c': /* crash */
		abort();
	case 'e': /* exit */
		exit(1);
	case 'g': /* greedy */
		block = malloc(GREEDY_BYTES);
		if (block != NULL)
			memset(block, 1, GREEDY_BYTES);
		free(block);
		break;
	case 's': /* slow: replay.c ends it */
		for (;;)
			block = NULL;
	default:
		break;
	}
	return 0;
}
