-- programs from 0030
--
-- Who was a member of a federation and is not any more, and what was said of it last: with that it
-- is compared when it comes back.

CREATE TABLE federation_left (
	source text NOT NULL REFERENCES federation_source ON DELETE CASCADE,
	entity hash256 NOT NULL, -- of its entityID
	digest hash256 NOT NULL, -- of its text, which is kept
	at bigint NOT NULL,
	PRIMARY KEY (source, entity)
);
CREATE INDEX federation_left_digest ON federation_left (source, digest);

-- An earlier copy counts because an operator said so: what changes that again waits for one.
ALTER TABLE federation_source ADD rolled_back boolean NOT NULL DEFAULT false;
