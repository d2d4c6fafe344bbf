//! A post that comes to the address of another provider's account, whose secret it knows, says nothing there.

use std::sync::Arc;
use std::time::Duration;

use channels::{HookPost, Incoming, Provider};
use domain::{InboundChange, InboundEvent};
use serde_json::json;

use crate::it::support::{Receiver, World};
use crate::it::table::{COLUMNS, Column};

/// What an account is posted when a customer writes.
pub(crate) async fn posted(world: &World, column: &Column, provider: &Arc<dyn Provider>) -> HookPost {
    let fields = world.fields_of(column.account);
    let channel = fields.channel.as_str();
    let receiver = Receiver::start(Arc::clone(provider)).await;
    let url = format!("{}{}", receiver.url, column.query);
    if provider.register(&url).await.is_err() || provider.registered().is_none() {
        let planted = fields.verify_token.as_ref().map(domain::secret::ExposeSecret::expose_secret);
        let order =
            json!({"channel": channel, "account": column.account, "url": url, "verify_token": planted});
        assert_eq!(world.type_hook(&order).await, 204, "{}", column.account);
    }
    loop {
        // An address may count only once it has been asked.
        let deed =
            json!({"channel": channel, "account": column.account, "from": column.customer, "text": "Hello"});
        world.customer(deed).await;
        let post = receiver.within(Duration::from_millis(300)).await;
        if let Some(post) = post.filter(|post| says_something(provider, post)) {
            return post;
        }
    }
}

fn says_something(provider: &Arc<dyn Provider>, post: &HookPost) -> bool {
    let is_read = |event: &InboundEvent| !matches!(event.change, InboundChange::Unread(_));
    provider.hook(post).is_ok_and(|hook| hook.events.iter().any(is_read))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_of_another_provider_says_nothing() {
    let world = World::start().await;
    let mut accounts = Vec::new();
    let mut posts = Vec::new();
    for column in &COLUMNS {
        let provider = channels::make(World::setup(world.fields_of(column.account))).unwrap();
        if !provider.receives().contains(&Incoming::Webhook) {
            continue;
        }
        let _ = provider.check().await;
        if provider.receives().contains(&Incoming::Text) {
            posts.push((column.account, posted(&world, column, &provider).await));
        }
        // Anything with a number is a form.
        if column.account != "site" {
            accounts.push((column.account, provider));
        }
    }
    assert!(posts.len() > 1 && accounts.len() > 1);
    for (from, post) in &posts {
        for (to, provider) in &accounts {
            assert_eq!(says_something(provider, post), from == to, "a post of {from} to {to}");
        }
    }
}
