-- What a provider's answer had beside the tokens, as JSON, sealed as they are; NULL where there was nothing.
ALTER TABLE tokens ADD COLUMN extra BLOB;
-- The likely causes of the failure, most likely first, as JSON.
ALTER TABLE tokens ADD COLUMN advice TEXT;
