-- programs from 0018
--
-- Types of authorization details (RFC 9396), as the operator wrote them.

CREATE TABLE detail_type (
	name some_text PRIMARY KEY,
	document bytea NOT NULL, -- JSON, with its fields in the order of the page
	changed bigint NOT NULL
);

CREATE TRIGGER detail_type_changed AFTER INSERT OR UPDATE OR DELETE ON detail_type
	FOR EACH STATEMENT EXECUTE FUNCTION notify_changed('party');
