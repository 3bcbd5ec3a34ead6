-- programs from 0010
--
-- Where parties' metadata come from, and the copies of it that do not count: those that
-- wait for an operator, one that was rejected, those that were replaced.

CREATE TABLE party_source (
	party text PRIMARY KEY REFERENCES party ON DELETE CASCADE,
	url some_text NOT NULL,
	signers text NOT NULL, -- certificates, PEM; '': TLS alone vouches for it
	local_http boolean NOT NULL, -- endpoints of this machine may be http (demos)
	held boolean NOT NULL, -- what counts is not what came from here: all changes wait
	etag text, -- of what came last, to be asked for another one
	last_modified text,
	due bigint NOT NULL, -- no try before
	lease bigint NOT NULL, -- until then a node is at it
	tries bigint NOT NULL CHECK (tries >= 0), -- since it last went well
	fetched bigint, -- when it last went well
	trouble text -- why it did not since
);
CREATE INDEX party_source_due ON party_source (due);

CREATE TABLE party_copy (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	party text NOT NULL REFERENCES party ON DELETE CASCADE,
	state text NOT NULL CHECK (state IN ('pending', 'rejected', 'replaced')),
	document bytea NOT NULL,
	sha256 hash256 NOT NULL,
	base hash256, -- of the document that it was compared with
	asked hash256, -- one value for what an operator is asked
	changes json_object, -- what it would change
	at bigint NOT NULL,
	CONSTRAINT party_copy_digest CHECK (sha256 = sha256(document)),
	CONSTRAINT party_copy_asks CHECK ((state = 'replaced') = (base IS NULL)
		AND (base IS NULL) = (asked IS NULL) AND (base IS NULL) = (changes IS NULL))
);
CREATE UNIQUE INDEX party_copy_one ON party_copy (party, state) WHERE state <> 'replaced';
CREATE INDEX party_copy_party ON party_copy (party, seq);
