-- Forms that were posted after the session had ended, too large for the sign-in page to carry: they wait for whoever
-- signs in from that page.
CREATE TABLE carried_forms (
    -- SHA-256 of what the page knows it by.
    id         BLOB    NOT NULL PRIMARY KEY,
    -- Who signed in last with the browser that posted it.
    admin_id   BLOB    NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    form       TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX carried_forms_by_expiry ON carried_forms (expires_at);
CREATE INDEX carried_forms_by_admin ON carried_forms (admin_id, expires_at);
