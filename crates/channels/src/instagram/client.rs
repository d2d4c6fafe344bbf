//! Calls of the Graph API, with the token in a header.

use std::time::Duration;

use ambient::{Chance, Clock};
use domain::secret::ExposeSecret;
use domain::{InboundMedia, SecretText, Timestamp};
use outbound::Method;
use serde_json::Value;

use crate::error::CallError;
use crate::http::{ANSWER, Http, LARGEST};
use crate::provider::Fetched;
use crate::setup::Setup;
use crate::stored_values::StoredValues;

use super::error;
use super::token::{NewToken, Token, is_the_same};

/// The version of the API.
pub(super) const VERSION: &str = "v25.0";
/// Where the account's own id is kept.
const OWN_ID: &str = "user_id";

pub(super) struct Client {
    http: Http,
    api: String,
    token: Token,
    stored: StoredValues,
    chance: Chance,
}

impl Client {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            http: setup.http.clone(),
            api: setup.api(),
            token: Token::new(setup.fields.token.clone(), setup.kept.clone(), setup.clock.clone()),
            stored: setup.kept.clone(),
            chance: setup.chance.clone(),
        }
    }

    pub(super) const fn clock(&self) -> &Clock {
        self.http.clock()
    }

    pub(super) fn by_its_clock(&self, at: Timestamp) -> Timestamp {
        self.http.by_its_clock(at)
    }

    /// The account's id as posts have it, once a check returned it.
    pub(super) fn own_id(&self) -> Option<String> {
        self.stored.text(OWN_ID)
    }

    /// Where it cannot be kept, posts are refused until it can.
    pub(super) async fn keep_own_id(&self, id: &str) {
        if self.own_id().as_deref() != Some(id)
            && let Err(error) = self.stored.put(vec![(OWN_ID, id.into())]).await
        {
            tracing::warn!(%error, "the id of an Instagram account cannot be kept");
        }
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CallError> {
        self.call(Method::GET, path, query, None, ANSWER).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value, limit: Duration) -> Result<Value, CallError> {
        self.call(Method::POST, path, &[], Some(body), limit).await
    }

    /// Makes a call; once more where the token was refused and is another one by now.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Value, CallError> {
        let token = self.token.current()?;
        let once = async |token: &SecretText| {
            let url = format!("{}/{VERSION}/{path}", self.api);
            let mut request =
                self.http.request(method.clone(), &url).query(query).bearer_auth(token.expose_secret());
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = self.http.call_within(request, limit, LARGEST).await?;
            error::read(&answer, |wait| self.chance.jitter(wait))
        };
        let reply = once(&token).await;
        let current = self.token.current()?;
        if matches!(reply, Err(CallError::Token(_))) && !is_the_same(&token, &current) {
            return once(&current).await;
        }
        reply
    }

    pub(super) async fn fetch(&self, media: &InboundMedia, most: u64) -> Result<Fetched, CallError> {
        // The address has its own signature: no token goes with it.
        let url = media.url.as_deref().filter(|url| url.starts_with("http"));
        let url =
            url.ok_or_else(|| CallError::NotFound("Instagram gave no address of the file".to_owned()))?;
        self.http.download(self.http.get(url), most).await
    }

    pub(super) async fn renew(&self) -> Result<(), CallError> {
        let ask = async |token: SecretText| {
            let url = format!("{}/refresh_access_token", self.api);
            let query = [("grant_type", "ig_refresh_token"), ("access_token", token.expose_secret())];
            let answer = self.http.call(self.http.get(&url).query(&query)).await?;
            new_token(&error::read(&answer, |wait| self.chance.jitter(wait))?)
        };
        self.token.renew(ask).await
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.current().is_ok()
    }

    /// Has a token be used from now on.
    pub(super) async fn keep_token(&self, new: NewToken) -> Result<(), CallError> {
        self.token.replace(new).await
    }

    pub(super) fn token_expires(&self) -> Option<Timestamp> {
        self.token.expires()
    }
}

/// The token of an answer that gives one for some weeks.
pub(super) fn new_token(reply: &Value) -> Result<NewToken, CallError> {
    let unreadable = || CallError::Unreadable("200 without a new token".to_owned());
    let token = word(reply, "access_token").ok_or_else(unreadable)?;
    let lives = reply["expires_in"].as_u64().ok_or_else(unreadable)?;
    Ok(NewToken { token: token.into(), lives: Duration::from_secs(lives) })
}

/// A word of an object, or a number as a word; none where it is empty.
pub(super) fn word(object: &Value, name: &str) -> Option<String> {
    match &object[name] {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
