-- What people wait for is found past thousands of messages for services.
CREATE INDEX outbox_of_channel ON outbox (channel, due, id);
