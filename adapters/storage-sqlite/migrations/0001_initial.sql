-- Moments are milliseconds since 1970, spans are milliseconds, keys are compared byte by byte (SQLite's default).

CREATE TABLE users (
    pool           TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    revision       INTEGER NOT NULL,
    realm          TEXT,
    username       TEXT,
    username_key   TEXT,
    email          TEXT,
    email_key      TEXT,
    email_verified INTEGER NOT NULL,
    phone          TEXT,
    factor_phone   TEXT,
    password_hash  TEXT,
    attributes     TEXT    NOT NULL,
    session_epoch  INTEGER NOT NULL,
    spared_session TEXT,
    created        INTEGER NOT NULL,
    modified       INTEGER NOT NULL,
    PRIMARY KEY (pool, id),
    CHECK ((username IS NULL) = (username_key IS NULL)),
    CHECK ((email IS NULL) = (email_key IS NULL)),
    CHECK (email_verified IN (0, 1))
) STRICT;

CREATE UNIQUE INDEX users_email_key ON users (pool, email_key) WHERE email_key IS NOT NULL;
CREATE UNIQUE INDEX users_username_key ON users (pool, username_key) WHERE username_key IS NOT NULL;

CREATE TABLE sessions (
    token   BLOB    NOT NULL PRIMARY KEY CHECK (length(token) = 32),
    id      TEXT    NOT NULL,
    pool    TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    epoch   INTEGER NOT NULL,
    created INTEGER NOT NULL,
    -- NULL in both: the session is eternal.
    life    INTEGER,
    expires INTEGER,
    factors TEXT    NOT NULL,
    FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_user ON sessions (pool, user_id);
CREATE INDEX sessions_expires ON sessions (expires) WHERE expires IS NOT NULL;

CREATE TABLE flows (
    id      BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    pool    TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX flows_of_user ON flows (pool, user_id, kind, created);
CREATE INDEX flows_expires ON flows (expires);

CREATE TABLE counters (
    key       TEXT    NOT NULL PRIMARY KEY,
    mark      INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    forgotten INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX counters_forgotten ON counters (forgotten);

-- No foreign key: what was written down about a user outlives the user.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    pool    TEXT,
    user_id TEXT,
    address TEXT,
    CHECK ((pool IS NULL) = (user_id IS NULL))
) STRICT;

CREATE INDEX audit_at ON audit (at);
