//! `switchboard account list` and `show`: how the accounts are, while a server runs and when none does.

use anyhow::bail;
use domain::AccountName;
use serde_json::{Value, json};

use super::show;
use crate::Location;
use crate::api_client::ApiClient;
use crate::calls::Calls;
use crate::control::{self, Server};
use crate::output::say_json;

/// Where to look.
#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    location: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The account to show.
#[derive(clap::Args)]
pub(super) struct Show {
    /// The account's name
    name: AccountName,
    #[command(flatten)]
    location: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Known { accounts, ownerless } = known(&self.location).await?;
        if self.json {
            say_json(&json!({ "items": accounts, "ownerless_sessions": ownerless, "next_cursor": null }));
        } else {
            show::list(&accounts);
            show::ownerless(&ownerless);
        }
        Ok(())
    }
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let accounts = known(&self.location).await?.accounts;
        let Some(account) = accounts.iter().find(|account| account["name"] == self.name.as_str()) else {
            let names: Vec<_> = accounts.iter().filter_map(|account| account["name"].as_str()).collect();
            if names.is_empty() {
                bail!("there is no account named {}; there is none at all", self.name);
            }
            bail!("there is no account named {}; there are: {}", self.name, names.join(", "));
        };
        if self.json {
            say_json(account);
        } else {
            show::one(account);
        }
        Ok(())
    }
}

/// Both sides: accounts, some without a session; sessions, without an account.
struct Known {
    accounts: Vec<Value>,
    ownerless: Vec<Value>,
}

async fn known(location: &Location) -> anyhow::Result<Known> {
    let data_dir = location.data_dir()?;
    let running = matches!(control::find(&data_dir).await, Server::Running(_));
    if !running && !data_dir.join("switchboard.db").exists() {
        // To look is no reason to make a data directory.
        return Ok(Known { accounts: of_settings(location)?, ownerless: Vec::new() });
    }
    let api = ApiClient::open(location).await?;
    let both = async {
        let accounts = api.list("/v1/accounts").await?;
        anyhow::Ok(Known { accounts, ownerless: api.list("/v1/ownerless-sessions").await? })
    };
    let both = both.await;
    let running = api.is_running();
    api.close().await;
    let mut both = both?;
    if !running {
        both.accounts.iter_mut().for_each(at_rest);
    }
    Ok(both)
}

/// What would be on its way if a server ran is offline.
fn at_rest(account: &mut Value) {
    if account["state"] == "connecting" {
        account["state"] = "offline".into();
        account["detail"] = "the server is not running".into();
    }
    let lines = account["lines"].as_array_mut().into_iter().flatten();
    lines.filter(|line| line["state"] == "connecting").for_each(|line| line["state"] = "offline".into());
}

fn of_settings(location: &Location) -> anyhow::Result<Vec<Value>> {
    let settings = location.settings()?;
    let account = |account: &config::AccountSettings| {
        json!({
            "name": account.name,
            "state": "offline",
            "detail": "the server is not running",
            "source": "settings",
            "priority": account.priority,
            "pool": account.pool,
            "lines": [],
        })
    };
    Ok(settings.telegram.accounts.iter().map(account).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_be_on_its_way_is_offline() {
        let mut connecting = json!({ "state": "connecting", "lines": [{ "state": "connecting" }] });
        at_rest(&mut connecting);
        assert_eq!(
            (&connecting["state"], &connecting["lines"][0]["state"]),
            (&json!("offline"), &json!("offline"))
        );
        let mut signed_out = json!({ "state": "needs_login", "detail": "there is no session", "lines": [] });
        let before = signed_out.clone();
        at_rest(&mut signed_out);
        assert_eq!(signed_out, before);
    }
}
