//! Having a voice written down by an endpoint.

use std::path::Path;
use std::time::Duration;

use domain::secret::Words;
use outbound::Body;
use outbound::multipart::{Form, Part};
use serde_json::Value;
use tokio_util::io::ReaderStream;

use super::endpoint::{AskError, Endpoint};

/// The greatest file that endpoints take, with some room for the rest of the form.
const MOST: u64 = 25 * 1024 * 1024 - 64 * 1024;
/// What endpoints know a format by.
const EXTENSIONS: [&str; 10] = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"];

/// A model that hears.
pub struct Transcriber {
    endpoint: Endpoint,
    model: String,
}

/// A voice on the disk.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a> {
    pub path: &'a Path,
    /// As its sender called it. The endpoint gets no more of it than the format.
    pub name: &'a str,
    pub mime: Option<&'a str>,
}

/// Why a voice is not written down.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptionError {
    #[error("the recording has {0} bytes, more than the {MOST} that an endpoint takes")]
    TooLarge(u64),
    #[error("the format of the recording is none that an endpoint takes")]
    Format,
    #[error("the recording is empty")]
    Empty,
    #[error("the recording cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl Transcriber {
    pub const fn new(endpoint: Endpoint, model: String) -> Self {
        Self { endpoint, model }
    }

    /// What is said in a recording; nothing where no one speaks.
    ///
    /// # Errors
    /// It is not taken, or there is no answer within the limit.
    pub async fn transcribe(
        &self,
        recording: Recording<'_>,
        limit: Duration,
    ) -> Result<Words, TranscriptionError> {
        let file = tokio::fs::File::open(recording.path).await?;
        let size = file.metadata().await?.len();
        let body = Body::wrap_stream(ReaderStream::new(file));
        self.transcribe_stream((recording.name, recording.mime), (size, body), limit).await
    }

    /// The same of a recording of this size in bytes, which is read as it is uploaded.
    ///
    /// # Errors
    /// It is not taken, or there is no answer within the limit.
    pub async fn transcribe_stream(
        &self,
        (name, mime): (&str, Option<&str>),
        (size, body): (u64, Body),
        limit: Duration,
    ) -> Result<Words, TranscriptionError> {
        let format = format(name, mime).ok_or(TranscriptionError::Format)?;
        match size {
            0 => return Err(TranscriptionError::Empty),
            1..=MOST => {}
            _ => return Err(TranscriptionError::TooLarge(size)),
        }
        let part = Part::stream_with_length(body, size).file_name(format!("voice.{format}"));
        let form =
            Form::new().text("model", self.model.clone()).text("response_format", "json").part("file", part);
        let body =
            self.endpoint.post("/audio/transcriptions", limit, |request| request.multipart(form)).await?;
        let transcript =
            transcript(&body).ok_or_else(|| AskError::Unreadable("it is no transcription".to_owned()))?;
        Ok(transcript)
    }
}

/// The text of an answer: JSON.
fn transcript(body: &[u8]) -> Option<Words> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("text")?.as_str()?.trim().into())
}

/// The extension by which an endpoint knows the format.
fn format(name: &str, mime: Option<&str>) -> Option<&'static str> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let by_name = extension.and_then(|extension| match extension.as_str() {
        "opus" => Some("ogg"),
        known => EXTENSIONS.into_iter().find(|one| *one == known),
    });
    let kind = mime.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    by_name.or(match kind.as_str() {
        "audio/ogg" | "audio/opus" | "application/ogg" => Some("ogg"),
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        "audio/mp4" | "audio/m4a" | "audio/x-m4a" => Some("m4a"),
        "video/mp4" => Some("mp4"),
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some("wav"),
        "audio/webm" | "video/webm" => Some("webm"),
        "audio/flac" | "audio/x-flac" => Some("flac"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_that_of_name_or_type() {
        for (name, mime, expected) in [
            ("voice.OGA", None, Some("oga")),
            ("a.b.opus", Some("audio/mpeg"), Some("ogg")),
            ("voice", Some("audio/ogg; codecs=opus"), Some("ogg")),
            ("file_1.bin", Some("audio/mpeg"), Some("mp3")),
            ("voice.amr", Some("audio/amr"), None),
            ("", None, None),
        ] {
            assert_eq!(format(name, mime), expected, "{name} {mime:?}");
        }
    }
}
