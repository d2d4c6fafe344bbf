-- What a message of a campaign carries beside its text, JSON. Its files lie with the outgoing files.
ALTER TABLE campaign_messages ADD COLUMN media TEXT;
