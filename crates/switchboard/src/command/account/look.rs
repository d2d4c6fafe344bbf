//! `switchboard account list` and `show`, with and without a running server.

use anyhow::bail;
use domain::AccountName;
use serde_json::{Value, json};

use super::show;
use crate::Location;
use crate::api_client::{ApiClient, ApiOptions};
use crate::control;
use crate::output::say_json;

/// Lists all accounts, and the sessions without one.
pub(super) async fn list(options: &ApiOptions) -> anyhow::Result<()> {
    let Snapshot { accounts, ownerless, .. } = snapshot(&options.location, None).await?;
    if options.json {
        say_json(&json!({ "items": accounts, "ownerless_sessions": ownerless, "next_cursor": null }));
    } else {
        show::list(&accounts);
        show::ownerless(&ownerless);
    }
    Ok(())
}

/// Shows one account.
pub(super) async fn one(name: &AccountName, options: &ApiOptions) -> anyhow::Result<()> {
    let Snapshot { accounts, gaps, .. } = snapshot(&options.location, Some(name)).await?;
    let Some(account) = accounts.iter().find(|account| account["name"] == name.as_str()) else {
        let names: Vec<_> = accounts.iter().filter_map(|account| account["name"].as_str()).collect();
        if names.is_empty() {
            bail!("there is no account named {name}; there is none at all");
        }
        bail!("there is no account named {name}; there are: {}", names.join(", "));
    };
    options.print(account, || show::one(account, &gaps));
    Ok(())
}

/// Accounts, some without a session; sessions, without an account.
#[derive(Default)]
struct Snapshot {
    accounts: Vec<Value>,
    ownerless: Vec<Value>,
    /// Of which chats the account that was asked for missed messages.
    gaps: Vec<Value>,
}

async fn snapshot(location: &Location, one: Option<&AccountName>) -> anyhow::Result<Snapshot> {
    let data_dir = location.data_dir()?;
    let running = control::find(&data_dir).await.is_some();
    if !running && !data_dir.join("switchboard.db").exists() {
        // Reading must not create a data directory.
        return Ok(Snapshot { accounts: of_settings(location)?, ..Snapshot::default() });
    }
    let api = ApiClient::open(location).await?;
    let both = async {
        let accounts = api.list("/v1/accounts").await?;
        let ownerless = api.list("/v1/ownerless-sessions").await?;
        let one = one.filter(|name| accounts.iter().any(|account| account["name"] == name.as_str()));
        let gaps = match one {
            Some(name) => api.list(&format!("/v1/accounts/{name}/gaps")).await?,
            None => Vec::new(),
        };
        anyhow::Ok(Snapshot { accounts, ownerless, gaps })
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
    fn only_states_under_way_become_offline() {
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
