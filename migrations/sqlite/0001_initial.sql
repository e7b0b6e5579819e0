-- Moments are microseconds since 1970 (UTC); UUIDs are BLOBs of 16 bytes.

CREATE TABLE accounts (
    id         TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE spaces (
    guid       TEXT    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX spaces_by_account ON spaces (account_id, guid);

CREATE TABLE packs (
    space_guid        TEXT    NOT NULL REFERENCES spaces (guid),
    id                TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    installation_type TEXT    NOT NULL CHECK (installation_type IN ('SINGLE', 'MULTI')),
    created_at        INTEGER NOT NULL,
    PRIMARY KEY (space_guid, id)
) STRICT;

CREATE TABLE pack_processes (
    space_guid TEXT    NOT NULL,
    pack_id    TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    PRIMARY KEY (space_guid, pack_id, id),
    FOREIGN KEY (space_guid, pack_id) REFERENCES packs (space_guid, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE pack_connections (
    space_guid TEXT    NOT NULL,
    pack_id    TEXT    NOT NULL,
    process_id TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    uses_oauth INTEGER NOT NULL CHECK (uses_oauth IN (0, 1)),
    -- Shaped like oauthConnectorDetails: what a form starts with before anything is saved.
    defaults   TEXT,
    PRIMARY KEY (space_guid, pack_id, process_id, id),
    FOREIGN KEY (space_guid, pack_id, process_id) REFERENCES pack_processes (space_guid, pack_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE environments (
    space_guid     TEXT    NOT NULL REFERENCES spaces (guid),
    id             TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    classification TEXT    NOT NULL CHECK (classification IN ('PROD', 'TEST')),
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (space_guid, id)
) STRICT;

CREATE TABLE instances (
    space_guid     TEXT    NOT NULL REFERENCES spaces (guid),
    id             TEXT    NOT NULL,
    account_id     TEXT    NOT NULL REFERENCES accounts (id),
    pack_id        TEXT,
    name           TEXT    NOT NULL,
    override_name  TEXT,
    -- The names in lower case: SQLite itself lowers ASCII only.
    search_text    TEXT    NOT NULL,
    -- The pack's id where the pack may be installed once per account, else NULL.
    single_pack_id TEXT,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (space_guid, id),
    UNIQUE (account_id, single_pack_id),
    FOREIGN KEY (space_guid, pack_id) REFERENCES packs (space_guid, id)
) STRICT;
CREATE INDEX instances_by_account ON instances (account_id, name, space_guid, id);
CREATE INDEX instances_by_name ON instances (name, space_guid, id);
CREATE INDEX instances_by_pack ON instances (space_guid, pack_id);

CREATE TABLE attachments (
    id             BLOB    NOT NULL PRIMARY KEY,
    space_guid     TEXT    NOT NULL,
    instance_id    TEXT    NOT NULL,
    environment_id TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    UNIQUE (space_guid, instance_id, environment_id),
    FOREIGN KEY (space_guid, instance_id) REFERENCES instances (space_guid, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, environment_id) REFERENCES environments (space_guid, id)
) STRICT;
CREATE INDEX attachments_by_environment ON attachments (space_guid, environment_id, id);

CREATE TABLE processes (
    space_guid  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    PRIMARY KEY (space_guid, instance_id, id),
    FOREIGN KEY (space_guid, instance_id) REFERENCES instances (space_guid, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE connections (
    space_guid        TEXT    NOT NULL,
    instance_id       TEXT    NOT NULL,
    process_id        TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    uses_oauth        INTEGER NOT NULL CHECK (uses_oauth IN (0, 1)),
    defaults          TEXT,
    -- The admin's choice: one configuration for every environment of the instance.
    every_environment INTEGER NOT NULL CHECK (every_environment IN (0, 1)),
    PRIMARY KEY (space_guid, instance_id, process_id, id),
    FOREIGN KEY (space_guid, instance_id, process_id) REFERENCES processes (space_guid, instance_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE connector_details (
    id                      BLOB    NOT NULL PRIMARY KEY,
    space_guid              TEXT    NOT NULL,
    instance_id             TEXT    NOT NULL,
    environment_id          TEXT    NOT NULL,
    process_id              TEXT    NOT NULL,
    connection_id           TEXT    NOT NULL,
    version                 INTEGER NOT NULL,
    is_token_generated      INTEGER NOT NULL CHECK (is_token_generated IN (0, 1)),
    -- Byte for byte as it came.
    oauth_connector_details TEXT    NOT NULL,
    client_id               TEXT    NOT NULL,
    -- A placeholder by contract, never a secret.
    client_secret           TEXT    NOT NULL CHECK (client_secret = 'dummyClientSecret'),
    -- Whether Base URL and Client ID are there, so that lists need not read the details.
    complete                INTEGER NOT NULL CHECK (complete IN (0, 1)),
    saved_by                TEXT    NOT NULL,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    UNIQUE (space_guid, instance_id, environment_id, process_id, connection_id),
    FOREIGN KEY (space_guid, instance_id, process_id, connection_id)
        REFERENCES connections (space_guid, instance_id, process_id, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, instance_id, environment_id)
        REFERENCES attachments (space_guid, instance_id, environment_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX connector_details_by_connection
    ON connector_details (space_guid, instance_id, process_id, connection_id);

CREATE TABLE admins (
    id                  BLOB    NOT NULL PRIMARY KEY,
    email               TEXT    NOT NULL UNIQUE,
    -- NULL: sees every account.
    account_id          TEXT    REFERENCES accounts (id),
    password_hash       TEXT    NOT NULL,
    created_at          INTEGER NOT NULL,
    password_changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE drafts (
    space_guid     TEXT    NOT NULL,
    instance_id    TEXT    NOT NULL,
    environment_id TEXT    NOT NULL,
    process_id     TEXT    NOT NULL,
    connection_id  TEXT    NOT NULL,
    admin_id       BLOB    NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    -- Version and content of the details that the draft started from; 0 where nothing was saved.
    base_version   INTEGER NOT NULL,
    base_content   TEXT    NOT NULL,
    content        TEXT    NOT NULL,
    -- A save was attempted: the form shows what is wrong.
    attempted      INTEGER NOT NULL CHECK (attempted IN (0, 1)),
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (space_guid, instance_id, environment_id, process_id, connection_id, admin_id),
    FOREIGN KEY (space_guid, instance_id, process_id, connection_id)
        REFERENCES connections (space_guid, instance_id, process_id, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, instance_id, environment_id)
        REFERENCES attachments (space_guid, instance_id, environment_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX drafts_by_admin ON drafts (admin_id);

-- Values an account has used before, offered again.
CREATE TABLE suggestions (
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    field      TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    used_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, field, value)
) STRICT;
CREATE INDEX suggestions_by_use ON suggestions (account_id, field, used_at);

-- Who did what, when. Never a secret's value.
CREATE TABLE timeline (
    id             BLOB    NOT NULL PRIMARY KEY,
    account_id     TEXT,
    space_guid     TEXT,
    instance_id    TEXT,
    environment_id TEXT,
    process_id     TEXT,
    connection_id  TEXT,
    at             INTEGER NOT NULL,
    actor          TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    -- The labels of the parts that changed, a JSON array.
    changed        TEXT    NOT NULL
) STRICT;
CREATE INDEX timeline_by_connection
    ON timeline (space_guid, instance_id, environment_id, process_id, connection_id, at);
CREATE INDEX timeline_by_time ON timeline (at);

CREATE TABLE api_tokens (
    id         BLOB    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    name       TEXT    NOT NULL,
    username   TEXT    NOT NULL UNIQUE,
    -- SHA-256 of a token of 256 random bits.
    digest     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE sessions (
    -- SHA-256 of the cookie's value: what is stored cannot be used to sign in.
    id         BLOB    NOT NULL PRIMARY KEY,
    admin_id   BLOB    REFERENCES admins (id) ON DELETE CASCADE,
    data       TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_admin ON sessions (admin_id);

-- The one key that all replicas sign their JWTs with.
CREATE TABLE signing_keys (
    purpose    TEXT    NOT NULL PRIMARY KEY CHECK (purpose = 'jwt'),
    secret     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
