//! Calls of Wappi: the bare token in its header, the profile in the query.

use std::time::Duration;

use ambient::Clock;
use domain::Timestamp;
use domain::secret::ExposeSecret;
use outbound::header::{AUTHORIZATION, HeaderValue};
use outbound::{Method, RequestBuilder};
use serde_json::Value;

use super::outcome;
use crate::error::CallError;
use crate::http::{Http, LARGEST};
use crate::provider::Fetched;
use crate::setup::{Setup, SetupError};

/// Wappi for one profile.
pub(super) struct Client {
    http: Http,
    api: String,
    header: HeaderValue,
    profile: String,
}

/// A file of a message, as Wappi gives it.
pub(super) enum Download {
    /// The file.
    Whole(Fetched),
    /// Where it is for some days.
    Link { url: String, name: Option<String>, mime: Option<String> },
}

impl Client {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        let token = setup.needed("token", &setup.fields.token)?;
        let wrong =
            |_| SetupError::Field { field: "token", message: "has characters that no token has".to_owned() };
        let mut header = HeaderValue::from_str(token.expose_secret()).map_err(wrong)?;
        header.set_sensitive(true);
        let profile = setup.needed("profile_id", &setup.fields.profile_id)?;
        Ok(Self { http: setup.http.clone(), api: setup.api(), header, profile })
    }

    pub(super) const fn clock(&self) -> &Clock {
        self.http.clock()
    }

    pub(super) fn by_its_clock(&self, at: Timestamp) -> Timestamp {
        self.http.by_its_clock(at)
    }

    pub(super) fn profile(&self) -> &str {
        &self.profile
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}{path}", self.api);
        let request = self.http.request(method, &url).query(&[("profile_id", self.profile.as_str())]);
        request.query(query).header(AUTHORIZATION, self.header.clone())
    }

    /// Asks for something.
    ///
    /// # Errors
    /// Wappi refuses it, or no answer came.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CallError> {
        outcome::read(&self.http.call(self.request(Method::GET, path, query)).await?)
    }

    /// Has something done, within a limit; `Null` is no body.
    ///
    /// # Errors
    /// Wappi refuses it, or no answer came.
    pub(super) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
        limit: Duration,
    ) -> Result<Value, CallError> {
        let request = self.request(Method::POST, path, query);
        let request = if body.is_null() { request } else { request.json(body) };
        outcome::read(&self.http.call_within(request, limit, LARGEST).await?)
    }

    /// How the profile is.
    ///
    /// # Errors
    /// Wappi refuses it, or no answer came.
    pub(super) async fn status(&self) -> Result<Value, CallError> {
        self.get("/api/sync/get/status", &[]).await
    }

    /// Asks for the file of a message.
    ///
    /// # Errors
    /// It is gone, too large, or no answer came.
    pub(super) async fn download(&self, message_id: &str, most: u64) -> Result<Download, CallError> {
        let request =
            self.request(Method::GET, "/api/sync/message/media/download", &[("message_id", message_id)]);
        let begun = self.http.begin(request).await?;
        let is_json = begun.content_type().is_none_or(|kind| kind.starts_with("application/json"));
        if begun.is_success() && !is_json {
            return begun.file(most).map(Download::Whole);
        }
        let reply = outcome::read(&self.http.finish(begun).await?)?;
        let word = |name: &str| {
            reply.get(name).and_then(Value::as_str).filter(|word| !word.is_empty()).map(str::to_owned)
        };
        let url =
            word("file_link").ok_or_else(|| CallError::NotFound("the message has no file".to_owned()))?;
        Ok(Download::Link {
            url,
            name: word("file_name"),
            mime: word("mimetype").or_else(|| word("mime_type")),
        })
    }

    /// Fetches a file; the token stays here.
    ///
    /// # Errors
    /// It is gone, too large, or no answer came.
    pub(super) async fn fetch(&self, url: &str, most: u64) -> Result<Fetched, CallError> {
        self.http.download(self.http.get(url), most).await
    }
}
