//! `switchboard account add`.

use std::num::NonZeroU32;

use anyhow::Context;
use domain::{AccountName, ExposeSecret};
use hyper::Method;
use serde_json::json;

use super::given::{ApiHash, ProxyGiven};
use crate::api_client::ApiOptions;
use crate::terminal::{self, Lines, WrongUsage};

/// The account to add.
#[derive(clap::Args)]
pub(super) struct Add {
    /// A name: 1 to 64 of a-z, 0-9, _ and -
    name: AccountName,
    /// The `api_id` of the application
    #[arg(long, value_name = "NUMBER")]
    api_id: Option<i32>,
    #[command(flatten)]
    api_hash: ApiHash,
    /// The phone number to sign in with
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// Its priority; lower values are chosen first [default: 100]
    #[arg(long, value_name = "NUMBER")]
    priority: Option<u16>,
    /// Use it only for calls that name it
    #[arg(long)]
    by_pin: bool,
    /// The most messages it may send within any hour [default: no limit]
    #[arg(long, value_name = "NUMBER")]
    messages_per_hour: Option<NonZeroU32>,
    /// The most messages it may send within any 24 hours [default: no limit]
    #[arg(long, value_name = "NUMBER")]
    messages_per_day: Option<NonZeroU32>,
    #[command(flatten)]
    proxy: ProxyGiven,
    #[command(flatten)]
    options: ApiOptions,
}

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut lines = None;
        let proxy = self.proxy.read()?;
        let api_id = match self.api_id {
            Some(api_id) => api_id,
            None => ask_api_id(&mut lines).await?,
        };
        let api_hash = self.api_hash.read_or_ask(&mut lines).await?;
        let mut body = json!({
            "name": self.name,
            "api_id": api_id,
            "api_hash": api_hash.expose_secret(),
            "pool": !self.by_pin,
        });
        if let Some(phone) = &self.phone {
            body["phone"] = phone.as_str().into();
        }
        if let Some(priority) = self.priority {
            body["priority"] = priority.into();
        }
        for (field, limit) in
            [("messages_per_hour", self.messages_per_hour), ("messages_per_day", self.messages_per_day)]
        {
            if let Some(limit) = limit {
                body[field] = limit.get().into();
            }
        }
        if let Some(proxy) = &proxy {
            body["proxy"] = proxy.expose_secret().into();
        }
        let describe =
            |_: &_| format!("{0} is added. Sign in to it: switchboard account login {0}", self.name);
        self.options.call(Method::POST, "/v1/accounts", Some(&body), describe).await
    }
}

async fn ask_api_id(lines: &mut Option<Lines>) -> anyhow::Result<i32> {
    if !terminal::is_interactive() {
        return Err(WrongUsage("the api_id is missing: give it with --api-id NUMBER".to_owned()).into());
    }
    let lines = lines.get_or_insert_with(Lines::of_standard_input);
    let given = lines.ask("api_id (from my.telegram.org): ").await?.context("no api_id was given")?;
    given.expose_secret().parse().context("the api_id is a number")
}
