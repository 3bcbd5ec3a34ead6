-- programs from 0010
--
-- Grants that last: refresh tokens, and what access tokens are bound to.

-- What was offered and not allowed: what was not offered stays as it was last decided.
ALTER TABLE consent
	ADD left_out text[] NOT NULL DEFAULT '{}';

ALTER TABLE grant_code
	ADD consent bigint, -- the row that it was given on
	ADD offline boolean NOT NULL DEFAULT false, -- agreed to: it outlives the session
	ADD resources text, -- those asked for, separated by spaces; NULL: unsaid
	ADD cnf text; -- the key that its tokens have to be bound to; NULL: any

-- A client's own token has no subject; one that outlives the session names none.
ALTER TABLE access_token
	ALTER acting DROP NOT NULL,
	ALTER sid DROP NOT NULL,
	ALTER sealed DROP NOT NULL,
	ADD consent bigint, -- as its code has it; NULL: it has no subject
	ADD audience text, -- a resource; NULL: our own endpoints
	ADD extra bytea, -- facts of the login, for a resource
	ADD cnf text, -- the key it is bound to; NULL: none
	ADD act text; -- who acts for the subject (RFC 8693 4.1), as JSON; NULL: nobody

-- A family of refresh tokens in one row, so that two of them never count at once.  Its
-- text has a part that stays (handle) and one that changes (secret).
CREATE TABLE refresh_token (
	handle hash256 PRIMARY KEY,
	secret hash256 NOT NULL,
	previous hash256, -- counts for a moment more: its answer may have been lost
	rotated bigint,
	grant_id id128 NOT NULL,
	party some_text NOT NULL,
	acting id128 NOT NULL,
	represented id128,
	sid text REFERENCES session ON DELETE CASCADE, -- NULL: it outlives the session
	scope text NOT NULL,
	resources text,
	cnf text, -- the key that proves who may use it; NULL: its client proves itself
	sealed bytea NOT NULL,
	extra bytea NOT NULL,
	created bigint NOT NULL, -- as the code was
	used bigint NOT NULL,
	expires bigint NOT NULL, -- unless it is used before
	ends bigint NOT NULL, -- whatever happens
	consent bigint, -- as its code has it
	CONSTRAINT refresh_token_rotated CHECK ((previous IS NULL) = (rotated IS NULL)),
	CONSTRAINT refresh_token_ends CHECK (expires <= ends)
) WITH (fillfactor = 80); -- used changes in place
CREATE INDEX refresh_token_grant ON refresh_token (grant_id);
CREATE INDEX refresh_token_acting ON refresh_token (acting);
CREATE INDEX refresh_token_party ON refresh_token (party);
CREATE INDEX refresh_token_represented ON refresh_token (represented)
	WHERE represented IS NOT NULL;
CREATE INDEX refresh_token_sid ON refresh_token (sid) WHERE sid IS NOT NULL;
CREATE INDEX refresh_token_expires ON refresh_token (expires);
