//! `switchboard key`: API keys.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use config::{format_duration, parse_repeats};
use domain::ApiKeyId;
use hyper::Method;
use serde_json::json;

use super::word::words;
use crate::Location;
use crate::api_client::ApiOptions;
use crate::output::say;
use crate::table::cell;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a key, which is shown only once
    #[command(
        after_help = "Without --scope it may send and read.\n\nExamples:\n  switchboard key create n8n\n  \
            switchboard key create n8n --repeats 10m\n  switchboard key create reports --scope read --json\n  \
            switchboard key create deploy --scope admin"
    )]
    Create {
        /// A name for the key, such as the program that uses it
        name: String,
        /// What the key may do (repeatable)
        #[arg(long = "scope", value_enum, default_values_t = [ScopeWord::Send, ScopeWord::Read])]
        scopes: Vec<ScopeWord>,
        /// Treat the same body within this time as the same message, for callers that send no Idempotency-Key
        #[arg(long, value_name = "TIME", value_parser = parse_repeats)]
        repeats: Option<Duration>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// List keys without their secrets
    #[command(after_help = "Examples:\n  switchboard key list\n  switchboard key list --json")]
    List(ApiOptions),
    /// Revoke a key; requests with it are answered with 401 from then on
    #[command(after_help = "Examples:\n  switchboard key revoke key_01…")]
    Revoke {
        /// The id of the key, as `key list` shows it
        id: ApiKeyId,
        #[command(flatten)]
        location: Location,
    },
}

/// What a key may do.
#[derive(Clone, Copy, ValueEnum)]
enum ScopeWord {
    /// Send and change messages
    Send,
    /// Read messages and accounts
    Read,
    /// Everything, keys and accounts included
    Admin,
}

impl Key {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Create { name, scopes, repeats, options } => {
                let key = json!({
                    "name": name, "scopes": words(&scopes), "repeats": repeats.map(format_duration),
                });
                let made = options.location.call(Method::POST, "/v1/keys", Some(&key)).await?;
                options.print(&made, || cell(&made, "key"));
                if !options.json {
                    eprintln!("Key {} for {name}. It is shown only this once.", cell(&made, "id"));
                }
            }
            Action::List(options) => {
                let columns = [
                    ("ID", "id"),
                    ("NAME", "name"),
                    ("SCOPES", "scopes"),
                    ("REPEATS", "repeats"),
                    ("CREATED", "created_at"),
                    ("REVOKED", "revoked_at"),
                ];
                options.list("/v1/keys", "There are no keys.", columns).await?;
            }
            Action::Revoke { id, location } => {
                location.call(Method::DELETE, &format!("/v1/keys/{id}"), None).await?;
                say!("{id} is revoked.");
            }
        }
        Ok(())
    }
}
