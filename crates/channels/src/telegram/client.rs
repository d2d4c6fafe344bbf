//! Calls of the Bot API. The token is in the path: no address is shown.

use std::time::Duration;

use domain::SecretText;
use domain::secret::ExposeSecret;
use outbound::multipart::Form;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::refusal::{Failure, read};
use crate::error::CallError;
use crate::http::{ANSWER, Http, LARGEST, UPLOAD};
use crate::provider::Fetched;

/// The largest answer of a poll: a hundred long messages, each with one that it answers.
const LARGEST_POLL: u64 = 32 * 1024 * 1024;
/// What the answer of a poll may take beyond the wait that was asked for.
const BEYOND: Duration = Duration::from_secs(10);

/// The Bot API as one bot calls it.
pub(super) struct Client {
    http: Http,
    api: String,
    token: SecretText,
}

/// Where a file is, for an hour.
#[derive(Deserialize)]
struct File {
    file_path: Option<String>,
    file_size: Option<u64>,
}

impl Client {
    pub(super) const fn new(http: Http, api: String, token: SecretText) -> Self {
        Self { http, api, token }
    }

    fn url(&self, method: &str) -> String {
        format!("{}/bot{}/{method}", self.api, self.token.expose_secret())
    }

    /// A call with JSON.
    pub(super) async fn call<T: DeserializeOwned>(&self, method: &str, body: &Value) -> Result<T, Failure> {
        self.call_within(method, body, ANSWER, LARGEST).await
    }

    async fn call_within<T: DeserializeOwned>(
        &self,
        method: &str,
        body: &Value,
        limit: Duration,
        most: u64,
    ) -> Result<T, Failure> {
        let request = self.http.post(&self.url(method)).json(body);
        read(&self.http.call_within(request, limit, most).await?)
    }

    /// A call that carries a file.
    pub(super) async fn upload<T: DeserializeOwned>(&self, method: &str, form: Form) -> Result<T, Failure> {
        let request = self.http.post(&self.url(method)).multipart(form);
        read(&self.http.call_within(request, UPLOAD, LARGEST).await?)
    }

    /// Updates from this id on; those before it are confirmed and never come again. Waits for the first.
    pub(super) async fn updates(
        &self,
        offset: Option<i64>,
        wait: Duration,
        allowed: &[&str],
    ) -> Result<Vec<Value>, Failure> {
        let mut body = json!({ "limit": 100, "timeout": wait.as_secs(), "allowed_updates": allowed });
        if let Some(offset) = offset {
            body["offset"] = offset.into();
        }
        self.call_within("getUpdates", &body, wait + BEYOND, LARGEST_POLL).await
    }

    /// A file that came in. The address has the token in it: no error and no answer shows it.
    pub(super) async fn file(&self, id: &str, most: u64) -> Result<Fetched, CallError> {
        let file: File = self.call("getFile", &json!({ "file_id": id })).await?;
        if file.file_size.is_some_and(|size| size > most) {
            return Err(CallError::too_large(most));
        }
        let path = file
            .file_path
            .ok_or_else(|| CallError::refused("FILE_TOO_BIG", "the Bot API gives no file of this size"))?;
        if path.starts_with('/') {
            let why = "the Bot API server keeps files on its own disk; start it without --local";
            return Err(CallError::refused("LOCAL_FILE", why));
        }
        let url = format!("{}/file/bot{}/{path}", self.api, self.token.expose_secret());
        let mut fetched = self.http.download(self.http.get(&url), most).await?;
        fetched.mime = fetched.mime.filter(|mime| mime != "application/octet-stream");
        Ok(fetched)
    }
}
