-- programs from 0010
--
-- Parties that a page of ours reaches in a frame: they never answer, so such a row stays as it is.

ALTER TABLE logout_portal
	DROP CONSTRAINT logout_portal_channel_check,
	ADD CONSTRAINT logout_portal_channel_check
		CHECK (channel IN ('outbox', 'front', 'frame', 'none'));
