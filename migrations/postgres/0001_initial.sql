-- Moments are microseconds since 1970 (UTC); texts sort by their bytes, as they do on SQLite.

CREATE TABLE accounts (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE spaces (
    guid       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    name       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX spaces_by_account ON spaces (account_id, guid);

CREATE TABLE packs (
    space_guid        TEXT COLLATE "C" NOT NULL REFERENCES spaces (guid),
    id                TEXT COLLATE "C" NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    description       TEXT COLLATE "C" NOT NULL,
    installation_type TEXT COLLATE "C" NOT NULL CHECK (installation_type IN ('SINGLE', 'MULTI')),
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (space_guid, id)
);

CREATE TABLE pack_processes (
    space_guid TEXT COLLATE "C" NOT NULL,
    pack_id    TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (space_guid, pack_id, id),
    FOREIGN KEY (space_guid, pack_id) REFERENCES packs (space_guid, id) ON DELETE CASCADE
);

CREATE TABLE pack_connections (
    space_guid TEXT COLLATE "C" NOT NULL,
    pack_id    TEXT COLLATE "C" NOT NULL,
    process_id TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    uses_oauth BOOLEAN NOT NULL,
    -- Shaped like oauthConnectorDetails: what a form starts with before anything is saved.
    defaults   TEXT COLLATE "C",
    PRIMARY KEY (space_guid, pack_id, process_id, id),
    FOREIGN KEY (space_guid, pack_id, process_id) REFERENCES pack_processes (space_guid, pack_id, id) ON DELETE CASCADE
);

CREATE TABLE environments (
    space_guid     TEXT COLLATE "C" NOT NULL REFERENCES spaces (guid),
    id             TEXT COLLATE "C" NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    classification TEXT COLLATE "C" NOT NULL CHECK (classification IN ('PROD', 'TEST')),
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (space_guid, id)
);

CREATE TABLE instances (
    space_guid     TEXT COLLATE "C" NOT NULL REFERENCES spaces (guid),
    id             TEXT COLLATE "C" NOT NULL,
    account_id     TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    pack_id        TEXT COLLATE "C",
    name           TEXT COLLATE "C" NOT NULL,
    override_name  TEXT COLLATE "C",
    -- The names in lower case: SQLite itself lowers ASCII only.
    search_text    TEXT COLLATE "C" NOT NULL,
    -- The pack's id where the pack may be installed once per account, else NULL.
    single_pack_id TEXT COLLATE "C",
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (space_guid, id),
    UNIQUE (account_id, single_pack_id),
    FOREIGN KEY (space_guid, pack_id) REFERENCES packs (space_guid, id)
);
CREATE INDEX instances_by_account ON instances (account_id, name, space_guid, id);
CREATE INDEX instances_by_name ON instances (name, space_guid, id);
CREATE INDEX instances_by_pack ON instances (space_guid, pack_id);

CREATE TABLE attachments (
    id             UUID    NOT NULL PRIMARY KEY,
    space_guid     TEXT COLLATE "C" NOT NULL,
    instance_id    TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (space_guid, instance_id, environment_id),
    FOREIGN KEY (space_guid, instance_id) REFERENCES instances (space_guid, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, environment_id) REFERENCES environments (space_guid, id)
);
CREATE INDEX attachments_by_environment ON attachments (space_guid, environment_id, id);

CREATE TABLE processes (
    space_guid  TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (space_guid, instance_id, id),
    FOREIGN KEY (space_guid, instance_id) REFERENCES instances (space_guid, id) ON DELETE CASCADE
);

CREATE TABLE connections (
    space_guid        TEXT COLLATE "C" NOT NULL,
    instance_id       TEXT COLLATE "C" NOT NULL,
    process_id        TEXT COLLATE "C" NOT NULL,
    id                TEXT COLLATE "C" NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    uses_oauth        BOOLEAN NOT NULL,
    defaults          TEXT COLLATE "C",
    -- The admin's choice: one configuration for every environment of the instance.
    every_environment BOOLEAN NOT NULL,
    PRIMARY KEY (space_guid, instance_id, process_id, id),
    FOREIGN KEY (space_guid, instance_id, process_id) REFERENCES processes (space_guid, instance_id, id) ON DELETE CASCADE
);

CREATE TABLE connector_details (
    id                      UUID    NOT NULL PRIMARY KEY,
    space_guid              TEXT COLLATE "C" NOT NULL,
    instance_id             TEXT COLLATE "C" NOT NULL,
    environment_id          TEXT COLLATE "C" NOT NULL,
    process_id              TEXT COLLATE "C" NOT NULL,
    connection_id           TEXT COLLATE "C" NOT NULL,
    version                 BIGINT NOT NULL,
    is_token_generated      BOOLEAN NOT NULL,
    -- Byte for byte as it came.
    oauth_connector_details TEXT COLLATE "C" NOT NULL,
    client_id               TEXT COLLATE "C" NOT NULL,
    -- A placeholder by contract, never a secret.
    client_secret           TEXT COLLATE "C" NOT NULL CHECK (client_secret = 'dummyClientSecret'),
    -- Whether Base URL and Client ID are there, so that lists need not read the details.
    complete                BOOLEAN NOT NULL,
    saved_by                TEXT COLLATE "C" NOT NULL,
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL,
    UNIQUE (space_guid, instance_id, environment_id, process_id, connection_id),
    FOREIGN KEY (space_guid, instance_id, process_id, connection_id)
        REFERENCES connections (space_guid, instance_id, process_id, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, instance_id, environment_id)
        REFERENCES attachments (space_guid, instance_id, environment_id) ON DELETE CASCADE
);
CREATE INDEX connector_details_by_connection
    ON connector_details (space_guid, instance_id, process_id, connection_id);

CREATE TABLE admins (
    id                  UUID    NOT NULL PRIMARY KEY,
    email               TEXT COLLATE "C" NOT NULL UNIQUE,
    -- NULL: sees every account.
    account_id          TEXT COLLATE "C" REFERENCES accounts (id),
    password_hash       TEXT COLLATE "C" NOT NULL,
    created_at          BIGINT NOT NULL,
    password_changed_at BIGINT NOT NULL
);

CREATE TABLE drafts (
    space_guid     TEXT COLLATE "C" NOT NULL,
    instance_id    TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    process_id     TEXT COLLATE "C" NOT NULL,
    connection_id  TEXT COLLATE "C" NOT NULL,
    admin_id       UUID    NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    -- Version and content of the details that the draft started from; 0 where nothing was saved.
    base_version   BIGINT NOT NULL,
    base_content   TEXT COLLATE "C" NOT NULL,
    content        TEXT COLLATE "C" NOT NULL,
    -- A save was attempted: the form shows what is wrong.
    attempted      BOOLEAN NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (space_guid, instance_id, environment_id, process_id, connection_id, admin_id),
    FOREIGN KEY (space_guid, instance_id, process_id, connection_id)
        REFERENCES connections (space_guid, instance_id, process_id, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, instance_id, environment_id)
        REFERENCES attachments (space_guid, instance_id, environment_id) ON DELETE CASCADE
);
CREATE INDEX drafts_by_admin ON drafts (admin_id);

-- Values an account has used before, offered again.
CREATE TABLE suggestions (
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    field      TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    used_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, field, value)
);
CREATE INDEX suggestions_by_use ON suggestions (account_id, field, used_at);

-- Who did what, when. Never a secret's value.
CREATE TABLE timeline (
    id             UUID    NOT NULL PRIMARY KEY,
    account_id     TEXT COLLATE "C",
    space_guid     TEXT COLLATE "C",
    instance_id    TEXT COLLATE "C",
    environment_id TEXT COLLATE "C",
    process_id     TEXT COLLATE "C",
    connection_id  TEXT COLLATE "C",
    at             BIGINT NOT NULL,
    actor          TEXT COLLATE "C" NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL,
    -- The labels of the parts that changed, a JSON array.
    changed        TEXT COLLATE "C" NOT NULL
);
CREATE INDEX timeline_by_connection
    ON timeline (space_guid, instance_id, environment_id, process_id, connection_id, at);
CREATE INDEX timeline_by_time ON timeline (at);

CREATE TABLE api_tokens (
    id         UUID    NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    name       TEXT COLLATE "C" NOT NULL,
    username   TEXT COLLATE "C" NOT NULL UNIQUE,
    -- SHA-256 of a token of 256 random bits.
    digest     BYTEA    NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE sessions (
    -- SHA-256 of the cookie's value: what is stored cannot be used to sign in.
    id         BYTEA   NOT NULL PRIMARY KEY,
    admin_id   UUID    REFERENCES admins (id) ON DELETE CASCADE,
    data       TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_admin ON sessions (admin_id);

-- The one key that all replicas sign their JWTs with.
CREATE TABLE signing_keys (
    purpose    TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (purpose = 'jwt'),
    secret     BYTEA    NOT NULL,
    created_at BIGINT NOT NULL
);
