ALTER TABLE telegram_accounts ADD COLUMN messages_per_hour BIGINT;
ALTER TABLE telegram_accounts ADD COLUMN messages_per_day BIGINT;
