-- KEYS: counters. ARGV: now, 'take' or 'ask', then for each counter its kind and four numbers:
--   'rate', burst, per, 0, 0   or   'lockout', free, wait, max_wait, forget        (milliseconds)
-- Takes one try from every counter or from none, or asks what taking would say. Answers '' for yes, else the longest wait in
-- milliseconds and the number of the counter whose it is.
-- The arithmetic is that of `domain::limits::Quota::take`.
local stamp = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local now = tonumber(ARGV[1])
local taken, longest, whose = {}, -1, nil

local function before(key)
  if taken[key] then
    return taken[key].mark, taken[key].count
  end
  local value = redis.call('GET', key)
  -- A counter that another server wrote may be older than what happened since: the durable one knows.
  if value and string.sub(value, 1, 40) == stamp then
    local mark, count = string.match(value, ' (%S+) (%S+)$', 41)
    return tonumber(mark), tonumber(count)
  end
  return 0, 0
end

local function rate(mark, count, burst, per)
  burst = math.max(burst, 1)
  local step = math.max(math.ceil(per / burst), 1)
  local room = step * burst
  -- A mark further ahead than the bucket is deep comes from a clock that was set back since.
  if mark > now + room then
    mark = now
  end
  local full_again = math.max(mark, now) + step
  local over = full_again - now - room
  if over > 0 then
    return over
  end
  return nil, {mark = full_again, count = count, forgotten = full_again}
end

local function lockout(mark, count, free, wait, max_wait, forget)
  mark = math.min(mark, now)
  if math.max(now - mark, 0) >= forget then
    mark, count = 0, 0
  end
  local pause, beyond = 0, count - free
  if beyond >= 64 then
    pause = max_wait
  elseif beyond >= 0 then
    pause = math.min(wait * 2 ^ beyond, max_wait)
  end
  local waited = math.max(now - mark, 0)
  if waited < pause then
    return pause - waited
  end
  return nil, {mark = now, count = math.min(count + 1, 4294967295), forgotten = now + forget}
end

for i, key in ipairs(KEYS) do
  local at = 3 + (i - 1) * 5
  local a, b, c, d = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local mark, count = before(key)
  local denied, after
  if ARGV[at] == 'rate' then
    denied, after = rate(mark, count, a, b)
  else
    denied, after = lockout(mark, count, a, b, c, d)
  end
  if denied then
    if denied > longest then
      longest, whose = denied, i
    end
  else
    taken[key] = after
  end
end
if whose then
  return string.format('%.0f %d', longest, whose)
end
if ARGV[2] == 'ask' then
  return ''
end
for key, after in pairs(taken) do
  local value = string.format('%s %.0f %.0f', stamp, after.mark, after.count)
  local life = math.min(math.max(after.forgotten - now, 0) + 1000, 2 ^ 50)
  redis.call('SET', key, value, 'PX', string.format('%.0f', life))
end
return ''
