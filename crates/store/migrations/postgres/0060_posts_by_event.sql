-- The same key on both engines. The indexes stay: the server needs no other.
ALTER TABLE posts DROP CONSTRAINT posts_pkey;
ALTER TABLE posts ADD PRIMARY KEY (receiver, event, kind, item);
