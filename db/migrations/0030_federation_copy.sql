-- programs from 0030
--
-- A copy of a federation's metadata is made of its members' texts and of what stands around them:
-- a piece names texts by digest, and nothing is stored twice.  Earlier copies are fetched again; of
-- a file an operator brings it again.

DELETE FROM federation_copy;
DELETE FROM federation_text;
UPDATE federation_source SET version = version + 1, etag = NULL, last_modified = NULL,
	due = CASE WHEN kind = 'aggregate' THEN 0 END;
