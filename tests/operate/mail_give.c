/*
 * Gives a relay one message as the program does, for test_mail.py: RELAY CA FROM TO < message.
 * Prints "taken", "denied", "unavailable", and why.
 */
#include <stdio.h>

#include "idp/fetch.h"

#define MESSAGE_MAX 65536

int
main(int argc, char **argv)
{
	static unsigned char message[MESSAGE_MAX];
	struct arena *a = arena_create(1 << 20);
	struct err err = {0};

	if (argc != 5 || a == NULL)
		return 2;
	const struct fetch_mail what = {
		.relay = argv[1],
		.ca_file = argv[2][0] == '\0' ? NULL : argv[2],
		.from = argv[3],
		.to = argv[4],
		.message = {message, fread(message, 1, sizeof(message), stdin)},
		.timeout_ms = 20000,
	};
	bool taken = fetch_mail(a, &what, &err);

	printf("%s %s\n", taken ? "taken" : err_kind_name(err.kind), err.text);
	arena_destroy(a);
	return 0;
}
