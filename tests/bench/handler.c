/* The smallest libmicrohttpd server: what HTTP itself costs here.  handler PORT LOOPS, until
 * killed. */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct MHD_Response *answer;

static enum MHD_Result
handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *data, size_t *n, void **state)
{
	static int begun;

	(void)ctx, (void)url, (void)method, (void)version, (void)data, (void)n;
	if (*state == NULL) { /* an answer to the head alone closes the connection */
		*state = &begun;
		return MHD_YES;
	}
	return MHD_queue_response(connection, 200, answer);
}

int
main(int argc, char **argv)
{
	static char body[700];

	memset(body, 'x', sizeof(body));
	answer = MHD_create_response_from_buffer(sizeof(body), body, MHD_RESPMEM_PERSISTENT);
	unsigned loops = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)loops, NULL},
					{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	struct MHD_Daemon *d = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD,
		(uint16_t)strtoul(argc > 1 ? argv[1] : "0", NULL, 10), NULL, NULL, handle, NULL,
		MHD_OPTION_ARRAY, loops > 1 ? pool : none, MHD_OPTION_END);

	if (d == NULL)
		return 1;
	pause();
	MHD_stop_daemon(d);
	return 0;
}
