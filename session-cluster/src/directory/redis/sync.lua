local CLAIMS, ADDRESS, BEAT, LOAD, CARD = ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local READ, SEEN_RUN, SEEN_CHANGES, KNOWN_FOR = ARGV[8], ARGV[9], ARGV[10], tonumber(ARGV[11])
local KEPT, PRUNED_EVERY = 24 * 60 * 60 * 1000, 60 * 1000

local function prune()
  local now = milliseconds()
  local last = tonumber(redis.call('HGET', RUN, 'pruned') or '')
  if last and now >= last and now - last < PRUNED_EVERY then
    return
  end
  local first_kept = now - KEPT
  local old = redis.call('ZRANGEBYSCORE', VERDICT_TIMES, '-inf', '(' .. first_kept)
  for _, tag in ipairs(old) do
    redis.call('ZREM', VERDICTS, tag)
    redis.call('ZREM', VERDICT_TIMES, tag)
  end
  redis.call('XTRIM', LOG, 'MINID', first_kept .. '-0')
  local numbers = redis.call('HGETALL', NUMBERS)
  for i = 1, #numbers, 2 do
    local time = tonumber(string.match(numbers[i + 1], ' (%d+)-') or '')
    if not time or time < first_kept then
      redis.call('HDEL', NUMBERS, numbers[i])
    end
  end
  redis.call('HSET', RUN, 'pruned', now)
end

-- The beat comes last: without it the node is not there, should a write before it fail.
local function put(pulse, position)
  if redis.call('HGET', CARDS, TAG) ~= CARD then
    redis.call('ZADD', CARD_CHANGES, change(), TAG)
    redis.call('HSET', CARDS, TAG, CARD)
  end
  if not pulse or CLAIMS then
    redis.call('HSET', ADDRESSES, TAG, ADDRESS)
    redis.call('HSET', TAGS, ADDRESS, TAG)
  end
  redis.call('HSET', READERS, TAG, position)
  redis.call('HSET', BEATS, TAG, BEAT .. ' ' .. LOAD)
end

local function stand(position)
  local pulse = redis.call('HGET', BEATS, TAG)
  if redis.call('ZSCORE', VERDICTS, TAG) then
    return 'dead'
  elseif CLAIMS then
    local address = redis.call('HGET', ADDRESSES, TAG)
    if pulse and address and address ~= ADDRESS then
      return 'dead'
    end
    local other = redis.call('HGET', TAGS, ADDRESS)
    if other and other ~= TAG then
      give_up(other)
    end
  elseif not pulse then
    return 'unknown'
  end
  if not pulse or not is_less(BEAT, string.match(pulse, '^%d*')) then
    put(pulse, position)
  end
  return 'held'
end

local function since(key, by_number)
  local tags = redis.call('ZRANGEBYSCORE', by_number, '(' .. SEEN_CHANGES, '+inf')
  if not key then
    return tags
  end
  local values = {}
  for _, tag in ipairs(tags) do
    values[#values + 1] = tag
    values[#values + 1] = redis.call('HGET', key, tag) or ''
  end
  return values
end

-- The run is at least as old as the time for which any node has known it. The server's own clock could be set forward.
local function aged()
  local old = tonumber(age) or 0
  if SEEN_RUN == name and KNOWN_FOR > old then
    redis.call('HSET', RUN, 'age', KNOWN_FOR)
    return KNOWN_FOR
  end
  return old
end

prune()
local complete = SEEN_RUN ~= name
local after = READ
if READ == '' then
  after = log_end()
elseif complete then
  after = '0-0'
end
local standing = stand(after)
return {
  standing,
  name,
  aged(),
  redis.call('HGETALL', BEATS),
  complete and redis.call('HGETALL', CARDS) or since(CARDS, CARD_CHANGES),
  complete and redis.call('ZRANGE', VERDICTS, 0, -1) or since(nil, VERDICTS),
  complete and 1 or 0,
  complete and redis.call('HGETALL', NUMBERS) or {},
  log_after(after),
  log_end(),
  tonumber(redis.call('HGET', RUN, 'changes') or 0),
}
