-- programs from 0010
--
-- Devices without a browser that wait for a person at one (RFC 8628).  What the person agreed to is a
-- row of grant_code, which the device's code leads to.

CREATE TABLE device (
	hash hash256 PRIMARY KEY, -- of the device's code
	user_hash hash256 NOT NULL UNIQUE, -- of the code that the person types
	day bigint NOT NULL, -- where its row of grant_code will be
	code hash256 NOT NULL,
	party some_text NOT NULL,
	scope text NOT NULL,
	state text NOT NULL CHECK (state IN ('waiting', 'agreed', 'denied')),
	pause bigint NOT NULL CHECK (pause > 0), -- seconds between two questions
	asked bigint, -- when it asked last
	soon boolean NOT NULL, -- and that was sooner than it may
	created bigint NOT NULL,
	expires bigint NOT NULL
);
CREATE INDEX device_expires ON device (expires);

ALTER TABLE flow
	DROP CONSTRAINT flow_front_check,
	ADD CONSTRAINT flow_front_check CHECK (front IN ('saml', 'oidc', 'account', 'device'));
