-- Messages on their way to a carrier. The columns that attempts change hold, not what the record says of them.
CREATE TABLE outbox (
    id         bytea  NOT NULL,
    due        bigint NOT NULL,
    expires    bigint NOT NULL,
    attempts   bigint NOT NULL,
    settled    bigint NOT NULL,
    -- NULL: nobody holds it.
    held_until bigint,
    record     text   NOT NULL,
    -- No foreign key: that an account was deleted is told to whoever had it.
    CONSTRAINT outbox_pkey PRIMARY KEY (id)
) WITH (fillfactor = 70);

CREATE INDEX outbox_due ON outbox (due, id);
CREATE INDEX outbox_expires ON outbox (expires);

-- When a session was last used, beside its record, which is written once. Pages keep room for it.
ALTER TABLE sessions ADD COLUMN last_used bigint;
ALTER TABLE sessions SET (fillfactor = 90);

-- What audit events are looked for by. Without a kind: an older node wrote it, and it is yet to be sorted.
ALTER TABLE audit
    ADD COLUMN kind    text COLLATE "C",
    ADD COLUMN pool    text COLLATE "C",
    ADD COLUMN user_id bytea,
    ADD COLUMN network bytea,
    ADD COLUMN request bytea;
