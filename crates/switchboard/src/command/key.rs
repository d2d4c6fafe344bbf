//! `switchboard key`: API keys.

use std::time::Duration;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use config::{format_duration, parse_repeats};
use domain::ApiKeyId;
use hyper::Method;
use serde_json::{Value, json};
use store::Scope;

use crate::api_client;
use crate::output::{say, say_json};
use crate::{Location, table};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key; it is shown once
    #[command(after_help = "Without --scope it may send and read.\n\nExamples:\n  switchboard key create \
            n8n\n  switchboard key create n8n --repeats 10m\n  \
            switchboard key create reports --scope read --json\n  \
            switchboard key create deploy --scope admin")]
    Create {
        /// What the key is for, such as the caller's name
        name: String,
        /// What it may do; repeat for several
        #[arg(long = "scope", value_enum, default_values_t = [ScopeName::Send, ScopeName::Read])]
        scopes: Vec<ScopeName>,
        /// Treat the same body within this time as the same message, for callers that send no Idempotency-Key
        #[arg(long, value_name = "TIME", value_parser = parse_repeats)]
        repeats: Option<Duration>,
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keys, without the keys themselves
    #[command(after_help = "Examples:\n  switchboard key list\n  switchboard key list --json")]
    List {
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a key; callers that use it get 401 from then on
    #[command(after_help = "Examples:\n  switchboard key revoke key_01…")]
    Revoke {
        /// The key's id, as `key list` shows it
        id: ApiKeyId,
        #[command(flatten)]
        location: Location,
    },
}

/// What a key may do.
#[derive(Clone, Copy, ValueEnum)]
enum ScopeName {
    /// Send and change messages
    Send,
    /// Look at messages and accounts
    Read,
    /// Everything, keys and accounts included
    Admin,
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Send => Self::Send,
            ScopeName::Read => Self::Read,
            ScopeName::Admin => Self::Admin,
        }
    }
}

impl Key {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Create { name, scopes, repeats, location, json } => {
                let scopes: Vec<_> = scopes.into_iter().map(Scope::from).collect();
                let key = json!({ "name": name, "scopes": scopes, "repeats": repeats.map(format_duration) });
                let made = api_client::call(&location, Method::POST, "/v1/keys", Some(&key)).await?;
                if json {
                    say_json(&made);
                } else {
                    say!("{}", made["key"].as_str().context("the answer has no key")?);
                    eprintln!(
                        "Key {} for {name}. It is shown only this once.",
                        made["id"].as_str().unwrap_or("")
                    );
                }
            }
            Action::List { location, json } => {
                let keys = api_client::list(&location, "/v1/keys").await?;
                if json {
                    say_json(&json!({ "items": keys, "next_cursor": null }));
                } else {
                    print_list(&keys);
                }
            }
            Action::Revoke { id, location } => {
                api_client::call(&location, Method::DELETE, &format!("/v1/keys/{id}"), None).await?;
                say!("{id} is revoked.");
            }
        }
        Ok(())
    }
}

fn print_list(keys: &[Value]) {
    let mut table = table::with_header(["ID", "NAME", "SCOPES", "REPEATS", "CREATED", "REVOKED"]);
    for key in keys {
        let scopes: Vec<_> =
            key["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        table.add_row([
            key["id"].as_str().unwrap_or(""),
            key["name"].as_str().unwrap_or(""),
            &scopes.join(", "),
            key["repeats"].as_str().unwrap_or(""),
            key["created_at"].as_str().unwrap_or(""),
            key["revoked_at"].as_str().unwrap_or(""),
        ]);
    }
    say!("{table}");
}
