-- programs from 0001
--
-- Where a key's private half lies (keys/keyring.h): sealed in its row, or in a
-- hardware token, and then the row says, sealed, which object it is.  A program that
-- does not know the column works as long as no row says 'hsm'.

ALTER TABLE key ADD COLUMN place text NOT NULL DEFAULT 'sealed'
	CHECK (place IN ('sealed', 'hsm'));

CREATE OR REPLACE FUNCTION key_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF key_state_rank(NEW.state) < key_state_rank(OLD.state) THEN
		RAISE EXCEPTION USING MESSAGE = 'a key moves only forward',
			CONSTRAINT = 'key_moves_forward';
	END IF;
	IF (NEW.kid, NEW.purpose, NEW.type, NEW.generation, NEW.place) IS DISTINCT FROM
		(OLD.kid, OLD.purpose, OLD.type, OLD.generation, OLD.place) THEN
		RAISE EXCEPTION USING MESSAGE = 'a key stays what it is',
			CONSTRAINT = 'key_stays_itself';
	END IF;
	RETURN NEW;
END $$;
