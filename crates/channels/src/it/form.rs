//! Forms of a site as a channel.

use std::sync::Arc;

use channels::{HookPost, HookRefusal};
use config::ChannelKind;
use domain::Outcome;
use serde_json::json;

use crate::it::support::{Receiver, World, messages, text};

#[tokio::test]
async fn a_form_comes_in_and_nothing_goes_out() {
    let world = World::start().await;
    let mut fields = world.fields(ChannelKind::Form);
    fields.origins = vec!["https://Example.com/".to_owned()];
    let site = channels::make(World::setup(fields)).unwrap();
    let receiver = Receiver::start(Arc::clone(&site)).await;
    let mut keys = Vec::new();
    for is_encoded in [false, true] {
        let done = world
            .customer(json!({
                "channel": "form", "from": "8 (000) 000-00-01", "name": "Ivan", "text": "call me", "subject": "callback",
                "extra": {"url": receiver.url, "fields": {"model": "A 12"}, "encoded": is_encoded},
            }))
            .await;
        let post = receiver.next().await;
        let hook = site.hook(&post).unwrap();
        let found = messages(&hook.events);
        assert_eq!(
            (found[0].phone.as_ref().map(|phone| phone.value.as_str()), found[0].name.as_deref()),
            (Some("+70000000001"), Some("Ivan"))
        );
        assert_eq!(
            (&*found[0].text, found[0].chat.as_str()),
            ("call me\nmodel: A 12", done["chat_id"].as_str().unwrap())
        );
        assert!(hook.answer.body.contains(found[0].chat.as_str()));
        keys.push(hook.events[0].key.clone());
        let from = |origin: &str| {
            let mut post = HookPost { headers: post.headers.clone(), ..post.clone() };
            post.headers.push(("origin".to_owned(), origin.as_bytes().to_vec()));
            site.hook(&post)
        };
        assert!(from("https://example.com").is_ok());
        assert_eq!(from("https://example.org"), Err(HookRefusal::NotGenuine));
        let wrong = HookPost { body: b"{}".to_vec(), ..post };
        assert!(matches!(site.hook(&wrong), Err(HookRefusal::Unreadable(why)) if why.starts_with("phone")));
    }
    assert_ne!(keys[0], keys[1]);
    assert!(matches!(site.send(&text(&keys[0], "hello", 1)).await, Outcome::Rejected { .. }));
    assert_eq!(site.check().await.unwrap().name, "site");
    assert!(site.registered().is_none());
}
