-- Second factors and devices, more about sessions and audit events, and messages that wait for their carrier.

ALTER TABLE users ADD COLUMN factors TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN devices TEXT NOT NULL DEFAULT '[]';

-- A column of its own for the one thing that changes while a session lives; the rest is one JSON object.
ALTER TABLE sessions ADD COLUMN last_used INTEGER;
ALTER TABLE sessions ADD COLUMN more TEXT NOT NULL DEFAULT '{}';

ALTER TABLE audit ADD COLUMN actor TEXT NOT NULL DEFAULT '"client"';
ALTER TABLE audit ADD COLUMN network TEXT;
ALTER TABLE audit ADD COLUMN request TEXT;
-- Networks are kept as keyed hashes from now on. What was written in clear goes, and the column is never written again.
UPDATE audit SET address = NULL WHERE address IS NOT NULL;

-- The rows of one user in the order they came: every index ends in seq.
CREATE INDEX audit_of_user ON audit (pool, user_id) WHERE pool IS NOT NULL;

-- No foreign key: what an account's end is told by outlives the account.
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
