/* The program's entry and its table of commands; a command is a row here and a file cli_*.c. */
#include <stdio.h>

#include "idp/cli.h"

#define CLI_ARENA_BYTES ((size_t)256 * 1024 * 1024)

const struct command commands[] = {
	{"serve", "Run this node.", "",
	 "Reads the configuration and the master key file, opens the listeners and starts two\n"
	 "processes: the signer, which alone holds private keys, and the HTTP process; with\n"
	 "hsm_module a third, which alone speaks to the HSM. A process\n"
	 "that dies is back within a second. SIGHUP reads the configuration again: if it is in\n"
	 "order, a new HTTP process with it takes over, else the old one goes on. SIGTERM lets\n"
	 "running requests end and stops. Speaks systemd's notify and socket activation.",
	 cli_serve, NULL},
	{"migrate", "Bring the database's schema up to date.", "",
	 "Applies the migrations that this program brings and the database does not have yet, "
	 "under\n"
	 "a lock. Two adjacent releases work with the same schema, so nodes need not stop.",
	 cli_migrate, NULL},
	{"key", "Make keys, show them, move them through their lives.",
	 "init\nlist\ncertificate KID\ngenerate PURPOSE TYPE [--hsm | --hsm-object LABEL]\npublish "
	 "KID\nactivate "
	 "KID [--emergency]\nretire KID\n"
	 "destroy KID\nmaster\nrewrap\nepoch\nepochs\ndestroy-epochs",
	 "init makes the master key file if there is none, and every key an instance needs. A new "
	 "key\n"
	 "is planned; peers see it once it is published; it signs once it is active, and the one\n"
	 "before retires, still shown to peers; destroy takes the private half away for good.\n\n"
	 "certificate prints what those pin who follow what the key signs.\n\n"
	 "Purposes: saml-sign, decrypt (types p256, p384, bp256, bp384, rsa3072; bp stands for\n"
	 "brainpool, r1); oidc-sign, federation-sign (p256, p384, rsa3072, rsa3072-pss); seal,\n"
	 "pseudonym, pepper, lookup, cookie, audit (secret). One key of each purpose and type is "
	 "active.\n\n"
	 "With --hsm a key that is no secret is made in the HSM (hsm_module) and cannot leave it; "
	 "with\n"
	 "--hsm-object it is the one private key there that has this label. Whichever it is, it "
	 "is\n"
	 "tried in all its uses first. destroy takes its row alone: the object is removed with "
	 "the\n"
	 "HSM's own tools.\n\n"
	 "master adds a new master key to the master key file; rewrap seals the key rows under "
	 "it and\n"
	 "wraps the accounts' keys under the newest epoch key (running nodes do the latter by\n"
	 "themselves). epoch adds a new epoch key; epochs shows how many accounts each wraps, and "
	 "until\n"
	 "when one that wraps none is kept for the backups (backup_time); destroy-epochs takes "
	 "those\n"
	 "whose time is over out of this node's file: from then on no backup opens an account "
	 "that was\n"
	 "deleted while they were in use.",
	 cli_key, NULL},
	{"party", "Register SAML service providers.",
	 "add FILE|URL [--id ENTITYID] [--display-name NAME] [--ca PEM] [--local-http]\n"
	 "    [--metadata-url URL [--metadata-signer PEM ...]] [--dry-run] [POLICY]\n"
	 "add --metadata-url URL [--metadata-signer PEM ...] [the other options of add]\n"
	 "check FILE|URL [--id ENTITYID] [--ca PEM] [--local-http] [POLICY]\nlist\n"
	 "show ID\nrefused ID\nenable ID\ndisable ID\nremove ID\n"
	 "follow ID --metadata-url URL [--metadata-signer PEM ...] [--local-http]\nunfollow ID\n"
	 "refresh ID\nchanges [ID]\napprove ID DIGEST\nreject ID DIGEST\n"
	 "rollback ID [DIGEST]",
	 "add takes SAML metadata, reports what is wrong with it and registers the party on all "
	 "running\n"
	 "nodes at once; with new content it updates. POLICY are the "
	 "options\n"
	 "below; one that is not given stays as it is, and who was disabled stays disabled. With "
	 "--dry-run\n"
	 "it only says what is wrong and what would change.\n\n"
	 "check registers nothing and needs no database and no configuration: it tells who builds "
	 "a\n"
	 "portal what is wrong with its metadata, by rule and clause, what is fine, and what it "
	 "gets\n"
	 "when it is registered with these POLICY options. It ends with 0 when there is nothing "
	 "but\n"
	 "notes, 1 when there is a warning, 2 when there is an error, for which add would refuse "
	 "it.\n\n"
	 "refused tells which of its requests were refused within two weeks, why and how often. "
	 "What was\n"
	 "not proven to be its own anybody may have sent.\n\n"
	 "With --local-http, endpoints on this machine itself may be http, and check reads such a\n"
	 "URL.\n\n"
	 "With --metadata-url, and after follow, nodes fetch the metadata from there again and "
	 "again: as\n"
	 "often as its cacheDuration says, within an hour and a day, and before validUntil. With\n"
	 "--metadata-signer only what is signed by one of these certificates is taken. What "
	 "changes nothing\n"
	 "grave counts at once. What does (a new host, a key without overlap, a shorter validity "
	 "...) waits:\n"
	 "changes shows it and why, approve lets it count, reject refuses it. rollback lets the "
	 "copy before\n"
	 "count again. After rollback, or add from elsewhere, all changes wait until one is "
	 "approved. DIGEST\n"
	 "names one copy, as changes prints it. refresh fetches now.",
	 cli_party, policy_keys},
	{"client", "Register OpenID Connect clients.",
	 "add FILE [--display-name NAME] [--new-secret] [POLICY]\nlist\nshow ID\n"
	 "check ID [--reach]\nenable ID\ndisable ID\nremove ID\n"
	 "invite NAME [--count N] [--days N] [--host HOST ...] [--scope SCOPE ...]\n"
	 "    [--profile PROFILE ...] [--grant-type TYPE ...] [--level-cap LEVEL]\n"
	 "    [--resource URI ...] [--details-type TYPE ...] [--subject-type TYPE ...]\n"
	 "    [--statement-signers JWKS]\ninvited\nuninvite NAME",
	 "add takes RFC 7591 client metadata and prints the registered record as JSON; the secret "
	 "is in\n"
	 "it once, when it is made. With the client_id of a registered client it updates. POLICY "
	 "as\n"
	 "for party. check says in words what a record allows, warns of what will give "
	 "trouble, and\n"
	 "tells what was refused to the client within two weeks (as refused does for a party); "
	 "with\n"
	 "--reach it tries the URLs of the client's that we call.\n\n"
	 "invite lets others register clients of their own (RFC 7591): it prints a token, once, "
	 "good for\n"
	 "--count clients (1) within --days (7), whose URIs are at or below the hosts named (*: "
	 "any;\n"
	 "native: applications' own schemes), with these scopes (openid), profiles (oauth), "
	 "grants\n"
	 "(authorization_code), resources and types of authorization details (none), subject "
	 "types\n"
	 "(pairwise) and no level above --level-cap (low).",
	 cli_client, policy_keys},
	{"details-type", "Lay down what clients may ask for in detail (RFC 9396).",
	 "add FILE\nlist\nshow TYPE\nremove TYPE",
	 "add takes a type of authorization details as JSON: what people are told it is, its "
	 "fields "
	 "and\n"
	 "what they may hold. A client may ask for it whose record names it among\n"
	 "authorization_details_types. add of a type that is there replaces it, on all running "
	 "nodes "
	 "at\n"
	 "once; after that, and after remove, what was agreed to counts as far as it is of a type "
	 "that is\n"
	 "there.",
	 cli_details_type, NULL},
	{"federation", "Know members of federations by signed metadata, or administrate one.",
	 "add NAME (--url URL | --file) --metadata-signer PEM ... [--rules FILE]\nlist\nshow NAME\n"
	 "refresh NAME\nload NAME FILE\npending [NAME]\napprove NAME DIGEST --by WHO\n"
	 "reject NAME DIGEST\nrollback NAME [DIGEST] --by WHO\n"
	 "suspend ENTITY --by WHO --why TEXT [--source NAME]\n"
	 "unsuspend ENTITY --by WHO [--source NAME]\nsuspended\nremove NAME\nwhy ENTITY\n"
	 "statistics [--days N]\n"
	 "member submit FILE --by NAME [--until YYYY-MM-DD|never]\nmember approve ENTITY DIGEST "
	 "--by NAME [--until YYYY-MM-DD|never]\n"
	 "member reject ENTITY DIGEST --by NAME\nmember suspend ENTITY --by NAME --why TEXT\n"
	 "member resume ENTITY --by NAME\nmember remove ENTITY --by NAME\n"
	 "member list\nmember show ENTITY\nmember check [ENTITY | --file FILE]\nmember publish "
	 "--by NAME\nmember publications\n"
	 "member rollback NUMBER --by NAME",
	 "add names where a federation's signed EntitiesDescriptor is fetched from, or that a file "
	 "of "
	 "it\n"
	 "is brought by load; the certificates whose keys may have signed it (two while they roll "
	 "over);\n"
	 "and as JSON the rules: whom of it we take, within which caps, by which policy. add of a "
	 "name that\n"
	 "is there changes it.\n\n"
	 "What changes nothing grave counts at once, on all nodes. What does waits: pending shows "
	 "it "
	 "and why,\n"
	 "approve lets it count, reject refuses it. rollback lets the copy before count again. "
	 "DIGEST "
	 "names one\n"
	 "copy, as pending and show print it. load also takes what is usually fetched. refresh "
	 "fetches "
	 "now.\n\n"
	 "suspend takes a member out at once, whatever any copy says. why tells from the pinned "
	 "key "
	 "down why\n"
	 "a member is believed, or is not; it ends with 3 if no federation has it.\n\n"
	 "member administrates a federation: where federation_name is set, this instance publishes "
	 "what is\n"
	 "approved of its members, signed with the federation-sign key: all of them at\n"
	 "/federation/metadata, each at /federation/entities/{sha1}... (metadata query), what has "
	 "changed\n"
	 "at /federation/changes. submit brings a member's metadata; approve is for another person "
	 "than who\n"
	 "brought it, and names the digest of what was looked at (show prints it). suspend leaves "
	 "a "
	 "member\n"
	 "out at once; resume and remove are for another person than who suspended it. What "
	 "changes "
	 "is\n"
	 "published within seconds by a running node; publish does it now, and rollback lets count "
	 "what an\n"
	 "earlier publication had, but for members that are suspended.",
	 cli_federation, NULL},
	{"upstream", "Let people log in with the account of another provider.",
	 "add ID FILE [--kind saml|fink|bundid|organisation|eidas] [--display-name NAME]\n"
	 "add ID --kind oidc --issuer URL --client-id TEXT [--signing-alg ALG] [--display-name "
	 "NAME]\n"
	 "    [--level-cap LEVEL] [--attribute NAME ...] [--attribute-level LEVEL]\n"
	 "    [--level-word WORD=LEVEL ...] [--signed both|response|assertion] [--encrypted "
	 "yes|no]\n"
	 "    [--identify NAME] [--scope DOMAIN ...] [--old-until YYYY-MM-DD] [--first yes|no]\n"
	 "    [--service-id TEXT]\n"
	 "list\nshow ID\nenable ID\ndisable ID\nremove ID",
	 "add takes the provider's SAML metadata, or the issuer of an OpenID Provider. ID is a "
	 "short "
	 "word of\n"
	 "our own. With the ID of one that is there it updates: what is not given stays as it "
	 "is.\n\n"
	 "--level-cap (substantial) is the highest level it may tell of: an answer of more is "
	 "refused.\n"
	 "--attribute names what is taken from it (all we know). --attribute-level is the level of "
	 "attributes\n"
	 "that come without one (they are left out). --level-word is an AuthnContextClassRef of "
	 "its own.\n"
	 "--signed says what it signs (both Response and assertion). --encrypted yes refuses "
	 "plain\n"
	 "assertions. --identify names the attribute by which it knows a person for good (by its "
	 "kind;\n"
	 "nameid: the NameID). --scope is what such names have to end with, after an @. "
	 "--old-until "
	 "is the\n"
	 "last day on which RSA PKCS#1 v1.5 signatures of it count. --first yes puts it before the "
	 "others\n"
	 "in the list. --service-id is the OnlineServiceId that BundID gave us, --client-id what "
	 "an "
	 "OpenID\n"
	 "Provider did; --signing-alg is the one algorithm of its ID tokens (as its keys say).",
	 cli_upstream, NULL},
	{"account", "What the office behind the accounts does.",
	 "add LOGIN [--attribute NAME=VALUE ...]\n"
	 "verify LOGIN --operator NAME --operator NAME --document KIND --evidence FILE\n"
	 "    [--method in-person] [--level LEVEL] --attribute NAME=VALUE ... [--empty NAME ...]\n"
	 "totp LOGIN\nshow LOGIN\ndisable LOGIN\nenable LOGIN\ndelete LOGIN\ndeleted\n"
	 "delete-again FILE",
	 "add reads the password from standard input. verify records that two operators saw the "
	 "named\n"
	 "document: the attributes get these values, the level (substantial unless said otherwise) "
	 "and\n"
	 "the source proofing; --empty says that there verifiably is none. totp registers a "
	 "one-time-code\n"
	 "app and prints its seed. disable ends all sessions; delete destroys the account's "
	 "key.\n\n"
	 "deleted prints the ids of all deleted accounts. Keep what it prints outside the "
	 "backups:\n"
	 "after a restore, delete-again FILE deletes those that came back.",
	 cli_account, NULL},
	{"audit", "Show the audit trail.",
	 "list [--login LOGIN] [--party ID] [--event NAME] [--ref REF] [--limit N]\nevents",
	 "list prints the youngest events that fit (100 unless said otherwise), oldest first: "
	 "time,\n"
	 "event, reference id, party and details. A reference id of an error page or of the log "
	 "finds\n"
	 "what it changed. events explains the names. No attribute value is in the trail.",
	 cli_audit_trail, NULL},
	{"restored", "End what a backup brought back and nobody may use again.", "",
	 "Run it after every restore and after a failover that may have lost commits, before the "
	 "first\n"
	 "node starts: sessions, logins on their way, codes, tokens and tickets end, and "
	 "one-time codes\n"
	 "up to now count as used. What was taken or ended after the cut would be there again.",
	 cli_restored, NULL},
	{"status", "Say whether this instance can work.", "",
	 "Checks database, schema, clock, keys and parties.", cli_status, NULL},
	{"simulate", "Run a test double of BundID or of the organisation account.",
	 "bundid|organisation [--portal METADATA ...] [--listen ADDRESS:PORT] [--url URL] "
	 "[--reachable]\n"
	 "    [--persons FILE] [--keys DIR] [--signature ps256|rs256|es256]\n"
	 "    [--answer PERSON [--outcome OUTCOME]]\n"
	 "bundid|organisation --list-persons",
	 "For tests alone: it logs invented persons in at the portals whose metadata it is given. "
	 "It\n"
	 "judges their requests as strictly as the interface is written and says by number what "
	 "is\n"
	 "wrong; a page lets the tester choose person, level, attributes and outcome, well or "
	 "broken\n"
	 "on purpose. It needs no database, no configuration and no key of an instance.\n\n"
	 "It listens at 127.0.0.1:8600, and beyond this machine only with --reachable; --url is "
	 "its\n"
	 "address in the browser where that is another. Keys are kept in --keys, else made anew "
	 "each\n"
	 "time. --persons takes others than those that --list-persons prints. With --answer it "
	 "answers\n"
	 "at once, without a page; POST /answer with person and outcome changes that while it "
	 "runs.",
	 cli_simulate, NULL},
	{"check-config", "Say whether the configuration file is in order.", "\n--document\n--man",
	 "Names the first mistake with its line. With --document, prints docs/config.md: every "
	 "key\n"
	 "with type, default and meaning; with --man, the same as manual page kontor.conf(5).",
	 cli_check_config, NULL},
	{.name = NULL},
};

struct call {
	struct arena *a;
	int argc;
	char **argv;
	enum cli_exit rc;
};

static void
run(void *arg)
{
	struct call *c = arg;

	c->rc = cli_main(c->a, commands, c->argc, c->argv);
}

int
main(int argc, char **argv)
{
	struct call c = {arena_create(CLI_ARENA_BYTES), argc, argv, CLI_FAILED};

	if (c.a == NULL || !arena_run(c.a, run, &c)) {
		fputs("kontor: out of memory\n", stderr);
		c.rc = CLI_FAILED;
	}
	enum cli_exit rc = c.rc;

	arena_destroy(c.a);
	/* What was flushed before may be what failed. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && rc == CLI_OK) {
		fputs("kontor: standard output cannot be written\n", stderr);
		rc = CLI_FAILED;
	}
	return (int)rc;
}
