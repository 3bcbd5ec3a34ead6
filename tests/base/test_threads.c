/*
 * What base/ keeps between calls is not seen by other threads: all of them work
 * at once and must say what one alone says.  Meant for ./dev test --threads.
 */
#include "tests/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rand.h"

#define THREADS 4
#define ROUNDS  test_size(200, 5000)
#define NOTED   64 /* tokens of each thread that are compared */

struct worker {
	pthread_t id;
	char tokens[NOTED][44];
	const char *wrong; /* the first thing that was not as alone; NULL: none */
};

static pthread_barrier_t start;

/* One round in an arena of the thread's own; a text for what was wrong. */
static const char *
work(struct arena *a, char token[44])
{
	static const char named[] = "{\"name\":\"value\",\"n\":[\"1\",\"2\"]}";
	unsigned char sum[SHA256_BYTES];
	struct bytes back;
	struct err err = {0};
	json_t *o;
	time_t t;

	snprintf(token, 44, "%s", rand_token(a, 32));
	hash_sha256(bytes_of("abc"), sum);
	if (memcmp(sum, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8) != 0)
		return "hash";
	if (!dec_base64url(a, bytes_of(token), &back, &err) || back.n != 32)
		return "token";
	if (strcmp(clock_text(a, 1800000000), "2027-01-15T08:00:00Z") != 0 ||
	    !clock_parse("2027-01-15T08:00:00Z", &t, &err) || t != 1800000000)
		return "clock";
	if (!json_parse_object(a, bytes_of(named), 1024, &o, &err) ||
	    strcmp(json_text(a, o, true), "{\"n\":[\"1\",\"2\"],\"name\":\"value\"}") != 0)
		return "json";
	if (json_parse_object(a, bytes_of("{"), 1024, &o, &err) || err.kind != ERR_INPUT)
		return "err";
	log_event(LOG_LVL_INFO, "worked", "token", token, NULL);
	log_err(LOG_LVL_WARN, "failed", &err, "token", token, NULL);
	return NULL;
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct arena *a = arena_create(1 << 20);

	pthread_barrier_wait(&start);
	for (size_t i = 0; i < ROUNDS && w->wrong == NULL; i++) {
		w->wrong = work(a, w->tokens[i % NOTED]);
		arena_reset(a);
	}
	arena_destroy(a);
	return NULL;
}

static void
all_of_them_say_what_one_alone_says(void **state UNUSED)
{
	struct worker w[THREADS] = {{.wrong = NULL}};
	int null = open("/dev/null", O_WRONLY);

	log_open(null, LOG_LVL_INFO, "test");
	pthread_barrier_init(&start, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&w[i].id, NULL, worker_main, &w[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(w[i].id, NULL);
		if (w[i].wrong != NULL)
			fail_msg("thread %zu: %s", i, w[i].wrong);
	}
	for (size_t i = 1; i < THREADS; i++)
		for (size_t k = 0; k < NOTED; k++)
			for (size_t j = 0; j < NOTED; j++)
				assert_string_not_equal(w[i].tokens[k], w[0].tokens[j]);
	pthread_barrier_destroy(&start);
	log_open(2, LOG_LVL_INFO, "test");
	close(null);
}

static void *
log_main(void *arg)
{
	for (size_t i = 0; i < ROUNDS; i++)
		log_event(LOG_LVL_INFO, "line", "of", arg, NULL);
	return NULL;
}

static void
lines_of_the_log_stay_whole(void **state UNUSED)
{
	char text[512];
	FILE *f = tmpfile();
	pthread_t threads[THREADS];
	size_t n = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_open(fileno(f), LOG_LVL_INFO, "test");
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_main, text), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	log_open(2, LOG_LVL_INFO, "test");
	rewind(f);
	for (char line[2048]; fgets(line, sizeof(line), f) != NULL; n++) {
		size_t length = strlen(line);

		assert_int_equal(line[0], '{');
		assert_string_equal(line + length - 5, "xx\"}\n");
		assert_int_equal(strspn(strstr(line, "xx"), "x"), sizeof(text) - 1);
	}
	assert_int_equal(n, THREADS * ROUNDS);
	fclose(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_them_say_what_one_alone_says),
		cmocka_unit_test(lines_of_the_log_stay_whole),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
