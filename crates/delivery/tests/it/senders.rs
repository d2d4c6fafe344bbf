//! Several senders beside each other: each message through its own, whatever is wrong with the other.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use delivery::{Delivery, Limits, Senders, SharedName, Submission, SubmitError};
use domain::{AccountName, Address, ChatRef, MessageId, MessageState, Outcome, Service};
use store::{Receipt, ReceiptState, Store};

use crate::folder::{self, Folder};
use crate::script::{Act, CAPABILITIES, Script, group, name, text};

/// Accounts of Telegram, and two of a channel.
struct Two {
    _folder: Folder,
    clock: Clock,
    telegram: Arc<Script>,
    avito: Arc<Script>,
    store: Store,
    delivery: Delivery,
}

impl Two {
    async fn new() -> Self {
        let (folder, clock) = (Folder::on_sqlite(), Clock::system());
        let telegram = Script::new(&clock, CAPABILITIES);
        let avito = Script::of_channel(&clock, CAPABILITIES, "avito", &["shop", "shop_2"]);
        let store = folder.store(&clock).await;
        let senders = Senders::join(vec![telegram.clone(), avito.clone()]).expect("names of their own");
        let delivery = Delivery::new(store.clone(), senders, folder::ambient(&clock), Limits::default());
        Self { _folder: folder, clock, telegram, avito, store, delivery }
    }

    async fn submit(&self, chat: ChatRef, words: &str) -> MessageId {
        self.delivery.submit(text(chat, words)).await.expect("accepted").id
    }

    async fn state(&self, id: MessageId) -> MessageState {
        self.delivery.settled(id, Duration::from_mins(1)).await.expect("reads").expect("exists").state
    }

    fn receipt(&self, id: i64, state: ReceiptState) -> Receipt {
        let (channel, account) = ("avito".parse().expect("a name"), name("shop"));
        Receipt { channel, account, provider_id: id.into(), state, at: self.clock.now() }
    }
}

fn item(number: u32) -> ChatRef {
    format!("avito:shop/u2i-{number}").parse().expect("an address")
}

#[tokio::test]
async fn each_message_leaves_through_the_sender_of_its_chat() {
    let two = Two::new().await;
    let mut all = Vec::new();
    for number in 1..=5_u32 {
        all.push(two.submit(item(number), &format!("avito {number}")).await);
        all.push(two.submit(group(number.into()), &format!("telegram {number}")).await);
    }
    for id in all {
        assert_eq!(two.state(id).await, MessageState::Sent);
    }
    let (there, here) = (two.avito.effects(), two.telegram.effects());
    assert!(there.len() == 5 && there.iter().all(|effect| effect.text.starts_with("avito")), "{there:?}");
    assert!(here.len() == 5 && here.iter().all(|effect| effect.text.starts_with("telegram")), "{here:?}");
    assert!(there.iter().all(|effect| matches!(effect.address, Address::Channel(_))));
    assert!(there.iter().all(|effect| effect.account.as_str().starts_with("shop")));
}

#[tokio::test]
async fn a_dead_sender_holds_none_but_its_own() {
    let two = Two::new().await;
    two.avito.act("shop", [Act::Hang]);
    let stuck = two.submit(item(1), "into the void").await;
    let until = two.clock.now().plus(Duration::from_mins(5));
    for account in ["shop", "shop_2"] {
        two.avito.hold(account, until);
    }
    let held = two.submit(item(2), "waits").await;
    for number in 1..=20 {
        let id = two.submit(group(number), "goes on").await;
        assert_eq!(two.state(id).await, MessageState::Sent);
    }
    for id in [stuck, held] {
        let message = two.delivery.get(id).await.expect("reads").expect("exists");
        assert!(!message.state.is_final(), "{message:?}");
    }
    two.clock.advance(Duration::from_secs(301));
    assert_eq!(two.state(held).await, MessageState::Sent);
}

#[tokio::test]
async fn a_channels_work_is_part_of_no_service() {
    let two = Two::new().await;
    two.avito.act("shop", [Act::Hang]);
    two.submit(item(1), "into the void").await;
    let until = two.clock.now().plus(Duration::from_mins(5));
    for account in ["shop", "shop_2"] {
        two.avito.hold(account, until);
    }
    two.submit(item(2), "waits").await;
    let later = Some(two.clock.now().plus(Duration::from_mins(1)));
    two.delivery.submit(Submission { send_at: later, ..text(item(3), "later") }).await.expect("accepted");
    let services = || two.delivery.due().into_iter().map(|due| (due.service, due.count)).collect::<Vec<_>>();
    assert_eq!(services(), [(None, 2)]);
    crate::late::until(|| async { two.delivery.in_hand().len() == 1 }).await;
    assert_eq!(two.delivery.in_hand()[0].service, None);
    two.telegram.act("main", [Act::Hang]);
    two.submit(group(1), "to Telegram").await;
    assert_eq!(services(), [(Some(Service::SendText), 1), (None, 2)]);
}

#[tokio::test]
async fn a_channel_that_is_not_there_takes_nothing_in() {
    let two = Two::new().await;
    let unknown: ChatRef = "vk:shop/1".parse().expect("an address");
    let refused = two.delivery.submit(text(unknown.clone(), "hello")).await;
    assert!(matches!(&refused, Err(SubmitError::NotServed(chat)) if *chat == unknown), "{refused:?}");
    assert_eq!(two.delivery.queued(), 0);
    let all =
        two.store.outbox().list(&store::Filter::default(), &store::Page { limit: 5, cursor: None }).await;
    assert_eq!(all.expect("reads").items, []);
}

#[tokio::test]
async fn two_senders_with_one_account_name_are_refused() {
    let clock = Clock::system();
    let telegram = Script::new(&clock, CAPABILITIES);
    let shop = |account: &str| Script::of_channel(&clock, CAPABILITIES, "avito", &["shop", account]);
    let joined = |other: Arc<Script>| Senders::join(vec![telegram.clone(), other]);
    assert_eq!(joined(shop("main")).err(), Some(SharedName(name("main"))));
    let both = joined(shop("shop_2")).expect("names of their own");
    let names = ["main", "backup", "shop", "shop_2"].map(name);
    assert_eq!(both.accounts(), names);
    assert!(names.iter().all(|one: &AccountName| both.knows(one) && both.can_still_tell(one)));
    assert!(!both.knows(&name("nobody")) && !both.can_still_tell(&name("nobody")));
    // Any of them that changes is a change.
    let mut changes = both.changes();
    telegram.lose("backup");
    changes.changed().await.expect("changed");
}

#[tokio::test]
async fn a_refused_channel_account_is_no_telegram_failover() {
    let two = Two::new().await;
    for account in ["shop", "shop_2"] {
        two.avito.act(account, [Act::Refuse(Outcome::NotFound("no such chat".into()))]);
    }
    let id = two.submit(item(1), "hello").await;
    assert_eq!(two.state(id).await, MessageState::Failed);
    assert!(two.telegram.effects().is_empty());
}

#[tokio::test]
async fn receipts_mark_a_message_delivered_and_read() {
    let two = Two::new().await;
    let id = two.submit(item(1), "hello").await;
    assert_eq!(two.state(id).await, MessageState::Sent);
    assert_eq!(two.delivery.receipt(two.receipt(9, ReceiptState::Read)).await, Ok(None), "not ours");
    for (state, expected) in [
        (ReceiptState::Delivered, MessageState::Delivered),
        (ReceiptState::Read, MessageState::Read),
        (ReceiptState::Delivered, MessageState::Read),
    ] {
        assert_eq!(two.delivery.receipt(two.receipt(1, state)).await, Ok(Some(id)));
        assert_eq!(two.state(id).await, expected);
    }
}

#[tokio::test]
async fn a_receipt_that_overtakes_the_answer_counts() {
    let two = Two::new().await;
    two.avito.act("shop", [Act::SendLate]);
    let id = two.submit(item(1), "hello").await;
    while two.avito.effects().is_empty() {
        tokio::task::yield_now().await;
    }
    let (mut early, mut foreign) = (
        Box::pin(two.delivery.receipt(two.receipt(1, ReceiptState::Delivered))),
        Box::pin(two.delivery.receipt(two.receipt(9, ReceiptState::Delivered))),
    );
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, &mut early).await.is_err(), "it waits for the answer");
    assert!(tokio::time::timeout(soon, &mut foreign).await.is_err(), "so does one that may be of it");
    // Of another account nothing is under way.
    let other = Receipt { account: name("shop_2"), ..two.receipt(1, ReceiptState::Delivered) };
    assert_eq!(two.delivery.receipt(other).await, Ok(None));
    two.avito.answer_late();
    assert_eq!((early.await, foreign.await), (Ok(Some(id)), Ok(None)));
    assert_eq!(two.state(id).await, MessageState::Delivered);
    // An answer that does not come is not waited for without end.
    two.avito.act("shop", [Act::Hang]);
    two.submit(item(2), "into the void").await;
    while !two.avito.hangs() {
        tokio::task::yield_now().await;
    }
    let late = tokio::spawn({
        let (delivery, receipt) = (two.delivery.clone(), two.receipt(2, ReceiptState::Read));
        async move { delivery.receipt(receipt).await }
    });
    while !late.is_finished() {
        two.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(late.await.expect("ends"), Ok(None));
}
