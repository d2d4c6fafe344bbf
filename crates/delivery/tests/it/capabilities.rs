//! What a sender takes: messages are cut to it, and refused where something of them would be lost.

use delivery::{Capabilities, MediaKind, SubmitError};
use domain::MessageState;
use domain::text::{ParseMode, TextLimit, Unit, parse};

use crate::script::{Bench, CAPABILITIES, album, group, mentioning, text};

const SMALL: Capabilities = Capabilities {
    text: TextLimit::new(12, Unit::Bytes),
    caption: None,
    sends: true,
    reply: true,
    album: delivery::Album::NONE,
    parse_modes: &[],
    media: &[MediaKind::Photo],
    ..CAPABILITIES
};

#[tokio::test]
async fn parts_follow_what_the_sender_takes() {
    let bench = Bench::with(SMALL).await;
    let id = bench.submit(album(group(1), 2, "привет привет")).await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    let sent: Vec<_> = bench.script.effects().into_iter().map(|effect| (effect.media, effect.text)).collect();
    let words = || "привет".to_owned();
    assert_eq!(sent, [(Some(0), String::new()), (Some(1), String::new()), (None, words()), (None, words())]);
    // Cut once the mention is known.
    let id = bench.submit(mentioning(group(1), "Hello you, {client}!")).await;
    assert_eq!(bench.settled(id).await.parts.len(), 2);
}

#[tokio::test]
async fn unsupported_content_is_refused_with_its_field() {
    let bench = Bench::with(Capabilities { media: &[MediaKind::Voice], ..SMALL }).await;
    let refusal = bench.delivery.submit(album(group(1), 1, "x")).await;
    let Err(SubmitError::NotCarried(what)) = refusal else { panic!("{refusal:?}") };
    assert_eq!(what.field(), "media[0]");
    assert_eq!(what.to_string(), "this chat takes no photo; it takes voice message");

    let mut formatted = text(group(1), "");
    formatted.content.parse_mode = ParseMode::Html;
    formatted.content.text = parse(ParseMode::Html, "<b>x</b>").expect("markup");
    let refusal = bench.delivery.submit(formatted.clone()).await;
    let Err(SubmitError::NotCarried(what)) = refusal else { panic!("{refusal:?}") };
    assert_eq!(what.field(), "parse_mode");
    assert_eq!(what.to_string(), "this chat takes no formatting written as html; use none");

    // Nothing is lost of a text without formatting, however it was written.
    formatted.content.text = parse(ParseMode::Html, "x &amp; y").expect("markup");
    let id = bench.submit(formatted).await;
    assert_eq!(bench.settled(id).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["x & y"]);

    let bench = Bench::with(Capabilities { sends: false, ..SMALL }).await;
    let refusal = bench.delivery.submit(text(group(1), "x")).await;
    let Err(SubmitError::NotCarried(what)) = refusal else { panic!("{refusal:?}") };
    assert_eq!(what.field(), "chat");
}
