-- KEYS[1]: a session or a flow. ARGV: the record, its life in milliseconds or 0 for ever.
local stamp = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if ARGV[2] == '0' then
  redis.call('SET', KEYS[1], stamp .. ARGV[1])
else
  redis.call('SET', KEYS[1], stamp .. ARGV[1], 'PX', ARGV[2])
end
return 1
