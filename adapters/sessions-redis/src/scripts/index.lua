-- KEYS[1]: the index of a user. ARGV: a token, the life of its record in milliseconds or 0 for ever.
-- The score is the moment the record is gone, by this server's clock; the index lives as long as its last member.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if ARGV[2] == '0' then
  redis.call('ZADD', KEYS[1], '+inf', ARGV[1])
else
  -- A minute more than the record itself, which is written after this.
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2] + 60000), ARGV[1])
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last == 'inf' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(last) - now))
end
return 1
