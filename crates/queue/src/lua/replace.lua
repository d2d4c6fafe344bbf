-- A list has these items and no others. KEYS: the list. ARGV: the items.
redis.call('DEL', KEYS[1])
for _, item in ipairs(ARGV) do
    redis.call('RPUSH', KEYS[1], item)
end
