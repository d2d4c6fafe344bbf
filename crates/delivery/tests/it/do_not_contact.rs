//! Whatever is on the do-not-contact list, and however a chat is written: no sender reaches anyone who is listed.

use std::time::Duration;

use domain::account::Operation;
use domain::outcome::Failure;
use domain::saga::{MemberResult, ObserverRule, SagaState, Task};
use domain::timeline::Step;
use domain::{AccessHash, ChannelName, ChatId, ChatRef, ContactSource, DoNotContactId, MessageState};
use proptest::prelude::*;
use store::{DoNotContactEntry, PeerKind, Store, StoreError, StoredPeer};

use crate::provider::{SagaBench, task, user};
use crate::script::{Bench, group, name, text};

/// By what the person can be on the list; `{}` is their id.
const LISTED_BY: [&str; 9] = [
    "{}",
    "tg://user?id={}",
    "@client_1",
    "Client_1",
    "https://t.me/Client_1",
    "+7 (000) 000-00-01",
    "8 000 000-00-01",
    "70000000001",
    "https://t.me/+70000000001",
];

/// Others who are on it.
const OTHERS: [&str; 4] = ["778", "@other_1", "+70000000002", "name@example.com"];

/// How the chat is written.
const WRITTEN: [&str; 5] = ["{}", "@Client_1", "client_1", "https://t.me/Client_1/45", "tg://user?id={}"];

/// Whom a channel names so, and by what they can be on the list; `{}` begins the address of a chat there.
const IN_CHANNELS: [(&str, &str); 11] = [
    ("89000007711", "+79000007711"),
    ("70000000001", "{}70000000001"),
    ("70000000001", "+7 (000) 000-00-01"),
    ("70000000001", "8 000 000-00-01"),
    ("+70000000001", "{}+70000000001"),
    ("+70000000001", "70000000001"),
    ("Anna@Example.com", "{}anna@example.com"),
    ("Anna@Example.com", "anna@EXAMPLE.com"),
    ("U2I-1", "{}U2I-1"),
    ("U2I-1", "{}u2i-1"),
    ("u2i-1", "{}U2I-1"),
];

/// Any channel, and those whose chats have several names.
fn channels() -> impl Strategy<Value = String> {
    let any = prop_oneof!["[a-z]{3,8}", Just("email".to_owned()), Just("whatsapp".to_owned())];
    any.prop_filter("a link", |name| name.parse::<ChannelName>().is_ok())
}

fn lists() -> impl Strategy<Value = (&'static str, Vec<&'static str>)> {
    (prop::sample::select(&LISTED_BY[..]), prop::sample::subsequence(&OTHERS[..], 0..OTHERS.len()))
}

/// One account knows the person by name, another by phone.
async fn know(store: &Store, id: i64) {
    let peer = StoredPeer {
        chat_id: ChatId::user(id).expect("a user"),
        access_hash: AccessHash(1),
        username: Some("client_1".parse().expect("a name")),
        title: "Anna".into(),
        kind: PeerKind::User,
        dialog: false,
        phone: None,
        contact: false,
    };
    let by_phone = StoredPeer { username: None, phone: Some("70000000001".into()), ..peer.clone() };
    store.peers().save(&name("main"), vec![peer]).await.expect("saves");
    store.peers().save(&name("backup"), vec![by_phone]).await.expect("saves");
}

async fn put_on(store: &Store, id: i64, (listed_by, others): &(&str, Vec<&str>)) -> DoNotContactId {
    let clock = ambient::Clock::system();
    let ids = ambient::Ids::new(clock.clone());
    let entry = |contact: &str| DoNotContactEntry {
        id: DoNotContactId::from_uuid(ids.next()),
        contact: contact.replace("{}", &id.to_string()).parse().expect("a contact"),
        source: ContactSource::Api,
        added_by: "machine".into(),
        reason: None,
        added_at: clock.now(),
        level: domain::Suppression::All,
    };
    let own = entry(listed_by);
    let all = others.iter().map(|other| entry(other)).chain([own.clone()]).collect();
    store.do_not_contact().add(all).await.expect("adds");
    own.id
}

/// A message that is accepted before its chat is on the list, and one that is to be accepted after it.
async fn message(list: (&str, Vec<&str>), written: &str, known: bool) -> Result<(), TestCaseError> {
    let bench = Bench::new().await;
    know(&bench.store, 777).await;
    if !known {
        bench.script.forget_names();
    }
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.hold(account, until);
    }
    let chat = ChatRef::named(&written.replace("{}", "777")).expect("a chat");
    let waits = bench.submit(text(chat.clone(), "accepted before")).await;
    let other = bench.submit(text(group(1), "to someone else")).await;
    let entry = put_on(&bench.store, 777, &list).await;
    match bench.delivery.submit(text(chat.clone(), "accepted after")).await {
        Err(delivery::SubmitError::Store(StoreError::DoNotContact { entry: by })) => {
            prop_assert_eq!(by, entry);
        }
        // Whose name this is shows when it is looked up.
        Ok(submitted) if !known || matches!(chat, ChatRef::Username(_)) => {
            bench.clock.advance(Duration::from_secs(301));
            let failure = bench.settled(submitted.id).await.failure;
            prop_assert_eq!(failure, Some(Failure::DoNotContact { entry }));
        }
        other => prop_assert!(false, "{:?}", other),
    }
    bench.clock.advance(Duration::from_secs(301));
    let failed = bench.settled(waits).await;
    prop_assert_eq!(
        (failed.state, failed.failure),
        (MessageState::Failed, Some(Failure::DoNotContact { entry }))
    );
    prop_assert_eq!(bench.settled(other).await.state, MessageState::Sent);
    prop_assert_eq!(bench.script.texts(), ["to someone else"]);
    let steps = bench.store.outbox().timeline(waits).await.expect("reads");
    prop_assert!(
        steps.iter().all(|entry| !matches!(entry.step, Step::Begun | Step::Attempted)),
        "{:?}",
        steps
    );
    Ok(())
}

/// The same in a channel.
async fn message_in_channel(channel: &str, (word, listed_by): (&str, &str)) -> Result<(), TestCaseError> {
    let bench = Bench::of_channel(channel).await;
    bench.script.hold("shop", bench.clock.now().plus(Duration::from_mins(5)));
    let begins = format!("{channel}:shop/");
    let chat = |word: &str| format!("{begins}{word}").parse::<ChatRef>().expect("a chat");
    let waits = bench.submit(text(chat(word), "accepted before")).await;
    let other = bench.submit(text(chat("u2i-2"), "to someone else")).await;
    let listed_by = listed_by.replace("{}", &begins);
    let entry = put_on(&bench.store, 0, &(listed_by.as_str(), OTHERS.to_vec())).await;
    match bench.delivery.submit(text(chat(word), "accepted after")).await {
        Err(delivery::SubmitError::Store(StoreError::DoNotContact { entry: by })) => {
            prop_assert_eq!(by, entry);
        }
        other => prop_assert!(false, "{:?}", other),
    }
    bench.clock.advance(Duration::from_secs(301));
    let failed = bench.settled(waits).await;
    prop_assert_eq!(
        (failed.state, failed.failure),
        (MessageState::Failed, Some(Failure::DoNotContact { entry }))
    );
    prop_assert_eq!(bench.settled(other).await.state, MessageState::Sent);
    prop_assert_eq!(bench.script.texts(), ["to someone else"]);
    Ok(())
}

/// A person who is to be invited, into a chat that is made and into one that is there, beside someone else and alone.
async fn invitation(list: (&str, Vec<&str>), late: bool) -> Result<(), TestCaseError> {
    const PERSON: i64 = 771;
    let bench = SagaBench::new().await;
    know(&bench.store, PERSON).await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    if late {
        for (account, operation) in ["main", "backup"]
            .into_iter()
            .flat_map(|account| [(account, Operation::CreateChat), (account, Operation::Invite)])
        {
            bench.provider.hold(account, operation, until);
        }
    } else {
        put_on(&bench.store, PERSON, &list).await;
    }
    let create = |members: Vec<ChatRef>| {
        task(Task::CreateChat {
            title: "Order 1".into(),
            about: String::new(),
            members,
            admins: Vec::new(),
            observer: ObserverRule::Never,
            needs_a_member: false,
            client_tg_id: None,
        })
    };
    let both = bench.submit(create(vec![user(PERSON), user(1)])).await;
    let alone = bench.submit(create(vec![user(PERSON)])).await;
    let (members, admins) = (vec![user(1)], vec![user(PERSON)]);
    let added = bench.submit(task(Task::AddMembers { chat: group(9), members, admins })).await;
    if late {
        bench.breathe().await;
        put_on(&bench.store, PERSON, &list).await;
    }
    for saga in [both, added] {
        let saga = bench.settled(saga).await;
        prop_assert_eq!(saga.state, SagaState::Done);
        for member in &saga.progress.members {
            let listed = member.who == user(PERSON);
            let expected = if listed { MemberResult::Failed } else { MemberResult::Added };
            prop_assert_eq!((member.result, member.detail.is_some()), (Some(expected), listed));
        }
    }
    let alone = bench.settled(alone).await.failure;
    prop_assert!(matches!(alone, Some(Failure::DoNotContact { .. })), "{:?}", alone);
    let chats = bench.provider.chats();
    prop_assert_eq!(chats.len(), 2, "one was made, one was there: {:?}", chats);
    for chat in chats {
        prop_assert_eq!((chat.members, chat.admins), (vec![1], Vec::new()));
    }
    Ok(())
}

fn run(play: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(play)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_message_reaches_who_is_listed(list in lists(), written in prop::sample::select(&WRITTEN[..]), known: bool) {
        run(message(list, written, known))?;
    }

    #[test]
    fn no_message_of_any_channel_reaches_who_is_listed(
        channel in channels(),
        who in prop::sample::select(&IN_CHANNELS[..]),
    ) {
        run(message_in_channel(&channel, who))?;
    }

    #[test]
    fn no_invitation_reaches_who_is_listed(list in lists(), late: bool) {
        run(invitation(list, late))?;
    }
}
