//! Counts of every call, and the list of methods that were asked for and are not known.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

/// How often an account called a method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallCount {
    /// None for a key without an account.
    pub account: Option<Arc<str>>,
    /// As in TL.
    pub method: &'static str,
    /// Since the start or the last clearing.
    pub count: u64,
}

/// A method that the pretend Telegram does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownMethod {
    /// As in TL, or `(unknown)`.
    pub name: &'static str,
    /// The constructor, in hexadecimal.
    pub id: String,
    /// How often it was asked for.
    pub count: u64,
}

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    counts: BTreeMap<(Option<Arc<str>>, &'static str), u64>,
    unknown: BTreeMap<u32, (&'static str, u64)>,
}

impl Calls {
    pub(crate) fn count(&mut self, account: Option<Arc<str>>, method: &'static str) {
        *self.counts.entry((account, method)).or_default() += 1;
    }

    pub(crate) fn count_unknown(&mut self, id: u32, name: &'static str) {
        self.unknown.entry(id).or_insert((name, 0)).1 += 1;
    }

    pub(crate) fn list(&self, account: Option<&str>, method: Option<&str>) -> Vec<CallCount> {
        self.counts
            .iter()
            .filter(|((by, name), _)| {
                account.is_none_or(|wanted| by.as_deref() == Some(wanted))
                    && method.is_none_or(|wanted| *name == wanted)
            })
            .map(|((account, method), count)| CallCount { account: account.clone(), method, count: *count })
            .collect()
    }

    pub(crate) fn unknown(&self) -> Vec<UnknownMethod> {
        let rows = self.unknown.iter();
        rows.map(|(id, (name, count))| UnknownMethod { name, id: format!("{id:#010x}"), count: *count })
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        self.counts.clear();
    }

    pub(crate) fn clear_unknown(&mut self) {
        self.unknown.clear();
    }
}
