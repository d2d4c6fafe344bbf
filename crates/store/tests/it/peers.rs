//! Peers: what each account knows, and how far the first reading is.

use std::time::Duration;

use domain::{AccessHash, ChatId};
use store::{FillState, PeerKind, StoredPeer};

use crate::support::{World, account, chat, chat_number, conformance};

conformance! {
    peers_are_kept_by_account,
    a_name_is_as_old_as_when_it_was_last_kept,
    being_in_a_chat_is_forgotten_only_on_leaving,
    a_public_name_belongs_to_one_chat,
    the_first_reading_goes_on_where_it_was,
}

fn peer(chat_id: ChatId, username: Option<&str>, dialog: bool) -> StoredPeer {
    StoredPeer {
        chat_id,
        access_hash: AccessHash(-7),
        username: username.map(|name| name.parse().unwrap()),
        title: "Demo".into(),
        kind: PeerKind::Supergroup,
        dialog,
        phone: None,
        contact: false,
    }
}

async fn peers_are_kept_by_account(world: World) {
    let peers = world.store.peers();
    let kinds = [
        PeerKind::User,
        PeerKind::Bot,
        PeerKind::OwnUser,
        PeerKind::Group,
        PeerKind::Supergroup,
        PeerKind::Channel,
    ];
    let mut many: Vec<StoredPeer> = (1..=1000)
        .zip(kinds.into_iter().cycle())
        .map(|(number, kind)| StoredPeer { kind, ..peer(chat_number(number), None, number % 2 == 0) })
        .collect();
    peers.save(&account("main"), many.clone()).await.unwrap();
    let mut found = peers.all(&account("main")).await.unwrap();
    found.sort_by_key(|peer| peer.chat_id);
    many.sort_by_key(|peer| peer.chat_id);
    assert_eq!(found, many);
    assert!(peers.all(&account("backup_1")).await.unwrap().is_empty());
    let renamed =
        StoredPeer { title: "New".into(), access_hash: AccessHash(8), contact: true, ..many[0].clone() };
    peers.save(&account("main"), vec![renamed.clone()]).await.unwrap();
    assert_eq!(peers.all(&account("main")).await.unwrap()[0], renamed);
    peers.save(&account("main"), Vec::new()).await.unwrap();
    peers.no_contacts(&account("main"), &[renamed.chat_id]).await.unwrap();
    let unsaved = StoredPeer { contact: false, ..renamed };
    assert_eq!(peers.all(&account("main")).await.unwrap()[0], unsaved);
}

async fn a_name_is_as_old_as_when_it_was_last_kept(world: World) {
    let peers = world.store.peers();
    let main = account("main");
    let first = world.clock.now();
    peers
        .save(&main, vec![peer(chat(), Some("demo_chat"), true), peer(chat_number(9), None, true)])
        .await
        .unwrap();
    let kept = peers.named_at(&main).await.unwrap();
    assert!(matches!(kept[..], [(named, at)] if named == chat() && at >= first), "{kept:?}");
    world.clock.advance(Duration::from_mins(1));
    peers.save(&main, vec![peer(chat(), Some("demo_chat"), false)]).await.unwrap();
    assert!(peers.named_at(&main).await.unwrap()[0].1 >= first.plus(Duration::from_mins(1)));
    peers.save(&main, vec![peer(chat(), None, false)]).await.unwrap();
    assert_eq!(peers.named_at(&main).await.unwrap(), []);
}

async fn being_in_a_chat_is_forgotten_only_on_leaving(world: World) {
    let peers = world.store.peers();
    let main = account("main");
    let is_in = async || peers.all(&main).await.unwrap()[0].dialog;
    peers.save(&main, vec![peer(chat(), None, false)]).await.unwrap();
    assert!(!is_in().await);
    peers.save(&main, vec![peer(chat(), None, true)]).await.unwrap();
    peers.save(&main, vec![peer(chat(), None, false)]).await.unwrap();
    assert!(is_in().await);
    peers.left(&main, chat()).await.unwrap();
    peers.left(&main, chat_number(404)).await.unwrap();
    assert!(!is_in().await);
}

async fn a_public_name_belongs_to_one_chat(world: World) {
    let peers = world.store.peers();
    let main = account("main");
    peers.save(&main, vec![peer(chat_number(1), Some("demo"), true)]).await.unwrap();
    peers.save(&account("backup_1"), vec![peer(chat_number(1), Some("demo"), true)]).await.unwrap();
    peers.save(&main, vec![peer(chat_number(2), Some("Demo"), true)]).await.unwrap();
    let named: Vec<ChatId> = peers
        .all(&main)
        .await
        .unwrap()
        .into_iter()
        .filter(|peer| peer.username.is_some())
        .map(|peer| peer.chat_id)
        .collect();
    assert_eq!(named, [chat_number(2)]);
    assert!(peers.all(&account("backup_1")).await.unwrap()[0].username.is_some());
}

async fn the_first_reading_goes_on_where_it_was(world: World) {
    let peers = world.store.peers();
    let main = account("main");
    assert_eq!(peers.fill(&main).await, Ok(FillState::default()));
    let half = FillState { offset_date: 5, offset_id: 6, offset_peer: Some(-7), ..FillState::default() };
    let whole = FillState { complete: true, refreshed_at: Some(world.now()), ..FillState::default() };
    for state in [half, whole] {
        peers.save_fill(&main, &state).await.unwrap();
        assert_eq!(peers.fill(&main).await, Ok(state));
    }
}
