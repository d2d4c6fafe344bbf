//! The table of all keys, which the sections make with their structs, and the macro that does it.

use std::sync::LazyLock;

use serde::Serialize;

use crate::{settings::Settings, value_kind::ValueKind};

/// Declares a section: its struct and its rows in the table of keys. `section` adds the defaults, `item` is one of a list.
///
/// A field is written `name: Type = default, kind(…), "example";`. Its comment is its meaning in the reference. Without a
/// default the key is required, or not set if its kind is `optional(…)`. The example is TOML, and the default where there is
/// none. Durations and sizes have their defaults as text. A field without a kind is a section, or a list of them.
macro_rules! settings {
    ($(#[$about:meta])* $vis:vis section $section:ident at $path:literal {
        $($(#[doc = $meaning:literal])+ $(#[serde $serde:tt])* $name:ident: $type:ty $(= $default:expr)?
            $(, $kind:ident($($rule:expr),*) $(, $example:literal)?)?;)*
    }) => {
        crate::keys::settings! {
            $(#[$about])*
            #[serde(default)]
            $vis item $section at $path {
                $($(#[doc = $meaning])+ $(#[serde $serde])* $name: $type $(= $default)?
                    $(, $kind($($rule),*) $(, $example)?)?;)*
            }
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($name: crate::keys::settings!(@value $($kind)? $(, $default)?),)* }
            }
        }
    };
    ($(#[$about:meta])* $vis:vis item $section:ident at $path:literal {
        $($(#[doc = $meaning:literal])+ $(#[serde $serde:tt])* $name:ident $(as $key:literal)?: $type:ty
            $(= $default:expr)? $(, $kind:ident($($rule:expr),*) $(, $example:literal)?)?;)*
    }) => {
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        $(#[$about])*
        $vis struct $section {
            $($(#[doc = $meaning])+ $(#[serde $serde])* pub $name: $type,)*
        }

        impl crate::keys::Section for $section {
            const ROWS: &'static [crate::keys::Row] = &[$(crate::keys::settings!(
                @row $type, concat!($path, crate::keys::settings!(@key $name $($key)?)), concat!($($meaning),+)
                $(, = $default)? $(, $kind($($rule),*) $(, $example)?)?
            )),*];
        }
    };
    (@value $(optional)?) => { Default::default() };
    (@value duration, $default:expr) => { crate::duration::parse_duration($default).unwrap_or_default() };
    (@value size, $default:expr) => { crate::size::parse_size($default).unwrap_or_default() };
    (@value $kind:ident, $default:expr) => { $default };
    (@key $name:ident) => { stringify!($name) };
    (@key $name:ident $key:literal) => { $key };
    (@row $type:ty, $path:expr, $meaning:expr) => {
        crate::keys::Row::Section(<$type as crate::keys::Section>::ROWS)
    };
    (@row $type:ty, $path:expr, $meaning:expr $(, = $default:expr)?, $kind:ident($($rule:expr),*) $(, $example:literal)?) => {
        crate::keys::Row::Key(crate::keys::Key {
            path: $path,
            kind: crate::value_kind::$kind($($rule),*),
            presence: crate::keys::settings!(@presence $type, $kind $(, $default)?),
            example: crate::keys::settings!(@example $($example)?),
            meaning: $meaning,
        })
    };
    (@presence $type:ty, optional) => { crate::keys::Presence::Optional };
    (@presence $type:ty, $kind:ident) => { crate::keys::Presence::Required };
    (@presence $type:ty, duration, $default:expr) => {
        crate::keys::Presence::Default(|| crate::keys::toml_text(&$default))
    };
    (@presence $type:ty, size, $default:expr) => {
        crate::keys::Presence::Default(|| crate::keys::toml_text(&$default))
    };
    (@presence $type:ty, $kind:ident, $default:expr) => {
        crate::keys::Presence::Default(|| {
            let default: $type = $default;
            crate::keys::toml_text(&default)
        })
    };
    (@example) => { None };
    (@example $example:literal) => { Some($example) };
}
pub(crate) use settings;

/// One key. Lists of sections are written `[]`; default and example are TOML.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) path: &'static str,
    pub(crate) kind: ValueKind,
    pub(crate) presence: Presence,
    pub(crate) example: Option<&'static str>,
    pub(crate) meaning: &'static str,
}

impl Key {
    /// Its comment, on one line.
    pub(crate) fn meaning(&self) -> &'static str {
        self.meaning.trim_start()
    }

    /// A value that it could have.
    pub(crate) fn example(&self) -> String {
        match (self.example, self.presence) {
            (Some(example), _) => example.to_owned(),
            (None, Presence::Default(text)) => text(),
            (None, Presence::Required | Presence::Optional) => String::new(),
        }
    }
}

/// What holds when a key is left out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Presence {
    /// Its section cannot do without it.
    Required,
    /// Nothing is set.
    Optional,
    /// This value, as TOML.
    Default(fn() -> String),
}

/// A struct with keys of its own.
pub(crate) trait Section {
    const ROWS: &'static [Row];
}

impl<T: Section> Section for Option<T> {
    const ROWS: &'static [Row] = T::ROWS;
}

impl<T: Section> Section for Vec<T> {
    const ROWS: &'static [Row] = T::ROWS;
}

/// A row of a section.
pub(crate) enum Row {
    Key(Key),
    Section(&'static [Row]),
}

impl Row {
    fn keys(&'static self) -> Vec<&'static Key> {
        match self {
            Self::Key(key) => vec![key],
            Self::Section(rows) => rows.iter().flat_map(Self::keys).collect(),
        }
    }
}

/// All keys, section by section.
pub(crate) static KEYS: LazyLock<Vec<&'static Key>> =
    LazyLock::new(|| Settings::ROWS.iter().flat_map(Row::keys).collect());

/// A value as it is written in a settings file.
pub(crate) fn toml_text(value: &impl Serialize) -> String {
    toml::Value::try_from(value).map(|value| value.to_string()).unwrap_or_default()
}

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
