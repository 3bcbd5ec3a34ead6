-- programs from 0018
--
-- Other identity providers that people may come from, and logins that are there on the way.

CREATE TABLE upstream (
	id some_text PRIMARY KEY,
	kind some_text NOT NULL,
	display_name some_text NOT NULL,
	document bytea NOT NULL, -- its metadata
	policy json_object NOT NULL,
	enabled boolean NOT NULL,
	changed bigint NOT NULL
);

CREATE TRIGGER upstream_changed AFTER INSERT OR UPDATE OR DELETE ON upstream
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('party');

ALTER TABLE flow
	ADD away bytea, -- what another provider was asked; NULL: nothing, or it has answered
	ADD home bytea; -- what it answered, sealed; gone with the row

-- Of somebody who has no account here: what was released is under a key of its own.
ALTER TABLE grant_code
	ALTER acting DROP NOT NULL,
	ALTER sid DROP NOT NULL,
	ADD CONSTRAINT grant_code_of_one CHECK ((acting IS NULL) = (sid IS NULL));
