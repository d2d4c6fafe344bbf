-- When Telegram last told that a peer has its public name. Empty: nobody knows.
ALTER TABLE telegram_peers ADD COLUMN named_at INTEGER;
