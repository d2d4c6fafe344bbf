-- Whose queue a message waits in (`pin:NAME`, `account:NAME`, or `pool` for those that any account may carry), and whether it
-- carries media.
ALTER TABLE outbox ADD COLUMN queue TEXT NOT NULL DEFAULT 'pool';
ALTER TABLE outbox ADD COLUMN media INTEGER NOT NULL DEFAULT 0;

UPDATE outbox SET
    queue = CASE WHEN pin IS NULL THEN 'pool' ELSE 'pin:' || pin END,
    media = CASE WHEN content LIKE '%"media":[%' THEN 1 ELSE 0 END
WHERE state < 20;

-- What waits in the order of its acceptance, by queue and by chat. A message that is begun in the write that accepts it
-- never enters them.
CREATE INDEX outbox_waiting ON outbox (queue, id, media, api_key, listener) WHERE state = 0;
CREATE INDEX outbox_waiting_by_chat ON outbox (chat, (coalesce(pin, '')), id) WHERE state = 0;
CREATE INDEX outbox_waiting_by_chat_id ON outbox (chat_id, (coalesce(pin, '')), id) WHERE state = 0;

-- What waits for its time.
CREATE INDEX outbox_scheduled ON outbox (send_at, id, queue, media, api_key, listener) WHERE state = 1;
