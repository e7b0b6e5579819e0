-- Looked up by its key, a value is found by its key: without statistics, as in a new database, PostgreSQL may take this
-- index instead and read all values of the field. With a condition it serves only the statements that name it.
DROP INDEX suggestions_by_use;
CREATE INDEX suggestions_by_use ON suggestions (account_id, field, used_at) WHERE used_at >= 0;
