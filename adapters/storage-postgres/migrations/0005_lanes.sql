-- Who waits for a message: 0 for people, 1 for services. An older node writes messages for people alone.
ALTER TABLE outbox ADD COLUMN services bigint NOT NULL DEFAULT 0;

-- What people wait for is found past thousands of messages for services.
CREATE INDEX outbox_of_lane ON outbox (services, due, id);
