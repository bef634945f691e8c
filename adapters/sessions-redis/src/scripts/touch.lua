-- KEYS[1]: a session. ARGV: the moment of its use, in milliseconds.
-- Its stamp and its expiry stay as they are; what is gone or about to end is left alone. The text of a record holds that name in
-- quotes nowhere else: inside a value a quote is escaped.
local value = redis.call('GET', KEYS[1])
if not value or string.sub(value, 1, 1) == '-' then
  return 0
end
local name = '"last_used":'
local first, last, before = string.find(value, name .. '(%-?%d+)', 41)
if first and tonumber(before) >= tonumber(ARGV[1]) then
  return 0
end
if first then
  value = string.sub(value, 1, first - 1) .. name .. ARGV[1] .. string.sub(value, last + 1)
elseif string.sub(value, -1) == '}' then
  value = string.sub(value, 1, -2) .. ',' .. name .. ARGV[1] .. '}'
else
  return 0
end
redis.call('SET', KEYS[1], value, 'KEEPTTL')
return 1
