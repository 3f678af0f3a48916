#!lua flags=allow-oom
-- The part that all scripts begin with. ARGV[1] is a new random name, ARGV[2] a tag. The nodes write little, and go on if
-- others have filled the server: it must not be that they all stop then.

local RUN, BEATS, ADDRESSES, TAGS, CARDS, CARD_CHANGES, VERDICTS, VERDICT_TIMES, LOG, NUMBERS, READERS = unpack(KEYS)
local TAG = ARGV[2]

-- A server's id is another one after a restart and after a failover. A loss of all data takes the run's name with it.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local name, of_server, age = unpack(redis.call('HMGET', RUN, 'name', 'server', 'age'))
if not name or of_server ~= server then
  name, age = ARGV[1], 0
  redis.call('HSET', RUN, 'name', name, 'server', server, 'age', age)
end

-- The server's clock prunes, and does nothing else.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function change()
  return redis.call('HINCRBY', RUN, 'changes', 1)
end

local function give_up(tag)
  if not redis.call('ZSCORE', VERDICTS, tag) then
    redis.call('ZADD', VERDICT_TIMES, milliseconds(), tag)
    redis.call('ZADD', VERDICTS, change(), tag)
  end
  local address = redis.call('HGET', ADDRESSES, tag)
  if address and redis.call('HGET', TAGS, address) == tag then
    redis.call('HDEL', TAGS, address)
  end
  for _, key in ipairs({BEATS, ADDRESSES, CARDS, READERS}) do
    redis.call('HDEL', key, tag)
  end
  redis.call('ZREM', CARD_CHANGES, tag)
end

local function log_after(position)
  return redis.call('XRANGE', LOG, '(' .. position, '+')
end

local function log_end()
  return redis.call('HGET', RUN, 'end') or '0-0'
end

-- Compares decimal numbers of up to 64 bits, which Lua's own numbers can't hold.
local function is_less(a, b)
  return #a < #b or (#a == #b and a < b)
end

