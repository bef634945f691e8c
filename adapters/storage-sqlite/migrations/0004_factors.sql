-- Second factors and devices, more about sessions and audit events, and messages that wait for their carrier.

ALTER TABLE users ADD COLUMN factors TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN devices TEXT NOT NULL DEFAULT '[]';

-- A column of its own for the one thing that changes while a session lives; the rest is one JSON object.
ALTER TABLE sessions ADD COLUMN last_used INTEGER;
ALTER TABLE sessions ADD COLUMN more TEXT NOT NULL DEFAULT '{}';

-- Networks are kept as keyed hashes from now on. The table is made anew without the addresses, and every page of the old one is
-- overwritten: a column set to NULL leaves its text behind wherever rows were moved.
PRAGMA secure_delete = ON;
-- No foreign key: what was written down about a user outlives the user.
CREATE TABLE audit_anew (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    pool    TEXT,
    user_id TEXT,
    actor   TEXT    NOT NULL,
    network TEXT,
    request TEXT,
    detail  TEXT,
    CHECK ((pool IS NULL) = (user_id IS NULL))
) STRICT;

INSERT INTO audit_anew (seq, at, kind, pool, user_id, actor, detail)
    SELECT seq, at, kind, pool, user_id, '"client"', detail FROM audit;
DROP TABLE audit;
ALTER TABLE audit_anew RENAME TO audit;
PRAGMA secure_delete = FAST;

CREATE INDEX audit_at ON audit (at);
-- The rows of one user in the order they came: every index ends in seq.
CREATE INDEX audit_of_user ON audit (pool, user_id) WHERE pool IS NOT NULL;

-- No foreign key: a message that was promised is sent even when its user is gone meanwhile.
CREATE TABLE outbox (
    id         TEXT    NOT NULL PRIMARY KEY,
    pool       TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    created    INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    settled    INTEGER NOT NULL,
    held_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (due);
CREATE INDEX outbox_expires ON outbox (expires);
