//! The language of a page: chosen by a person, or asked for by the browser.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// A language that all pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Language {
    #[default]
    English,
    Russian,
}

impl Language {
    /// The cookie that keeps what was chosen.
    pub(crate) const COOKIE: &'static str = "language";

    /// The word of a cookie or a query: `en` or `ru`.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "en" => Some(Self::English),
            "ru" => Some(Self::Russian),
            _ => None,
        }
    }

    /// The code for `lang` attributes.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// Of two things in both languages the one in this.
    pub(crate) fn of<T>(self, english: T, russian: T) -> T {
        match self {
            Self::English => english,
            Self::Russian => russian,
        }
    }

    /// What the browser likes best of the two (RFC 9110, `Accept-Language`); English when it names neither.
    pub(crate) fn of_browser(headers: &HeaderMap) -> Self {
        let Some(wanted) = headers.get(ACCEPT_LANGUAGE).and_then(|line| line.to_str().ok()) else {
            return Self::default();
        };
        let mut best = (Self::default(), 0.0_f32);
        for part in wanted.split(',') {
            let mut words = part.split(';');
            let tag = words.next().unwrap_or_default().trim();
            let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
            let weight = words
                .find_map(|word| word.trim().strip_prefix("q="))
                .map_or(1.0, |weight| weight.parse::<f32>().unwrap_or(0.0));
            if let Some(language) = Self::from_word(&primary)
                && weight > best.1
            {
                best = (language, weight);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_browser_gets_what_it_likes_best_of_what_there_is() {
        for (line, expected) in [
            ("ru-RU,ru;q=0.9,en;q=0.8", Language::Russian),
            ("en-US,en;q=0.9,ru;q=0.8", Language::English),
            ("de,ru;q=0.3,en;q=0.2", Language::Russian),
            ("de, fr;q=0.5", Language::English),
            ("ru;q=0", Language::English),
            ("ru;q=nonsense, en;q=0.1", Language::English),
            ("*", Language::English),
            ("", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(line).expect("a value"));
            assert_eq!(Language::of_browser(&headers), expected, "{line}");
        }
        assert_eq!(Language::of_browser(&HeaderMap::new()), Language::English);
    }
}
