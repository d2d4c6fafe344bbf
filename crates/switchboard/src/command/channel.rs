//! `switchboard channel`: accounts at providers through which customers write.

mod settings;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::logs::Look;
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
    /// Add an account to the settings file, once its provider has said that it works
    #[command(
        after_help = "What its channel needs and no option says is asked for. A secret that is typed goes into a file of its own \
            beside the settings. Comments of the settings stay. The server takes it up at its next start.\n\nExamples:\n  \
            switchboard channel add telegram bot\n  \
            switchboard channel add avito shop --env client_id=AVITO_ID --env client_secret=AVITO_SECRET\n  \
            switchboard channel add vk club --set group_id=100 --file token=secrets/vk"
    )]
    Add(settings::Add),
    /// Take an account out of the settings file; what was received and sent through it stays
    #[command(
        after_help = "Messages that wait for it would fail: it is refused while there are any. Files of secrets that were typed for it \
            go too. The server lets it go at its next start.\n\nExamples:\n  switchboard channel remove shop\n  switchboard channel remove shop --yes"
    )]
    Remove(settings::Remove),
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
    /// Pause an account: nothing is sent through it, and its messages wait; what comes in is still received
    #[command(after_help = "It stays paused over restarts.\n\nExamples:\n  switchboard channel pause shop")]
    Pause(One),
    /// Resume a paused account: what waited leaves in its order
    #[command(after_help = "Examples:\n  switchboard channel resume shop")]
    Resume(One),
    /// Show what the log says of an account
    #[command(
        after_help = "It is `switchboard logs --account NAME`, which has more options.\n\nExamples:\n  \
            switchboard channel logs shop\n  switchboard channel logs shop --follow --level warn"
    )]
    Logs {
        /// The name of the account
        name: String,
        #[command(flatten)]
        look: Look,
    },
    /// Log an account in at its provider: with the phone, or in a browser
    #[command(after_help = super::channel_login::EXAMPLES)]
    Login(super::channel_login::Login),
    /// Log an account out at its provider
    #[command(
        after_help = "Nothing is sent through it before someone logs in again.\n\nExamples:\n  switchboard channel logout phone"
    )]
    Logout(One),
    /// Have the provider start an account again
    #[command(after_help = "Examples:\n  switchboard channel restart phone")]
    Restart(One),
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

impl One {
    async fn switch(self, verb: &str, outcome: &str) -> anyhow::Result<()> {
        let path = format!("{PATH}/{}/{verb}", self.name);
        self.options.call(Method::POST, &path, None, |_| format!("{} {outcome}.", self.name)).await
    }
}

impl Channel {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(options) => {
                let api = ApiClient::open(&options.location).await?;
                let items = api.list(PATH).await;
                api.close().await;
                options.print_list(&items?, |items| match items {
                    [] => {
                        "There is no channel yet. `switchboard channel add CHANNEL NAME` adds one.".to_owned()
                    }
                    items => table::of(&items.iter().map(row).collect::<Vec<_>>(), COLUMNS).to_string(),
                });
                Ok(())
            }
            Action::Add(add) => add.run().await,
            Action::Remove(remove) => remove.run().await,
            Action::Status(One { name, options }) => status(&name, &options).await,
            Action::Test(One { name, options }) => {
                let account =
                    options.location.call(Method::POST, &format!("{PATH}/{name}/check"), None).await?;
                options.print(&account, || shown(&account));
                let is_well = ["ready", "held", "paused"].iter().any(|state| account["state"] == *state);
                anyhow::ensure!(is_well, "{name} is not ready");
                Ok(())
            }
            Action::Connect { name, take_over, options } => {
                let body = json!({ "take_over": take_over });
                options.call(Method::POST, &format!("{PATH}/{name}/connect"), Some(&body), connected).await
            }
            Action::Resubscribe(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/resubscribe"), None, connected).await
            }
            Action::Disconnect(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/disconnect"), None, registered).await
            }
            Action::Pause(one) => one.switch("pause", "is paused; its messages wait").await,
            Action::Resume(one) => one.switch("resume", "sends again").await,
            Action::Logs { name, look } => look.of_account(name).run().await,
            Action::Login(login) => login.run().await,
            Action::Logout(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/logout"), None, shown).await
            }
            Action::Restart(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/restart"), None, shown).await
            }
            Action::RefreshToken(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/refresh-token"), None, shown).await
            }
        }
    }
}

/// An account as a row of the table.
fn row(account: &Value) -> Value {
    let mut row = account.clone();
    row["errors"] = account["errors"]["last_day"].clone();
    row["webhook"] = account["webhook"]["state"].clone();
    if account["is_removed"] == true
        && let Some(state) = account["state"].as_str()
    {
        row["state"] = format!("{state}, removed").into();
    }
    row
}

const COLUMNS: [(&str, &str); 9] = [
    ("NAME", "name"),
    ("CHANNEL", "channel"),
    ("STATE", "state"),
    ("RECEIVES BY", "receives_by"),
    ("WEBHOOK", "webhook"),
    ("WAITING", "waiting"),
    ("ERRORS 24 H", "errors"),
    ("LAST IN", "last_in_at"),
    ("LAST OUT", "last_out_at"),
];

async fn status(name: &str, options: &ApiOptions) -> anyhow::Result<()> {
    let account = options.location.call(Method::GET, &format!("{PATH}/{name}"), None).await?;
    let response = options.location.call(Method::GET, &format!("{PATH}/{name}/webhook"), None).await;
    let webhook = response.unwrap_or_else(|error| json!({ "problem": error.to_string() }));
    // Only where someone logs in there is an answer.
    let login = options.location.call(Method::GET, &format!("{PATH}/{name}/login"), None).await.ok();
    let login = login.filter(|login| login["state"] == "link");
    let all = json!({ "account": account, "webhook": webhook, "login": login });
    options.print(&all, || {
        let url = login.as_ref().and_then(|login| login["url"].as_str());
        let link = url.map(|url| format!("\n{:<12} {url}", "Log in at")).unwrap_or_default();
        // A mailbox has no address to which anything posts.
        let ways = account["can"]["receives"].as_array();
        let posts = if ways.is_some_and(|ways| ways.iter().any(|way| way == "webhook")) {
            format!("\n{}", registered(&webhook))
        } else {
            String::new()
        };
        format!("{}{posts}{link}", shown(&account))
    });
    Ok(())
}

fn shown(account: &Value) -> String {
    let fields = [
        ("Account", &account["name"]),
        ("Channel", &account["channel"]),
        ("State", &account["state"]),
        ("Why", &account["detail"]),
        ("Is", &account["identity"]["name"]),
        ("Receives by", &account["receives_by"]),
        ("Last post", &account["last_post_at"]),
        ("Last in", &account["last_in_at"]),
        ("Last out", &account["last_out_at"]),
        ("Token until", &account["token_expires_at"]),
        ("Last error", &account["errors"]["last"]),
        ("It was", &account["errors"]["last_at"]),
        ("Posts to", &account["webhook"]["state"]),
        ("It says", &account["webhook"]["last_error"]),
    ];
    let counts = [
        ("Waiting", &account["waiting"]),
        ("Errors 1 h", &account["errors"]["last_hour"]),
        ("Errors 24 h", &account["errors"]["last_day"]),
        ("Posts wait", &account["webhook"]["waiting"]),
    ];
    let counts =
        counts.into_iter().filter_map(|(label, value)| Some(format!("{label:<12} {}", value.as_u64()?)));
    let missing = account["identity"]["missing"].as_array().into_iter().flatten();
    let lines = fields.into_iter().chain(missing.map(|one| ("Missing", one)));
    let lines = lines.filter_map(|(label, value)| Some(format!("{label:<12} {}", value.as_str()?)));
    let paused = (account["switch"] == "paused").then(|| format!("{:<12} by a person", "Paused"));
    let removed = (account["is_removed"] == true)
        .then(|| format!("{:<12} from the settings; it runs until the next start", "Removed"));
    lines.chain(counts).chain(paused).chain(removed).collect::<Vec<_>>().join("\n")
}

/// What has come of connecting an account.
fn connected(webhook: &Value) -> String {
    let shown = registered(webhook);
    if webhook["is_registered"].is_null() {
        return format!("{:<12} all that the provider has calls for\n{shown}", "Done");
    }
    shown
}

fn registered(webhook: &Value) -> String {
    let is_registered = match (webhook["problem"].as_str(), webhook["is_registered"].as_bool()) {
        (Some(why), _) => format!("not known: {why}"),
        (None, Some(true)) => "yes".to_owned(),
        (None, Some(false)) => "no; `switchboard channel connect NAME` does it".to_owned(),
        (None, None) => "the provider does not say; register the address in its pages".to_owned(),
    };
    let url = webhook["url"].as_str().unwrap_or("none; set public_url");
    let word = webhook["verify_token"].as_str();
    let word = word.map(|word| format!("{:<12} {word}\n", "Verify token")).unwrap_or_default();
    format!("{:<12} {url}\n{word}{:<12} {is_registered}", "Webhook", "Registered")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_a_provider_asks_for_is_shown() {
        let webhook = json!({ "url": "https://example.com/hook", "verify_token": "made-up" });
        for shown in [registered(&webhook), connected(&webhook)] {
            assert!(shown.contains("\nVerify token made-up\n"), "{shown}");
        }
        assert!(!registered(&json!({ "url": "https://example.com/hook" })).contains("Verify"));
    }
}
