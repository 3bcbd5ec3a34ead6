-- programs from 0018
--
-- The register of a federation's administration, and what it publishes.

-- Whom it knows; what is published of it is `counts`.
CREATE TABLE member (
	entity_id some_text PRIMARY KEY,
	registered bigint NOT NULL, -- when it was brought first
	counts bigint, -- of its documents; NULL: none is published
	suspended bigint, -- since then it is left out
	suspended_by some_text,
	suspended_why some_text,
	CONSTRAINT member_suspended_is_whole CHECK ((suspended IS NULL) = (suspended_by IS NULL)
		AND (suspended IS NULL) = (suspended_why IS NULL))
);

-- What was brought of it: two persons stand behind what counts.
CREATE TABLE member_document (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	entity_id text NOT NULL REFERENCES member ON DELETE CASCADE,
	state text NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected')),
	document bytea NOT NULL, -- canonical XML
	sha256 hash256 NOT NULL,
	valid_until bigint NOT NULL CHECK (valid_until >= 0), -- 0: it says none
	brought bigint NOT NULL,
	brought_by some_text NOT NULL,
	decided bigint,
	decided_by some_text,
	CONSTRAINT member_document_digest CHECK (sha256 = sha256(document)),
	CONSTRAINT member_document_decided CHECK ((state = 'waiting') = (decided IS NULL)
		AND (decided IS NULL) = (decided_by IS NULL)),
	CONSTRAINT member_document_two_persons CHECK (state <> 'approved' OR decided_by <> brought_by)
);
CREATE UNIQUE INDEX member_document_waits ON member_document (entity_id) WHERE state = 'waiting';
CREATE INDEX member_document_member ON member_document (entity_id, seq);
ALTER TABLE member ADD CONSTRAINT member_counts FOREIGN KEY (counts) REFERENCES member_document;

-- What became of whom, for those who follow; never changed.
CREATE TABLE member_change (
	seq bigint PRIMARY KEY, -- without a gap, in the order in which they were committed
	at bigint NOT NULL,
	entity_id some_text NOT NULL,
	what text NOT NULL CHECK (what IN ('added', 'changed', 'suspended', 'resumed', 'removed'))
);

CREATE FUNCTION member_change_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('member_change'));
	NEW.seq := coalesce(NEW.seq, (SELECT coalesce(max(seq), 0) + 1 FROM member_change));
	RETURN NEW;
END $$;
CREATE TRIGGER member_change_numbered BEFORE INSERT ON member_change
	FOR EACH ROW EXECUTE FUNCTION member_change_number();

CREATE TABLE publication (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	base bigint NOT NULL UNIQUE, -- seq of the one before, 0: none: of two at a time one fails
	change bigint NOT NULL, -- seq of the last change that is in it
	at bigint NOT NULL,
	valid_until bigint NOT NULL,
	members bigint NOT NULL CHECK (members >= 0),
	sha256 hash256 NOT NULL, -- of the document
	document bytea NOT NULL, -- compressed (RFC 1952)
	CONSTRAINT publication_has_document CHECK ((members = 0) = (octet_length(document) = 0))
);
CREATE TRIGGER publication_changed AFTER INSERT ON publication
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('party');

-- Its members one by one, as metadata queries ask for them.
CREATE TABLE publication_member (
	publication bigint NOT NULL REFERENCES publication ON DELETE CASCADE,
	sha1 bytea NOT NULL CHECK (octet_length(sha1) = 20), -- of the entityID
	entity_id some_text NOT NULL,
	source bigint NOT NULL, -- of the documents of the member
	sha256 hash256 NOT NULL, -- of the document
	document bytea NOT NULL, -- compressed
	PRIMARY KEY (publication, sha1)
);
