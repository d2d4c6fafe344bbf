//! Accounts and sessions leave: removing an account, releasing, assigning and forgetting sessions.

use domain::AccountName;
use hyper::Method;
use serde_json::json;

use crate::Location;
use crate::api_client::ApiOptions;
use crate::command::word::{PurposeWord, words};
use crate::output::say;
use crate::terminal::confirm;

/// The account to remove.
#[derive(clap::Args)]
pub(super) struct Remove {
    /// The name of the account
    name: AccountName,
    /// Even while its messages are being sent
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    options: ApiOptions,
}

impl Remove {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { name, force, yes, options } = self;
        if !yes {
            confirm(&format!("Remove {name} from this machine?")).await?;
        }
        let force = if force { "?force=true" } else { "" };
        options.location.call(Method::DELETE, &format!("/v1/accounts/{name}{force}"), None).await?;
        options.print(&json!({ "removed": name }), || format!("{name} is removed."));
        Ok(())
    }
}

/// A session and the account that it is released from.
#[derive(clap::Args)]
pub(super) struct Release {
    /// The name of the account
    account: AccountName,
    /// The id of the session, as `account show` shows it
    #[arg(value_parser = session_id)]
    session: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    options: ApiOptions,
}

impl Release {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { account, session, yes, options } = self;
        if !yes {
            confirm(&format!("Take the session {session} out of {account}?")).await?;
        }
        let path = format!("/v1/accounts/{account}/sessions/{session}");
        let describe = |_: &_| format!("The session {session} no longer belongs to {account}.");
        options.call(Method::DELETE, &path, None, describe).await
    }
}

/// A session and the account that it is assigned to.
#[derive(clap::Args)]
pub(super) struct Assign {
    /// The id of the session, as `account list` shows it
    #[arg(value_parser = session_id)]
    session: String,
    /// The name of the account
    account: AccountName,
    /// What the session is for [default: what no other session of the account is for]
    #[arg(long = "for", value_enum, value_delimiter = ',', value_name = "PURPOSES")]
    purposes: Vec<PurposeWord>,
    #[command(flatten)]
    options: ApiOptions,
}

impl Assign {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { session, account, purposes, options } = self;
        let mut body = json!({ "account": account });
        if !purposes.is_empty() {
            body["for"] = words(&purposes).into();
        }
        let path = format!("/v1/ownerless-sessions/{session}/assign");
        let describe = |_: &_| format!("The session belongs to {account} now.");
        options.call(Method::POST, &path, Some(&body), describe).await
    }
}

/// A session to delete.
#[derive(clap::Args)]
pub(super) struct Forget {
    /// The id of the session, as `account list` shows it
    #[arg(value_parser = session_id)]
    session: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    location: Location,
}

impl Forget {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { session, yes, location } = self;
        if !yes {
            confirm(&format!("Delete the key of the session {session} for good?")).await?;
        }
        location.call(Method::DELETE, &format!("/v1/ownerless-sessions/{session}"), None).await?;
        say!("The session {session} is forgotten.");
        Ok(())
    }
}

/// Ids are hexadecimal; anything else must not become part of a path.
fn session_id(text: &str) -> Result<String, &'static str> {
    let is_id = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Ok(text.to_owned()) } else { Err("it is no id of a session; see `switchboard account list`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_lead_elsewhere() {
        assert!(session_id("1f2e3d4c5b6a7988").is_ok());
        for wrong in ["", "..", "1f/../x", "1f?x", &"a".repeat(65)] {
            assert!(session_id(wrong).is_err(), "{wrong}");
        }
    }
}
