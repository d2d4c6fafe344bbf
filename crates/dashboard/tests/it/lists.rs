//! Lists of work: that each filter leaves what it says and nothing else, and that rows say what there is to know.

use domain::outcome::{Failure, Refusal};
use domain::saga::{Failover, RegistryChange};
use domain::{AccessHash, ChatId, Role};
use store::{Begin, Fail, PeerKind, StoredPeer};

use crate::work::CHAT;
use crate::world::{Browser, World};

const OTHER: &str = "-1009876543210";

fn chat(text: &str) -> ChatId {
    text.parse().expect("a chat")
}

/// Opens a page and holds it against the texts it has to show, and those it must not.
async fn shows(browser: &Browser<'_>, path: &str, shown: &[&str], hidden: &[&str]) {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{path}: {page:?}");
    for text in shown {
        assert!(page.body.contains(text), "{path} does not show {text:?}: {}", page.body);
    }
    for text in hidden {
        assert!(!page.body.contains(text), "{path} shows {text:?}: {}", page.body);
    }
}

#[tokio::test]
async fn each_filter_of_messages_leaves_what_it_says() {
    let world = World::new().await;
    let (waits, fails, doubts) = ("The one that waits", "The one that failed", "The one in doubt");
    world.queued_for(OTHER, waits).await;
    world.failed(fails).await;
    world.in_doubt(doubts).await;
    let viewer = world.person(Role::Viewer).await;
    let all: [&str; 3] = [waits, fails, doubts];
    for (query, shown) in [
        ("", &all[..]),
        ("?q=waits", &[waits]),
        ("?chat=-1009876543210", &[waits]),
        ("?chat=-1001234567890", &[fails, doubts]),
        ("?account=main", &[doubts]),
        ("?state=failed", &[fails]),
        ("?state=in_doubt&chat=-1009876543210", &[]),
        ("?range=15m", &all),
        ("?from=2020-01-01T00:00", &all),
        ("?to=2020-01-01T00:00", &[]),
    ] {
        let hidden: Vec<_> = all.into_iter().filter(|text| !shown.contains(text)).collect();
        shows(&viewer, &format!("/messages{query}"), shown, &hidden).await;
    }
}

#[tokio::test]
async fn chat_filters_match_and_chats_have_links() {
    let world = World::new().await;
    let created = |id: &str, title: &str, account: &str| RegistryChange::Created {
        chat_id: chat(id),
        title: title.to_owned(),
        about: "Order 7041".to_owned(),
        account: account.parse().expect("an account"),
    };
    let changes = vec![
        created(CHAT, "Repair 7041 <screen>", "main"),
        RegistryChange::Linked { chat_id: chat(CHAT), link: "https://t.me/+demo7041".to_owned() },
        created(OTHER, "Repair 7042", "backup_1"),
        RegistryChange::Left { chat_id: chat(OTHER) },
    ];
    world.store.chats().change(changes, world.clock.now()).await.expect("written");
    let viewer = world.person(Role::Viewer).await;
    let (first, second) = ("Repair 7041 &#60;screen&#62;", "Repair 7042");
    for (query, shown, hidden) in [
        ("", &[first, second, "main"][..], &[][..]),
        ("?account=main", &[first], &[second]),
        ("?state=left", &[second], &[first]),
        ("?state=active", &[first], &[second]),
        ("?account=main&state=left", &[], &[first, second]),
    ] {
        shows(&viewer, &format!("/chats{query}"), shown, hidden).await;
    }
    let facts = [first, "Order 7041", "https://t.me/+demo7041", CHAT];
    shows(&viewer, &format!("/chats/{CHAT}"), &facts, &[second]).await;
}

#[tokio::test]
async fn people_have_names_in_every_list_and_are_found_by_them() {
    let world = World::new().await;
    let person = StoredPeer {
        chat_id: chat("6000000020"),
        access_hash: AccessHash(1),
        username: "client_20".parse().ok(),
        title: "Анна Ёлкина".to_owned(),
        kind: PeerKind::User,
        dialog: true,
        phone: Some("70000000020".to_owned()),
        contact: false,
    };
    let group = StoredPeer {
        chat_id: chat(CHAT),
        username: None,
        title: "Ремонт 7041".to_owned(),
        kind: PeerKind::Supergroup,
        phone: None,
        ..person.clone()
    };
    let main = "main".parse().expect("an account");
    world.store.peers().save(&main, vec![person, group]).await.expect("written");
    let (to_person, doubt) = ("Заказ 881 готов", "Позвоните +7 (000) 000-00-77");
    world.queued_for("6000000020", to_person).await;
    world.in_doubt(doubt).await;
    let viewer = world.person(Role::Viewer).await;
    let names = ["Анна Ёлкина", "@client_20", "6000000020", "Ремонт 7041"];
    shows(&viewer, "/messages", &names, &[]).await;
    shows(&viewer, "/doubt", &["Ремонт 7041", doubt], &[to_person]).await;
    for (query, shown, hidden) in [
        ("q=анна", to_person, doubt),
        ("q=client_20", to_person, doubt),
        ("q=%40client_20", to_person, doubt),
        ("q=6000000020", to_person, doubt),
        ("q=%2B7+000+000-00-20", to_person, doubt),
        ("q=881", to_person, doubt),
        ("q=Ремонт", doubt, to_person),
        ("q=80000000077", doubt, to_person),
        ("chat=%40client_20", to_person, doubt),
        ("chat=ёлкина", to_person, doubt),
        ("chat=-1001234567890", doubt, to_person),
    ] {
        shows(&viewer, &format!("/messages?{query}"), &[shown], &[hidden]).await;
    }
    for (query, shown, hidden) in [
        ("анна", "Анна Ёлкина", "Ремонт 7041"),
        ("70000000020", "Анна Ёлкина", "Ремонт 7041"),
        ("ремонт", "Ремонт 7041", "Анна Ёлкина"),
        ("-1001234567890", "Ремонт 7041", "Анна Ёлкина"),
        ("Demo", "Nothing found", "Ремонт 7041"),
    ] {
        shows(&viewer, &format!("/chats?q={query}"), &[shown], &[hidden]).await;
    }
    // A chat that no account knows is no page that there is not.
    let unknown = viewer.get("/chats/@demo_unknown").await;
    assert!(unknown.body.contains("No account knows the chat @demo_unknown"), "{}", unknown.body);
    assert!(!unknown.body.contains("no such page"), "{}", unknown.body);
}

#[tokio::test]
async fn unresolved_chat_shows_its_callers() {
    let world = World::new().await;
    for text in ["one", "two", "three"] {
        let id = world.queued_for(OTHER, text).await;
        let why = "does not know the chat".to_owned();
        let failure = Failure::ChatNotFound {
            asked: vec![Refusal { account: "main".parse().expect("an account"), why }],
        };
        let fail = Fail { id, failure, at: world.clock.now() };
        assert_eq!(world.store.outbox().fail(fail).await, Ok(true));
    }
    let viewer = world.person(Role::Viewer).await;
    // Three times, over the old port, from this address; and what the account that was asked said.
    let facts = [OTHER, "</span>3</td>", "192.0.2.7", "5022", "does not know the chat"];
    shows(&viewer, "/chats/unresolved", &facts, &[CHAT]).await;
}

#[tokio::test]
async fn a_private_dialog_moved_by_hand_is_shown_and_movable() {
    let world = World::new().await;
    let account = |name: &str| name.parse::<domain::AccountName>().expect("an account");
    let at = world.clock.now();
    let moved = Failover {
        at,
        chat_id: Some(chat("123456789")),
        from: account("main"),
        to: account("backup_1"),
        reason: "moved by hand; main was banned".to_owned(),
    };
    world.store.chats().move_by_hand(vec![moved]).await.expect("writes");
    let operator = world.person(Role::Operator).await;
    shows(&operator, "/failovers", &["main was banned", ">by hand<"], &["/operations/by_hand"]).await;
    let page = "/chats/123456789";
    shows(&operator, page, &["backup_1 serves it.", "/chats/123456789/bind"], &["/chats/123456789/leave"])
        .await;
    shows(&operator, "/chats/123456789/bind", &["This is a private dialog"], &[]).await;
}

#[tokio::test]
async fn failover_shows_both_accounts_and_its_reason() {
    let world = World::new().await;
    for (id, from, to, why) in [
        (CHAT, "main", "backup_1", "flood wait until 2026-11-20T14:31:00Z"),
        (OTHER, "backup_2", "backup_3", "banned"),
    ] {
        let message = world.queued_for(id, "goes another way").await;
        let account = |name: &str| name.parse::<domain::AccountName>().expect("an account");
        let at = world.clock.now();
        let failover = Failover {
            at,
            chat_id: Some(chat(id)),
            from: account(from),
            to: account(to),
            reason: why.to_owned(),
        };
        let begin = Begin {
            id: message,
            account: account(to),
            address: chat(id).into(),
            part: 0,
            plan: None,
            failover: Some(failover),
            passed_over: None,
            at,
        };
        world.store.outbox().begin(begin).await.expect("begun");
    }
    let viewer = world.person(Role::Viewer).await;
    let (first, second) = ("flood wait until <time datetime=\"2026-11-20T14:31", ">banned<");
    shows(&viewer, "/failovers", &[first, second, "main", "backup_1", CHAT, OTHER], &[]).await;
    for (query, shown, hidden) in [
        ("account=main", first, second),
        ("account=backup_1", first, second),
        ("account=backup_3", second, first),
        ("chat=-1009876543210", second, first),
    ] {
        shows(&viewer, &format!("/failovers?{query}"), &[shown], &[hidden]).await;
    }
}
