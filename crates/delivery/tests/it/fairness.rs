//! What waits for one account takes neither memory, nor time at the start, nor room from what waits for others.

use std::time::Duration;

use ambient::Chance;
use delivery::{Change, Full, How, Limits, Quotas, Submission, SubmitError, Window};
use domain::{ApiKeyId, MessageState};
use store::{Idempotency, Origin, SameBy};

use crate::script::{Bench, group, name, text};

fn narrow(queue: usize, lane: usize) -> Limits {
    Limits { window: Window { queue, lane }, ..Limits::default() }
}

fn quotas(account: u64, caller: u64) -> Limits {
    Limits { quotas: Quotas { account, caller }, ..Limits::default() }
}

fn pinned(account: &str, chat: i64, words: &str) -> Submission {
    Submission { pin: Some(name(account)), ..text(group(chat), words) }
}

fn from_key(number: u128, submission: Submission) -> Submission {
    let api_key = Some(ApiKeyId::from_uuid(uuid::Uuid::from_u128(number)));
    Submission { origin: Origin { listener: "v1".into(), api_key, address: None }, ..submission }
}

/// Copies the only message of the store to so many other chats, as accepted before it, or due in an hour.
fn copy(bench: &Bench, waiting: u32, scheduled: u32) {
    let file = bench.folder.path().join("data/switchboard.db");
    let database = rusqlite::Connection::open(file).expect("the database");
    let send_at = bench.clock.now().plus(Duration::from_hours(1)).as_micros();
    let copied = database.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 + ?2)
         INSERT INTO outbox (id, state, chat, chat_id, pin, on_flood, send_at, created_at, updated_at, listener, content, queue)
         SELECT unhex(printf('%032x', i)), i > ?1, printf('%d', -1001000000000 - i), -1001000000000 - i, pin, on_flood,
             CASE WHEN i > ?1 THEN ?3 + i END, created_at, updated_at, listener, content, queue
         FROM outbox, n",
        (waiting, scheduled, send_at),
    );
    assert_eq!(copied, Ok((waiting + scheduled) as usize));
}

#[tokio::test]
async fn start_reads_a_window_of_what_a_dead_account_left() {
    let bench = Bench::limited(quotas(400_000, 400_000)).await;
    bench.script.hold("main", bench.clock.now().plus(Duration::from_hours(1_000)));
    bench.submit(pinned("main", 1, "never")).await;
    copy(&bench, 200_000, 100_000);
    let bench = bench.restart().await;
    assert_eq!(bench.delivery.queued(), 300_001);
    assert_eq!(bench.delivery.due_of_accounts().get(&name("main")), Some(&200_001));
    assert!(bench.delivery.in_memory() <= 1_000, "{}", bench.delivery.in_memory());

    for number in 1..=20 {
        let id = bench.submit(pinned("backup", number, "at once")).await;
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
        let id = bench.submit(text(group(1_000 + number), "at once")).await;
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    bench.breathe().await;
    // Each of its lanes has one message more in the hands of its worker.
    assert!(bench.delivery.in_memory() <= 2_000, "{}", bench.delivery.in_memory());
    assert_eq!((bench.script.effects().len(), bench.delivery.queued()), (40, 300_001));
}

#[tokio::test]
async fn full_quota_names_itself_and_stops_no_other() {
    let bench = Bench::limited(quotas(3, 5)).await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.hold(account, until);
    }
    let keyed = |number| {
        let same_by = SameBy::Key;
        let mut submission = from_key(1, pinned("main", 1, "waits"));
        submission.idempotency = Some(Idempotency { scope: [number; 32], fingerprint: [0; 32], same_by });
        submission
    };
    let first = bench.submit(keyed(1)).await;
    for number in 2..=3 {
        bench.submit(keyed(number)).await;
    }
    let refused = async |submission| match bench.delivery.submit(submission).await {
        Err(SubmitError::TooMany(full)) => full,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(keyed(4)).await, Full::Account(name("main")));
    let again = bench.delivery.submit(keyed(1)).await.expect("answered");
    assert_eq!(
        (again.id, again.how),
        (first, How::Replayed),
        "what it brought is said when there is no room"
    );
    assert!(bench.delivery.is_full());

    for number in 4..=5 {
        bench.submit(from_key(1, pinned("backup", number, "waits"))).await;
    }
    assert!(matches!(refused(from_key(1, pinned("backup", 6, "waits"))).await, Full::Key(_)));
    let mut later = from_key(2, pinned("backup", 6, "later"));
    later.send_at = Some(until);
    bench.submit(later).await;
    assert_eq!(refused(from_key(2, pinned("backup", 6, "waits"))).await, Full::Account(name("backup")));

    assert!(matches!(bench.delivery.cancel(first, None).await, Ok(Change::Done(_))));
    let bench = bench.restart().await;
    assert_eq!(bench.delivery.queued(), 5);
    bench.submit(from_key(2, pinned("main", 1, "has room"))).await;
    assert_eq!(bench.delivery.queued(), 6);
}

#[tokio::test]
async fn order_in_a_lane_holds_beyond_the_window_and_over_restarts() {
    for seed in 1..=4 {
        let chance = Chance::from_seed(seed);
        let pick = |most: i64| chance.random_id().rem_euclid(most);
        let mut bench = Bench::limited(narrow(3, 2)).await;
        let mut all = Vec::new();
        for number in 0..80 {
            match pick(12) {
                0 => {
                    let until = bench.clock.now().plus(Duration::from_mins(1));
                    bench.script.hold(["main", "backup"][usize::try_from(pick(2)).expect("small")], until);
                }
                1 => bench.clock.advance(Duration::from_mins(1)),
                2 => bench = bench.restart().await,
                _ => {}
            }
            let (chat, words) = (pick(5) + 1, format!("{number:03}"));
            let submission = match pick(4) {
                0 => pinned("main", chat, &format!("main {chat} {words}")),
                1 => pinned("backup", chat, &format!("backup {chat} {words}")),
                _ => text(group(chat), &format!("any {chat} {words}")),
            };
            all.push(bench.submit(submission).await);
        }
        bench = bench.restart().await;
        bench.clock.advance(Duration::from_mins(2));
        for id in all {
            assert_eq!(bench.settled(id).await.state, MessageState::Sent, "{seed}");
        }
        let texts = bench.script.texts();
        assert_eq!(texts.len(), 80);
        for kind in ["main", "backup", "any"] {
            for chat in 1..=5 {
                let lane = format!("{kind} {chat} ");
                let of_lane: Vec<_> = texts.iter().filter(|text| text.starts_with(&lane)).collect();
                assert!(of_lane.is_sorted(), "{seed}: {of_lane:?}");
            }
        }
        assert_eq!(
            (bench.delivery.queued(), bench.delivery.in_memory(), bench.delivery.due()),
            (0, 0, vec![])
        );
    }
}

#[tokio::test]
async fn message_that_only_the_store_has_is_waited_for_and_cancelled() {
    let bench = Bench::limited(narrow(1, 1)).await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.hold("main", until);
    let mut ids = Vec::new();
    for number in 1..=6 {
        ids.push(bench.submit(pinned("main", number % 3 + 1, &number.to_string())).await);
    }
    bench.breathe().await;
    assert_eq!((bench.delivery.queued(), bench.delivery.in_memory()), (6, 1));
    assert_eq!(bench.delivery.due().iter().map(|due| due.count).sum::<u64>(), 6);
    let pending: Vec<_> = [ids[4], ids[5]]
        .into_iter()
        .map(|id| {
            let delivery = bench.delivery.clone();
            tokio::spawn(async move { delivery.settled(id, Duration::from_mins(30)).await })
        })
        .collect();
    bench.breathe().await;
    assert!(matches!(bench.delivery.cancel(ids[4], None).await, Ok(Change::Done(_))));
    assert_eq!((bench.delivery.queued(), bench.delivery.counted().cancelled), (5, 1));
    bench.clock.advance(Duration::from_secs(301));
    let mut states = Vec::new();
    for settled in pending {
        states.push(settled.await.expect("ends").expect("reads").expect("exists").state);
    }
    assert_eq!(states, [MessageState::Cancelled, MessageState::Sent]);
    for id in [0, 1, 2, 3] {
        assert_eq!(bench.settled(ids[id]).await.state, MessageState::Sent);
    }
    assert_eq!((bench.script.texts().len(), bench.delivery.queued(), bench.delivery.in_memory()), (5, 0, 0));
}

#[tokio::test]
async fn scheduled_messages_stay_in_the_store_until_their_time() {
    let bench = Bench::new().await;
    let at = |minutes| bench.clock.now().plus(Duration::from_mins(minutes));
    let mut ids = Vec::new();
    for (minutes, words) in [(60, "third"), (10, "first"), (20, "never"), (10, "second")] {
        let mut later = text(group(1), words);
        later.send_at = Some(at(minutes));
        ids.push(bench.submit(later).await);
    }
    assert_eq!((bench.delivery.queued(), bench.delivery.in_memory(), bench.delivery.due()), (4, 0, vec![]));
    assert!(matches!(bench.delivery.cancel(ids[2], None).await, Ok(Change::Done(_))));
    let bench = bench.restart().await;
    bench.breathe().await;
    assert_eq!((bench.delivery.queued(), bench.script.calls()), (3, 0));
    bench.clock.advance(Duration::from_mins(11));
    for id in [ids[1], ids[3]] {
        assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    }
    assert_eq!((bench.delivery.queued(), bench.delivery.unbegun().len()), (1, 0));
    bench.clock.advance(Duration::from_hours(1));
    assert_eq!(bench.settled(ids[0]).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["first", "second", "third"]);
}
