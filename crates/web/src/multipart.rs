//! A form with files (`multipart/form-data`, RFC 7578) that has arrived whole, taken apart. Pure.

use bytes::Bytes;
use percent_encoding::percent_decode_str;

/// The most parts that are read.
const MOST_PARTS: usize = 300;

/// The longest head of a part, in bytes.
pub(crate) const LONGEST_HEAD: usize = 4 * 1024;

/// What the head of a part says.
pub(crate) struct Head {
    name: String,
    pub(crate) file_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    /// What the file is called where it comes from; none for a field without a file.
    pub file_name: Option<String>,
    pub bytes: Bytes,
}

/// Why a form was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    #[error("the body is no form with files; send multipart/form-data")]
    OtherType,
    /// It does not end as it should, or a part has no name.
    #[error("the form is broken; send it again")]
    Broken,
    /// It has more parts than are read.
    #[error("the form has more than {MOST_PARTS} fields; send fewer files at once")]
    TooMany,
}

impl Part {
    /// A field without a file, as text; none where it is a file or no text.
    pub fn text(&self) -> Option<&str> {
        if self.file_name.is_some() { None } else { std::str::from_utf8(&self.bytes).ok() }
    }
}

/// The parts of a form, in order.
///
/// # Errors
/// See [`MultipartError`].
pub fn parts(content_type: &str, body: &Bytes) -> Result<Vec<Part>, MultipartError> {
    let boundary = boundary(content_type).ok_or(MultipartError::OtherType)?;
    let line = format!("\r\n--{boundary}");
    // The first line has no line before it.
    let mut at = if body.starts_with(&line.as_bytes()[2..]) {
        line.len() - 2
    } else {
        find(body, line.as_bytes(), 0).ok_or(MultipartError::Broken)? + line.len()
    };
    let mut found = Vec::new();
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(found);
        }
        if found.len() >= MOST_PARTS {
            return Err(MultipartError::TooMany);
        }
        if !rest.starts_with(b"\r\n") {
            return Err(MultipartError::Broken);
        }
        let end = find(body, line.as_bytes(), at).ok_or(MultipartError::Broken)?;
        found.push(part(&body.slice(at..end)).ok_or(MultipartError::Broken)?);
        at = end + line.len();
    }
}

/// A part with the end of the line before it.
fn part(bytes: &Bytes) -> Option<Part> {
    let head_end = find(bytes, b"\r\n\r\n", 0).filter(|end| *end <= LONGEST_HEAD)?;
    let Head { name, file_name } = head(std::str::from_utf8(bytes.get(..head_end)?).ok()?)?;
    Some(Part { name, file_name, bytes: bytes.slice(head_end + 4..) })
}

/// Reads the head of a part.
pub(crate) fn head(lines: &str) -> Option<Head> {
    let disposition = lines.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    Some(Head { name: parameter(disposition, "name")?, file_name: file_name(disposition) })
}

/// The name of a file in a `Content-Disposition` (RFC 6266): the one in UTF-8, if it has both.
pub(crate) fn file_name(disposition: &str) -> Option<String> {
    let encoded = parameter(disposition, "filename*").and_then(|text| {
        let (_, name) = text.split_once('\'')?.1.split_once('\'')?;
        Some(percent_decode_str(name).decode_utf8().ok()?.into_owned())
    });
    encoded.or_else(|| parameter(disposition, "filename"))
}

pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, _) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(content_type, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// A parameter of a header's value, such as `name="x"`. A browser writes a quote in a name as `%22`.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (text, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (text, after) = quoted.split_once('"')?;
                (text, after.split_once(';').map(|(_, next)| next))
            }
            None => match after.split_once(';') {
                Some((text, next)) => (text.trim(), Some(next)),
                None => (after.trim(), None),
            },
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text.to_owned());
        }
        rest = next?;
    }
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=\"b0undary\"";

    fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Bytes {
        let mut body = Vec::new();
        for (name, file, bytes) in fields {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            body.extend(
                format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n").bytes(),
            );
            body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
            body.extend_from_slice(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--b0undary--\r\n");
        body.into()
    }

    #[test]
    fn fields_and_files_are_distinguished() {
        let body =
            form(&[("csrf", None, &b"t0ken"[..]), ("file", Some("a; b=ф.session"), b"\r\n--b0\0\r\n")]);
        let found = parts(KIND, &body).expect("a form");
        assert_eq!((found[0].name.as_str(), found[0].text()), ("csrf", Some("t0ken")));
        assert_eq!(found[1].file_name.as_deref(), Some("a; b=ф.session"));
        assert_eq!((found[1].text(), &found[1].bytes[..]), (None, &b"\r\n--b0\0\r\n"[..]));
    }

    #[test]
    fn a_file_name_may_be_encoded() {
        for (disposition, name) in [
            ("attachment; filename=\"a.pdf\"", Some("a.pdf")),
            ("attachment; filename=a.pdf", Some("a.pdf")),
            (
                "attachment; filename=\"_.pdf\"; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82.pdf",
                Some("счёт.pdf"),
            ),
            ("attachment; filename=\"a.pdf\"; filename*=broken", Some("a.pdf")),
            ("attachment", None),
        ] {
            assert_eq!(file_name(disposition).as_deref(), name, "{disposition}");
        }
    }

    #[test]
    fn a_body_that_is_not_a_form_is_refused() {
        let body = form(&[("file", Some("a"), b"x")]);
        for kind in ["application/json", "multipart/form-data", "multipart/mixed; boundary=b0undary"] {
            assert_eq!(parts(kind, &body), Err(MultipartError::OtherType), "{kind}");
        }
        for cut in [0, 5, 60, body.len() - 6] {
            assert_eq!(parts(KIND, &body.slice(..cut)), Err(MultipartError::Broken), "{cut}");
        }
        let many = vec![("file", Some("a"), &b"x"[..]); MOST_PARTS + 1];
        assert_eq!(parts(KIND, &form(&many)), Err(MultipartError::TooMany));
        assert_eq!(parts(KIND, &form(&many[1..])).map(|found| found.len()), Ok(MOST_PARTS));
        assert_eq!(parts(KIND, &form(&[])), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn sent_bytes_arrive(files in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..5)) {
            let has_boundary = |bytes: &Vec<u8>| find(bytes, b"b0undary", 0).is_some();
            prop_assume!(!files.iter().any(has_boundary));
            let fields: Vec<_> = files.iter().map(|bytes| ("file", Some("a.session"), bytes.as_slice())).collect();
            let found = parts(KIND, &form(&fields)).expect("a form");
            let found: Vec<_> = found.iter().map(|part| part.bytes.to_vec()).collect();
            prop_assert_eq!(found, files);
        }

        #[test]
        fn any_bytes_are_read_safely(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in "\\PC{0,60}") {
            let _ = parts(&kind, &bytes.clone().into());
            let _ = parts(KIND, &bytes.into());
        }
    }
}
