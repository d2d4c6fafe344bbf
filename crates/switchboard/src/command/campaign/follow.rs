//! Following a run until it is over or paused; Ctrl+C pauses it and waits for what is under way.

use std::time::Duration;

use ambient::Clock;
use hyper::Method;
use serde_json::Value;

use super::{of, shown};
use crate::api_client::{ApiClient, ApiOptions};
use crate::bars::{self, Bars};
use crate::command::send::Interrupt;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// No account of the campaign may send any more: the exit code is 3.
#[derive(Debug, thiserror::Error)]
#[error("no account of the campaign may send any more; see `switchboard campaign list-profiles {0}`")]
pub(crate) struct Frozen(pub(super) String);

/// Follows it to its end or its pause; the campaign as it is then.
pub(super) async fn follow(
    api: &ApiClient,
    group: &str,
    options: &ApiOptions,
    interrupt: &mut Interrupt,
) -> anyhow::Result<Value> {
    let bar = Bars::new(options.json).count(group);
    let clock = Clock::system();
    let mut interrupted = false;
    let campaign = loop {
        let campaign = api.call(Method::GET, &of(group, ""), None).await?;
        let (run, pending) = (&campaign["run"], campaign["pending"].as_u64().unwrap_or(0));
        let count = |state: &str| run["attempts"][state].as_u64().unwrap_or(0);
        let done = campaign["chats"].as_u64().unwrap_or(0).saturating_sub(pending);
        let text = format!(
            "cycle {} of {}: {} sent, {} failed, {} skipped",
            run["cycle"],
            run["cycles"],
            count("sent"),
            count("failed"),
            count("skipped")
        );
        bars::show(&bar, done, campaign["chats"].as_u64(), &text);
        if run["state"] != "running" && count("claimed") == 0 {
            break campaign;
        }
        tokio::select! {
            () = clock.sleep(LOOK) => {}
            () = interrupt.came() => {
                // Once more, and what is under way is left to the server.
                if interrupted {
                    break campaign;
                }
                interrupted = true;
                if run["state"] == "running" {
                    api.call(Method::POST, &of(group, "/pause"), None).await?;
                    bar.suspend(|| eprintln!("Paused; what is under way is finished. Ctrl+C leaves that to the server."));
                }
            }
        }
    };
    bar.finish_and_clear();
    options.print(&campaign, || shown(&campaign));
    if campaign["run"]["reason"] == "no_sender" && campaign["run"]["state"] == "paused" {
        return Err(Frozen(group.to_owned()).into());
    }
    Ok(campaign)
}
