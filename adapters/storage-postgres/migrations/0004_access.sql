-- Roles and access rules, and who has which role.

-- Repeats what the records of users say, so that an index leads from a role to its users.
CREATE TABLE role_members (
    pool    text   COLLATE "C" NOT NULL,
    role    bytea  NOT NULL,
    user_id bytea  NOT NULL,
    mapping bytea  NOT NULL,
    created bigint NOT NULL,
    CONSTRAINT role_members_pkey PRIMARY KEY (pool, role, user_id),
    CONSTRAINT role_members_user FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
);

CREATE INDEX role_members_of_user ON role_members (pool, user_id);
CREATE INDEX role_members_by_mapping ON role_members (mapping);

-- One row, or none as long as nobody made a role or a rule.
CREATE TABLE access (
    one      smallint NOT NULL,
    revision bigint   NOT NULL,
    record   text     NOT NULL,
    CONSTRAINT access_pkey PRIMARY KEY (one),
    CONSTRAINT access_one CHECK (one = 1)
);
