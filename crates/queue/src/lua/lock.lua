-- Locks a chat for an item, and notes that, so that another run of this program can unlock it; 0 where it is locked already.
-- KEYS: the lock, the notes. ARGV: what the lock says, how long it lasts, the id of the item.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then
    redis.call('HSET', KEYS[2], ARGV[3], KEYS[1])
    return 1
end
return 0
