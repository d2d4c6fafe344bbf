//! Calls of the API: to the running server or, when there is none, to the same API inside this process.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, bail};
use backup::Backups;
use hyper::{Method, Request};
use serde_json::{Value, json};
use store::Store;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::app_context::{self, AppContext, Messaging, Services};
use crate::control::{self, Control};
use crate::output::{say, say_json};
use crate::{Location, reply, table};

/// How long connections may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// The longest wait for an answer, where a call has no other. Calls that ask Telegram have a shorter one of their own.
const TIMEOUT: Duration = Duration::from_mins(3);

/// The options of a command that shows an answer of the API.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ApiOptions {
    #[command(flatten)]
    pub(crate) location: Location,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A client of the API of one data directory.
pub(crate) enum ApiClient {
    /// The server that holds the data directory answers.
    Running(Control),
    /// This process holds the data directory until [`ApiClient::close`].
    InProcess(Box<InProcess>),
}

/// The API over the store of a data directory that no server holds. No account connects by itself and nothing is sent.
pub(crate) struct InProcess {
    api: web::InProcessApi,
    store: Store,
    messaging: Messaging,
    backups: Backups,
}

impl Location {
    /// One call, to the server or in its place.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let api = ApiClient::open(self).await?;
        let answer = api.call(method, path, body).await;
        api.close().await;
        answer
    }

    /// A client of the running server, for what only a running one can do.
    pub(crate) async fn server(&self) -> anyhow::Result<ApiClient> {
        Ok(ApiClient::Running(control::running(&self.data_dir()?).await?))
    }
}

impl ApiOptions {
    /// Prints an answer: as JSON, or as `text` says it.
    pub(crate) fn print(&self, answer: &Value, text: impl FnOnce() -> String) {
        if self.json { say_json(answer) } else { say!("{}", text()) }
    }

    /// One call whose answer is printed: as JSON, or as `text` says it.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        text: impl FnOnce(&Value) -> String,
    ) -> anyhow::Result<()> {
        let answer = self.location.call(method, path, body).await?;
        self.print(&answer, || text(&answer));
        Ok(())
    }

    /// Prints a whole list: as JSON, or as a table with a column for each field, or as `none` where it is empty.
    pub(crate) async fn list<const N: usize>(
        &self,
        path: &str,
        none: &str,
        columns: [(&str, &str); N],
    ) -> anyhow::Result<()> {
        let api = ApiClient::open(&self.location).await?;
        let items = api.list(path).await;
        api.close().await;
        self.print_list(&items?, |items| {
            if items.is_empty() { none.to_owned() } else { table::of(items, columns).to_string() }
        });
        Ok(())
    }

    /// Prints all items of a list: as JSON, or as `text` says them.
    pub(crate) fn print_list(&self, items: &[Value], text: impl FnOnce(&[Value]) -> String) {
        self.print(&json!({ "items": items, "next_cursor": null }), || text(items));
    }
}

impl ApiClient {
    /// Finds the server, or opens the data directory in its place.
    pub(crate) async fn open(location: &Location) -> anyhow::Result<Self> {
        let data_dir = location.data_dir()?;
        if let Some(control) = control::find(&data_dir).await {
            return Ok(Self::Running(control));
        }
        let settings = location.settings()?;
        crate::test_build::check(&data_dir)?;
        let ambient = app_context::ambient(Clock::system());
        let store = crate::command::up::open_store(&settings, &data_dir, ambient.clock.clone()).await?;
        crate::test_build::mark(&data_dir)?;
        let context = AppContext::build(&settings, &data_dir, store, ambient).await?;
        let pool = telegram::Pool::at_rest(context.pool_parts(&settings, Handle::current())).await?;
        let messaging = context.messaging(&settings, pool).await?;
        let health = context.health(&messaging);
        health.load().await?;
        let logs = logs::LogStore::at_rest(&data_dir.join(crate::logging::FOLDER));
        let access = context.access();
        let alerts = alerts::Alerts::at_rest(context.alerts_parts(&settings, &messaging)).await?;
        let webhooks = events::Webhooks::at_rest(context.webhooks_parts(&settings, &messaging));
        let backups = context.backups(&settings, &data_dir, true)?;
        let flows = flows::Flows::at_rest(&settings.flows, context.flows_parts(&messaging)).await?;
        let campaigns =
            campaigns::Campaigns::at_rest(context.campaigns_parts(&settings, &data_dir, &messaging));
        let pipeline = context.pipeline(&settings, &messaging)?;
        let backing = backups.clone();
        let services =
            Services { health, logs, access, alerts, webhooks, flows, campaigns, pipeline, backups: backing };
        let services = context.services(&messaging, services, Arc::new(Notify::new()), None);
        let examined = web::Examined {
            settings_file: location.settings_file()?,
            fingerprint: doctor::settings_fingerprint(&settings),
            settings: Arc::new(settings.clone()),
            data_dir,
        };
        let state = web::State::new(services, web::Options::new(&settings, None, examined));
        let api = web::InProcessApi::new(&state);
        Ok(Self::InProcess(Box::new(InProcess { api, store: context.store, messaging, backups })))
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// Releases what this process holds.
    pub(crate) async fn close(self) {
        let Self::InProcess(inside) = self else { return };
        let InProcess { store, messaging: Messaging { pool, delivery, sagas, .. }, backups, .. } = *inside;
        tokio::join!(delivery.drain(DRAIN), sagas.stop(DRAIN), backups.stop(DRAIN));
        pool.stop(DRAIN).await;
        store.close().await;
    }

    /// One call; an answer that is no success is a [`reply::ApiError`].
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        self.call_within(TIMEOUT, method, path, body).await
    }

    /// One call with a limit of its own.
    pub(crate) async fn call_within(
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

    /// All items of a list, page by page.
    pub(crate) async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut page = path.to_owned();
        loop {
            let answer = self.call(Method::GET, &page, None).await?;
            items.extend_from_slice(answer["items"].as_array().context("the server's answer has no items")?);
            let Some(cursor) = answer["next_cursor"].as_str() else { return Ok(items) };
            let joint = if path.contains('?') { '&' } else { '?' };
            page = format!("{path}{joint}cursor={cursor}");
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
