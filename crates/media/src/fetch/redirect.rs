//! Redirects: where an answer sends the call on to, and whether that is followed.

use outbound::header::{HeaderMap, LOCATION};
use outbound::{StatusCode, Url};

/// How many redirects of one call are followed.
const MOST: usize = 5;

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    #[error("the server sent the call on more than {MOST} times")]
    TooMany,
    #[error("the server sent the call on without saying where to")]
    Nowhere,
    #[error("the server sent the call on from https to http")]
    Downgrade,
}

/// The address to ask next; nothing if the answer is no redirect. `followed` is how many there were before.
pub(super) fn next(
    from: &Url,
    status: StatusCode,
    headers: &HeaderMap,
    followed: usize,
) -> Result<Option<Url>, RedirectError> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    if followed >= MOST {
        return Err(RedirectError::TooMany);
    }
    let location = headers.get(LOCATION).and_then(|location| str::from_utf8(location.as_bytes()).ok());
    let to = location.and_then(|location| from.join(location).ok()).ok_or(RedirectError::Nowhere)?;
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(RedirectError::Downgrade);
    }
    Ok(Some(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_on(from: &str, status: u16, to: &str, followed: usize) -> Result<Option<String>, RedirectError> {
        let headers = HeaderMap::from_iter([(LOCATION, to.parse().unwrap())]);
        let status = StatusCode::from_u16(status).unwrap();
        Ok(next(&from.parse().unwrap(), status, &headers, followed)?.map(String::from))
    }

    #[test]
    fn redirects_lead_to_absolute_and_relative_addresses() {
        let to = |to| sent_on("https://example.com/a/b?c", 302, to, 0).unwrap().unwrap();
        assert_eq!(to("d"), "https://example.com/a/d");
        assert_eq!(to("/d"), "https://example.com/d");
        assert_eq!(to("//example.org/d"), "https://example.org/d");
        assert_eq!(to("https://example.org/d"), "https://example.org/d");
    }

    #[test]
    fn an_unfollowed_redirect_names_its_reason() {
        let from = "https://example.com/";
        assert_eq!(sent_on(from, 301, "http://example.com/", 0), Err(RedirectError::Downgrade));
        assert_eq!(sent_on(from, 301, "https://[", 0), Err(RedirectError::Nowhere));
        assert_eq!(sent_on(from, 308, "/d", MOST), Err(RedirectError::TooMany));
        assert!(sent_on(from, 308, "/d", MOST - 1).is_ok());
        assert!(sent_on("http://example.com/", 301, "https://example.com/", 0).is_ok());
        for status in [200, 300, 304, 305, 404] {
            assert_eq!(sent_on(from, status, "/d", 0), Ok(None), "{status}");
        }
        let nowhere = next(&from.parse().unwrap(), StatusCode::FOUND, &HeaderMap::new(), 0);
        assert_eq!(nowhere, Err(RedirectError::Nowhere));
    }
}
