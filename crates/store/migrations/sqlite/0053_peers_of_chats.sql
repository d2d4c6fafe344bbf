-- Whose chat it was that was written to last, so that a name that belongs to another since is seen.
ALTER TABLE campaign_tasks ADD COLUMN peer TEXT;
