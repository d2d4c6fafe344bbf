//! Where a command asks: the running server, or, when none runs, the same API inside this very process.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, bail};
use hyper::{Method, Request};
use ops::backup::Backups;
use serde_json::Value;
use store::Store;
use tokio::sync::Notify;

use crate::calls::Calls;
use crate::control::{self, Control, Server};
use crate::ground::{self, Carriers, Ground, Oversight};
use crate::{Place, reply};

/// How long connections may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Whoever answers this command.
pub(crate) enum Desk {
    /// The server that holds the data directory.
    Running(Control),
    /// Nobody holds it: this process does, until [`Desk::close`].
    AtRest(Box<AtRest>),
}

/// The API over the store of a data directory that no server holds. No account connects by itself and nothing is sent.
pub(crate) struct AtRest {
    api: web::Inside,
    store: Store,
    carriers: Carriers,
    backups: Backups,
}

/// One call, to the server or in its place.
pub(crate) async fn call(
    place: &Place,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let desk = Desk::open(place).await?;
    let answer = desk.call(method, path, body).await;
    desk.close().await;
    answer
}

/// All items of one list, from the server or in its place.
pub(crate) async fn list(place: &Place, path: &str) -> anyhow::Result<Vec<Value>> {
    let desk = Desk::open(place).await?;
    let items = desk.list(path).await;
    desk.close().await;
    items
}

impl Desk {
    /// Finds the server, or opens the data directory in its place.
    pub(crate) async fn open(place: &Place) -> anyhow::Result<Self> {
        let data_dir = place.data_dir()?;
        if let Server::Running(control) = control::find(&data_dir).await {
            return Ok(Self::Running(control));
        }
        let settings = place.settings()?;
        crate::test_build::check(&data_dir)?;
        let ambient = ground::ambient(Clock::system());
        let store = crate::command::up::open_store(&settings, &data_dir, ambient.clock.clone()).await?;
        crate::test_build::mark(&data_dir)?;
        let ground = Ground::lay(&settings, &data_dir, store, ambient).await?;
        let pool = telegram::Pool::at_rest(ground.pool_parts(&settings)).await?;
        let carriers = ground.carriers(&settings, pool);
        let health = ground.health(&carriers);
        health.load().await?;
        let logs = logs::LogStore::at_rest(&data_dir.join(crate::logging::FOLDER));
        let access = ground.access();
        let alerts = alerts::Alerts::at_rest(ground.alerts_parts(&settings, &carriers)).await?;
        let backups = ground.backups(&settings, &data_dir, true);
        let oversight = Oversight { health, logs, access, alerts, backups: backups.clone() };
        let services = ground.services(&carriers, oversight, Arc::new(Notify::new()));
        let examined = web::Examined {
            settings_file: place.settings_file()?,
            fingerprint: ops::doctor::settings_fingerprint(&settings),
            settings: Arc::new(settings.clone()),
            data_dir,
        };
        let state = web::State::new(services, web::Options::new(&settings, None, examined));
        let api = web::Inside::new(&state);
        Ok(Self::AtRest(Box::new(AtRest { api, store: ground.store, carriers, backups })))
    }

    /// Whether a server runs.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// The end: what this process held is let go of.
    pub(crate) async fn close(self) {
        let Self::AtRest(inside) = self else { return };
        let AtRest { store, carriers: Carriers { pool, delivery, sagas }, backups, .. } = *inside;
        tokio::join!(delivery.drain(DRAIN), sagas.stop(DRAIN), backups.stop(DRAIN));
        pool.stop(DRAIN).await;
        store.close().await;
    }
}

impl Calls for Desk {
    /// Whatever asks Telegram has its own, shorter wait.
    const PATIENCE: Duration = Duration::from_mins(3);

    async fn call_within(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        match self {
            Self::Running(control) => control.call_within(limit, method, path, body).await,
            Self::AtRest(inside) => inside.call(limit, method, path, body).await,
        }
    }
}

impl AtRest {
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
