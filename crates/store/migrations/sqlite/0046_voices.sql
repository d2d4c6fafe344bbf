-- Until when the text of a voice is waited for.
ALTER TABLE pipeline_messages ADD COLUMN voice_until INTEGER;

CREATE INDEX pipeline_voices ON pipeline_messages (voice_until, seq) WHERE voice_until IS NOT NULL;
