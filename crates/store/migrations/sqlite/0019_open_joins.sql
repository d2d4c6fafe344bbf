-- Most requests have been answered, and each one without a key asks whether any has not.
CREATE INDEX open_joins ON request_joins (open) WHERE open = 1;
