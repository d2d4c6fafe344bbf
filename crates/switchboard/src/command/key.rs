//! `switchboard key`: API keys.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use config::{format_duration, parse_duration, parse_repeats};
use domain::{AccountName, ApiKeyId, ChannelName, RequestRate, Timestamp};
use hyper::Method;
use serde_json::{Map, Value, json};

use super::word::words;
use crate::Location;
use crate::api_client::ApiOptions;
use crate::output::{line, say};
use crate::table::cell;

const PATH: &str = "/v1/keys";

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
            switchboard key create night-shift --scope read --scope operate --expires-in 90d\n  \
            switchboard key create shop --account main --chat -1001234567890 --rate 10/s --burst 20\n  \
            switchboard key create crm --scope read --scope personal\n  \
            switchboard key create deploy --scope admin"
    )]
    Create(Box<Create>),
    /// Change what a key is limited to, until when it works and how much it may ask
    #[command(
        after_help = "What is left out stays.\n\nExamples:\n  switchboard key change key_01… --expires-in 90d\n  \
            switchboard key change key_01… --account main --account backup_1 --rate 600/m\n  \
            switchboard key change key_01… --any-chat --no-rate --never-expires"
    )]
    Change(Box<Change>),
    /// List keys without their secrets
    #[command(after_help = "Examples:\n  switchboard key list\n  switchboard key list --json")]
    List(ApiOptions),
    /// Print which scopes and roles each call demands, as Markdown
    #[command(after_help = "Examples:\n  switchboard key rights\n  switchboard key rights > rights.md")]
    Rights,
    /// Revoke a key; requests with it are answered with 401 from then on
    #[command(after_help = "Examples:\n  switchboard key revoke key_01…")]
    Revoke {
        /// The id of the key, as `key list` shows it
        id: ApiKeyId,
        #[command(flatten)]
        location: Location,
    },
}

/// The key to be made.
#[derive(clap::Args)]
struct Create {
    /// A name for the key, such as the program that uses it
    name: String,
    /// What the key may do, as `key rights` lists it (repeatable)
    #[arg(long = "scope", value_enum, default_values_t = [ScopeWord::Send, ScopeWord::Read])]
    scopes: Vec<ScopeWord>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    options: ApiOptions,
}

/// What of a key is to be another.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed")]
struct Change {
    /// The id of the key, as `key list` shows it
    id: ApiKeyId,
    /// Another name for the key
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    terms: Terms,
    /// Let it use all accounts
    #[arg(long, conflicts_with = "accounts")]
    any_account: bool,
    /// Let it name all chats
    #[arg(long, conflicts_with = "chats")]
    any_chat: bool,
    /// Let it reach all channels
    #[arg(long, conflicts_with = "channels")]
    any_channel: bool,
    /// Let it work until it is revoked
    #[arg(long, conflicts_with_all = ["expires_in", "expires_at"])]
    never_expires: bool,
    /// Let the settings say how many requests it may make
    #[arg(long, conflicts_with_all = ["rate", "burst"])]
    no_rate: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// Within what a key works.
#[derive(clap::Args)]
struct Terms {
    /// Limit the key to this account (repeatable)
    #[arg(long = "account", value_name = "NAME")]
    accounts: Vec<AccountName>,
    /// Limit the key to this chat, as calls name it (repeatable)
    #[arg(long = "chat", allow_hyphen_values = true)]
    chats: Vec<String>,
    /// Limit the key to this channel: telegram, or one beside it (repeatable)
    #[arg(long = "channel", value_name = "NAME")]
    channels: Vec<ChannelName>,
    /// End the key after this time, such as 90d
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    expires_in: Option<Duration>,
    /// End the key at this instant
    #[arg(long, value_name = "TIME", conflicts_with = "expires_in")]
    expires_at: Option<Timestamp>,
    /// How many requests it may make in a second, a minute or an hour, such as 10/s
    #[arg(long)]
    rate: Option<RequestRate>,
    /// How many of them at once; those of one period when left out
    #[arg(long, value_name = "NUMBER")]
    burst: Option<NonZeroU32>,
    /// Treat the same body within this time as the same message, for callers that send no Idempotency-Key
    #[arg(long, value_name = "TIME", value_parser = parse_repeats)]
    repeats: Option<Duration>,
}

/// What a key may do.
#[derive(Clone, Copy, ValueEnum)]
enum ScopeWord {
    /// Send and change messages
    Send,
    /// Read messages and accounts
    Read,
    /// Keep it running: cancel, pause, resume, restart; with send also start campaigns and flows
    Operate,
    /// Change, merge, erase and import clients; with read also export them
    Personal,
    /// Everything, keys and accounts included
    Admin,
}

impl Key {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Create(create) => create.run().await,
            Action::Change(change) => change.run().await,
            Action::List(options) => {
                let columns = [
                    ("ID", "id"),
                    ("NAME", "name"),
                    ("SCOPES", "scopes"),
                    ("ACCOUNTS", "accounts"),
                    ("CHATS", "chats"),
                    ("CHANNELS", "channels"),
                    ("RATE", "rate"),
                    ("REPEATS", "repeats"),
                    ("CREATED", "created_at"),
                    ("USED", "last_used_at"),
                    ("EXPIRES", "expires_at"),
                    ("REVOKED", "revoked_at"),
                ];
                options.list(PATH, "There are no keys.", columns).await
            }
            Action::Rights => {
                line(format_args!("{}", web::rights_page().trim_end()));
                Ok(())
            }
            Action::Revoke { id, location } => {
                location.call(Method::DELETE, &format!("{PATH}/{id}"), None).await?;
                say!("{id} is revoked.");
                Ok(())
            }
        }
    }
}

impl Create {
    async fn run(self) -> anyhow::Result<()> {
        let Self { name, scopes, terms, options } = self;
        let mut key = terms.body();
        key.insert("name".to_owned(), json!(name));
        key.insert("scopes".to_owned(), json!(words(&scopes)));
        let made = options.location.call(Method::POST, PATH, Some(&Value::Object(key))).await?;
        options.print(&made, || cell(&made, "key"));
        if !options.json {
            eprintln!("Key {} for {name}. It is shown only this once.", cell(&made, "id"));
        }
        Ok(())
    }
}

impl Change {
    async fn run(self) -> anyhow::Result<()> {
        let mut body = self.terms.body();
        for (field, is_free) in
            [("accounts", self.any_account), ("chats", self.any_chat), ("channels", self.any_channel)]
        {
            if is_free {
                body.insert(field.to_owned(), json!([]));
            }
        }
        let words = [
            ("name", self.name.as_deref()),
            ("expires_at", self.never_expires.then_some("never")),
            ("rate", self.no_rate.then_some("none")),
        ];
        body.extend(words.into_iter().filter_map(|(field, word)| Some((field.to_owned(), json!(word?)))));
        let path = format!("{PATH}/{}", self.id);
        let text = |_: &Value| format!("{} is changed.", self.id);
        self.options.call(Method::PATCH, &path, Some(&Value::Object(body)), text).await
    }
}

impl Terms {
    /// The fields that were given.
    fn body(&self) -> Map<String, Value> {
        let list = |names: Vec<String>| (!names.is_empty()).then(|| json!(names));
        let fields = [
            ("accounts", list(self.accounts.iter().map(ToString::to_string).collect())),
            ("chats", list(self.chats.clone())),
            ("channels", list(self.channels.iter().map(ToString::to_string).collect())),
            ("expires_in", self.expires_in.map(|length| json!(format_duration(length)))),
            ("expires_at", self.expires_at.map(|end| json!(end.to_string()))),
            ("rate", self.rate.map(|rate| json!(rate.to_string()))),
            ("burst", self.burst.map(|burst| json!(burst))),
            ("repeats", self.repeats.map(|repeats| json!(format_duration(repeats)))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use store::Scope;

    use super::*;

    #[test]
    fn scopes_have_the_words_of_the_api() {
        assert_eq!(words(ScopeWord::value_variants()), Scope::ALL.map(Scope::as_str));
    }
}
