-- Offers an item, once: what was offered under its id before is taken back.
-- KEYS: the offers, what is open. ARGV: the id, the item.
local before = redis.call('HGET', KEYS[2], ARGV[1])
if before then
    redis.call('LREM', KEYS[1], 0, before)
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('RPUSH', KEYS[1], ARGV[2])
