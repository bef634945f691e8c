-- KEYS[1]: a session that is about to end, or a flow that is about to be taken. Answers nil, or the record.
-- From now on nobody believes the record without asking the durable store, whatever becomes of the deletion that follows.
if not string.find(redis.call('INFO', 'replication'), 'role:master', 1, true) then
  return redis.error_reply('READONLY this server is not the master')
end
local value = redis.call('GET', KEYS[1])
if not value then
  return false
end
redis.call('SETRANGE', KEYS[1], 0, '-')
return string.sub(value, 41)
