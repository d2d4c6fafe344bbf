//! `switchboard account wait`: until accounts are ready and know their dialogs.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::bail;
use config::{format_duration, parse_duration};
use domain::AccountName;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::api_client::{ApiClient, ApiOptions};
use crate::bars::{self, Bars, grouped};
use crate::output::{say, say_json};

/// How often the accounts are read.
const EVERY: Duration = Duration::from_millis(300);

/// For which accounts, and how long.
#[derive(clap::Args)]
pub(super) struct Wait {
    /// The accounts [default: all]
    names: Vec<AccountName>,
    /// The longest wait
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    timeout: Duration,
    #[command(flatten)]
    options: ApiOptions,
}

impl Wait {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.options.location.server().await?;
        let mut shown = Shown::new(self.options.json);
        let mut accounts = self.look(&server).await?;
        let until_ready = async {
            loop {
                shown.show(&accounts);
                if accounts.iter().all(|account| Stage::of(account) == Stage::Ready) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(EVERY).await;
                accounts = self.look(&server).await?;
            }
        };
        let ended = tokio::time::timeout(self.timeout, until_ready).await;
        shown.ends();
        let in_time = ended.ok().transpose()?.is_some();
        if self.options.json {
            let items: Vec<_> = accounts.iter().map(view).collect();
            say_json(&json!({ "ready": in_time, "items": items }));
        }
        if in_time {
            return Ok(());
        }
        let missing = accounts.iter().filter(|account| Stage::of(account) != Stage::Ready).map(line);
        let missing: Vec<_> = missing.collect();
        bail!("after {} not all is ready:\n  {}", format_duration(self.timeout), missing.join("\n  "))
    }

    /// The accounts that are waited for, by priority.
    async fn look(&self, server: &ApiClient) -> anyhow::Result<Vec<Value>> {
        let all = server.list("/v1/accounts?limit=500").await?;
        let is_there = |name: &AccountName| all.iter().any(|account| account["name"] == name.as_str());
        if let Some(unknown) = self.names.iter().find(|name| !is_there(name)) {
            let names: Vec<_> = all.iter().filter_map(|account| account["name"].as_str()).collect();
            bail!("there is no account named {unknown}; there are: {}", names.join(", "));
        }
        if all.is_empty() {
            bail!("there are no accounts; add one: switchboard account add NAME");
        }
        let is_wanted = |account: &Value| {
            self.names.is_empty() || self.names.iter().any(|name| account["name"] == name.as_str())
        };
        Ok(all.into_iter().filter(is_wanted).collect())
    }
}

/// How far an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is not ready to work.
    NotReady,
    /// It works, and its dialogs are read for the first time.
    Reading {
        read: u64,
        /// The total, if Telegram has said it.
        of: Option<u64>,
    },
    /// There is nothing to wait for.
    Ready,
}

impl Stage {
    fn of(account: &Value) -> Self {
        if account["state"] != "ready" {
            return Self::NotReady;
        }
        if account["dialogs_complete"] == true {
            return Self::Ready;
        }
        let of = account["dialogs_total"].as_u64();
        let read = account["dialogs_read"].as_u64().unwrap_or_default();
        Self::Reading { read: of.map_or(read, |of| read.min(of)), of }
    }

    /// Progress in tenths, a line each.
    fn milestone(self) -> u64 {
        match self {
            Self::NotReady => 0,
            Self::Reading { read, of } => {
                1 + of.and_then(|of| (read * 10).checked_div(of)).unwrap_or_default()
            }
            Self::Ready => 12,
        }
    }
}

/// How an account is, in words.
fn words(account: &Value) -> String {
    match Stage::of(account) {
        Stage::NotReady => {
            let text = |field: &str| account[field].as_str().filter(|text| !text.is_empty());
            let state = text("state").unwrap_or("unknown");
            let more = text("advice").or_else(|| text("detail")).or_else(|| text("reason"));
            more.map_or_else(|| state.to_owned(), |more| format!("{state}: {more}"))
        }
        Stage::Reading { read, of: Some(of) } => format!("{} of {} dialogs", grouped(read), grouped(of)),
        Stage::Reading { of: None, .. } => "ready, its dialogs are to be read".to_owned(),
        Stage::Ready => {
            format!("ready, {} dialogs", grouped(account["dialogs_read"].as_u64().unwrap_or_default()))
        }
    }
}

fn line(account: &Value) -> String {
    format!("{}: {}", account["name"].as_str().unwrap_or_default(), words(account))
}

/// What a program may want to know of an account.
fn view(account: &Value) -> Value {
    let mut view = json!({ "ready": Stage::of(account) == Stage::Ready });
    for field in
        ["name", "state", "reason", "detail", "advice", "dialogs_complete", "dialogs_read", "dialogs_total"]
    {
        view[field] = account[field].clone();
    }
    view
}

/// What was shown so far: a bar for each account at a terminal, lines elsewhere.
struct Shown {
    bars: Bars,
    json: bool,
    each: HashMap<String, ProgressBar>,
    printed: HashMap<String, (Value, u64)>,
}

impl Shown {
    fn new(json: bool) -> Self {
        Self { bars: Bars::new(json), json, each: HashMap::new(), printed: HashMap::new() }
    }

    fn show(&mut self, accounts: &[Value]) {
        for account in accounts {
            let name = account["name"].as_str().unwrap_or_default().to_owned();
            let stage = Stage::of(account);
            if self.bars.are_shown() {
                let bar = self.each.entry(name).or_insert_with_key(|name| self.bars.count(name));
                match stage {
                    Stage::Reading { read, of: Some(of) } => bars::show(bar, read, Some(of), "dialogs"),
                    _ => bars::show(bar, 0, None, &words(account)),
                }
            } else if !self.json {
                let now = (account["state"].clone(), stage.milestone());
                if self.printed.insert(name, now.clone()).as_ref() != Some(&now) {
                    say!("{}", line(account));
                }
            }
        }
    }

    fn ends(&self) {
        self.each.values().for_each(ProgressBar::abandon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(state: &str, complete: bool, read: u64, total: Option<u64>) -> Value {
        json!({ "name": "main", "state": state, "advice": null, "detail": "no answer yet",
            "dialogs_complete": complete, "dialogs_read": read, "dialogs_total": total })
    }

    #[test]
    fn an_account_is_waited_for_until_its_dialogs_are_read() {
        for (account, stage, words_of_it) in [
            (account("connecting", true, 9, None), Stage::NotReady, "connecting: no answer yet"),
            (account("needs_login", false, 0, None), Stage::NotReady, "needs_login: no answer yet"),
            (
                account("ready", false, 3, None),
                Stage::Reading { read: 3, of: None },
                "ready, its dialogs are to be read",
            ),
            (
                account("ready", false, 1_200, Some(4_000)),
                Stage::Reading { read: 1_200, of: Some(4_000) },
                "1,200 of 4,000 dialogs",
            ),
            (
                account("ready", false, 5_000, Some(4_000)),
                Stage::Reading { read: 4_000, of: Some(4_000) },
                "4,000 of 4,000 dialogs",
            ),
            (account("ready", true, 4_000, None), Stage::Ready, "ready, 4,000 dialogs"),
        ] {
            assert_eq!((Stage::of(&account), words(&account).as_str()), (stage, words_of_it), "{account}");
        }
    }

    #[test]
    fn progress_in_lines_is_reported_in_tenths() {
        let at = |read| Stage::Reading { read, of: Some(1_000) }.milestone();
        assert_eq!((at(0), at(99), at(100), at(1_000)), (1, 1, 2, 11));
        assert_eq!(Stage::Reading { read: 5, of: Some(0) }.milestone(), 1);
        assert!(Stage::NotReady.milestone() < at(0) && at(1_000) < Stage::Ready.milestone());
    }
}
