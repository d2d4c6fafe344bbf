-- How many attempts of a sender may have been sent, by the hour since 1970 in which they ended; counted in the writes that end them.
CREATE TABLE campaign_sent (
    sender TEXT NOT NULL,
    hour INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (sender, hour)
) STRICT, WITHOUT ROWID;

INSERT INTO campaign_sent (sender, hour, attempts)
    SELECT sender, ended_at / 3600000000, count(*) FROM campaign_attempts WHERE state >= 12
    GROUP BY sender, ended_at / 3600000000;
