-- Who is in the contacts of an account. Those whom it knows already are looked at once more.
ALTER TABLE telegram_peers ADD COLUMN contact INTEGER NOT NULL DEFAULT 0;
UPDATE telegram_fills SET refreshed_at = NULL;
