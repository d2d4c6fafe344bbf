//! `switchboard failed`: requests that failed and are kept for a person.

use clap::{Subcommand, ValueEnum};
use domain::FailedRequestId;
use hyper::Method;

use super::word::word;
use crate::Location;
use crate::api_client::{ApiClient, ApiOptions};
use crate::output::{say, say_json};
use crate::table;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Failed {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List failed requests, the newest first
    #[command(
        after_help = "Examples:\n  switchboard failed list\n  switchboard failed list --state dropped\n  \
            switchboard failed list --json"
    )]
    List {
        /// Only requests in this state
        #[arg(long, value_enum, default_value_t = StateWord::Open)]
        state: StateWord,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Show one with its body and its error
    #[command(
        after_help = "Examples:\n  switchboard failed show fail_01…\n  switchboard failed show fail_01… --json"
    )]
    Show {
        /// The id of the request, as `failed list` shows it
        id: FailedRequestId,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Retry a request from the beginning; a callback is posted again
    #[command(
        after_help = "A request that the old scripts left cannot be retried here: send it again.\n\nExamples:\n  \
            switchboard failed retry fail_01…"
    )]
    Retry(One),
    /// Drop a request: it is never retried
    #[command(after_help = "Examples:\n  switchboard failed drop fail_01…")]
    Drop(One),
}

/// Which request.
#[derive(clap::Args)]
struct One {
    /// The id of the request, as `failed list` shows it
    id: FailedRequestId,
    #[command(flatten)]
    location: Location,
}

/// Which requests are listed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateWord {
    /// Pending and waiting
    Open,
    /// Callbacks that were not accepted and are retried automatically
    Waiting,
    /// Left to you to retry or drop
    Pending,
    /// Being retried
    Retried,
    /// Retried with success
    Done,
    /// Dropped
    Dropped,
    /// All of them
    All,
}

impl Failed {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { state, options } => list(state, &options).await?,
            Action::Show { id, options } => {
                let path = format!("/v1/failed-requests/{id}");
                let request = options.location.call(Method::GET, &path, None).await?;
                options.print(&request, || format!("{}\n", table::fields(&request)));
                if !options.json {
                    say_json(&request["payload"]);
                }
            }
            Action::Retry(One { id, location }) => {
                let api = ApiClient::open(&location).await?;
                let is_running = api.is_running();
                let retried = api.call(Method::POST, &format!("/v1/failed-requests/{id}/retry"), None).await;
                api.close().await;
                retried?;
                if is_running {
                    say!("{id} is tried again; `switchboard failed show {id}` says how it ended.");
                } else {
                    say!("{id} is tried again when the server runs.");
                }
            }
            Action::Drop(One { id, location }) => {
                location.call(Method::DELETE, &format!("/v1/failed-requests/{id}"), None).await?;
                say!("{id} is dropped.");
            }
        }
        Ok(())
    }
}

async fn list(state: StateWord, options: &ApiOptions) -> anyhow::Result<()> {
    let states = match state {
        StateWord::Open => "pending,waiting".to_owned(),
        StateWord::All => String::new(),
        one => word(&one),
    };
    let none = match state {
        StateWord::Open => "No failed request waits for you. `--state all` lists the others.",
        _ => "There are none.",
    };
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
    options.list(&format!("/v1/failed-requests?limit=500&state={states}"), none, columns).await
}
