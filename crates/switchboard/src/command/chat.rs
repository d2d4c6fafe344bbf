//! `switchboard chat`: the chats that the server knows, those that no account could find, leaving them, and giving them to other accounts.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use hyper::Method;
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::control;
use crate::output::{say, say_json};
use crate::{Location, table};

/// How long the moving of all private dialogs of an account may take.
const MOVING: Duration = Duration::from_mins(2);
/// How long the server is asked to wait for a leave to end.
const LEAVING: Duration = Duration::from_mins(1);
/// How much longer its answer may take.
const MARGIN: Duration = Duration::from_secs(10);

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
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Leave a group or channel
    #[command(after_help = "Examples:\n  switchboard chat leave -1001234567890\n  switchboard chat leave \
            -1001234567890 --remove-members\n  switchboard chat leave -1001234567890 --remove-members \
            --leave-own")]
    Leave {
        /// The chat: an id or @name
        #[arg(allow_hyphen_values = true)]
        chat: domain::ChatRef,
        /// Remove everyone else first (supergroups and channels); it cannot be undone
        #[arg(long)]
        remove_members: bool,
        /// Remove them even if the account owns the chat; without it that is refused
        #[arg(long, requires = "remove_members")]
        leave_own: bool,
        /// Only through this account
        #[arg(long)]
        account: Option<domain::AccountName>,
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a chat, or all private dialogs of an account, to another account
    #[command(
        after_help = "A private dialog goes only to an account that has it, or that can find the person by \
            a public name and may make first contacts.\n\nExamples:\n  switchboard chat move 123456789 --to \
            backup_1\n  switchboard chat move --from main --to backup_1"
    )]
    Move {
        /// The chat: an id, @name or the phone number of a person
        #[arg(allow_hyphen_values = true, conflicts_with = "from", required_unless_present = "from")]
        chat: Option<domain::NamedChat>,
        /// All private dialogs that go through this account
        #[arg(long)]
        from: Option<domain::AccountName>,
        /// The account that takes them
        #[arg(long)]
        to: domain::AccountName,
        #[command(flatten)]
        location: Location,
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
        location: Location,
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
            Action::List { account, state, location, json } => {
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
                let chats = control::running(&location.data_dir()?).await?.list(&path).await?;
                if json {
                    say_json(&json!({ "items": chats, "next_cursor": null }));
                } else {
                    print_chats(&chats);
                }
            }
            Action::Leave { chat, remove_members, leave_own, account, location, json } => {
                let mut path = format!(
                    "/v1/chats/{chat}?remove_members={remove_members}&leave_own={leave_own}&wait={}",
                    LEAVING.as_secs()
                );
                if let Some(account) = account {
                    path.push_str("&account=");
                    path.push_str(account.as_str());
                }
                let server = control::running(&location.data_dir()?).await?;
                let answer = server.call_within(LEAVING + MARGIN, Method::DELETE, &path, None).await?;
                if json {
                    say_json(&answer);
                } else {
                    print_left(&chat, &answer);
                }
            }
            Action::Move { chat, from, to, location, json } => {
                let server = control::running(&location.data_dir()?).await?;
                let answer = if let Some(chat) = &chat {
                    let (path, body) = (format!("/v1/chats/{chat}"), json!({ "account": to }));
                    server.call(Method::PATCH, &path, Some(&body)).await?
                } else {
                    let body = json!({ "from": from, "to": to });
                    server.call_within(MOVING, Method::POST, "/v1/chats/move", Some(&body)).await?
                };
                match chat {
                    _ if json => say_json(&answer),
                    Some(chat) => say!("{chat} goes through {to} now."),
                    None => print_moved(&answer, &to),
                }
            }
            Action::Unresolved { location, json } => {
                let path = "/v1/chats/unresolved?limit=500";
                let chats = control::running(&location.data_dir()?).await?.list(path).await?;
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

fn print_left(chat: &domain::ChatRef, answer: &Value) {
    if answer["left"] == json!(true) {
        let through = answer["account"].as_str().map(|account| format!(" by {account}")).unwrap_or_default();
        let removed = answer["removed"].as_array().map_or(0, Vec::len);
        say!("{chat} was left{through}; members removed before: {removed}.");
        for one in answer["not_removed"].as_array().into_iter().flatten() {
            say!("Not removed: {} ({}).", one["user_id"], one["why"].as_str().unwrap_or_default());
        }
    } else {
        say!(
            "{chat} is still being left; look again at operation {}.",
            answer["id"].as_str().unwrap_or_default()
        );
    }
}

fn print_moved(answer: &Value, to: &domain::AccountName) {
    say!("{} private dialogs go through {to} now.", answer["moved"]);
    if answer["stayed"].as_u64().unwrap_or_default() > 0 {
        say!("{} stay where they are:", answer["stayed"]);
        let staying: Vec<Value> = answer["staying"].as_array().cloned().unwrap_or_default();
        say!("{}", table::of(&staying, [("CHAT", "chat_id"), ("WHY", "why")]));
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
