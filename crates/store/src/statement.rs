//! Statements as constants, listed so that tests reach every one.

/// Declares statements as constants and lists them, so that a test can prepare every one.
///
/// They are written for SQLite and PostgreSQL alike. SQLite numbers `$1`, `$2`, … by their first appearance, so they
/// must first appear in that order; the same test sees to it. Another one runs each of them on both.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)*

        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

#[cfg(test)]
mod tests {
    use tokio_postgres::types::Type;

    use crate::StoreError;
    use crate::database::postgres::Use;
    use crate::database::{Connection, OwnedValue, Postgres, Row};
    use crate::outbox::statements::{FAILED, LIST_OPEN, SCAN_OPEN, UNFINISHED};
    use crate::write::Durability;

    fn plan(connection: &rusqlite::Connection, sql: &str) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push_str(&row.get::<_, String>(3).unwrap());
            plan.push('\n');
        }
        plan
    }

    fn lists() -> [&'static [(&'static str, &'static str)]; 42] {
        [
            crate::fences::ALL,
            crate::identity::ALL,
            crate::flow_definitions::ALL,
            crate::outbox::statements::ALL,
            crate::outbox::unfinished::ALL,
            crate::sent_counts::ALL,
            crate::accounts::statements::ALL,
            crate::peers::ALL,
            crate::api_keys::ALL,
            crate::sagas::statements::ALL,
            crate::chats::statements::ALL,
            crate::chats::unresolved::ALL,
            crate::chats::names::ALL,
            crate::failovers::ALL,
            crate::services::ALL,
            crate::callbacks::ALL,
            crate::failed_requests::ALL,
            crate::stats::ALL,
            crate::files::statements::ALL,
            crate::imports::ALL,
            crate::clearing::ALL,
            crate::round_trip::ALL,
            crate::access::statements::ALL,
            crate::alerts::statements::ALL,
            crate::do_not_contact::ALL,
            crate::first_contacts::ALL,
            crate::events::statements::ALL,
            crate::webhooks::statements::ALL,
            crate::received::statements::ALL,
            crate::received::files::ALL,
            crate::received::gaps::ALL,
            crate::received::reading::ALL,
            crate::conversations::statements::ALL,
            crate::key_rotation::statements::ALL,
            crate::flows::ALL,
            crate::campaigns::statements::ALL,
            crate::pipeline::import_statements::ALL,
            crate::pipeline::statements::ALL,
            crate::campaigns::profiles::ALL,
            crate::campaigns::proxies::ALL,
            crate::channels::statements::ALL,
            crate::channels::files::ALL,
        ]
    }

    #[test]
    fn there_is_room_to_keep_every_statement() {
        let statements: usize = lists().iter().map(|list| list.len()).sum();
        assert!(statements <= crate::database::sqlite::CACHED_STATEMENTS, "{statements}");
    }

    #[test]
    fn each_statement_numbers_parameters_by_first_appearance() {
        let Connection::Sqlite(connection) = Connection::migrated() else { panic!("on SQLite") };
        for (name, sql) in lists().into_iter().flatten() {
            let statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
            for index in 1..=statement.parameter_count() {
                let expected = format!("${index}");
                assert_eq!(statement.parameter_name(index), Some(expected.as_str()), "{name}");
            }
        }
    }

    /// A statement, and what it takes on PostgreSQL.
    struct Listed {
        name: &'static str,
        sql: &'static str,
        takes: Vec<Type>,
        has_rows: bool,
    }

    /// How many rows it found or changed, and those that it found; or the kind of error.
    type Answer = Result<(usize, Vec<String>), String>;

    /// What is bound to a parameter of this type: all of a row is made of one digit.
    fn value(kind: &Type, digit: Option<u8>) -> OwnedValue {
        match (kind, digit) {
            (&Type::INT8, Some(9)) => OwnedValue::Integer(i64::MAX),
            // Not NULL: a limit that is none is an error of SQLite.
            (&Type::INT8, digit) => OwnedValue::Integer(digit.unwrap_or(1).into()),
            (_, None) => OwnedValue::Null,
            (&Type::BYTEA, Some(digit)) => OwnedValue::Blob(vec![digit; 16]),
            // A text that is a list as well, for those that read one.
            (_, Some(digit)) => OwnedValue::Text(format!("[{digit}]")),
        }
    }

    fn columns(row: &Row<'_>) -> Result<String, StoreError> {
        let count = match row {
            Row::Sqlite(row) => row.as_ref().column_count(),
            Row::Postgres(row) => row.len(),
        };
        let values = (0..count).map(|index| row.get::<OwnedValue>(index)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{values:?}"))
    }

    /// Runs a statement in a transaction of its own, which is committed or not.
    fn answer(connection: &Connection, listed: &Listed, values: &[OwnedValue], stays: bool) -> Answer {
        connection.begin(Durability::Soon).unwrap();
        let answer = if listed.has_rows {
            connection.all(listed.sql, values, columns).map(|rows| (rows.len(), rows))
        } else {
            connection.execute(listed.sql, values).map(|count| (count, Vec::new()))
        };
        if stays && answer.is_ok() {
            connection.commit().unwrap();
        } else {
            connection.roll_back();
        }
        let (count, mut rows) = answer.map_err(|error| match error {
            StoreError::Conflict { .. } => "conflict".to_owned(),
            StoreError::Invalid { .. } => "invalid".to_owned(),
            other => other.to_string(),
        })?;
        if !listed.sql.contains("ORDER BY") {
            rows.sort();
        }
        Ok((count, rows))
    }

    /// Preparing them is not enough: limits, widths of integers, truth and lists are looked at when a statement is run.
    #[test]
    fn every_statement_answers_alike_on_both_engines() {
        let Connection::Sqlite(file) = Connection::migrated() else { panic!("on SQLite") };
        file.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        let database = testkit::postgres::Database::empty();
        let server = Postgres::connect(&database.url().parse().unwrap(), Use::Writing).unwrap();
        crate::migrations::prepare_server(&server).unwrap();
        crate::migrations::run_on_server(&server, domain::Timestamp::default()).unwrap();
        let statements: Vec<_> = lists()
            .into_iter()
            .flatten()
            .map(|&(name, sql)| {
                let takes = server.takes(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
                let has_rows = file.prepare(sql).unwrap().column_count() > 0;
                Listed { name, sql, takes, has_rows }
            })
            .collect();
        let both = [Connection::Sqlite(file), Connection::Postgres(Box::new(server))];
        let mut differences = Vec::new();
        let mut finds = |listed: &Listed, digit, stays| {
            let values: Vec<_> = listed.takes.iter().map(|kind| value(kind, digit)).collect();
            let answers = both.each_ref().map(|connection| answer(connection, listed, &values, stays));
            if answers[0] != answers[1] {
                differences.push(format!("{} with {digit:?}: {answers:#?}", listed.name));
            }
            matches!(answers[0], Ok((1.., _)))
        };
        // Twice: a row may come before the one that it refers to.
        for digit in [Some(1), Some(2), Some(1), Some(2)] {
            for listed in statements.iter().filter(|listed| listed.sql.trim_start().starts_with("INSERT")) {
                finds(listed, digit, true);
            }
        }
        // With what is in the rows, with what is in none of them, and with nothing.
        let has_found = |listed: &&Listed| {
            let found = [Some(1), Some(2), Some(9), None].map(|digit| finds(listed, digit, false));
            found.contains(&true)
        };
        let found = statements.iter().filter(has_found).count();
        assert!(differences.is_empty(), "{differences:#?}");
        assert!(found * 3 > statements.len() * 2, "{found} of {} have rows to work on", statements.len());
    }

    #[test]
    fn frequent_statements_never_scan_large_tables() {
        let Connection::Sqlite(connection) = Connection::migrated() else { panic!("on SQLite") };
        let large = [
            "outbox ",
            "outbox_parts",
            "outbox_timeline",
            "idempotency_keys",
            "telegram_peers",
            "operations ",
            "operation_steps",
            "events ",
            "received_messages",
            "pipeline_clients",
            "pipeline_messages",
        ];
        let frequent = crate::outbox::statements::ALL
            .iter()
            .chain(crate::peers::ALL)
            .chain(crate::sagas::statements::ALL)
            .chain(crate::chats::statements::ALL)
            .chain(crate::events::statements::ALL)
            .chain(crate::received::statements::ALL)
            .chain(crate::pipeline::statements::ALL);
        for (name, sql) in frequent {
            let plan = plan(&connection, sql);
            for line in plan.lines().filter(|line| line.starts_with("SCAN")) {
                assert!(!large.iter().any(|table| format!("{line} ").contains(table)), "{name}: {plan}");
            }
        }
        for sql in [UNFINISHED, LIST_OPEN, SCAN_OPEN, FAILED] {
            let plan = plan(&connection, sql);
            assert!(plan.contains("outbox_open") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
        let plan_of = |sql| plan(&connection, sql);
        let chats = plan_of(crate::chats::statements::LIST);
        assert!(chats.contains("MERGE (UNION)") && !chats.contains("TEMP B-TREE"), "{chats}");
        let (messages, sagas) = (plan_of(crate::stats::MESSAGES), plan_of(crate::stats::SAGAS));
        assert!(messages.contains("COVERING INDEX outbox_open"), "{messages}");
        assert!(sagas.contains("INDEX operations_open"), "{sagas}");
        // What was sent is never looked at: it is nearly all there is.
        let files = plan_of(crate::outbox::statements::FILES_IN_USE);
        assert!(
            files.contains("INDEX outbox_open") && files.contains("SEARCH f USING PRIMARY KEY"),
            "{files}"
        );
        for (sql, index) in [
            (crate::outbox::unfinished::COUNT_WAITING, "COVERING INDEX outbox_waiting"),
            (crate::outbox::unfinished::COUNT_SCHEDULED, "COVERING INDEX outbox_scheduled"),
        ] {
            let plan = plan_of(sql);
            assert!(plan.contains(index), "{plan}");
        }
        let log = plan_of(crate::outbox::statements::LOG_OPEN);
        assert!(log.contains("outbox_open") && !log.contains("TEMP B-TREE"), "{log}");
        for sql in [crate::sagas::statements::UNFINISHED, crate::sagas::statements::LOG_OPEN] {
            let plan = plan_of(sql);
            assert!(plan.contains("operations_open") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
        for (sql, index) in [
            (crate::outbox::unfinished::IN_PROGRESS, "COVERING INDEX outbox_open"),
            (crate::outbox::unfinished::OF_QUEUE, "INDEX outbox_waiting (queue=? AND id>?"),
            (crate::outbox::unfinished::OF_CHAT, "INDEX outbox_waiting_by_chat (chat=? AND <expr>=?"),
            (
                crate::outbox::unfinished::OF_CHAT_ID,
                "INDEX outbox_waiting_by_chat_id (chat_id=? AND <expr>=?",
            ),
            (crate::outbox::unfinished::WAITS_FOR_CHAT, "outbox_waiting_by_chat (chat=? AND <expr>=?"),
            (
                crate::outbox::unfinished::WAITS_FOR_CHAT_ID,
                "outbox_waiting_by_chat_id (chat_id=? AND <expr>=?",
            ),
            (crate::outbox::unfinished::NEXT_SCHEDULED, "INDEX outbox_scheduled"),
            (crate::outbox::unfinished::DUE, "INDEX outbox_scheduled (send_at<?"),
            (crate::chats::statements::LEFT, "chats_left"),
            (crate::chats::statements::TITLED, "chats_by_title"),
            (crate::chats::statements::WHO_IS_IN, "telegram_peers_by_chat"),
            (crate::chats::statements::RETITLED, "telegram_peers_by_chat"),
            (crate::failovers::LIST, "failovers_by_time"),
            (crate::chats::unresolved::LIST, "unresolved_chats_by_time"),
            (crate::callbacks::DUE, "posts_callbacks"),
            (crate::stats::CALLBACKS, "posts_callbacks"),
            (crate::stats::MESSAGES, "outbox_open"),
            (crate::outbox::statements::ENDED_SINCE, "outbox USING PRIMARY KEY"),
            (crate::stats::FAILED_REQUESTS, "failed_requests_by_state"),
            (crate::callbacks::NEXT_DUE, "posts_callbacks"),
            (crate::callbacks::DROP_DELIVERED, "posts_over (kind=? AND tried_at<?"),
            (crate::failed_requests::LIST_STATE, "failed_requests_by_state"),
            (crate::failed_requests::OLD, "failed_requests_settled"),
            (crate::alerts::statements::UNFINISHED, "alerts_unfinished"),
            (crate::alerts::statements::DROP_OLD, "alerts_finished"),
            (crate::alerts::statements::WAITING, "posts_notices"),
            (crate::webhooks::statements::DUE, "posts_events (receiver=? AND next_at<?"),
            (
                crate::webhooks::statements::DUE,
                "COVERING INDEX posts_in_order (receiver=? AND chat=? AND event<?",
            ),
            (crate::webhooks::statements::WAITING, "COVERING INDEX posts_events"),
            (crate::webhooks::statements::DEAD, "COVERING INDEX posts_given_up"),
            (crate::webhooks::statements::RETRY_DEAD, "COVERING INDEX posts_given_up"),
            (crate::callbacks::GET, "posts_items (kind=? AND item=?"),
            (crate::webhooks::statements::DROP_OLD, "posts_over (kind=? AND tried_at<?"),
            (crate::do_not_contact::NAMES_OF_PEER, "telegram_peers_known_as"),
            (crate::do_not_contact::FIND, "do_not_contact_by_contact"),
            (crate::do_not_contact::WROTE_TO_CHANNEL, "channel_messages_by_chat"),
            (crate::do_not_contact::WROTE_TO_ACCOUNT, "received_messages_by_chat"),
            (crate::first_contacts::LATELY, "first_contacts_lately"),
            (crate::first_contacts::WROTE_TO_ACCOUNT, "received_messages_by_chat"),
            (crate::campaigns::statements::ADVERTISED, "campaign_attempts_of_a_peer"),
            (crate::campaigns::statements::PEERS_OF_CHAT, "task USING PRIMARY KEY (campaign=? AND chat=?"),
            (crate::conversations::statements::SENT_BEFORE, "s USING PRIMARY KEY (chat_id=? AND at<?"),
            (crate::conversations::statements::SENT_AFTER, "s USING PRIMARY KEY (chat_id=? AND at>?"),
            (
                crate::conversations::statements::RECEIVED_BEFORE,
                "received_messages_by_chat (chat_id=? AND place<?",
            ),
            (
                crate::conversations::statements::RECEIVED_AFTER,
                "received_messages_by_chat (chat_id=? AND place>?",
            ),
            (crate::conversations::statements::POSITION_OF_RECEIVED, "received_messages_by_number"),
            (crate::received::reading::SCAN, "received_messages USING INTEGER PRIMARY KEY"),
            (
                crate::pipeline::statements::STORED_CHATS,
                "pipeline_chats USING PRIMARY KEY (channel=? AND account=? AND chat=?",
            ),
            (crate::pipeline::statements::STORED_MESSAGES, "pipeline_messages_by_id (message=?"),
            (crate::access::statements::BOUND_AUDIT, "audit_log_by_result (kind=? AND result=? AND seq<?"),
            (crate::channels::files::WAITING, "channel_files_due (channel=? AND account=?"),
            (crate::campaigns::statements::CLAIMABLE, "campaign_tasks_due (campaign=? AND turn<?"),
            (crate::campaigns::statements::SENT_LATELY, "campaign_attempts_lately (sender=? AND ended_at>?"),
            (crate::campaigns::statements::CLAIMABLE, "sent USING PRIMARY KEY (sender=? AND hour>?"),
            (crate::campaigns::statements::OF_SENDER, "campaign_attempts_open (sender=?"),
            (crate::campaigns::statements::OF_SENDER, "campaign_sent USING PRIMARY KEY (sender=? AND hour>?"),
            (crate::campaigns::profiles::OF_PERSON, "campaign_profiles_of_a_person (user_id=?"),
            (
                crate::campaigns::statements::SAME_PEER,
                "campaign_attempts_once (run_id=? AND cycle=? AND peer=?",
            ),
            (
                crate::access::statements::REPEAT_AUDIT,
                "audit_log_same (action=? AND kind=? AND who=? AND subject=? AND address=? AND result=? AND code=? AND at>?",
            ),
        ] {
            let plan = plan_of(sql);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{index}: {plan}");
        }
    }
}
