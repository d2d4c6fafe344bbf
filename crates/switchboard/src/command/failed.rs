//! `switchboard failed`: requests that failed and are kept for a person.

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use domain::FailedRequestId;
use hyper::Method;
use serde_json::{Value, json};
use store::{Direction, FailedRequest, FailedState, Page, Store};

use crate::calls::Calls;
use crate::control::{self, Server};
use crate::output::{say, say_json};
use crate::{Place, table};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Failed {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the requests that wait for you or for their next try, newest first
    #[command(after_help = "Examples:\n  switchboard failed list\n  switchboard failed list --state \
            dropped\n  switchboard failed list --json")]
    List {
        /// Those in this state instead
        #[arg(long, value_enum, default_value_t = StateName::Open)]
        state: StateName,
        #[command(flatten)]
        place: Place,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one with its body and what went wrong
    #[command(after_help = "Examples:\n  switchboard failed show fail_01…\n  switchboard failed show \
            fail_01… --json")]
    Show {
        /// Its id, as `failed list` shows it
        id: FailedRequestId,
        #[command(flatten)]
        place: Place,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Do it again from the beginning; a callback is posted once more
    #[command(
        after_help = "What the old scripts left is not done again here: send it anew.\n\nExamples:\n  \
            switchboard failed retry fail_01…"
    )]
    Retry {
        /// Its id, as `failed list` shows it
        id: FailedRequestId,
        #[command(flatten)]
        place: Place,
    },
    /// Drop it: nobody will try it again
    #[command(after_help = "Examples:\n  switchboard failed drop fail_01…")]
    Drop {
        /// Its id, as `failed list` shows it
        id: FailedRequestId,
        #[command(flatten)]
        place: Place,
    },
}

/// Which ones are listed.
#[derive(Clone, Copy, ValueEnum)]
enum StateName {
    /// They wait for you, or for their next try
    Open,
    /// Callbacks that were not taken and are tried again by themselves
    Waiting,
    /// They wait for you
    Pending,
    /// They are being tried again
    Retried,
    /// Trying them again helped
    Done,
    /// They were dropped
    Dropped,
    /// All of them
    All,
}

impl StateName {
    const fn states(self) -> &'static [FailedState] {
        match self {
            Self::Open => &[FailedState::Pending, FailedState::Waiting],
            Self::Waiting => &[FailedState::Waiting],
            Self::Pending => &[FailedState::Pending],
            Self::Retried => &[FailedState::Retried],
            Self::Done => &[FailedState::Done],
            Self::Dropped => &[FailedState::Dropped],
            Self::All => &[],
        }
    }
}

impl Failed {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { state, place, json } => {
                let requests = list(&place, state.states()).await?;
                if json {
                    say_json(&json!({ "items": requests, "next_cursor": null }));
                } else {
                    print_list(&requests, state);
                }
            }
            Action::Show { id, place, json } => {
                let request = show(&place, id).await?;
                if json {
                    say_json(&request);
                } else {
                    say!("{}", table::fields(&request));
                    say!("");
                    say_json(&request["payload"]);
                }
            }
            Action::Retry { id, place } => {
                if retry(&place, id).await? {
                    say!("{id} is tried again; `switchboard failed show {id}` says how it ended.");
                } else {
                    say!("{id} is tried again when the server runs.");
                }
            }
            Action::Drop { id, place } => {
                drop_one(&place, id).await?;
                say!("{id} is dropped.");
            }
        }
        Ok(())
    }
}

/// The store, opened by this process because no server holds it.
async fn own_store(place: &Place) -> anyhow::Result<Store> {
    super::up::open_store(&place.settings()?, &place.data_dir()?, ambient::Clock::system()).await
}

async fn list(place: &Place, states: &[FailedState]) -> anyhow::Result<Vec<Value>> {
    if let Server::Running(server) = control::find(&place.data_dir()?).await {
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        return server.list(&format!("/v1/failed-requests?limit=500&state={}", states.join(","))).await;
    }
    let store = own_store(place).await?;
    let mut requests = Vec::new();
    let mut page = Page { limit: 500, cursor: None };
    loop {
        let found = store.failed_requests().list(states, &page).await?;
        requests.extend(found.items.iter().map(view));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    store.close().await;
    Ok(requests)
}

async fn show(place: &Place, id: FailedRequestId) -> anyhow::Result<Value> {
    if let Server::Running(server) = control::find(&place.data_dir()?).await {
        return server.call(Method::GET, &format!("/v1/failed-requests/{id}"), None).await;
    }
    let store = own_store(place).await?;
    let found = store.failed_requests().get(id).await?;
    store.close().await;
    found.as_ref().map(view).with_context(|| unknown(id))
}

/// Tells whether a server does it now; else the next one does.
async fn retry(place: &Place, id: FailedRequestId) -> anyhow::Result<bool> {
    if let Server::Running(server) = control::find(&place.data_dir()?).await {
        server.call(Method::POST, &format!("/v1/failed-requests/{id}/retry"), None).await?;
        return Ok(true);
    }
    let store = own_store(place).await?;
    let queued = queue(&store, id).await;
    store.close().await;
    queued?;
    Ok(false)
}

/// Queues its work again.
async fn queue(store: &Store, id: FailedRequestId) -> anyhow::Result<()> {
    let request = store.failed_requests().get(id).await?.with_context(|| unknown(id))?;
    let now = ambient::Clock::system().now();
    // Marked first, as the server does; a mark whose work was never queued is made good here.
    let tried = match request.state {
        FailedState::Pending => store.failed_requests().retried(id, now).await?,
        FailedState::Retried | FailedState::Waiting => true,
        FailedState::Done | FailedState::Dropped => false,
    };
    let queued = tried
        && match (request.direction, request.operation, request.callback) {
            (Direction::Inbound, Some(operation), _) => store.sagas().retry(operation, now).await?,
            (Direction::Outbound, _, Some(callback)) if request.state == FailedState::Waiting => {
                store.callbacks().hurry(callback, now).await?
            }
            (Direction::Outbound, _, Some(callback)) => store.callbacks().requeue(callback, now).await?,
            _ => false,
        };
    if !queued {
        bail!("{id} is {}; only one that is pending can be tried again", request.state.as_str());
    }
    Ok(())
}

async fn drop_one(place: &Place, id: FailedRequestId) -> anyhow::Result<()> {
    if let Server::Running(server) = control::find(&place.data_dir()?).await {
        server.call(Method::DELETE, &format!("/v1/failed-requests/{id}"), None).await?;
        return Ok(());
    }
    let store = own_store(place).await?;
    let dropped = drop_pending(&store, id).await;
    store.close().await;
    dropped
}

async fn drop_pending(store: &Store, id: FailedRequestId) -> anyhow::Result<()> {
    let request = store.failed_requests().get(id).await?.with_context(|| unknown(id))?;
    if request.state != FailedState::Dropped
        && !store.failed_requests().drop(id, ambient::Clock::system().now()).await?
    {
        bail!("{id} is {}; only one that is pending can be dropped", request.state.as_str());
    }
    Ok(())
}

fn unknown(id: FailedRequestId) -> String {
    format!("there is no failed request {id}; see `switchboard failed list --state all`")
}

/// As the API shows it.
fn view(request: &FailedRequest) -> Value {
    let payload =
        serde_json::from_str(&request.payload).unwrap_or_else(|_| Value::String(request.payload.clone()));
    json!({
        "id": request.id, "at": request.at, "service": request.service, "direction": request.direction.as_str(),
        "endpoint": request.endpoint, "payload": payload, "error": request.error,
        "state": request.state.as_str(), "retry_count": request.retry_count,
        "last_retry_at": request.last_retry_at, "last_retry_error": request.last_retry_error,
        "next_try_at": request.next_try_at, "operation": request.operation,
    })
}

fn print_list(requests: &[Value], state: StateName) {
    if requests.is_empty() {
        match state {
            StateName::Open => say!("No failed request waits for you. `--state all` lists the others."),
            _ => say!("There are none."),
        }
        return;
    }
    let columns = [
        ("ID", "id"),
        ("AT", "at"),
        ("SERVICE", "service"),
        ("WAY", "direction"),
        ("STATE", "state"),
        ("TRIED AGAIN", "retry_count"),
        ("NEXT TRY", "next_try_at"),
        ("ERROR", "error"),
    ];
    say!("{}", table::of(requests, columns));
}
