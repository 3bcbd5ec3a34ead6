-- programs from 0001
--
-- What lives for minutes, partitioned by the day it expires on and dropped a
-- day at a time.  There is no default partition: a row without a partition is
-- refused instead of hiding from look-up and clean-up.

CREATE TABLE flow (
	day bigint NOT NULL,
	hash bytea NOT NULL CHECK (octet_length(hash) = 32),
	browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
	party text NOT NULL, -- empty for a login to one's own account
	front text NOT NULL CHECK (front IN ('saml', 'oidc', 'account')),
	ask bytea NOT NULL,
	state text NOT NULL CHECK (state <> ''),
	version bigint NOT NULL CHECK (version > 0),
	progress bytea NOT NULL,
	acting bytea CHECK (octet_length(acting) = 16),
	represented bytea CHECK (octet_length(represented) = 16),
	sid text,
	created bigint NOT NULL,
	expires bigint NOT NULL,
	PRIMARY KEY (day, hash),
	CONSTRAINT flow_day CHECK (day = expires / 86400),
	CONSTRAINT flow_party CHECK ((party = '') = (front = 'account'))
) PARTITION BY RANGE (day);

-- A code that was taken stays as its own tombstone: grant_id leads to what it gave.
CREATE TABLE grant_code (
	day bigint NOT NULL,
	hash bytea NOT NULL CHECK (octet_length(hash) = 32),
	grant_id bytea NOT NULL CHECK (octet_length(grant_id) = 16),
	party text NOT NULL CHECK (party <> ''),
	acting bytea NOT NULL CHECK (octet_length(acting) = 16),
	represented bytea CHECK (octet_length(represented) = 16),
	sid text NOT NULL,
	scope text NOT NULL,
	sealed bytea, -- goes when the code is taken
	redirect_uri text NOT NULL,
	challenge text,
	nonce text,
	extra bytea,
	created bigint NOT NULL,
	expires bigint NOT NULL,
	taken_at bigint,
	PRIMARY KEY (day, hash),
	CONSTRAINT grant_code_day CHECK (day = expires / 86400),
	CONSTRAINT grant_code_taken_is_empty
		CHECK ((taken_at IS NULL) = (sealed IS NOT NULL)
			AND (taken_at IS NULL) = (extra IS NOT NULL))
) PARTITION BY RANGE (day);

CREATE TABLE access_token (
	day bigint NOT NULL,
	hash bytea NOT NULL CHECK (octet_length(hash) = 32),
	grant_id bytea NOT NULL CHECK (octet_length(grant_id) = 16),
	party text NOT NULL CHECK (party <> ''),
	acting bytea NOT NULL CHECK (octet_length(acting) = 16),
	represented bytea CHECK (octet_length(represented) = 16),
	sid text NOT NULL,
	scope text NOT NULL,
	sealed bytea NOT NULL,
	created bigint NOT NULL,
	expires bigint NOT NULL,
	revoked_at bigint,
	PRIMARY KEY (day, hash),
	CONSTRAINT access_token_day CHECK (day = expires / 86400)
) PARTITION BY RANGE (day);
CREATE INDEX access_token_grant ON access_token (grant_id);
CREATE INDEX access_token_sid ON access_token (sid);

CREATE TABLE seen (
	day bigint NOT NULL,
	kind text NOT NULL CHECK (kind <> ''),
	hash bytea NOT NULL CHECK (octet_length(hash) = 32),
	expires bigint NOT NULL,
	PRIMARY KEY (day, kind, hash),
	CONSTRAINT seen_day CHECK (day = expires / 86400)
) PARTITION BY RANGE (day);

CREATE TABLE ticket (
	day bigint NOT NULL,
	hash bytea NOT NULL CHECK (octet_length(hash) = 32),
	subject bytea CHECK (octet_length(subject) = 16),
	data bytea NOT NULL,
	created bigint NOT NULL,
	expires bigint NOT NULL,
	PRIMARY KEY (day, hash),
	CONSTRAINT ticket_day CHECK (day = expires / 86400)
) PARTITION BY RANGE (day);

-- The day is that of the window's end.
CREATE TABLE attempt_budget (
	day bigint NOT NULL,
	hash bytea NOT NULL CHECK (octet_length(hash) = 32),
	"window" bigint NOT NULL,
	used bigint NOT NULL CHECK (used >= 0),
	PRIMARY KEY (day, hash, "window")
) PARTITION BY RANGE (day);

CREATE FUNCTION partitioned_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT ARRAY['flow', 'grant_code', 'access_token', 'seen', 'ticket', 'attempt_budget']
$$;

-- Make the partitions for first_day .. last_day and drop those before
-- oldest_day.  Made aside and attached, which stops neither readers nor writers;
-- dropping waits briefly for its lock, and for another run if it gets none.
CREATE FUNCTION partitions_maintain(oldest_day bigint, first_day bigint, last_day bigint,
	OUT made bigint, OUT dropped bigint) LANGUAGE plpgsql AS $$
DECLARE
	parent text;
	part text;
	d bigint;
BEGIN
	made := 0;
	dropped := 0;
	IF NOT pg_try_advisory_xact_lock(hashtext('kontor partitions')) THEN
		RETURN;
	END IF;
	PERFORM set_config('lock_timeout', '200ms', true);
	FOREACH parent IN ARRAY partitioned_tables() LOOP
		FOR d IN first_day .. last_day LOOP
			part := format('%I', parent || '_' || d);
			CONTINUE WHEN to_regclass(part) IS NOT NULL;
			EXECUTE format('CREATE TABLE %s (LIKE %I INCLUDING ALL,'
				' CONSTRAINT one_day CHECK (day >= %s AND day < %s))',
				part, parent, d, d + 1);
			EXECUTE format('ALTER TABLE %I ATTACH PARTITION %s'
				' FOR VALUES FROM (%s) TO (%s)', parent, part, d, d + 1);
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT one_day', part);
			made := made + 1;
		END LOOP;
	END LOOP;
	FOREACH parent IN ARRAY partitioned_tables() LOOP
		FOR part IN
			SELECT i.inhrelid::regclass::text FROM pg_inherits i
			JOIN pg_class c ON c.oid = i.inhrelid
			WHERE i.inhparent = parent::regclass
				AND substring(c.relname FROM '_([0-9]+)$')::bigint < oldest_day
		LOOP
			BEGIN
				EXECUTE format('DROP TABLE %s', part);
				dropped := dropped + 1;
			EXCEPTION WHEN lock_not_available THEN
				NULL; -- in use
			END;
		END LOOP;
	END LOOP;
END $$;

-- The first day without a partition, in the table that ends earliest.
CREATE FUNCTION partitions_until(first_day bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
	parent text;
	d bigint := first_day;
BEGIN
	LOOP
		FOREACH parent IN ARRAY partitioned_tables() LOOP
			IF to_regclass(format('%I', parent || '_' || d)) IS NULL THEN
				RETURN d;
			END IF;
		END LOOP;
		d := d + 1;
	END LOOP;
END $$;
