-- programs from 0001
--
-- Subjects and what belongs to them.  Times are seconds since the epoch, UTC;
-- levels are those of idp/level.h; hashes are SHA-256 or HMAC-SHA-256.

CREATE TABLE subject (
	id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
	kind text NOT NULL CHECK (kind IN ('person', 'organisation', 'authority')),
	origin text NOT NULL CHECK (origin IN ('local', 'foreign', 'temporary')),
	issuer text CHECK (issuer <> ''),
	foreign_id text CHECK (foreign_id <> ''),
	state text NOT NULL CHECK (state IN ('active', 'disabled', 'deleted')),
	account_key bytea CHECK (octet_length(account_key) > 0),
	created bigint NOT NULL,
	CONSTRAINT subject_foreign_has_issuer
		CHECK ((origin = 'foreign') = (issuer IS NOT NULL)
			AND (issuer IS NULL) = (foreign_id IS NULL)),
	-- Deleted means: nothing sealed for it can be opened any more.
	CONSTRAINT subject_deleted_has_no_key
		CHECK ((state = 'deleted') = (account_key IS NULL)),
	CONSTRAINT subject_foreign_once UNIQUE (issuer, foreign_id)
);

CREATE TABLE login_name (
	lookup bytea PRIMARY KEY CHECK (octet_length(lookup) = 32),
	subject bytea NOT NULL REFERENCES subject,
	created bigint NOT NULL
);
CREATE INDEX login_name_subject ON login_name (subject);

CREATE TABLE credential (
	id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
	subject bytea NOT NULL REFERENCES subject,
	kind text NOT NULL CHECK (kind IN ('password', 'totp')),
	level smallint NOT NULL CHECK (level BETWEEN 1 AND 4),
	blocked boolean NOT NULL DEFAULT false,
	secret bytea NOT NULL CHECK (octet_length(secret) > 0),
	last_step bigint CHECK (last_step >= 0),
	created bigint NOT NULL,
	last_used bigint,
	CONSTRAINT credential_totp_has_step CHECK ((kind = 'totp') = (last_step IS NOT NULL))
);
CREATE INDEX credential_subject ON credential (subject);
CREATE UNIQUE INDEX credential_one_password ON credential (subject) WHERE kind = 'password';

CREATE TABLE proofing (
	id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
	subject bytea NOT NULL REFERENCES subject,
	operator1 text NOT NULL CHECK (operator1 <> ''),
	operator2 text NOT NULL CHECK (operator2 <> ''),
	document_kind text NOT NULL CHECK (document_kind <> ''),
	evidence_hash bytea NOT NULL CHECK (octet_length(evidence_hash) = 32),
	at bigint NOT NULL,
	CONSTRAINT proofing_two_operators CHECK (operator1 <> operator2)
);
CREATE INDEX proofing_subject ON proofing (subject);

CREATE TABLE attribute (
	subject bytea NOT NULL REFERENCES subject,
	name text NOT NULL CHECK (name <> ''),
	sealed bytea NOT NULL CHECK (octet_length(sealed) > 0),
	empty boolean NOT NULL,
	level smallint NOT NULL CHECK (level BETWEEN 1 AND 4),
	source text NOT NULL CHECK (source <> ''),
	verified_at bigint,
	proofing bytea REFERENCES proofing,
	PRIMARY KEY (subject, name),
	CONSTRAINT attribute_proofed_is_verified
		CHECK (proofing IS NULL OR verified_at IS NOT NULL)
);

CREATE TABLE pseudonym (
	subject bytea NOT NULL REFERENCES subject,
	sector text NOT NULL CHECK (sector <> ''),
	generation bigint NOT NULL CHECK (generation >= 0), -- 0: imported
	value text NOT NULL CHECK (value <> '' AND octet_length(value) <= 256),
	created bigint NOT NULL,
	PRIMARY KEY (subject, sector),
	CONSTRAINT pseudonym_names_one UNIQUE (sector, value)
);
