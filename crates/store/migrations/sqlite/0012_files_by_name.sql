-- Which messages need a file, for the moment in which one of them is over.
CREATE INDEX outbox_files_by_file ON outbox_files (file);
