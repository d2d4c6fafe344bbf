-- Locks a chat for an item, and notes that with the end of the lock, so that another run of this program can unlock it; 0 where it is
-- locked already. KEYS: the lock, the notes. ARGV: what the lock says, how many seconds it lasts, the id of the item.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then
    local now, left = redis.call('TIME'), redis.call('PTTL', KEYS[1])
    local ends = now[1] * 1000 + math.floor(now[2] / 1000) + left
    redis.call('HSET', KEYS[2], ARGV[3], string.format('%.0f %s', ends, KEYS[1]))
    return 1
end
return 0
