/*
 * The configuration file of an instance: what a node needs before it has a
 * database.  All else is rows with version and audit.  One table of rows
 * (config.c) makes the parser, the checks and docs/config.md.
 */
#ifndef KONTOR_IDP_CONFIG_H
#define KONTOR_IDP_CONFIG_H

#include "base/conf.h"
#include "idp/lane.h"
#include "idp/level.h"
#include "idp/net.h"
#include "keys/hsm.h"
#include "keys/kdf.h"

#define CONFIG_FILE_DEFAULT   "/etc/kontor/kontor.conf"
#define CONFIG_FILE_MAX_BYTES ((size_t)256 * 1024)
#define CONFIG_LISTEN_MAX     4

enum listen_kind { LISTEN_TCP, LISTEN_UNIX, LISTEN_SYSTEMD };

/* One place to listen at. */
struct listen_at {
	enum listen_kind kind;
	struct sockaddr_storage addr; /* TCP and Unix */
	socklen_t addr_bytes;
	const char *text; /* as configured; the name of the socket for LISTEN_SYSTEMD */
};

struct config {
	/* as in the file */
	const char *instance;
	const char *base_url; /* https://HOST[:PORT], no path, no slash at the end */
	const char *entity_id;
	const char *site_name;                                     /* as pages name the service */
	const char *imprint_url, *privacy_url, *accessibility_url; /* footer links; NULL: none */
	/* said in our SAML metadata; NULL: nothing */
	const char *site_description, *logo_text, *organization_name, *organization_url;
	const char *contact_email; /* for each kind without one of its own */
	const char *contact_technical, *contact_support, *contact_administrative, *contact_security;
	const char *assurance_text, *entity_categories_text, *entity_category_support_text;
	const char *listen_text, *listen_metrics_text;
	const char *listen_group;              /* of Unix sockets; NULL: ours */
	const char *tls_certificate, *tls_key; /* PEM files; both or neither */
	const char *mtls_url;                  /* NULL: none */
	const char *trusted_proxy_text;
	const char *outbound_inside_text;
	const char *outbound_ca;            /* PEM file; NULL: the system's */
	const char *mail_relay, *mail_from; /* both or neither */
	const char *database;               /* libpq connection string */
	int64_t database_connections;
	const char *master_key_file;
	const char *hsm_module, *hsm_token, *hsm_pin_file; /* all or none */
	const char *hsm_user;                              /* NULL: as signer_user */
	int64_t hsm_sessions, hsm_queue, hsm_timeout_ms;
	int64_t backup_time_ms;
	const char *theme_dir;
	const char *user, *signer_user; /* to run as, when started as root; NULL: unchanged */
	int log_level;                  /* enum log_level */
	int64_t password_memory_bytes, password_passes; /* cost of one Argon2id hash */
	int64_t workers[LANE_COUNT], queue[LANE_COUNT];
	int64_t connections, connections_per_source;
	int64_t head_timeout_ms, body_timeout_ms, idle_timeout_ms, send_timeout_ms;
	int64_t queue_deadline_ms, request_deadline_ms;
	int64_t stop_announce_ms, stop_grace_ms;
	/* of a federation's administration */
	const char *federation_name; /* NULL: we are none */
	int64_t federation_valid_ms, federation_cache_ms, federation_every_ms;
	/* of requests to persons without their browser (CIBA) */
	int64_t request_time_ms, request_time_most_ms, requests_waiting, requests_hourly;

	/* made from it */
	const char *logo_url; /* NULL: none */
	uint64_t logo_width, logo_height;
	level_set assurance; /* levels stated in metadata; 0: nothing is */
	struct config_words {
		const char *const *p;
		size_t n;
	} entity_categories, entity_category_support;
	const char *host;      /* HOST[:PORT] of base_url */
	const char *mtls_host; /* the same of mtls_url; NULL: there is none */
	struct listen_at listen[CONFIG_LISTEN_MAX];
	size_t n_listen;
	struct listen_at listen_metrics;
	bool has_metrics;
	struct net_list trusted_proxy;
	struct net_list outbound_inside;
};

/*
 * Read and check the text of a file.  Everything lives in `a`.  check_files:
 * the files it names must be readable (the supervisor's part; its children may
 * not read them).  ERR_INPUT; the text begins with "FILE:LINE: ".
 */
MUST_USE bool config_parse(struct arena *a, const char *file_name, struct bytes text,
			   bool check_files, struct config *out, struct err *err);

/* The same for a file by its name; ERR_NOT_FOUND when it cannot be read.  Commands do not check
 * files: `kontor key init` is who makes the master key file. */
MUST_USE bool config_load(struct arena *a, const char *path, bool check_files, struct config *out,
			  struct err *err);

/* Nothing above it is told to anyone: the highest level that metadata state, if they do. */
enum level config_level_most(const struct config *c);

/* Today's cost of a password hash; the pepper is left to the caller. */
struct kdf_cost config_password_cost(const struct config *c);

/* What the HSM process is told; hsm_module is not NULL. */
struct hsm_settings config_hsm(const struct config *c, const char *pin);

/* Whom it runs as, NULL: unchanged. */
const char *config_hsm_user(const struct config *c);

/* docs/config.md, whole. */
const char *config_document(struct arena *a);

/* The same as manual page kontor.conf(5), roff for man(7). */
const char *config_manual(struct arena *a);

/* The name of the first row marked `restart` that differs, NULL: none. */
const char *config_needs_restart(const struct config *before, const struct config *after);

#endif
