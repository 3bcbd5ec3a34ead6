-- programs from 0001
--
-- What each login writes is checked by the types of its columns: PostgreSQL reads the
-- text of a table's CHECK constraints again for every statement that writes to it, also
-- those of columns that stay as they are; that of a type it reads once for each connection.

CREATE DOMAIN hash256 AS bytea
	CONSTRAINT hash256_has_32_octets CHECK (octet_length(VALUE) = 32);
CREATE DOMAIN id128 AS bytea
	CONSTRAINT id128_has_16_octets CHECK (octet_length(VALUE) = 16);
CREATE DOMAIN some_text AS text
	CONSTRAINT some_text_is_not_empty CHECK (VALUE <> '');
CREATE DOMAIN dialect AS text
	CONSTRAINT dialect_is_known CHECK (VALUE IN ('saml', 'oidc'));
CREATE DOMAIN json_object AS jsonb
	CONSTRAINT json_object_is_one CHECK (jsonb_typeof(VALUE) = 'object');

ALTER TABLE grant_code
	DROP CONSTRAINT grant_code_hash_check,
	DROP CONSTRAINT grant_code_grant_id_check,
	DROP CONSTRAINT grant_code_party_check,
	DROP CONSTRAINT grant_code_acting_check,
	DROP CONSTRAINT grant_code_represented_check,
	ALTER hash TYPE hash256,
	ALTER grant_id TYPE id128,
	ALTER party TYPE some_text,
	ALTER acting TYPE id128,
	ALTER represented TYPE id128;

ALTER TABLE access_token
	DROP CONSTRAINT access_token_hash_check,
	DROP CONSTRAINT access_token_grant_id_check,
	DROP CONSTRAINT access_token_party_check,
	DROP CONSTRAINT access_token_acting_check,
	DROP CONSTRAINT access_token_represented_check,
	ALTER hash TYPE hash256,
	ALTER grant_id TYPE id128,
	ALTER party TYPE some_text,
	ALTER acting TYPE id128,
	ALTER represented TYPE id128;

ALTER TABLE seen
	DROP CONSTRAINT seen_kind_check,
	DROP CONSTRAINT seen_hash_check,
	ALTER kind TYPE some_text,
	ALTER hash TYPE hash256;

ALTER TABLE session_participant
	DROP CONSTRAINT session_participant_party_check,
	DROP CONSTRAINT session_participant_dialect_check,
	ALTER party TYPE some_text,
	ALTER dialect TYPE dialect;

-- The trail is long: its values are rewritten once, with its indexes.
ALTER TABLE audit
	DROP CONSTRAINT audit_event_check,
	DROP CONSTRAINT audit_subject_check,
	DROP CONSTRAINT audit_details_check,
	ALTER event TYPE some_text,
	ALTER subject TYPE id128,
	ALTER details TYPE json_object;
