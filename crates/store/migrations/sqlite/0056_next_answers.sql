-- Since when what the client wrote has no answer, whether the appeal is closed or not; how long the client waited for the first answer,
-- none where we wrote first; how many answers came after the first, and how long the client waited for all of them: microseconds.
ALTER TABLE pipeline_appeals ADD COLUMN asked_at INTEGER;
ALTER TABLE pipeline_appeals ADD COLUMN first_wait INTEGER;
ALTER TABLE pipeline_appeals ADD COLUMN next_answers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pipeline_appeals ADD COLUMN next_wait INTEGER NOT NULL DEFAULT 0;

-- The person who wrote in a chat after what waits there for silence: 2 here, or not the last to write, 4 in the provider's app.
ALTER TABLE pipeline_chats ADD COLUMN answered_by INTEGER;

UPDATE pipeline_appeals SET asked_at = waiting_since, first_wait = first_answer_at - opened_at;
