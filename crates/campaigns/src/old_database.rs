//! The database of the old tool: its rows read leniently, and what they say of who was written to in the cycle that it is in.
//!
//! Where it is not certain that a chat was not written to in that cycle, it counts as written to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{AttemptState, ChatRef, SenderState, Timestamp, Words};
use serde_json::{Map, Value};
use store::foreign::{flag, number, text, time};

/// The tables that are read.
pub const OLD_TABLES: [&str; 10] = [
    "groups",
    "campaign_groups",
    "profiles",
    "group_profiles",
    "messages",
    "tasks",
    "task_attempts",
    "send_log",
    "proxies",
    "proxy_pool",
];

/// Columns that say something here, or nothing that is missed.
const COLUMNS: &str = " id group_id group_name group name title profiles profile_id profile_name profile profile_uuid is_active active \
    enabled is_blocked blocked is_frozen is_logged_out logged_out text message content message_text template weight usage_count \
    uses used use_count chat_username username chat chat_link link chat_id status state task_id cycles completed_cycles \
    cycles_completed current_cycle cycle block_reason blocked_reason last_error error_message error_type error next_attempt_at \
    next_try_at next_at next_run_at next_time scheduled_at result success attempt_id log_id run_id run cycle_number cycle_id \
    error_code reason finished_at completed_at ended_at sent_at attempted_at timestamp started_at created_at updated_at time date \
    campaign_id campaign message_id description proxy url address server host ip port login password type protocol scheme user \
    proxy_id ";

/// Whether a column is understood, or says nothing that is missed.
pub fn is_old_column(name: &str) -> bool {
    COLUMNS.split_whitespace().any(|known| known == name)
}

/// A row of a table.
type Row = Map<String, Value>;

/// A chat of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldTask {
    pub chat: ChatRef,
    pub cycles: u32,
    /// Why it is blocked.
    pub blocked: Option<String>,
    pub next_at: Option<Timestamp>,
    /// It was written to in the cycle that the group is in, or may have been.
    pub is_written: bool,
}

/// An attempt of the old tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldAttempt {
    /// What distinguishes it from the others.
    pub key: String,
    pub chat: ChatRef,
    pub profile: String,
    pub state: AttemptState,
    pub code: Option<String>,
    pub at: Timestamp,
    pub cycle: u32,
}

/// A message of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldMessage {
    pub text: String,
    pub weight: u32,
    pub is_active: bool,
    pub uses: u64,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldCampaign {
    /// As the old tool calls it.
    pub name: String,
    /// The cycle it is in, from 1.
    pub cycle: u32,
    pub profiles: BTreeSet<String>,
    pub messages: Vec<OldMessage>,
    pub tasks: Vec<OldTask>,
    /// Those of its latest run.
    pub attempts: Vec<OldAttempt>,
}

/// What a database says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OldFound {
    pub campaigns: Vec<OldCampaign>,
    /// Profiles that must not send.
    pub stopped: BTreeMap<String, SenderState>,
    /// Proxies, each as a line of a file of them.
    pub proxies: Vec<Words>,
    /// What was not understood, and how often.
    pub not_understood: BTreeMap<String, u64>,
}

/// The rows of a database, as far as they say something.
#[derive(Debug, Default)]
pub struct OldRows {
    /// Seconds that times without a zone are ahead of UTC.
    pub utc_offset: i64,
    names: HashMap<String, String>,
    profiles_of: HashMap<String, BTreeSet<String>>,
    stopped: BTreeMap<String, SenderState>,
    proxies: Vec<Words>,
    messages: HashMap<String, Vec<OldMessage>>,
    /// By group, in their order.
    tasks: BTreeMap<String, Vec<RawTask>>,
    /// The group and the chat of a task.
    task_ids: HashMap<String, (String, ChatRef)>,
    attempts: Vec<RawAttempt>,
    log: Vec<RawAttempt>,
    not_understood: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct RawTask {
    chat: ChatRef,
    cycles: u32,
    blocked: Option<String>,
    next_at: Option<Timestamp>,
    /// Its status alone says that it was written to, or may have been.
    is_written: bool,
}

#[derive(Debug)]
struct RawAttempt {
    key: String,
    group: Option<String>,
    task: Option<String>,
    chat: Option<ChatRef>,
    profile: String,
    run: String,
    cycle: Option<u32>,
    state: AttemptState,
    code: Option<String>,
    at: Option<Timestamp>,
}

/// What a word for a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Sent,
    Failed,
    Skipped,
    Blocked,
    /// It waits for its turn.
    Waiting,
    /// It was begun and has no end.
    UnderWay,
}

fn status(word: &str) -> Option<Status> {
    let word = word.trim().to_lowercase();
    let is = |words: &[&str]| words.contains(&word.as_str());
    let sent = [
        "sent",
        "success",
        "successful",
        "succeeded",
        "ok",
        "done",
        "completed",
        "complete",
        "delivered",
        "true",
    ];
    let blocked = ["blocked", "chat_not_found", "not_found", "invalid", "disabled"];
    let waiting = ["pending", "new", "waiting", "queued", "scheduled", "retry", "ready", "open", "active"];
    let under_way =
        ["in_progress", "processing", "claimed", "running", "started", "assigned", "sending", "locked"];
    let failed = ["false", "restricted", "frozen", "timeout"];
    if is(&sent) {
        Some(Status::Sent)
    } else if is(&blocked) {
        Some(Status::Blocked)
    } else if is(&["skipped", "skip", "cancelled", "canceled"]) {
        Some(Status::Skipped)
    } else if is(&waiting) {
        Some(Status::Waiting)
    } else if is(&under_way) {
        Some(Status::UnderWay)
    } else if is(&failed) || word.starts_with("fail") || word.starts_with("error") {
        Some(Status::Failed)
    } else {
        None
    }
}

impl OldRows {
    /// Takes a row of one of [`OLD_TABLES`], in their order.
    pub fn take(&mut self, table: &str, row: &Row) {
        match table {
            "groups" | "campaign_groups" => self.group(row),
            "profiles" => self.profile(row),
            "group_profiles" => {
                if let (Some(group), Some(profile)) = (group_of(row), profile_of(row)) {
                    self.profiles_of.entry(group).or_default().insert(profile);
                }
            }
            "messages" => self.message(row),
            "tasks" => self.task(row),
            "task_attempts" => {
                let attempt = self.attempt(row, table);
                self.attempts.push(attempt);
            }
            "send_log" => {
                let entry = self.attempt(row, table);
                self.log.push(entry);
            }
            "proxies" | "proxy_pool" => self.proxy(row),
            _ => {}
        }
    }

    fn proxy(&mut self, row: &Row) {
        let kind = text(row, &["type", "protocol", "scheme"]).unwrap_or_default().to_lowercase();
        if !kind.is_empty() && !kind.starts_with("socks5") {
            return self
                .puzzle("a proxy that is not SOCKS5: name its SOCKS5 port to `campaign import-proxies`");
        }
        let whole = text(row, &["proxy", "url", "address", "server"]);
        let port = text(row, &["port"]);
        let line = match (text(row, &["host", "ip"]).zip(port.clone()), whole, port) {
            (Some((host, port)), _, _) | (None, Some(host), Some(port)) => {
                let login = text(row, &["username", "user", "login"]).zip(text(row, &["password"]));
                let login = login.map(|(user, password)| format!("{user}:{password}@")).unwrap_or_default();
                format!("{login}{host}:{port}")
            }
            (None, Some(whole), None) => whole,
            (None, None, _) => return self.puzzle("a proxy without an address"),
        };
        self.proxies.push(line.into());
    }

    fn group(&mut self, row: &Row) {
        let id = text(row, &["group_id", "id", "name", "group_name"]);
        let name = text(row, &["name", "group_name", "title", "group_id", "id"]);
        let (Some(id), Some(name)) = (id, name) else {
            return self.puzzle("a group without a name");
        };
        let listed = row.get("profiles").and_then(Value::as_array).into_iter().flatten();
        let listed = listed.filter_map(Value::as_str).map(str::to_owned);
        self.profiles_of.entry(id.clone()).or_default().extend(listed);
        self.names.insert(id, name);
    }

    fn profile(&mut self, row: &Row) {
        let Some(profile) = profile_of(row).or_else(|| text(row, &["id", "name"])) else {
            return self.puzzle("a profile without an id");
        };
        if let Some(group) = group_of(row) {
            self.profiles_of.entry(group).or_default().insert(profile.clone());
        }
        if flag(row, &["is_logged_out", "logged_out"]) {
            self.stopped.insert(profile, SenderState::LoggedOut);
        } else if flag(row, &["is_blocked", "blocked", "is_frozen"]) {
            self.stopped.insert(profile, SenderState::Blocked);
        }
    }

    fn message(&mut self, row: &Row) {
        let Some(template) = text(row, &["text", "message", "content", "message_text", "template"]) else {
            return self.puzzle("a message without a text");
        };
        let active = ["is_active", "active", "enabled"];
        let message = OldMessage {
            text: template,
            weight: number(row, &["weight"]).and_then(|weight| weight.try_into().ok()).unwrap_or(1),
            is_active: !active.iter().any(|name| row.contains_key(*name)) || flag(row, &active),
            uses: number(row, &["usage_count", "uses", "used", "use_count"]).unwrap_or(0),
        };
        self.messages.entry(group_of(row).unwrap_or_default()).or_default().push(message);
    }

    fn task(&mut self, row: &Row) {
        let named = text(row, &["chat_username", "username", "chat", "chat_link", "link", "chat_id"]);
        let Some(chat) = named.as_deref().and_then(|named| self.chat(named)) else { return };
        let group = group_of(row).unwrap_or_default();
        let word = text(row, &["status", "state"]).unwrap_or_default();
        let status = status(&word).unwrap_or_else(|| {
            if !word.is_empty() {
                self.puzzle(&format!("tasks.status {word:?}, taken as written to"));
            }
            if word.is_empty() { Status::Waiting } else { Status::UnderWay }
        });
        let is_blocked = status == Status::Blocked || flag(row, &["is_blocked", "blocked"]);
        let why = ["block_reason", "blocked_reason", "last_error", "error_message", "error_type", "error"];
        let blocked = is_blocked.then(|| code(text(row, &why).as_deref()).unwrap_or("blocked".to_owned()));
        if let Some(id) = text(row, &["task_id", "id"]) {
            self.task_ids.insert(id, (group.clone(), chat.clone()));
        }
        let next = ["next_attempt_at", "next_try_at", "next_at", "next_run_at", "next_time", "scheduled_at"];
        let task = RawTask {
            chat,
            cycles: number(
                row,
                &["cycles", "completed_cycles", "cycles_completed", "current_cycle", "cycle"],
            )
            .and_then(|cycles| cycles.try_into().ok())
            .unwrap_or(0),
            blocked,
            next_at: time(row, &next, self.utc_offset),
            is_written: matches!(status, Status::Sent | Status::UnderWay),
        };
        self.tasks.entry(group).or_default().push(task);
    }

    fn attempt(&mut self, row: &Row, table: &str) -> RawAttempt {
        let word = text(row, &["status", "state", "result", "success"]).unwrap_or_default();
        let state = match status(&word) {
            Some(Status::Sent) => AttemptState::Sent,
            Some(Status::Failed | Status::Blocked) => AttemptState::Failed,
            Some(Status::Skipped) => AttemptState::Skipped,
            Some(Status::Waiting | Status::UnderWay) => AttemptState::Unknown,
            None => {
                self.puzzle(&format!("{table}.status {word:?}, taken as unknown"));
                AttemptState::Unknown
            }
        };
        let ends = ["finished_at", "completed_at", "ended_at", "sent_at", "attempted_at", "timestamp"];
        let begins = ["started_at", "created_at", "time", "date"];
        let at = time(row, &ends, self.utc_offset).or_else(|| time(row, &begins, self.utc_offset));
        let named = text(row, &["chat_username", "username", "chat", "chat_link", "link", "chat_id"]);
        let chat = named.as_deref().and_then(|named| self.chat(named));
        let task = text(row, &["task_id"]);
        let profile = profile_of(row).unwrap_or_else(|| "unknown".to_owned());
        let key = text(row, &["id", "attempt_id", "log_id"]).unwrap_or_else(|| {
            let chat = chat.as_ref().map(ToString::to_string);
            format!("{chat:?} {task:?} {profile} {at:?}")
        });
        let key = format!("{table} {key}");
        RawAttempt {
            key,
            group: group_of(row),
            task,
            chat,
            profile,
            run: text(row, &["run_id", "run"]).unwrap_or_default(),
            cycle: number(row, &["cycle", "cycle_number", "cycle_id"])
                .and_then(|cycle| cycle.try_into().ok()),
            state,
            code: code(
                text(row, &["error_type", "error_code", "reason", "error", "error_message"]).as_deref(),
            ),
            at,
        }
    }

    fn chat(&mut self, named: &str) -> Option<ChatRef> {
        let of = |name: &str| ChatRef::named(name).ok();
        let chat = of(named).or_else(|| of(&format!("@{}", named.trim())));
        if chat.is_none() {
            self.puzzle(&format!("the chat {:?}", named.chars().take(64).collect::<String>()));
        }
        chat
    }

    /// Notes what was not understood; a thousand different things at most.
    fn puzzle(&mut self, what: &str) {
        if self.not_understood.len() < 1000 || self.not_understood.contains_key(what) {
            *self.not_understood.entry(what.to_owned()).or_insert(0) += 1;
        }
    }

    /// What all rows say together.
    pub fn found(mut self) -> OldFound {
        let (attempts, log) = (std::mem::take(&mut self.attempts), std::mem::take(&mut self.log));
        let mut attempts = by_group(attempts, &self.task_ids, &self.tasks);
        let mut log = by_group(log, &self.task_ids, &self.tasks);
        let groups: BTreeSet<String> =
            self.names.keys().chain(self.tasks.keys()).chain(self.messages.keys()).cloned().collect();
        let mut campaigns = Vec::new();
        for group in groups {
            let tried = attempts.remove(&group).unwrap_or_default();
            let logged = log.remove(&group).unwrap_or_default();
            // The log says again what the attempts say; it counts where there are none.
            let tried = latest_run(if tried.is_empty() { logged } else { tried });
            let tasks = self.tasks.remove(&group).unwrap_or_default();
            let mut profiles = self.profiles_of.remove(&group).unwrap_or_default();
            profiles.extend(tried.iter().map(|(_, attempt)| attempt.profile.clone()));
            let name = self.names.get(&group).cloned().unwrap_or_else(|| group.clone());
            let messages = self.messages.remove(&group).unwrap_or_default();
            let name = if name.is_empty() { "imported".to_owned() } else { name };
            campaigns.push(campaign(name, tasks, tried, profiles, messages));
        }
        let Self { stopped, proxies, not_understood, .. } = self;
        OldFound { campaigns, stopped, proxies, not_understood }
    }
}

/// Attempts with the chat that each is for, by group.
fn by_group(
    attempts: Vec<RawAttempt>,
    task_ids: &HashMap<String, (String, ChatRef)>,
    tasks: &BTreeMap<String, Vec<RawTask>>,
) -> HashMap<String, Vec<(ChatRef, RawAttempt)>> {
    let mut groups_of: HashMap<&ChatRef, Vec<&String>> = HashMap::new();
    for (group, tasks) in tasks {
        for task in tasks {
            groups_of.entry(&task.chat).or_default().push(group);
        }
    }
    let mut found: HashMap<String, Vec<_>> = HashMap::new();
    for attempt in attempts {
        let of_task = attempt.task.as_ref().and_then(|id| task_ids.get(id));
        let Some(chat) = of_task.map(|(_, chat)| chat).or(attempt.chat.as_ref()).cloned() else { continue };
        let group = attempt.group.clone().or_else(|| of_task.map(|(group, _)| group.clone()));
        match group {
            Some(group) => found.entry(group).or_default().push((chat, attempt)),
            // A log without groups: the group that has the chat. Two groups cannot be distinguished, so the first has it.
            None => {
                if let Some(group) = groups_of.get(&chat).and_then(|groups| groups.first()) {
                    found.entry((*group).clone()).or_default().push((chat, attempt));
                }
            }
        }
    }
    found
}

/// The attempts of the run that the latest of them is of.
fn latest_run(attempts: Vec<(ChatRef, RawAttempt)>) -> Vec<(ChatRef, RawAttempt)> {
    let latest =
        attempts.iter().max_by_key(|(_, attempt)| attempt.at).map(|(_, attempt)| attempt.run.clone());
    attempts.into_iter().filter(|(_, attempt)| Some(&attempt.run) == latest.as_ref()).collect()
}

fn campaign(
    name: String,
    tasks: Vec<RawTask>,
    tried: Vec<(ChatRef, RawAttempt)>,
    profiles: BTreeSet<String>,
    messages: Vec<OldMessage>,
) -> OldCampaign {
    let most = tasks.iter().map(|task| task.cycles).max().unwrap_or(0);
    let last = tried.iter().filter_map(|(_, attempt)| attempt.cycle).max();
    let cycle = most.max(last.unwrap_or(0)).max(1);
    let written = written(&tried, last);
    let tasks = tasks.into_iter().map(|task| {
        let is_written = task.is_written || (most > 0 && task.cycles == most) || written.contains(&task.chat);
        let RawTask { chat, cycles, blocked, next_at, .. } = task;
        OldTask { chat, cycles, blocked, next_at, is_written }
    });
    let tasks = tasks.collect();
    let attempts = tried.into_iter().map(|(chat, attempt)| {
        let RawAttempt { key, profile, state, code, at, cycle: own, .. } = attempt;
        let (at, cycle) = (at.unwrap_or_default(), own.unwrap_or(cycle));
        OldAttempt { key, chat, profile, state, code, at, cycle }
    });
    OldCampaign { name, cycle, profiles, messages, tasks, attempts: attempts.collect() }
}

/// The chats of a run that were written to in its last cycle, or may have been. `last` is the number of that cycle,
/// where attempts have one. Where they have none, a chat that was written to more often than any other shows when the
/// cycle can have begun at the earliest: after the last message but one to such a chat.
fn written(tried: &[(ChatRef, RawAttempt)], last: Option<u32>) -> HashSet<ChatRef> {
    let may_be_sent =
        |attempt: &RawAttempt| matches!(attempt.state, AttemptState::Sent | AttemptState::Unknown);
    let sent = || tried.iter().filter(|(_, attempt)| may_be_sent(attempt));
    if let Some(last) = last {
        let of_cycle = sent().filter(|(_, attempt)| attempt.cycle.is_none_or(|cycle| cycle >= last));
        return of_cycle.map(|(chat, _)| chat.clone()).collect();
    }
    let mut times: HashMap<&ChatRef, Vec<Option<Timestamp>>> = HashMap::new();
    // What has no end may have been tried again in the same cycle.
    for (chat, attempt) in sent().filter(|(_, attempt)| attempt.state == AttemptState::Sent) {
        times.entry(chat).or_default().push(attempt.at);
    }
    let most = times.values().map(Vec::len).max().unwrap_or(0);
    let mut began = None;
    for times in times.values_mut().filter(|times| times.len() == most && most > 1) {
        times.sort_unstable();
        began = began.max(times[most - 2]);
    }
    let since = |attempt: &RawAttempt| attempt.at.is_none() || attempt.at > began;
    sent().filter(|(_, attempt)| since(attempt)).map(|(chat, _)| chat.clone()).collect()
}

fn group_of(row: &Row) -> Option<String> {
    text(row, &["group_id", "group_name", "group", "campaign_id", "campaign"])
}

fn profile_of(row: &Row) -> Option<String> {
    text(row, &["profile_id", "profile_name", "profile", "profile_uuid"])
}

/// A short word for why something failed.
fn code(reason: Option<&str>) -> Option<String> {
    let letter = |sign: char| if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '_' };
    let word: String = reason?.chars().take(48).map(letter).collect();
    Some(word.trim_matches('_').to_owned()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn rows(rows: &[(&str, Value)]) -> OldFound {
        let mut read = OldRows { utc_offset: 3 * 3600, ..OldRows::default() };
        for (table, row) in rows {
            read.take(table, row.as_object().expect("an object"));
        }
        read.found()
    }

    fn written_of(campaign: &OldCampaign) -> Vec<String> {
        let written = campaign.tasks.iter().filter(|task| task.is_written);
        written.map(|task| task.chat.to_string()).collect()
    }

    #[test]
    fn a_group_that_stopped_in_its_second_cycle_is_read() {
        let task = |id: u32, chat: &str, status: &str, cycles: u32| {
            (
                "tasks",
                json!({"id": id, "group_id": 7, "chat_username": chat, "status": status, "cycles": cycles}),
            )
        };
        let attempt = |id: u32, task: u32, run: &str, status: &str, at: &str| {
            (
                "task_attempts",
                json!({"id": id, "task_id": task, "profile_id": "p1", "run_id": run, "status": status, "created_at": at}),
            )
        };
        let found = rows(&[
            ("groups", json!({"id": 7, "name": "Spring"})),
            (
                "profiles",
                json!({"profile_id": "p1", "is_active": true, "is_blocked": false, "is_logged_out": true}),
            ),
            ("messages", json!({"group_id": 7, "text": "Hi", "usage_count": 5})),
            task(1, "client_1", "pending", 0),
            task(2, "@client_2", "pending", 0),
            task(3, "https://t.me/client_3", "in_progress", 0),
            task(4, "client_4", "blocked", 0),
            task(5, "no chat at all", "pending", 0),
            attempt(1, 2, "old", "success", "2026-01-01T00:00:00"),
            attempt(2, 1, "r", "success", "2026-01-02T00:00:00"),
            attempt(3, 2, "r", "success", "2026-01-02T00:01:00"),
            attempt(4, 1, "r", "success", "2026-01-02T01:00:00"),
        ]);
        let campaign = &found.campaigns[0];
        assert_eq!((campaign.name.as_str(), campaign.tasks.len()), ("Spring", 4));
        // The second cycle began after the first message of the first to have two.
        assert_eq!(written_of(campaign), ["@client_1", "@client_2", "@client_3"]);
        assert_eq!(campaign.tasks[3].blocked.as_deref(), Some("blocked"));
        assert_eq!((campaign.attempts.len(), campaign.messages[0].uses), (3, 5));
        assert_eq!(campaign.attempts[0].at, "2026-01-01T21:00:00Z".parse().expect("a time"));
        assert_eq!(found.stopped["p1"], SenderState::LoggedOut);
        assert_eq!(found.not_understood.len(), 1, "{:?}", found.not_understood);
    }

    #[test]
    fn proxies_are_read_as_lines_without_a_word_in_logs() {
        let found = rows(&[
            (
                "proxies",
                json!({"id": 1, "host": "10.0.0.1", "port": 1080, "username": "demo", "password": "pass"}),
            ),
            ("proxies", json!({"id": 2, "proxy": "10.0.0.2:1080:demo:pass", "type": "SOCKS5"})),
            ("proxy_pool", json!({"url": "socks5://10.0.0.3:1080"})),
            ("proxies", json!({"host": "10.0.0.4", "port": 8080, "type": "http"})),
            ("proxies", json!({"id": 5})),
        ]);
        let lines: Vec<_> = found.proxies.iter().map(Words::as_str).collect();
        assert_eq!(lines, ["demo:pass@10.0.0.1:1080", "10.0.0.2:1080:demo:pass", "socks5://10.0.0.3:1080"]);
        assert_eq!(found.not_understood.len(), 2, "{:?}", found.not_understood);
        assert!(!format!("{found:?}").contains("pass"));
    }

    #[test]
    fn counts_of_cycles_tell_who_is_before_the_others() {
        let task = |chat: &str, cycles: u32| {
            ("tasks", json!({"group_id": "a", "chat_username": chat, "cycles": cycles}))
        };
        let found = rows(&[task("client_1", 3), task("client_2", 2)]);
        assert_eq!(
            (written_of(&found.campaigns[0]), found.campaigns[0].cycle),
            (vec!["@client_1".to_owned()], 3)
        );
    }

    #[test]
    fn an_unknown_status_counts_as_written_to_and_is_named() {
        let found =
            rows(&[("tasks", json!({"group_id": "a", "chat_username": "client_1", "status": "in limbo"}))]);
        assert_eq!(written_of(&found.campaigns[0]), ["@client_1"]);
        assert!(
            found.not_understood.keys().any(|what| what.contains("in limbo")),
            "{:?}",
            found.not_understood
        );
    }

    proptest! {
        /// Cycles over chats that fail at times, broken off anywhere: those written to in the last one are known.
        #[test]
        fn chats_written_to_in_the_last_cycle_are_found(
            cycles in prop::collection::vec(prop::collection::vec(any::<bool>(), 5), 1..6),
            broken_off in 1_usize..6,
            has_cycles: bool,
        ) {
            let mut read = OldRows::default();
            let mut task = |chat: usize| {
                let row = json!({"id": chat, "group_id": "a", "chat_username": format!("client_{chat}"), "status": "pending"});
                read.take("tasks", row.as_object().expect("an object"));
            };
            (0..5).for_each(&mut task);
            let (mut at, mut expected) = (0_u64, BTreeSet::new());
            for (number, cycle) in cycles.iter().enumerate() {
                let is_last = number + 1 == cycles.len();
                expected.clear();
                for (chat, is_sent) in cycle.iter().enumerate().take(if is_last { broken_off } else { 5 }) {
                    at += 60;
                    let status = if *is_sent { "sent" } else { "failed" };
                    let mut row = json!({"task_id": chat, "run_id": "r", "status": status, "sent_at": at});
                    if has_cycles {
                        row["cycle"] = json!(number + 1);
                    }
                    read.take("task_attempts", row.as_object().expect("an object"));
                    if *is_sent {
                        expected.insert(format!("@client_{chat}"));
                    }
                }
            }
            let found = read.found();
            let written: BTreeSet<_> = written_of(&found.campaigns[0]).into_iter().collect();
            prop_assert!(written.is_superset(&expected), "{written:?} {expected:?}");
        }
    }
}
