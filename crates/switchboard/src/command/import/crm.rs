//! `import crm`: the clients, appeals and history of an older program, taken over row by row, and taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::pipeline::old_database::{NO_ACCOUNT, OLD_TABLES, OldItem, OldRows, is_old_column};
use ambient::Clock;
use anyhow::{Context, bail};
use domain::AccountName;
use hyper::Method;
use serde_json::{Map, Value, json};
use store::{ForeignTables, TELEGRAM_ACCOUNT, read_foreign};
use tokio::sync::mpsc;

use crate::api_client::{ApiClient, ApiOptions};
use crate::bars::{self, Bars, grouped};
use crate::table;
use crate::terminal::WrongUsage;

/// Rows of one request, and about how many bytes of them at most.
const CHUNK: usize = 500;
const CHUNK_BYTES: usize = 256 * 1024;
/// What has no time of its own is dated so long before the import.
const UNDATED: Duration = Duration::from_mins(10);
/// What the API says of rows.
const COUNTED: [&str; 9] =
    ["clients", "joined", "made", "appeals", "changed", "messages", "merges", "known", "left"];

/// Where the old database is.
#[derive(clap::Args)]
pub(super) struct Crm {
    /// Its address: `postgres://USER:PASSWORD@HOST/DATABASE`
    #[arg(long, value_name = "URL", required_unless_present = "undo")]
    from: Option<String>,
    /// The account of this program that has a channel of the old one; may be given more than once
    #[arg(long, value_name = "CHANNEL=ACCOUNT")]
    account: Vec<String>,
    /// A phone number tells who someone is, also where no provider vouches for it
    #[arg(long)]
    trust_phones: bool,
    /// Change nothing, say what would be taken over
    #[arg(long)]
    dry_run: bool,
    /// Undo a run; what clients wrote since stays
    #[arg(long, value_name = "RUN", conflicts_with_all = ["from", "account", "trust_phones", "dry_run"])]
    undo: Option<String>,
    #[command(flatten)]
    options: ApiOptions,
}

/// Rows on their way from the old database.
type Chunk = BTreeMap<&'static str, Vec<Value>>;

impl Crm {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { from, account, trust_phones, dry_run, undo, options } = self;
        let api = ApiClient::open(&options.location).await?;
        let bars = Bars::new(options.json);
        let came = match (undo, from) {
            (Some(run), _) => undone(&api, &run, &bars).await,
            (None, Some(from)) => {
                let taken = accounts(&api, &account).await;
                match taken {
                    Ok(accounts) => {
                        let old = OldRows::new(accounts, trust_phones, Clock::system().now().minus(UNDATED));
                        taken_over(&api, &from, old, dry_run, &bars).await
                    }
                    Err(error) => Err(error),
                }
            }
            (None, None) => Err(WrongUsage("name the old database with --from".to_owned()).into()),
        };
        api.close().await;
        let answer = came?;
        options.print(&answer, || summary(&answer));
        Ok(())
    }
}

/// The account for each channel: as named, or the only one there is.
async fn accounts(api: &ApiClient, named: &[String]) -> anyhow::Result<BTreeMap<String, AccountName>> {
    let mut known: BTreeMap<String, Vec<AccountName>> = BTreeMap::new();
    for channel in api.list("/v1/channels").await? {
        let pair =
            channel["channel"].as_str().zip(channel["name"].as_str().and_then(|name| name.parse().ok()));
        if let Some((channel, name)) = pair {
            known.entry(channel.to_owned()).or_default().push(name);
        }
    }
    for account in api.list("/v1/accounts").await? {
        if let Some(name) = account["name"].as_str().and_then(|name| name.parse().ok()) {
            known.entry(TELEGRAM_ACCOUNT.to_owned()).or_default().push(name);
        }
    }
    let mut accounts = BTreeMap::new();
    for (channel, names) in &known {
        if let [only] = names.as_slice() {
            accounts.insert(channel.clone(), only.clone());
        }
    }
    for pair in named {
        let (channel, name) = pair
            .split_once('=')
            .ok_or_else(|| WrongUsage("write --account CHANNEL=ACCOUNT, such as avito=shop".to_owned()))?;
        let name: AccountName =
            name.parse().map_err(|error| WrongUsage(format!("--account {pair}: {error}")))?;
        if !known.get(channel).is_some_and(|names| names.contains(&name)) {
            let why = format!("--account names {name}, which is no account of {channel} here");
            return Err(WrongUsage(why).into());
        }
        accounts.insert(channel.to_owned(), name);
    }
    Ok(accounts)
}

async fn taken_over(
    api: &ApiClient,
    from: &str,
    old: OldRows,
    dry_run: bool,
    bars: &Bars,
) -> anyhow::Result<Value> {
    // A few requests ahead: the old database is read no faster than rows are taken.
    let (sender, mut chunks) = mpsc::channel::<Chunk>(2);
    let (address, source) = (from.to_owned(), source(from));
    let reading = tokio::task::spawn_blocking(move || read(&address, old, &sender));
    let bar = bars.count("clients");
    let mut run: Option<Value> = None;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut seen, mut failed) = (0_u64, None);
    while let Some(chunk) = chunks.recv().await {
        seen += chunk.values().map(Vec::len).sum::<usize>() as u64;
        if !dry_run {
            match take(api, &mut run, &source, &chunk).await {
                Ok(answer) => {
                    for field in COUNTED {
                        *counts.entry(field).or_default() += answer[field].as_u64().unwrap_or(0);
                    }
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        bars::show(&bar, seen, None, &format!("{} rows are read", grouped(seen)));
    }
    drop(chunks);
    bar.finish_and_clear();
    let (tables, old) = reading.await??;
    if let Some(error) = failed {
        let again = "what was taken over so far stays; the same command goes on";
        return Err(error.context(again));
    }
    if !tables.tables.iter().any(|table| ["clients", "appeals"].contains(&table.name.as_str())) {
        bail!("the database has no tables of the old program; it was asked for {}", OLD_TABLES.join(", "));
    }
    let mut puzzles = old.not_understood;
    for table in &tables.tables {
        for column in table.columns.iter().filter(|column| !is_old_column(column)) {
            puzzles.insert(format!("the column {}.{column}, which is left out", table.name), table.rows);
        }
    }
    let statuses: BTreeMap<_, _> = old
        .statuses
        .iter()
        .map(|(status, (state, count))| {
            (status.as_str(), json!({ "state": state.as_str(), "appeals": count }))
        })
        .collect();
    let channels: Vec<_> = old
        .channels
        .iter()
        .map(|(channel, rows)| {
            let account = old.accounts.get(channel).map_or(NO_ACCOUNT, AccountName::as_str);
            json!({ "channel": channel, "account": account, "rows": rows })
        })
        .collect();
    Ok(json!({
        "run": run.as_ref().map(|run| &run["id"]), "dry_run": dry_run, "taken": counts, "statuses": statuses,
        "channels": channels, "without_account": old.without_account, "not_understood": puzzles,
        "tables": tables.tables.iter().map(|table| json!({ "name": table.name, "rows": table.rows })).collect::<Vec<_>>(),
    }))
}

/// Hands a chunk to the API; the first one begins the run.
async fn take(
    api: &ApiClient,
    run: &mut Option<Value>,
    source: &str,
    chunk: &Chunk,
) -> anyhow::Result<Value> {
    let begun = if let Some(begun) = run.take() {
        begun
    } else {
        api.call(Method::POST, "/v1/client-imports", Some(&json!({ "source": source }))).await?
    };
    let path = format!("/v1/client-imports/{}/rows", begun["id"].as_str().unwrap_or_default());
    *run = Some(begun);
    api.call(Method::POST, &path, Some(&json!(chunk))).await
}

/// Reads the old database to its end, or until no one takes its rows any more.
fn read(
    from: &str,
    mut old: OldRows,
    sender: &mpsc::Sender<Chunk>,
) -> anyhow::Result<(ForeignTables, OldRows)> {
    let mut chunk = Chunk::new();
    let (mut rows, mut bytes, mut filling) = (0, 0, "");
    let tables = read_foreign(from, &OLD_TABLES, |row| {
        old.utc_offset = row.utc_offset;
        if sender.is_closed() {
            return;
        }
        let size = |columns: &Map<String, Value>| -> usize {
            columns.values().map(|value| value.as_str().map_or(16, str::len)).sum()
        };
        let row_bytes = size(&row.columns);
        let Some((list, item)): Option<OldItem> = old.take(row.table, &row.columns) else { return };
        // What names other rows comes after them.
        if list != filling || rows >= CHUNK || bytes + row_bytes > CHUNK_BYTES {
            let full = std::mem::take(&mut chunk);
            if !full.is_empty() {
                // Who no longer listens has said why.
                let _ = sender.blocking_send(full);
            }
            (rows, bytes, filling) = (0, 0, list);
        }
        chunk.entry(list).or_default().push(item);
        rows += 1;
        bytes += row_bytes;
    })
    .context("the old database cannot be read")?;
    if !chunk.is_empty() {
        let _ = sender.blocking_send(chunk);
    }
    Ok((tables, old))
}

/// The address without who asks.
fn source(from: &str) -> String {
    let rest = from.split_once("://").map_or(from, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    place.chars().take(200).collect()
}

async fn undone(api: &ApiClient, run: &str, bars: &Bars) -> anyhow::Result<Value> {
    let bar = bars.count("undo");
    let path = format!("/v1/client-imports/{run}/undo");
    let (mut removed, mut kept) = (0, 0);
    loop {
        let answer = api.call(Method::POST, &path, None).await?;
        removed += answer["removed"].as_u64().unwrap_or(0);
        kept += answer["kept"].as_u64().unwrap_or(0);
        bars::show(&bar, removed, None, &format!("{} rows are undone", grouped(removed)));
        if answer["finished"] != json!(false) {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(json!({ "run": run, "undone": true, "removed": removed, "kept": kept }))
}

fn summary(answer: &Value) -> String {
    if answer["undone"] == json!(true) {
        let [removed, kept] = ["removed", "kept"].map(|field| grouped(answer[field].as_u64().unwrap_or(0)));
        return format!(
            "Undone: {removed} rows are gone or as they were. {kept} clients, chats and appeals stay, in which something has been \
             written since."
        );
    }
    let items = |field: &str| answer[field].as_array().cloned().unwrap_or_default();
    let mut text = table::of(&items("tables"), [("TABLE", "name"), ("ROWS", "rows")]).to_string();
    let statuses = answer["statuses"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(status, is)| json!({ "status": status, "state": is["state"], "appeals": is["appeals"] }));
    let statuses: Vec<_> = statuses.collect();
    if !statuses.is_empty() {
        let columns = [("STATUS", "status"), ("IS", "state"), ("APPEALS", "appeals")];
        text.extend(["\n", &table::of(&statuses, columns).to_string()]);
    }
    let channels = items("channels");
    if !channels.is_empty() {
        let columns = [("CHANNEL", "channel"), ("ACCOUNT", "account"), ("ROWS", "rows")];
        text.extend(["\n", &table::of(&channels, columns).to_string()]);
    }
    let alone: BTreeSet<_> =
        items("without_account").iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    for channel in alone {
        text.extend([format!(
            "\n{channel} has no account here, or several: its chats stand under {NO_ACCOUNT} and cannot be answered until their \
             clients write. Name one with --account {channel}=ACCOUNT."
        )]);
    }
    for (what, count) in answer["not_understood"].as_object().into_iter().flatten() {
        text.extend([format!("\nNot understood: {what} ({count} rows).")]);
    }
    if answer["dry_run"] == json!(true) {
        text.push_str("\nNothing was changed.");
        return text;
    }
    let taken = |field: &str| grouped(answer["taken"][field].as_u64().unwrap_or(0));
    text.extend([format!(
        "\nNew: {} clients, {} appeals, {} messages, {} merges. {} clients wrote here before and have their old ids now; {} appeals \
         moved on; {} clients were made for appeals without one. {} rows were known, {} are left out.",
        taken("clients"), taken("appeals"), taken("messages"), taken("merges"), taken("joined"), taken("changed"),
        taken("made"), taken("known"), taken("left"),
    )]);
    if let Some(run) = answer["run"].as_str() {
        text.extend([format!(
            "\nNothing is answered because of it. Stop the old program, import once more, and undo a run with \
             `switchboard import crm --undo {run}`."
        )]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_no_password() {
        for (from, expected) in [
            ("postgres://reader:pass@old.example.com/crm?sslmode=require", "old.example.com/crm"),
            ("postgres://old.example.com/crm", "old.example.com/crm"),
        ] {
            assert_eq!(source(from), expected);
        }
    }
}
