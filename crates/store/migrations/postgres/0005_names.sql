ALTER TABLE telegram_peers ADD COLUMN named_at BIGINT;
