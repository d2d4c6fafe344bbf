//! The registry: what was made, bound, edited and left, together with what the accounts know.

use domain::saga::RegistryChange;
use domain::{AccessHash, ChatId, OperationId};
use store::{Binding, ChatFilter, ChatRecord, ChatState, Page, PeerKind, StoreError, StoredPeer};

use crate::support::{World, account, begun, chat, chat_number, conformance};

conformance! {
    a_chat_is_made_linked_edited_and_left,
    binding_a_chat_takes_it_back,
    chats_of_accounts_are_listed_beside_created_ones,
    private_dialogs_are_not_listed,
    filters_hold_together,
    a_chat_has_its_names_and_is_found_by_each,
    pages_are_complete_and_without_doubles,
    a_group_that_became_a_supergroup_takes_its_things_along,
    chats_of_one_title_are_found,
    a_sent_part_rebinds_only_on_request,
}

fn created(chat_id: ChatId, name: &str) -> RegistryChange {
    let (title, about) = ("Demo".into(), "A demo".into());
    RegistryChange::Created { chat_id, title, about, account: account(name) }
}

fn peer(chat_id: ChatId, title: &str, kind: PeerKind) -> StoredPeer {
    StoredPeer {
        chat_id,
        access_hash: AccessHash(1),
        username: None,
        title: title.into(),
        kind,
        dialog: true,
        phone: None,
        contact: false,
    }
}

async fn make(world: &World, changes: Vec<RegistryChange>) {
    world.store.chats().change(changes, world.now()).await.unwrap();
}

async fn get(world: &World, chat_id: ChatId) -> ChatRecord {
    world.store.chats().get(chat_id).await.unwrap().expect("the chat is known")
}

async fn listed(world: &World, filter: &ChatFilter) -> Vec<ChatId> {
    let page = Page { limit: 500, cursor: None };
    let listed = world.store.chats().list(filter, &page).await.unwrap();
    listed.items.into_iter().map(|chat| chat.chat_id).collect()
}

async fn a_chat_is_made_linked_edited_and_left(world: World) {
    let at = world.now();
    assert_eq!(world.store.chats().get(chat()).await, Ok(None));
    world.store.chats().change(vec![created(chat(), "main")], at).await.unwrap();
    let link = "https://t.me/+demo".to_owned();
    make(&world, vec![RegistryChange::Linked { chat_id: chat(), link: link.clone() }]).await;
    let made = ChatRecord {
        chat_id: chat(),
        title: Some("Demo".into()),
        about: Some("A demo".into()),
        kind: Some(PeerKind::Supergroup),
        state: ChatState::Active,
        account: Some(account("main")),
        accounts: Vec::new(),
        invite_link: Some(link),
        operation: None::<OperationId>,
        created_at: Some(at),
        left_at: None,
    };
    assert_eq!(get(&world, chat()).await, made);
    let edit = RegistryChange::Edited { chat_id: chat(), title: Some("New".into()), about: None };
    make(&world, vec![edit]).await;
    let edited = ChatRecord { title: Some("New".into()), ..made };
    assert_eq!(get(&world, chat()).await, edited);
    let left_at = world.now();
    world.store.chats().change(vec![RegistryChange::Left { chat_id: chat() }], left_at).await.unwrap();
    let left = ChatRecord { state: ChatState::Left, account: None, left_at: Some(left_at), ..edited };
    assert_eq!(get(&world, chat()).await, left);
    // To leave it again changes nothing.
    make(&world, vec![RegistryChange::Left { chat_id: chat() }]).await;
    assert_eq!(get(&world, chat()).await, left);
    // One that was never heard of is left, too.
    make(&world, vec![RegistryChange::Left { chat_id: chat_number(5) }]).await;
    assert_eq!(world.store.chats().left().await, Ok(vec![chat(), chat_number(5)]));
    assert!(world.store.accounts().bindings().await.unwrap().is_empty());
}

async fn binding_a_chat_takes_it_back(world: World) {
    make(&world, vec![created(chat(), "main"), RegistryChange::Left { chat_id: chat() }]).await;
    for name in ["main", "backup_1"] {
        make(&world, vec![RegistryChange::Bound { chat_id: chat(), account: account(name) }]).await;
        let record = get(&world, chat()).await;
        assert_eq!((record.state, record.account), (ChatState::Active, Some(account(name))));
    }
    assert_eq!(world.store.chats().left().await, Ok(Vec::new()));
    // To be made again by another account is to be bound to that one.
    make(&world, vec![created(chat(), "main")]).await;
    assert_eq!(get(&world, chat()).await.account, Some(account("main")));
}

async fn chats_of_accounts_are_listed_beside_created_ones(world: World) {
    make(&world, vec![created(chat(), "backup_1")]).await;
    let peers = world.store.peers();
    peers.save(&account("main"), vec![peer(chat(), "Old", PeerKind::Supergroup)]).await.unwrap();
    peers.save(&account("backup_1"), vec![peer(chat(), "Seen", PeerKind::Supergroup)]).await.unwrap();
    peers.save(&account("backup_2"), vec![peer(chat(), "Gone", PeerKind::Supergroup)]).await.unwrap();
    peers.left(&account("backup_2"), chat()).await.unwrap();
    let record = get(&world, chat()).await;
    // The account that it is bound to knows best.
    assert_eq!(record.title.as_deref(), Some("Seen"));
    assert_eq!(record.accounts, [account("backup_1"), account("main")]);
    let edit = RegistryChange::Edited { chat_id: chat(), title: Some("New".into()), about: None };
    make(&world, vec![edit]).await;
    assert_eq!(get(&world, chat()).await.title.as_deref(), Some("New"));
}

async fn private_dialogs_are_not_listed(world: World) {
    let user = ChatId::user(77).unwrap();
    let group = ChatId::group(5).unwrap();
    let known = vec![
        peer(user, "Demo", PeerKind::User),
        peer(group, "Group", PeerKind::Group),
        peer(chat(), "Channel", PeerKind::Channel),
        StoredPeer { dialog: false, ..peer(chat_number(3), "Seen once", PeerKind::Supergroup) },
    ];
    world.store.peers().save(&account("main"), known).await.unwrap();
    assert_eq!(listed(&world, &ChatFilter::default()).await, [chat(), group]);
    assert_eq!(get(&world, user).await.accounts, [account("main")]);
    assert_eq!(world.store.chats().get(chat_number(3)).await, Ok(None));
}

async fn filters_hold_together(world: World) {
    let peers = world.store.peers();
    let group = ChatId::group(5).unwrap();
    peers.save(&account("main"), vec![peer(group, "Group", PeerKind::Group)]).await.unwrap();
    let channel = peer(chat_number(1), "Channel", PeerKind::Channel);
    peers.save(&account("backup_1"), vec![channel]).await.unwrap();
    make(&world, vec![created(chat_number(2), "main"), created(chat_number(3), "main")]).await;
    make(&world, vec![RegistryChange::Left { chat_id: chat_number(3) }]).await;
    let filter =
        |name: Option<&str>, state, kind| ChatFilter { account: name.map(account), state, kind, q: None };
    let (active, left) = (Some(ChatState::Active), Some(ChatState::Left));
    for (filter, expected) in [
        (filter(None, None, None), vec![chat_number(3), chat_number(2), chat_number(1), group]),
        (filter(Some("main"), None, None), vec![chat_number(2), group]),
        (filter(Some("backup_1"), None, None), vec![chat_number(1)]),
        (filter(None, left, None), vec![chat_number(3)]),
        (filter(None, active, Some(PeerKind::Supergroup)), vec![chat_number(2)]),
        (filter(None, None, Some(PeerKind::Group)), vec![group]),
        (filter(Some("main"), left, None), Vec::new()),
    ] {
        assert_eq!(listed(&world, &filter).await, expected, "{filter:?}");
    }
}

async fn a_chat_has_its_names_and_is_found_by_each(world: World) {
    let person = ChatId::user(7).unwrap();
    make(&world, vec![created(chat(), "main")]).await;
    let ann = StoredPeer {
        username: "demo_ann".parse().ok(),
        phone: Some("70000000001".into()),
        dialog: false,
        ..peer(person, "Анна", PeerKind::User)
    };
    world.store.peers().save(&account("main"), vec![ann.clone()]).await.unwrap();
    // An account that sees no phone takes none away.
    world.store.peers().save(&account("main"), vec![StoredPeer { phone: None, ..ann }]).await.unwrap();
    let named = world.store.chats().names(vec![chat(), person, chat_number(9)]).await.unwrap();
    assert_eq!(named.len(), 2);
    assert_eq!(named[&chat()].title.as_deref(), Some("Demo"));
    let ann = &named[&person];
    assert_eq!((ann.title.as_deref(), ann.phone.as_deref()), (Some("Анна"), Some("70000000001")));
    assert_eq!(ann.username, "demo_ann".parse().ok());
    for text in ["АННА", "@demo_ann", "+7 000 000-00-01"] {
        assert_eq!(world.store.chats().find(text).await, Ok(vec![person]), "{text}");
        let filter = ChatFilter { q: Some(text.into()), ..ChatFilter::default() };
        assert_eq!(listed(&world, &filter).await, [person], "{text}");
    }
    let elsewhere =
        ChatFilter { q: Some("Demo".into()), account: Some(account("backup_1")), ..ChatFilter::default() };
    assert_eq!(listed(&world, &elsewhere).await, []);
    assert_eq!(world.store.chats().find("nobody").await, Ok(Vec::new()));
}

async fn pages_are_complete_and_without_doubles(world: World) {
    let mut expected: Vec<ChatId> = (1..=40).map(chat_number).collect();
    expected.sort_unstable();
    let known = |range: std::ops::RangeInclusive<i64>| {
        range.map(|n| peer(chat_number(n), "Demo", PeerKind::Supergroup))
    };
    world.store.peers().save(&account("main"), known(1..=30).collect()).await.unwrap();
    world.store.peers().save(&account("backup_1"), known(20..=35).collect()).await.unwrap();
    make(&world, (25..=40).map(|number| created(chat_number(number), "main")).collect()).await;
    for limit in [1, 7, 20, 39, 40, 41] {
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = Page { limit, cursor };
            let listed = world.store.chats().list(&ChatFilter::default(), &page).await.unwrap();
            found.extend(listed.items.into_iter().map(|chat| chat.chat_id));
            cursor = listed.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{limit}");
    }
    let strange = Page { limit: 1, cursor: Some("elsewhere".into()) };
    let refused = world.store.chats().list(&ChatFilter::default(), &strange).await;
    assert_eq!(refused, Err(StoreError::BadCursor));
}

async fn a_group_that_became_a_supergroup_takes_its_things_along(world: World) {
    let peers = world.store.peers();
    let group = ChatId::group(5).unwrap();
    peers.save(&account("main"), vec![peer(group, "Group", PeerKind::Group)]).await.unwrap();
    let link = RegistryChange::Linked { chat_id: group, link: "https://t.me/+demo".into() };
    let bound = RegistryChange::Bound { chat_id: group, account: account("main") };
    let edited = RegistryChange::Edited { chat_id: group, title: None, about: Some("A demo".into()) };
    make(&world, vec![link, bound, edited]).await;
    for _ in 0..2 {
        peers.migrated(group, chat()).await.unwrap();
        assert_eq!(peers.migrations().await, Ok(vec![(group, chat())]));
        let record = get(&world, chat()).await;
        assert_eq!(record.invite_link.as_deref(), Some("https://t.me/+demo"));
        assert_eq!((record.about.as_deref(), record.account), (Some("A demo"), Some(account("main"))));
        assert_eq!(record.kind, Some(PeerKind::Supergroup));
        assert_eq!(world.store.accounts().bindings().await, Ok(vec![(chat(), account("main"))]));
        assert_eq!(listed(&world, &ChatFilter::default()).await, [chat()]);
    }
    // What is said of the group is said of the supergroup.
    make(&world, vec![RegistryChange::Left { chat_id: group }]).await;
    assert_eq!(world.store.chats().left().await, Ok(vec![chat()]));
    // A supergroup that is bound already keeps its account.
    let (other, supergroup) = (ChatId::group(6).unwrap(), chat_number(6));
    let bind = |chat_id, name| RegistryChange::Bound { chat_id, account: account(name) };
    make(&world, vec![bind(other, "main"), bind(supergroup, "backup_1")]).await;
    peers.migrated(other, supergroup).await.unwrap();
    assert_eq!(world.store.accounts().bindings().await, Ok(vec![(supergroup, account("backup_1"))]));
}

async fn chats_of_one_title_are_found(world: World) {
    make(&world, vec![created(chat_number(2), "main"), created(chat_number(1), "main")]).await;
    let other = RegistryChange::Edited { chat_id: chat_number(3), title: Some("Demo".into()), about: None };
    make(&world, vec![other]).await;
    assert_eq!(world.store.chats().titled("Demo").await, Ok(vec![chat_number(2), chat_number(1)]));
    assert_eq!(world.store.chats().titled("demo").await, Ok(Vec::new()));
}

async fn a_sent_part_rebinds_only_on_request(world: World) {
    let outbox = world.store.outbox();
    for (name, binding, expected) in [
        ("main", Binding::IfUnbound, "main"),
        ("backup_1", Binding::IfUnbound, "main"),
        ("backup_1", Binding::Replaced, "backup_1"),
        ("backup_2", Binding::Replaced, "backup_2"),
        ("main", Binding::Unchanged, "backup_2"),
    ] {
        let mut message = begun(world.message(1));
        message.account = Some(account(name));
        let id = message.id;
        outbox.accept(crate::support::accept(message)).await.unwrap();
        let sent = store::PartSent { account: account(name), binding, ..world.sent(id, 0) };
        outbox.part_sent(sent).await.unwrap();
        let bindings = world.store.accounts().bindings().await.unwrap();
        assert_eq!(bindings, [(chat(), account(expected))]);
    }
}
