//! Light, dark, or as the browser likes.

/// The look that a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Theme {
    #[default]
    Browser,
    Light,
    Dark,
}

impl Theme {
    /// The cookie that keeps what was chosen.
    pub(crate) const COOKIE: &'static str = "theme";

    /// The word of a cookie or a query: `light`, `dark` or `browser`.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "browser" => Some(Self::Browser),
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The value of `data-theme`, if the browser is not to decide.
    pub(crate) const fn forced(self) -> Option<&'static str> {
        match self {
            Self::Browser => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}
