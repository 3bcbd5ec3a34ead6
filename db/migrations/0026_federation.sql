-- programs from 0018
--
-- Federations: where their signed metadata comes from, the copies of it that were taken, and what
-- those say of each member.  None of it is trusted: each node verifies a copy's octets itself, and
-- a member's text by its digest.

CREATE TABLE federation_source (
	name some_text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
	kind text NOT NULL CHECK (kind IN ('aggregate', 'file')),
	url text, -- NULL: a file that an operator brings
	signers some_text NOT NULL, -- certificates, PEM, whose keys may have signed
	rules json_object NOT NULL, -- filters, caps and policy, as idp/federation_rules.h reads them
	version bigint NOT NULL CHECK (version > 0), -- counts changes of signers and rules
	etag text, -- of what came last, to be asked for another one
	last_modified text,
	due bigint, -- no try before; NULL: never
	lease bigint NOT NULL, -- until then a node is at it
	tries bigint NOT NULL CHECK (tries >= 0), -- since it last went well
	taken bigint NOT NULL, -- how often it was taken in all: who was overtaken writes nothing
	fetched bigint, -- when it last went well
	trouble text, -- why it did not since
	CONSTRAINT federation_source_place CHECK ((kind = 'file') = (url IS NULL))
);

CREATE TABLE federation_copy (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	source text NOT NULL REFERENCES federation_source ON DELETE CASCADE,
	state text NOT NULL
		CHECK (state IN ('arriving', 'counting', 'waiting', 'rejected', 'replaced')),
	digest hash256, -- of its octets; NULL while it arrives
	octets bigint, -- how many
	members bigint, -- how many it has
	valid_until bigint,
	signer hash256, -- of the certificate whose key signed it
	changes json_object, -- what it changes, and why it waits
	asked hash256, -- one value for what an operator is asked; NULL: nothing
	gone bytea, -- while it waits: SHA-256 of the entityIDs that it has no more, and that count no more
	approved_by text, -- NULL: nobody had to
	at bigint NOT NULL,
	CONSTRAINT federation_copy_whole CHECK (state = 'arriving' OR (digest IS NOT NULL
		AND octets IS NOT NULL AND members IS NOT NULL AND valid_until IS NOT NULL
		AND signer IS NOT NULL AND changes IS NOT NULL))
);
CREATE UNIQUE INDEX federation_copy_one ON federation_copy (source, state)
	WHERE state <> 'replaced';
CREATE INDEX federation_copy_source ON federation_copy (source, seq);

-- Its octets, in pieces, each compressed by itself.
CREATE TABLE federation_piece (
	copy bigint NOT NULL REFERENCES federation_copy ON DELETE CASCADE,
	n bigint NOT NULL,
	octets bytea NOT NULL,
	PRIMARY KEY (copy, n)
);
ALTER TABLE federation_piece ALTER octets SET STORAGE EXTERNAL;

-- What is said of one member, canonical, compressed.  Copies share what they say alike: `used` is
-- the last copy that says it, `since` the first.
CREATE TABLE federation_text (
	source text NOT NULL REFERENCES federation_source ON DELETE CASCADE,
	digest hash256 NOT NULL,
	text bytea NOT NULL,
	since bigint NOT NULL,
	used bigint NOT NULL,
	PRIMARY KEY (source, digest)
);
ALTER TABLE federation_text ALTER text SET STORAGE EXTERNAL;

-- Who is not believed, whatever a copy says; read at each login.
CREATE TABLE federation_suspended (
	entity text NOT NULL CHECK (entity <> '' AND octet_length(entity) <= 1024),
	source text REFERENCES federation_source ON DELETE CASCADE, -- NULL: all
	by_whom text NOT NULL,
	why text NOT NULL,
	at bigint NOT NULL,
	UNIQUE NULLS NOT DISTINCT (entity, source)
);

-- Only what makes nodes look again, not each try.
CREATE TRIGGER federation_source_changed AFTER INSERT OR DELETE OR UPDATE OF version
	ON federation_source FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('federation');
CREATE TRIGGER federation_copy_changed AFTER UPDATE OF state
	ON federation_copy FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('federation');
CREATE TRIGGER federation_suspended_changed AFTER INSERT OR DELETE OR UPDATE
	ON federation_suspended FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('federation');
