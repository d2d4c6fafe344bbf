ALTER TABLE telegram_peers ADD COLUMN phone TEXT COLLATE "C";
