//! `switchboard chat`: lists, leaves and moves the chats that the running server knows, and shows their conversations.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use domain::{AccountName, ChatRef, NamedChat};
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::conversation;
use super::word::word;
use crate::api_client::ApiOptions;
use crate::table::{self, cell};

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
    /// List groups and channels with the accounts they are bound to
    #[command(after_help = "Examples:\n  switchboard chat list\n  \
            switchboard chat list --account main --state left\n  switchboard chat list --json")]
    List {
        /// Only chats bound to this account, or known to have it as a member
        #[arg(long)]
        account: Option<AccountName>,
        /// Only chats in this state
        #[arg(long, value_enum)]
        state: Option<StateWord>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Show the conversation of a chat from the store, what was received and what was sent, the newest first
    #[command(after_help = "Examples:\n  switchboard chat messages 123456789\n  \
            switchboard chat messages @client_1 --text \"price\" --limit 10 --json")]
    Messages {
        /// The chat: an id, @name or the phone number of a person
        #[arg(allow_hyphen_values = true)]
        chat: NamedChat,
        /// Only messages with this in their text
        #[arg(long)]
        text: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Leave a group or channel
    #[command(after_help = "Examples:\n  switchboard chat leave -1001234567890\n  \
            switchboard chat leave -1001234567890 --remove-members\n  \
            switchboard chat leave -1001234567890 --remove-members --leave-own")]
    Leave {
        /// The chat: an id or @name
        #[arg(allow_hyphen_values = true)]
        chat: ChatRef,
        /// Remove everyone else first (supergroups and channels); it cannot be undone
        #[arg(long)]
        remove_members: bool,
        /// Remove them even if the account owns the chat; without it that is refused
        #[arg(long, requires = "remove_members")]
        leave_own: bool,
        /// Only through this account
        #[arg(long)]
        account: Option<AccountName>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Move a chat, or all private dialogs of an account, to another account
    #[command(
        after_help = "A private dialog goes only to an account that has it, or that can find the person by a public \
            name and may make first contacts.\n\nExamples:\n  switchboard chat move 123456789 --to backup_1\n  \
            switchboard chat move --from main --to backup_1"
    )]
    Move {
        /// The chat: an id, @name or the phone number of a person
        #[arg(allow_hyphen_values = true, conflicts_with = "from", required_unless_present = "from")]
        chat: Option<NamedChat>,
        /// Move all private dialogs of this account
        #[arg(long)]
        from: Option<AccountName>,
        /// The account that takes them
        #[arg(long)]
        to: AccountName,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// List chats that no account could find: how often they were asked for, and by which callers
    #[command(after_help = "No account is in these chats. Add one, or correct the caller that has an old \
            id.\n\nExamples:\n  switchboard chat unresolved\n  switchboard chat unresolved --json")]
    Unresolved(ApiOptions),
}

/// Whether a chat was left.
#[derive(Clone, Copy, ValueEnum)]
enum StateWord {
    /// In use
    Active,
    /// Left
    Left,
}

impl Chat {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { account, state, options } => {
                let state = state.map(|state| format!("&state={}", word(&state))).unwrap_or_default();
                let path = format!("/v1/chats?limit=500{}{state}", query(account.as_ref()));
                let chats = options.location.server().await?.list(&path).await?;
                let columns = [
                    ("CHAT", "chat_id"),
                    ("TITLE", "title"),
                    ("KIND", "kind"),
                    ("STATE", "state"),
                    ("ACCOUNT", "account"),
                    ("IN IT", "accounts"),
                    ("INVITE LINK", "invite_link"),
                ];
                options.print_list(&chats, |chats| table::of(chats, columns).to_string());
            }
            Action::Messages { chat, text, limit, options } => {
                let text = text.map(|text| format!("&q={}", utf8_percent_encode(&text, NON_ALPHANUMERIC)));
                let path = format!("/v1/chats/{chat}/messages?limit={limit}{}", text.unwrap_or_default());
                conversation::show(&path, limit, &options).await?;
            }
            Action::Leave { chat, remove_members, leave_own, account, options } => {
                let path = format!(
                    "/v1/chats/{chat}?remove_members={remove_members}&leave_own={leave_own}&wait={}{}",
                    LEAVING.as_secs(),
                    query(account.as_ref())
                );
                let server = options.location.server().await?;
                let answer = server.call_within(LEAVING + MARGIN, Method::DELETE, &path, None).await?;
                options.print(&answer, || left(&chat, &answer));
            }
            Action::Move { chat, from, to, options } => {
                let server = options.location.server().await?;
                if let Some(chat) = &chat {
                    let (path, body) = (format!("/v1/chats/{chat}"), json!({ "account": to }));
                    let answer = server.call(Method::PATCH, &path, Some(&body)).await?;
                    options.print(&answer, || format!("{chat} goes through {to} now."));
                } else {
                    let body = json!({ "from": from, "to": to });
                    let answer =
                        server.call_within(MOVING, Method::POST, "/v1/chats/move", Some(&body)).await?;
                    options.print(&answer, || moved(&answer, &to));
                }
            }
            Action::Unresolved(options) => {
                let path = "/v1/chats/unresolved?limit=500";
                let chats = options.location.server().await?.list(path).await?;
                options.print_list(&chats, unresolved);
            }
        }
        Ok(())
    }
}

/// The part of a query that names an account, if one is named.
fn query(account: Option<&AccountName>) -> String {
    account.map(|account| format!("&account={account}")).unwrap_or_default()
}

fn left(chat: &ChatRef, answer: &Value) -> String {
    if answer["left"] != true {
        return format!("{chat} is still being left; look again at operation {}.", cell(answer, "id"));
    }
    let through = answer["account"].as_str().map(|account| format!(" by {account}")).unwrap_or_default();
    let removed = answer["removed"].as_array().map_or(0, Vec::len);
    let mut text = format!("{chat} was left{through}; members removed before: {removed}.");
    for one in answer["not_removed"].as_array().into_iter().flatten() {
        text += &["\nNot removed: ", &cell(one, "user_id"), " (", &cell(one, "why"), ")."].concat();
    }
    text
}

fn moved(answer: &Value, to: &AccountName) -> String {
    let moved = format!("{} private dialogs go through {to} now.", answer["moved"]);
    match answer["staying"].as_array().filter(|staying| !staying.is_empty()) {
        None => moved,
        Some(staying) => {
            let table = table::of(staying, [("CHAT", "chat_id"), ("WHY", "why")]);
            format!("{moved}\n{} stay where they are:\n{table}", answer["stayed"])
        }
    }
}

fn unresolved(chats: &[Value]) -> String {
    if chats.is_empty() {
        return "Every chat that was asked for was found.".to_owned();
    }
    let mut table = table::with_header(["CHAT", "ASKED FOR", "LAST", "WHO ASKS"]);
    for chat in chats {
        let callers: Vec<_> = chat["callers"].as_array().into_iter().flatten().map(caller).collect();
        table.add_row([cell(chat, "chat_id"), times(chat), cell(chat, "last_at"), callers.join("\n")]);
    }
    table.to_string()
}

/// One caller: the port, the address and the key.
fn caller(caller: &Value) -> String {
    let named = ["listener", "address", "api_key"].map(|field| cell(caller, field));
    let named: Vec<_> = named.into_iter().filter(|text| !text.is_empty()).collect();
    format!("{} ({})", named.join(" "), times(caller))
}

/// How often something was asked for.
fn times(counted: &Value) -> String {
    match counted["count"].as_u64() {
        Some(1) => "once".to_owned(),
        _ => format!("{} times", cell(counted, "count")),
    }
}
