//! Calls of the Bot API: the bare token in its header, and the body read as MAX means it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ambient::{Chance, Clock};
use domain::secret::ExposeSecret;
use domain::{SecretText, Timestamp};
use outbound::header::{AUTHORIZATION, HeaderValue};
use outbound::{Method, RequestBuilder};
use serde_json::Value;

use super::outcome;
use crate::error::CallError;
use crate::http::{Answer, Http, LARGEST, UPLOAD};
use crate::provider::Fetched;
use crate::setup::{Setup, SetupError};
use crate::stored_values::StoredValues;

/// Under which name the bot's own id is kept.
pub(super) const OWN_ID: &str = "bot_id";
/// The longest wait after "too many requests" that names no time.
const LONGEST_BACK_OFF: Duration = Duration::from_mins(1);

/// The Bot API for one bot.
pub(super) struct Client {
    http: Http,
    api: String,
    token: SecretText,
    header: HeaderValue,
    stored: StoredValues,
    chance: Chance,
    /// How often in a row there were too many calls.
    crowded: AtomicU32,
}

/// An address that updates are posted to.
pub(super) struct Subscription {
    pub(super) url: String,
    /// The kinds of updates that are posted; none where all are.
    kinds: Option<Vec<String>>,
}

impl Subscription {
    pub(super) fn posts(&self, kind: &str) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|one| one == kind))
    }
}

impl Client {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        let token = setup.needed("token", &setup.fields.token)?;
        let wrong =
            |_| SetupError::Field { field: "token", message: "has characters that no token has".to_owned() };
        let mut header = HeaderValue::from_str(token.expose_secret()).map_err(wrong)?;
        header.set_sensitive(true);
        Ok(Self {
            http: setup.http.clone(),
            api: setup.api(),
            token,
            header,
            stored: setup.kept.clone(),
            chance: setup.chance.clone(),
            crowded: AtomicU32::new(0),
        })
    }

    pub(super) const fn clock(&self) -> &Clock {
        self.http.clock()
    }

    pub(super) fn by_its_clock(&self, at: Timestamp) -> Timestamp {
        self.http.by_its_clock(at)
    }

    pub(super) const fn token(&self) -> &SecretText {
        &self.token
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}{path}", self.api);
        self.http.request(method, &url).query(query).header(AUTHORIZATION, self.header.clone())
    }

    /// Makes a call.
    ///
    /// # Errors
    /// MAX refuses it, or no answer came.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, CallError> {
        let request = self.request(method, path, query);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let answer = self.http.call(request).await?;
        self.read(&answer)
    }

    /// The same without a body, and with a limit of its own.
    pub(super) async fn call_within(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        limit: Duration,
    ) -> Result<Value, CallError> {
        let answer = self.http.call_within(self.request(method, path, query), limit, LARGEST).await?;
        self.read(&answer)
    }

    fn read(&self, answer: &Answer) -> Result<Value, CallError> {
        if answer.status == 429 {
            let times = self.crowded.fetch_add(1, Ordering::Relaxed).min(6);
            let wait = Duration::from_secs(1 << times).min(LONGEST_BACK_OFF);
            return Err(CallError::wait(answer.retry_after.unwrap_or_else(|| self.chance.jitter(wait))));
        }
        self.crowded.store(0, Ordering::Relaxed);
        outcome::read(answer)
    }

    /// Who the bot is; its id is kept.
    ///
    /// # Errors
    /// MAX refuses it, or no answer came.
    pub(super) async fn me(&self) -> Result<Value, CallError> {
        let me = self.call(Method::GET, "/me", &[], None).await?;
        let id = me.get("user_id").and_then(Value::as_i64);
        let id = id.ok_or_else(|| CallError::Unreadable("a bot without an id".to_owned()))?.to_string();
        if self.stored.text(OWN_ID).as_ref() != Some(&id)
            && let Err(error) = self.stored.put(vec![(OWN_ID, id.into())]).await
        {
            tracing::warn!(%error, "the id of the bot is not kept; it is asked for again");
        }
        Ok(me)
    }

    /// The bot's own id.
    ///
    /// # Errors
    /// It is not known, and MAX does not return it.
    pub(super) async fn own_id(&self) -> Result<i64, CallError> {
        if let Some(id) = self.stored.text(OWN_ID).and_then(|id| id.parse().ok()) {
            return Ok(id);
        }
        Ok(self.me().await?.get("user_id").and_then(Value::as_i64).unwrap_or_default())
    }

    /// Where updates are posted to.
    ///
    /// # Errors
    /// MAX refuses it, or no answer came.
    pub(super) async fn subscriptions(&self) -> Result<Vec<Subscription>, CallError> {
        let reply = self.call(Method::GET, "/subscriptions", &[], None).await?;
        let all = reply.get("subscriptions").and_then(Value::as_array);
        let all = all.ok_or_else(|| CallError::Unreadable("subscriptions without a list".to_owned()))?;
        let kinds = |one: &Value| {
            let kinds = one.get("update_types")?.as_array()?.iter();
            Some(kinds.filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let subscription = |one: &Value| {
            let url = one.get("url")?.as_str()?.to_owned();
            Some(Subscription { url, kinds: kinds(one) })
        };
        Ok(all.iter().filter_map(subscription).collect())
    }

    /// Uploads to an address that MAX gave; the token stays here.
    ///
    /// # Errors
    /// It is refused, or no answer came.
    pub(super) async fn upload(
        &self,
        url: &str,
        form: outbound::multipart::Form,
    ) -> Result<Answer, CallError> {
        let answer = self.http.call_within(self.http.post(url).multipart(form), UPLOAD, LARGEST).await?;
        if answer.is_success() { Ok(answer) } else { Err(outcome::refusal(&answer)) }
    }

    /// Fetches a file of a message; the token stays here.
    ///
    /// # Errors
    /// It is gone, too large, or no answer came.
    pub(super) async fn fetch(&self, url: &str, most: u64) -> Result<Fetched, CallError> {
        self.http.download(self.http.get(url), most).await
    }
}
