-- How long the same body from a key is a repeat of the first request, in microseconds; NULL: every request is a new one.
ALTER TABLE api_keys ADD COLUMN repeats INTEGER;
