-- What an API token may do, as names with commas between them; NULL for one that says so by reads_access_tokens alone,
-- which a version before this one made.
ALTER TABLE api_tokens ADD COLUMN rights TEXT COLLATE "C";
-- When it ends; NULL for never. And when it last made a JWT, give or take a minute.
ALTER TABLE api_tokens ADD COLUMN expires_at BIGINT;
ALTER TABLE api_tokens ADD COLUMN used_at BIGINT;
CREATE INDEX api_tokens_by_account ON api_tokens (account_id, username);
