//! Flows in the old shapes as scripts of Python: what is forwarded raw is answered through an old port, and each old port is used as
//! its server was.

use std::collections::BTreeMap;

use serde_json::json;
use testkit::{Hoster, World, free_port};
use tokio::net::TcpStream;

use crate::binary;
use crate::channels::{connect, connected, received, sent, writes};
use crate::python::{run_json, script};

#[tokio::test(flavor = "multi_thread")]
async fn raw_forwards_are_answered_by_an_old_port() {
    const QUESTIONS: usize = 5;
    let (world, port, flow) = (World::start(binary()).await, free_port(), free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    let shop = "\nname = \"shop\"\n";
    let keys = format!("forward_to = \"http://127.0.0.1:{flow}/raw\"\nforward_format = \"raw\"\n");
    world.edit_settings(|text| {
        let text = text.replacen(shop, &format!("{shop}{keys}"), 1);
        format!("{text}\n[events]\nallow_private = [\"127.0.0.1/32\"]\n")
    });
    let arguments = [flow.to_string(), world.legacy_port(8765).to_string()];
    let _flow = script("raw_forward.py", &[&arguments[0], &arguments[1]]).spawn().expect("starts");
    let (program, _) = connect(&world, port).await;
    program
        .until("the flow listens", || async { TcpStream::connect(("127.0.0.1", flow)).await.is_ok() })
        .await;
    for number in 0..QUESTIONS {
        writes(&world, "avito", "shop", &format!("question {number}")).await;
    }
    program.until("all are answered", || async { sent(&world, "avito").await.len() >= QUESTIONS }).await;
    let wanted: BTreeMap<_, _> =
        (0..QUESTIONS).map(|number| (format!("You wrote: question {number}"), 1)).collect();
    assert_eq!(sent(&world, "avito").await, wanted);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_to_old_addresses_are_taken_for_their_account() {
    let (world, port) = (World::start(binary()).await, free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    world.edit_settings(|text| {
        ["\nname = \"assistant\"\n", "\nname = \"club\"\n"]
            .into_iter()
            .fold(text, |text, name| text.replacen(name, &format!("{name}old_hook = true\n"), 1))
    });
    let (program, _) = connect(&world, port).await;
    let of_bot = |bot: i64| {
        json!({
            "update_type": "message_created", "timestamp": 1_760_000_500_100_i64,
            "message": {
                "sender": { "user_id": 7, "name": "Anna", "is_bot": false },
                "recipient": { "chat_id": 1_000_000_007, "chat_type": "dialog", "user_id": bot },
                "timestamp": 1_760_000_500_000_i64, "body": { "mid": "mid.1", "text": "To the old address" },
            },
        })
    };
    let of_group = |group: u32| {
        let message = json!({
            "peer_id": 2001, "from_id": 2001, "conversation_message_id": 1, "date": 1_760_000_500, "text": "To the old address",
        });
        json!({ "type": "message_new", "group_id": group, "secret": "old", "object": { "message": message } })
    };
    for (old, channel, others, own) in
        [(8768, "max", of_bot(9002), of_bot(9001)), (8767, "vk", of_group(100_201), of_group(100_200))]
    {
        let (at, path) = (world.legacy_port(old), format!("/webhook/{channel}"));
        // A refusal would make the provider give this address up.
        let (status, answer) = program.legacy(at, &path, &others).await;
        assert_eq!((status, received(&program, channel).await.len()), (200, 0), "{channel}: {answer}");
        let (status, answer) = program.legacy(at, &path, &own).await;
        let taken = received(&program, channel).await;
        assert_eq!((status, taken.len()), (200, 1), "{channel}: {answer}");
        assert_eq!(taken[0]["text"], "To the old address");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_flows_write_send_pictures_and_read() {
    const QUESTION: &str = "Is it there?";
    let (world, hoster) = (World::start(binary()).await, Hoster::start().await);
    world.edit_settings(|text| format!("media.allow_private = [\"127.0.0.1/32\"]\n{text}"));
    let (program, _) = connected(&world).await;
    let mut places = Vec::new();
    for (port, channel, account) in [
        (8765, "avito", "shop"),
        (8766, "whatsapp", "phone"),
        (8767, "vk", "club"),
        (8768, "max", "assistant"),
        (8769, "instagram", "studio"),
    ] {
        let chat = writes(&world, channel, account, QUESTION).await;
        program.until("it comes in", || async { !received(&program, channel).await.is_empty() }).await;
        let message_id = received(&program, channel).await.remove(0)["external_message_id"].clone();
        places.push((channel, world.legacy_port(port), chat, message_id));
    }
    let (picture, form) = (hoster.url("/photo.png"), world.legacy_port(8770).to_string());
    let read_back = run_json("old_ports.py", &[&picture, &form, &json!(places).to_string()]).await;
    for (channel, _, chat, _) in &places {
        let read = &read_back[channel];
        let has = |list: &str, text: &str| {
            read[list].as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some(text)))
        };
        let answer = format!("Yes, says {channel}");
        assert!(has("chats", chat) && has("said", QUESTION), "{channel}: {chat} in {read_back}");
        // On the port of MAX messages are read by their ids alone.
        assert!(*channel == "max" || has("said", &answer), "{channel}: {read_back}");
        let ledger = world.ledger().await;
        let rows: Vec<_> = ledger.iter().filter(|row| row["provider"] == *channel).collect();
        assert_eq!(rows.len(), 2, "{rows:#?}");
        assert_eq!(rows.iter().filter(|row| row["text"] == answer.as_str()).count(), 1, "{rows:#?}");
        assert_eq!(rows.iter().filter(|row| row["file_kind"].is_string()).count(), 1, "{rows:#?}");
    }
    let forms = received(&program, "form").await;
    assert_eq!(forms.len(), 1, "{forms:?}");
    world.assert_nothing_unknown().await;
}
