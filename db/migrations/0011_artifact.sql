-- programs from 0010
--
-- SAML messages that wait to be resolved by their artifact, sealed.  What tells of a
-- person hangs on the session it was made in, and goes with it.

CREATE TABLE artifact (
	hash hash256 PRIMARY KEY, -- of the handle
	party some_text NOT NULL, -- who alone may resolve it
	sid text REFERENCES session ON DELETE CASCADE,
	acting id128, -- of the session
	represented id128,
	sealed bytea, -- goes when it is resolved
	created bigint NOT NULL,
	expires bigint NOT NULL,
	taken_at bigint,
	refused_at bigint, -- once in the audit trail is enough
	reused_at bigint, -- asked for again by who had it
	CONSTRAINT artifact_taken_is_empty CHECK ((taken_at IS NULL) = (sealed IS NOT NULL)),
	CONSTRAINT artifact_tells_of_one CHECK ((sid IS NULL) = (acting IS NULL))
);
CREATE INDEX artifact_sid ON artifact (sid) WHERE sid IS NOT NULL;
CREATE INDEX artifact_expires ON artifact (expires);
