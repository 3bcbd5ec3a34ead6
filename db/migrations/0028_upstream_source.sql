-- programs from 0018
--
-- Other OpenID Providers: what they say of themselves, and their keys, as they were fetched last.

CREATE TABLE upstream_source (
	upstream some_text PRIMARY KEY REFERENCES upstream (id) ON DELETE CASCADE,
	issuer some_text NOT NULL,
	discovery bytea, -- NULL: never fetched
	keys bytea,
	due bigint NOT NULL,
	lease bigint NOT NULL DEFAULT 0, -- of the node that fetches it
	tries bigint NOT NULL DEFAULT 0 CHECK (tries >= 0), -- since it last went well
	fetched bigint,
	missed bigint, -- when a key was last asked for that is not there
	trouble text,
	CONSTRAINT upstream_source_both CHECK ((discovery IS NULL) = (keys IS NULL))
);

CREATE INDEX upstream_source_due ON upstream_source (due);

CREATE TRIGGER upstream_source_changed AFTER UPDATE OF discovery, keys ON upstream_source
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('party');
