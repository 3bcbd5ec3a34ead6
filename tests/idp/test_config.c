/* The configuration: every mistake is named with its line, and the manual is current. */
#include "idp/config.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "tests/arena.h"

#define GOOD                                                                           \
	"instance = sn-1\nbase_url = https://konto.example\nlisten = 127.0.0.1:8443\n" \
	"database = host=/run\nmaster_key_file = /dev/null\n"

static bool
parse(const char *text, struct config *c, struct err *err)
{
	return config_parse(a, "k.conf", bytes_of(text), true, c, err);
}

static void
a_short_file_is_enough(void **state UNUSED)
{
	struct config c;
	struct err err = {0};

	ASSERT_OK(parse(GOOD, &c, &err), &err);
	assert_string_equal(c.host, "konto.example");
	assert_string_equal(c.entity_id, "https://konto.example/saml/metadata");
	assert_int_equal(c.n_listen, 1);
	assert_int_equal(c.listen[0].kind, LISTEN_TCP);
	assert_false(c.has_metrics);
	assert_int_equal(c.workers[LANE_PASSWORD], 0);
	assert_int_equal(c.password_memory_bytes, 19 * 1024 * 1024);
	assert_int_equal(c.stop_grace_ms, 20000);
	assert_null(c.tls_key);
}

static void
listeners_come_in_three_kinds(void **state UNUSED)
{
	struct config c;
	struct err err = {0};
	struct sockaddr_in6 in6;

	ASSERT_OK(parse("instance = a\nbase_url = https://k:8443\ndatabase = x\n"
			"master_key_file = /dev/null\n"
			"listen = [::1]:443 unix:/run/k.sock systemd:http\n"
			"listen_metrics = 127.0.0.1:9100\n",
			&c, &err),
		  &err);
	assert_string_equal(c.host, "k:8443");
	assert_int_equal(c.n_listen, 3);
	memcpy(&in6, &c.listen[0].addr, sizeof(in6));
	assert_int_equal(in6.sin6_family, AF_INET6);
	assert_int_equal(ntohs(in6.sin6_port), 443);
	assert_int_equal(c.listen[1].kind, LISTEN_UNIX);
	assert_int_equal(c.listen[2].kind, LISTEN_SYSTEMD);
	assert_string_equal(c.listen[2].text, "http");
	assert_true(c.has_metrics);
}

/* A good file with one line replaced or added. */
static const struct {
	const char *text, *part;
} mistakes[] = {
	{"instance = a b\n", "k.conf:1: instance: 1 to 64 letters"},
	{"base_url = http://k\n", "k.conf:1: base_url: must begin with https://"},
	{"base_url = https://k/\n", "k.conf:1: base_url: https://HOST"},
	{"base_url = https://K\n", "k.conf:1: base_url: https://HOST"},
	{"base_url = https://k:443\n", "k.conf:1: base_url: https://HOST"},
	{"base_url = https://k:\n", "k.conf:1: base_url: https://HOST"},
	{"base_url = https://\n", "k.conf:1: base_url: https://HOST"},
	{"base_url = https://u@k\n", "k.conf:1: base_url: https://HOST"},
	{"entity_id = no uri\n", "k.conf:1: entity_id: a URI"},
	{"entity_id = nouri\n", "k.conf:1: entity_id: a URI"},
	{"imprint_url = javascript:x\n", "k.conf:1: imprint_url: must begin with https://"},
	{"contact_email = nobody\n", "k.conf:1: contact_email: NAME@HOST"},
	{"contact_email = @host\n", "k.conf:1: contact_email: NAME@HOST"},
	{"contact_technical = nobody\n", "k.conf:1: contact_technical: NAME@HOST"},
	{"contact_support = a@\n", "k.conf:1: contact_support: NAME@HOST"},
	{"contact_administrative = x y@z\n", "k.conf:1: contact_administrative: NAME@HOST"},
	{"contact_security = \xc3\xa4@z\n", "k.conf:1: contact_security: NAME@HOST"},
	{"federation_name = federation\n", "k.conf:1: federation_name: a URI expected"},
	{"federation_name = urn:a b\n", "k.conf:1: federation_name: a URI expected"},
	{"federation_name = urn:<b\n", "k.conf:1: federation_name: a URI expected"},
	{"federation_valid = 12h\n",
	 "k.conf: federation_every: less than half of federation_valid"},
	{"federation_every = 1d\nfederation_valid = 2d\n", "k.conf:1: federation_every: less than"},
	{"mail_relay = smtp://relay:25\n", "k.conf:1: mail_relay: mail_relay and mail_from go"},
	{"mail_from = a@k\n", "k.conf:1: mail_from: mail_relay and mail_from go together"},
	{"mail_relay = relay:25\nmail_from = a@k\n", "k.conf:1: mail_relay: smtp://HOST:PORT or"},
	{"mail_relay = lmtp://r\nmail_from = a@k\n", "k.conf:1: mail_relay: smtp://HOST:PORT or"},
	{"mail_relay = smtp://\nmail_from = a@k\n", "k.conf:1: mail_relay: smtp://HOST:PORT or"},
	{"mail_relay = smtp://u:p@r\nmail_from = a@k\n", "k.conf:1: mail_relay: smtp://HOST"},
	{"mail_relay = smtps://r/helo\nmail_from = a@k\n", "k.conf:1: mail_relay: smtp://HOST"},
	{"mail_relay = smtp://r\nmail_from = konto\n", "k.conf:2: mail_from: NAME@HOST expected"},
	{"mail_relay = smtp://r\nmail_from = <a@k>\n", "k.conf:2: mail_from: NAME@HOST expected"},
	{"mail_relay = smtp://r\nmail_from = a@k,b@k\n", "k.conf:2: mail_from: NAME@HOST"},
	{"request_time = 2h\n", "k.conf:1: request_time: more than request_time_most"},
	{"request_time_most = 5min\n", "request_time: more than request_time_most"},
	{"requests_waiting = 0\n", "k.conf:1: requests_waiting: "},
	{"requests_hourly = 0\n", "k.conf:1: requests_hourly: "},
	{"organization_url = http://x/\n", "k.conf:1: organization_url: must begin with https://"},
	{"logo = https://x/logo.png\n", "k.conf:1: logo: WIDTHxHEIGHT"},
	{"logo = 80x60 http://x/logo.png\n", "k.conf:1: logo: WIDTHxHEIGHT"},
	{"logo = 80 https://x/logo.png\n", "k.conf:1: logo: WIDTHxHEIGHT"},
	{"logo = 0x60 https://x/logo.png\n", "k.conf:1: logo: WIDTHxHEIGHT"},
	{"logo = 80x0 https://x/logo.png\n", "k.conf:1: logo: WIDTHxHEIGHT"},
	{"logo = 80x60 https://x/logo.png y\n", "k.conf:1: logo: WIDTHxHEIGHT"},
	{"logo = 80x60 https://x/\xc3\xa4\n", "k.conf:1: logo: WIDTHxHEIGHT"},
	{"assurance = basic\n", "k.conf:1: assurance: low, substantial or high"},
	{"assurance = low loa3\n", "k.conf:1: assurance: low, substantial or high"},
	{"entity_categories = research\n", "k.conf:1: entity_categories: URIs"},
	{"entity_category_support = a:b \xc3\xa4:b\n", "k.conf:1: entity_category_support: URIs"},
	{"entity_categories = a:1 a:2 a:3 a:4 a:5 a:6 a:7 a:8 a:9 a:a a:b a:c a:d a:e a:f a:0 "
	 "a:x\n",
	 "k.conf:1: entity_categories: more than 16 words"},
	{"listen = 127.0.0.1\n", "k.conf:1: listen: '127.0.0.1': ADDRESS:PORT"},
	{"listen = localhost:1\n", "k.conf:1: listen: 'localhost:1'"},
	{"listen = ::1:443\n", "k.conf:1: listen: '::1:443'"},
	{"listen = 1.2.3.4:x\n", "k.conf:1: listen: '1.2.3.4:x'"},
	{"listen = unix:rel\n", "k.conf:1: listen: absolute path"},
	{"listen = 1.1.1.1:1 1.1.1.1:2 1.1.1.1:3 1.1.1.1:4 1.1.1.1:5\n",
	 "k.conf:1: listen: 1 to 4 listeners"},
	{"listen_metrics = x\n", "k.conf:1: listen_metrics: 'x'"},
	{"tls_key = /dev/null\n", "k.conf:1: tls_key: tls_certificate and tls_key belong"},
	{"tls_certificate = /dev/null\n", "k.conf:1: tls_certificate: tls_certificate and"},
	{"tls_key = /none/such\n", "k.conf:1: tls_key: cannot read the file"},
	{"trusted_proxy = 10.0.0.0/40\n", "k.conf:1: trusted_proxy: '10.0.0.0/40': prefix"},
	{"user = a\nsigner_user = a\n", "k.conf:2: signer_user: must differ from user"},
	{"user = a\nhsm_user = a\n", "k.conf:2: hsm_user: must differ from user"},
	{"hsm_module = /dev/null\n", "k.conf: hsm_token: hsm_module, hsm_token and hsm_pin_file"},
	{"hsm_token = t\nhsm_module = /dev/null\n", "k.conf: hsm_pin_file: hsm_module,"},
	{"hsm_pin_file = /dev/null\n", "k.conf: hsm_module: hsm_module,"},
	{"hsm_token = 123456789012345678901234567890123\nhsm_module = /dev/null\n"
	 "hsm_pin_file = /dev/null\n",
	 "k.conf:1: hsm_token: at most 32 octets"},
	{"hsm_timeout = 5s\n", "k.conf:1: hsm_timeout: out of range"},
	{"queue_deadline = 9s\n", "k.conf:1: queue_deadline: longer than request_deadline"},
	{"workers_login = 0\n", "k.conf:1: workers_login: out of range"},
	{"head_timeout = 5\n", "k.conf:1: head_timeout: unknown or missing unit"},
	{"log_level = loud\n", "k.conf:1: log_level: one of error|warn|info|debug"},
	{"colour = red\n", "k.conf:1: unknown key 'colour'"},
};

static void
every_mistake_is_named_with_its_line(void **state UNUSED)
{
	static const char *const good[] = {"instance = a\n", "base_url = https://k\n",
					   "listen = 127.0.0.1:1\n", "database = x\n",
					   "master_key_file = /dev/null\n"};
	struct config c;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		char text[512];
		size_t n = strlen(mistakes[i].text);

		memcpy(text, mistakes[i].text, n + 1);
		for (size_t g = 0; g < ARRAY_LEN(good); g++)
			if (strncmp(mistakes[i].text, good[g], strcspn(good[g], "=") + 1) != 0)
				strcat(text, good[g]);
		ASSERT_REFUSED(parse(text, &c, &err), &err, ERR_INPUT, mistakes[i].part);
	}
	ASSERT_REFUSED(parse("instance = a\n", &c, &err), &err, ERR_INPUT,
		       "missing key 'base_url'");
}

static void
children_do_not_look_at_files(void **state UNUSED)
{
	struct config c;
	struct err err = {0};
	const char *text = "instance = a\nbase_url = https://k\nlisten = 127.0.0.1:1\n"
			   "database = x\nmaster_key_file = /none/such\n";

	ASSERT_REFUSED(parse(text, &c, &err), &err, ERR_INPUT, "k.conf:5: master_key_file");
	ASSERT_OK(config_parse(a, "k.conf", bytes_of(text), false, &c, &err), &err);
	ASSERT_REFUSED(config_load(a, "/none/such.conf", false, &c, &err), &err, ERR_NOT_FOUND,
		       "/none/such.conf");
}

static void
what_needs_a_restart_is_named(void **state UNUSED)
{
	struct config before, after;
	struct err err = {0};

	ASSERT_OK(parse(GOOD, &before, &err), &err);
	ASSERT_OK(parse(GOOD "queue_login = 7\nlog_level = debug\n", &after, &err), &err);
	assert_null(config_needs_restart(&before, &after));
	ASSERT_OK(parse(GOOD "listen_metrics = 127.0.0.1:1\n", &after, &err), &err);
	assert_string_equal(config_needs_restart(&before, &after), "listen_metrics");
}

static void
the_manual_is_up_to_date(void **state UNUSED)
{
	struct bytes file;
	struct err err = {0};

	ASSERT_OK(conf_read_file(a, CONFIG_MANUAL, 1 << 20, &file, &err), &err);
	if (!bytes_eq(file, bytes_of(config_document(a))))
		fail_msg("docs/config.md: run kontor check-config --document > docs/config.md");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_file_is_enough),
		cmocka_unit_test(listeners_come_in_three_kinds),
		cmocka_unit_test(every_mistake_is_named_with_its_line),
		cmocka_unit_test(children_do_not_look_at_files),
		cmocka_unit_test(what_needs_a_restart_is_named),
		cmocka_unit_test(the_manual_is_up_to_date),
	};

	return cmocka_run_group_tests_name("config", tests, setup, teardown);
}
