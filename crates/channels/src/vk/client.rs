//! Calls of VK's API, and the three steps in which a file is uploaded.

use std::time::Duration;

use ambient::Clock;
use ambient::lock::Mutex;
use domain::SecretText;
use domain::media::MediaForm;
use domain::secret::ExposeSecret;
use outbound::multipart::{Form, Part};
use serde_json::Value;

use super::outcome::read;
use crate::error::CallError;
use crate::http::{Http, LARGEST, UPLOAD};
use crate::provider::OutgoingFile;
use crate::setup::{Setup, SetupError};

/// The version of the API.
pub(super) const VERSION: &str = "5.199";
/// The least time between two calls, once `BURST` are used up: the provider takes 20 in a second, and they may arrive closer
/// together than they leave.
const GAP: Duration = Duration::from_millis(70);
/// The most calls that leave at once.
const BURST: u32 = 4;
/// A call that would wait for longer is not made.
const LONGEST_TURN: Duration = Duration::from_secs(20);

/// The calls of one community.
pub(super) struct Client {
    http: Http,
    api: String,
    token: SecretText,
    group: u32,
    clock: Clock,
    /// When the next call would leave, were there no burst.
    next: Mutex<Duration>,
}

impl Client {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        let token = setup.needed("token", &setup.fields.token)?;
        Ok(Self {
            http: setup.http.clone(),
            api: setup.api(),
            token: token.expose_secret().to_owned().into(),
            group: setup.needed("group_id", &setup.fields.group_id)?,
            clock: setup.clock.clone(),
            next: Mutex::default(),
        })
    }

    pub(super) const fn http(&self) -> &Http {
        &self.http
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The number of the community.
    pub(super) const fn group(&self) -> u32 {
        self.group
    }

    /// Calls a method: its response.
    pub(super) async fn call(&self, method: &str, parameters: &[(&str, &str)]) -> Result<Value, CallError> {
        self.turn().await?;
        let form: Vec<(&str, &str)> = parameters.iter().copied().chain([("v", VERSION)]).collect();
        let request = self.http.post(&format!("{}/{method}", self.api));
        let request = request.bearer_auth(self.token.expose_secret()).form(&form);
        read(&self.http.call(request).await?)
    }

    /// The same about the community.
    pub(super) async fn of_group(
        &self,
        method: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, CallError> {
        let group = self.group.to_string();
        let all: Vec<(&str, &str)> =
            [("group_id", group.as_str())].into_iter().chain(parameters.iter().copied()).collect();
        self.call(method, &all).await
    }

    /// Waits until one more call may leave.
    async fn turn(&self) -> Result<(), CallError> {
        let now = self.clock.running();
        let wait = {
            let mut next = self.next.lock();
            let due = now.max(*next);
            let wait = due.saturating_sub(GAP.saturating_mul(BURST)).saturating_sub(now);
            if wait > LONGEST_TURN {
                return Err(CallError::wait(wait));
            }
            *next = due + GAP;
            wait
        };
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        Ok(())
    }

    /// Uploads a file for a chat: what names it as an attachment.
    pub(super) async fn upload(
        &self,
        peer: &str,
        file: &OutgoingFile,
        content: Part,
    ) -> Result<String, CallError> {
        let unreadable = |what: &str| CallError::Unreadable(format!("no {what} in it"));
        let refused = || CallError::refused("upload", "the file is not taken");
        let is_photo = matches!(file.form, MediaForm::Photo { .. });
        let server = if is_photo {
            self.call("photos.getMessagesUploadServer", &[("peer_id", peer)]).await?
        } else {
            let is_voice = matches!(file.form, MediaForm::Voice { .. });
            let kind = if is_voice { "audio_message" } else { "doc" };
            self.call("docs.getMessagesUploadServer", &[("peer_id", peer), ("type", kind)]).await?
        };
        let url = server["upload_url"].as_str().ok_or_else(|| unreadable("upload_url"))?;
        let field = if is_photo { "photo" } else { "file" };
        let part = content.file_name(file.name.clone()).mime_str(file.mime());
        let part = part.map_err(|_| CallError::refused("mime", "the type of the file cannot be read"))?;
        let request = self.http.post(url).multipart(Form::new().part(field, part));
        let answer = self.http.call_within(request, UPLOAD, LARGEST).await?;
        if answer.status == 413 {
            return Err(refused());
        }
        if !answer.is_success() {
            return Err(CallError::Server(answer.status.to_string()));
        }
        let reply: Value = answer.json()?;
        let word = |name: &str| match &reply[name] {
            Value::String(text) if !text.is_empty() && text != "[]" => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let saved = if is_photo {
            let (Some(photo), Some(server), Some(hash)) = (word("photo"), word("server"), word("hash"))
            else {
                return Err(refused());
            };
            let parameters =
                [("photo", photo.as_str()), ("server", server.as_str()), ("hash", hash.as_str())];
            let mut saved = self.call("photos.saveMessagesPhoto", &parameters).await?;
            attachment("photo", &saved[0].take())
        } else {
            let saved = word("file").ok_or_else(refused)?;
            let reply = self.call("docs.save", &[("file", &saved), ("title", &file.name)]).await?;
            let kind = reply["type"].as_str().unwrap_or_default();
            attachment("doc", &reply[kind])
        };
        saved.ok_or_else(|| unreadable("id of the file"))
    }
}

/// What names something as an attachment.
pub(super) fn attachment(kind: &str, object: &Value) -> Option<String> {
    let (owner, id) = (object["owner_id"].as_i64()?, object["id"].as_i64()?);
    let key = object["access_key"].as_str().map(|key| format!("_{key}")).unwrap_or_default();
    Some(format!("{kind}{owner}_{id}{key}"))
}
