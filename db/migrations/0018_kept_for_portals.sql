-- programs from 0018
--
-- What was released to a portal is sealed under its account's own key from here on, so that what is
-- deleted closes in every backup.  What is sealed as before no program opens any more: who has it asks
-- for a login again.

DELETE FROM refresh_token;
DELETE FROM access_token WHERE sealed IS NOT NULL;
DELETE FROM grant_code WHERE taken_at IS NULL;
DELETE FROM artifact;

ALTER TABLE artifact
	ADD consent bigint; -- the row that it was made on; NULL: it tells of nobody
