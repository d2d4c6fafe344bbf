//! Files are uploaded before they are sent: an address is asked for, and what is uploaded there gets a name.

use domain::media::MediaForm;
use domain::outcome::RejectionCode;
use domain::{Outcome, Timestamp};
use outbound::Method;
use outbound::multipart::Form;
use serde_json::{Value, json};

use super::client::Client;
use crate::error::CallError;
use crate::http::Answer;
use crate::provider::OutgoingFile;

const MIB: u64 = 1024 * 1024;

/// What a file is to MAX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Video,
    Audio,
    File,
}

impl Kind {
    pub(super) const fn of(form: &MediaForm) -> Self {
        match form {
            MediaForm::Photo { .. } => Self::Image,
            MediaForm::Video { .. } | MediaForm::Animation { .. } => Self::Video,
            MediaForm::Voice { .. } | MediaForm::Audio { .. } => Self::Audio,
            MediaForm::Document => Self::File,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        }
    }

    /// The most bytes.
    const fn most(self) -> u64 {
        match self {
            Self::Image => 50 * MIB,
            Self::Video => 250 * MIB,
            Self::Audio => 256 * MIB,
            Self::File => 4 * 1024 * MIB,
        }
    }
}

/// Uploads a file; the attachment that a message is sent with, as JSON.
///
/// # Errors
/// An outcome that proves that nothing was sent.
pub(super) async fn upload(client: &Client, file: &OutgoingFile, now: Timestamp) -> Result<String, Outcome> {
    let kind = Kind::of(&file.form);
    if file.size > kind.most() {
        let words = format!("too_large: MAX takes at most {} MB as {}", kind.most() / MIB, kind.as_str());
        return Err(Outcome::Rejected { code: RejectionCode::Provider(words) });
    }
    let payload = payload(client, file, kind).await.map_err(|fault| match fault {
        Fault::Gone(outcome) => outcome,
        Fault::Call(error) if error.proves_nothing_done() => error.outcome(now),
        // No one sees an upload, so that one more does no harm.
        Fault::Call(error) => Outcome::Unavailable(error.to_string()),
    })?;
    Ok(json!({ "type": kind.as_str(), "payload": payload }).to_string())
}

enum Fault {
    Gone(Outcome),
    Call(CallError),
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

async fn payload(client: &Client, file: &OutgoingFile, kind: Kind) -> Result<Value, Fault> {
    let given = client.call(Method::POST, "/uploads", &[("type", kind.as_str())], None).await?;
    let url = given.get("url").and_then(Value::as_str);
    let url = url.ok_or_else(|| CallError::Unreadable("an upload without an address".to_owned()))?;
    let part = file.part().await.map_err(Fault::Gone)?.file_name(file.name.clone());
    let part = part
        .mime_str(file.mime())
        .map_err(|_| CallError::refused("wrong_type", format!("{:?} is no type of a file", file.mime())))?;
    let answer = client.upload(url, Form::new().part("data", part)).await?;
    Ok(named(kind, &given, &answer)?)
}

/// The name of what was uploaded: by the answer to the upload, or already by the address that was given.
fn named(kind: Kind, given: &Value, answer: &Answer) -> Result<Value, CallError> {
    let unreadable = || CallError::Unreadable("an upload without a name".to_owned());
    match kind {
        Kind::Image => {
            let reply: Value = answer.json()?;
            let photos =
                reply.get("photos").filter(|photos| photos.as_object().is_some_and(|all| !all.is_empty()));
            Ok(json!({ "photos": photos.ok_or_else(unreadable)? }))
        }
        Kind::File => {
            let reply: Value = answer.json()?;
            Ok(
                json!({ "token": reply.get("token").filter(|token| token.is_string()).ok_or_else(unreadable)? }),
            )
        }
        Kind::Video | Kind::Audio => {
            if !String::from_utf8_lossy(&answer.body).contains("<retval>1</retval>") {
                return Err(CallError::Unreadable("the upload was not confirmed".to_owned()));
            }
            Ok(
                json!({ "token": given.get("token").filter(|token| token.is_string()).ok_or_else(unreadable)? }),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_named_by_its_own_answer() {
        let answer = |body: &str| Answer {
            status: 200,
            body: body.into(),
            content_type: None,
            retry_after: None,
            headers: outbound::header::HeaderMap::default(),
        };
        let given = json!({ "url": "https://example.com/u", "token": "t1" });
        let photos = r#"{"photos":{"k":{"token":"p"}}}"#;
        for (kind, body, wanted) in [
            (Kind::Image, photos, Some(json!({"photos": {"k": {"token": "p"}}}))),
            (Kind::Image, r#"{"photos":{}}"#, None),
            (Kind::File, r#"{"token":"f","fileId":7}"#, Some(json!({"token": "f"}))),
            (Kind::File, "{}", None),
            (Kind::Audio, "<retval>1</retval>", Some(json!({"token": "t1"}))),
            (Kind::Video, "<retval>1</retval>", Some(json!({"token": "t1"}))),
            (Kind::Video, "<retval>0</retval>", None),
        ] {
            assert_eq!(named(kind, &given, &answer(body)).ok(), wanted, "{kind:?} {body}");
        }
    }
}
