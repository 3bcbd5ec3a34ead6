-- programs from 0018
--
-- Tokens that were exchanged for others (RFC 8693): they hang on what the first one hung on.
ALTER TABLE access_token
	ADD origin text, -- whose client the first one was; NULL: the first itself
	ADD root_day bigint, -- where the first one lies
	ADD root_hash bytea,
	ADD CONSTRAINT access_token_root
		CHECK ((origin IS NULL) = (root_day IS NULL)
			AND (origin IS NULL) = (root_hash IS NULL));
