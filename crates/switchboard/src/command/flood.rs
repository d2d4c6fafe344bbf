//! `switchboard flood`: clears flood waits, shows the progress, cancels it.

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use crate::Location;
use crate::api_client::ApiOptions;
use crate::output::say;
use crate::table::cell;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Flood {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Clear flood waits: pause the accounts that have one, each until its deadline
    #[command(after_help = "Examples:\n  switchboard flood clear\n  switchboard flood clear --stop-all")]
    Clear {
        /// Stop all services, do not call Telegram for five minutes, then start those that ran, a minute apart
        #[arg(long)]
        stop_all: bool,
        #[command(flatten)]
        location: Location,
    },
    /// Show the progress
    #[command(after_help = "Examples:\n  switchboard flood status\n  switchboard flood status --json")]
    Status(ApiOptions),
    /// Cancel it: everything that was stopped or paused continues at once
    #[command(
        after_help = "Works with and without a running server.\n\nExamples:\n  switchboard flood cancel"
    )]
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
                let how = json!({ "how": if stop_all { "stop_all" } else { "pause_flooded" } });
                say!("{}", progress(&location.call(Method::POST, PATH, Some(&how)).await?));
            }
            Action::Status(options) => options.call(Method::GET, PATH, None, progress).await?,
            Action::Cancel { location } => {
                location.call(Method::DELETE, PATH, None).await?;
                say!("No clearing of flood waits runs any more; what it stopped goes on.");
            }
        }
        Ok(())
    }
}

/// The progress, in a sentence or two.
fn progress(run: &Value) -> String {
    let cell_of = |field| cell(run, field);
    let by = format!("{} at {}", cell_of("by"), cell_of("started_at"));
    let (until, next) = (cell_of("until"), cell_of("next"));
    match run["phase"].as_str() {
        Some("stopping") => format!("Stopping all services ({by})."),
        Some("silent") => {
            format!("Nothing is asked of Telegram until {until}; then {next} is started ({by}).")
        }
        Some("starting") => {
            format!("Started again: {}. Next is {next} at {until} ({by}).", cell_of("done"))
        }
        Some("paused") => {
            let accounts = run["accounts"].as_array().into_iter().flatten();
            let named: Vec<_> = accounts
                .map(|paused| format!("{} until {}", cell(paused, "account"), cell(paused, "until")))
                .collect();
            format!("Paused: {} ({by}).", named.join(", "))
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
            progress(&run),
            "Nothing is asked of Telegram until 10:05; then send_text is started (asked for on this machine at 10:00)."
        );
        let run = json!({"phase": "paused", "accounts": [{"account": "main", "until": "10:09"}], "by": "x", "started_at": "10:00"});
        assert_eq!(progress(&run), "Paused: main until 10:09 (x at 10:00).");
        assert_eq!(progress(&json!({"running": false})), "Flood waits are not being cleared.");
    }
}
