//! The table of all keys, and the search in it.

use std::sync::LazyLock;

use crate::{
    keys::{Key, Row, Section as _},
    settings::Settings,
};

/// All keys, section by section.
pub(crate) static KEYS: LazyLock<Vec<&'static Key>> =
    LazyLock::new(|| Settings::ROWS.iter().flat_map(Row::keys).collect());

/// What a path leads to.
pub(crate) enum Entry {
    Key(&'static Key),
    /// A section with keys of its own.
    Section,
    /// A list of such sections.
    List,
}

/// What is at a path, written without the numbers of list items: `telegram.accounts[].name`.
pub(crate) fn entry(path: &str) -> Option<Entry> {
    KEYS.iter().find_map(|key| match key.path.strip_prefix(path)? {
        "" => Some(Entry::Key(key)),
        rest if rest.starts_with('.') => Some(Entry::Section),
        rest if rest.starts_with("[].") => Some(Entry::List),
        _ => None,
    })
}

/// The names that a section knows, in the table's order; the empty path is the whole file.
pub(crate) fn names_in(section: &str) -> Vec<&'static str> {
    let mut names: Vec<_> = KEYS
        .iter()
        .filter_map(|key| match section {
            "" => Some(key.path),
            _ => key.path.strip_prefix(section)?.strip_prefix('.'),
        })
        .filter_map(|inside| inside.split(['.', '[']).next())
        .collect();
    names.dedup();
    names
}

/// The known key that was probably meant by a name in a section: one beside it, else one of that name elsewhere.
pub(crate) fn nearest(section: &str, name: &str) -> Option<String> {
    let beside = closest(name, names_in(section).into_iter().map(|known| (known, known)))
        .map(|known| if section.is_empty() { known.to_owned() } else { format!("{section}.{known}") });
    beside.or_else(|| {
        closest(name, KEYS.iter().map(|key| (key.path.rsplit('.').next().unwrap_or(key.path), key.path)))
            .map(str::to_owned)
    })
}

/// Of names with something attached the thing at the nearest name, if it is near enough for a slip.
pub(crate) fn closest<'a, T>(name: &str, known: impl Iterator<Item = (&'a str, T)>) -> Option<T> {
    known
        .map(|(candidate, thing)| (strsim::damerau_levenshtein(name, candidate), candidate.len(), thing))
        .filter(|(distance, length, _)| *distance <= (length / 3).max(2).min(length.saturating_sub(1)))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(_, _, thing)| thing)
}
