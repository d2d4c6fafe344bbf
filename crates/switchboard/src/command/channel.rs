//! `switchboard channel`: accounts at providers through which customers write.

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use crate::api_client::{ApiClient, ApiOptions};
use crate::table;

const PATH: &str = "/v1/channels";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Channel {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the accounts of channels, and how each is
    #[command(after_help = "Examples:\n  switchboard channel list\n  switchboard channel list --json")]
    List(ApiOptions),
    /// Show an account: how it is, what it carries, where its provider posts to
    #[command(after_help = "Examples:\n  switchboard channel status shop")]
    Status(One),
    /// Ask the provider of an account whether all is well
    #[command(
        after_help = "Exit codes: 0 it is ready, 1 it is not.\n\nExamples:\n  switchboard channel test shop"
    )]
    Test(One),
    /// Have the provider of an account post here what customers write
    #[command(
        after_help = "The setting public_url is the address that providers reach. Where another program is registered at the \
            provider, nothing changes without --take-over: that program would hear nothing more.\n\nExamples:\n  \
            switchboard channel connect shop\n  switchboard channel connect shop --take-over"
    )]
    Connect {
        /// The name of the account
        name: String,
        /// Replace the address of another program
        #[arg(long)]
        take_over: bool,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Have the provider of an account post nowhere
    #[command(after_help = "Examples:\n  switchboard channel disconnect shop")]
    Disconnect(One),
    /// Register the address of an account again, where it lapsed
    #[command(after_help = "Examples:\n  switchboard channel resubscribe shop")]
    Resubscribe(One),
    /// Get a new token from the provider of an account now
    #[command(after_help = "Examples:\n  switchboard channel refresh-token shop")]
    RefreshToken(One),
}

#[derive(clap::Args)]
struct One {
    /// The name of the account
    name: String,
    #[command(flatten)]
    options: ApiOptions,
}

impl Channel {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(options) => {
                let api = ApiClient::open(&options.location).await?;
                let items = api.list(PATH).await;
                api.close().await;
                options.print_list(&items?, |items| match items {
                    [] => "There is no channel yet. A section [[channels]] of the settings makes one."
                        .to_owned(),
                    items => table::of(items, COLUMNS).to_string(),
                });
                Ok(())
            }
            Action::Status(One { name, options }) => status(&name, &options).await,
            Action::Test(One { name, options }) => {
                let account =
                    options.location.call(Method::POST, &format!("{PATH}/{name}/check"), None).await?;
                options.print(&account, || shown(&account));
                let is_well = ["ready", "held"].iter().any(|state| account["state"] == *state);
                anyhow::ensure!(is_well, "{name} is not ready");
                Ok(())
            }
            Action::Connect { name, take_over, options } => {
                let body = json!({ "take_over": take_over });
                options.call(Method::POST, &format!("{PATH}/{name}/connect"), Some(&body), registered).await
            }
            Action::Resubscribe(One { name, options }) => {
                let path = format!("{PATH}/{name}/connect");
                options.call(Method::POST, &path, Some(&json!({})), registered).await
            }
            Action::Disconnect(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/disconnect"), None, registered).await
            }
            Action::RefreshToken(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/refresh-token"), None, shown).await
            }
        }
    }
}

const COLUMNS: [(&str, &str); 6] = [
    ("NAME", "name"),
    ("CHANNEL", "channel"),
    ("STATE", "state"),
    ("HEARS BY", "hears_by"),
    ("LAST IN", "last_in_at"),
    ("LAST OUT", "last_out_at"),
];

async fn status(name: &str, options: &ApiOptions) -> anyhow::Result<()> {
    let account = options.location.call(Method::GET, &format!("{PATH}/{name}"), None).await?;
    let asked = options.location.call(Method::GET, &format!("{PATH}/{name}/webhook"), None).await;
    let webhook = asked.unwrap_or_else(|error| json!({ "problem": error.to_string() }));
    let both = json!({ "account": account, "webhook": webhook });
    options.print(&both, || format!("{}\n{}", shown(&account), registered(&webhook)));
    Ok(())
}

fn shown(account: &Value) -> String {
    let fields = [
        ("Account", &account["name"]),
        ("Channel", &account["channel"]),
        ("State", &account["state"]),
        ("Why", &account["detail"]),
        ("Is", &account["identity"]["name"]),
        ("Hears by", &account["hears_by"]),
        ("Last in", &account["last_in_at"]),
        ("Last out", &account["last_out_at"]),
        ("Token until", &account["token_expires_at"]),
    ];
    let missing = account["identity"]["missing"].as_array().into_iter().flatten();
    let lines = fields.into_iter().chain(missing.map(|one| ("Missing", one)));
    let lines = lines.filter_map(|(label, value)| Some(format!("{label:<12} {}", value.as_str()?)));
    lines.collect::<Vec<_>>().join("\n")
}

fn registered(webhook: &Value) -> String {
    let is_registered = match (webhook["problem"].as_str(), webhook["is_registered"].as_bool()) {
        (Some(why), _) => format!("not known: {why}"),
        (None, Some(true)) => "yes".to_owned(),
        (None, Some(false)) => "no; `switchboard channel connect NAME` does it".to_owned(),
        (None, None) => "the provider does not say; register the address in its pages".to_owned(),
    };
    let url = webhook["url"].as_str().unwrap_or("none; set public_url");
    format!("{:<12} {url}\n{:<12} {is_registered}", "Webhook", "Registered")
}
