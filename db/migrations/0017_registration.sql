-- programs from 0010
--
-- Who may register clients without a command (RFC 7591), and who manages what was registered so
-- (RFC 7592).  Tokens are kept as hashes.

CREATE TABLE invitation (
	name some_text PRIMARY KEY, -- as the operator calls it
	hash hash256 NOT NULL UNIQUE, -- of the initial access token
	rules json_object NOT NULL, -- what may be asked for
	remaining bigint NOT NULL CHECK (remaining >= 0),
	expires bigint NOT NULL,
	created bigint NOT NULL
);

CREATE TABLE registration (
	party text PRIMARY KEY REFERENCES party ON DELETE CASCADE,
	hash hash256 NOT NULL, -- of the registration access token
	invitation some_text NOT NULL, -- whose name it was; it may be gone
	rules json_object NOT NULL, -- of that invitation, for whatever is changed later
	at bigint NOT NULL
);
