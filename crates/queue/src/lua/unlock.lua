-- Unlocks the chat of an item. KEYS: the lock, the notes. ARGV: the id of the item.
if redis.call('HDEL', KEYS[2], ARGV[1]) > 0 then
    redis.call('DEL', KEYS[1])
end
