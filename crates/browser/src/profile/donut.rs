//! A profile of Donut Browser, which starts its browser itself: asked over its local API, attached to on the port that
//! it returns.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use ambient::Clock;
use outbound::header::RETRY_AFTER;
use outbound::{Allowed, Client, RequestBuilder, StatusCode, guard};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use thiserror::Error;

use super::engine::Engine;
use super::running::is_there;
use super::{Lease, ProfileError, attached, by_caller, lock, private_folder};

/// How long its API may take: it starts a browser meanwhile.
const ANSWER: Duration = Duration::from_mins(1);

/// How long the browser may take to open its port.
const STARTING: Duration = Duration::from_mins(1);

/// Between two looks for the port.
const LOOK: Duration = Duration::from_millis(100);

/// The port on which the browser was started last.
const NOTE: &str = "donut.port";

/// A profile of the kind `donut`.
#[derive(Debug, Clone)]
pub struct Donut {
    /// `http://127.0.0.1:10108`, as its settings show it.
    pub api: String,
    /// The private networks that it may be in.
    pub allowed: Allowed,
    /// The token in its settings.
    pub token: SecretString,
    /// The profile's id there.
    pub id: String,
    /// Where the lease is kept. Donut's own directories are never touched.
    pub folder: PathBuf,
    /// `chromedriver`, of the version of Donut's browser.
    pub driver: PathBuf,
}

/// Why Donut does not give a profile.
#[derive(Debug, Error)]
pub enum DonutError {
    #[error(
        "Donut does not answer at {api}: start it, and switch its local API on in its settings ({source})"
    )]
    Away {
        api: String,
        #[source]
        source: outbound::SendError,
    },
    #[error("the browser of Donut is not dialled: {0}")]
    Inside(guard::Refused),
    #[error("Donut refuses the token (401): copy it from its settings again")]
    Token,
    #[error(
        "Donut starts browsers for programs on plans with automation alone (402): take such a plan, or another kind of profile"
    )]
    Plan,
    #[error("Donut wants the terms of its browser accepted in its window first (403)")]
    Terms,
    #[error("Donut has no profile {0} (404)")]
    NoProfile(String),
    #[error("Donut's profile is locked, or runs on another machine (409): close it there")]
    Locked,
    #[error("Donut's quota of this hour is used up (429): try again in {0} s")]
    Quota(u64),
    #[error(
        "the profile is open in Donut's window, without a port that it tells: close it there, it is then started as it must be"
    )]
    Open,
    #[error("Donut answers {0}, which is not known")]
    Unknown(StatusCode),
    #[error("the browser that Donut started opens no port")]
    NotUp,
}

#[derive(Deserialize)]
struct Shown {
    profile: Profile,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    is_running: bool,
}

#[derive(Deserialize)]
struct Started {
    remote_debugging_port: u16,
}

impl Donut {
    /// Attaches to the browser of an earlier lease, or lets Donut start one.
    pub async fn lease(&self, clock: &Clock) -> Result<Lease, ProfileError> {
        // Donut names the port of the browser, which is on this machine.
        guard::judge(Ipv4Addr::LOCALHOST.into(), &self.allowed).map_err(DonutError::Inside)?;
        private_folder(&self.folder)?;
        let lock = lock(&self.folder)?;
        let note = self.folder.join(NOTE);
        let noted = tokio::fs::read_to_string(&note).await.ok();
        let noted: Option<u16> = noted.and_then(|port| port.trim().parse().ok());
        let running = self.is_running().await?;
        let port = match noted {
            Some(port) if running && is_there(port).await => port,
            _ if running => return Err(DonutError::Open.into()),
            _ => {
                let port = self.start().await?;
                let kept = tokio::fs::write(&note, port.to_string()).await;
                kept.map_err(|source| ProfileError::File { path: note, source })?;
                let opened = async {
                    while !is_there(port).await {
                        clock.sleep(LOOK).await;
                    }
                };
                clock.timeout(STARTING, opened).await.map_err(|_| DonutError::NotUp)?;
                port
            }
        };
        attached(Engine::Chromium, (port, &self.driver, &self.folder), lock, clock).await
    }

    async fn is_running(&self) -> Result<bool, DonutError> {
        let shown: Shown = self.ask(|client, address| client.get(&address), "").await?;
        Ok(shown.profile.is_running)
    }

    async fn start(&self) -> Result<u16, DonutError> {
        let body = json!({ "url": null, "headless": false });
        let started: Started = self.ask(|client, address| client.post(&address).json(&body), "/run").await?;
        Ok(started.remote_debugging_port)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: impl FnOnce(&Client, String) -> RequestBuilder,
        path: &str,
    ) -> Result<T, DonutError> {
        let away = |source| DonutError::Away { api: self.api.clone(), source };
        let builder = Client::builder(by_caller(&self.allowed)).timeout(ANSWER);
        let builder = if self.api.starts_with("https:") { builder } else { builder.without_tls() };
        let client = builder.build().map_err(away)?;
        let address = format!("{}/v1/profiles/{}{path}", self.api.trim_end_matches('/'), self.id);
        let request = request(&client, address).bearer_auth(self.token.expose_secret());
        let answer = client.send(request).await.map_err(away)?;
        let wait = answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
        match answer.status() {
            status if status.is_success() => answer.json().await.map_err(|error| away(error.into())),
            StatusCode::UNAUTHORIZED => Err(DonutError::Token),
            StatusCode::PAYMENT_REQUIRED => Err(DonutError::Plan),
            StatusCode::FORBIDDEN => Err(DonutError::Terms),
            StatusCode::NOT_FOUND => Err(DonutError::NoProfile(self.id.clone())),
            StatusCode::CONFLICT => Err(DonutError::Locked),
            StatusCode::TOO_MANY_REQUESTS => Err(DonutError::Quota(wait.unwrap_or(3_600))),
            status => Err(DonutError::Unknown(status)),
        }
    }
}
