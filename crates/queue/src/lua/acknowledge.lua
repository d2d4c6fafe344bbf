-- Takes items off what is being processed; those that could not be taken become dead letters.
-- KEYS: what is being processed, the dead letters. ARGV: the most dead letters, then of each item: itself, its dead letter or nothing.
for place = 2, #ARGV, 2 do
    local removed = redis.call('LREM', KEYS[1], 1, ARGV[place])
    if removed > 0 and ARGV[place + 1] ~= '' then
        redis.call('RPUSH', KEYS[2], ARGV[place + 1])
        redis.call('LTRIM', KEYS[2], -ARGV[1], -1)
    end
end
