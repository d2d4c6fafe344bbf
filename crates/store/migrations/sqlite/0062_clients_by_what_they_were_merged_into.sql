-- What a client was known as is asked with each turn: without an index all clients are read for it.
CREATE INDEX pipeline_clients_merged ON pipeline_clients (merged_into) WHERE merged_into IS NOT NULL;
