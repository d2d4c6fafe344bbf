//! `init`, `clear` and `reset`: the data of campaigns as a whole.

use anyhow::bail;
use hyper::Method;
use serde_json::{Value, json};

use super::{PATH, of};
use crate::api_client::{ApiClient, ApiOptions};
use crate::table::cell;
use crate::terminal::confirm;

/// What is removed.
#[derive(clap::Args)]
pub(super) struct Clear {
    /// One campaign; all of them without
    group: Option<String>,
    /// Without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// Everything is removed.
#[derive(clap::Args)]
pub(super) struct Reset {
    /// Without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// Opens the store, which makes its tables where they are missing, and says what comes next.
pub(super) async fn init(options: &ApiOptions) -> anyhow::Result<()> {
    let api = ApiClient::open(&options.location).await?;
    let campaigns = api.list(PATH).await;
    let is_running = api.is_running();
    api.close().await;
    let count = campaigns?.len();
    options.print(&json!({ "ready": true, "server": is_running, "campaigns": count }), || {
        let server = if is_running { "The server runs." } else { "No server runs; `switchboard up` starts it." };
        format!(
            "All is ready for campaigns; there are {count}. {server}\n\
             Next: `switchboard campaign groups create NAME`, then `import-chats`, `import-messages` and `add-profile`."
        )
    });
    Ok(())
}

impl Clear {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { group, yes, options } = self;
        if !yes {
            let of =
                group.as_ref().map_or_else(|| "all campaigns".to_owned(), |name| format!("campaign {name}"));
            confirm(&format!("Remove the chats and messages of {of}?")).await?;
        }
        let api = ApiClient::open(&options.location).await?;
        let cleared = each_at_rest(&api, group, Method::POST, "/clear").await;
        api.close().await;
        let cleared = cleared?;
        options.print(&json!({ "cleared": cleared }), || {
            format!(
                "{} campaigns have no chats and no messages any more; their settings stay.",
                cleared.len()
            )
        });
        Ok(())
    }
}

impl Reset {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { yes, options } = self;
        if !yes {
            confirm("Delete all campaigns with their chats, messages and settings?").await?;
        }
        let api = ApiClient::open(&options.location).await?;
        let deleted = each_at_rest(&api, None, Method::DELETE, "").await;
        api.close().await;
        let deleted = deleted?;
        options.print(&json!({ "deleted": deleted }), || {
            format!("{} campaigns are deleted; what they sent stays on record.", deleted.len())
        });
        Ok(())
    }
}

/// Makes a call for a campaign or for all; none is made while a run is open.
async fn each_at_rest(
    api: &ApiClient,
    group: Option<String>,
    method: Method,
    what: &str,
) -> anyhow::Result<Vec<String>> {
    let campaigns = match group {
        Some(name) => vec![api.call(Method::GET, &of(&name, ""), None).await?],
        None => api.list(PATH).await?,
    };
    let is_open = |campaign: &&Value| matches!(campaign["run"]["state"].as_str(), Some("running" | "paused"));
    if let Some(open) = campaigns.iter().find(is_open) {
        let name = cell(open, "name");
        bail!("a run of {name} is open; end it with `switchboard campaign stop {name}` first");
    }
    let names: Vec<_> = campaigns.iter().map(|campaign| cell(campaign, "name")).collect();
    for name in &names {
        api.call(method.clone(), &of(name, what), None).await?;
    }
    Ok(names)
}
