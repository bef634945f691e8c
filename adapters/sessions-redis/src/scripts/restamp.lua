-- KEYS[1]: a session or a flow that is not buried. ARGV: the record as it was read. Answers 1 when it is still the same.
local value = redis.call('GET', KEYS[1])
if not value or string.sub(value, 1, 1) == '-' or string.sub(value, 41) ~= ARGV[1] then
  return 0
end
-- Writing into the value keeps its expiry.
redis.call('SETRANGE', KEYS[1], 0, string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)'))
return 1
