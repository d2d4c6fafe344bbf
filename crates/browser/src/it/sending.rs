//! Messages that leave by the page.

use browser::{Attachment, Failure, Held, Order, Outcome, PopupKind, Restriction, Target, TextFault};
use serde_json::json;

use super::stage::{Stage, deliver, named, quick, quick_pages};

/// The header of a PNG picture of 320 by 240 pixels.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\xf0\x08\x02 and so on";

#[tokio::test]
async fn a_sent_message_is_in_the_ledger_once() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    let web_k = stage.logged_in(&lease, "main").await;
    let text = "Добрый день! 👋🏽\n\nYour phone is ready:\n  – screen\n  – case 😀";

    // One of the account's own chats, then one that only the global section has, below an advert of the same name.
    let mut ids = Vec::new();
    for name in ["client_7", "guest_12"] {
        let outcome = deliver(&web_k, &named(name, text)).await;
        let Outcome::Sent { message_id, at } = outcome else { panic!("{name}: {outcome:?}") };
        assert!(at.is_some());
        ids.push(message_id);
    }
    let rows = stage.sandbox.telegram.ledger(0, 10);
    let sent: Vec<_> = rows.iter().map(|row| (&*row.text, i64::from(row.message_id.unwrap()))).collect();
    assert_eq!(sent, [(text, ids[0]), (text, ids[1])]);
    assert_eq!(rows[1].chat_id, "6200000012");

    // A draft that was left behind does not go along, and a supergroup counts for itself.
    let prepared = web_k.prepare(&named("client_7", "a draft")).await.unwrap();
    let chat =
        stage.sandbox.telegram.chats().into_iter().find(|chat| chat.title == "Demo supergroup").unwrap();
    let group = Target::Peer(chat.chat_id.replace("-100", "-").parse().unwrap());
    let order = Order { target: group, ..named("", "to all") };
    assert!(matches!(deliver(&web_k, &order).await, Outcome::Sent { message_id: 1..=100, .. }));
    let order = Order { known: Some(prepared.peer), ..named("client_7", "and one more") };
    assert!(matches!(deliver(&web_k, &order).await, Outcome::Sent { .. }));
    assert_eq!(stage.texts(), [text, text, "to all", "and one more"]);

    // A look finds what was sent and nothing else; what others write is read.
    let peer = prepared.peer;
    let quick = stage.web_k(&lease, quick()).await;
    assert_eq!(quick.look_for(peer, (text, false), 0).await.unwrap().map(|(id, _)| id), Some(ids[0]));
    assert_eq!(quick.look_for(peer, ("a draft", false), 0).await.unwrap(), None);
    let order = json!({ "from": "@client_7", "chat": "main", "text": "stop" });
    stage.sandbox.telegram.write(&serde_json::from_value(order).unwrap()).unwrap();
    while !web_k.incoming(peer).await.unwrap().iter().any(|message| message.text == "stop") {
        tokio::task::yield_now().await;
    }

    // So is what others write in chats that are not open: the list shows it until it is read.
    let order = json!({ "from": "@client_9", "chat": "main", "text": "thanks" });
    stage.sandbox.telegram.write(&serde_json::from_value(order).unwrap()).unwrap();
    let waiting = async || web_k.unread().await.unwrap().into_iter().find(|chat| chat.peer == 6_000_000_009);
    let mark = loop {
        if let Some(chat) = waiting().await {
            break chat.mark;
        }
    };
    assert!(mark.starts_with('1'), "{mark}");
    web_k.incoming(6_000_000_009).await.unwrap();
    while waiting().await.is_some() {}
    // The HTML of the page shows where it was, and nothing of the other person.
    let html = web_k.html().await.unwrap();
    assert!(html.contains("bubble-content\">masked") && html.contains("btn-send"), "{html}");
    assert!(!html.contains("thanks") && !html.contains("lient"), "{html}");

    // What cannot be sent as it is written is not.
    for (order, expected) in [
        (named("client_7", "a ** b ** c"), TextFault::Marks("**")),
        (named("client_7", "\n"), TextFault::Empty),
    ] {
        let outcome = deliver(&web_k, &order).await;
        assert!(matches!(outcome, Outcome::Failed(Failure::Text(found)) if found == expected), "{outcome:?}");
    }
    let sold = Order { known: Some(1), ..named("client_7", "x") };
    assert!(matches!(deliver(&web_k, &sold).await, Outcome::Failed(Failure::AnotherPeer { known: 1, .. })));
    assert_eq!(stage.texts().len(), 4);
    lease.close().await.unwrap();
}

#[tokio::test]
async fn a_file_goes_with_its_caption_once() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    let web_k = stage.logged_in(&lease, "main").await;
    let with = |name: &str, mime: &str, content: &[u8], text: &str| {
        let file = Attachment { name: name.to_owned(), mime: mime.to_owned(), content: content.to_vec() };
        Order { file: Some(file), ..named("client_7", text) }
    };
    let picture = || with("offer.png", "image/png", PICTURE, "Ваш заказ 👋\nготов");
    let long: Vec<u8> = (0..700_000_u32).map(|place| place.to_le_bytes()[0]).collect();
    // A draft is not the caption.
    web_k.prepare(&named("client_7", "a draft")).await.unwrap();
    let mut ids = Vec::new();
    for order in [picture(), with("list.bin", "application/octet-stream", &long, "")] {
        let outcome = deliver(&web_k, &order).await;
        let Outcome::Sent { message_id, .. } = outcome else { panic!("{order:?}: {outcome:?}") };
        ids.push(message_id);
    }
    let rows = stage.sandbox.telegram.ledger(0, 10);
    let sent: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            row.media.as_ref().map(|media| (&*row.text, media.file_name.as_deref(), media.size))
        })
        .collect();
    let size = PICTURE.len() as u64;
    assert_eq!(sent, [("Ваш заказ 👋\nготов", Some("offer.png"), size), ("", Some("list.bin"), 700_000)]);

    // It is found again as a file, not as a text.
    let peer = web_k.prepare(&named("client_7", "x")).await.unwrap().peer;
    let quick = stage.web_k(&lease, quick()).await;
    let found =
        async |text: &str, media| quick.look_for(peer, (text, media), 0).await.unwrap().map(|(id, _)| id);
    assert_eq!(found("Ваш заказ 👋\nготов", true).await, Some(ids[0]));
    assert_eq!(found("", true).await, Some(ids[1]));
    assert_eq!(found("Ваш заказ 👋\nготов", false).await, None);

    // Held back: neither the file nor its caption stays behind. Refused: it was not sent.
    stage.once("popup");
    let outcome = deliver(&web_k, &picture()).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::Held(_))), "{outcome:?}");
    assert_eq!(web_k.facts().await.unwrap().popup, None);
    stage.once("error");
    let outcome = deliver(&web_k, &picture()).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::Refused)), "{outcome:?}");
    let prepared = web_k.prepare(&picture()).await.unwrap();
    web_k.take_back().await.unwrap();
    assert!(matches!(web_k.send(&prepared).await, Outcome::Failed(Failure::Driver(_))));
    assert_eq!(stage.sandbox.telegram.ledger(0, 10).len(), 2);
    lease.close().await.unwrap();
}

#[tokio::test]
async fn each_restriction_is_recognised_and_nothing_sent() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    let web_k = stage.logged_in(&lease, "backup_1").await;
    for (fault, expected) in [
        ("frozen", Restriction::Frozen),
        ("premium", Restriction::Premium),
        ("paid", Restriction::Paid),
        ("forbidden", Restriction::Restricted),
    ] {
        // In a chat without messages and in one with some: the marks are not the same.
        for name in ["guest_3", "client_9"] {
            stage.once(fault);
            let outcome = deliver(&web_k, &named(name, "x")).await;
            let Outcome::Failed(Failure::Restricted(found)) = outcome else { panic!("{fault}: {outcome:?}") };
            let without_a_mark = (fault, name) == ("forbidden", "client_9");
            assert_eq!(found, if without_a_mark { Restriction::NoTexts } else { expected }, "{name}");
        }
    }
    for (name, expected) in
        [("demo_channel", Restriction::ReadOnly), ("demo_trips_bot", Restriction::MustStart)]
    {
        let outcome = deliver(&web_k, &named(name, "x")).await;
        assert!(
            matches!(outcome, Outcome::Failed(Failure::Restricted(found)) if found == expected),
            "{outcome:?}"
        );
    }
    let block = serde_json::from_value(json!({ "from": "backup_1", "account": "@client_11" })).unwrap();
    stage.sandbox.telegram.block(&block).unwrap();
    let outcome = deliver(&web_k, &named("client_11", "x")).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::Restricted(Restriction::BlockedByUs))), "{outcome:?}");
    let removal = serde_json::from_value(json!({ "account": "backup_1", "remove": true })).unwrap();
    stage.sandbox.telegram.move_member("@demo_channel", &removal).unwrap();
    let outcome = deliver(&web_k, &named("client_9", "free again")).await;
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
    let outcome = deliver(&web_k, &named("demo_channel", "x")).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::Restricted(Restriction::MustJoin))), "{outcome:?}");
    assert_eq!(stage.texts(), ["free again"]);
    lease.close().await.unwrap();
}

#[tokio::test]
async fn each_fault_of_a_send_ends_in_its_state() {
    let stage = Stage::set().await;
    let lease = stage.lease().await;
    let web_k = stage.logged_in(&lease, "main").await;
    let quick = stage.web_k(&lease, quick()).await;
    let order = |text: &str| named("client_7", text);

    // Held back: the text never left.
    stage.once("popup");
    let outcome = deliver(&web_k, &order("asked")).await;
    assert!(
        matches!(outcome, Outcome::Failed(Failure::Held(Held::Popup(PopupKind::Confirmation)))),
        "{outcome:?}"
    );
    stage.once("slow_mode");
    let prepared = web_k.prepare(&order("slow")).await.unwrap();
    let outcome = quick.send(&prepared).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::Held(Held::Silently))), "{outcome:?}");

    // Refused.
    stage.once("error");
    let outcome = deliver(&web_k, &order("refused")).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::Refused)), "{outcome:?}");
    stage.fault(json!({ "fault": "peer_flood", "provider": "telegram", "times": 1 }));
    let outcome = deliver(&web_k, &order("flooded")).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::Refused)), "{outcome:?}");
    assert!(stage.texts().is_empty());

    // Late, and after a silent wait for a flood, and with a notice behind it.
    stage.fault(json!({ "fault": "delay", "provider": "telegram", "seconds": 0.5, "times": 1 }));
    assert!(matches!(deliver(&web_k, &order("late")).await, Outcome::Sent { .. }));
    stage.fault(json!({ "fault": "flood_wait", "provider": "telegram", "seconds": 1, "times": 1 }));
    assert!(matches!(deliver(&web_k, &order("waited")).await, Outcome::Sent { .. }));
    stage.once("notice");
    assert!(matches!(deliver(&web_k, &order("noticed")).await, Outcome::Sent { .. }));

    while web_k.facts().await.unwrap().popup.is_none() {}

    // Unknown: one that never leaves, and one whose answer is lost. A look distinguishes them.
    let prepared = web_k.prepare(&order("silent")).await.unwrap();
    stage.once("silent_wait");
    assert!(matches!(quick.send(&prepared).await, Outcome::Unknown));
    stage.fault(json!({ "fault": "drop_answer", "provider": "telegram", "times": 1 }));
    let unheard = web_k.prepare(&order("unheard")).await.unwrap();
    assert!(matches!(quick.send(&unheard).await, Outcome::Unknown));
    assert_eq!(stage.texts(), ["late", "waited", "noticed", "unheard"]);
    web_k.start_over().await.unwrap();
    let peer = prepared.peer;
    assert!(web_k.look_for(peer, ("unheard", false), 0).await.unwrap().is_some());
    assert_eq!(quick.look_for(peer, ("silent", false), 0).await.unwrap(), None);

    // A name that no chat has leaves the old chat open, and nothing goes there.
    let hurried = stage.web_k(&lease, quick_pages()).await;
    let outcome = deliver(&hurried, &named("no_such_name", "x")).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::ChatNotFound)), "{outcome:?}");
    stage.once("logged_out");
    while !matches!(hurried.prepare(&named("no_such_name", "x")).await, Err(Failure::LoggedOut(_))) {}
    assert_eq!(stage.texts().len(), 4);
    lease.close().await.unwrap();
}
