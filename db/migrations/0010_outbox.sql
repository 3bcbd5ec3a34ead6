-- programs from 0010
--
-- What we have to tell others, kept until they have heard it, and what became of a
-- single logout.  A row of the outbox is written in the transaction of what causes it.

CREATE TABLE outbox (
	id some_text PRIMARY KEY,
	kind some_text NOT NULL,
	target some_text NOT NULL, -- who is to hear it; few rows of one are sent at once
	content text NOT NULL, -- goes when it is over
	state text NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
	result text, -- a word of the kind's: how it ended, or why the last try failed
	tries bigint NOT NULL CHECK (tries >= 0),
	due bigint NOT NULL, -- no try before
	lease bigint NOT NULL, -- until then a node is at it
	created bigint NOT NULL,
	expires bigint NOT NULL, -- no try after
	CONSTRAINT outbox_over_is_empty CHECK ((state = 'waiting') = (content <> '')),
	CONSTRAINT outbox_over_has_result CHECK (state = 'waiting' OR result IS NOT NULL)
);
CREATE INDEX outbox_due ON outbox (due) WHERE state = 'waiting';
CREATE INDEX outbox_busy ON outbox (target, lease) WHERE state = 'waiting';
CREATE INDEX outbox_over ON outbox (expires) WHERE state <> 'waiting';

-- A logout whose browser may ask what became of it.
CREATE TABLE logout (
	day bigint NOT NULL,
	hash hash256 NOT NULL,
	back text NOT NULL, -- whom to answer in the end
	created bigint NOT NULL,
	expires bigint NOT NULL,
	PRIMARY KEY (day, hash),
	CONSTRAINT logout_day CHECK (day = expires / 86400)
) PARTITION BY RANGE (day);

-- One row for each name that a party knows the person by.
CREATE TABLE logout_portal (
	day bigint NOT NULL,
	hash hash256 NOT NULL,
	id some_text NOT NULL,
	party some_text NOT NULL,
	channel text NOT NULL CHECK (channel IN ('outbox', 'front', 'none')),
	content text NOT NULL,
	outbox text,
	request bytea CHECK (octet_length(request) = 32), -- what the browser took there
	state text NOT NULL CHECK (state IN ('waiting', 'sent', 'confirmed', 'claimed', 'failed')),
	PRIMARY KEY (day, hash, id),
	CONSTRAINT logout_portal_outbox CHECK ((channel = 'outbox') = (outbox IS NOT NULL)),
	CONSTRAINT logout_portal_sent CHECK ((state <> 'waiting') = (request IS NOT NULL))
) PARTITION BY RANGE (day);
CREATE INDEX logout_portal_request ON logout_portal (request);

-- The format of the NameID as sent; '' where a dialect has no such thing.
ALTER TABLE session_participant ADD COLUMN name_format text NOT NULL DEFAULT '';

CREATE OR REPLACE FUNCTION partitioned_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT ARRAY['flow', 'grant_code', 'access_token', 'seen', 'ticket', 'attempt_budget',
		'logout', 'logout_portal']
$$;

-- For the days that the others have: a program from before sees no gap.
SELECT partitions_maintain(min(day), min(day), max(day)) FROM (
	SELECT substring(relname FROM '^flow_([0-9]+)$')::bigint AS day FROM pg_class) AS flow
HAVING min(day) IS NOT NULL;
