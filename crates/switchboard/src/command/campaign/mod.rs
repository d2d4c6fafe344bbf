//! `switchboard campaign`: messages to lists of chats.

mod choice;
mod data;
mod follow;
mod old_files;
mod profiles;
mod start;
mod sync;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, bail};
use clap::Subcommand;
use hyper::Method;
use serde_json::{Map, Value, json};

use crate::api_client::{ApiClient, ApiOptions};
use crate::bars::{self, Bars};
use crate::table::{self, cell};
use crate::terminal::confirm;

pub(crate) use follow::Frozen;

const PATH: &str = "/v1/campaigns";

/// How often it is looked how far an import is.
const LOOK: Duration = Duration::from_secs(1);

/// The greatest file that is read.
const LARGEST: u64 = 60 * 1024 * 1024;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Campaign {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make all ready for campaigns and say what comes next
    #[command(after_help = "Examples:\n  switchboard campaign init")]
    Init(ApiOptions),
    /// Create, list, show, fill, reset and delete campaigns
    #[command(
        subcommand,
        after_help = "Examples:\n  switchboard campaign groups list\n  switchboard campaign groups create spring"
    )]
    Groups(Groups),
    /// Add an account or a browser profile that sends for a campaign
    #[command(after_help = "Examples:\n  switchboard campaign add-profile spring main\n  \
            switchboard campaign add-profile spring profile:shop-1")]
    AddProfile {
        /// The campaign
        group: String,
        /// The account, or profile:NAME
        account: String,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// List the accounts that send for a campaign
    #[command(after_help = "Examples:\n  switchboard campaign list-profiles spring")]
    ListProfiles(One),
    /// List, set up, log in, test and remove browsers that send for campaigns
    #[command(subcommand, after_help = "Examples:\n  switchboard campaign profiles add shop-1")]
    Profiles(profiles::Profiles),
    /// List, add, test and remove the proxies of browser profiles
    #[command(subcommand, after_help = "Examples:\n  switchboard campaign proxies list")]
    Proxies(profiles::Proxies),
    /// Add the proxies of a file, like `proxies import`
    #[command(after_help = "Examples:\n  switchboard campaign import-proxies proxies.txt")]
    ImportProxies(profiles::ImportProxies),
    /// Add the chats of a file to a campaign: one a line, or a table with a column `chat`, whose other columns are variables
    #[command(after_help = "Examples:\n  switchboard campaign import-chats chats.txt --group spring\n  \
            switchboard campaign import-chats chats.csv --group spring --dry-run")]
    ImportChats(Import),
    /// Add the messages of a file to a campaign: JSON, or texts separated by lines of ---
    #[command(after_help = "Examples:\n  switchboard campaign import-messages messages.json --group spring")]
    ImportMessages(Import),
    /// Make the messages of a file the only ones in use, in one campaign or in all
    #[command(
        after_help = "The file is a list of messages, for every campaign, or an object with a list for each name of a campaign. \
            Messages that it lacks are not in use any more and keep their counts.\n\nExamples:\n  \
            switchboard campaign sync spring\n  switchboard campaign sync --all --from messages.json --dry-run"
    )]
    Sync(sync::Sync),
    /// Make or fill the campaigns of a `groups.json` of the old tool
    #[command(
        after_help = "A profile that is no account and no browser profile here is named and left out. It may be repeated.\n\nExamples:\n  \
            switchboard campaign import-groups groups.json --dry-run\n  \
            switchboard campaign import-groups groups.json"
    )]
    ImportGroups {
        /// The file
        file: PathBuf,
        /// Change nothing, say what the file has
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Take over the limits of a `config.yaml` of the old tool
    #[command(after_help = "Examples:\n  switchboard campaign import-config config.yaml --group spring")]
    ImportConfig(Import),
    /// List the chats of a campaign
    #[command(after_help = "Examples:\n  switchboard campaign tasks spring\n  \
            switchboard campaign tasks spring --json")]
    Tasks(OneOrChosen),
    /// List the messages of a campaign, with how often each was sent
    #[command(after_help = "Examples:\n  switchboard campaign messages spring")]
    Messages(One),
    /// Show what came of the latest run of a campaign, or of each
    #[command(after_help = "Examples:\n  switchboard campaign stats spring\n  switchboard campaign stats")]
    Stats {
        /// One campaign; all of them without
        group: Option<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// List the attempts of the latest run: who got what, and who did not and why
    #[command(after_help = "Examples:\n  switchboard campaign log spring\n  \
            switchboard campaign log spring --state failed\n  switchboard campaign log spring --kind failed_chats")]
    Log {
        /// The campaign
        group: String,
        /// Only those in this state: sent, failed, skipped, unknown or claimed
        #[arg(long)]
        state: Option<String>,
        /// Only those of this log: `main`, `success`, `failed_chats` or `failed_send`
        #[arg(long)]
        kind: Option<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Start a campaign and follow it; needs a running server
    #[command(
        after_help = "Goes on with the run that is not over. Ctrl+C pauses it and waits for what is under way.\n\
            Exit codes: 0 it is over or paused, 1 failed, 2 no server runs, 3 no account may send any more.\n\n\
            Examples:\n  switchboard campaign start spring --limit 5\n  switchboard campaign start spring --workers 2\n  \
            switchboard campaign start spring --detach\n  switchboard campaign start spring --dry-run"
    )]
    Start(start::Start),
    /// Pause the run of a campaign; what is under way is finished
    #[command(after_help = "Examples:\n  switchboard campaign pause spring")]
    Pause(One),
    /// Go on with a paused run, at the very chat where it was
    #[command(after_help = "Examples:\n  switchboard campaign resume spring")]
    Resume(One),
    /// End the run of a campaign; what is under way is finished
    #[command(after_help = "Examples:\n  switchboard campaign stop spring")]
    Stop(One),
    /// Show how far campaigns are
    #[command(after_help = "Examples:\n  switchboard campaign status\n  switchboard campaign status spring")]
    Status {
        /// One campaign; all of them without
        group: Option<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Remove the chats and messages of a campaign, or of all; settings stay, and what was sent stays on record
    #[command(
        after_help = "Examples:\n  switchboard campaign clear spring --yes\n  switchboard campaign clear --yes"
    )]
    Clear(data::Clear),
    /// Delete all campaigns; what they sent stays on record
    #[command(after_help = "Examples:\n  switchboard campaign reset --yes")]
    Reset(data::Reset),
    /// Take the blocks from the chats and accounts of a campaign, or from one of them
    #[command(after_help = "Examples:\n  switchboard campaign unblock spring\n  \
            switchboard campaign unblock spring --chat @client_1\n  \
            switchboard campaign unblock spring --account profile:shop-1")]
    Unblock {
        /// The campaign
        group: String,
        /// Only this chat
        #[arg(long, value_name = "CHAT")]
        chat: Option<String>,
        /// Only this account, or profile: and the name of a browser profile
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
}

#[derive(Subcommand)]
enum Groups {
    /// Create a campaign; it sends nothing before it is started
    #[command(after_help = "Examples:\n  switchboard campaign groups create spring\n  \
            switchboard campaign groups create spring --per-hour 20 --hours \"09:00-21:00 Europe/Moscow\"")]
    Create {
        /// Its name
        group: String,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Change settings of a campaign
    #[command(after_help = "Examples:\n  switchboard campaign groups change spring --cycles 3")]
    Change {
        /// The campaign
        group: String,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// List the campaigns
    #[command(after_help = "Examples:\n  switchboard campaign groups list")]
    List(ApiOptions),
    /// Show a campaign
    #[command(after_help = "Examples:\n  switchboard campaign groups show spring")]
    Show(One),
    /// Delete a campaign that does not run; what it sent stays on record
    #[command(after_help = "Examples:\n  switchboard campaign groups delete spring --yes")]
    Delete {
        /// The campaign
        group: String,
        /// Without asking
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Take the blocks from a campaign's chats and accounts, like `unblock`
    #[command(after_help = "Examples:\n  switchboard campaign groups reset spring")]
    Reset(One),
    /// Add accounts that send for a campaign
    #[command(after_help = "Examples:\n  switchboard campaign groups add-profiles spring main backup_1")]
    AddProfiles {
        /// The campaign
        group: String,
        /// The accounts
        #[arg(required = true)]
        accounts: Vec<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Add messages to a campaign
    #[command(
        after_help = "Examples:\n  switchboard campaign groups add-messages spring \"Hello {name}\" \"Good day\""
    )]
    AddMessages {
        /// The campaign
        group: String,
        /// The texts
        #[arg(required = true)]
        texts: Vec<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
}

/// Settings of a campaign.
#[derive(clap::Args)]
struct Settings {
    /// Messages of one account within any hour, 60 at most
    #[arg(long)]
    per_hour: Option<u32>,
    /// Messages of one account within any 24 hours, 500 at most
    #[arg(long)]
    per_day: Option<u32>,
    /// How often a run goes through the chats, 100 at most
    #[arg(long)]
    cycles: Option<u32>,
    /// Seconds between two cycles
    #[arg(long)]
    between_cycles: Option<u32>,
    /// Seconds between two messages of one account, give or take a fifth
    #[arg(long)]
    delay: Option<u32>,
    /// How much of that delay chance adds or takes, 0 to 1; a fifth is 0.2
    #[arg(long)]
    jitter: Option<f64>,
    /// Hours in which it sends, such as '09:00-21:00 Europe/Moscow'; '' means always
    #[arg(long)]
    hours: Option<String>,
    /// How often a chat is tried again after a failure that says nothing about the chat
    #[arg(long)]
    retries: Option<u32>,
    /// How many accounts are at work at once; 0 means all of them
    #[arg(long)]
    workers: Option<u32>,
}

impl Settings {
    fn json(&self) -> Value {
        let given = [
            ("max_messages_per_hour", self.per_hour.map(Value::from)),
            ("max_messages_per_day", self.per_day.map(Value::from)),
            ("cycles", self.cycles.map(Value::from)),
            ("cycle_delay_seconds", self.between_cycles.map(Value::from)),
            ("delay_seconds", self.delay.map(Value::from)),
            ("delay_randomness", self.jitter.map(Value::from)),
            ("active_hours", self.hours.clone().map(Value::from)),
            ("retries", self.retries.map(Value::from)),
            ("workers", self.workers.map(Value::from)),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}

/// Which campaign.
#[derive(clap::Args)]
struct One {
    /// The campaign
    group: String,
    #[command(flatten)]
    options: ApiOptions,
}

/// Which campaign; chosen from a list at the terminal without.
#[derive(clap::Args)]
struct OneOrChosen {
    /// The campaign; chosen from a list at the terminal without
    group: Option<String>,
    #[command(flatten)]
    options: ApiOptions,
}

/// A file to be imported.
#[derive(clap::Args)]
struct Import {
    /// The file
    file: PathBuf,
    /// The campaign
    #[arg(long)]
    group: String,
    /// Change nothing, say what is wrong in the file
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    options: ApiOptions,
}

impl Campaign {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Init(options) => data::init(&options).await,
            Action::Groups(groups) => groups.run().await,
            Action::AddProfile { group, account, options } => {
                add_senders(&group, vec![account], &options).await
            }
            Action::Sync(sync) => sync.run().await,
            Action::Clear(clear) => clear.run().await,
            Action::Reset(reset) => reset.run().await,
            Action::ListProfiles(One { group, options }) => {
                let campaign = options.location.call(Method::GET, &of(&group, ""), None).await?;
                let senders = campaign["senders"].as_array().cloned().unwrap_or_default();
                let columns = [("ACCOUNT", "account"), ("STATE", "state"), ("WHY", "reason")];
                options.print_list(&senders, |rows| table::of(rows, columns).to_string());
                Ok(())
            }
            Action::Profiles(profiles) => profiles.run().await,
            Action::Proxies(proxies) => proxies.run().await,
            Action::ImportProxies(import) => import.run().await,
            Action::ImportChats(import) => import.run("tasks").await,
            Action::ImportMessages(import) => import.run("messages").await,
            Action::ImportGroups { file, dry_run, options } => {
                old_files::import_groups(&file, dry_run, &options).await
            }
            Action::ImportConfig(Import { file, group, dry_run, options }) => {
                let old_files::OldConfig { limits, left } = old_files::config(&read(&file)?)
                    .with_context(|| format!("{} cannot be used", file.display()))?;
                for name in left {
                    eprintln!("Not taken over: {name}.");
                }
                if dry_run {
                    options.print(&limits, || format!("It would set {limits}."));
                    return Ok(());
                }
                options.call(Method::PATCH, &of(&group, ""), Some(&limits), shown).await
            }
            Action::Tasks(OneOrChosen { group, options }) => {
                let api = ApiClient::open(&options.location).await?;
                let group = choice::chosen(&api, group).await;
                api.close().await;
                let group = group?;
                let columns = [
                    ("CHAT", "chat"),
                    ("STATE", "state"),
                    ("WHY", "reason"),
                    ("CYCLES", "cycles"),
                    ("NEXT", "next_at"),
                ];
                options.list(&of(&group, "/tasks?limit=500"), "The campaign has no chats.", columns).await
            }
            Action::Messages(One { group, options }) => {
                let columns = [
                    ("NUMBER", "number"),
                    ("TEXT", "text"),
                    ("WEIGHT", "weight"),
                    ("ACTIVE", "active"),
                    ("USED", "usage_count"),
                ];
                options.list(&of(&group, "/messages"), "The campaign has no messages.", columns).await
            }
            Action::Log { group, state, kind, options } => {
                let state = state.map(|state| format!("&state={state}")).unwrap_or_default();
                let kind = kind.map(|kind| format!("&log={kind}")).unwrap_or_default();
                let columns = [
                    ("CHAT", "chat"),
                    ("STATE", "state"),
                    ("WHY", "reason"),
                    ("ACCOUNT", "account"),
                    ("MESSAGE", "message_id"),
                    ("ENDED", "ended_at"),
                ];
                let path = of(&group, &format!("/attempts?limit=500{state}{kind}"));
                options.list(&path, "There were none.", columns).await
            }
            Action::Start(start) => start.run().await,
            Action::Pause(one) => one.post("/pause").await,
            Action::Resume(one) => one.post("/resume").await,
            Action::Stop(one) => one.post("/stop").await,
            Action::Stats { group: Some(group), options }
            | Action::Status { group: Some(group), options } => {
                options.call(Method::GET, &of(&group, ""), None, shown).await
            }
            Action::Stats { group: None, options } | Action::Status { group: None, options } => {
                list(&options).await
            }
            Action::Unblock { group, chat, account, options } => {
                let body = json!({ "chat": chat, "account": account });
                options.call(Method::POST, &of(&group, "/unblock"), Some(&body), shown).await
            }
        }
    }
}

impl Groups {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create { group, settings, options } => {
                let body = json!({ "name": group, "settings": settings.json() });
                options.call(Method::POST, PATH, Some(&body), shown).await
            }
            Self::Change { group, settings, options } => {
                options.call(Method::PATCH, &of(&group, ""), Some(&settings.json()), shown).await
            }
            Self::List(options) => list(&options).await,
            Self::Show(One { group, options }) => {
                options.call(Method::GET, &of(&group, ""), None, shown).await
            }
            Self::Delete { group, yes, options } => {
                if !yes {
                    confirm(&format!("Delete the campaign {group} with its chats and messages?")).await?;
                }
                options.location.call(Method::DELETE, &of(&group, ""), None).await?;
                options.print(&json!({ "deleted": group }), || format!("The campaign {group} is deleted."));
                Ok(())
            }
            Self::Reset(one) => one.post("/unblock").await,
            Self::AddProfiles { group, accounts, options } => add_senders(&group, accounts, &options).await,
            Self::AddMessages { group, texts, options } => {
                let body = json!({ "file": json!(texts).to_string() });
                options.call(Method::POST, &of(&group, "/messages"), Some(&body), imported).await
            }
        }
    }
}

impl One {
    async fn post(self, what: &str) -> anyhow::Result<()> {
        let Self { group, options } = self;
        options.call(Method::POST, &of(&group, what), None, shown).await
    }
}

impl Import {
    async fn run(self, what: &str) -> anyhow::Result<()> {
        let file = read(&self.file)?;
        let (lines, body) = (file.lines().count() as u64, json!({ "file": file }));
        let path = of(&self.group, &format!("/{what}?dry_run={}", self.dry_run));
        let api = ApiClient::open(&self.options.location).await?;
        let answer = self.watched(&api, &path, &body, lines).await;
        api.close().await;
        let answer = answer?;
        self.options.print(&answer, || imported(&answer));
        some_usable(&answer)
    }

    /// The call, with a bar of how many chats the campaign has meanwhile.
    async fn watched(&self, api: &ApiClient, path: &str, body: &Value, lines: u64) -> anyhow::Result<Value> {
        let bar = Bars::new(self.options.json).count(&self.group);
        let (clock, of) = (Clock::system(), of(&self.group, ""));
        let chats = async || {
            let campaign = api.call(Method::GET, &of, None).await;
            campaign.map_or(0, |campaign| campaign["chats"].as_u64().unwrap_or(0))
        };
        let before = chats().await;
        let call = api.call(Method::POST, path, Some(body));
        tokio::pin!(call);
        let answer = loop {
            tokio::select! {
                answer = &mut call => break answer,
                () = clock.sleep(LOOK) => {
                    bars::show(&bar, chats().await.saturating_sub(before), Some(lines), "lines are imported");
                }
            }
        };
        bar.finish_and_clear();
        answer
    }
}

/// The path of a campaign.
pub(crate) fn of(group: &str, rest: &str) -> String {
    format!("{PATH}/{}{rest}", encoded(group))
}

/// A name as a part of a path.
fn encoded(name: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC)
}

/// Adds accounts, and browser profiles by `profile:NAME`.
async fn add_senders(group: &str, senders: Vec<String>, options: &ApiOptions) -> anyhow::Result<()> {
    options.call(Method::POST, &of(group, "/senders"), Some(&named(&senders)), shown).await
}

/// The body that names accounts, and browser profiles by `profile:NAME`.
fn named(senders: &[String]) -> Value {
    let (profiles, accounts): (Vec<_>, Vec<_>) =
        senders.iter().map(String::as_str).partition(|name| name.starts_with("profile:"));
    let profiles: Vec<_> = profiles.iter().filter_map(|name| name.strip_prefix("profile:")).collect();
    json!({ "accounts": accounts, "profiles": profiles })
}

async fn list(options: &ApiOptions) -> anyhow::Result<()> {
    let api = ApiClient::open(&options.location).await?;
    let items = api.list(PATH).await;
    api.close().await;
    options.print_list(&items?, |items| {
        if items.is_empty() {
            return "There are no campaigns. `switchboard campaign groups create NAME` makes one.".to_owned();
        }
        let rows: Vec<_> = items.iter().map(row).collect();
        table::of(&rows, COLUMNS).to_string()
    });
    Ok(())
}

const COLUMNS: [(&str, &str); 9] = [
    ("CAMPAIGN", "name"),
    ("TITLE", "title"),
    ("STATE", "state"),
    ("WHY", "reason"),
    ("CYCLE", "cycle"),
    ("CHATS", "chats"),
    ("PENDING", "pending"),
    ("BLOCKED", "blocked"),
    ("SENT", "sent"),
];

/// A campaign as a row.
fn row(campaign: &Value) -> Value {
    let mut row = campaign.clone();
    let run = &campaign["run"];
    row["state"] = if run.is_null() { json!("new") } else { run["state"].clone() };
    row["reason"] = run["reason"].clone();
    row["cycle"] = run["cycle"].clone();
    row["sent"] = run["attempts"]["sent"].clone();
    row
}

/// A campaign with what came of its latest run.
fn shown(campaign: &Value) -> String {
    let mut text = table::of(&[row(campaign)], COLUMNS).to_string();
    let counted = |field: &str| {
        let counted = campaign["run"][field].as_object().into_iter().flatten();
        counted.map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    };
    for (what, field) in [("Attempts", "attempts"), ("Not sent", "reasons")] {
        let counted = counted(field);
        if !counted.is_empty() {
            text.extend(["\n", what, ": ", &counted, "."]);
        }
    }
    let senders = campaign["senders"].as_array().into_iter().flatten();
    for sender in senders.filter(|sender| sender["state"] != "active") {
        let [account, state, why] = ["account", "state", "reason"].map(|field| cell(sender, field));
        text.extend(["\n", &account, " sends nothing: ", &state, " (", &why, ")."]);
    }
    text
}

/// Fails where nothing of a file can be used; what is wrong in it is printed before.
fn some_usable(answer: &Value) -> anyhow::Result<()> {
    let count = |field: &str| answer[field].as_u64().unwrap_or(0);
    let wrong = count("wrong_count");
    if wrong > 0 && count("added") + count("known") == 0 {
        bail!("nothing of the file can be used; lines that are wrong: {wrong}");
    }
    Ok(())
}

fn imported(answer: &Value) -> String {
    let would = if answer["dry_run"] == true { " would be" } else { "" };
    let [added, known, wrong] = ["added", "known", "wrong_count"].map(|field| cell(answer, field));
    let head = format!("{added}{would} added, {known} known, {wrong} cannot be used.");
    let lines = answer["wrong"].as_array().into_iter().flatten();
    let lines = lines.map(|line| format!("Line {}: {}", cell(line, "line"), cell(line, "message")));
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

fn forecast_summary(forecast: &Value) -> String {
    let [recipients, per_hour, last] =
        ["recipients", "per_hour", "last_leaves_at"].map(|field| cell(forecast, field));
    let last = if last.is_empty() { "never".to_owned() } else { last };
    let mut text =
        format!("{recipients} chats would be written to, {per_hour} an hour; the last one leaves: {last}.");
    if let Some(at) = forecast["without_limits_at"].as_str() {
        text.extend(["\nWithout the limits of an hour and a day and hours of rest: ", at, "."]);
    }
    let skipped = forecast["skipped"].as_object().into_iter().flatten();
    let skipped: Vec<_> = skipped.map(|(why, count)| format!("{count} {why}")).collect();
    if !skipped.is_empty() {
        text.extend(["\nSkipped: ", &skipped.join(", "), "."]);
    }
    let items = |field: &str| forecast[field].as_array().map(Vec::as_slice).unwrap_or_default();
    for preview in items("previews") {
        text.extend(["\n", &cell(preview, "chat"), ": ", &cell(preview, "text")]);
    }
    for left_out in items("left_out") {
        text.extend(["\n", &cell(left_out, "chat"), ": nothing, ", &cell(left_out, "reason")]);
    }
    text
}

fn read(file: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    anyhow::ensure!(size <= LARGEST, "{} is larger than {LARGEST} bytes", file.display());
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    domain::text::read_file(&bytes)
        .with_context(|| format!("{} is no text in UTF-8 or UTF-16; save it as CSV UTF-8", file.display()))
}
