-- Moves items to the list of what is being processed, each under an id. What was taken before comes first, alone.
-- KEYS: the list, what is being processed of it. ARGV: an id for each item.
local held = redis.call('LRANGE', KEYS[2], 0, #ARGV - 1)
if #held > 0 then
    return held
end
local items = redis.call('LRANGE', KEYS[1], 0, #ARGV - 1)
if #items == 0 then
    return held
end
-- Trimmed before it is written: Redis without room refuses a script that begins with what takes room, and nothing once it has begun.
redis.call('LTRIM', KEYS[1], #items, -1)
for place, item in ipairs(items) do
    held[place] = ARGV[place] .. ' ' .. item
    redis.call('RPUSH', KEYS[2], held[place])
end
return held
