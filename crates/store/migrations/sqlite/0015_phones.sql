-- The phone of a person, where Telegram tells it to the account.
ALTER TABLE telegram_peers ADD COLUMN phone TEXT;
