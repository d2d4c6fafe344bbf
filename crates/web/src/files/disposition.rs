//! How a file is handed to a browser: to be kept under a safe name, never to be run. Pure.

use http::HeaderValue;
use media::FileName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 8187 leaves as it is, beside letters and digits.
const UNESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Types that a browser runs rather than shows.
const RUN: [&str; 6] = ["html", "xml", "svg", "script", "ecma", "css"];

/// A type that says nothing.
pub(super) const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The header `Content-Disposition` (RFC 6266) for a file of this name, no matter who chose it.
pub(super) fn attachment(name: &str) -> HeaderValue {
    let Some(name) = FileName::new(name) else {
        return HeaderValue::from_static("attachment; filename=\"file\"");
    };
    let plain: String = name
        .as_str()
        .chars()
        .map(|letter| if letter.is_ascii() && !matches!(letter, '"' | '\\' | '%') { letter } else { '_' })
        .collect();
    let text = if plain == name.as_str() {
        format!("attachment; filename=\"{plain}\"")
    } else {
        let whole = utf8_percent_encode(name.as_str(), &UNESCAPED);
        format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// The header `Content-Type` for a file that says it is of this type.
pub(super) fn content_type(mime: &str) -> HeaderValue {
    let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"/+.-_".contains(&letter);
    let fine = essence.split('/').count() == 2
        && essence.len() <= 127
        && essence.bytes().all(plain)
        && !RUN.iter().any(|word| essence.contains(word));
    if fine { HeaderValue::from_str(&essence).unwrap_or(BYTES) } else { BYTES }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn file_names_are_encoded_in_ascii_and_beyond() {
        for (name, header) in [
            ("photo.jpg", "attachment; filename=\"photo.jpg\""),
            ("two words.pdf", "attachment; filename=\"two words.pdf\""),
            ("100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"),
            ("счёт.pdf", "attachment; filename=\"____.pdf\"; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82.pdf"),
            ("../a\r\nX: y.pdf", "attachment; filename=\"aX_ y.pdf\""),
            ("", "attachment; filename=\"file\""),
        ] {
            assert_eq!(attachment(name), header, "{name}");
        }
    }

    #[test]
    fn active_content_is_served_as_bytes() {
        for (mime, header) in [
            ("image/jpeg", "image/jpeg"),
            ("Audio/OGG; codecs=opus", "audio/ogg"),
            ("text/html", "application/octet-stream"),
            ("application/xhtml+xml", "application/octet-stream"),
            ("image/svg+xml", "application/octet-stream"),
            ("text/javascript", "application/octet-stream"),
            ("", "application/octet-stream"),
            ("a/b/c", "application/octet-stream"),
            ("a/b\r\nX: y", "application/octet-stream"),
        ] {
            assert_eq!(content_type(mime), header, "{mime}");
        }
    }

    proptest! {
        #[test]
        fn any_name_makes_one_header(name: String, mime: String) {
            let header = attachment(&name);
            let text = header.to_str().expect("ASCII");
            prop_assert!(text.starts_with("attachment") && text.matches('"').count().is_multiple_of(2));
            prop_assert!(content_type(&mime).to_str().is_ok());
        }
    }
}
