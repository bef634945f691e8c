-- Accounts elsewhere, the grants that came with them, and client applications.

ALTER TABLE users ADD COLUMN identities TEXT NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN credentials TEXT NOT NULL DEFAULT '[]';

-- Who holds which account elsewhere. Repeats what users.identities says, so that an index keeps it unique.
CREATE TABLE identity_keys (
    pool    TEXT NOT NULL,
    key     TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (pool, key),
    FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_keys_of_user ON identity_keys (pool, user_id);

-- A flow may begin before anybody is known. SQLite cannot lift a NOT NULL, so the table is made anew.
CREATE TABLE flows_anew (
    id      BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    pool    TEXT    NOT NULL,
    user_id TEXT,
    kind    TEXT    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO flows_anew (id, pool, user_id, kind, created, expires, body)
    SELECT id, pool, user_id, kind, created, expires, body FROM flows;
DROP TABLE flows;
ALTER TABLE flows_anew RENAME TO flows;

CREATE INDEX flows_of_user ON flows (pool, user_id, kind, created);
CREATE INDEX flows_expires ON flows (expires);

ALTER TABLE audit ADD COLUMN detail TEXT;

CREATE TABLE applications (
    id          TEXT    NOT NULL PRIMARY KEY,
    revision    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    keys        TEXT    NOT NULL,
    credentials TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    modified    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
