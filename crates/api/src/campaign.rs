//! Campaigns, their runs, and what became of each recipient.

use std::collections::BTreeMap;

use campaigns::{CampaignSettings, LeftOut, Outlook, People, Plan, Preview, Remainder, Senders, ends_at};
use domain::media::Media;
use domain::{CampaignAttemptId, CampaignRunId, MessageId, SenderState, Timestamp};
use serde::{Deserialize, Serialize};
use store::{
    AttemptCount, CampaignMessage as StoredMessage, CampaignRow, CampaignRun as StoredRun, CampaignSenderRow,
    CampaignTask as StoredTask, CycleCount, StoredAttempt, TasksCounted,
};
use utoipa::ToSchema;

use crate::WrongLine;

/// A campaign: messages to a list of chats.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Campaign {
    /// Its name in addresses and commands.
    #[schema(example = "spring")]
    pub name: String,
    /// Its name as people gave it, in any script. Addresses and commands take it too.
    #[schema(example = "Spring sale")]
    pub title: String,
    pub created_at: Timestamp,
    pub settings: CampaignLimits,
    /// Who sends for it.
    pub senders: Vec<CampaignSender>,
    /// How many chats it has.
    #[schema(example = 120)]
    pub chats: u64,
    /// How many of them are blocked.
    #[schema(example = 3)]
    pub blocked: u64,
    /// How many have their turn before them, in the cycle of the open run or in the next run.
    #[schema(example = 40)]
    pub pending: u64,
    /// The latest run.
    pub run: Option<CampaignRun>,
    /// When the last message of a run that goes on leaves; left out where no one sends or it takes ten years.
    pub ends_at: Option<Timestamp>,
}

/// The settings of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignLimits {
    /// Messages of one sender within any hour: 60 at most.
    #[schema(example = 25)]
    pub max_messages_per_hour: u32,
    /// Messages of one sender within any 24 hours: 500 at most.
    #[schema(example = 300)]
    pub max_messages_per_day: u32,
    /// How often a run goes through the chats: 100 at most.
    #[schema(example = 1)]
    pub cycles: u32,
    /// Seconds between two cycles.
    #[schema(example = 300)]
    pub cycle_delay_seconds: u32,
    /// Seconds between two messages of one sender.
    #[schema(example = 60)]
    pub delay_seconds: u32,
    /// How much of that chance adds or takes, 0 to 1.
    #[schema(example = 0.2)]
    pub delay_randomness: f64,
    /// Hours in which it sends; always without.
    #[schema(example = "09:00-21:00 Europe/Moscow")]
    pub active_hours: Option<String>,
    /// How often a chat is tried again after a failure that says nothing about the chat.
    #[schema(example = 2)]
    pub retries: u32,
    /// How many senders are at work at once; all of them without.
    #[schema(example = 2)]
    pub workers: Option<u32>,
}

/// A sender of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignSender {
    /// Its account, or `profile:` and the name of a browser profile.
    #[schema(example = "main")]
    pub account: String,
    /// `active`, `blocked` (Telegram restricted it) or `logged_out`.
    #[schema(example = "active")]
    pub state: String,
    /// Why it sends nothing.
    #[schema(example = "restricted")]
    pub reason: Option<String>,
    /// How many messages it sent within the last hour, over all campaigns.
    #[schema(example = 12)]
    pub sent_last_hour: u64,
}

/// How many messages of a campaign left in each of the last 24 hours.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignHours {
    /// How many may leave in an hour, all senders together.
    #[schema(example = 50)]
    pub per_hour: u64,
    /// The oldest first; the last one is the hour that runs.
    pub hours: Vec<CampaignHour>,
}

/// An hour of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignHour {
    pub began_at: Timestamp,
    /// How many messages left in it, or may have left.
    #[schema(example = 41)]
    pub sent: u64,
}

/// A run of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignRun {
    /// Its id.
    #[schema(value_type = String, example = "camp_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: CampaignRunId,
    /// `running`, `paused`, `done` or `stopped`.
    #[schema(example = "running")]
    pub state: String,
    /// Why it is paused or was stopped: `by_hand`, `canary`, `no_sender`, `replaced` or `restored`.
    pub reason: Option<String>,
    /// The cycle it is in, from 1; 0 before the first.
    #[schema(example = 1)]
    pub cycle: u32,
    /// How many there are to be.
    #[schema(example = 1)]
    pub cycles: u32,
    /// How many chats it takes before it pauses.
    pub canary: Option<u32>,
    /// When the next cycle begins, between two.
    pub next_cycle_at: Option<Timestamp>,
    pub began_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// How many attempts are in each state: `claimed`, `sent`, `failed`, `skipped`, `unknown`.
    #[schema(example = json!({"sent": 80, "failed": 1}))]
    pub attempts: BTreeMap<String, u64>,
    /// How many were not sent, by why.
    #[schema(example = json!({"chat_not_found": 1}))]
    pub reasons: BTreeMap<String, u64>,
}

/// What came of a run in each of its cycles.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignCycles {
    /// The first cycle first. Attempts that are removed are not counted.
    pub cycles: Vec<CampaignCycle>,
}

/// A cycle of a run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignCycle {
    /// Its number, from 1.
    #[schema(example = 1)]
    pub cycle: u32,
    /// When the first chat had its turn in it.
    pub began_at: Timestamp,
    /// How many attempts are in each state: `claimed`, `sent`, `failed`, `skipped`, `unknown`.
    #[schema(example = json!({"sent": 80, "failed": 1}))]
    pub attempts: BTreeMap<String, u64>,
}

/// A chat of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignTask {
    /// The chat.
    #[schema(example = "@client_1")]
    pub chat: String,
    /// What templates say of it.
    #[schema(example = json!({"name": "Anna"}))]
    pub variables: BTreeMap<String, String>,
    /// `open` or `blocked`.
    #[schema(example = "open")]
    pub state: String,
    /// Why it is blocked.
    #[schema(example = "chat_not_found")]
    pub reason: Option<String>,
    /// How often in a row it failed.
    pub tries: u32,
    /// In how many cycles it was sent to.
    #[schema(example = 1)]
    pub cycles: u32,
    /// Not tried before.
    pub next_at: Option<Timestamp>,
}

/// A message of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignMessage {
    /// Its number.
    #[schema(example = 1)]
    pub number: u32,
    /// A template: `{name}` stands for the variable of a chat.
    #[schema(example = "Hello {name}")]
    pub text: String,
    /// `none`, `html` or `markdown`.
    #[schema(example = "none")]
    pub parse_mode: String,
    /// How often it is drawn, against the others.
    #[schema(example = 1)]
    pub weight: u32,
    /// Whether it is drawn at all.
    pub active: bool,
    /// How often it was sent.
    #[schema(example = 80)]
    pub usage_count: u64,
    /// What it carries beside its text.
    #[serde(default)]
    pub media: Vec<CampaignMedia>,
}

/// A file of a message of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignMedia {
    /// What it is called; empty where Telegram gives it a name.
    #[schema(example = "price-list.pdf")]
    pub name: String,
    /// As what it is sent; of a file that is not taken in yet, how it is named.
    #[schema(example = "document")]
    pub kind: String,
}

/// An attempt of a campaign to write to a chat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignAttempt {
    /// Its id.
    #[schema(value_type = String, example = "att_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: CampaignAttemptId,
    #[schema(value_type = String, example = "camp_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub run_id: CampaignRunId,
    /// The cycle, from 1.
    #[schema(example = 1)]
    pub cycle: u32,
    /// The chat.
    #[schema(example = "@client_1")]
    pub chat: String,
    /// The account that has it, or `profile:` and the name of a browser profile.
    #[schema(example = "main")]
    pub account: String,
    /// `claimed`, `sent`, `failed`, `skipped` or `unknown`: it may have been sent, and is not sent again.
    #[schema(example = "sent")]
    pub state: String,
    /// Why it was not sent, such as `chat_not_found`, `do_not_contact`, `duplicate`, `flood_wait` or `template`.
    pub reason: Option<String>,
    /// More about that.
    pub detail: Option<String>,
    /// Whose chat it is, once that is known.
    #[schema(example = "5500000003")]
    pub peer: Option<String>,
    /// The number of its message.
    #[schema(example = 1)]
    pub message: Option<u32>,
    /// The message of the outbox.
    #[schema(value_type = Option<String>, example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub message_id: Option<MessageId>,
    /// The file of a picture of the page, where a browser failed.
    #[schema(example = "1767225600000000_shop-1.png")]
    pub picture: Option<String>,
    pub claimed_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// What came of adding chats or messages to a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignImport {
    /// How many are new.
    #[schema(example = 118)]
    pub added: usize,
    /// How many were there; their variables, weight and markup are the new ones.
    #[schema(example = 2)]
    pub known: usize,
    /// How many lines cannot be used.
    #[schema(example = 1)]
    pub wrong_count: usize,
    /// The first thousand of them.
    pub wrong: Vec<WrongLine>,
    /// What the first chat would get, of the first five messages; of messages that are only looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<CampaignPreview>,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// What would come of a run of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignForecast {
    /// Chats that would be written to.
    #[schema(example = 117)]
    pub recipients: u64,
    /// Chats that would not, by why.
    #[schema(example = json!({"do_not_contact": 2, "chat_not_found": 1}))]
    pub skipped: BTreeMap<String, u64>,
    pub senders: Vec<CampaignSender>,
    /// Messages an hour, all senders together.
    #[schema(example = 50)]
    pub per_hour: u64,
    /// When the last message leaves; left out where no one sends or it takes ten years.
    pub last_leaves_at: Option<Timestamp>,
    /// When it would leave without the limits of an hour and a day and without hours of rest.
    pub without_limits_at: Option<Timestamp>,
    /// What the first of them would get, as many as are asked for.
    pub previews: Vec<CampaignPreview>,
    /// The first that would get nothing, as many as are asked for.
    #[serde(default)]
    pub left_out: Vec<CampaignLeftOut>,
}

/// A chat that would get nothing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignLeftOut {
    #[schema(example = "@client_2")]
    pub chat: String,
    #[schema(example = "do_not_contact")]
    pub reason: String,
}

/// What a chat would get.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CampaignPreview {
    #[schema(example = "@client_1")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub chat: String,
    /// The text, or why there is none.
    #[schema(example = "Hello Anna")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub text: String,
    /// The files that come with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<CampaignMedia>,
}

impl Campaign {
    /// Puts the parts of a campaign together.
    pub fn of(
        row: CampaignRow,
        senders: Vec<CampaignSender>,
        counted: TasksCounted,
        run: Option<CampaignRun>,
        active: Senders,
        now: Timestamp,
    ) -> Self {
        let settings: CampaignSettings = serde_json::from_str(&row.settings).unwrap_or_default();
        let ends_at = run.as_ref().and_then(|run| run.ends_at(&settings, active, counted, now));
        Self {
            name: row.name,
            title: row.title,
            created_at: row.created_at,
            settings: settings.into(),
            senders,
            chats: counted.all,
            blocked: counted.blocked,
            pending: counted.pending,
            run,
            ends_at,
        }
    }
}

impl CampaignRun {
    /// A run with what was counted of it.
    pub fn of(run: StoredRun, counted: Vec<AttemptCount>) -> Self {
        let (mut attempts, mut reasons) = (BTreeMap::new(), BTreeMap::new());
        for AttemptCount { state, code, count } in counted {
            *attempts.entry(state.as_str().to_owned()).or_insert(0) += count;
            if let Some(code) = code {
                *reasons.entry(code).or_insert(0) += count;
            }
        }
        Self {
            id: run.id,
            state: run.state.as_str().to_owned(),
            reason: run.reason,
            cycle: run.cycle,
            cycles: run.cycles,
            canary: run.canary,
            next_cycle_at: run.next_cycle_at,
            began_at: run.began_at,
            ended_at: run.ended_at,
            attempts,
            reasons,
        }
    }
}

impl CampaignRun {
    /// When its last message leaves, while it goes on.
    fn ends_at(
        &self,
        settings: &CampaignSettings,
        senders: Senders,
        counted: TasksCounted,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let plan = Plan::of(settings).ok().filter(|_| self.state == "running")?;
        let left = Remainder {
            pending: counted.pending,
            recipients: counted.all.saturating_sub(counted.blocked),
            cycle: self.cycle,
            cycles: self.cycles,
            next_cycle_at: self.next_cycle_at,
            senders,
            // Only a forecast looks at each recipient.
            people: People::default(),
        };
        ends_at(&plan, left, now)
    }
}

impl From<Vec<CycleCount>> for CampaignCycles {
    fn from(counted: Vec<CycleCount>) -> Self {
        let mut cycles = BTreeMap::new();
        for CycleCount { cycle, began_at, state, count } in counted {
            let of = cycles.entry(cycle).or_insert_with(|| CampaignCycle {
                cycle,
                began_at,
                attempts: BTreeMap::new(),
            });
            of.began_at = of.began_at.min(began_at);
            of.attempts.insert(state.as_str().to_owned(), count);
        }
        Self { cycles: cycles.into_values().collect() }
    }
}

impl From<CampaignSettings> for CampaignLimits {
    fn from(settings: CampaignSettings) -> Self {
        let CampaignSettings {
            max_messages_per_hour,
            max_messages_per_day,
            cycles,
            cycle_delay_seconds,
            delay_seconds,
            delay_randomness,
            active_hours,
            retries,
            workers,
        } = settings;
        Self {
            max_messages_per_hour,
            max_messages_per_day,
            cycles,
            cycle_delay_seconds,
            delay_seconds,
            delay_randomness,
            active_hours,
            retries,
            workers,
        }
    }
}

impl CampaignSender {
    /// The senders of a campaign, with what each sent within the last hour.
    pub fn of(rows: Vec<CampaignSenderRow>, sent: &BTreeMap<domain::CampaignSender, u64>) -> Vec<Self> {
        let of = |row: CampaignSenderRow| Self {
            sent_last_hour: sent.get(&row.sender).copied().unwrap_or_default(),
            account: named(&row.sender),
            state: row.state.as_str().to_owned(),
            reason: row.why,
        };
        rows.into_iter().map(of).collect()
    }

    /// An account, or a browser profile: `profile:` and its name.
    pub fn is_account(&self) -> bool {
        !self.account.starts_with("profile:")
    }

    pub fn is_active(&self) -> bool {
        self.state == SenderState::Active.as_str()
    }
}

impl From<StoredTask> for CampaignTask {
    fn from(task: StoredTask) -> Self {
        Self {
            chat: task.chat.to_string(),
            variables: task.variables,
            state: if task.is_blocked { "blocked" } else { "open" }.to_owned(),
            reason: task.why,
            tries: task.tries,
            cycles: task.cycles,
            next_at: Some(task.next_at).filter(|at| *at > Timestamp::default()),
        }
    }
}

impl From<StoredMessage> for CampaignMessage {
    fn from(message: StoredMessage) -> Self {
        Self {
            number: message.number,
            text: message.text,
            parse_mode: message.parse_mode.as_str().to_owned(),
            weight: message.weight,
            active: message.is_active,
            usage_count: message.uses,
            media: message.media.into_iter().map(CampaignMedia::from).collect(),
        }
    }
}

impl From<Media> for CampaignMedia {
    fn from(media: Media) -> Self {
        Self { kind: media.form.as_str().to_owned(), name: media.name }
    }
}

impl From<Preview> for CampaignPreview {
    fn from(Preview { chat, text, media }: Preview) -> Self {
        let media = media.into_iter().map(CampaignMedia::from).collect();
        Self { chat: chat.to_string(), text, media }
    }
}

impl From<StoredAttempt> for CampaignAttempt {
    fn from(attempt: StoredAttempt) -> Self {
        Self {
            id: attempt.id,
            run_id: attempt.run_id,
            cycle: attempt.cycle,
            chat: attempt.chat.to_string(),
            account: named(&attempt.sender),
            state: attempt.state.as_str().to_owned(),
            reason: attempt.code,
            detail: attempt.detail,
            peer: attempt.peer,
            message: attempt.message,
            message_id: attempt.outbox_id,
            picture: None,
            claimed_at: attempt.claimed_at,
            ended_at: attempt.ended_at,
        }
    }
}

impl From<Outlook> for CampaignForecast {
    fn from(outlook: Outlook) -> Self {
        let Outlook { recipients, skipped, senders, sent_last_hour, forecast, previews, left_out } = outlook;
        Self {
            recipients,
            skipped,
            senders: CampaignSender::of(senders, &sent_last_hour),
            per_hour: forecast.per_hour,
            last_leaves_at: forecast.last_leaves_at,
            without_limits_at: forecast.without_limits_at,
            previews: previews.into_iter().map(CampaignPreview::from).collect(),
            left_out: left_out.into_iter().map(CampaignLeftOut::from).collect(),
        }
    }
}

impl From<LeftOut> for CampaignLeftOut {
    fn from(LeftOut { chat, why }: LeftOut) -> Self {
        Self { chat: chat.to_string(), reason: why }
    }
}

/// A sender as callers know it: an account by its name alone.
fn named(sender: &domain::CampaignSender) -> String {
    sender.account().map_or_else(|| sender.to_string(), ToString::to_string)
}
