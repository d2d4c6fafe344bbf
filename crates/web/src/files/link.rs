//! Links to public posts: `https://t.me/<channel>/<id>`. Pure.

use domain::{TelegramMessageId, Username};

/// Where such links begin, after the scheme.
const HOSTS: [&str; 3] = ["t.me", "telegram.me", "www.t.me"];

/// Why a link leads to no post that can be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no link to a post of a public channel; write one like https://t.me/demo_channel/45")]
pub(crate) struct NoPost;

/// The channel and the post that a link names: nothing if it leads elsewhere than to Telegram.
pub(crate) fn post(link: &str) -> Option<Result<(Username, TelegramMessageId), NoPost>> {
    let link = link.trim();
    let (scheme, rest) = link.split_once("://").unwrap_or(("https", link));
    if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    if !HOSTS.iter().any(|known| host.eq_ignore_ascii_case(known)) {
        return None;
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(named(path).ok_or(NoPost))
}

/// `/channel/45`, with `/s` before it in previews.
fn named(path: &str) -> Option<(Username, TelegramMessageId)> {
    let mut steps = path.strip_prefix('/')?.trim_end_matches('/').split('/');
    let mut channel = steps.next()?;
    if channel == "s" {
        channel = steps.next()?;
    }
    let number = steps.next()?;
    if steps.next().is_some()
        || channel.starts_with('@')
        || !number.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let message_id = number.parse::<i32>().ok().and_then(TelegramMessageId::new)?;
    Some((channel.parse().ok()?, message_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_to_public_posts_are_read() {
        for link in [
            "https://t.me/Demo_Channel/45",
            "http://t.me/demo_channel/45/",
            "t.me/demo_channel/45",
            "https://T.me/s/demo_channel/45",
            "https://telegram.me/demo_channel/45?single",
            " https://t.me/demo_channel/45#x ",
        ] {
            let expected = ("demo_channel".parse().expect("a name"), 45_i64.try_into().expect("an id"));
            assert_eq!(post(link), Some(Ok(expected)), "{link}");
        }
    }

    #[test]
    fn links_to_anything_else_are_not_posts() {
        for link in [
            "https://t.me/demo_channel",
            "https://t.me/demo_channel/",
            "https://t.me/demo_channel/x",
            "https://t.me/demo_channel/0",
            "https://t.me/demo_channel/-4",
            "https://t.me/demo_channel/99999999999",
            "https://t.me/c/123/45",
            "https://t.me/demo_channel/45/46",
            "https://t.me/+abc/4",
            "https://t.me",
        ] {
            assert_eq!(post(link), Some(Err(NoPost)), "{link}");
        }
        for link in
            ["https://example.com/demo_channel/45", "https://t.me.example.com/a/4", "ftp://t.me/demo/4", ""]
        {
            assert_eq!(post(link), None, "{link}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_a_link_reads_back(text: String, name in "[a-z][a-z0-9_]{4,20}", id in 1..i32::MAX) {
            let _ = post(&text);
            let read = post(&format!("https://t.me/{name}/{id}"));
            prop_assert_eq!(read, Some(Ok((name.parse().expect("a name"), TelegramMessageId::new(id).expect("an id")))));
        }
    }
}
