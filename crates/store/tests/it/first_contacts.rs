//! First contacts: how many people an account writes to that have not written to it, whichever way a message takes.

use std::time::Duration;

use domain::message::OutboundMessage;
use domain::{
    AccessHash, Address, CampaignSender, ChannelChat, ChatId, ContactLimits, InboundChange, InboundEvent,
    InboundMessage, MessageState, Timestamp,
};
use store::{Begin, PeerKind, StoreError, StoredPeer, TakenFromChannel};

use crate::support::{World, accept, account, begun, conformance};

conformance! {
    an_account_writes_first_to_few_people_a_day,
    a_waiting_message_is_counted_when_it_is_begun,
    an_account_of_a_channel_has_a_ceiling_of_its_own,
    first_contacts_are_counted_before_they_are_made,
}

fn user(number: i64) -> Address {
    ChatId::user(6_000_000_000 + number).unwrap().into()
}

fn to(world: &World, address: &Address) -> OutboundMessage {
    let mut message = world.message(1);
    (message.chat, message.address) = (address.clone().into(), Some(address.clone()));
    message
}

/// Until when a message that is begun at once is refused.
async fn refused_until(world: &World, who: &str, address: &Address) -> Option<Timestamp> {
    let mut message = begun(to(world, address));
    message.account = Some(account(who));
    match world.store.outbox().accept(accept(message)).await {
        Ok(_) => None,
        Err(StoreError::FirstContacts { until }) => Some(until),
        Err(other) => panic!("{other}"),
    }
}

async fn knows(world: &World, number: i64, dialog: bool, contact: bool) {
    let peer = StoredPeer {
        chat_id: ChatId::user(6_000_000_000 + number).unwrap(),
        access_hash: AccessHash(1),
        username: None,
        title: "Anna".into(),
        kind: PeerKind::User,
        dialog,
        phone: None,
        contact,
    };
    world.store.peers().save(&account("main"), vec![peer]).await.unwrap();
}

fn limit(world: &World, accounts: u32, channels: u32) {
    world.store.limit_contacts(ContactLimits {
        first_contacts_per_day: accounts,
        channel_first_contacts_per_day: channels,
        ..ContactLimits::default()
    });
}

async fn an_account_writes_first_to_few_people_a_day(world: World) {
    limit(&world, 3, 100);
    let began = world.now();
    for number in [1, 2, 1, 3, 2] {
        assert_eq!(refused_until(&world, "main", &user(number)).await, None, "{number}");
        world.clock.advance(Duration::from_hours(1));
    }
    let until = refused_until(&world, "main", &user(4)).await.expect("the fourth person");
    assert!(until >= began.plus(Duration::from_hours(24)) && until < began.plus(Duration::from_hours(25)));
    // Those who are known, groups, and other accounts have room.
    knows(&world, 5, true, false).await;
    knows(&world, 6, false, true).await;
    knows(&world, 7, false, false).await;
    let group = ChatId::channel(5).unwrap().into();
    for address in [user(1), user(5), user(6), group] {
        assert_eq!(refused_until(&world, "main", &address).await, None, "{address}");
    }
    assert!(
        refused_until(&world, "main", &user(7)).await.is_some(),
        "a name that was looked up is no dialog"
    );
    assert_eq!(refused_until(&world, "fifth", &user(4)).await, None);
    // A clock that is set back makes no room, and a day does.
    world.clock.set_back(Duration::from_hours(20));
    assert!(refused_until(&world, "main", &user(4)).await.is_some());
    world.clock.advance(Duration::from_hours(20));
    world.clock.advance(until.since(world.now()));
    assert_eq!(refused_until(&world, "main", &user(4)).await, None);
    // No setting passes what is built in.
    limit(&world, u32::MAX, u32::MAX);
    let mut taken = 0;
    while refused_until(&world, "backup_1", &user(1_000 + taken)).await.is_none() {
        taken += 1;
    }
    assert_eq!(taken, i64::from(ContactLimits::MOST_FIRST_CONTACTS));
}

async fn a_waiting_message_is_counted_when_it_is_begun(world: World) {
    limit(&world, 1, 100);
    let outbox = world.store.outbox();
    let mut ids = Vec::new();
    for number in 1..=2 {
        let message = to(&world, &user(number));
        ids.push(message.id);
        outbox.accept(accept(message)).await.unwrap();
    }
    let begin = |place: usize, number: i64| Begin { address: user(number), ..world.begin(ids[place], 0) };
    assert_eq!(outbox.begin(begin(0, 1)).await, Ok(()));
    assert_eq!(outbox.begin(begin(0, 1)).await, Ok(()), "the answer to the first came too late");
    let refused = outbox.begin(begin(1, 2)).await;
    assert!(matches!(refused, Err(StoreError::FirstContacts { .. })), "{refused:?}");
    assert_eq!(world.get(ids[1]).await.state, MessageState::Queued, "nothing was written");
}

async fn first_contacts_are_counted_before_they_are_made(world: World) {
    let contacts = world.store.first_contacts();
    let senders: Vec<CampaignSender> =
        vec![CampaignSender::Account(account("main")), "profile:shop".parse().unwrap()];
    let people: Vec<_> = (1..=3).map(|number| ChatId::user(6_000_000_000 + number).unwrap()).collect();
    let strangers = async || contacts.count_strangers(senders.clone(), people.clone()).await.unwrap();
    assert_eq!(strangers().await, 6);
    // The account has a dialog with one, and wrote to another first; the profile wrote to one first.
    knows(&world, 1, true, false).await;
    assert_eq!(refused_until(&world, "main", &user(2)).await, None);
    assert_eq!(contacts.count("profile:shop".into(), people[2].to_string()).await, Ok(None));
    assert_eq!(strangers().await, 3);
    let since = async |hours: u64| {
        let since = world.now().minus(Duration::from_hours(hours));
        contacts.since(senders.clone(), since).await.unwrap().len()
    };
    world.clock.advance(Duration::from_hours(2));
    assert_eq!((since(3).await, since(1).await), (2, 0));
}

async fn an_account_of_a_channel_has_a_ceiling_of_its_own(world: World) {
    limit(&world, 100, 1);
    let chat = |number: u32| -> ChannelChat { format!("sms:main/+7000000000{number}").parse().unwrap() };
    let ChannelChat { channel, account, chat: external } = chat(3);
    let message = InboundMessage::private(external, "m-1", "How much is it?", world.now());
    let events = vec![InboundEvent { key: "m-1".into(), change: InboundChange::Message(Box::new(message)) }];
    let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
    world.store.channels().take(taken).await.unwrap();
    for (number, is_taken) in [(1, true), (2, false), (1, true), (3, true)] {
        let address = Address::Channel(chat(number));
        assert_eq!(refused_until(&world, "main", &address).await.is_none(), is_taken, "{number}");
    }
}
