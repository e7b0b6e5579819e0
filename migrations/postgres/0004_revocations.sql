-- Tokens that are to be revoked at their provider: a row is written in the transaction that forgets the token, and
-- removed once the provider was asked.
CREATE TABLE revocations (
    id               UUID NOT NULL PRIMARY KEY,
    -- The connection that the token was for. It may be gone, so nothing refers to it.
    space_guid       TEXT COLLATE "C" NOT NULL,
    instance_id      TEXT COLLATE "C" NOT NULL,
    environment_id   TEXT COLLATE "C" NOT NULL,
    process_id       TEXT COLLATE "C" NOT NULL,
    connection_id    TEXT COLLATE "C" NOT NULL,
    account_id       TEXT COLLATE "C" NOT NULL,
    -- Who made it be forgotten.
    actor            TEXT COLLATE "C" NOT NULL,
    -- The token, where it is revoked, and the secret that this takes.
    sealed           BYTEA NOT NULL,
    data_key_version BIGINT NOT NULL,
    -- Nobody asks before: whoever asks moves it on first.
    due_at           BIGINT NOT NULL,
    -- A data key stays for as long as anything is sealed with it.
    FOREIGN KEY (space_guid, data_key_version) REFERENCES data_keys (scope, version)
);
CREATE INDEX revocations_due ON revocations (due_at);
CREATE INDEX revocations_by_data_key ON revocations (space_guid, data_key_version, id);
