//! Which messages of a chat may be the one that is in doubt. Pure.

use std::time::Duration;

use api::HistoryMessage;
use domain::Timestamp;

/// Clocks differ, so that a message may seem to be a little older than the request for it.
const CLOCKS_DIFFER: Duration = Duration::from_mins(2);

/// Whether a message may be the one with this text that was asked for then: its words are the same or a part of them, and it
/// is not older.
pub(super) fn may_be(seen: &HistoryMessage, text: &str, requested_at: Timestamp) -> bool {
    let written = squeezed(&seen.text);
    !written.is_empty() && seen.at >= requested_at.minus(CLOCKS_DIFFER) && squeezed(text).contains(&written)
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
        let seen = |text: &str, when: &str| -> HistoryMessage {
            let seen = serde_json::json!({
                "id": "rcv_1zzzzy5q1rkpjw00000pg", "message_id": 1, "at": when, "outgoing": true, "text": text,
            });
            serde_json::from_value(seen).expect("a message")
        };
        let requested = at("2026-11-20T11:00:00Z");
        assert!(may_be(&seen("hello there", "2026-11-20T11:00:02Z"), " hello\nthere ", requested));
        assert!(may_be(&seen("hello", "2026-11-20T10:59:30Z"), "hello there", requested));
        assert!(!may_be(&seen("hello there", "2026-11-20T09:00:00Z"), "hello there", requested));
        assert!(!may_be(&seen("hello you", "2026-11-20T11:00:02Z"), "hello there", requested));
        assert!(!may_be(&seen("", "2026-11-20T11:00:02Z"), "hello there", requested));
    }
}
