-- Turns that no program answered though one was to.
CREATE INDEX pipeline_turns_failed ON pipeline_turns (id) WHERE stage = 11 AND responder IN ('ai', 'webhook');
