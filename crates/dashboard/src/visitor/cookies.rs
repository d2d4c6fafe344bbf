//! Cookies: reading one, writing one.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The value of a cookie, as it was sent.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// A `Set-Cookie` for a choice or a note: sent with navigations from elsewhere, gone after `seconds`, zero to take it away.
/// None when the value has characters that a header cannot carry.
pub(crate) fn set_cookie(name: &str, value: &str, seconds: u32) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={seconds}; SameSite=Lax")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_one_is_found_among_several() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; language=ru; xlanguage=en"));
        headers.append(COOKIE, HeaderValue::from_static("theme=dark"));
        assert_eq!(cookie(&headers, "language"), Some("ru"));
        assert_eq!(cookie(&headers, "theme"), Some("dark"));
        assert_eq!(cookie(&headers, "guage"), None);
    }
}
