//! Real servers for the tests: PostgreSQL, Redis, a MongoDB-protocol server, balancers.
