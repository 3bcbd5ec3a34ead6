-- programs from 0018
--
-- What a client that polls asks for beside a person's data.

ALTER TABLE polled
	ADD resources text, -- asked for, separated by spaces; NULL: unsaid
	ADD details bytea; -- authorization details (RFC 9396), sealed; NULL: none
