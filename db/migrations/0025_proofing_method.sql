-- programs from 0018
--
-- How a document was looked at. NULL: not said, as with all proofings from before.

ALTER TABLE proofing ADD method text CHECK (method IN ('in-person'));
