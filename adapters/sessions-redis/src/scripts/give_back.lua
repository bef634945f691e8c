-- KEYS: counters. ARGV for each: 'rate', burst, per   or   'lockout', pardons (0 or 1), 0.
-- Gives one try back to every counter. The arithmetic is that of `domain::limits::Quota::give_back`.
for i, key in ipairs(KEYS) do
  local at = 1 + (i - 1) * 3
  local value = redis.call('GET', key)
  -- One that is not there is full already.
  if value then
    local stamp, mark, count = string.match(value, '^(%S+) (%S+) (%S+)$')
    if ARGV[at] == 'lockout' and ARGV[at + 1] == '1' then
      redis.call('DEL', key)
    else
      if ARGV[at] == 'rate' then
        mark = mark - math.max(math.ceil(ARGV[at + 2] / math.max(tonumber(ARGV[at + 1]), 1)), 1)
      else
        count = math.max(count - 1, 0)
      end
      redis.call('SET', key, string.format('%s %.0f %.0f', stamp, mark, count), 'KEEPTTL')
    end
  end
end
return 1
