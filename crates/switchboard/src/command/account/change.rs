//! `switchboard account change`.

use std::num::NonZeroU32;

use domain::{AccountName, ChatId, ExposeSecret, FileKind, FileRule, Keep, KeepRule};
use hyper::Method;
use serde_json::{Map, Value};

use super::given::{ApiHash, ProxyGiven};
use crate::api_client::ApiOptions;
use crate::terminal::WrongUsage;

/// What to change.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Change {
    /// The name of the account
    name: AccountName,
    /// Its priority; lower values are chosen first
    #[arg(long, value_name = "NUMBER")]
    priority: Option<u16>,
    /// Use it also for calls that name no account
    #[arg(long, conflicts_with = "by_pin")]
    in_pool: bool,
    /// Use it only for calls that name it
    #[arg(long)]
    by_pin: bool,
    /// The phone number to sign in with
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// The `api_id` of the application
    #[arg(long, value_name = "NUMBER")]
    api_id: Option<i32>,
    #[command(flatten)]
    api_hash: ApiHash,
    #[command(flatten)]
    proxy: ProxyGiven,
    /// Connect without a proxy
    #[arg(long, conflicts_with = "ProxyGiven")]
    no_proxy: bool,
    /// The most messages it may send within any hour
    #[arg(long, value_name = "NUMBER")]
    messages_per_hour: Option<NonZeroU32>,
    /// The most messages it may send within any 24 hours
    #[arg(long, value_name = "NUMBER")]
    messages_per_day: Option<NonZeroU32>,
    /// Remove both limits
    #[arg(long, conflicts_with_all = ["messages_per_hour", "messages_per_day"])]
    no_limits: bool,
    /// Which messages that come in are kept: private, registered, all or none
    #[arg(long, value_name = "RULE", value_parser = keep)]
    keep_messages: Option<Keep>,
    /// A chat whose messages are kept whatever the rule says; may be given more than once
    #[arg(long, value_name = "CHAT_ID", requires = "keep_messages", allow_hyphen_values = true)]
    keep_messages_of: Vec<ChatId>,
    /// A chat whose messages are never kept; may be given more than once
    #[arg(long, value_name = "CHAT_ID", requires = "keep_messages", allow_hyphen_values = true)]
    skip_messages_of: Vec<ChatId>,
    /// A kind of files that are fetched as their messages come in, such as photo or voice; may be given more than once
    #[arg(long, value_name = "KIND", requires = "keep_messages", value_delimiter = ',', value_parser = file_kind)]
    keep_files: Vec<FileKind>,
    /// The largest file that is fetched so
    #[arg(long, value_name = "SIZE", requires = "keep_files", value_parser = config::parse_size)]
    keep_files_up_to: Option<u64>,
    #[command(flatten)]
    options: ApiOptions,
}

fn keep(word: &str) -> Result<Keep, String> {
    Keep::from_word(word).ok_or_else(|| "write private, registered, all or none".to_owned())
}

fn file_kind(word: &str) -> Result<FileKind, String> {
    let kinds = || FileKind::ALL.map(FileKind::as_str).join(", ");
    FileKind::from_word(word).ok_or_else(|| format!("write one of {}", kinds()))
}

impl Change {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let change = self.body()?;
        let path = format!("/v1/accounts/{}", self.name);
        let describe = |_: &_| format!("{} is changed.", self.name);
        self.options.call(Method::PATCH, &path, Some(&Value::Object(change)), describe).await
    }

    fn body(&self) -> anyhow::Result<Map<String, Value>> {
        let mut body = Map::new();
        if let Some(priority) = self.priority {
            body.insert("priority".to_owned(), priority.into());
        }
        if self.in_pool || self.by_pin {
            body.insert("pool".to_owned(), self.in_pool.into());
        }
        if let Some(phone) = &self.phone {
            body.insert("phone".to_owned(), phone.as_str().into());
        }
        if let Some(api_id) = self.api_id {
            body.insert("api_id".to_owned(), api_id.into());
        }
        if let Some(api_hash) = self.api_hash.read()? {
            body.insert("api_hash".to_owned(), api_hash.expose_secret().into());
        }
        if let Some(proxy) = self.proxy.read()? {
            body.insert("proxy".to_owned(), proxy.expose_secret().into());
        } else if self.no_proxy {
            body.insert("proxy".to_owned(), Value::Null);
        }
        for (field, limit) in
            [("messages_per_hour", self.messages_per_hour), ("messages_per_day", self.messages_per_day)]
        {
            if self.no_limits {
                body.insert(field.to_owned(), Value::Null);
            } else if let Some(limit) = limit {
                body.insert(field.to_owned(), limit.get().into());
            }
        }
        if let Some(rule) = self.keep_messages {
            let (always, never) = (self.keep_messages_of.clone(), self.skip_messages_of.clone());
            let max_size = self.keep_files_up_to.unwrap_or(FileRule::USUAL_SIZE);
            let files = FileRule { kinds: self.keep_files.clone(), max_size };
            let keep = KeepRule { rule, always, never, files };
            body.insert("keep_messages".to_owned(), serde_json::to_value(keep)?);
        }
        if body.is_empty() {
            let detail = "nothing is to be changed: give --priority, --phone or another; see --help";
            return Err(WrongUsage(detail.to_owned()).into());
        }
        Ok(body)
    }
}
