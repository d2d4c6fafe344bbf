-- How many messages an account may send, as its owner wants it; NULL: as many as there are.
ALTER TABLE telegram_accounts ADD COLUMN messages_per_hour INTEGER;
ALTER TABLE telegram_accounts ADD COLUMN messages_per_day INTEGER;
