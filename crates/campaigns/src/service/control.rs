//! What people ask of campaigns: start, pause, resume, stop, and what would come of it.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::media::Media;
use domain::{CampaignRunId, CampaignRunState, CampaignSender, ChatId, ChatRef, SenderState, Timestamp};
use store::{CampaignRun, CampaignSenderRow, NewRun, Page, RunChange, StoreError};

use super::Campaigns;
use crate::draw::{Needed, draw, draw_for};
use crate::forecast::{ByHour, Forecast, People, Remainder, Senders, forecast_left};
use crate::plan::{CampaignSettings, InvalidSettings, MOST_CYCLES, Plan};
use crate::template::render;

/// Pairs of a sender and a person that are looked at to count first contacts.
const MOST_LOOKED_AT: usize = 2_000;
const DAY: Duration = Duration::from_hours(24);
/// Recipients of one page that are looked at.
const PAGE: u32 = 500;
const HOUR: Duration = Duration::from_hours(1);

/// How a run is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Start {
    /// A new one, though another is not over: that one is stopped.
    pub new: bool,
    /// How many cycles, in place of what the settings say.
    pub cycles: Option<u32>,
    /// How many recipients it takes before it pauses.
    pub canary: Option<u32>,
    /// Not before.
    pub starts_at: Option<Timestamp>,
    /// How many senders are at work at once, from now on.
    pub workers: Option<u32>,
}

/// Why what was asked of a campaign is not done.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("there is no campaign of this name")]
    Unknown,
    #[error("the campaign has no {0}; add some first")]
    Empty(&'static str),
    #[error("no run of the campaign is open; start one")]
    NoRun,
    #[error("a campaign runs inside the server: start it with `switchboard up`")]
    NoServer,
    #[error(transparent)]
    Invalid(#[from] InvalidSettings),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What would come of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// Recipients that would be written to, in the cycle that goes on or in each.
    pub recipients: u64,
    /// Those that would not, by why.
    pub skipped: BTreeMap<String, u64>,
    pub senders: Vec<CampaignSenderRow>,
    /// How many messages each of them sent in the last hour.
    pub sent_last_hour: BTreeMap<CampaignSender, u64>,
    pub forecast: Forecast,
    /// What the first few would get.
    pub previews: Vec<Preview>,
    /// The first few that would get nothing.
    pub left_out: Vec<LeftOut>,
}

/// A recipient that would get nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub chat: ChatRef,
    pub why: String,
}

/// What a recipient would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub chat: ChatRef,
    /// The text, or why there is none.
    pub text: String,
    /// What comes with it.
    pub media: Vec<Media>,
}

/// The people among recipients.
#[derive(Default)]
struct Met {
    people: u64,
    /// How many of them have their turn next; of these, those that no account knows.
    next: u64,
    unknown: u64,
    known_ids: Vec<ChatId>,
}

impl Campaigns {
    /// Begins a run, or goes on with the one that is not over.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn begin(&self, name: &str, wish: Start) -> Result<CampaignRun, ControlError> {
        if !self.0.is_at_work {
            return Err(ControlError::NoServer);
        }
        if wish.workers.is_some() {
            self.set_workers(name, wish.workers).await?;
        }
        let plan = self.plan(name).await?;
        let campaigns = self.0.parts.store.campaigns();
        if !campaigns.senders(name).await?.iter().any(|row| row.state == SenderState::Active) {
            return Err(ControlError::Empty("senders that may send"));
        }
        if draw(&campaigns.messages(name).await?, 0).is_none() {
            return Err(ControlError::Empty("messages in use"));
        }
        let counted = campaigns.tasks_counted(name, None).await?;
        if counted.all == counted.blocked {
            return Err(ControlError::Empty("chats that are not blocked"));
        }
        if let Some(cycles) = wish.cycles.filter(|cycles| !(1..=MOST_CYCLES).contains(cycles)) {
            let why = format!("must be 1 to {MOST_CYCLES}; it is {cycles}");
            return Err(InvalidSettings { field: "cycles", why }.into());
        }
        if let Some(open) = campaigns.open_run(name).await? {
            if !wish.new {
                return self.set(open.id, CampaignRunState::Running, None, wish.canary).await;
            }
            self.set(open.id, CampaignRunState::Stopped, Some("replaced"), None).await?;
        }
        let now = self.0.parts.clock.now();
        let new = NewRun {
            id: CampaignRunId::from_uuid(self.0.parts.ids.next()),
            campaign: name.to_owned(),
            cycles: wish.cycles.unwrap_or(plan.cycles),
            canary: wish.canary,
            now,
            starts_at: wish.starts_at.unwrap_or(now).max(now),
        };
        match campaigns.begin(new).await {
            Ok(run) => {
                self.carry_out(run.id);
                Ok(run)
            }
            // Another call began one since it was looked for: both follow that one.
            Err(StoreError::Conflict { .. }) => {
                let open = self.open(name).await?;
                self.set(open.id, CampaignRunState::Running, None, wish.canary).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Begins nothing more; what the outbox has is finished.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn pause(&self, name: &str) -> Result<CampaignRun, ControlError> {
        let open = self.open(name).await?;
        self.set(open.id, CampaignRunState::Paused, Some("by_hand"), open.canary).await
    }

    /// Goes on with a run that is paused, without a canary.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn resume(&self, name: &str) -> Result<CampaignRun, ControlError> {
        if !self.0.is_at_work {
            return Err(ControlError::NoServer);
        }
        let open = self.open(name).await?;
        self.set(open.id, CampaignRunState::Running, None, None).await
    }

    /// Ends the run; what the outbox has is finished.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn end(&self, name: &str) -> Result<CampaignRun, ControlError> {
        let open = self.open(name).await?;
        self.set(open.id, CampaignRunState::Stopped, Some("by_hand"), None).await
    }

    /// Lets as many senders of a run at work be at work at once as the settings say now: it is carried out from the beginning.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn take_in_workers(&self, name: &str) -> Result<(), StoreError> {
        let open = self.0.parts.store.campaigns().open_run(name).await?;
        if let Some(run) = open.filter(|run| run.state == CampaignRunState::Running) {
            self.rest(run.id);
            self.carry_out(run.id);
        }
        Ok(())
    }

    /// Who would get what, when the last one leaves and what the limits cost; recipients are counted, and the first `listed` of each
    /// kind are named. It is of the run that this wish would start: of one that is not over, what is left. Nothing is sent and Telegram is
    /// not asked.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn outlook(&self, name: &str, wish: Start, listed: usize) -> Result<Outlook, ControlError> {
        let settings = self.settings(name).await?;
        let plan = Plan::of(&CampaignSettings {
            cycles: wish.cycles.unwrap_or(settings.cycles),
            workers: wish.workers.or(settings.workers),
            ..settings
        })?;
        let (store, campaigns) = (&self.0.parts.store, self.0.parts.store.campaigns());
        let (senders, messages) = (campaigns.senders(name).await?, campaigns.messages(name).await?);
        let needed = Needed::by(&messages);
        let open = if wish.new { None } else { campaigns.open_run(name).await? };
        let (mut all, mut recipients, mut skipped) = (0, 0, BTreeMap::new());
        let (mut previews, mut left_out) = (Vec::new(), Vec::new());
        let mut met = Met::default();
        let mut skip = |chat: ChatRef, why: &str| {
            *skipped.entry(why.to_owned()).or_insert(0) += 1;
            if left_out.len() < listed {
                left_out.push(LeftOut { chat, why: why.to_owned() });
            }
        };
        let mut page = Page { limit: PAGE, cursor: None };
        loop {
            let tasks = campaigns.tasks(name, &page).await?;
            let chats = tasks.items.iter().map(|task| (task.chat.clone(), None)).collect();
            let entries = store.do_not_contact().listed(chats).await?;
            for (task, entry) in tasks.items.into_iter().zip(entries) {
                if task.is_blocked {
                    skip(task.chat, task.why.as_deref().unwrap_or("blocked"));
                } else if entry.is_some() {
                    skip(task.chat, "do_not_contact");
                } else if needed.is_lacking(&task.variables) {
                    skip(task.chat, "template");
                } else {
                    all += 1;
                    let chat_id = self.0.parts.pool.chat_info(&task.chat).map(|known| known.chat_id);
                    let is_group = chat_id.is_some_and(|chat| chat.user_id().is_none());
                    met.people += u64::from(!is_group);
                    if open.as_ref().is_some_and(|run| run.has_had(&task)) {
                        continue;
                    }
                    recipients += 1;
                    if !is_group {
                        met.next += 1;
                        met.known_ids.extend(chat_id);
                        met.unknown += u64::from(chat_id.is_none());
                    }
                    if previews.len() >= listed {
                        continue;
                    }
                    let drawn = draw_for(&messages, &task.variables, self.0.drawn());
                    previews.extend(drawn.map(|message| {
                        let rendered = render(&message.text, message.parse_mode, &task.variables);
                        let text = rendered.unwrap_or_else(|error| error.to_string());
                        Preview { chat: task.chat, text, media: message.media.clone() }
                    }));
                }
            }
            page.cursor = tasks.next_cursor;
            if page.cursor.is_none() {
                break;
            }
        }
        let now = self.0.parts.clock.now();
        let sent_last_hour = campaigns.sent_since(name, now.minus(HOUR)).await?;
        let active = self.senders(name).await?;
        let people = self.people(&senders, met).await?;
        let starts_at = wish.starts_at.unwrap_or(now);
        let (cycle, cycles, next_cycle_at) =
            open.map_or((0, plan.cycles, Some(starts_at)), |run| (run.cycle, run.cycles, run.next_cycle_at));
        let left = Remainder {
            pending: recipients,
            recipients: all,
            cycle,
            cycles,
            next_cycle_at,
            senders: active,
            people,
        };
        let forecast = forecast_left(&plan, left, now);
        Ok(Outlook { recipients, skipped, senders, sent_last_hour, forecast, previews, left_out })
    }

    /// Who may send for a campaign, and what they sent within a day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn senders(&self, name: &str) -> Result<Senders, StoreError> {
        let (campaigns, now) = (self.0.parts.store.campaigns(), self.0.parts.clock.now());
        let sent = campaigns.sent_by_hours_ago(name, now).await?;
        let people = campaigns.people_of_profiles().await?;
        let rows = campaigns.senders(name).await?.into_iter();
        let active = rows.filter(|row| row.state == SenderState::Active).map(|row| row.sender);
        Ok(Senders::of(active.map(|sender| {
            let person = match &sender {
                CampaignSender::Account(name) => {
                    self.0.parts.pool.account(name).and_then(|view| view.user_id)
                }
                CampaignSender::Profile(name) => people.get(name).copied(),
            };
            (person, sent.get(&sender).copied().unwrap_or_default())
        })))
    }

    /// What the limits of first contacts and of advertising mean for recipients. A long list is judged by its first people.
    async fn people(&self, senders: &[CampaignSenderRow], met: Met) -> Result<People, StoreError> {
        let (store, now) = (&self.0.parts.store, self.0.parts.clock.now());
        let active = senders.iter().filter(|row| row.state == SenderState::Active);
        let active: Vec<_> = active.map(|row| row.sender.clone()).collect();
        let count = u64::try_from(active.len().max(1)).unwrap_or(u64::MAX);
        let Met { people, next, unknown, mut known_ids } = met;
        let known = u64::try_from(known_ids.len()).unwrap_or(u64::MAX);
        known_ids.truncate(MOST_LOOKED_AT / active.len().max(1));
        let looked_at = u64::try_from(known_ids.len()).unwrap_or(u64::MAX).saturating_mul(count).max(1);
        let mut first_contacts = ByHour::default();
        for at in store.first_contacts().since(active.clone(), now.minus(DAY)).await? {
            let hour = usize::try_from(now.since(at).as_secs() / HOUR.as_secs()).unwrap_or(0);
            if let Some(hour) = first_contacts.get_mut(hour) {
                *hour += 1;
            }
        }
        let strangers = store.first_contacts().count_strangers(active, known_ids).await?;
        // Of those who are known, as many as among those that were looked at.
        let strangers = known.saturating_mul(strangers).div_ceil(looked_at) + unknown;
        let limits = store.contact_limits();
        Ok(People { among_recipients: people, strangers: strangers.min(next), first_contacts, limits })
    }

    async fn plan(&self, name: &str) -> Result<Plan, ControlError> {
        Ok(Plan::of(&self.settings(name).await?)?)
    }

    async fn settings(&self, name: &str) -> Result<CampaignSettings, ControlError> {
        let row = self.0.parts.store.campaigns().get(name).await?.ok_or(ControlError::Unknown)?;
        Ok(serde_json::from_str(&row.settings).unwrap_or_default())
    }

    /// Changes how many senders are at work at once.
    async fn set_workers(&self, name: &str, workers: Option<u32>) -> Result<(), ControlError> {
        let settings = CampaignSettings { workers, ..self.settings(name).await? };
        Plan::of(&settings)?;
        let unwritable = |error| StoreError::Unavailable(format!("campaigns: {error}"));
        let settings = serde_json::to_string(&settings).map_err(unwritable)?;
        self.0.parts.store.campaigns().change(name, settings).await?;
        Ok(())
    }

    async fn open(&self, name: &str) -> Result<CampaignRun, ControlError> {
        let campaigns = self.0.parts.store.campaigns();
        campaigns.get(name).await?.ok_or(ControlError::Unknown)?;
        campaigns.open_run(name).await?.ok_or(ControlError::NoRun)
    }

    async fn set(
        &self,
        id: CampaignRunId,
        state: CampaignRunState,
        reason: Option<&str>,
        canary: Option<u32>,
    ) -> Result<CampaignRun, ControlError> {
        let now = self.0.parts.clock.now();
        let wish = RunChange { state, reason: reason.map(str::to_owned), canary, now };
        let run = self.0.parts.store.campaigns().change_run(id, wish).await?.ok_or(ControlError::NoRun)?;
        // Its settings, senders or messages may be others: it is carried out from the beginning.
        self.rest(id);
        if state == CampaignRunState::Running {
            self.carry_out(id);
        }
        Ok(run)
    }
}
