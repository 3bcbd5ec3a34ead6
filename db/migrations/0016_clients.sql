-- programs from 0010
--
-- What a client's jwks_uri brought last, kept beside where it comes from.  It is the whole
-- document that reads; the client's own record is not touched by it.

ALTER TABLE party_source
	ADD COLUMN keys bytea, -- NULL: nothing came yet, or the party is no client
	ADD COLUMN missed bigint; -- when a key was last asked for that is not among them

CREATE TRIGGER party_source_keys AFTER UPDATE OF keys ON party_source
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('party');
