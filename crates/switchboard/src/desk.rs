//! Where a command asks: the running server, or, when none runs, the same API inside this very process.

use std::sync::Arc;
use std::time::Duration;

use ambient::{Chance, Clock, Ids};
use anyhow::{Context, bail};
use delivery::{Ambient, Delivery, SagaLimits, Sagas};
use hyper::{Method, Request};
use serde_json::Value;
use store::Store;
use tokio::sync::Notify;

use crate::control::{self, Control, Server};
use crate::{Place, reply};

/// The longest wait for an answer: whatever asks Telegram has its own, shorter one.
const PATIENCE: Duration = Duration::from_mins(3);

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
    pool: Arc<telegram::Pool>,
    delivery: Delivery,
    sagas: Sagas,
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
        let clock = Clock::system();
        let store = crate::command::up::open_store(&settings, &data_dir, clock.clone()).await?;
        crate::test_build::mark(&data_dir)?;
        let ambient = Ambient { ids: Ids::new(clock.clone()), chance: Chance::from_system(), clock };
        let files = crate::files::open(&settings.media, &data_dir, &ambient).await?;
        let parts = telegram::PoolParts {
            settings: &settings.telegram,
            store: store.clone(),
            clock: ambient.clock.clone(),
            chance: ambient.chance.clone(),
            ids: ambient.ids.clone(),
            outgoing: Some(files.outgoing.clone()),
        };
        let pool = telegram::Pool::at_rest(parts).await?;
        let delivery =
            Delivery::new(store.clone(), pool.clone(), ambient.clone(), delivery::Limits::default());
        let sagas = Sagas::new(store.clone(), pool.clone(), ambient.clone(), SagaLimits::default());
        let state = web::State::new(
            web::Services {
                store: store.clone(),
                delivery: delivery.clone(),
                sagas: sagas.clone(),
                callbacks_due: Arc::new(Notify::new()),
                pool: pool.clone(),
                clock: ambient.clock,
                ids: ambient.ids,
                files,
            },
            web::Options::new(&settings, None),
        );
        Ok(Self::AtRest(Box::new(AtRest { api: web::Inside::new(&state), store, pool, delivery, sagas })))
    }

    /// Whether a server runs.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// One call; an answer that is no success becomes a [`reply::Refused`] with its own words.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        self.call_within(PATIENCE, method, path, body).await
    }

    /// The same for a call that may take longer still.
    pub(crate) async fn call_within(
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

    /// All items of a list, page by page.
    pub(crate) async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        reply::all_pages(path, async |page: &str| self.call(Method::GET, page, None).await).await
    }

    /// The end: what this process held is let go of.
    pub(crate) async fn close(self) {
        let Self::AtRest(inside) = self else { return };
        let AtRest { store, pool, delivery, sagas, .. } = *inside;
        tokio::join!(delivery.drain(DRAIN), sagas.stop(DRAIN));
        pool.stop(DRAIN).await;
        store.close().await;
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
