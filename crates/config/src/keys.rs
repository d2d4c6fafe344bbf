//! What a key is, and the macro by which sections declare theirs.

use serde::Serialize;

use crate::value_kind::ValueKind;

/// Declares a section: its struct and its rows in the table of keys. `section` adds the defaults, `item` is one of a list.
///
/// A field is written `name: Type = default, kind(…), "example";`. Its comment is its meaning in the reference. Without a
/// default the key is required, or not set if its kind is `optional(…)`. The example is TOML, and the default where there is
/// none. Durations and sizes have their defaults as text. A field without a kind is a section, or a list of them.
///
/// `=> live` before the semicolon says that the key applies when the settings are read again, of a section that all in it does
/// and of a list that its items come and go. Any other needs a restart.
macro_rules! settings {
    ($(#[$about:meta])* $vis:vis section $section:ident at $path:literal {
        $($(#[doc = $meaning:literal])+ $(#[serde $serde:tt])* $name:ident: $type:ty $(= $default:expr)?
            $(, $kind:ident($($rule:expr),*) $(, $example:literal)?)? $(=> $applies:ident)?;)*
    }) => {
        crate::keys::settings! {
            $(#[$about])*
            #[serde(default)]
            $vis item $section at $path {
                $($(#[doc = $meaning])+ $(#[serde $serde])* $name: $type $(= $default)?
                    $(, $kind($($rule),*) $(, $example)?)? $(=> $applies)?;)*
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
            $(= $default:expr)? $(, $kind:ident($($rule:expr),*) $(, $example:literal)?)? $(=> $applies:ident)?;)*
    }) => {
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        $(#[$about])*
        $vis struct $section {
            $($(#[doc = $meaning])+ $(#[serde $serde])* pub $name: $type,)*
        }

        impl crate::keys::Section for $section {
            const ROWS: &'static [crate::keys::Row] = &[$(crate::keys::settings!(
                @row $type, concat!($path, crate::keys::settings!(@key $name $($key)?)), concat!($($meaning),+),
                crate::keys::settings!(@applies $($applies)?)
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
    (@applies) => { crate::keys::Applies::AtStart };
    (@applies live) => { crate::keys::Applies::Live };
    (@row $type:ty, $path:expr, $meaning:expr, $applies:expr) => {
        crate::keys::Row::Section(crate::keys::Inner {
            path: $path,
            rows: <$type as crate::keys::Section>::ROWS,
            is_list: <$type as crate::keys::Section>::IS_LIST,
            applies: $applies,
        })
    };
    (@row $type:ty, $path:expr, $meaning:expr, $applies:expr $(, = $default:expr)?, $kind:ident($($rule:expr),*) $(, $example:literal)?) => {
        crate::keys::Row::Key(crate::keys::Key {
            path: $path,
            kind: crate::value_kind::$kind($($rule),*),
            presence: crate::keys::settings!(@presence $type, $kind $(, $default)?),
            example: crate::keys::settings!(@example $($example)?),
            meaning: $meaning,
            applies: $applies,
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
    pub(crate) applies: Applies,
}

/// When a changed value takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// When the settings are read again.
    Live,
    /// At the next start.
    AtStart,
}

impl Applies {
    /// What is declared inside a section that applies then.
    pub(crate) fn within(self, section: Self) -> Self {
        if section == Self::Live { section } else { self }
    }
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
    const IS_LIST: bool = false;
}

impl<T: Section> Section for Option<T> {
    const ROWS: &'static [Row] = T::ROWS;
}

impl<T: Section> Section for Vec<T> {
    const ROWS: &'static [Row] = T::ROWS;
    const IS_LIST: bool = true;
}

/// A row of a section.
pub(crate) enum Row {
    Key(Key),
    Section(Inner),
}

/// A section inside another, or a list of them.
pub(crate) struct Inner {
    pub(crate) path: &'static str,
    pub(crate) rows: &'static [Row],
    pub(crate) is_list: bool,
    pub(crate) applies: Applies,
}

impl Row {
    pub(crate) fn keys(&'static self) -> Vec<&'static Key> {
        self.applying(Applies::AtStart).into_iter().map(|(key, _)| key).collect()
    }

    /// The keys, and when each applies in a section that applies then.
    pub(crate) fn applying(&'static self, section: Applies) -> Vec<(&'static Key, Applies)> {
        match self {
            Self::Key(key) => vec![(key, key.applies.within(section))],
            Self::Section(inner) => {
                let applies = inner.applies.within(section);
                inner.rows.iter().flat_map(|row| row.applying(applies)).collect()
            }
        }
    }
}

/// A value as it is written in a settings file.
pub(crate) fn toml_text(value: &impl Serialize) -> String {
    toml::Value::try_from(value).map(|value| value.to_string()).unwrap_or_default()
}
