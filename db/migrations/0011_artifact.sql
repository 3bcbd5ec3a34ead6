-- programs from 0010
--
-- The place of a migration that comes with what it is for.
COMMENT ON TABLE outbox IS NULL;
