-- Everything there is so far. Moments are milliseconds since 1970. Names and keys that people choose are bytea: compared and
-- ordered byte by byte whatever the database's collation, and any text fits, a zero byte included, which type text refuses.
-- A record is the whole aggregate as JSON; the columns beside it are what statements look for.

CREATE TABLE users (
    pool         text   COLLATE "C" NOT NULL,
    id           bytea  NOT NULL,
    revision     bigint NOT NULL,
    username_key bytea,
    email_key    bytea,
    record       text   NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (pool, id)
) WITH (fillfactor = 85);

-- By digest: an entry of an index holds 2.7 kB at most, and a folded name may be longer.
CREATE UNIQUE INDEX users_email_key ON users (pool, sha256(email_key)) WHERE email_key IS NOT NULL;
CREATE UNIQUE INDEX users_username_key ON users (pool, sha256(username_key)) WHERE username_key IS NOT NULL;

-- Who holds which account elsewhere. Repeats what the records say, so that an index keeps it unique.
CREATE TABLE identity_keys (
    pool    text  COLLATE "C" NOT NULL,
    digest  bytea NOT NULL,
    user_id bytea NOT NULL,
    CONSTRAINT identity_keys_pkey PRIMARY KEY (pool, digest),
    CONSTRAINT identity_keys_user FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
);

CREATE INDEX identity_keys_of_user ON identity_keys (pool, user_id);

CREATE TABLE sessions (
    token   bytea NOT NULL,
    pool    text  COLLATE "C" NOT NULL,
    user_id bytea NOT NULL,
    id      bytea NOT NULL,
    -- NULL: the session is eternal.
    expires bigint,
    record  text  NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token),
    CONSTRAINT sessions_user FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
);

CREATE INDEX sessions_of_user ON sessions (pool, user_id);
CREATE INDEX sessions_expires ON sessions (expires) WHERE expires IS NOT NULL;

CREATE TABLE flows (
    id      bytea  NOT NULL,
    pool    text   COLLATE "C" NOT NULL,
    -- NULL: nobody is known yet.
    user_id bytea,
    kind    text   COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    expires bigint NOT NULL,
    record  text   NOT NULL,
    CONSTRAINT flows_pkey PRIMARY KEY (id),
    CONSTRAINT flows_user FOREIGN KEY (pool, user_id) REFERENCES users (pool, id) ON DELETE CASCADE
);

CREATE INDEX flows_of_user ON flows (pool, user_id, kind, created);
CREATE INDEX flows_expires ON flows (expires);

CREATE TABLE counters (
    key       text   COLLATE "C" NOT NULL,
    mark      bigint NOT NULL,
    tries     bigint NOT NULL,
    forgotten bigint NOT NULL,
    CONSTRAINT counters_pkey PRIMARY KEY (key)
) WITH (fillfactor = 70);

CREATE INDEX counters_forgotten ON counters (forgotten);

CREATE TABLE applications (
    id       bytea  NOT NULL,
    revision bigint NOT NULL,
    record   text   NOT NULL,
    CONSTRAINT applications_pkey PRIMARY KEY (id)
);

-- No foreign key: what was written down about a user outlives the user.
CREATE TABLE audit (
    seq    bigint GENERATED ALWAYS AS IDENTITY,
    at     bigint NOT NULL,
    record text   NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (seq)
);

CREATE INDEX audit_at ON audit (at);

-- No foreign key either: what was ended stays ended.
CREATE TABLE tombstones (
    token bytea NOT NULL,
    -- NULL: for ever.
    until bigint,
    CONSTRAINT tombstones_pkey PRIMARY KEY (token)
);

CREATE INDEX tombstones_until ON tombstones (until) WHERE until IS NOT NULL;
