//! Sending: what arrives, and what each answer means.

use delivery::{Attempt, Readiness, Sender};
use domain::Outcome;
use domain::account::{AccountState, Operation, Reason};
use domain::message::{Content, Mention};
use domain::outcome::HoldScope;
use domain::text::{Entity, EntityKind, FormattedText};
use sandbox::telegram::FaultName;
use std::time::Duration;

use crate::it::world::{
    World, able, candidates, chat_id, content, name, one_account, part, send, send_to, sent_id, state, until,
    view,
};

#[tokio::test(flavor = "multi_thread")]
async fn texts_arrive_in_private_chats_groups_and_supergroups() {
    let world = World::new().await;
    let pool = world.ready().await;
    let mut sent = Vec::new();
    let group = world.demo("Demo group");
    let supergroup = world.demo("Demo supergroup");
    for (random_id, to) in (1..).zip(["@client_1", group.as_str(), supergroup.as_str()]) {
        let outcome = send(&pool, "backup_1", to, &format!("to {to}"), random_id).await;
        let Some(id) = sent_id(outcome) else { panic!("{to}: not sent") };
        sent.push(Some(id));
    }
    let ledger = world.telegram().ledger(0, 10);
    let ids: Vec<Option<i64>> = ledger.iter().map(|entry| entry.message_id.map(i64::from)).collect();
    assert_eq!(ids, sent);
    let random_ids: Vec<Option<i64>> = ledger.iter().map(|entry| entry.random_id).collect();
    assert_eq!(random_ids, [Some(1), Some(2), Some(3)]);
    assert!(ledger.iter().all(|entry| &*entry.account == "backup_1"));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_that_knows_the_client_keeps_the_chat() {
    let world = World::new().await;
    let pool = world.ready().await;
    assert_eq!(able(&candidates(&pool, "@client_3", None).await), ["main"]);
    assert_eq!(send(&pool, "backup_2", "@client_3", "hello", 1).await.word(), "sent");
    assert_eq!(able(&candidates(&pool, "@client_3", None).await), ["backup_2"]);
    let supergroup = world.demo("Demo supergroup");
    let members = candidates(&pool, &supergroup, None).await;
    assert_eq!(able(&members), ["main", "backup_1", "backup_2", "backup_3"]);
    assert_eq!(able(&candidates(&pool, &supergroup, Some("fifth")).await), Vec::<&str>::new());
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_and_mentions_go_out() {
    let (world, pool) = one_account().await;
    let account = name("backup_1");
    let group = world.demo("Demo group");
    let chat_id = chat_id(&pool, "backup_1", &group).await;
    let with_mention = Content {
        mention: Some(Mention::Auto { auto: true, exclude: vec!["@client_1".to_owned()] }),
        silent: true,
        ..content("{client}, your phone is ready")
    };
    let text = pool.place_mention(&account, &chat_id.into(), &with_mention).await.expect("someone");
    let mentioned = text.entities.first().map(|entity| entity.kind.clone());
    assert!(matches!(mentioned, Some(EntityKind::MentionUser { .. })), "{text:?}");
    assert!(text.text.ends_with(", your phone is ready") && !text.text.contains('{'));
    // Where none who may be mentioned wrote, the first participant is. Where no one may be, the placeholder goes.
    let with = async |auto: bool| {
        let mention = Some(Mention::Auto { auto, exclude: vec!["@client_2".to_owned()] });
        let content = Content { mention, ..with_mention.clone() };
        pool.place_mention(&account, &chat_id.into(), &content).await.expect("a text")
    };
    assert_eq!(with(true).await.entities.len(), 1);
    assert_eq!(with(false).await, FormattedText::plain("your phone is ready"));
    let mut text = FormattedText { text: format!("{} 😀 now", text.text), ..text };
    text.entities.push(Entity { offset: 0, length: 2, kind: EntityKind::Bold });
    let shown = text.text.clone();
    let one = part(text, 5);
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &one,
        content: &with_mention,
        binding: store::Binding::IfUnbound,
    };
    assert_eq!(pool.send(attempt).await.word(), "sent");
    assert_eq!(world.texts(), [shown]);
    let named =
        Content { mention: Some(Mention::Username { username: "@client_2".into() }), ..content("hello") };
    let text = pool.place_mention(&account, &chat_id.into(), &named).await.expect("known");
    assert!(text.text.ends_with(" hello"), "{text:?}");
    let unknown =
        Content { mention: Some(Mention::Username { username: "@nobody_here".into() }), ..content("hello") };
    let refused = pool.place_mention(&account, &chat_id.into(), &unknown).await;
    assert!(matches!(refused, Err(Outcome::NotFound(_))), "{refused:?}");
    let rather_without = Content { mention_optional: true, ..unknown };
    let text = pool.place_mention(&account, &chat_id.into(), &rather_without).await.expect("the plain text");
    assert_eq!(text, rather_without.text);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_mention_is_the_last_author_and_none_of_ours() {
    let world = World::new().await;
    let pool = world.ready().await;
    let (account, group) = (name("backup_1"), world.demo("Demo supergroup"));
    let chat_id = chat_id(&pool, "backup_1", &group).await;
    let mention = Some(Mention::Auto { auto: true, exclude: Vec::new() });
    let with_mention = Content { mention, ..content("your phone is ready") };
    let mentioned = async || {
        let text = pool.place_mention(&account, &chat_id.into(), &with_mention).await.expect("someone");
        match text.entities.first().map(|entity| entity.kind.clone()) {
            Some(EntityKind::MentionUser { user_id }) => user_id,
            other => panic!("{other:?}"),
        }
    };
    // `main` answered last.
    assert_eq!(mentioned().await, 6_000_000_001);
    let message = crate::it::files::message("@client_3", &group, Vec::new());
    let message = sandbox::telegram::NewMessage { text: "And mine?".to_owned(), ..message };
    world.telegram().write(&message).expect("written");
    assert_eq!(mentioned().await, 6_000_000_003);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_wait_holds_the_account_and_outlives_a_passing_check() {
    let (world, pool) = one_account().await;
    world.fault("backup_1", FaultName::FloodWait).seconds(300.0).times(1).on();
    let outcome = send(&pool, "backup_1", "@client_1", "hello", 1).await;
    let Outcome::Held { until: until_then, scope: HoldScope::Account } = outcome else {
        panic!("{outcome:?}")
    };
    let candidates = candidates(&pool, "@client_1", None).await;
    assert_eq!(candidates.able[0].readiness, Readiness::HeldUntil(until_then));
    let shown = view(&pool, "backup_1");
    assert_eq!((shown.state, shown.floods[0].operation), (AccountState::FloodWait, Operation::SendMessage));
    world.telegram().clear_calls();
    let last_answer = || view(&pool, "backup_1").lines[0].last_answer_at;
    let before = last_answer();
    until("a check passed", || {
        world.clock.advance(Duration::from_millis(250));
        world.calls("backup_1", "updates.getState") > 0 && last_answer() > before
    })
    .await;
    assert_eq!(state(&pool, "backup_1").0, AccountState::FloodWait);
    world.clock.advance(Duration::from_mins(5));
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_wire_become_outcomes() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    for (code, message, word) in [
        (400, "MESSAGE_TOO_LONG", "rejected"),
        (420, "SLOWMODE_WAIT_1", "slow_mode"),
        (420, "FLOOD_WAIT_X", "flood_wait"),
        (500, "RANDOM_ID_DUPLICATE", "in_progress"),
        (500, "INTERNAL_SERVER_ERROR", "unknown"),
        (-503, "Timeout", "unknown"),
        (400, "YOU_BLOCKED_USER", "forbidden"),
        (403, "CHAT_WRITE_FORBIDDEN", "forbidden"),
    ] {
        world.fault("backup_1", FaultName::RpcError).error(code, message).times(1).on();
        let outcome = send_to(&pool, "backup_1", chat_id, "hello", 1).await;
        assert_eq!(outcome.word(), word, "{code} {message}: {outcome:?}");
    }
    assert_eq!(world.texts(), Vec::<String>::new());
    assert_eq!(send_to(&pool, "backup_1", chat_id, "hello", 1).await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_marks_the_chat_and_not_the_account() {
    let (world, pool) = one_account().await;
    world.fault("backup_1", FaultName::RpcError).error(403, "CHAT_WRITE_FORBIDDEN").times(1).on();
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "forbidden");
    let refused = candidates(&pool, "@client_1", None).await;
    let why = refused.refused[0].0.why.as_str();
    assert!(
        able(&refused).is_empty() && why.starts_with("CHAT_WRITE_FORBIDDEN (") && why.ends_with("s ago)"),
        "{why}"
    );
    assert_eq!(state(&pool, "backup_1").0, AccountState::Ready);
    assert_eq!(able(&candidates(&pool, "@client_2", None).await), ["backup_1"]);
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_when_the_person_writes() {
    let (world, pool) = one_account().await;
    world.fault("backup_1", FaultName::RpcError).error(400, "USER_IS_BLOCKED").times(1).on();
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "forbidden");
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), Vec::<&str>::new());
    let message = crate::it::files::message("@client_1", "backup_1", Vec::new());
    let account = Some("backup_1".to_owned());
    let message = sandbox::telegram::NewMessage { text: "Hello again".to_owned(), account, ..message };
    world.telegram().write(&message).expect("written");
    let waiting = async {
        while able(&candidates(&pool, "@client_1", None).await).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "it is asked no more");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_flood_stops_first_contacts_until_a_restart() {
    let (world, pool) = one_account().await;
    let fault = world.fault("backup_1", FaultName::PeerFlood).times(1).on();
    assert_eq!(
        send(&pool, "backup_1", "@client_1", "hello", 1).await,
        Outcome::Restricted(Reason::PeerFlood)
    );
    world.telegram().remove_fault(fault);
    assert_eq!(state(&pool, "backup_1"), (AccountState::Restricted, Some(Reason::PeerFlood)));
    // A dialog that is there goes on; someone new does not.
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    assert_eq!(able(&candidates(&pool, "@demo_observer", None).await), Vec::<&str>::new());
    pool.act(&name("backup_1"), telegram::Action::Restart).await.expect("restarted");
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(able(&candidates(&pool, "@demo_observer", None).await), ["backup_1"]);
    pool.stop(Duration::from_secs(5)).await;
}
