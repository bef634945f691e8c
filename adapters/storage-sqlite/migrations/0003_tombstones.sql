-- Tokens that are spent for good, beside a cache that keeps sessions and flows and may forget what it acknowledged.

CREATE TABLE tombstones (
    token BLOB    NOT NULL PRIMARY KEY CHECK (length(token) = 32),
    -- NULL: what it covers would have lived for ever.
    until INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstones_until ON tombstones (until) WHERE until IS NOT NULL;
