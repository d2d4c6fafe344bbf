//! The file of a form (`multipart/form-data`, RFC 7578), read as it arrives: it may be larger than memory.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};

use crate::multipart::{Head, LONGEST_HEAD, boundary, find, head};

/// How many bytes of other fields are read on in front of the file and behind it.
const LONGEST_REST: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormFileError {
    /// Its content type does not say what is between its parts.
    #[error(
        "the header Content-Type names no boundary of the form; leave the header to your HTTP client, which writes it with the boundary \
         (curl -F file=@price-list.pdf; in n8n the body type Form-Data without a Content-Type of your own)"
    )]
    NoBoundary,
    #[error(
        "the form is broken or ended early; send one file in one field of a form, as curl -F file=@price-list.pdf does, or the file itself \
         as the body"
    )]
    Broken,
    #[error("the form has no file; add a field with a file to it, as curl -F file=@price-list.pdf does")]
    NoFile,
    /// There is a second one in it.
    #[error("the form has several files; send each with a request of its own")]
    TwoFiles,
    #[error("the form has more than {LONGEST_REST} bytes beside its file; send the file alone")]
    TooLong,
    #[error("{0}")]
    Unread(String),
}

/// A form of which the head of its file was read.
pub(crate) struct FormFile<S> {
    /// What the file is called where it comes from.
    pub(crate) name: Option<String>,
    rest: S,
    buffer: BytesMut,
    line: Vec<u8>,
}

impl<S, E> FormFile<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    /// Reads a form up to its first file.
    pub(crate) async fn open(content_type: &str, rest: S) -> Result<Self, FormFileError> {
        let boundary = boundary(content_type).ok_or(FormFileError::NoBoundary)?;
        let line = format!("\r\n--{boundary}").into_bytes();
        // The first line has no line before it.
        let mut form = Self { name: None, rest, buffer: BytesMut::from(&b"\r\n"[..]), line };
        match form.next_file().await? {
            Some(head) => form.name = head.file_name,
            None => return Err(FormFileError::NoFile),
        }
        Ok(form)
    }

    /// The bytes of the file. The last are followed by a look at the rest: a form with another file is an error.
    pub(crate) fn bytes(self) -> impl Stream<Item = Result<Bytes, FormFileError>> {
        futures::stream::try_unfold(Some(self), |form| async move {
            let Some(mut form) = form else { return Ok(None) };
            if let Some(piece) = form.piece().await? {
                return Ok(Some((piece, Some(form))));
            }
            match form.next_file().await? {
                None => Ok(None),
                Some(_) => Err(FormFileError::TwoFiles),
            }
        })
    }

    /// The next bytes of the part; `None` once it is over, with the line behind it next.
    async fn piece(&mut self) -> Result<Option<Bytes>, FormFileError> {
        loop {
            if let Some(end) = find(&self.buffer, &self.line, 0) {
                return Ok(Some(self.buffer.split_to(end).freeze()).filter(|piece| !piece.is_empty()));
            }
            // The line may have begun with the last bytes.
            let certain = (self.buffer.len() + 1).saturating_sub(self.line.len());
            if certain > 0 {
                return Ok(Some(self.buffer.split_to(certain).freeze()));
            }
            self.fill().await?;
        }
    }

    /// Reads on to the head of the next part with a file; `None` at the end of the form.
    async fn next_file(&mut self) -> Result<Option<Head>, FormFileError> {
        let mut skipped = 0;
        loop {
            while let Some(piece) = self.piece().await? {
                skipped += piece.len();
                if skipped > LONGEST_REST {
                    return Err(FormFileError::TooLong);
                }
            }
            let at = self.line.len();
            while self.buffer.len() < at + 2 {
                self.fill().await?;
            }
            if self.buffer[at..].starts_with(b"--") {
                return Ok(None);
            }
            let end = loop {
                if let Some(end) = find(&self.buffer, b"\r\n\r\n", at) {
                    break end;
                }
                if self.buffer.len() > at + LONGEST_HEAD {
                    return Err(FormFileError::Broken);
                }
                self.fill().await?;
            };
            let lines = self.buffer.split_to(end + 4);
            let head =
                std::str::from_utf8(&lines[at..end]).ok().and_then(head).ok_or(FormFileError::Broken)?;
            skipped += lines.len();
            if head.file_name.is_some() {
                return Ok(Some(head));
            }
        }
    }

    async fn fill(&mut self) -> Result<(), FormFileError> {
        match self.rest.next().await {
            Some(Ok(piece)) => {
                self.buffer.extend_from_slice(&piece);
                Ok(())
            }
            Some(Err(error)) => Err(FormFileError::Unread(error.to_string())),
            None => Err(FormFileError::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=b0undary";

    fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, file, bytes) in fields {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            body.extend(
                format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n")
                    .bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--b0undary--\r\n");
        body
    }

    /// The file of a form that arrives in pieces of this size in bytes.
    fn read(body: &[u8], size: usize) -> Result<(Option<String>, Vec<u8>), FormFileError> {
        let pieces: Vec<_> =
            body.chunks(size).map(|piece| Ok::<_, String>(Bytes::copy_from_slice(piece))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let form = FormFile::open(KIND, futures::stream::iter(pieces)).await?;
            let name = form.name.clone();
            let mut bytes = Vec::new();
            let mut stream = std::pin::pin!(form.bytes());
            while let Some(piece) = stream.next().await {
                bytes.extend_from_slice(&piece?);
            }
            Ok((name, bytes))
        })
    }

    #[test]
    fn the_file_is_found_among_the_fields() {
        let body =
            form(&[("note", None, b"x"), ("data", Some("Счёт.pdf"), b"%PDF\r\n--b0\r\n"), ("z", None, b"")]);
        for size in [1, 7, 10_000] {
            let (name, bytes) = read(&body, size).expect("a file");
            assert_eq!((name.as_deref(), &bytes[..]), (Some("Счёт.pdf"), &b"%PDF\r\n--b0\r\n"[..]), "{size}");
        }
    }

    #[test]
    fn a_form_without_exactly_one_file_is_refused() {
        let one = ("data", Some("a"), &b"x"[..]);
        assert_eq!(read(&form(&[("note", None, b"x")]), 9), Err(FormFileError::NoFile));
        assert_eq!(read(&form(&[one, one]), 9), Err(FormFileError::TwoFiles));
        let long = vec![b'x'; LONGEST_REST + 1];
        assert_eq!(read(&form(&[("note", None, &long[..]), one]), 999), Err(FormFileError::TooLong));
        let body = form(&[one]);
        for cut in [0, 5, 60, body.len() - 6] {
            assert_eq!(read(&body[..cut], 9), Err(FormFileError::Broken), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn sent_bytes_arrive(bytes in proptest::collection::vec(any::<u8>(), 0..400), size in 1_usize..50) {
            prop_assume!(find(&bytes, b"b0undary", 0).is_none());
            let (_, read) = read(&form(&[("data", Some("a"), &bytes)]), size).expect("a file");
            prop_assert_eq!(read, bytes);
        }

        #[test]
        fn any_bytes_are_read_safely(bytes in proptest::collection::vec(any::<u8>(), 0..400), size in 1_usize..50) {
            let _ = read(&bytes, size);
        }
    }
}
