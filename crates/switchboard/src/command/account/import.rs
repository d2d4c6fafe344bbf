//! `switchboard account import`: sessions of other programs and the old registry.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use domain::{AccountName, ExposeSecret, Purpose, SecretText};
use hyper::Method;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use telegram::import::{Plan, PlanError, PlannedSession};

use super::given::ApiHash;
use crate::api_client::{ApiClient, ApiOptions};
use crate::bars::{self, Bars};
use crate::command::word::{PurposeWord, words};
use crate::output::{say, say_json};
use crate::responsive_table::{self, Column, ResponsiveTable};
use crate::terminal::{WrongUsage, confirm};
use crate::{paragraph, table};

/// How long an import may take: a thousand sessions that Telegram does not answer for, and the writing.
const TIMEOUT: Duration = Duration::from_mins(40);

/// The longest session string, blanks around it counted, and the largest plan file.
const LONGEST_STRING: u64 = 4096;
const LARGEST_PLAN: u64 = 1024 * 1024;

/// Starts an import, and reads its progress.
const PATH: &str = "/v1/accounts/import";

/// The path that stands for the standard input.
const STANDARD_INPUT: &str = "-";

/// How often the progress is read.
const EVERY: Duration = Duration::from_millis(200);

/// What is said before anything is opened.
const WARNING: &str = "Telegram ends a session for good when two programs use it at once. Stop the old program first, and \
                       wait a minute.";

/// What to import, and how.
#[derive(clap::Args)]
pub(super) struct Import {
    /// Session files, folders of them, the database of the old registry; `-` reads a session string from the standard
    /// input [default: the files that the plan names]
    #[arg(required_unless_present = "plan", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print what would be done; nothing is connected or changed
    #[arg(long)]
    dry_run: bool,
    /// A plan file, which assigns sessions to accounts and purposes
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Write the sessions found to a plan file, to be edited
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    write_plan: Option<PathBuf>,
    /// The account for sessions whose user has none here
    #[arg(long, value_name = "NAME")]
    account: Option<AccountName>,
    /// What the sessions are for [default: what no other session of the account is for]
    #[arg(long = "for", value_enum, value_delimiter = ',', value_name = "PURPOSES")]
    purposes: Vec<PurposeWord>,
    /// The `api_id` of the application for the connections and for new accounts
    #[arg(long, value_name = "N")]
    api_id: Option<i32>,
    #[command(flatten)]
    api_hash: ApiHash,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    options: ApiOptions,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let body = self.body()?;
        let api = ApiClient::open(&self.options.location).await?;
        let imported = self.import(&api, body).await;
        let running = api.is_running();
        api.close().await;
        let report = imported?;
        if let Some(file) = &self.write_plan {
            write_plan(file, &report)?;
            eprintln!(
                "The plan is in {}; edit it, and import with --plan {}",
                file.display(),
                file.display()
            );
        }
        if self.options.json {
            say_json(&report);
        } else {
            print(&report);
            say_what_next(&report, running);
        }
        Ok(())
    }

    /// The body of the request.
    fn body(&self) -> anyhow::Result<Value> {
        let mut body = json!({});
        let (mut paths, mut string) = (Vec::new(), None);
        for path in &self.paths {
            if path.as_os_str() == STANDARD_INPUT {
                string = Some(read_string()?);
                continue;
            }
            let real = std::fs::canonicalize(path)
                .map_err(|error| WrongUsage(format!("{} cannot be imported: {error}", path.display())))?;
            let text = real.to_str().with_context(|| {
                format!("the path {} is not UTF-8 text; rename it, or name its folder", path.display())
            })?;
            paths.push(text.to_owned());
        }
        if let Some(string) = string {
            body["string"] = string.expose_secret().into();
        }
        if let Some(account) = &self.account {
            body["account"] = account.as_str().into();
        }
        if !self.purposes.is_empty() {
            body["for"] = words(&self.purposes).into();
        }
        match (self.api_id, self.api_hash.read()?) {
            (Some(api_id), Some(api_hash)) => {
                body["api_id"] = api_id.into();
                body["api_hash"] = api_hash.expose_secret().into();
            }
            (None, None) => {}
            _ => {
                let wrong = "an application is a number and a secret: give --api-id with --api-hash-env or --api-hash-file";
                return Err(WrongUsage(wrong.to_owned()).into());
            }
        }
        if let Some(file) = &self.plan {
            let plan = read_plan(file)?;
            if self.paths.is_empty() {
                paths = files_of(&plan, file)?;
            }
            body["plan"] = plan.exposed();
        }
        body["paths"] = paths.into();
        Ok(body)
    }

    /// Shows what would be done before asking.
    async fn import(&self, api: &ApiClient, mut body: Value) -> anyhow::Result<Value> {
        if self.dry_run || !self.yes {
            body["dry_run"] = true.into();
            let would = self.watched(api, &body).await?;
            if self.dry_run {
                return Ok(would);
            }
            if !self.options.json {
                print(&would);
            }
            confirm(&format!(
                "\n{WARNING} Is it stopped, and shall Telegram be asked whose these sessions are?"
            ))
            .await?;
        } else {
            eprintln!("{WARNING}");
        }
        body["dry_run"] = false.into();
        self.watched(api, &body).await
    }

    /// Starts an import and shows its progress at a terminal.
    async fn watched(&self, api: &ApiClient, body: &Value) -> anyhow::Result<Value> {
        let bars = Bars::new(self.options.json);
        let ended = api.call_within(TIMEOUT, Method::POST, PATH, Some(body));
        if !bars.are_shown() {
            return ended.await;
        }
        let bar = bars.count("Import");
        let looking = async {
            loop {
                tokio::time::sleep(EVERY).await;
                // An answer that does not come is no reason to end the import.
                if let Ok(progress) = api.call(Method::GET, PATH, None).await {
                    draw(&bar, &progress);
                }
            }
        };
        let ended = tokio::select! {
            biased;
            ended = ended => ended,
            () = looking => bail!("the import is no longer watched"),
        };
        bar.finish_and_clear();
        ended
    }
}

/// Names the command that waits until the new accounts can be used, if there are any.
fn say_what_next(report: &Value, running: bool) {
    let new = rows(report, "sessions").iter().filter(|row| row["what"] == "new");
    let mut names: Vec<&str> = new.filter_map(|row| row["account"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() || report["dry_run"] == true {
        return;
    }
    let once = if running { "" } else { "once `switchboard up` runs, " };
    say!(
        "\nTheir dialogs are read for the first time; {once}wait for that with: switchboard account wait {}",
        names.join(" ")
    );
}

fn read_string() -> anyhow::Result<SecretText> {
    let mut text = String::new();
    std::io::stdin().lock().take(LONGEST_STRING).read_to_string(&mut text).context("the standard input")?;
    if text.trim().is_empty() {
        return Err(
            WrongUsage("the standard input is empty; write a session string into it".to_owned()).into()
        );
    }
    Ok(text.into())
}

fn read_plan(file: &Path) -> anyhow::Result<Plan> {
    let named = || format!("the plan file {}", file.display());
    let absolute = std::path::absolute(file).with_context(named)?;
    let mut text = String::new();
    let open = std::fs::File::open(&absolute).with_context(named)?;
    open.take(LARGEST_PLAN).read_to_string(&mut text).with_context(named)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let wrong = |error: PlanError| WrongUsage(error.to_string());
    let mut plan = Plan::read(&text, folder, |name| std::env::var(name).ok()).map_err(wrong)?;
    for (index, session) in plan.sessions.iter_mut().enumerate() {
        find_file(index + 1, session)?;
    }
    Ok(plan)
}

/// The files that a plan names, those left out that are to be skipped.
fn files_of(plan: &Plan, file: &Path) -> anyhow::Result<Vec<String>> {
    let named = plan.sessions.iter().filter(|session| !session.skip);
    let files: Vec<String> = named.filter_map(|session| session.file.clone()).collect();
    if files.is_empty() {
        let wrong =
            format!("the plan file {} names no session files; name some on the command line", file.display());
        return Err(WrongUsage(wrong).into());
    }
    Ok(files)
}

/// A file of a plan is called as the import will call it. One that is not there is a slip that would leave a session to
/// what happens without a plan, unless its fingerprint names it too.
fn find_file(number: usize, session: &mut PlannedSession) -> anyhow::Result<()> {
    let Some(file) = &session.file else { return Ok(()) };
    match std::fs::canonicalize(file) {
        Ok(real) => session.file = Some(real.display().to_string()),
        Err(_) if session.fingerprint.is_some() => {}
        Err(error) => {
            let wrong = format!(
                "session {number} of the plan file names {file}: {error}; a path there is relative to the plan file"
            );
            return Err(WrongUsage(wrong).into());
        }
    }
    Ok(())
}

/// Writes a plan of what was found; never over another file.
fn write_plan(file: &Path, report: &Value) -> anyhow::Result<()> {
    let mut plan = Plan::default();
    for row in rows(report, "sessions")
        .iter()
        .filter(|row| row["fingerprint"].is_string() && row["what"] != "duplicate")
    {
        let text = |field: &str| row[field].as_str().map(str::to_owned);
        plan.sessions.push(PlannedSession {
            file: text("file"),
            fingerprint: text("fingerprint"),
            account: text("account").and_then(|name| name.parse().ok()),
            purposes: serde_json::from_value(row["purposes"].clone()).unwrap_or_default(),
            ..PlannedSession::default()
        });
    }
    let mut text = plan.write()?;
    let unknown: Vec<&str> = rows(report, "registries")
        .iter()
        .flat_map(|registry| rows(registry, "names_unknown"))
        .filter_map(|unknown| unknown["name"].as_str())
        .collect();
    if !unknown.is_empty() {
        text.push_str("\n# Take the # away and write what these accounts of the old registry are called here.\n[names]\n");
        text.extend(unknown.into_iter().map(|name| format!("# {} = \"\"\n", Value::from(name))));
    }
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .with_context(|| format!("the plan file {}", file.display()))?;
    new.write_all(text.as_bytes()).with_context(|| format!("the plan file {}", file.display()))
}

fn draw(bar: &ProgressBar, progress: &Value) {
    let step = match progress["step"].as_str() {
        Some("looking") => "the files are looked through",
        Some("asking") => "Telegram is asked",
        Some("taking") => "taken over",
        Some("registry") => "the old registry is taken over",
        _ => return,
    };
    // The file first: a narrow terminal cuts off what follows.
    let now = progress["now"].as_str().and_then(|file| Path::new(file).file_name());
    let now = now.map(|name| format!("{}, ", name.to_string_lossy())).unwrap_or_default();
    let of = progress["of"].as_u64().filter(|of| *of > 0);
    bars::show(bar, progress["done"].as_u64().unwrap_or_default(), of, &format!("{now}{step}"));
}

fn rows<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn print(report: &Value) {
    let sessions = rows(report, "sessions");
    if sessions.is_empty() && rows(report, "registries").is_empty() {
        say!("There is no session and no registry there.");
    }
    if !sessions.is_empty() {
        print_sessions(sessions);
    }
    for registry in rows(report, "registries") {
        print_registry(registry);
    }
    for note in rows(report, "notes").iter().filter_map(Value::as_str) {
        say!("{note}");
    }
    if report["dry_run"] == true {
        say!("\nNothing was opened or changed.");
    }
}

/// A table of the sessions, and beneath it why each is what it is: reasons are sentences and have no room in a column.
fn print_sessions(sessions: &[Value]) {
    let folder = common_folder(sessions);
    if let Some(folder) = &folder {
        say!("In {}:", folder.display());
    }
    let name = |row: &Value| {
        let file = row["file"].as_str().unwrap_or_default();
        let short = folder.as_ref().and_then(|folder| Path::new(file).strip_prefix(folder).ok());
        short.map_or_else(|| file.to_owned(), |short| short.display().to_string())
    };
    let column = |cell: &dyn Fn(&Value) -> String| sessions.iter().map(cell).collect::<Vec<_>>();
    let field = |field: &'static str| column(&|row| table::cell(row, field));
    let width = table::terminal_width();
    let ResponsiveTable { table, left_out } = responsive_table::fit(
        vec![
            Column::fixed("FILE", column(&name)),
            Column::fixed("WHAT", field("what")),
            Column::fixed("ACCOUNT", field("account")),
            Column::spare(3, "FOR", column(&purposes)),
            Column::spare(5, "WHOSE", column(&whose)).or_shortly(column(&whose_shortly)),
            Column::spare(2, "DC", field("dc_id")),
            Column::spare(4, "PEERS", field("peers")),
            Column::spare(1, "KIND", field("kind")),
        ],
        width,
    );
    say!("{}\n", table.trim_fmt());
    for row in sessions {
        if let Some(why) = row["detail"].as_str() {
            say!("{}", paragraph::wrapped(&format!("{}: {why}", name(row)), width));
        }
    }
    if !left_out.is_empty() {
        let left_out = left_out.join(", ").to_lowercase();
        say!(
            "{}",
            paragraph::wrapped(&format!("There is no room here for: {left_out}. --json has all."), width)
        );
    }
}

/// What a session is for.
fn purposes(row: &Value) -> String {
    let whole = row["purposes"].as_array().is_some_and(|all| all.len() == Purpose::ALL.len());
    if whole { "all".to_owned() } else { table::cell(row, "purposes") }
}

/// The folder that several files share, if it is not the root.
fn common_folder(sessions: &[Value]) -> Option<PathBuf> {
    let mut files = sessions.iter().filter_map(|row| row["file"].as_str()).map(Path::new);
    let mut folder = files.next()?.parent()?.to_owned();
    for file in files {
        while !file.starts_with(&folder) {
            folder.pop().then_some(())?;
        }
    }
    (sessions.len() > 1 && folder.parent().is_some()).then_some(folder)
}

/// The person by one name.
fn whose_shortly(row: &Value) -> String {
    let name = row["username"].as_str().map(|name| format!("@{name}"));
    let shown = name.or_else(|| row["display_name"].as_str().map(str::to_owned));
    shown.or_else(|| row["user_id"].as_i64().map(|id| id.to_string())).unwrap_or_default()
}

/// The person in a few words.
fn whose(row: &Value) -> String {
    let name = row["username"].as_str().map(|name| format!("@{name}"));
    let shown = name.or_else(|| row["display_name"].as_str().map(str::to_owned));
    let id = row["user_id"].as_i64().map(|id| id.to_string());
    [shown, row["phone"].as_str().map(str::to_owned), id].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn print_registry(registry: &Value) {
    say!("\nThe old registry {}:", registry["file"].as_str().unwrap_or_default());
    let mut empty = true;
    for (field, words) in [
        ("chats_taken", "chats taken over"),
        ("chats_known", "chats that are here already"),
        ("chats_kept_count", "chats about which it differs from what is here; what is here stands"),
        ("failed_requests_taken", "failed requests kept for you to look at: switchboard failed list"),
        ("failed_requests_known", "failed requests that were taken over before"),
        ("failed_requests_settled", "failed requests that were settled there"),
        ("failed_requests_strange", "failed requests of services that there are none of here"),
        ("failovers_taken", "failovers taken over"),
        ("failovers_left", "failovers left: old, known, or of unknown accounts"),
        ("operations_left", "lines of its log of operations, left there"),
    ] {
        if let Some(count) = registry[field].as_u64().filter(|count| *count > 0) {
            say!("  {count:>8}  {words}");
            empty = false;
        }
    }
    if empty {
        say!("  there is nothing in it to take over");
    }
    for unknown in rows(registry, "names_unknown") {
        let name = unknown["name"].as_str().unwrap_or_default();
        say!(
            "  the account {name:?} is unknown here, and {} chats go through it: name it in [names] of a plan file",
            unknown["chats"]
        );
    }
    for line in ["chats_kept", "odd"].into_iter().flat_map(|field| rows(registry, field)) {
        say!("  {}", line.as_str().unwrap_or_default());
    }
    for table in rows(registry, "missing").iter().filter_map(Value::as_str) {
        say!("  it has no table {table}");
    }
}
