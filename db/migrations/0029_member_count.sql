-- programs from 0018
--
-- How often members of federations asked about people here, and what became of it: numbers alone.

CREATE TABLE member_count (
	day bigint NOT NULL CHECK (day > 0), -- since 1970, UTC
	member some_text NOT NULL, -- entityID
	outcome some_text NOT NULL,
	level bigint NOT NULL CHECK (level BETWEEN 0 AND 4), -- that was told; 0: none
	times bigint NOT NULL CHECK (times > 0),
	PRIMARY KEY (day, member, outcome, level)
);
