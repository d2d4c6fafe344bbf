//! Calls of Avito's API: the token that each carries, and whose account it is.

use std::time::Duration;

use ambient::lock::Mutex;
use ambient::{Chance, Clock};
use domain::secret::ExposeSecret;
use domain::{SecretText, Timestamp};
use outbound::multipart::{Form, Part};
use outbound::{RequestBuilder, Url};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::outcome::{About, granted, is_token_refused, read};
use crate::error::CallError;
use crate::http::{ANSWER, Answer, Http, LARGEST, UPLOAD};
use crate::provider::OutgoingFile;
use crate::setup::{Setup, SetupError};
use crate::stored_values::StoredValues;

/// A token is renewed so long before it ends.
const EARLY: Duration = Duration::from_hours(1);

/// The calls of one account.
pub(super) struct Client {
    http: Http,
    api: Url,
    id: SecretText,
    secret: SecretText,
    /// Of the application: what was kept of another one does not count.
    application: String,
    stored: StoredValues,
    clock: Clock,
    chance: Chance,
    session: Mutex<Option<Session>>,
    owner: Mutex<Option<Owner>>,
    renewing: tokio::sync::Mutex<()>,
    failed: Mutex<Option<(Duration, CallError)>>,
}

/// A token, and until when it is good.
#[derive(Clone)]
struct Session {
    token: SecretText,
    expires: Timestamp,
}

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) id: i64,
    pub(super) name: String,
}

impl Client {
    pub(super) fn new(setup: Setup) -> Result<Self, SetupError> {
        let id = setup.needed("client_id", &setup.fields.client_id)?;
        let secret = setup.needed("client_secret", &setup.fields.client_secret)?;
        let api = Url::parse(&setup.api()).ok().filter(|url| !url.cannot_be_a_base());
        let wrong = || SetupError::Field { field: "api", message: "is no address".to_owned() };
        let digest = Sha256::digest(format!("{}\n{}", id.expose_secret(), secret.expose_secret()));
        let application = hex::encode(digest)[..16].to_owned();
        let Setup { http, kept, clock, chance, .. } = setup;
        let is_own = |name: &str| kept.text(name).is_some_and(|known| known == application);
        let session = || {
            let expires = kept.text("token_expires")?.parse().ok()?;
            Some(Session { token: kept.get("token")?, expires: Timestamp::from_micros(expires) })
        };
        let owner =
            || Some(Owner { id: kept.text("owner_id")?.parse().ok()?, name: kept.text("owner_name")? });
        let session = session().filter(|_| is_own("token_of"));
        let owner = owner().filter(|_| is_own("owner_of"));
        Ok(Self {
            http,
            api: api.ok_or_else(wrong)?,
            id: id.expose_secret().to_owned().into(),
            secret: secret.expose_secret().to_owned().into(),
            application,
            stored: kept,
            clock,
            chance,
            session: Mutex::new(session),
            owner: Mutex::new(owner),
            renewing: tokio::sync::Mutex::new(()),
            failed: Mutex::new(None),
        })
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) const fn http(&self) -> &Http {
        &self.http
    }

    /// When the token ends.
    pub(super) fn token_expires(&self) -> Option<Timestamp> {
        self.session.lock().as_ref().map(|session| session.expires)
    }

    /// The first characters of the token: at most this number, and no more than half of it.
    pub(super) fn token_start(&self, most: usize) -> Option<String> {
        let session = self.session.lock();
        let token = session.as_ref()?.token.expose_secret();
        Some(token.chars().take(most.min(token.chars().count() / 2)).collect())
    }

    /// Whose account it is, as far as that is known without a call.
    pub(super) fn cached_owner(&self) -> Option<Owner> {
        self.owner.lock().clone()
    }

    /// Whose account it is; asked once.
    pub(super) async fn owner(&self) -> Result<Owner, CallError> {
        match self.cached_owner() {
            Some(owner) => Ok(owner),
            None => self.ask_owner().await,
        }
    }

    /// Asks whose account it is.
    pub(super) async fn ask_owner(&self) -> Result<Owner, CallError> {
        let url = self.url(&["core", "v1", "accounts", "self"]);
        let reply: Value = self.call(About::Account, || self.http.get(url.as_str())).await?.json()?;
        let id = reply["id"].as_i64().ok_or_else(|| CallError::Unreadable("no id in it".to_owned()))?;
        let owner = Owner { id, name: reply["name"].as_str().unwrap_or_default().to_owned() };
        if self.cached_owner().as_ref() != Some(&owner) {
            *self.owner.lock() = Some(owner.clone());
            self.keep(vec![
                ("owner_id", id.to_string().into()),
                ("owner_name", owner.name.clone().into()),
                ("owner_of", self.application.clone().into()),
            ])
            .await;
        }
        Ok(owner)
    }

    /// The address of a call; each segment is escaped.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The address of a call about messages: `/messenger/{version}/accounts/{owner}/…`.
    pub(super) async fn messenger(&self, version: &str, rest: &[&str]) -> Result<Url, CallError> {
        let owner = self.owner().await?.id.to_string();
        let start = ["messenger", version, "accounts", owner.as_str()];
        Ok(self.url(&[&start[..], rest].concat()))
    }

    pub(super) async fn get(&self, about: About, url: &Url) -> Result<Value, CallError> {
        self.call(about, || self.http.get(url.as_str())).await?.json()
    }

    /// A POST with a JSON body, or with none.
    pub(super) async fn post(
        &self,
        about: About,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Answer, CallError> {
        let request = || {
            let request = self.http.post(url.as_str());
            if let Some(body) = body { request.json(body) } else { request }
        };
        self.call(about, request).await
    }

    /// Uploads a picture: its id, and the addresses at which it is shown.
    pub(super) async fn upload(
        &self,
        file: &OutgoingFile,
        content: &[u8],
    ) -> Result<(String, Vec<String>), CallError> {
        let url = self.messenger("v1", &["uploadImages"]).await?;
        let plain = || Part::bytes(content.to_vec()).file_name(file.name.clone());
        let part = || plain().mime_str(file.mime()).unwrap_or_else(|_| plain());
        let request = || self.http.post(url.as_str()).multipart(Form::new().part("uploadfile[]", part()));
        let answer = self.call_within(request, UPLOAD).await?;
        let reply: Value = self.read(answer, About::Account)?.json()?;
        let image = reply.as_object().and_then(|images| images.iter().next());
        let Some((id, sizes)) = image else {
            return Err(CallError::Unreadable("no image in it".to_owned()));
        };
        Ok((id.clone(), addresses(sizes)))
    }

    /// A call with the token. Where the token is refused it is renewed, and the call repeated once.
    async fn call(&self, about: About, request: impl Fn() -> RequestBuilder) -> Result<Answer, CallError> {
        self.read(self.call_within(request, ANSWER).await?, about)
    }

    /// The answer, if it is a success. Waits that are asked for are spread a little.
    fn read(&self, answer: Answer, about: About) -> Result<Answer, CallError> {
        read(answer, about).map_err(|error| match error {
            CallError::Wait { wait, scope } => {
                CallError::Wait { wait: wait + self.chance.jitter(wait / 10), scope }
            }
            other => other,
        })
    }

    async fn call_within(
        &self,
        request: impl Fn() -> RequestBuilder,
        limit: Duration,
    ) -> Result<Answer, CallError> {
        let token = self.token(None).await.map_err(CallError::before_send)?;
        let ask = async |token: &SecretText| {
            self.http.call_within(request().bearer_auth(token.expose_secret()), limit, LARGEST).await
        };
        let answer = ask(&token).await?;
        if !is_token_refused(&answer) {
            return Ok(answer);
        }
        let token = self.token(Some(&token)).await.map_err(CallError::before_send)?;
        ask(&token).await
    }

    /// A good token; a new one where there is none, it ends soon, or it is the one that was refused.
    async fn token(&self, refused: Option<&SecretText>) -> Result<SecretText, CallError> {
        let good = |early: Duration| {
            let session = self.session.lock();
            let session = session.as_ref()?;
            let is_refused = refused.is_some_and(|it| it.expose_secret() == session.token.expose_secret());
            let is_good = !is_refused && self.clock.now().plus(early) < session.expires;
            is_good.then(|| session.token.clone())
        };
        if let Some(token) = good(EARLY) {
            return Ok(token);
        }
        let requested_at = self.clock.running();
        let _turn = self.renewing.lock().await;
        if let Some(token) = good(EARLY) {
            return Ok(token);
        }
        // One failure is the answer to all who waited for it.
        let failed = self.failed.lock().clone().filter(|(at, _)| *at >= requested_at).map(|(_, error)| error);
        let renewed = match failed {
            Some(error) => Err(error),
            None => self.renew().await,
        };
        renewed.or_else(|error| {
            let old = good(Duration::ZERO).filter(|_| !matches!(error, CallError::Token(_)));
            old.ok_or(error)
        })
    }

    /// A new token, now.
    pub(super) async fn renew_token(&self) -> Result<(), CallError> {
        let _turn = self.renewing.lock().await;
        self.renew().await.map(drop)
    }

    async fn renew(&self) -> Result<SecretText, CallError> {
        let renewed = self.ask_token().await;
        match &renewed {
            Ok(session) => {
                *self.session.lock() = Some(session.clone());
                self.keep(vec![
                    ("token", session.token.clone()),
                    ("token_expires", session.expires.as_micros().to_string().into()),
                    ("token_of", self.application.clone().into()),
                ])
                .await;
            }
            Err(error) => *self.failed.lock() = Some((self.clock.running(), error.clone())),
        }
        renewed.map(|session| session.token)
    }

    async fn ask_token(&self) -> Result<Session, CallError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.id.expose_secret()),
            ("client_secret", self.secret.expose_secret()),
        ];
        let request = self.http.post(self.url(&["token"]).as_str()).form(&form);
        let (token, seconds) = granted(self.http.call(request).await?)?;
        let expires = self.clock.now().plus(Duration::from_secs(seconds));
        Ok(Session { token: token.into(), expires })
    }

    /// What cannot be kept is asked for again after a restart.
    async fn keep(&self, values: Vec<(&'static str, SecretText)>) {
        if let Err(error) = self.stored.put(values).await {
            tracing::warn!(%error, "a token of Avito cannot be kept");
        }
    }
}

/// The addresses among the sizes of a picture.
pub(super) fn addresses(sizes: &Value) -> Vec<String> {
    let all = sizes.as_object().into_iter().flatten();
    all.filter_map(|(_, url)| url.as_str().map(str::to_owned)).collect()
}
