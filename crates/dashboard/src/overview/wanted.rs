//! The filters of the overview: from the address and back into it. Pure.

use health::{CardFilter, CardKind, Cursor};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// How many cards a page shows.
pub(crate) const PAGE: usize = 48;

/// The longest text that is searched for, in characters.
const LONGEST: usize = 100;

/// What the address asks for, as it is written there. Unknown words mean nothing and are dropped.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// `trouble`, or a kind.
    kind: String,
    q: String,
    /// `kind` to sort by kind, otherwise by need.
    group: String,
    /// The place that the page comes after.
    after: String,
}

/// By what the cards of a page are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Grouping {
    /// Trouble first.
    #[default]
    Need,
    Kind,
}

/// What is shown, by each of its sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    /// Only trouble.
    pub(crate) trouble: bool,
    /// Only this kind.
    pub(crate) kind: Option<CardKind>,
    /// Only with this text.
    pub(crate) text: String,
    pub(crate) grouping: Grouping,
    /// Only after this place.
    after: Option<String>,
}

impl From<Query> for Filter {
    fn from(query: Query) -> Self {
        Self {
            trouble: query.kind == "trouble",
            kind: kind(&query.kind),
            text: query.q.trim().chars().filter(|one| !one.is_control()).take(LONGEST).collect(),
            grouping: if query.group == "kind" { Grouping::Kind } else { Grouping::Need },
            after: query.after.parse::<Cursor>().ok().map(|cursor| cursor.to_string()),
        }
    }
}

impl Filter {
    /// What is asked of the crate `health`.
    pub(crate) fn wanted(&self) -> CardFilter {
        CardFilter {
            kinds: self.kind.into_iter().collect(),
            trouble: self.trouble,
            text: (!self.text.is_empty()).then(|| self.text.clone()),
            group: None,
            in_accounts: true,
            by_kind: self.grouping == Grouping::Kind,
            limit: Some(PAGE),
            after: self.after.as_deref().and_then(|after| after.parse().ok()),
        }
    }

    pub(crate) fn kind_word(&self) -> &'static str {
        if self.trouble { "trouble" } else { self.kind.map_or("", CardKind::as_str) }
    }

    pub(crate) fn group_word(&self) -> &'static str {
        match self.grouping {
            Grouping::Need => "",
            Grouping::Kind => "kind",
        }
    }

    /// Whether it is not the first page.
    pub(crate) fn is_later_page(&self) -> bool {
        self.after.is_some()
    }

    /// The same with another kind, from the first page on.
    pub(crate) fn with_kind(&self, word: &str) -> String {
        Self { trouble: word == "trouble", kind: kind(word), after: None, ..self.clone() }.address()
    }

    /// Whether cards are left out, on whatever page.
    pub(crate) fn is_narrow(&self) -> bool {
        self.trouble || self.kind.is_some() || !self.text.is_empty()
    }

    /// The same from the first page on.
    pub(crate) fn first_page(&self) -> String {
        Self { after: None, ..self.clone() }.address()
    }

    pub(crate) fn next_page(&self, after: &str) -> String {
        Self { after: Some(after.to_owned()), ..self.clone() }.address()
    }

    /// A path and query that means the same.
    pub(crate) fn address(&self) -> String {
        match self.query() {
            query if query.is_empty() => "/".to_owned(),
            query => format!("/?{query}"),
        }
    }

    pub(crate) fn query(&self) -> String {
        let pairs = [
            ("kind", self.kind_word()),
            ("q", self.text.as_str()),
            ("group", self.group_word()),
            ("after", self.after.as_deref().unwrap_or_default()),
        ];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        pairs
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// A kind that cards are listed by: sessions are listed in their accounts.
fn kind(word: &str) -> Option<CardKind> {
    CardKind::from_word(word).filter(|kind| *kind != CardKind::Line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn read(address: &str) -> Filter {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        serde_urlencoded::from_str::<Query>(query).expect("a query").into()
    }

    #[test]
    fn words_that_mean_nothing_are_dropped() {
        assert_eq!(read("/?kind=nonsense&of=x&after=y&else=1&group=z"), Filter::default());
        assert_eq!(read("/?kind=line"), Filter::default());
        assert_eq!(read("/?kind=trouble").address(), "/?kind=trouble");
        assert_eq!(read("/?kind=account&q=all&after=0.1.port:1").with_kind(""), "/?q=all");
        assert_eq!(read("/").address(), "/");
    }

    proptest! {
        #[test]
        fn an_address_means_what_it_was_made_from(
            kind in select(vec!["", "trouble", "service", "account", "port"]),
            text in "\\PC{0,120}",
            grouping in select(vec![Grouping::Need, Grouping::Kind]),
        ) {
            let text: String = text.trim().chars().filter(|one| !one.is_control()).take(LONGEST).collect();
            let text = text.trim().to_owned();
            let filter = Filter {
                trouble: kind == "trouble", kind: CardKind::from_word(kind), text, grouping, after: None,
            };
            prop_assert_eq!(read(&filter.address()), filter);
        }
    }
}
