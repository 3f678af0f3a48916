local BEAT = ARGV[3]

local pulse = redis.call('HGET', BEATS, TAG)
if BEAT ~= '' and pulse and string.match(pulse, '^%d*') ~= BEAT then
  return 0
end
give_up(TAG)
return 1
