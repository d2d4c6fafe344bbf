//! `switchboard account add`.

use std::num::NonZeroU32;

use anyhow::Context;
use domain::{AccountName, ExposeSecret};
use hyper::Method;
use serde_json::json;

use super::given::{ApiHash, ProxyGiven};
use crate::Location;
use crate::api_client;
use crate::output::{say, say_json};
use crate::terminal::{self, Lines, WrongUsage};

/// The account to add.
#[derive(clap::Args)]
pub(super) struct Add {
    /// What to call it: 1 to 64 of a-z, 0-9, _ and -
    name: AccountName,
    /// The application's number (`api_id`)
    #[arg(long, value_name = "NUMBER")]
    api_id: Option<i32>,
    #[command(flatten)]
    api_hash: ApiHash,
    /// The phone number, for signing in
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// The lower, the earlier it is chosen [default: 100]
    #[arg(long, value_name = "NUMBER")]
    priority: Option<u16>,
    /// Use it only where it is named, never for calls that name no account
    #[arg(long)]
    by_pin: bool,
    /// The most messages it may send within any hour [default: as many as there are]
    #[arg(long, value_name = "NUMBER")]
    messages_per_hour: Option<NonZeroU32>,
    /// The most messages it may send within any 24 hours [default: as many as there are]
    #[arg(long, value_name = "NUMBER")]
    messages_per_day: Option<NonZeroU32>,
    #[command(flatten)]
    proxy: ProxyGiven,
    #[command(flatten)]
    location: Location,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
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
        let added = api_client::call(&self.location, Method::POST, "/v1/accounts", Some(&body)).await?;
        if self.json {
            say_json(&added);
        } else {
            say!("{0} is added. Sign in to it: switchboard account login {0}", self.name);
        }
        Ok(())
    }
}

async fn ask_api_id(lines: &mut Option<Lines>) -> anyhow::Result<i32> {
    if !terminal::somebody_is_there() {
        return Err(WrongUsage("the api_id is missing: give it with --api-id NUMBER".to_owned()).into());
    }
    let lines = lines.get_or_insert_with(Lines::of_standard_input);
    let given = lines.ask("api_id (from my.telegram.org): ").await?.context("no api_id was given")?;
    given.expose_secret().parse().context("the api_id is a number")
}
