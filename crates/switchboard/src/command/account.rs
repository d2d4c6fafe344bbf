//! `switchboard account`: how the Telegram accounts are.

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::control::{self, Server};
use crate::output::say;
use crate::{Place, table};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the accounts with their states
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one account with its lines, floods and counts
    Show {
        /// The account's name in the settings
        name: domain::AccountName,
        #[command(flatten)]
        place: Place,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Account {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { place, json } => {
                let accounts = accounts(&place).await?;
                if json {
                    say!("{:#}", json!({ "items": accounts, "next_cursor": null }));
                } else {
                    print_list(&accounts);
                }
            }
            Action::Show { name, place, json } => {
                let accounts = accounts(&place).await?;
                let Some(account) = accounts.iter().find(|account| account["name"] == name.as_str()) else {
                    let names: Vec<_> =
                        accounts.iter().filter_map(|account| account["name"].as_str()).collect();
                    bail!("there is no account named {name}; there are: {}", names.join(", "));
                };
                if json {
                    say!("{account:#}");
                } else {
                    print_one(account);
                }
            }
        }
        Ok(())
    }
}

/// The accounts from the running server; or, when none runs, as settings and store know them.
async fn accounts(place: &Place) -> anyhow::Result<Vec<Value>> {
    let data_dir = place.data_dir()?;
    match control::find(&data_dir).await {
        Server::Running(server) => server.list("/v1/accounts").await,
        Server::None => at_rest(place).await,
    }
}

async fn at_rest(place: &Place) -> anyhow::Result<Vec<Value>> {
    let settings = place.settings()?;
    let data_dir = place.data_dir()?;
    let sessions = if data_dir.join("switchboard.db").exists() {
        let store = super::up::open_store(&settings, &data_dir, ambient::Clock::system()).await?;
        let sessions = store.accounts().sessions().await?;
        store.close().await;
        sessions
    } else {
        Vec::new()
    };
    Ok(settings
        .telegram
        .accounts
        .iter()
        .map(|account| {
            let user = sessions.iter().filter(|s| s.account == account.name).find_map(|s| s.user.as_ref());
            json!({
                "name": account.name,
                "state": "offline",
                "detail": "the server is not running",
                "priority": account.priority,
                "pool": account.pool,
                "username": user.and_then(|user| user.username.clone()),
                "user_id": user.map(|user| user.user_id),
                "lines": [],
            })
        })
        .collect())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

fn print_list(accounts: &[Value]) {
    if accounts.is_empty() {
        say!("No accounts are configured. Add [[telegram.accounts]] to the settings, or try --sandbox.");
        return;
    }
    let mut table = table::with_header(["ACCOUNT", "STATE", "WHY", "PRIORITY", "USERNAME", "KNOWS", "CALLS"]);
    for account in accounts {
        let priority =
            if account["pool"] == false { "by pin".to_owned() } else { account["priority"].to_string() };
        table.add_row([
            text(account, "name").to_owned(),
            text(account, "state").to_owned(),
            [text(account, "reason"), text(account, "detail")]
                .into_iter()
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .join(": "),
            priority,
            account["username"].as_str().map(|name| format!("@{name}")).unwrap_or_default(),
            account["cached_peers"].as_u64().map(|n| n.to_string()).unwrap_or_default(),
            account["operations"].as_u64().map(|n| n.to_string()).unwrap_or_default(),
        ]);
    }
    say!("{table}");
}

fn print_one(account: &Value) {
    say!("{}", table::fields(account));
    let mut lines = table::with_header(["LINE", "STATE", "WHY", "DC", "ROUND TRIP"]);
    for line in account["lines"].as_array().into_iter().flatten() {
        lines.add_row([
            text(line, "name").to_owned(),
            text(line, "state").to_owned(),
            [text(line, "reason"), text(line, "detail")]
                .into_iter()
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .join(": "),
            line["dc_id"].as_u64().map(|dc| dc.to_string()).unwrap_or_default(),
            line["round_trip_ms"].as_u64().map(|ms| format!("{ms} ms")).unwrap_or_default(),
        ]);
    }
    say!("\n{lines}");
    for flood in account["floods"].as_array().into_iter().flatten() {
        say!("flood wait on {} until {}", text(flood, "operation"), text(flood, "until"));
    }
}
