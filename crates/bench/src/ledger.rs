//! The ledger's word on a run: each answer of "sent" stands for exactly one effect.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// An effect that the pretend Telegram accepted.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) account: String,
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) chat_id: String,
    pub(crate) text: String,
    pub(crate) message_id: Option<i64>,
}

/// A press of a button.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PressRow {
    pub(crate) seq: u64,
    /// The button's data.
    pub(crate) text: String,
    pub(crate) press: Option<Press>,
}

/// Which keyboard a press hit.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Press {
    pub(crate) stale: bool,
    /// How long after the keyboard was shown the press came, with all the work of the world in between.
    pub(crate) shown_us_ago: Option<u64>,
    /// How long after the bytes of the last keyboard the bytes of the press came.
    pub(crate) wire_us: Option<u64>,
    pub(crate) refused: Option<String>,
}

/// A message that a server says it has sent.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) text: String,
    pub(crate) message_id: i64,
}

/// What the comparison of claims and rows found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Audit {
    /// Claims with exactly one row that has the same message id.
    pub(crate) confirmed: usize,
    /// Claims without a row.
    pub(crate) missing: usize,
    /// Texts with more than one row, claimed or not.
    pub(crate) doubled: usize,
    /// Claims whose row has another message id.
    pub(crate) misnamed: usize,
    /// Rows that no answer claims: the request failed, and the message is there.
    pub(crate) unclaimed: usize,
}

impl Audit {
    /// Compares; no two claims have the same text.
    pub(crate) fn of(claims: &[Claim], rows: &[Row]) -> Self {
        let mut by_text: HashMap<&str, Vec<Option<i64>>> = HashMap::with_capacity(rows.len());
        for row in rows {
            by_text.entry(&row.text).or_default().push(row.message_id);
        }
        let mut audit =
            Self { doubled: by_text.values().filter(|ids| ids.len() > 1).count(), ..Self::default() };
        for claim in claims {
            match by_text.remove(claim.text.as_str()).as_deref() {
                None => audit.missing += 1,
                Some([id]) if *id == Some(claim.message_id) => audit.confirmed += 1,
                Some([_]) => audit.misnamed += 1,
                // Counted as doubled above.
                Some(_) => {}
            }
        }
        audit.unclaimed = by_text.len();
        audit
    }

    /// Nothing lost, nothing twice, nothing under another's name.
    pub(crate) fn is_clean(&self) -> bool {
        self.missing + self.doubled + self.misnamed + self.unclaimed == 0
    }

    /// Adds another run's audit.
    pub(crate) fn add(&mut self, other: &Self) {
        self.confirmed += other.confirmed;
        self.missing += other.missing;
        self.doubled += other.doubled;
        self.misnamed += other.misnamed;
        self.unclaimed += other.unclaimed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str, message_id: i64) -> Row {
        Row {
            seq: 1,
            account: "main".to_owned(),
            method: "messages.sendMessage".to_owned(),
            chat_id: String::new(),
            text: text.to_owned(),
            message_id: Some(message_id),
        }
    }

    fn claim(text: &str, message_id: i64) -> Claim {
        Claim { text: text.to_owned(), message_id }
    }

    #[test]
    fn one_row_for_each_claim_is_clean() {
        let audit = Audit::of(&[claim("a", 1), claim("b", 2)], &[row("b", 2), row("a", 1)]);
        assert_eq!(audit, Audit { confirmed: 2, ..Audit::default() });
        assert!(audit.is_clean());
        assert!(Audit::of(&[], &[]).is_clean());
    }

    #[test]
    fn each_kind_of_difference_is_counted() {
        let claims = [claim("a", 1), claim("lost", 2), claim("twice", 3), claim("other", 4)];
        let rows = [row("a", 1), row("twice", 3), row("twice", 5), row("other", 6), row("stray", 7)];
        let audit = Audit::of(&claims, &rows);
        assert_eq!(audit, Audit { confirmed: 1, missing: 1, doubled: 1, misnamed: 1, unclaimed: 1 });
        assert!(!audit.is_clean());
        let mut sum = audit.clone();
        sum.add(&audit);
        assert_eq!(sum, Audit { confirmed: 2, missing: 2, doubled: 2, misnamed: 2, unclaimed: 2 });
    }
}
