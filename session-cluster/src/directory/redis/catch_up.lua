local ASKED_RUN, READ, WANTS_READERS = ARGV[3], ARGV[4], ARGV[5] == '1'

if ASKED_RUN ~= name then
  return {name, {}, {}}
end
if redis.call('HEXISTS', BEATS, TAG) == 1 then
  redis.call('HSET', READERS, TAG, READ)
end
return {name, log_after(READ), WANTS_READERS and redis.call('HGETALL', READERS) or {}}
