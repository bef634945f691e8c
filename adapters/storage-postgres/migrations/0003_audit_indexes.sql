-- Beside the traffic: each statement by itself, and again after a crash.
DROP INDEX CONCURRENTLY IF EXISTS audit_of_user;
CREATE INDEX CONCURRENTLY audit_of_user ON audit (pool, user_id, seq) WHERE user_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS audit_of_request;
CREATE INDEX CONCURRENTLY audit_of_request ON audit (request, seq) WHERE request IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS audit_unsorted;
CREATE INDEX CONCURRENTLY audit_unsorted ON audit (seq) WHERE kind IS NULL;
