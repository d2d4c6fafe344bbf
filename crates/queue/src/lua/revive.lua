-- Puts a dead letter's item at the end of the list that it came from. KEYS: the dead letters, the list. ARGV: the dead letter, the item.
local removed = redis.call('LREM', KEYS[1], 1, ARGV[1])
if removed > 0 then
    redis.call('RPUSH', KEYS[2], ARGV[2])
end
return removed
