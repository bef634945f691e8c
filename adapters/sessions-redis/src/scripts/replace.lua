-- KEYS[1]: a flow. ARGV: the record, its life in milliseconds. Answers 1 when it was there, 0 when it was not or is being taken.
local first = redis.call('GETRANGE', KEYS[1], 0, 0)
if first == '' or first == '-' then
  return 0
end
local stamp = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if redis.call('GETRANGE', KEYS[1], 0, 39) ~= stamp then
  -- Nobody has asked yet whether it was taken before this server came to serve it.
  return 2
end
redis.call('SET', KEYS[1], stamp .. ARGV[1], 'PX', ARGV[2])
return 1
