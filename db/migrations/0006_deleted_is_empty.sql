-- programs from 0001
--
-- A deleted subject is empty and stays so, also for what was on its way while it
-- was deleted: its row is waited for, then looked at.

CREATE FUNCTION subject_deleted_is_empty() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	state_now text;
BEGIN
	SELECT state INTO state_now FROM subject WHERE id = NEW.subject FOR KEY SHARE;
	IF state_now = 'deleted' THEN
		RAISE EXCEPTION USING MESSAGE = 'the subject was deleted',
			CONSTRAINT = 'subject_deleted_is_empty';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER subject_deleted_is_empty BEFORE INSERT ON login_name
	FOR EACH ROW EXECUTE FUNCTION subject_deleted_is_empty();
CREATE TRIGGER subject_deleted_is_empty BEFORE INSERT ON credential
	FOR EACH ROW EXECUTE FUNCTION subject_deleted_is_empty();
CREATE TRIGGER subject_deleted_is_empty BEFORE INSERT ON attribute
	FOR EACH ROW EXECUTE FUNCTION subject_deleted_is_empty();
CREATE TRIGGER subject_deleted_is_empty BEFORE INSERT ON pseudonym
	FOR EACH ROW EXECUTE FUNCTION subject_deleted_is_empty();
