CREATE INDEX outbox_files_by_file ON outbox_files (file);
