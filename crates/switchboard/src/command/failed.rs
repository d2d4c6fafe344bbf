//! `switchboard failed`: requests that failed and are kept for a person.

use clap::{Subcommand, ValueEnum};
use domain::FailedRequestId;
use hyper::Method;
use serde_json::{Value, json};
use store::FailedState;

use crate::api_client::{self, ApiClient};
use crate::calls::Calls;
use crate::output::{say, say_json};
use crate::{Location, table};

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
        location: Location,
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
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Do it again from the beginning; a callback is posted once more
    #[command(
        after_help = "What the old scripts left is not done again here: send it again.\n\nExamples:\n  \
            switchboard failed retry fail_01…"
    )]
    Retry {
        /// Its id, as `failed list` shows it
        id: FailedRequestId,
        #[command(flatten)]
        location: Location,
    },
    /// Drop it: nobody will try it again
    #[command(after_help = "Examples:\n  switchboard failed drop fail_01…")]
    Drop {
        /// Its id, as `failed list` shows it
        id: FailedRequestId,
        #[command(flatten)]
        location: Location,
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
            Action::List { state, location, json } => {
                let states: Vec<&str> = state.states().iter().map(|state| state.as_str()).collect();
                let path = format!("/v1/failed-requests?limit=500&state={}", states.join(","));
                let requests = api_client::list(&location, &path).await?;
                if json {
                    say_json(&json!({ "items": requests, "next_cursor": null }));
                } else {
                    print_list(&requests, state);
                }
            }
            Action::Show { id, location, json } => {
                let request =
                    api_client::call(&location, Method::GET, &format!("/v1/failed-requests/{id}"), None)
                        .await?;
                if json {
                    say_json(&request);
                } else {
                    say!("{}", table::fields(&request));
                    say!("");
                    say_json(&request["payload"]);
                }
            }
            Action::Retry { id, location } => {
                if retry(&location, id).await? {
                    say!("{id} is tried again; `switchboard failed show {id}` says how it ended.");
                } else {
                    say!("{id} is tried again when the server runs.");
                }
            }
            Action::Drop { id, location } => {
                api_client::call(&location, Method::DELETE, &format!("/v1/failed-requests/{id}"), None)
                    .await?;
                say!("{id} is dropped.");
            }
        }
        Ok(())
    }
}

/// Tells whether a server does it now; else the next one does.
async fn retry(location: &Location, id: FailedRequestId) -> anyhow::Result<bool> {
    let api = ApiClient::open(location).await?;
    let is_running = api.is_running();
    let answer = api.call(Method::POST, &format!("/v1/failed-requests/{id}/retry"), None).await;
    api.close().await;
    answer.map(|_| is_running)
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
