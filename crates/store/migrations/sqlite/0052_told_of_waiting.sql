-- Of which waiting of its client people were notified, and after how long.
ALTER TABLE pipeline_appeals ADD COLUMN told_since INTEGER;
ALTER TABLE pipeline_appeals ADD COLUMN told_after INTEGER;
