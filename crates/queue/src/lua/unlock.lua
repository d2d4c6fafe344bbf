-- Unlocks the chat of an item, where the lock is the one that was noted: all say the same, and each ends at a time of its own.
-- KEYS: the lock, the notes. ARGV: the id of the item, by how many milliseconds an end may differ from the note.
local ends = tonumber(string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^(%d+) '))
local now, left = redis.call('TIME'), redis.call('PTTL', KEYS[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if ends and left > 0 and math.abs(now[1] * 1000 + math.floor(now[2] / 1000) + left - ends) < tonumber(ARGV[2]) then
    redis.call('DEL', KEYS[1])
end
