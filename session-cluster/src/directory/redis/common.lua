-- The part that all scripts begin with. ARGV[1] is a new random name, ARGV[2] a tag.

local RUN, BEATS, ADDRESSES, TAGS, CARDS, CARD_CHANGES, VERDICTS, VERDICT_TIMES, LOG, NUMBERS, READERS = unpack(KEYS)
local TAG = ARGV[2]

-- A server's id is another one after a restart and after a failover. A loss of all data takes the run's name with it.
local info = redis.call('INFO', 'server')
local server = string.match(info, 'run_id:(%x+)')
local uptime = tonumber(string.match(info, 'uptime_in_seconds:(%d+)'))
local name, of_server, since = unpack(redis.call('HMGET', RUN, 'name', 'server', 'since'))
if not name or of_server ~= server then
  name, since = ARGV[1], uptime
  redis.call('HSET', RUN, 'name', name, 'server', server, 'since', since)
end
-- Both times are whole seconds, so their difference can be one too many.
local age = math.max(uptime - (tonumber(since) or uptime) - 1, 0)

-- The server's clock prunes, and does nothing else.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function change()
  return redis.call('HINCRBY', RUN, 'changes', 1)
end

local function give_up(tag)
  local address = redis.call('HGET', ADDRESSES, tag)
  if address and redis.call('HGET', TAGS, address) == tag then
    redis.call('HDEL', TAGS, address)
  end
  for _, key in ipairs({BEATS, ADDRESSES, CARDS, READERS}) do
    redis.call('HDEL', key, tag)
  end
  redis.call('ZREM', CARD_CHANGES, tag)
  if not redis.call('ZSCORE', VERDICTS, tag) then
    redis.call('ZADD', VERDICTS, change(), tag)
    redis.call('ZADD', VERDICT_TIMES, milliseconds(), tag)
  end
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

