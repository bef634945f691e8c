-- KEYS[1]: a session or a flow. Answers nil, or {whose stamp it carries, the record, the serving server's own stamp}.
-- The stamp is the replication id of the server that wrote it: it changes at every restart and every fail-over, so a record that
-- came out of an older copy of the data is told from one that this server was given.
local info = redis.call('INFO', 'replication')
if not string.find(info, 'role:master', 1, true) then
  return redis.error_reply('READONLY this server is not the master')
end
local value = redis.call('GET', KEYS[1])
if not value then
  return false
end
local record = string.sub(value, 41)
local own = string.match(info, 'master_replid:(%x+)')
if string.sub(value, 1, 1) == '-' then
  return {'claimed', record, own}
end
if string.sub(value, 1, 40) == own then
  return {'own', record, own}
end
return {'foreign', record, own}
