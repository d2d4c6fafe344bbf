-- Takes back what is offered under these ids.
-- KEYS: the offers, what is open. ARGV: the ids.
for _, id in ipairs(ARGV) do
    local before = redis.call('HGET', KEYS[2], id)
    if before then
        redis.call('LREM', KEYS[1], 0, before)
        redis.call('HDEL', KEYS[2], id)
    end
end
