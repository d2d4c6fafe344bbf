//! A call to a pretend provider, and its reply, without HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::fake::ProviderFile;

/// A call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// `GET`, `POST`…
    pub(crate) method: String,
    /// Below the provider's address, with the slash that it begins with; percent signs are decoded.
    pub(crate) path: String,
    /// What comes after the `?`.
    pub(crate) query: String,
    /// The headers, their names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Rises with each call, and is the same each time a call that waits is asked again.
    pub(crate) number: u64,
    /// The file that the fake named in `fetches`; none where it could not be fetched.
    pub(crate) fetched: Option<ProviderFile>,
}

/// A part of a multipart body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FormPart {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) content: Vec<u8>,
}

impl Request {
    /// A header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The token after `Bearer `.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The parameters of the query.
    pub(crate) fn query(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The fields of the form in the body.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The body as JSON; `Null` where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The parts of a multipart body; none where it is not one.
    pub(crate) fn parts(&self) -> Vec<FormPart> {
        let kind = self.header("content-type").unwrap_or_default();
        let Some(boundary) = kind.split("boundary=").nth(1) else { return Vec::new() };
        let boundary = format!("\r\n--{}", boundary.trim_matches('"'));
        // The first boundary has no line before it.
        let whole = [b"\r\n", self.body.as_slice()].concat();
        let mut parts = Vec::new();
        let mut rest = whole.as_slice();
        while let Some(start) = find(rest, boundary.as_bytes()) {
            rest = &rest[start + boundary.len()..];
            if rest.starts_with(b"--") {
                break;
            }
            let end = find(rest, boundary.as_bytes()).unwrap_or(rest.len());
            let Some(head) = find(&rest[..end], b"\r\n\r\n") else { continue };
            parts.push(part(&String::from_utf8_lossy(&rest[..head]), &rest[head + 4..end]));
        }
        parts
    }
}

fn part(head: &str, content: &[u8]) -> FormPart {
    let mut part = FormPart { content: content.to_vec(), ..FormPart::default() };
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => part.mime = Some(value.trim().to_owned()),
            "content-disposition" => {
                for word in value.split(';').map(str::trim) {
                    if let Some(name) = word.strip_prefix("name=") {
                        name.trim_matches('"').clone_into(&mut part.name);
                    } else if let Some(name) = word.strip_prefix("filename=") {
                        part.file_name = Some(name.trim_matches('"').to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    part
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// A reply.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Of a call that waits: there is nothing to say yet. The call is asked again until it is as old as this.
    pub(crate) waits: Option<Duration>,
}

impl Reply {
    /// For a call that waits.
    #[must_use]
    pub(crate) fn waiting(self, longest: Duration) -> Self {
        Self { waits: Some(longest), ..self }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json".to_owned(),
            body: body.to_string().into_bytes(),
            ..Self::default()
        }
    }

    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        let content_type = "text/plain; charset=utf-8".to_owned();
        Self { status, content_type, body: body.into().into_bytes(), ..Self::default() }
    }

    pub(crate) fn html(status: u16) -> Self {
        let body = b"<html><body>We will be back soon.</body></html>".to_vec();
        Self { status, content_type: "text/html".to_owned(), body, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_form_are_read_byte_for_byte() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"f[]\"; \
            filename=\"p.png\"\r\nContent-Type: image/png\r\n\r\n\x00\r\n\xff\r\n--x--\r\n";
        let headers = vec![("content-type".to_owned(), "multipart/form-data; boundary=x".to_owned())];
        let request = Request { headers, body: body.to_vec(), ..Request::default() };
        let parts = request.parts();
        assert_eq!((parts[0].name.as_str(), parts[0].content.as_slice()), ("a", b"1".as_slice()));
        assert_eq!((parts[1].name.as_str(), parts[1].file_name.as_deref()), ("f[]", Some("p.png")));
        assert_eq!(
            (parts[1].mime.as_deref(), parts[1].content.as_slice()),
            (Some("image/png"), b"\x00\r\n\xff".as_slice())
        );
        assert_eq!(parts.len(), 2);
        assert!(Request { body: body.to_vec(), ..Request::default() }.parts().is_empty());
    }
}
