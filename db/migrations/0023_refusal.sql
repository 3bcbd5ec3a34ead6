-- programs from 0018
--
-- Why requests of a party were refused lately: a row for each endpoint, error and reason, never
-- one for each request. A few rows a party (db/refusal.h), and none older than two weeks.

CREATE TABLE refusal (
	party text NOT NULL REFERENCES party ON DELETE CASCADE,
	proven boolean NOT NULL, -- a secret, key or token came first; else anybody may have sent it
	endpoint some_text NOT NULL,
	error some_text NOT NULL,
	reason some_text NOT NULL, -- the log's text: nothing that a request held
	times bigint NOT NULL CHECK (times > 0),
	first_at bigint NOT NULL,
	last_at bigint NOT NULL CHECK (last_at >= first_at),
	ref some_text NOT NULL, -- of the last one, as its sender was told
	PRIMARY KEY (party, proven, endpoint, error, reason)
);
CREATE INDEX refusal_last_at ON refusal (last_at);
