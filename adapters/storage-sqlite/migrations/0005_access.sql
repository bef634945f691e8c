-- Roles and access rules, and who has which role.

ALTER TABLE users ADD COLUMN mappings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN disabled INTEGER;
ALTER TABLE applications ADD COLUMN mappings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE applications ADD COLUMN disabled INTEGER;
ALTER TABLE applications ADD COLUMN details TEXT NOT NULL DEFAULT '{}';

-- Who has which role. Repeats what users.mappings says, so that an index leads from a role to its users.
CREATE TABLE role_members (
    pool    TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    mapping TEXT    NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (pool, role, user_id),
    FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX role_members_of_user ON role_members (pool, user_id);
CREATE INDEX role_members_by_mapping ON role_members (mapping);

-- One row, or none as long as nobody made a role or a rule.
CREATE TABLE access (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    roles    TEXT    NOT NULL,
    rules    TEXT    NOT NULL
) STRICT;
