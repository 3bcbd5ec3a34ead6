-- programs from 0001
--
-- What the operator sets: parties, keys, settings.  And the notices by which
-- all nodes learn of a change.

CREATE TABLE party (
	id text PRIMARY KEY CHECK (id <> '' AND octet_length(id) <= 1024),
	kind text NOT NULL CHECK (kind IN ('saml', 'oidc')),
	display_name text NOT NULL,
	document bytea NOT NULL,
	policy jsonb NOT NULL CHECK (jsonb_typeof(policy) = 'object'),
	version bigint NOT NULL CHECK (version > 0),
	enabled boolean NOT NULL,
	changed bigint NOT NULL
);

-- purpose, type: keys/key_ops.h.
CREATE TABLE key (
	kid text PRIMARY KEY CHECK (kid <> ''),
	purpose smallint NOT NULL CHECK (purpose > 0),
	type smallint NOT NULL CHECK (type > 0),
	state text NOT NULL
		CHECK (state IN ('planned', 'published', 'active', 'retired', 'gone')),
	generation bigint NOT NULL CHECK (generation > 0),
	spki bytea,
	certificate bytea,
	sealed bytea,
	created bigint NOT NULL,
	state_since bigint NOT NULL,
	CONSTRAINT key_generation_once UNIQUE (purpose, type, generation),
	CONSTRAINT key_gone_has_no_secret CHECK ((state = 'gone') = (sealed IS NULL))
);
CREATE UNIQUE INDEX key_one_active ON key (purpose, type) WHERE state = 'active';

CREATE FUNCTION key_state_rank(state text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
	SELECT array_position(ARRAY['planned', 'published', 'active', 'retired', 'gone'], state)
$$;

CREATE FUNCTION key_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF key_state_rank(NEW.state) < key_state_rank(OLD.state) THEN
		RAISE EXCEPTION USING MESSAGE = 'a key moves only forward',
			CONSTRAINT = 'key_moves_forward';
	END IF;
	IF (NEW.kid, NEW.purpose, NEW.type, NEW.generation) IS DISTINCT FROM
		(OLD.kid, OLD.purpose, OLD.type, OLD.generation) THEN
		RAISE EXCEPTION USING MESSAGE = 'a key stays what it is',
			CONSTRAINT = 'key_stays_itself';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER key_moves_forward BEFORE UPDATE ON key
	FOR EACH ROW EXECUTE FUNCTION key_moves_forward();

CREATE TABLE setting (
	name text PRIMARY KEY CHECK (name <> ''),
	value text NOT NULL,
	version bigint NOT NULL CHECK (version > 0),
	changed bigint NOT NULL
);

-- The payload says what kind of thing changed; who caches it loads it anew.
CREATE FUNCTION notify_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('kontor', TG_ARGV[0]);
	RETURN NULL;
END $$;
CREATE TRIGGER party_changed AFTER INSERT OR UPDATE OR DELETE ON party
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('party');
CREATE TRIGGER key_changed AFTER INSERT OR UPDATE OR DELETE ON key
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('key');
CREATE TRIGGER setting_changed AFTER INSERT OR UPDATE OR DELETE ON setting
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('setting');
CREATE TRIGGER subject_changed AFTER UPDATE OF state ON subject
	FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
	EXECUTE FUNCTION notify_changed('subject');

CREATE FUNCTION subject_deleted_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING MESSAGE = 'a deleted subject does not come back',
		CONSTRAINT = 'subject_deleted_is_final';
END $$;
CREATE TRIGGER subject_deleted_is_final BEFORE UPDATE OF state ON subject
	FOR EACH ROW WHEN (OLD.state = 'deleted' AND NEW.state <> 'deleted')
	EXECUTE FUNCTION subject_deleted_is_final();
