-- programs from 0001
--
-- Epochs of account keys.  A wrapped key says in octets 2 to 5, big endian, which
-- epoch key wrapped it (keys/seal.h); the index finds those that are to be wrapped anew.

CREATE INDEX subject_epoch ON subject (substring(account_key FROM 2 FOR 4))
	WHERE account_key IS NOT NULL;

-- At `at` no account was wrapped under an epoch before this one any more.
CREATE TABLE epoch_settled (
	epoch bigint PRIMARY KEY CHECK (epoch > 0),
	at bigint NOT NULL
);
