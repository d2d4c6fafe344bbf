//! Sessions that belong to no account: how one becomes so, giving them to one, or throwing them away.

use domain::AccountName;
use hyper::Method;
use serde_json::json;

use super::purposes::{self, PurposeName};
use crate::Location;
use crate::api_client;
use crate::output::{say, say_json};
use crate::terminal::confirm;

/// A session and whose it shall be.
#[derive(clap::Args)]
pub(super) struct Assign {
    /// The session's id, as `account list` shows it
    #[arg(value_parser = session_id)]
    session: String,
    /// The account's name
    account: AccountName,
    /// What it is for [default: what no other session of the account is for]
    #[arg(long = "for", value_enum, value_delimiter = ',', value_name = "PURPOSES")]
    purposes: Vec<PurposeName>,
    #[command(flatten)]
    location: Location,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl Assign {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut body = json!({ "account": self.account });
        if !self.purposes.is_empty() {
            body["for"] = purposes::words(&self.purposes).into();
        }
        let path = format!("/v1/ownerless-sessions/{}/assign", self.session);
        let account = api_client::call(&self.location, Method::POST, &path, Some(&body)).await?;
        if self.json {
            say_json(&account);
        } else {
            say!("The session belongs to {} now.", self.account);
        }
        Ok(())
    }
}

/// A session and whose it shall no longer be.
#[derive(clap::Args)]
pub(super) struct Release {
    /// The account's name
    account: AccountName,
    /// The session's id, as `account show` shows it
    #[arg(value_parser = session_id)]
    session: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    location: Location,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl Release {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { account, session, .. } = self;
        if !self.yes {
            confirm(&format!("Take the session {session} out of {account}?")).await?;
        }
        let path = format!("/v1/accounts/{account}/sessions/{session}");
        let left = api_client::call(&self.location, Method::DELETE, &path, None).await?;
        if self.json {
            say_json(&left);
        } else {
            say!("The session {session} no longer belongs to {account}.");
        }
        Ok(())
    }
}

/// A session that nobody wants.
#[derive(clap::Args)]
pub(super) struct Forget {
    /// The session's id, as `account list` shows it
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
        if !self.yes {
            confirm(&format!("Delete the key of the session {} for good?", self.session)).await?;
        }
        let path = format!("/v1/ownerless-sessions/{}", self.session);
        api_client::call(&self.location, Method::DELETE, &path, None).await?;
        say!("The session {} is forgotten.", self.session);
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
