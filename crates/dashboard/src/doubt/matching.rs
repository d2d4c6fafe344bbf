//! Which messages of a chat may be the one that is in doubt. Pure.

use std::time::Duration;

use domain::Timestamp;
use serde::Deserialize;

/// A message of a chat, as Telegram has it now.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Seen {
    pub(super) message_id: i64,
    pub(super) at: Timestamp,
    #[serde(default)]
    pub(super) outgoing: bool,
    #[serde(default)]
    pub(super) text: String,
    pub(super) media: Option<String>,
    pub(super) service: Option<String>,
}

/// Clocks differ, so that a message may seem to be a little older than the request for it.
const CLOCKS_DIFFER: Duration = Duration::from_mins(2);

impl Seen {
    /// Whether it may be the message with this text that was asked for then: its words are the same or a part of them, and it is
    /// not older.
    pub(super) fn may_be(&self, text: &str, asked_at: Timestamp) -> bool {
        let written = squeezed(&self.text);
        !written.is_empty() && self.at >= asked_at.minus(CLOCKS_DIFFER) && squeezed(text).contains(&written)
    }
}

/// Without what Telegram may trim.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_at_the_right_time_may_be_it() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let seen = |text: &str, when: &str| Seen {
            message_id: 1,
            at: at(when),
            outgoing: true,
            text: text.to_owned(),
            media: None,
            service: None,
        };
        let asked = at("2026-11-20T11:00:00Z");
        assert!(seen("hello there", "2026-11-20T11:00:02Z").may_be(" hello\nthere ", asked));
        assert!(seen("hello", "2026-11-20T10:59:30Z").may_be("hello there", asked));
        assert!(!seen("hello there", "2026-11-20T09:00:00Z").may_be("hello there", asked));
        assert!(!seen("hello you", "2026-11-20T11:00:02Z").may_be("hello there", asked));
        assert!(!seen("", "2026-11-20T11:00:02Z").may_be("hello there", asked));
    }
}
