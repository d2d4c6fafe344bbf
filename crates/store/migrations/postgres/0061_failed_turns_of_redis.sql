-- Turns that a program took from Redis and did not answer are failed ones too.
DROP INDEX pipeline_turns_failed;
CREATE INDEX pipeline_turns_failed ON pipeline_turns (id) WHERE stage = 11 AND responder IN ('ai', 'webhook', 'redis');
