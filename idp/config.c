/* The configuration; see config.h.  A new setting is a row here and a field there. */
#include "idp/config.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/roff.h"
#include "base/text.h"

#define FIELD(name) offsetof(struct config, name)
#define WORKERS(lane, word, fallback, most)                                                 \
	{                                                                                   \
		"workers_" word, CONF_COUNT, FIELD(workers[lane]), fallback, NULL, 1, most, \
			CONF_RELOAD, "Worker threads of the " word " lane."                 \
	}
#define QUEUE(lane, word, fallback)                                                           \
	{                                                                                     \
		"queue_" word, CONF_COUNT, FIELD(queue[lane]), fallback, NULL, 1, 100000,     \
			CONF_RELOAD,                                                          \
			"Requests that may wait in the " word " lane; more are answered 503." \
	}

static const struct conf_row rows[] = {
	/* who we are */
	{"instance", CONF_TEXT, FIELD(instance), NULL, NULL, 0, 0, CONF_RESTART,
	 "Name of the instance; sealed keys are bound to it. Letters, digits, `-`."},
	{"base_url", CONF_TEXT, FIELD(base_url), NULL, NULL, 0, 0, CONF_RELOAD,
	 "Public address, `https://HOST`, without path. It is the OIDC issuer."},
	{"mtls_url", CONF_TEXT, FIELD(mtls_url), "", NULL, 0, 0, CONF_RELOAD,
	 "Public address of the same endpoints for clients that show a certificate, "
	 "`https://HOST`: discovery's mtls_endpoint_aliases (RFC 8705). The proxy asks for "
	 "certificates there and passes them on as `Client-Cert`."},
	{"entity_id", CONF_TEXT, FIELD(entity_id), "", NULL, 0, 0, CONF_RELOAD,
	 "SAML entityID; default is base_url followed by `/saml/metadata`. Never follows a "
	 "change of host."},
	{"site_name", CONF_TEXT, FIELD(site_name), "Servicekonto", NULL, 0, 0, CONF_RELOAD,
	 "Name of the service as its pages show it."},
	{"imprint_url", CONF_TEXT, FIELD(imprint_url), "", NULL, 0, 0, CONF_RELOAD,
	 "Link in the footer of every page."},
	{"privacy_url", CONF_TEXT, FIELD(privacy_url), "", NULL, 0, 0, CONF_RELOAD,
	 "Link in the footer of every page."},
	{"accessibility_url", CONF_TEXT, FIELD(accessibility_url), "", NULL, 0, 0, CONF_RELOAD,
	 "Link in the footer of every page."},

	/* what our SAML metadata say of us */
	{"site_description", CONF_TEXT, FIELD(site_description), "", NULL, 0, 0, CONF_RELOAD,
	 "A sentence in German on what the service is, for `mdui:Description`."},
	{"logo", CONF_TEXT, FIELD(logo_text), "", NULL, 0, 0, CONF_RELOAD,
	 "`WIDTHxHEIGHT https://...`: a logo and its size in pixels, for `mdui:Logo`."},
	{"organization_name", CONF_TEXT, FIELD(organization_name), "", NULL, 0, 0, CONF_RELOAD,
	 "Who runs the service; default is site_name."},
	{"organization_url", CONF_TEXT, FIELD(organization_url), "", NULL, 0, 0, CONF_RELOAD,
	 "Web address of who runs it; default is base_url."},
	{"contact_email", CONF_TEXT, FIELD(contact_email), "", NULL, 0, 0, CONF_RELOAD,
	 "Shared mailbox for each kind of contact that has none of its own; never a person's."},
	{"contact_technical", CONF_TEXT, FIELD(contact_technical), "", NULL, 0, 0, CONF_RELOAD,
	 "Shared mailbox of who operates it; default is contact_email."},
	{"contact_support", CONF_TEXT, FIELD(contact_support), "", NULL, 0, 0, CONF_RELOAD,
	 "Shared mailbox of who helps people; default is contact_email."},
	{"contact_administrative", CONF_TEXT, FIELD(contact_administrative), "", NULL, 0, 0,
	 CONF_RELOAD, "Shared mailbox of who answers for it; default is contact_email."},
	{"contact_security", CONF_TEXT, FIELD(contact_security), "", NULL, 0, 0, CONF_RELOAD,
	 "Shared mailbox for reports of security incidents; default is contact_email."},
	{"assurance", CONF_TEXT, FIELD(assurance_text), "", NULL, 0, 0, CONF_RELOAD,
	 "Levels that this provider is certified for, of `low`, `substantial`, `high`; stated as "
	 "eIDAS's and BSI's URIs, and no portal is told of a level above them. Default: nothing "
	 "is stated."},
	{"entity_categories", CONF_TEXT, FIELD(entity_categories_text), "", NULL, 0, 0, CONF_RELOAD,
	 "Entity categories we are of: URIs, separated by spaces."},
	{"entity_category_support", CONF_TEXT, FIELD(entity_category_support_text), "", NULL, 0, 0,
	 CONF_RELOAD, "Entity categories of portals that we support: URIs, separated by spaces."},

	/* where we listen */
	{"listen", CONF_TEXT, FIELD(listen_text), NULL, NULL, 0, 0, CONF_RESTART,
	 "Public listeners, separated by spaces: `ADDRESS:PORT`, `[ADDRESS]:PORT`, `unix:PATH`, "
	 "`systemd:NAME`."},
	{"listen_metrics", CONF_TEXT, FIELD(listen_metrics_text), "", NULL, 0, 0, CONF_RESTART,
	 "Listener for `/metrics` and `/health`, in plain HTTP; none by default."},
	{"listen_group", CONF_TEXT, FIELD(listen_group), "", NULL, 0, 0, CONF_RESTART,
	 "Group that may connect to our Unix sockets (the proxy's)."},
	{"tls_certificate", CONF_FILE, FIELD(tls_certificate), "", NULL, 0, 0, CONF_RELOAD,
	 "PEM file with our certificate and those between it and the root; without it, "
	 "`listen` speaks plain HTTP to a proxy."},
	{"tls_key", CONF_FILE, FIELD(tls_key), "", NULL, 0, 0, CONF_RELOAD,
	 "PEM file with its private key."},
	{"trusted_proxy", CONF_TEXT, FIELD(trusted_proxy_text), "", NULL, 0, 0, CONF_RELOAD,
	 "Proxies whose `X-Forwarded-For` counts: addresses, networks (`10.0.0.0/8`), `unix` for "
	 "whoever connects to our Unix socket."},

	/* whom we send to */
	{"outbound_inside", CONF_TEXT, FIELD(outbound_inside_text), "", NULL, 0, 0, CONF_RELOAD,
	 "Networks that are not public and that we may send to all the same (`10.1.2.0/24`): where "
	 "portals are told of a logout. Without it, an address of this machine or its network that "
	 "metadata leads to is refused."},
	{"outbound_ca", CONF_FILE, FIELD(outbound_ca), "", NULL, 0, 0, CONF_RELOAD,
	 "PEM file with authorities that certificates of portals and of `mail_relay` may be of, "
	 "besides the system's; readable for `user`."},
	{"mail_relay", CONF_TEXT, FIELD(mail_relay), "", NULL, 0, 0, CONF_RELOAD,
	 "Relay that takes our mail, `smtp://HOST:PORT` or `smtps://HOST:PORT`, without a "
	 "password; "
	 "by TLS, unless it is `127.0.0.1` or `[::1]`. Persons are written that a portal's request "
	 "waits for them. Without it no mail is sent."},
	{"mail_from", CONF_TEXT, FIELD(mail_from), "", NULL, 0, 0, CONF_RELOAD,
	 "Address that our mail is from; needed with `mail_relay`."},

	/* what we stand on */
	{"database", CONF_TEXT, FIELD(database), NULL, NULL, 0, 0, CONF_RELOAD,
	 "libpq connection string of the instance's database."},
	{"database_connections", CONF_COUNT, FIELD(database_connections), "4", NULL, 1, 64,
	 CONF_RELOAD, "Connections for transactions, besides the pipelined ones."},
	{"master_key_file", CONF_FILE, FIELD(master_key_file), NULL, NULL, 0, 0, CONF_RESTART,
	 "File with the master keys; read by the supervisor only."},
	{"hsm_module", CONF_FILE, FIELD(hsm_module), "", NULL, 0, 0, CONF_RELOAD,
	 "PKCS#11 module (a shared library) of the HSM that keys may lie in; loaded by a process "
	 "of "
	 "its own."},
	{"hsm_token", CONF_TEXT, FIELD(hsm_token), "", NULL, 0, 0, CONF_RELOAD,
	 "Label of its token, which no second one may have."},
	{"hsm_pin_file", CONF_FILE, FIELD(hsm_pin_file), "", NULL, 0, 0, CONF_RELOAD,
	 "File with the token's user PIN on one line; read by the supervisor only."},
	{"hsm_user", CONF_TEXT, FIELD(hsm_user), "", NULL, 0, 0, CONF_RESTART,
	 "User the HSM process runs as, when started as root; another than `user`. Default is "
	 "`signer_user`."},
	{"hsm_sessions", CONF_COUNT, FIELD(hsm_sessions), "4", NULL, 1, HSM_SESSIONS_MAX,
	 CONF_RELOAD, "Sessions in the token, each with a thread: requests it does at once."},
	{"hsm_queue", CONF_COUNT, FIELD(hsm_queue), "24", NULL, 1, HSM_QUEUE_MAX, CONF_RELOAD,
	 "Requests to the HSM at once, those at work included; more are answered 503. Fewer than "
	 "`workers_saml` and `workers_token`: an HSM that hangs then leaves some for the rest."},
	{"hsm_timeout", CONF_DURATION, FIELD(hsm_timeout_ms), "2s", NULL, 50, 4000, CONF_RELOAD,
	 "What the HSM has not done by then is answered 503."},
	{"backup_time", CONF_DURATION, FIELD(backup_time_ms), "30d", NULL, 86400000, 0, CONF_RELOAD,
	 "How long backups of the database are kept; an epoch key that wraps no account any more "
	 "is "
	 "kept so long, then `kontor key destroy-epochs` takes it."},
	{"theme_dir", CONF_TEXT, FIELD(theme_dir), "", NULL, 0, 0, CONF_RELOAD,
	 "Folder whose templates, texts and assets replace the built-in ones of the same name."},
	{"user", CONF_TEXT, FIELD(user), "", NULL, 0, 0, CONF_RESTART,
	 "User the HTTP process runs as, when started as root."},
	{"signer_user", CONF_TEXT, FIELD(signer_user), "", NULL, 0, 0, CONF_RESTART,
	 "User the signer runs as, when started as root; another than `user`."},
	{"log_level", CONF_CHOICE, FIELD(log_level), "info", "error|warn|info|debug", 0, 0,
	 CONF_RELOAD, "Least severe event that is logged."},

	/* how much at once */
	{"password_memory", CONF_SIZE, FIELD(password_memory_bytes), "19MiB", NULL, 1048576,
	 1073741824, CONF_RELOAD,
	 "Memory of one Argon2id hash; older hashes are renewed at login."},
	{"password_passes", CONF_COUNT, FIELD(password_passes), "2", NULL, 1, 16, CONF_RELOAD,
	 "Passes of one Argon2id hash."},
	WORKERS(LANE_LIGHT, "light", "4", 256),
	WORKERS(LANE_TOKEN, "token", "32", 1024),
	WORKERS(LANE_SAML, "saml", "32", 1024),
	WORKERS(LANE_LOGIN, "login", "32", 1024),
	WORKERS(LANE_UPSTREAM, "upstream", "8", 256),
	{"workers_password", CONF_COUNT, FIELD(workers[LANE_PASSWORD]), "0", NULL, 0, 256,
	 CONF_RELOAD, "Password hashes at once, each with a memory block; 0: one per core."},
	QUEUE(LANE_LIGHT, "light", "256"),
	QUEUE(LANE_TOKEN, "token", "512"),
	QUEUE(LANE_SAML, "saml", "512"),
	QUEUE(LANE_LOGIN, "login", "512"),
	QUEUE(LANE_UPSTREAM, "upstream", "64"),
	QUEUE(LANE_PASSWORD, "password", "64"),
	{"connections", CONF_COUNT, FIELD(connections), "4096", NULL, 16, 1000000, CONF_RELOAD,
	 "Open connections at most; also bounded by the limit of file descriptors."},
	{"connections_per_source", CONF_COUNT, FIELD(connections_per_source), "128", NULL, 1,
	 1000000, CONF_RELOAD,
	 "Open connections of one IPv4 address or IPv6 /64; proxies are exempt."},

	/* how long */
	{"head_timeout", CONF_DURATION, FIELD(head_timeout_ms), "5s", NULL, 100, 600000,
	 CONF_RELOAD, "A new connection has sent its first request's head by then."},
	{"body_timeout", CONF_DURATION, FIELD(body_timeout_ms), "10s", NULL, 100, 600000,
	 CONF_RELOAD, "A request's body has arrived by then."},
	{"idle_timeout", CONF_DURATION, FIELD(idle_timeout_ms), "75s", NULL, 100, 3600000,
	 CONF_RELOAD, "A kept connection has sent its next request's head by then."},
	{"send_timeout", CONF_DURATION, FIELD(send_timeout_ms), "60s", NULL, 100, 3600000,
	 CONF_RELOAD, "An answer has been taken by then."},
	{"queue_deadline", CONF_DURATION, FIELD(queue_deadline_ms), "2s", NULL, 10, 60000,
	 CONF_RELOAD, "A request that waited longer for a worker is answered 503."},
	{"request_deadline", CONF_DURATION, FIELD(request_deadline_ms), "8s", NULL, 10, 60000,
	 CONF_RELOAD, "A handler gives up waiting for database or signer by then."},
	{"stop_announce", CONF_DURATION, FIELD(stop_announce_ms), "0s", NULL, 0, 60000, CONF_RELOAD,
	 "On stop, `/health/ready` says 503 for so long while requests are still served."},
	{"stop_grace", CONF_DURATION, FIELD(stop_grace_ms), "20s", NULL, 0, 600000, CONF_RELOAD,
	 "On stop, running requests may take so long to end."},

	/* a federation's administration */
	{"federation_name", CONF_TEXT, FIELD(federation_name), "", NULL, 0, 0, CONF_RELOAD,
	 "URI of the federation that this instance administrates: what `kontor federation member` "
	 "has of its members is signed and published. Without it, it is no administration."},
	{"federation_valid", CONF_DURATION, FIELD(federation_valid_ms), "5d", NULL, 3600000,
	 2592000000, CONF_RELOAD, "What is published of members counts so long (`validUntil`)."},
	{"federation_cache", CONF_DURATION, FIELD(federation_cache_ms), "1h", NULL, 60000, 86400000,
	 CONF_RELOAD, "And is to be fetched anew after that time (`cacheDuration`)."},
	{"federation_every", CONF_DURATION, FIELD(federation_every_ms), "6h", NULL, 60000, 86400000,
	 CONF_RELOAD,
	 "It is signed anew after that time, and within seconds when a member changes. Shorter "
	 "than "
	 "half of `federation_valid`."},

	/* requests of clients that name a person (CIBA) */
	{"request_time", CONF_DURATION, FIELD(request_time_ms), "10min", NULL, 60000, 86400000,
	 CONF_RELOAD,
	 "A request to a person waits so long, unless its client asks for another "
	 "time."},
	{"request_time_most", CONF_DURATION, FIELD(request_time_most_ms), "1h", NULL, 60000,
	 86400000, CONF_RELOAD, "And at most so long, whatever its client asks for."},
	{"requests_waiting", CONF_COUNT, FIELD(requests_waiting), "3", NULL, 1, 32, CONF_RELOAD,
	 "Requests that may wait for one person at a time; one of them of each client."},
	{"requests_hourly", CONF_COUNT, FIELD(requests_hourly), "5", NULL, 1, 1000, CONF_RELOAD,
	 "Requests that one client may make to one person within an hour, whatever becomes of "
	 "them."},
};

/* A file under check: enough to name the line of a key in an error. */
struct checked {
	struct arena *a;
	const char *file_name;
	struct bytes text;
	struct config *c;
};

static const char *
place(const struct checked *k, const char *key)
{
	unsigned line = conf_line(k->text, key);

	if (line == 0)
		return arena_printf(k->a, "%s: %s", k->file_name, key);
	return arena_printf(k->a, "%s:%u: %s", k->file_name, line, key);
}

static bool
check_instance(const struct checked *k, struct err *err)
{
	const char *s = k->c->instance;
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	if (n == 0 || n > 64 || s[n] != '\0')
		return FAIL(err, ERR_INPUT, NULL, "%s: 1 to 64 letters, digits, '-' expected",
			    place(k, "instance"));
	return true;
}

/* Byte-equal comparisons hang on this form: lower case, no path, no default port. */
/* https://HOST or https://HOST:PORT; *out is what follows the scheme. */
static bool
check_origin(const struct checked *k, const char *key, const char *s, const char **out,
	     struct err *err)
{
	const char *https = "https://";
	size_t n = strlen(https), host, port = 0;

	if (!text_starts(s, https))
		return FAIL(err, ERR_INPUT, NULL, "%s: must begin with https://", place(k, key));
	host = strspn(s + n, "abcdefghijklmnopqrstuvwxyz0123456789.-");
	if (s[n + host] == ':')
		port = 1 + strspn(s + n + host + 1, "0123456789");
	if (host == 0 || port == 1 || s[n + host + port] != '\0' ||
	    strcmp(s + n + host, ":443") == 0)
		return FAIL(err, ERR_INPUT, NULL,
			    "%s: https://HOST or https://HOST:PORT in lower case expected",
			    place(k, key));
	*out = s + n;
	return true;
}

static bool
check_base_url(const struct checked *k, struct err *err)
{
	struct config *c = k->c;

	if (!check_origin(k, "base_url", c->base_url, &c->host, err))
		return false;
	if (c->mtls_url == NULL)
		return true;
	if (!check_origin(k, "mtls_url", c->mtls_url, &c->mtls_host, err))
		return false;
	/* A browser would ask its owner for a certificate. */
	return strcmp(c->mtls_host, c->host) != 0 ||
	       FAIL(err, ERR_INPUT, NULL, "%s: another host or port than that of base_url expected",
		    place(k, "mtls_url"));
}

static bool
check_entity_id(const struct checked *k, struct err *err)
{
	if (k->c->entity_id == NULL)
		k->c->entity_id = arena_printf(k->a, "%s/saml/metadata", k->c->base_url);
	/* SAML2Core 8.3.6: a URI of at most 1024 characters. */
	if (!text_is_visible_ascii(k->c->entity_id, 1024) || strchr(k->c->entity_id, ':') == NULL)
		return FAIL(err, ERR_INPUT, NULL, "%s: a URI of at most 1024 characters expected",
			    place(k, "entity_id"));
	return true;
}

/* A link in a page must not run a script. */
static bool
check_links(const struct checked *k, struct err *err)
{
	const struct {
		const char *key, *url;
	} links[] = {{"imprint_url", k->c->imprint_url},
		     {"privacy_url", k->c->privacy_url},
		     {"accessibility_url", k->c->accessibility_url},
		     {"organization_url", k->c->organization_url}};

	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (links[i].url != NULL && !text_starts(links[i].url, "https://"))
			return FAIL(err, ERR_INPUT, NULL, "%s: must begin with https://",
				    place(k, links[i].key));
	return true;
}

/* It goes into signed metadata as a mailto: URI. */
static bool
is_mailbox(const char *s)
{
	const char *at;

	return text_is_visible_ascii(s, 254) && (at = strchr(s, '@')) != NULL && at != s &&
	       at[1] != '\0';
}

static bool
check_contacts(const struct checked *k, struct err *err)
{
	const struct {
		const char *key, *mailbox;
	} all[] = {{"contact_email", k->c->contact_email},
		   {"contact_technical", k->c->contact_technical},
		   {"contact_support", k->c->contact_support},
		   {"contact_administrative", k->c->contact_administrative},
		   {"contact_security", k->c->contact_security}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].mailbox != NULL && !is_mailbox(all[i].mailbox))
			return FAIL(err, ERR_INPUT, NULL, "%s: NAME@HOST expected",
				    place(k, all[i].key));
	return true;
}

/* A relay by name or number, and who we are to it. */
static bool
check_mail(const struct checked *k, struct err *err)
{
	const char *relay = k->c->mail_relay, *from = k->c->mail_from, *host;

	if ((relay == NULL) != (from == NULL))
		return FAIL(err, ERR_INPUT, NULL, "%s: mail_relay and mail_from go together",
			    place(k, relay == NULL ? "mail_from" : "mail_relay"));
	if (relay == NULL)
		return true;
	host = strstr(relay, "://");
	if ((!text_starts(relay, "smtp://") && !text_starts(relay, "smtps://")) ||
	    !text_is_visible_ascii(host + 3, 300) || strpbrk(host + 3, "/@?#") != NULL)
		return FAIL(err, ERR_INPUT, NULL,
			    "%s: smtp://HOST:PORT or smtps://HOST:PORT expected",
			    place(k, "mail_relay"));
	return (is_mailbox(from) && strpbrk(from, "<> ,;") == NULL) ||
	       FAIL(err, ERR_INPUT, NULL, "%s: NAME@HOST expected", place(k, "mail_from"));
}

static bool
check_federation(const struct checked *k, struct err *err)
{
	const char *name = k->c->federation_name;

	if (name != NULL &&
	    (strlen(name) > 1024 || strpbrk(name, " \t\"<>") != NULL || strchr(name, ':') == NULL))
		return FAIL(err, ERR_INPUT, NULL, "%s: a URI expected",
			    place(k, "federation_name"));
	return k->c->federation_every_ms * 2 < k->c->federation_valid_ms ||
	       FAIL(err, ERR_INPUT, NULL, "%s: less than half of federation_valid expected",
		    place(k, "federation_every"));
}

static bool
check_requests(const struct checked *k, struct err *err)
{
	return k->c->request_time_ms <= k->c->request_time_most_ms ||
	       FAIL(err, ERR_INPUT, NULL, "%s: more than request_time_most",
		    place(k, "request_time"));
}

#define WORDS_MAX 16

static bool
words_of(const struct checked *k, const char *key, const char *text, struct config_words *out,
	 struct err *err)
{
	const char **words;

	if (text == NULL)
		return true;
	if (!text_words(k->a, text, WORDS_MAX, &words, &out->n, NULL))
		return FAIL(err, ERR_INPUT, NULL, "%s: more than %d words", place(k, key),
			    WORDS_MAX);
	out->p = words;
	return true;
}

/* "80x60" */
static bool
read_size(struct arena *a, const char *text, uint64_t *width, uint64_t *height)
{
	const char *x = strchr(text, 'x');

	return x != NULL && text_to_u64(arena_strndup(a, text, (size_t)(x - text)), 9999, width) &&
	       text_to_u64(x + 1, 9999, height) && *width > 0 && *height > 0;
}

static bool
check_logo(const struct checked *k, struct err *err)
{
	struct config_words words = {0};
	struct config *c = k->c;

	if (!words_of(k, "logo", c->logo_text, &words, err))
		return false;
	if (words.n == 2 && read_size(k->a, words.p[0], &c->logo_width, &c->logo_height) &&
	    text_starts(words.p[1], "https://") && text_is_visible_ascii(words.p[1], 1024))
		c->logo_url = words.p[1];
	if (c->logo_text != NULL && c->logo_url == NULL)
		return FAIL(err, ERR_INPUT, NULL, "%s: WIDTHxHEIGHT https://... expected",
			    place(k, "logo"));
	return true;
}

/* Basisregistrierung is nothing to be certified for: eIDAS has no name for it. */
static bool
check_assurance(const struct checked *k, struct err *err)
{
	struct config_words words = {0};

	if (!words_of(k, "assurance", k->c->assurance_text, &words, err))
		return false;
	for (size_t i = 0; i < words.n; i++) {
		enum level level = level_from_word(words.p[i]);

		if (level_word(level, LEVEL_VOCAB_EIDAS) == NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s: low, substantial or high expected",
				    place(k, "assurance"));
		k->c->assurance |= level_set_range(level, level);
	}
	return true;
}

static bool
check_uris(const struct checked *k, const char *key, const char *text, struct config_words *out,
	   struct err *err)
{
	if (!words_of(k, key, text, out, err))
		return false;
	for (size_t i = 0; i < out->n; i++)
		if (!text_is_visible_ascii(out->p[i], 1024) || strchr(out->p[i], ':') == NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s: URIs expected", place(k, key));
	return true;
}

static bool
check_said(const struct checked *k, struct err *err)
{
	struct config *c = k->c;

	return check_contacts(k, err) && check_mail(k, err) && check_requests(k, err) &&
	       check_federation(k, err) && check_logo(k, err) && check_assurance(k, err) &&
	       check_uris(k, "entity_categories", c->entity_categories_text, &c->entity_categories,
			  err) &&
	       check_uris(k, "entity_category_support", c->entity_category_support_text,
			  &c->entity_category_support, err);
}

static bool
parse_unix(const struct checked *k, const char *key, const char *path, struct listen_at *out,
	   struct err *err)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = strlen(path);

	if (path[0] != '/' || n >= sizeof(un.sun_path))
		return FAIL(err, ERR_INPUT, NULL, "%s: absolute path of at most %zu bytes expected",
			    place(k, key), sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, path, n + 1);
	memcpy(&out->addr, &un, sizeof(un));
	out->addr_bytes = sizeof(un);
	out->kind = LISTEN_UNIX;
	return true;
}

static bool
parse_tcp(const struct checked *k, const char *key, const char *word, struct listen_at *out,
	  struct err *err)
{
	const char *colon = strrchr(word, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - word);
	bool bracket = n >= 2 && word[0] == '[' && word[n - 1] == ']';
	const char *host = arena_strndup(k->a, word + bracket, n - 2 * (size_t)bracket);
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM},
			*found;

	int rc = n == 0 || (strchr(host, ':') != NULL && !bracket)
			 ? EAI_NONAME
			 : getaddrinfo(host, colon + 1, &hints, &found);

	if (rc == EAI_MEMORY)
		arena_leave(k->a);
	if (rc != 0)
		return FAIL(err, ERR_INPUT, NULL,
			    "%s: '%s': ADDRESS:PORT, [ADDRESS]:PORT, unix:PATH or systemd:NAME "
			    "expected",
			    place(k, key), word);
	memcpy(&out->addr, found->ai_addr, found->ai_addrlen);
	out->addr_bytes = found->ai_addrlen;
	out->kind = LISTEN_TCP;
	freeaddrinfo(found);
	return true;
}

static bool
parse_listen(const struct checked *k, const char *key, const char *word, struct listen_at *out,
	     struct err *err)
{
	out->text = word;
	if (text_starts(word, "unix:"))
		return parse_unix(k, key, word + strlen("unix:"), out, err);
	if (text_starts(word, "systemd:")) {
		out->kind = LISTEN_SYSTEMD;
		out->text = word + strlen("systemd:");
		return true;
	}
	return parse_tcp(k, key, word, out, err);
}

static bool
check_listen(const struct checked *k, struct err *err)
{
	const char **words;
	struct config *c = k->c;

	if (!text_words(k->a, c->listen_text, CONFIG_LISTEN_MAX, &words, &c->n_listen, NULL) ||
	    c->n_listen == 0)
		return FAIL(err, ERR_INPUT, NULL, "%s: 1 to %d listeners expected",
			    place(k, "listen"), CONFIG_LISTEN_MAX);
	for (size_t i = 0; i < c->n_listen; i++)
		if (!parse_listen(k, "listen", words[i], &c->listen[i], err))
			return false;
	c->has_metrics = c->listen_metrics_text != NULL;
	return !c->has_metrics ||
	       parse_listen(k, "listen_metrics", c->listen_metrics_text, &c->listen_metrics, err);
}

static bool
check_tls(const struct checked *k, struct err *err)
{
	if ((k->c->tls_certificate == NULL) == (k->c->tls_key == NULL))
		return true;
	return FAIL(err, ERR_INPUT, NULL, "%s: tls_certificate and tls_key belong together",
		    place(k, k->c->tls_key == NULL ? "tls_certificate" : "tls_key"));
}

static bool
check_nets(const struct checked *k, const char *key, const char *text, struct net_list *out,
	   struct err *err)
{
	struct err inner = {0};

	if (text == NULL || net_list_parse(k->a, text, out, &inner))
		return true;
	return FAIL(err, ERR_INPUT, NULL, "%s: %s", place(k, key), inner.text);
}

static bool
check_proxies(const struct checked *k, struct err *err)
{
	return check_nets(k, "trusted_proxy", k->c->trusted_proxy_text, &k->c->trusted_proxy,
			  err) &&
	       check_nets(k, "outbound_inside", k->c->outbound_inside_text, &k->c->outbound_inside,
			  err);
}

/* Two processes of one user may look into each other's memory. */
static bool
check_users(const struct checked *k, struct err *err)
{
	if (k->c->user != NULL && text_eq(k->c->user, k->c->signer_user))
		return FAIL(err, ERR_INPUT, NULL, "%s: must differ from user",
			    place(k, "signer_user"));
	if (k->c->user != NULL && text_eq(k->c->user, k->c->hsm_user))
		return FAIL(err, ERR_INPUT, NULL, "%s: must differ from user",
			    place(k, "hsm_user"));
	return true;
}

static bool
check_hsm(const struct checked *k, struct err *err)
{
	const struct {
		const char *key, *value;
	} parts[] = {{"hsm_module", k->c->hsm_module},
		     {"hsm_token", k->c->hsm_token},
		     {"hsm_pin_file", k->c->hsm_pin_file}};
	size_t there = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		there += parts[i].value != NULL;
	for (size_t i = 0; there != 0 && i < ARRAY_LEN(parts); i++)
		if (parts[i].value == NULL)
			return FAIL(err, ERR_INPUT, NULL,
				    "%s: hsm_module, hsm_token and hsm_pin_file belong together",
				    place(k, parts[i].key));
	/* CK_TOKEN_INFO has room for no more. */
	if (k->c->hsm_token != NULL && strlen(k->c->hsm_token) > 32)
		return FAIL(err, ERR_INPUT, NULL, "%s: at most 32 octets expected",
			    place(k, "hsm_token"));
	return true;
}

static bool
check_deadlines(const struct checked *k, struct err *err)
{
	if (k->c->queue_deadline_ms <= k->c->request_deadline_ms)
		return true;
	return FAIL(err, ERR_INPUT, NULL, "%s: longer than request_deadline",
		    place(k, "queue_deadline"));
}

/* The children cannot read the files of the supervisor, and get what is in them otherwise. */
static const struct conf_row *
rows_without_files(struct arena *a)
{
	struct conf_row *copy = ARENA_ARRAY(a, struct conf_row, ARRAY_LEN(rows));

	memcpy(copy, rows, sizeof(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (copy[i].type == CONF_FILE)
			copy[i].type = CONF_TEXT;
	return copy;
}

bool
config_parse(struct arena *a, const char *file_name, struct bytes text, bool check_files,
	     struct config *out, struct err *err)
{
	struct config *c = ARENA_NEW(a, struct config);
	struct checked k = {a, file_name, text, c};
	const struct conf_row *table = check_files ? rows : rows_without_files(a);

	if (!conf_parse(a, file_name, text, table, ARRAY_LEN(rows), c, err) ||
	    !check_instance(&k, err) || !check_base_url(&k, err) || !check_entity_id(&k, err) ||
	    !check_links(&k, err) || !check_said(&k, err) || !check_listen(&k, err) ||
	    !check_tls(&k, err) || !check_proxies(&k, err) || !check_users(&k, err) ||
	    !check_hsm(&k, err) || !check_deadlines(&k, err))
		return false;
	*out = *c;
	return true;
}

bool
config_load(struct arena *a, const char *path, bool check_files, struct config *out,
	    struct err *err)
{
	struct bytes text;

	return conf_read_file(a, path, CONFIG_FILE_MAX_BYTES, &text, err) &&
	       config_parse(a, path, text, check_files, out, err);
}

enum level
config_level_most(const struct config *c)
{
	return c->assurance == 0 ? LEVEL_HIGH : level_set_best(c->assurance, LEVEL_HIGH);
}

struct kdf_cost
config_password_cost(const struct config *c)
{
	return (struct kdf_cost){.m_kib = (uint32_t)(c->password_memory_bytes / 1024),
				 .t = (uint32_t)c->password_passes,
				 .p = KDF_DEFAULT_P};
}

struct hsm_settings
config_hsm(const struct config *c, const char *pin)
{
	return (struct hsm_settings){.module = c->hsm_module,
				     .token = c->hsm_token,
				     .pin = pin,
				     .sessions = (uint32_t)c->hsm_sessions,
				     .queue = (uint32_t)c->hsm_queue,
				     .timeout_us = c->hsm_timeout_ms * 1000};
}

const char *
config_hsm_user(const struct config *c)
{
	return c->hsm_user != NULL ? c->hsm_user : c->signer_user;
}

static const char manual_intro[] =
	"The file holds what a node needs before it has a database: `key = value` lines, "
	"`#` comments. An unknown key, a wrong unit or a missing file is an error that "
	"names the line (`kontor check-config`).\n\n"
	"Units: durations `ms`, `s`, `min`, `h`, `d`; sizes `B`, `KiB`, `MiB`, `GiB`. "
	"\"Change\" says what makes a new value count: `reload` is `systemctl reload` "
	"(SIGHUP): the whole file is read again, and if it is in order a new HTTP process "
	"with it takes over; `restart` needs a restart.";

const char *
config_document(struct arena *a)
{
	return arena_printf(
		a,
		"# Configuration\n\n"
		"Printed by `kontor check-config --document` from the table in idp/config.c; do "
		"not "
		"edit.\n\n"
		"%s\n\n%s",
		manual_intro, conf_document(a, rows, ARRAY_LEN(rows)));
}

const char *
config_manual(struct arena *a)
{
	const char *text = "";
	struct buf b;

	buf_init(&b, a, (size_t)1024 * 1024);
	buf_str(&b, ".TH KONTOR.CONF 5 \"\" \"kontor " KONTOR_VERSION "\" \"\"\n"
		    ".SH NAME\nkontor.conf \\- configuration of an instance of kontor\n"
		    ".SH DESCRIPTION\n");
	roff_text(&b, manual_intro);
	buf_str(&b, ".SH KEYS\n");
	conf_manual(a, &b, rows, ARRAY_LEN(rows));
	buf_str(&b, ".SH SEE ALSO\n.BR kontor (1)\n");
	(void)!buf_finish_str(&b, &text, NULL);
	return text;
}

const char *
config_needs_restart(const struct config *before, const struct config *after)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const *b, *const *a;

		/* Every row for the supervisor alone is a text or a file name. */
		if (rows[i].apply != CONF_RESTART)
			continue;
		b = (const char *const *)((const unsigned char *)before + rows[i].offset);
		a = (const char *const *)((const unsigned char *)after + rows[i].offset);
		if (!text_eq(*b, *a))
			return rows[i].key;
	}
	return NULL;
}
