-- What a key is limited to (JSON: accounts, chats and channels; NULL: nothing), until when it works, how many requests it may make,
-- and when and from where it was used last.
ALTER TABLE api_keys ADD COLUMN limits TEXT;
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE api_keys ADD COLUMN rate TEXT;
ALTER TABLE api_keys ADD COLUMN burst INTEGER;
ALTER TABLE api_keys ADD COLUMN used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN used_from TEXT;
