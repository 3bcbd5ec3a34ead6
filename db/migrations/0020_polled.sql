-- programs from 0018
--
-- Clients that ask until somebody has answered: devices (RFC 8628), and those that name whom they
-- mean (OpenID Connect CIBA), in one table.

ALTER TABLE device RENAME TO polled;
ALTER TABLE polled RENAME CONSTRAINT device_pkey TO polled_pkey;
ALTER TABLE polled RENAME CONSTRAINT device_user_hash_key TO polled_user_hash_key;
ALTER TABLE polled RENAME CONSTRAINT device_state_check TO polled_state_check;
ALTER TABLE polled RENAME CONSTRAINT device_pause_check TO polled_pause_check;
ALTER INDEX device_expires RENAME TO polled_expires;

ALTER TABLE polled
	ADD kind text NOT NULL DEFAULT 'device',
	ADD acting id128, -- the one who may answer; NULL: who types the code
	ADD acr text, -- levels asked for, separated by spaces; NULL: unsaid
	ADD sealed bytea, -- what the person is to read
	ADD ping text, -- of the outbox, once it is answered; NULL: nobody is told
	ADD CONSTRAINT polled_kind_check CHECK (kind IN ('device', 'ciba')),
	ADD CONSTRAINT polled_ciba_has_acting CHECK ((kind = 'ciba') = (acting IS NOT NULL));
CREATE INDEX polled_acting ON polled (acting) WHERE acting IS NOT NULL;

-- For programs from before, until none is left.
CREATE VIEW device AS SELECT hash, user_hash, day, code, party, scope, state, pause, asked, soon,
	created, expires FROM polled WHERE kind = 'device';

ALTER TABLE flow
	DROP CONSTRAINT flow_front_check,
	ADD CONSTRAINT flow_front_check
		CHECK (front IN ('saml', 'oidc', 'account', 'device', 'ciba'));
