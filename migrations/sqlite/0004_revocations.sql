-- Tokens that are to be revoked at their provider: a row is written in the transaction that forgets the token, and
-- removed once the provider was asked.
CREATE TABLE revocations (
    id               BLOB    NOT NULL PRIMARY KEY,
    -- The connection that the token was for. It may be gone, so nothing refers to it.
    space_guid       TEXT    NOT NULL,
    instance_id      TEXT    NOT NULL,
    environment_id   TEXT    NOT NULL,
    process_id       TEXT    NOT NULL,
    connection_id    TEXT    NOT NULL,
    account_id       TEXT    NOT NULL,
    -- Who made it be forgotten.
    actor            TEXT    NOT NULL,
    -- The token, where it is revoked, and the secret that this takes.
    sealed           BLOB    NOT NULL,
    data_key_version INTEGER NOT NULL,
    -- Nobody asks before: whoever asks moves it on first.
    due_at           INTEGER NOT NULL,
    -- A data key stays for as long as anything is sealed with it.
    FOREIGN KEY (space_guid, data_key_version) REFERENCES data_keys (scope, version)
) STRICT;
CREATE INDEX revocations_due ON revocations (due_at);
CREATE INDEX revocations_by_data_key ON revocations (space_guid, data_key_version, id);
