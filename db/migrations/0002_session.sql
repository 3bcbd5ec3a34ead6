-- programs from 0001
--
-- Browser sessions, who took part in them, and what was consented to.

CREATE TABLE session (
	sid text PRIMARY KEY CHECK (sid <> ''),
	id_hash bytea NOT NULL CHECK (octet_length(id_hash) = 32),
	acting bytea NOT NULL REFERENCES subject,
	represented bytea REFERENCES subject,
	sso_group text NOT NULL CHECK (sso_group <> ''),
	created bigint NOT NULL,
	last_used bigint NOT NULL,
	expires bigint NOT NULL,
	CONSTRAINT session_id_once UNIQUE (id_hash),
	CONSTRAINT session_represents_another CHECK (represented <> acting)
) WITH (fillfactor = 80); -- last_used changes in place
CREATE INDEX session_acting ON session (acting);
CREATE INDEX session_represented ON session (represented) WHERE represented IS NOT NULL;
CREATE INDEX session_expires ON session (expires);

CREATE TABLE session_proof (
	sid text NOT NULL REFERENCES session ON DELETE CASCADE,
	at bigint NOT NULL,
	level smallint NOT NULL CHECK (level BETWEEN 1 AND 4),
	method text NOT NULL CHECK (method <> ''),
	PRIMARY KEY (sid, at, method)
);

-- One row per name a party was told; '' where a dialect has no such thing.
CREATE TABLE session_participant (
	sid text NOT NULL REFERENCES session ON DELETE CASCADE,
	party text NOT NULL CHECK (party <> ''),
	dialect text NOT NULL CHECK (dialect IN ('saml', 'oidc')),
	name_id text NOT NULL,
	session_index text NOT NULL,
	at bigint NOT NULL,
	PRIMARY KEY (sid, party, name_id, session_index)
);
CREATE INDEX session_participant_name ON session_participant (party, name_id);

-- Only added to; the last row of (acting, represented, party) stands.
CREATE TABLE consent (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	acting bytea NOT NULL REFERENCES subject,
	represented bytea REFERENCES subject,
	party text NOT NULL CHECK (party <> ''),
	given boolean NOT NULL, -- false: withdrawn
	fingerprint bytea CHECK (octet_length(fingerprint) = 32),
	attributes jsonb CHECK (jsonb_typeof(attributes) = 'array'),
	purpose text,
	at bigint NOT NULL,
	CONSTRAINT consent_given_says_what CHECK (given =
		(fingerprint IS NOT NULL AND attributes IS NOT NULL AND purpose IS NOT NULL))
);
CREATE INDEX consent_last ON consent (acting, party, id);
