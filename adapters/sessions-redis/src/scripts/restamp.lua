-- KEYS[1]: a session or a flow that is not buried. ARGV: the record as it was read, the stamp of the server that it was read from.
-- Answers 1 when both are still the same: at a later server the record may come out of a copy that is older than its end.
local own = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local value = redis.call('GET', KEYS[1])
if own ~= ARGV[2] or not value or string.sub(value, 1, 1) == '-' or string.sub(value, 41) ~= ARGV[1] then
  return 0
end
-- Writing into the value keeps its expiry.
redis.call('SETRANGE', KEYS[1], 0, own)
return 1
