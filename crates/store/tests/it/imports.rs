//! Taking over from an older program: what is known here is kept, and a second time changes nothing.

use domain::saga::{Failover, RegistryChange};
use domain::{AccessHash, ChatId, FailedRequestId, Service, Timestamp};
use store::{
    ChatImport, ChatState, Direction, FailedState, FailoverFilter, ImportedChat, ImportedFailover,
    ImportedRequest, Page, PeerKind, StoredPeer,
};

use crate::support::{World, account, conformance};

conformance! {
    stored_peers_are_not_overwritten,
    thousands_of_peers_are_taken_and_a_second_time_none,
    chats_are_taken_once_and_what_is_here_stands,
    a_failed_request_is_imported_once_in_any_state,
    a_failover_is_kept_once,
}

fn channel(number: i64) -> ChatId {
    ChatId::channel(number).expect("an id")
}

fn peer(number: i64, title: &str, username: Option<&str>) -> StoredPeer {
    StoredPeer {
        chat_id: channel(number),
        access_hash: AccessHash(number),
        username: username.map(|name| name.parse().expect("a name")),
        title: title.into(),
        kind: PeerKind::Supergroup,
        dialog: true,
        phone: None,
        contact: false,
    }
}

async fn stored_peers_are_not_overwritten(world: World) {
    let main = account("main");
    let known = StoredPeer { dialog: false, ..peer(1, "Today", Some("demo_chat")) };
    world.store.peers().save(&main, vec![known.clone()]).await.unwrap();
    world
        .store
        .chats()
        .change(vec![RegistryChange::Left { chat_id: channel(3) }], world.now())
        .await
        .unwrap();
    let peers = vec![
        peer(1, "Long ago", Some("demo_old")),
        peer(2, "Other", Some("demo_chat")),
        peer(3, "Left", None),
    ];
    assert_eq!(world.store.imports().peers(&main, peers.clone()).await, Ok(2));
    let all = world.store.peers().all(&main).await.unwrap();
    let get = |number| all.iter().find(|peer| peer.chat_id == channel(number)).expect("there");
    assert_eq!(get(1), &known);
    // The name is someone else's by now.
    assert_eq!((get(2).username.clone(), get(2).dialog), (None, true));
    assert!(!get(3).dialog);
    assert_eq!(world.store.imports().peers(&main, peers).await, Ok(0));
    // A name out of a file is to be asked for before it is believed.
    assert_eq!(world.store.peers().named_at(&main).await.unwrap().len(), 1);
}

async fn thousands_of_peers_are_taken_and_a_second_time_none(world: World) {
    let main = account("main");
    let peers: Vec<_> = (1..=4_000).map(|number| peer(number, "Demo", None)).collect();
    assert_eq!(world.store.imports().peers(&main, peers.clone()).await, Ok(4_000));
    assert_eq!(world.store.imports().peers(&main, peers).await, Ok(0));
    assert_eq!(world.store.peers().all(&main).await.unwrap().len(), 4_000);
}

fn chat(number: i64, bound: Option<&str>, left: bool) -> ImportedChat {
    ImportedChat {
        chat_id: channel(number),
        account: bound.map(account),
        title: Some("Old".into()),
        invite_link: Some("https://t.me/+old".into()),
        created_at: Some(Timestamp::from_micros(1)),
        left,
    }
}

async fn chats_are_taken_once_and_what_is_here_stands(world: World) {
    let bound = RegistryChange::Bound { chat_id: channel(1), account: account("fifth") };
    let left = RegistryChange::Left { chat_id: channel(2) };
    world.store.chats().change(vec![bound, left], world.now()).await.unwrap();
    world.store.peers().migrated(ChatId::group(6).unwrap(), channel(6)).await.unwrap();
    let chats = vec![
        chat(1, Some("main"), false),
        chat(2, Some("main"), false),
        chat(3, Some("main"), false),
        chat(4, None, true),
        ImportedChat { chat_id: ChatId::group(6).unwrap(), ..chat(6, Some("main"), false) },
        chat(1, None, true),
    ];
    let became = vec![
        ChatImport::BoundHere(account("fifth")),
        ChatImport::LeftHere,
        ChatImport::Taken(channel(3)),
        ChatImport::Taken(channel(4)),
        ChatImport::Taken(channel(6)),
        ChatImport::UsedHere,
    ];
    assert_eq!(world.store.imports().would_take(chats.clone()).await, Ok(became.clone()));
    assert_eq!(world.store.chats().get(channel(3)).await, Ok(None));
    assert_eq!(world.store.imports().chats(chats.clone()).await, Ok(became));
    let taken = world.store.chats().get(channel(3)).await.unwrap().expect("known");
    assert_eq!((taken.account, taken.title.as_deref()), (Some(account("main")), Some("Old")));
    assert_eq!(taken.created_at, Some(Timestamp::from_micros(1)));
    let left = world.store.chats().get(channel(4)).await.unwrap().expect("known");
    assert_eq!((left.state, left.account), (ChatState::Left, None));
    let moved = world.store.chats().get(channel(6)).await.unwrap().expect("known");
    assert_eq!(moved.account, Some(account("main")));
    let again = world.store.imports().chats(chats).await.unwrap();
    assert!(again.iter().all(|one| !matches!(one, ChatImport::Taken(_))), "{again:?}");
}

fn request(world: &World, payload: &str) -> ImportedRequest {
    ImportedRequest {
        id: FailedRequestId::from_uuid(world.ids.next()),
        number: 7,
        at: Timestamp::from_micros(1),
        service: Service::SendText,
        direction: Direction::Inbound,
        endpoint: "/send_text".into(),
        payload: payload.into(),
        error: "timeout".into(),
        retry_count: 2,
        last_retry_at: None,
        last_retry_error: None,
    }
}

async fn a_failed_request_is_imported_once_in_any_state(world: World) {
    let imports = world.store.imports();
    let both = || vec![request(&world, "{}"), request(&world, "{\"chat\":1}"), request(&world, "{}")];
    assert_eq!(imports.new_failed_requests(both()).await, Ok(2));
    assert_eq!(imports.failed_requests(both()).await, Ok(2));
    let page = Page { limit: 10, cursor: None };
    let kept = world.store.failed_requests().list(&[], &page).await.unwrap().items;
    assert_eq!((kept.len(), kept[0].state, kept[0].retry_count), (2, FailedState::Pending, 2));
    // What an older program may have done already is not tried again, no matter who asks.
    assert_eq!(world.store.failed_requests().retried(kept[0].id, world.now()).await, Ok(false));
    assert_eq!(world.store.failed_requests().drop(kept[0].id, world.now()).await, Ok(true));
    // They are as old as their import: a sweep leaves them to be looked at.
    world.store.sweep().await.unwrap();
    assert_eq!(world.store.failed_requests().list(&[], &page).await.unwrap().items.len(), 2);
    assert_eq!(imports.failed_requests(both()).await, Ok(0));
    assert_eq!(imports.new_failed_requests(both()).await, Ok(0));
}

async fn a_failover_is_kept_once(world: World) {
    let failover = || ImportedFailover {
        failover: Failover {
            at: world.now(),
            chat_id: Some(channel(1)),
            from: account("main"),
            to: account("fifth"),
            reason: "flood wait".into(),
        },
        subject: "old registry".into(),
    };
    let line = failover();
    assert_eq!(world.store.imports().failovers(vec![line.clone(), line.clone()]).await, Ok(1));
    assert_eq!(world.store.imports().failovers(vec![line]).await, Ok(0));
    let page = Page { limit: 10, cursor: None };
    let listed = world.store.failovers().list(&FailoverFilter::default(), &page).await.unwrap();
    assert_eq!(listed.items.len(), 1);
}
