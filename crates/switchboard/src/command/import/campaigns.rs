//! `import campaigns`: the database of the old tool, taken over so that no one is written to again after the switch.

use std::collections::{BTreeMap, BTreeSet};

use ::campaigns::{OLD_TABLES, OldCampaign, OldFound, OldRows, is_old_column};
use anyhow::{Context, bail};
use domain::{AccountName, SenderState, slug};
use hyper::Method;
use serde_json::{Value, json};
use store::{ForeignTables, read_foreign};

use crate::api_client::{ApiClient, ApiOptions};
use crate::bars::{self, Bars};
use crate::command::campaign::of;
use crate::table;
use crate::terminal::WrongUsage;

/// What the name of a sender begins with that is a browser profile.
const PROFILE: &str = "profile:";

/// Chats, and attempts, of one request.
const CHUNK: usize = 1000;

/// Where the old database is.
#[derive(clap::Args)]
pub(super) struct Campaigns {
    /// Its address: `postgres://USER:PASSWORD@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    from: String,
    /// An account, or a browser profile as profile:NAME, that sends for a profile of the old tool; may be given more than once
    #[arg(long, value_name = "PROFILE=ACCOUNT")]
    account: Vec<String>,
    /// Change nothing, say what would be taken over
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    options: ApiOptions,
}

impl Campaigns {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { from, account, dry_run, options } = self;
        let pairs = account.iter().map(|pair| {
            let pair = pair.split_once('=').map(|(old, new)| (old.to_owned(), new.to_owned()));
            pair.ok_or_else(|| WrongUsage("write --account PROFILE=ACCOUNT".to_owned()))
        });
        let pairs: BTreeMap<_, _> = pairs.collect::<Result<_, _>>()?;
        let (tables, found) = tokio::task::spawn_blocking(move || read(&from)).await??;
        if !tables
            .tables
            .iter()
            .any(|table| ["groups", "campaign_groups", "tasks"].contains(&table.name.as_str()))
        {
            bail!("the database has no tables of the old tool; it was asked for {}", OLD_TABLES.join(", "));
        }
        if found.campaigns.is_empty() {
            bail!("nothing in the old database can be used: it has no groups and no chats");
        }
        let api = ApiClient::open(&options.location).await?;
        let bars = Bars::new(options.json);
        let taken = taken(&api, &found, &pairs, dry_run, &bars).await;
        let proxies = match &taken {
            Ok(_) => proxies(&api, &found, dry_run).await,
            Err(_) => Ok(Value::Null),
        };
        api.close().await;
        let (items, proxies) = (taken?, proxies?);
        let mut puzzles = found.not_understood;
        for table in &tables.tables {
            for column in table.columns.iter().filter(|column| !is_old_column(column)) {
                puzzles.insert(format!("the column {}.{column}, which is left out", table.name), table.rows);
            }
        }
        let answer = json!({
            "items": items, "proxies": proxies, "dry_run": dry_run, "not_understood": puzzles,
            "tables": tables.tables.iter().map(|table| json!({ "name": table.name, "rows": table.rows })).collect::<Vec<_>>(),
        });
        options.print(&answer, || summary(&items, &proxies, &puzzles, dry_run));
        Ok(())
    }
}

fn read(from: &str) -> anyhow::Result<(ForeignTables, OldFound)> {
    let mut rows = OldRows::default();
    let tables = read_foreign(from, &OLD_TABLES, |row| {
        rows.utc_offset = row.utc_offset;
        rows.take(row.table, &row.columns);
    })
    .context("the old database cannot be read")?;
    Ok((tables, rows.found()))
}

/// Takes one campaign after the other over; returns the result of each.
async fn taken(
    api: &ApiClient,
    found: &OldFound,
    pairs: &BTreeMap<String, String>,
    dry_run: bool,
    bars: &Bars,
) -> anyhow::Result<Vec<Value>> {
    let mut senders = BTreeSet::new();
    for (path, prefix) in [("/v1/accounts", ""), ("/v1/campaign-profiles", PROFILE)] {
        let known = api.list(path).await?;
        senders.extend(known.iter().filter_map(|one| Some(format!("{prefix}{}", one["name"].as_str()?))));
    }
    if let Some(unknown) = pairs.values().find(|name| !senders.contains(*name)) {
        let why =
            format!("--account names {unknown}, which is neither an account here nor a browser profile");
        return Err(WrongUsage(why).into());
    }
    let sender_of = |profile: &str| -> Option<String> {
        let name = slug(profile);
        let alike = [format!("{PROFILE}{profile}"), format!("{PROFILE}{name}"), name];
        let mut named = pairs.get(profile).cloned().into_iter().chain(alike.into_iter().rev());
        named.find(|name| senders.contains(name))
    };
    let known = api.list("/v1/campaigns").await?;
    let mut names = BTreeSet::new();
    let mut rows = Vec::new();
    for old in &found.campaigns {
        let name = free_name(&mut names, &old.name);
        let takeover = Takeover { api, old, name: &name, stopped: &found.stopped, sender_of: &sender_of };
        let (senders, others): (Vec<_>, Vec<_>) =
            old.profiles.iter().partition(|profile| sender_of(profile).is_some());
        let stopped = old.profiles.iter().filter_map(|profile| Some((profile, found.stopped.get(profile)?)));
        let stopped: BTreeMap<_, _> = stopped.map(|(profile, state)| (profile, state.as_str())).collect();
        let mut row = json!({
            "name": name, "group": old.name, "cycle": old.cycle, "chats": old.tasks.len(),
            "written": old.tasks.iter().filter(|task| task.is_written).count(),
            "blocked": old.tasks.iter().filter(|task| task.blocked.is_some()).count(),
            "attempts": old.attempts.len(), "messages": old.messages.len(),
            "profiles": senders, "profiles_without_account": others, "stopped": stopped,
        });
        if !dry_run {
            let is_known = known.iter().any(|campaign| campaign["name"] == name.as_str());
            let new = takeover
                .run(is_known, &bars.count(&name))
                .await
                .with_context(|| format!("campaign {name}"))?;
            row["new_chats"] = new[0].into();
            row["new_attempts"] = new[1].into();
        }
        rows.push(row);
    }
    Ok(rows)
}

/// One campaign on its way.
struct Takeover<'a> {
    api: &'a ApiClient,
    old: &'a OldCampaign,
    name: &'a str,
    stopped: &'a BTreeMap<String, SenderState>,
    /// The account that sends for a profile of the old tool, or the browser profile.
    sender_of: &'a dyn Fn(&str) -> Option<String>,
}

impl Takeover<'_> {
    /// Makes the campaign where it is not there and fills it; how many chats and attempts are new.
    async fn run(&self, is_known: bool, bar: &indicatif::ProgressBar) -> anyhow::Result<[u64; 2]> {
        let Self { api, old, name, .. } = self;
        if !is_known {
            // Names that differ in their case alone are one title.
            let title = if *name == slug(&old.name) { &old.name } else { *name };
            api.call(Method::POST, "/v1/campaigns", Some(&json!({ "name": name, "title": title }))).await?;
        }
        let senders: BTreeSet<_> =
            old.profiles.iter().filter_map(|profile| (self.sender_of)(profile)).collect();
        let profiles: Vec<_> = senders.iter().filter_map(|name| name.strip_prefix(PROFILE)).collect();
        let accounts: Vec<_> = senders.iter().filter(|name| !name.starts_with(PROFILE)).collect();
        if !senders.is_empty() {
            let body = json!({ "accounts": accounts, "profiles": profiles });
            api.call(Method::POST, &of(name, "/senders"), Some(&body)).await?;
        }
        if !old.messages.is_empty() {
            let messages: Vec<_> = old.messages.iter().map(|message| {
                json!({ "text": message.text, "weight": message.weight.min(1000), "active": message.is_active })
            }).collect();
            let body = json!({ "file": json!(messages).to_string() });
            api.call(Method::POST, &of(name, "/messages"), Some(&body)).await?;
        }
        let mut new = [0, 0];
        let mut history = self.first();
        let mut chats = old.tasks.chunks(CHUNK);
        let mut attempts = old.attempts.chunks(CHUNK);
        let mut done = 0;
        loop {
            let (chats, attempts) = (chats.next(), attempts.next());
            if let (None, None, true) = (chats, attempts, history["messages"].is_null()) {
                break;
            }
            done += chats.map_or(0, <[_]>::len);
            history["chats"] = chats
                .unwrap_or_default()
                .iter()
                .map(|task| {
                    json!({
                        "chat": task.chat.to_string(), "cycles": task.cycles, "blocked": task.blocked,
                        "next_at": task.next_at, "written": task.is_written,
                    })
                })
                .collect();
            history["attempts"] = attempts.unwrap_or_default().iter().map(|attempt| json!({
                "key": attempt.key, "chat": attempt.chat.to_string(), "account": self.sender(&attempt.profile),
                "state": attempt.state.as_str(), "reason": attempt.code, "at": attempt.at, "cycle": attempt.cycle,
            })).collect();
            let answer = api.call(Method::POST, &of(name, "/history"), Some(&history)).await?;
            for (count, field) in new.iter_mut().zip(["chats", "attempts"]) {
                *count += answer[field].as_u64().unwrap_or(0);
            }
            bars::show(bar, done as u64, Some(old.tasks.len() as u64), "chats are taken over");
            history = json!({ "cycle": old.cycle });
        }
        bar.finish_and_clear();
        Ok(new)
    }

    /// What a history begins with: how often messages were sent, and who must not send.
    fn first(&self) -> Value {
        let uses = self
            .old
            .messages
            .iter()
            .map(|message| json!({ "text": message.text, "usage_count": message.uses }));
        let stopped = self.old.profiles.iter().filter_map(|profile| {
            let (account, state) = ((self.sender_of)(profile)?, self.stopped.get(profile)?);
            Some(json!({ "account": account, "state": state.as_str() }))
        });
        json!({
            "cycle": self.old.cycle, "messages": uses.collect::<Vec<_>>(), "stopped": stopped.collect::<Vec<_>>(),
        })
    }

    /// The sender of an attempt: that of its profile, or an account of the profile's own name.
    fn sender(&self, profile: &str) -> String {
        (self.sender_of)(profile).unwrap_or_else(|| {
            let name = slug(profile);
            if name.parse::<AccountName>().is_ok() { name } else { "old_profile".to_owned() }
        })
    }
}

/// A name of ours for a name of theirs, which no other one has.
fn free_name(taken: &mut BTreeSet<String>, given: &str) -> String {
    let name = Some(slug(given)).filter(|name| !name.is_empty()).unwrap_or_else(|| "campaign".to_owned());
    let numbered = (2_u32..).map(|number| format!("{}_{number}", name.chars().take(60).collect::<String>()));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.unwrap_or(name);
    taken.insert(free.clone());
    free
}

/// Takes the proxies over; returns the result.
async fn proxies(api: &ApiClient, found: &OldFound, dry_run: bool) -> anyhow::Result<Value> {
    if found.proxies.is_empty() {
        return Ok(Value::Null);
    }
    let lines: Vec<_> = found.proxies.iter().map(domain::Words::as_str).collect();
    let path = format!("/v1/campaign-proxies?dry_run={dry_run}");
    api.call(Method::POST, &path, Some(&json!({ "file": lines.join("\n") }))).await.context("the proxies")
}

fn summary(items: &[Value], proxies: &Value, puzzles: &BTreeMap<String, u64>, dry_run: bool) -> String {
    let columns = [
        ("CAMPAIGN", "name"),
        ("GROUP", "group"),
        ("CYCLE", "cycle"),
        ("CHATS", "chats"),
        ("WRITTEN TO", "written"),
        ("BLOCKED", "blocked"),
        ("ATTEMPTS", "attempts"),
        ("MESSAGES", "messages"),
        ("ACCOUNTS", "profiles"),
        ("NO ACCOUNTS", "profiles_without_account"),
    ];
    let mut text = table::of(items, columns).to_string();
    if !proxies.is_null() {
        let [added, known, wrong] =
            ["added", "known", "wrong_count"].map(|field| table::cell(proxies, field));
        text.extend([format!("\nProxies: {added} new, {known} known, {wrong} cannot be used.")]);
    }
    let alone: BTreeSet<_> = items
        .iter()
        .flat_map(|item| item["profiles_without_account"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    for profile in alone {
        text.extend([format!(
            "\nThe browser of profile {profile} cannot be driven from here: log in again in a new profile \
             (`switchboard campaign profiles add NAME`) and name it with --account {profile}=profile:NAME, or an account \
             with --account {profile}=ACCOUNT."
        )]);
    }
    let stopped = items.iter().flat_map(|item| item["stopped"].as_object().into_iter().flatten());
    for (profile, state) in stopped.collect::<BTreeMap<_, _>>() {
        text.extend([match state.as_str() {
            Some("blocked") => format!(
                "\nThe old tool has profile {profile} as blocked: look at its user in Telegram before you unblock its sender."
            ),
            _ => format!("\nThe old tool has profile {profile} as logged out."),
        }]);
    }
    for (what, count) in puzzles {
        text.extend(["\nNot understood: ", what, " (", &count.to_string(), " rows)."]);
    }
    text.push_str(if dry_run {
        "\nNothing was changed."
    } else {
        "\nThe runs are paused in the cycle that the old tool is in. Stop the old tool, import once more, then \
         `switchboard campaign start NAME` goes on and writes to no one of that cycle again."
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_with_names_alike_become_two_campaigns() {
        let mut taken = BTreeSet::new();
        let named: Vec<_> =
            ["Весна", "Осень", "Spring 1", "весна!"].iter().map(|name| free_name(&mut taken, name)).collect();
        assert_eq!(named, ["vesna", "osen", "spring_1", "vesna_2"]);
    }
}
