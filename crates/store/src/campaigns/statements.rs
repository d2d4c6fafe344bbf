//! The statements of the campaigns. States of attempts: 0 claimed, 10 failed, 11 skipped, 12 unknown, 20 sent; of runs: below 10 open.

use crate::statement::statements;

statements! {
    ADD = "
        INSERT INTO campaigns (name, settings, turn, created_at, title, folded_title) VALUES ($1, $2, 0, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    CHANGE = "UPDATE campaigns SET settings = $1 WHERE name = $2";
    GET = "SELECT name, settings, created_at, title FROM campaigns WHERE name = $1";
    TITLED = "SELECT name, settings, created_at, title FROM campaigns WHERE folded_title = $1";
    LIST = "SELECT name, settings, created_at, title FROM campaigns ORDER BY name";
    NEXT_TURN = "UPDATE campaigns SET turn = turn + 1 WHERE name = $1";
    TURN = "SELECT turn FROM campaigns WHERE name = $1";
    REMOVE = "DELETE FROM campaigns WHERE name = $1";
    REMOVE_SENDERS = "DELETE FROM campaign_senders WHERE campaign = $1";
    REMOVE_TASKS = "DELETE FROM campaign_tasks WHERE campaign = $1";
    REMOVE_MESSAGES = "DELETE FROM campaign_messages WHERE campaign = $1";
    ADD_SENDER = "
        INSERT INTO campaign_senders (campaign, sender, state, why, changed_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (campaign, sender) DO NOTHING";
    REMOVE_SENDER = "DELETE FROM campaign_senders WHERE campaign = $1 AND sender = $2";
    SENDERS = "
        SELECT sender, state, why, changed_at FROM campaign_senders WHERE campaign = $1 ORDER BY sender";
    UNBLOCK_SENDERS = "
        UPDATE campaign_senders SET state = 0, why = NULL, changed_at = $1
        WHERE campaign = $2 AND state <> 0 AND (CAST($3 AS TEXT) IS NULL OR sender = $3)";
    BLOCK_SENDER = "
        UPDATE campaign_senders SET state = $1, why = $2, changed_at = $3 WHERE sender = $4 AND state = 0";
    LAST_PLACE = "SELECT coalesce(max(place), 0) FROM campaign_tasks WHERE campaign = $1";
    /// One after the other: PostgreSQL, which knows nothing about a table that is being filled, would read all of the campaign.
    STORED_TASKS = "
        WITH wanted (chat) AS (VALUES
            ($1), ($2), ($3), ($4), ($5), ($6), ($7), ($8), ($9), ($10), ($11), ($12),
            ($13), ($14), ($15), ($16), ($17), ($18), ($19), ($20), ($21), ($22), ($23), ($24),
            ($25), ($26), ($27), ($28), ($29), ($30), ($31), ($32))
        SELECT (SELECT task.chat FROM campaign_tasks AS task WHERE task.chat = wanted.chat AND task.campaign = $33)
        FROM wanted";
    ADD_TASK = "
        INSERT INTO campaign_tasks (campaign, chat, place, variables, state, why, turn, tries, cycles, next_at)
        VALUES ($1, $2, $3, $4, 0, NULL, 0, 0, 0, 0) ON CONFLICT (campaign, chat) DO NOTHING";
    CHANGE_TASK = "UPDATE campaign_tasks SET variables = $1 WHERE campaign = $2 AND chat = $3";
    TASKS = "
        SELECT chat, place, variables, state, why, tries, cycles, next_at, peer, turn FROM campaign_tasks
        WHERE campaign = $1 AND place > $2 ORDER BY place LIMIT $3";
    BLOCKED_TASKS = "
        SELECT chat, place, variables, state, why, tries, cycles, next_at, peer, turn FROM campaign_tasks
        WHERE campaign = $1 AND place > $2 AND state <> 0 ORDER BY place LIMIT $3";
    TASK = "
        SELECT chat, place, variables, state, why, tries, cycles, next_at, peer, turn FROM campaign_tasks
        WHERE campaign = $1 AND chat = $2";
    UNBLOCK_TASKS = "
        UPDATE campaign_tasks SET state = 0, why = NULL, tries = 0, next_at = 0, peer = NULL
        WHERE campaign = $1 AND state <> 0 AND (CAST($2 AS TEXT) IS NULL OR chat = $2)";
    /// Recipients are added one place after the other, and removed all at once: the last place is how many there are.
    COUNT_TASKS = "
        SELECT coalesce(max(place), 0),
            (SELECT count(*) FROM campaign_tasks AS blocked WHERE blocked.campaign = $1 AND blocked.state <> 0)
        FROM campaign_tasks WHERE campaign = $1";
    COUNT_PENDING = "SELECT count(*) FROM campaign_tasks WHERE campaign = $1 AND state = 0 AND turn < $2";
    STORED_PENDING = "SELECT pending FROM campaign_runs WHERE id = $1";
    ADD_PENDING = "UPDATE campaign_runs SET pending = pending + $1 WHERE campaign = $2 AND state < 10";
    COUNT_PENDING_AGAIN = "
        UPDATE campaign_runs SET pending = (
            SELECT count(*) FROM campaign_tasks AS task
            WHERE task.campaign = campaign_runs.campaign AND task.state = 0 AND task.turn < campaign_runs.turn
        ) WHERE campaign = $1 AND state < 10";
    FORGET_PENDING = "UPDATE campaign_runs SET pending = NULL WHERE campaign = $1 AND state < 10";
    /// Before a recipient changes to a state and a turn.
    CHANGE_PENDING = "
        UPDATE campaign_runs SET pending = pending
            + CASE WHEN CAST($1 AS BIGINT) = 0 AND CAST($2 AS BIGINT) < turn THEN 1 ELSE 0 END
            - (SELECT count(*) FROM campaign_tasks AS task
                WHERE task.campaign = campaign_runs.campaign AND task.chat = $3 AND task.state = 0
                    AND task.turn < campaign_runs.turn)
        WHERE campaign = $4 AND state < 10";
    LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM campaign_messages WHERE campaign = $1";
    HAS_MESSAGE = "SELECT number FROM campaign_messages WHERE campaign = $1 AND text = $2";
    ADD_MESSAGE = "
        INSERT INTO campaign_messages (campaign, number, text, parse_mode, weight, is_active, media, uses)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
    CHANGE_MESSAGE = "
        UPDATE campaign_messages SET parse_mode = $1, weight = $2, is_active = $3, media = $4
        WHERE campaign = $5 AND number = $6";
    REST_MESSAGES = "UPDATE campaign_messages SET is_active = 0 WHERE campaign = $1";
    MESSAGES = "
        SELECT number, text, parse_mode, weight, is_active, uses, media FROM campaign_messages
        WHERE campaign = $1 ORDER BY number";
    MESSAGES_MEDIA = "SELECT media FROM campaign_messages WHERE media IS NOT NULL";
    /// Of the message that an attempt was made ready with.
    COUNT_USE = "
        UPDATE campaign_messages SET uses = uses + 1
        WHERE campaign = $1 AND number = (SELECT one.message FROM campaign_attempts AS one WHERE one.id = $2)";
    OPEN_RUN = "
        SELECT id, campaign, state, reason, cycle, cycles, turn, canary, next_cycle_at, began_at, ended_at
        FROM campaign_runs WHERE campaign = $1 AND state < 10";
    LAST_RUN = "
        SELECT id, campaign, state, reason, cycle, cycles, turn, canary, next_cycle_at, began_at, ended_at
        FROM campaign_runs WHERE campaign = $1 ORDER BY id DESC LIMIT 1";
    RUN = "
        SELECT id, campaign, state, reason, cycle, cycles, turn, canary, next_cycle_at, began_at, ended_at
        FROM campaign_runs WHERE id = $1";
    RUNS = "
        SELECT id, campaign, state, reason, cycle, cycles, turn, canary, next_cycle_at, began_at, ended_at
        FROM campaign_runs WHERE campaign = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    RUNS_AT_WORK = "
        SELECT id FROM campaign_runs WHERE state = 0
        UNION SELECT run_id FROM campaign_attempts WHERE state = 0";
    ADD_RUN = "
        INSERT INTO campaign_runs (
            id, campaign, state, reason, cycle, cycles, turn, canary, next_cycle_at, began_at, ended_at
        ) VALUES ($1, $2, 0, NULL, 0, $3, $4, $5, $6, $7, NULL)";
    SET_RUN = "
        UPDATE campaign_runs SET state = $1, reason = $2, canary = $3, ended_at = $4 WHERE id = $5 AND state < 10";
    BEGIN_CYCLE = "
        UPDATE campaign_runs SET cycle = cycle + 1, turn = $1, next_cycle_at = NULL, pending = $2 WHERE id = $3";
    END_CYCLE = "UPDATE campaign_runs SET next_cycle_at = $1 WHERE id = $2";
    SENT_LATELY = "
        SELECT ended_at FROM campaign_attempts WHERE sender = $1 AND ended_at > $2 AND state >= 12
        ORDER BY ended_at DESC LIMIT 1000";
    LAST_SENT = "
        SELECT ended_at FROM campaign_attempts WHERE sender = $1 AND ended_at > $2 AND state >= 12 AND run_id = $3
        ORDER BY ended_at DESC LIMIT 1";
    WROTE_TO = "
        SELECT count(*) FROM (
            SELECT 1 FROM campaign_attempts WHERE sender = $1 AND peer = $2 AND state >= 12 LIMIT 1
        ) AS one";
    DROP_ATTEMPTS = "
        DELETE FROM campaign_attempts WHERE id IN (
            SELECT old.id FROM campaign_runs AS run INNER JOIN campaign_attempts AS old ON old.run_id = run.id
            WHERE run.ended_at < $1 AND old.state <> 0 LIMIT $2)";
    /// How many attempts of a sender are open, and how many that ended in an hour or later may have been sent.
    OF_SENDER = "
        SELECT (SELECT count(*) FROM campaign_attempts WHERE sender = $1 AND state = 0),
            (SELECT CAST(coalesce(sum(attempts), 0) AS BIGINT) FROM campaign_sent WHERE sender = $1 AND hour >= $2)";
    OPEN_OF_RUN = "SELECT count(*) FROM campaign_attempts WHERE run_id = $1 AND state = 0";
    /// A run, what [`OF_SENDER`] says, and the recipient that is due.
    CLAIMABLE = "
        SELECT id, campaign, state, reason, cycle, cycles, turn, canary, next_cycle_at, began_at, ended_at,
            (SELECT count(*) FROM campaign_attempts AS open WHERE open.sender = $1 AND open.state = 0),
            (SELECT CAST(coalesce(sum(sent.attempts), 0) AS BIGINT) FROM campaign_sent AS sent
                WHERE sent.sender = $1 AND sent.hour >= $2),
            (SELECT task.chat FROM campaign_tasks AS task
                WHERE task.campaign = run.campaign AND task.state = 0 AND task.turn < run.turn AND task.next_at <= $3
                ORDER BY task.turn, task.next_at, task.place LIMIT 1)
        FROM campaign_runs AS run WHERE id = $4";
    NEXT_TRY = "SELECT min(next_at) FROM campaign_tasks WHERE campaign = $1 AND state = 0 AND turn < $2";
    HASTEN_TRIES = "
        UPDATE campaign_tasks SET next_at = $1
        WHERE campaign = $2 AND state = 0 AND turn < $3 AND tries > 0 AND next_at > $1";
    TAKE_TASK = "UPDATE campaign_tasks SET turn = $1 WHERE campaign = $2 AND chat = $3";
    TAKE_ONE = "
        UPDATE campaign_runs SET pending = pending - 1, canary = CASE WHEN canary > 0 THEN canary - 1 ELSE canary END
        WHERE id = $1";
    ADD_ATTEMPT = "
        INSERT INTO campaign_attempts (
            id, run_id, campaign, cycle, chat, sender, state, code, detail, peer, message, text, parse_mode,
            outbox_id, claimed_at, ended_at
        ) VALUES ($1, $2, $3, $4, $5, $6, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, $7, NULL)";
    SAME_PEER = "
        SELECT chat FROM campaign_attempts
        WHERE run_id = $1 AND cycle = $2 AND peer = $3 AND state <> 10 AND state <> 11 AND id <> $4 LIMIT 1";
    PEERS_OF_CHAT = "
        SELECT (SELECT task.peer FROM campaign_tasks AS task WHERE task.campaign = one.name AND task.chat = $1)
        FROM campaigns AS one";
    /// When the latest messages of campaigns to a peer left; now, of those that are leaving.
    ADVERTISED = "
        SELECT coalesce(ended_at, CAST($1 AS BIGINT)) FROM campaign_attempts
        WHERE peer = $2 AND claimed_at > $3 AND state <> 10 AND state <> 11 AND id <> $4
        ORDER BY claimed_at DESC LIMIT 50";
    READY = "
        UPDATE campaign_attempts SET peer = $1, message = $2, text = $3, parse_mode = $4 WHERE id = $5 AND state = 0";
    END_ATTEMPT = "
        UPDATE campaign_attempts SET state = $1, code = $2, detail = $3, outbox_id = $4, ended_at = $5
        WHERE id = $6 AND state = 0";
    /// Of a recipient that waits for the next cycle of a run that goes on: it stays as it was counted when it was taken.
    END_TURN = "
        UPDATE campaign_tasks SET state = 0, why = NULL, tries = 0, cycles = cycles + $1, next_at = 0,
            turn = (SELECT run.turn FROM campaign_runs AS run WHERE run.id = $2),
            peer = coalesce((SELECT one.peer FROM campaign_attempts AS one WHERE one.id = $3), peer)
        WHERE campaign = $4 AND chat = $5 AND (SELECT run.state FROM campaign_runs AS run WHERE run.id = $2) < 10";
    END_TASK = "
        UPDATE campaign_tasks SET state = $1, why = $2, turn = $3, tries = $4, cycles = cycles + $5, next_at = $6,
            peer = coalesce((SELECT one.peer FROM campaign_attempts AS one WHERE one.id = $7), peer)
        WHERE campaign = $8 AND chat = $9";
    ATTEMPT = "
        SELECT id, run_id, campaign, cycle, chat, sender, state, code, detail, peer, message, text, parse_mode,
            outbox_id, claimed_at, ended_at
        FROM campaign_attempts WHERE id = $1";
    /// How often a recipient failed, and the cycle that its run is in.
    ENDING = "
        SELECT task.tries, run.turn
        FROM campaign_runs AS run JOIN campaign_tasks AS task ON task.campaign = run.campaign
        WHERE run.id = $1 AND task.chat = $2";
    OPEN_ATTEMPTS = "
        SELECT id, run_id, campaign, cycle, chat, sender, state, code, detail, peer, message, text, parse_mode,
            outbox_id, claimed_at, ended_at
        FROM campaign_attempts WHERE run_id = $1 AND state = 0 ORDER BY id";
    ATTEMPTS = "
        SELECT id, run_id, campaign, cycle, chat, sender, state, code, detail, peer, message, text, parse_mode,
            outbox_id, claimed_at, ended_at
        FROM campaign_attempts
        WHERE run_id = $1 AND id < $2 AND (CAST($3 AS BIGINT) IS NULL OR state = $3)
            AND (CAST($4 AS BIGINT) IS NULL OR $4 = CASE
                WHEN state = 20 THEN 1
                WHEN state = 10 AND code IN ('chat_not_found', 'no_rights', 'not_in_chat', 'template', 'task_gone') THEN 2
                WHEN state = 10 THEN 3
                ELSE 0 END)
            AND (CAST($5 AS TEXT) IS NULL OR code = $5)
        ORDER BY id DESC LIMIT $6";
    SENT_SINCE = "
        SELECT sender, count(*) FROM campaign_attempts
        WHERE sender IN (SELECT sender FROM campaign_senders WHERE campaign = $1) AND ended_at > $2 AND state >= 12
        GROUP BY sender";
    SENT_BY_HOURS_AGO = "
        SELECT sender, (CAST($1 AS BIGINT) - ended_at) / 3600000000, count(*) FROM campaign_attempts
        WHERE sender IN (SELECT sender FROM campaign_senders WHERE campaign = $2) AND ended_at > $3 AND state >= 12
        GROUP BY 1, 2";
    SENT_BY_HOUR = "
        SELECT ended_at / 3600000000, count(*) FROM campaign_attempts
        WHERE sender IN (SELECT sender FROM campaign_senders WHERE campaign = $1) AND campaign = $1
            AND ended_at > $2 AND state >= 12
        GROUP BY ended_at / 3600000000";
    COUNT_ATTEMPTS = "
        SELECT state, code, attempts FROM campaign_counts WHERE run_id = $1
        UNION ALL
        SELECT 0, '', count(*) FROM campaign_attempts WHERE run_id = $1 AND state = 0 HAVING count(*) > 0";
    /// Reads each attempt of the run.
    COUNT_CYCLES = "
        SELECT cycle, min(claimed_at), state, count(*) FROM campaign_attempts WHERE run_id = $1
        GROUP BY cycle, state ORDER BY cycle, state";
    COUNT_ENDS = "
        INSERT INTO campaign_counts (run_id, state, code, attempts) VALUES ($1, $2, $3, $4)
        ON CONFLICT (run_id, state, code) DO UPDATE SET attempts = campaign_counts.attempts + excluded.attempts";
    COUNT_SENT = "
        INSERT INTO campaign_sent (sender, hour, attempts) VALUES ($1, $2, 1)
        ON CONFLICT (sender, hour) DO UPDATE SET attempts = campaign_sent.attempts + 1";
    DROP_SENT = "
        DELETE FROM campaign_sent WHERE (sender, hour) IN (
            SELECT sender, hour FROM campaign_sent WHERE hour < $1 LIMIT $2)";
    ADD_PAST_RUN = "
        INSERT INTO campaign_runs (
            id, campaign, state, reason, cycle, cycles, turn, canary, next_cycle_at, began_at, ended_at
        ) VALUES ($1, $2, 1, 'imported', $3, $3, $4, NULL, NULL, $5, NULL)";
    TAKE_PAST_TASK = "
        UPDATE campaign_tasks SET turn = CASE WHEN $1 > turn THEN $1 ELSE turn END,
            cycles = CASE WHEN $2 > cycles THEN $2 ELSE cycles END,
            state = CASE WHEN CAST($3 AS BIGINT) = 1 THEN 1 ELSE state END,
            why = CASE WHEN CAST($3 AS BIGINT) = 1 AND state = 0 THEN $4 ELSE why END,
            next_at = CASE WHEN $5 > next_at THEN $5 ELSE next_at END
        WHERE campaign = $6 AND chat = $7";
    ADD_PAST_ATTEMPT = "
        INSERT INTO campaign_attempts (
            id, run_id, campaign, cycle, chat, sender, state, code, detail, peer, message, text, parse_mode,
            outbox_id, claimed_at, ended_at
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, NULL, NULL, NULL, NULL, NULL, $9, $9)
        ON CONFLICT (id) DO NOTHING";
    TAKE_USES = "
        UPDATE campaign_messages SET uses = CASE WHEN $1 > uses THEN $1 ELSE uses END WHERE campaign = $2 AND text = $3";
    /// What was sent since is not known of a store that was restored.
    HOLD_RUNS = "UPDATE campaign_runs SET state = 1, reason = 'restored' WHERE state = 0";
    COUNT_HELD = "
        INSERT INTO campaign_counts (run_id, state, code, attempts)
        SELECT run_id, 12, 'restored', count(*) FROM campaign_attempts WHERE state = 0 GROUP BY run_id
        ON CONFLICT (run_id, state, code) DO UPDATE SET attempts = campaign_counts.attempts + excluded.attempts";
    COUNT_HELD_SENT = "
        INSERT INTO campaign_sent (sender, hour, attempts)
        SELECT sender, CAST($1 AS BIGINT), count(*) FROM campaign_attempts WHERE state = 0 GROUP BY sender
        ON CONFLICT (sender, hour) DO UPDATE SET attempts = campaign_sent.attempts + excluded.attempts";
    HOLD_ATTEMPTS = "UPDATE campaign_attempts SET state = 12, code = 'restored', ended_at = $1 WHERE state = 0";
}
