//! `switchboard chat`: the chats that the server knows, and those that nobody could find.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::control;
use crate::output::{say, say_json};
use crate::{Place, table};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Chat {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List groups and channels, each with the account it is bound to
    #[command(after_help = "Examples:\n  switchboard chat list\n  switchboard chat list --account main \
            --state left\n  switchboard chat list --json")]
    List {
        /// Only those bound to this account, or known to have it in them
        #[arg(long)]
        account: Option<domain::AccountName>,
        /// Only those in this state
        #[arg(long, value_enum)]
        state: Option<StateName>,
        #[command(flatten)]
        place: Place,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the chats that were asked for and that no account could find: how often, and who asks
    #[command(after_help = "No account is in these chats. Add one, or mend the caller that has an old \
            id.\n\nExamples:\n  switchboard chat unresolved\n  switchboard chat \
            unresolved --json")]
    Unresolved {
        #[command(flatten)]
        place: Place,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Whether a chat was left.
#[derive(Clone, Copy, ValueEnum)]
enum StateName {
    /// In use
    Active,
    /// Left
    Left,
}

impl Chat {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { account, state, place, json } => {
                let mut path = "/v1/chats?limit=500".to_owned();
                if let Some(account) = account {
                    path.push_str("&account=");
                    path.push_str(account.as_str());
                }
                path.push_str(match state {
                    Some(StateName::Active) => "&state=active",
                    Some(StateName::Left) => "&state=left",
                    None => "",
                });
                let chats = control::running(&place.data_dir()?).await?.list(&path).await?;
                if json {
                    say_json(&json!({ "items": chats, "next_cursor": null }));
                } else {
                    print_chats(&chats);
                }
            }
            Action::Unresolved { place, json } => {
                let path = "/v1/chats/unresolved?limit=500";
                let chats = control::running(&place.data_dir()?).await?.list(path).await?;
                if json {
                    say_json(&json!({ "items": chats, "next_cursor": null }));
                } else {
                    print_unresolved(&chats);
                }
            }
        }
        Ok(())
    }
}

fn print_chats(chats: &[Value]) {
    let columns = [
        ("CHAT", "chat_id"),
        ("TITLE", "title"),
        ("KIND", "kind"),
        ("STATE", "state"),
        ("ACCOUNT", "account"),
        ("IN IT", "accounts"),
        ("INVITE LINK", "invite_link"),
    ];
    say!("{}", table::of(chats, columns));
}

fn print_unresolved(chats: &[Value]) {
    if chats.is_empty() {
        say!("Every chat that was asked for was found.");
        return;
    }
    let mut table = table::with_header(["CHAT", "ASKED FOR", "LAST", "WHO ASKS"]);
    for chat in chats {
        let callers = chat["callers"].as_array().into_iter().flatten().map(caller);
        table.add_row([
            table::cell(chat, "chat_id"),
            times(chat),
            table::cell(chat, "last_at"),
            callers.collect::<Vec<_>>().join("\n"),
        ]);
    }
    say!("{table}");
}

/// One caller: the port, the address and the key.
fn caller(caller: &Value) -> String {
    let named = ["listener", "address", "api_key"].map(|field| table::cell(caller, field));
    let named: Vec<_> = named.into_iter().filter(|text| !text.is_empty()).collect();
    format!("{} ({})", named.join(" "), times(caller))
}

/// How often something was asked for.
fn times(counted: &Value) -> String {
    match counted["count"].as_u64() {
        Some(1) => "once".to_owned(),
        _ => format!("{} times", table::cell(counted, "count")),
    }
}
