-- Client secrets, tokens, and the attempts to get them. Whatever is secret is sealed (BYTEA); the version of the
-- data key that sealed it stands beside it, so that a rotation finds what is left to do.

-- The master keys that this database knows, and by what a wrong one is told.
CREATE TABLE master_keys (
    version     BIGINT NOT NULL PRIMARY KEY,
    check_value BYTEA NOT NULL,
    created_at  BIGINT NOT NULL
);

-- One a Space, each wrapped by a master key; after a rotation there are two until the older is no longer needed.
CREATE TABLE data_keys (
    -- A Space's guid; empty for what belongs to no Space.
    scope          TEXT COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL,
    master_version BIGINT NOT NULL REFERENCES master_keys (version),
    wrapped        BYTEA NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (scope, version)
);
CREATE INDEX data_keys_by_master ON data_keys (master_version);

CREATE TABLE client_secrets (
    id               UUID NOT NULL PRIMARY KEY,
    space_guid       TEXT COLLATE "C" NOT NULL,
    instance_id      TEXT COLLATE "C" NOT NULL,
    environment_id   TEXT COLLATE "C" NOT NULL,
    process_id       TEXT COLLATE "C" NOT NULL,
    connection_id    TEXT COLLATE "C" NOT NULL,
    -- The one in use, one that a token has yet to verify, and the user's password of the password grant.
    slot             TEXT COLLATE "C" NOT NULL CHECK (slot IN ('current', 'replacement', 'password')),
    sealed           BYTEA NOT NULL,
    data_key_version BIGINT NOT NULL,
    -- Where it may be sent, as JSON.
    destination      TEXT COLLATE "C" NOT NULL,
    sealed_by        TEXT COLLATE "C" NOT NULL,
    sealed_at        BIGINT NOT NULL,
    UNIQUE (space_guid, instance_id, environment_id, process_id, connection_id, slot),
    FOREIGN KEY (space_guid, instance_id, process_id, connection_id)
        REFERENCES connections (space_guid, instance_id, process_id, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, instance_id, environment_id)
        REFERENCES attachments (space_guid, instance_id, environment_id) ON DELETE CASCADE,
    -- A data key stays for as long as anything is sealed with it.
    FOREIGN KEY (space_guid, data_key_version) REFERENCES data_keys (scope, version)
);
CREATE INDEX client_secrets_by_data_key ON client_secrets (space_guid, data_key_version, id);
CREATE INDEX client_secrets_by_connection ON client_secrets (space_guid, instance_id, process_id, connection_id);

CREATE TABLE tokens (
    id               UUID NOT NULL PRIMARY KEY,
    space_guid       TEXT COLLATE "C" NOT NULL,
    instance_id      TEXT COLLATE "C" NOT NULL,
    environment_id   TEXT COLLATE "C" NOT NULL,
    process_id       TEXT COLLATE "C" NOT NULL,
    connection_id    TEXT COLLATE "C" NOT NULL,
    -- One more each time its values change.
    version          BIGINT NOT NULL,
    access_token     BYTEA NOT NULL,
    refresh_token    BYTEA,
    data_key_version BIGINT NOT NULL,
    token_type       TEXT COLLATE "C" NOT NULL,
    requested_scope  TEXT COLLATE "C" NOT NULL,
    -- NULL where the answer named none: as requested.
    granted_scope    TEXT COLLATE "C",
    -- Endpoints, client and grant that it came from, as JSON.
    origin           TEXT COLLATE "C" NOT NULL,
    -- A fingerprint of each part of the configuration it came from, as JSON.
    configuration    TEXT COLLATE "C" NOT NULL,
    -- The company id that the provider named, where it named one.
    company_id       TEXT COLLATE "C",
    obtained_by      TEXT COLLATE "C" NOT NULL,
    obtained_at      BIGINT NOT NULL,
    refreshed_at     BIGINT,
    expires_at       BIGINT,
    -- When it is to be refreshed next; NULL for never.
    refresh_at       BIGINT,
    -- Refreshes that failed since the last one that worked, and why the last one did.
    failures         BIGINT NOT NULL,
    failure          TEXT COLLATE "C",
    -- No refresh can mend it.
    is_broken        BOOLEAN NOT NULL,
    -- Who is refreshing it, and until when nobody else does.
    lease_owner      UUID,
    lease_until      BIGINT,
    UNIQUE (space_guid, instance_id, environment_id, process_id, connection_id),
    FOREIGN KEY (space_guid, instance_id, process_id, connection_id)
        REFERENCES connections (space_guid, instance_id, process_id, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, instance_id, environment_id)
        REFERENCES attachments (space_guid, instance_id, environment_id) ON DELETE CASCADE,
    -- A data key stays for as long as anything is sealed with it.
    FOREIGN KEY (space_guid, data_key_version) REFERENCES data_keys (scope, version)
);
CREATE INDEX tokens_due ON tokens (refresh_at) WHERE refresh_at IS NOT NULL;
CREATE INDEX tokens_by_data_key ON tokens (space_guid, data_key_version, id);
CREATE INDEX tokens_by_connection ON tokens (space_guid, instance_id, process_id, connection_id);

-- Attempts to get a token: each ends, or runs out.
CREATE TABLE attempts (
    id               UUID NOT NULL PRIMARY KEY,
    space_guid       TEXT COLLATE "C" NOT NULL,
    instance_id      TEXT COLLATE "C" NOT NULL,
    environment_id   TEXT COLLATE "C" NOT NULL,
    process_id       TEXT COLLATE "C" NOT NULL,
    connection_id    TEXT COLLATE "C" NOT NULL,
    admin_id         UUID NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    -- SHA-256 of the cookie of the browser that began it.
    browser          BYTEA NOT NULL,
    -- It has a window of its own, beside the form.
    is_in_window     BOOLEAN NOT NULL,
    status           TEXT COLLATE "C" NOT NULL CHECK (status IN ('opened', 'returned', 'succeeded', 'failed')),
    -- What went wrong, and what to do about it.
    message          TEXT COLLATE "C",
    advice           TEXT COLLATE "C",
    -- What it was begun with; forgotten when it ends.
    sealed           BYTEA,
    data_key_version BIGINT,
    begun_at         BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    FOREIGN KEY (space_guid, instance_id, process_id, connection_id)
        REFERENCES connections (space_guid, instance_id, process_id, id) ON DELETE CASCADE,
    FOREIGN KEY (space_guid, instance_id, environment_id)
        REFERENCES attachments (space_guid, instance_id, environment_id) ON DELETE CASCADE,
    -- A data key stays for as long as anything is sealed with it.
    FOREIGN KEY (space_guid, data_key_version) REFERENCES data_keys (scope, version)
);
CREATE INDEX attempts_by_connection
    ON attempts (space_guid, instance_id, environment_id, process_id, connection_id, begun_at);
CREATE INDEX attempts_by_expiry ON attempts (expires_at);
CREATE INDEX attempts_by_data_key ON attempts (space_guid, data_key_version, id);
CREATE INDEX attempts_by_admin ON attempts (admin_id);

-- What an identity provider must bring back; a row can be taken out once.
CREATE TABLE oauth_states (
    -- SHA-256 of the state.
    digest     BYTEA NOT NULL PRIMARY KEY,
    attempt_id UUID NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_states_by_attempt ON oauth_states (attempt_id);

-- Where a connection gets its tokens, as JSON; NULL is as the connection, or its pack, has it.
ALTER TABLE pack_connections ADD COLUMN provider TEXT COLLATE "C";
ALTER TABLE connections ADD COLUMN provider TEXT COLLATE "C";
ALTER TABLE connector_details ADD COLUMN provider TEXT COLLATE "C";

-- May read access tokens.
ALTER TABLE api_tokens ADD COLUMN reads_access_tokens BOOLEAN NOT NULL DEFAULT FALSE;

-- A sentence about what happened, without any secret; and how often, where an entry stands for several times.
ALTER TABLE timeline ADD COLUMN detail TEXT COLLATE "C";
ALTER TABLE timeline ADD COLUMN times BIGINT;

-- The version of the data key that the signing key is sealed with; NULL where it is not sealed yet.
ALTER TABLE signing_keys ADD COLUMN data_key_version BIGINT;
