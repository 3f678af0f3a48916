local ASKED_RUN, NUMBER, ENTRY, CHANNEL = ARGV[3], ARGV[4], ARGV[5], ARGV[6]

if ASKED_RUN ~= name then
  return false
end

local last, position = string.match(redis.call('HGET', NUMBERS, TAG) or '', '^(%d+) (%d+%-%d+)$')
if not last or is_less(last, NUMBER) then
  position = redis.call('XADD', LOG, '*', TAG .. NUMBER, ENTRY)
  redis.call('HSET', NUMBERS, TAG, NUMBER .. ' ' .. position)
  redis.call('HSET', RUN, 'end', position)
end
-- A nudge only saves time: a user who may not publish has appended the entry all the same.
redis.pcall('PUBLISH', CHANNEL, '')
return position
