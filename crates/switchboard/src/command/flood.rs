//! `switchboard flood`: clearing flood waits, looking how far that is, cancelling it.

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use crate::api_client;
use crate::output::{say, say_json};
use crate::{Location, table};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Flood {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Clear flood waits: by default only accounts that have one are paused, each until its deadline
    #[command(after_help = "Examples:\n  switchboard flood clear\n  switchboard flood clear --stop-all")]
    Clear {
        /// Stop all services, ask nothing of Telegram for five minutes, then start those that ran, a minute apart
        #[arg(long)]
        stop_all: bool,
        #[command(flatten)]
        location: Location,
    },
    /// Show how far it is
    #[command(after_help = "Examples:\n  switchboard flood status\n  switchboard flood status --json")]
    Status {
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let everything that was stopped or paused go on at once; also while no server runs
    #[command(after_help = "Examples:\n  switchboard flood cancel")]
    Cancel {
        #[command(flatten)]
        location: Location,
    },
}

const PATH: &str = "/v1/flood-clearing";

impl Flood {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Clear { stop_all, location } => {
                let how = if stop_all { "stop_all" } else { "pause_flooded" };
                say!(
                    "{}",
                    told(
                        &api_client::call(&location, Method::POST, PATH, Some(&json!({ "how": how })))
                            .await?
                    )
                );
            }
            Action::Status { location, json } => {
                let run = api_client::call(&location, Method::GET, PATH, None).await?;
                if json {
                    say_json(&run);
                } else {
                    say!("{}", told(&run));
                }
            }
            Action::Cancel { location } => {
                api_client::call(&location, Method::DELETE, PATH, None).await?;
                say!("No clearing of flood waits runs any more; what it stopped goes on.");
            }
        }
        Ok(())
    }
}

/// How far it is, in a sentence or two.
fn told(run: &Value) -> String {
    let cell = |field| table::cell(run, field);
    let by = || format!("{} at {}", cell("by"), cell("started_at"));
    match run["phase"].as_str() {
        Some("stopping") => format!("Stopping all services ({}).", by()),
        Some("silent") => format!(
            "Nothing is asked of Telegram until {}; then {} is started ({}).",
            cell("until"),
            cell("next"),
            by()
        ),
        Some("starting") => format!(
            "Started again: {}. Next is {} at {} ({}).",
            cell("done"),
            cell("next"),
            cell("until"),
            by()
        ),
        Some("paused") => {
            let accounts = run["accounts"].as_array().into_iter().flatten();
            let named: Vec<_> = accounts
                .map(|paused| {
                    format!("{} until {}", table::cell(paused, "account"), table::cell(paused, "until"))
                })
                .collect();
            format!("Paused: {} ({}).", named.join(", "), by())
        }
        _ => "Flood waits are not being cleared.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_its_sentence() {
        let run = json!({"phase": "silent", "until": "10:05", "next": "send_text", "by": "asked for on this machine", "started_at": "10:00"});
        assert_eq!(
            told(&run),
            "Nothing is asked of Telegram until 10:05; then send_text is started (asked for on this machine at 10:00)."
        );
        let run = json!({"phase": "paused", "accounts": [{"account": "main", "until": "10:09"}], "by": "x", "started_at": "10:00"});
        assert_eq!(told(&run), "Paused: main until 10:09 (x at 10:00).");
        assert_eq!(told(&json!({"running": false})), "Flood waits are not being cleared.");
    }
}
