-- Until when the text of a voice is waited for in a chat, however much waits there.
CREATE INDEX pipeline_voices_of_a_chat ON pipeline_messages (channel, account, chat, voice_until)
    WHERE turn IS NULL AND author = 0 AND voice_until IS NOT NULL;
