//! Where a command asks: the running server, or, when none runs, the same API inside this very process.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, bail};
use backup::Backups;
use hyper::{Method, Request};
use serde_json::Value;
use store::Store;
use tokio::sync::Notify;

use crate::app_context::{self, AppContext, Messaging, Services};
use crate::calls::Calls;
use crate::control::{self, Control, Server};
use crate::{Location, reply};

/// How long connections may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Whoever answers this command.
pub(crate) enum ApiClient {
    /// The server that holds the data directory.
    Running(Control),
    /// Nobody holds it: this process does, until [`ApiClient::close`].
    InProcess(Box<InProcess>),
}

/// The API over the store of a data directory that no server holds. No account connects by itself and nothing is sent.
pub(crate) struct InProcess {
    api: web::Inside,
    store: Store,
    messaging: Messaging,
    backups: Backups,
}

/// One call, to the server or in its place.
pub(crate) async fn call(
    location: &Location,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let api = ApiClient::open(location).await?;
    let answer = api.call(method, path, body).await;
    api.close().await;
    answer
}

/// All items of one list, from the server or in its place.
pub(crate) async fn list(location: &Location, path: &str) -> anyhow::Result<Vec<Value>> {
    let api = ApiClient::open(location).await?;
    let items = api.list(path).await;
    api.close().await;
    items
}

impl ApiClient {
    /// Finds the server, or opens the data directory in its place.
    pub(crate) async fn open(location: &Location) -> anyhow::Result<Self> {
        let data_dir = location.data_dir()?;
        if let Server::Running(control) = control::find(&data_dir).await {
            return Ok(Self::Running(control));
        }
        let settings = location.settings()?;
        crate::test_build::check(&data_dir)?;
        let ambient = app_context::ambient(Clock::system());
        let store = crate::command::up::open_store(&settings, &data_dir, ambient.clock.clone()).await?;
        crate::test_build::mark(&data_dir)?;
        let context = AppContext::build(&settings, &data_dir, store, ambient).await?;
        let pool = telegram::Pool::at_rest(context.pool_parts(&settings)).await?;
        let messaging = context.messaging(&settings, pool);
        let health = context.health(&messaging);
        health.load().await?;
        let logs = logs::LogStore::at_rest(&data_dir.join(crate::logging::FOLDER));
        let access = context.access();
        let alerts = alerts::Alerts::at_rest(context.alerts_parts(&settings, &messaging)).await?;
        let backups = context.backups(&settings, &data_dir, true);
        let services = Services { health, logs, access, alerts, backups: backups.clone() };
        let services = context.services(&messaging, services, Arc::new(Notify::new()));
        let examined = web::Examined {
            settings_file: location.settings_file()?,
            fingerprint: doctor::settings_fingerprint(&settings),
            settings: Arc::new(settings.clone()),
            data_dir,
        };
        let state = web::State::new(services, web::Options::new(&settings, None, examined));
        let api = web::Inside::new(&state);
        Ok(Self::InProcess(Box::new(InProcess { api, store: context.store, messaging, backups })))
    }

    /// Whether a server runs.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// The end: what this process held is let go of.
    pub(crate) async fn close(self) {
        let Self::InProcess(inside) = self else { return };
        let InProcess { store, messaging: Messaging { pool, delivery, sagas }, backups, .. } = *inside;
        tokio::join!(delivery.drain(DRAIN), sagas.stop(DRAIN), backups.stop(DRAIN));
        pool.stop(DRAIN).await;
        store.close().await;
    }
}

impl Calls for ApiClient {
    /// Whatever asks Telegram has its own, shorter wait.
    const TIMEOUT: Duration = Duration::from_mins(3);

    async fn call_within(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        match self {
            Self::Running(control) => control.call_within(limit, method, path, body).await,
            Self::InProcess(inside) => inside.call(limit, method, path, body).await,
        }
    }
}

impl InProcess {
    async fn call(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default().into())
            .context("the request")?;
        match tokio::time::timeout(limit, self.api.answer(request)).await {
            Ok(answer) => reply::read(answer).await,
            Err(_) => bail!("there was no answer within {} s", limit.as_secs()),
        }
    }
}
