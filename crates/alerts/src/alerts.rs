//! What others ask of this crate, and what its tasks share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::{Clock, Handle, Ids};
use config::{AlertSettings, AlertTargetFields, WrongField};
use delivery::Delivery;
use domain::{AlertId, MaintenanceId, MessageId, Timestamp};
use outbound::Allowed;
use serde_json::json;
use store::{
    AlertFilter, AlertState, Page, Paged, Store, StoreError, StoredAlert, StoredMute, StoredTarget,
    StoredWindow,
};
use tokio::sync::{Notify, mpsc, watch as watch_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::hours::{InvalidHours, MaintenanceWindow};
use crate::notice::{self, Words};
use crate::probe::Round;
use crate::silence::Silences;
use crate::target_list::TargetList;
use crate::targets::chat::{self, ChatDelivery};
use crate::targets::{Channel, DeliveryError, Target};
use crate::tracker::AlertTracker;
use crate::view::{AlertView, TargetAddress, TargetOrigin, TargetView, WindowView};
use crate::watch::Pending;
use crate::{deliver, listed, watch};

/// The longest test; a caller waits for it.
const TEST_TAKES: Duration = Duration::from_secs(8);

/// Rounds of probes that may wait. A round that finds no room is no probe at all.
const ROUNDS: usize = 16;

/// Targets that may be made here.
const MOST_TARGETS: usize = 50;

/// Cards that may be muted at the same time, and maintenance windows.
const MOST_SILENCES: usize = 1000;

/// The shortest and the longest time that a card is muted for.
const MUTE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(90 * 24));

pub struct AlertsParts<'a> {
    pub store: Store,
    /// Sends messages to chats.
    pub delivery: Delivery,
    pub clock: Clock,
    pub ids: Ids,
    /// How often to remind, and the targets of the settings.
    pub settings: &'a AlertSettings,
    /// Where targets that are made here may be, beside the public internet.
    pub allowed: Allowed,
    /// The name of this machine, for those who have several.
    pub server: String,
}

#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("the target cannot be")]
    Wrong(Vec<WrongField>),
    #[error("a target of this name is there already")]
    Exists,
    #[error("there are {MOST_TARGETS} targets already; take one out first")]
    TooMany,
    #[error("the target stands in the settings file; change it there")]
    InSettings,
    #[error("there is no target of this name")]
    NoSuchTarget,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tested {
    Delivered,
    /// It waits in the outbox.
    Queued {
        message: MessageId,
        /// What for, in words.
        why: String,
    },
}

/// Why a test came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    #[error("there is no target of this name")]
    NoSuchTarget,
    #[error("{0}")]
    Refused(String),
    #[error("only a running server notifies a chat; start it with `switchboard up`")]
    AtRest,
}

#[derive(Debug, thiserror::Error)]
pub enum MuteError {
    #[error("a card is muted for a minute at least and 90 days at most")]
    Time,
    #[error("{MOST_SILENCES} cards are muted already; unmute some, or make a maintenance window")]
    TooMany,
    #[error("there is no such alert")]
    NoSuchAlert,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    #[error(transparent)]
    Wrong(#[from] InvalidHours),
    #[error("there are {MOST_SILENCES} maintenance windows already; take some out first")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Notifies targets of what stays broken. Cheap to clone.
#[derive(Clone)]
pub struct Alerts(Handle<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) delivery: Delivery,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) server: String,
    allowed: Allowed,
    /// One change of the targets at a time: two would not see what the other wrote.
    changing_targets: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    changed: watch_channel::Sender<u64>,
    /// Notified when there may be something to deliver.
    pub(crate) deliver: Notify,
    /// Notified when there may be a notice to write.
    pub(crate) look: Notify,
    pub(crate) closing: CancellationToken,
    tasks: TaskTracker,
    /// None while nothing runs.
    rounds: Option<mpsc::Sender<Round>>,
}

pub(crate) struct State {
    pub(crate) tracker: AlertTracker,
    pub(crate) silences: Silences,
    pub(crate) targets: TargetList,
    pub(crate) remind_every: Duration,
    pub(crate) pending: Option<Pending>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that is shown changed.
    pub(crate) fn bump(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Alerts {
    /// Restores what an earlier run left, and starts watching and notifying.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(parts: AlertsParts<'_>) -> Result<Self, StoreError> {
        let (sender, rounds) = mpsc::channel(ROUNDS);
        let alerts = Self::over(parts, Some(sender)).await?;
        let shared = &alerts.0;
        shared.tasks.spawn(watch::run(shared.clone(), rounds));
        shared.tasks.spawn(deliver::run(shared.clone()));
        shared.tasks.close();
        alerts.mirror().await;
        Ok(alerts)
    }

    /// The same without a running server: to read and to change, without watching and notifying.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn at_rest(parts: AlertsParts<'_>) -> Result<Self, StoreError> {
        Self::over(parts, None).await
    }

    async fn over(parts: AlertsParts<'_>, rounds: Option<mpsc::Sender<Round>>) -> Result<Self, StoreError> {
        let AlertsParts { store, delivery, clock, ids, settings, allowed, server } = parts;
        let rows = store.alerts();
        let tracker = AlertTracker::restore(rows.unfinished().await?);
        let silences = Silences::new(rows.mutes().await?, rows.windows().await?);
        let targets = TargetList::new(&settings.targets, rows.targets().await?, &allowed);
        Ok(Self(Handle::new(Shared {
            state: Mutex::new(State {
                tracker,
                silences,
                targets,
                remind_every: settings.remind_every,
                pending: None,
            }),
            store,
            delivery,
            clock,
            ids,
            server,
            allowed,
            changing_targets: tokio::sync::Mutex::default(),
            changed: watch_channel::Sender::new(0),
            deliver: Notify::new(),
            look: Notify::new(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            rounds,
        })))
    }

    /// Ends cleanly: what changed is written down, what is on the wire waited for, at most `limit`. The rest stays in
    /// the store.
    pub async fn stop(&self, limit: Duration) {
        self.0.closing.cancel();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("an alert is still on the wire; the next start tells it again");
        }
    }

    /// Takes a probe of every card there is. Never waits: a round that finds no room is left out.
    pub fn observe(&self, round: Round) {
        if let Some(rounds) = &self.0.rounds
            && rounds.try_send(round).is_err()
            && !self.0.closing.is_cancelled()
        {
            tracing::warn!("a round of probes was not looked at: those before it are still being written");
        }
    }

    /// The alerts that are open, the latest first.
    pub fn open(&self) -> Vec<AlertView> {
        let now = self.0.clock.now();
        let state = self.0.state();
        state.tracker.open().map(|alert| view(&state, alert.clone(), now)).collect()
    }

    /// Changes when the alerts, targets, mutes or windows do.
    pub fn changes(&self) -> watch_channel::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Alerts, open and past, the latest first, a page at a time. Open ones are read without the store, which may be in
    /// trouble.
    ///
    /// # Errors
    /// The store cannot be read, or the cursor is none of this list.
    pub async fn list(&self, filter: &AlertFilter, page: &Page) -> Result<Paged<AlertView>, StoreError> {
        let stored = match filter.open {
            Some(true) => Paged { items: Vec::new(), next_cursor: None },
            _ => self.0.store.alerts().list(filter, page).await?,
        };
        let now = self.0.clock.now();
        let state = self.0.state();
        let Paged { items, next_cursor } = listed::with_known(stored, state.tracker.all(), filter, page)?;
        let items = items.into_iter().map(|alert| view(&state, alert, now)).collect();
        Ok(Paged { items, next_cursor })
    }

    /// An alert.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn get(&self, id: AlertId) -> Result<Option<AlertView>, StoreError> {
        let known = self.0.state().tracker.get(id).cloned();
        let found = match known {
            Some(alert) => Some(alert),
            None => self.0.store.alerts().get(id).await?,
        };
        let now = self.0.clock.now();
        Ok(found.map(|alert| view(&self.0.state(), alert, now)))
    }

    // ---- silence -------------------------------------------------------------------------------------------------

    /// Mutes a card and its parts until then; its checks continue.
    ///
    /// # Errors
    /// See [`MuteError`]; nothing was changed then.
    pub async fn mute(&self, card: &str, until: Timestamp, by: &str) -> Result<(), MuteError> {
        let now = self.0.clock.now();
        let (shortest, longest) = MUTE;
        if until < now.plus(shortest) || until > now.plus(longest) {
            return Err(MuteError::Time);
        }
        if self.0.state().silences.mutes(now).count() >= MOST_SILENCES {
            return Err(MuteError::TooMany);
        }
        let mute = StoredMute { card: card.to_owned(), until, muted_at: now, muted_by: by.to_owned() };
        self.0.store.alerts().save_mute(&mute).await?;
        self.0.state().silences.mute(mute);
        self.0.bump();
        Ok(())
    }

    /// The same for the card of an alert; answers how the alert is now.
    ///
    /// # Errors
    /// See [`MuteError`]; nothing was changed then.
    pub async fn mute_alert(&self, id: AlertId, until: Timestamp, by: &str) -> Result<AlertView, MuteError> {
        let found = self.get(id).await?.ok_or(MuteError::NoSuchAlert)?;
        self.mute(&found.alert.card, until, by).await?;
        self.get(id).await?.ok_or(MuteError::NoSuchAlert)
    }

    /// The cards that are muted, by name.
    pub fn mutes(&self) -> Vec<StoredMute> {
        self.0.state().silences.mutes(self.0.clock.now()).cloned().collect()
    }

    /// Unmutes a card. False when it was not muted.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn unmute(&self, card: &str) -> Result<bool, StoreError> {
        let was_muted = self.0.store.alerts().forget_mute(card).await?;
        self.0.state().silences.unmute(card);
        self.0.look.notify_one();
        self.0.bump();
        Ok(was_muted)
    }

    /// The maintenance windows, the oldest first.
    pub fn windows(&self) -> Vec<WindowView> {
        let now = self.0.clock.now();
        self.0
            .state()
            .silences
            .windows()
            .iter()
            .map(|(stored, window)| window_view(stored, window, now))
            .collect()
    }

    /// Adds a maintenance window.
    ///
    /// # Errors
    /// See [`WindowError`]; nothing was changed then.
    pub async fn add_window(&self, window: MaintenanceWindow, by: &str) -> Result<WindowView, WindowError> {
        let now = self.0.clock.now();
        window.check(now)?;
        if self.0.state().silences.windows().len() >= MOST_SILENCES {
            return Err(WindowError::TooMany);
        }
        let record = window.to_record().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let stored = StoredWindow {
            id: MaintenanceId::from_uuid(self.0.ids.next()),
            record,
            created_at: now,
            created_by: by.to_owned(),
        };
        self.0.store.alerts().add_window(&stored).await?;
        let view = window_view(&stored, &window, now);
        self.0.state().silences.add(stored, window);
        self.0.bump();
        Ok(view)
    }

    /// Takes a maintenance window out. False when there was none.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn remove_window(&self, id: MaintenanceId) -> Result<bool, StoreError> {
        let was_there = self.0.store.alerts().remove_window(id).await?;
        self.0.state().silences.remove(id);
        self.0.look.notify_one();
        self.0.bump();
        Ok(was_there)
    }

    // ---- targets -------------------------------------------------------------------------------------------------

    /// The targets and their state, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn targets(&self) -> Result<Vec<TargetView>, StoreError> {
        let rows = self.0.store.alerts();
        let (target_states, waiting) = (rows.target_health().await?, rows.waiting().await?);
        let targets = self.0.state().targets.all();
        let shown = |target: &Arc<Target>| {
            let target_state = target_states.iter().find(|target_state| target_state.name == target.name);
            let waiting = waiting.iter().find(|row| row.target == target.name);
            TargetView {
                name: target.name.clone(),
                kind: target.kind,
                place: target.place.clone(),
                signed: target.signed,
                origin: target.origin,
                made: target.made.clone(),
                waiting: waiting.map_or(0, |row| row.count),
                waiting_since: waiting.map(|row| row.since),
                notified_at: target_state.and_then(|target_state| target_state.notified_at),
                failed_at: target_state.and_then(|target_state| target_state.failed_at),
                last_error: target_state.and_then(|target_state| target_state.last_error.clone()),
                off_at: target_state.and_then(|target_state| target_state.off_at),
            }
        };
        Ok(targets.iter().map(shown).collect())
    }

    /// The addresses of the targets that were made here. Those of the settings are there, and a chat has none.
    pub fn addresses_made_here(&self) -> Vec<TargetAddress> {
        let targets = self.0.state().targets.all();
        let made_here = targets.iter().filter(|target| target.origin == TargetOrigin::Store);
        made_here
            .filter_map(|target| {
                let (host, port) = target.address()?;
                Some(TargetAddress { name: target.name.clone(), host, port })
            })
            .collect()
    }

    /// Takes over how often to remind and the targets of the settings as they are now.
    ///
    /// # Errors
    /// The store cannot be read; nothing was changed then.
    pub async fn reload(&self, settings: &AlertSettings) -> Result<(), StoreError> {
        let _turn = self.0.changing_targets.lock().await;
        let made_here = self.0.store.alerts().targets().await?;
        {
            let mut state = self.0.state();
            state.targets = TargetList::new(&settings.targets, made_here, &self.0.allowed);
            state.remind_every = settings.remind_every;
        }
        self.mirror().await;
        self.0.deliver.notify_one();
        self.0.look.notify_one();
        self.0.bump();
        Ok(())
    }

    /// Adds a target; its secrets are sealed.
    ///
    /// # Errors
    /// See [`TargetError`]; nothing was changed then.
    pub async fn add_target(&self, fields: &AlertTargetFields, by: &str) -> Result<TargetView, TargetError> {
        let _turn = self.0.changing_targets.lock().await;
        let now = self.0.clock.now();
        let made = (now, by.to_owned());
        let target = Target::of_store(fields, &self.0.allowed, made).map_err(TargetError::Wrong)?;
        {
            let state = self.0.state();
            if state.targets.get(&fields.name).is_some() {
                return Err(TargetError::Exists);
            }
            let here =
                state.targets.all().iter().filter(|target| target.origin == TargetOrigin::Store).count();
            if here >= MOST_TARGETS {
                return Err(TargetError::TooMany);
            }
        }
        let record =
            fields.to_toml_with_secrets().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let stored =
            StoredTarget { name: fields.name.clone(), record, created_at: now, created_by: by.to_owned() };
        if !self.0.store.alerts().add_target(&stored).await? {
            return Err(TargetError::Exists);
        }
        self.0.state().targets.add(target);
        self.mirror().await;
        self.0.bump();
        self.targets()
            .await?
            .into_iter()
            .find(|target| target.name == fields.name)
            .ok_or(TargetError::NoSuchTarget)
    }

    /// Takes a target out, with all that waits for it.
    ///
    /// # Errors
    /// See [`TargetError`]; nothing was changed then.
    pub async fn remove_target(&self, name: &str) -> Result<(), TargetError> {
        let _turn = self.0.changing_targets.lock().await;
        match self.0.state().targets.get(name).map(|target| target.origin) {
            Some(TargetOrigin::Settings) => return Err(TargetError::InSettings),
            Some(TargetOrigin::Store) => {}
            None => return Err(TargetError::NoSuchTarget),
        }
        let was_there = self.0.store.alerts().remove_target(name, self.0.clock.now()).await?;
        self.0.state().targets.remove(name);
        self.mirror().await;
        self.0.bump();
        if was_there { Ok(()) } else { Err(TargetError::NoSuchTarget) }
    }

    /// Sends a target a test notice, and returns within ten seconds what came of it. One that took it and was turned
    /// off is on again.
    ///
    /// # Errors
    /// See [`TestError`].
    pub async fn test(&self, name: &str) -> Result<Tested, TestError> {
        self.tell_now(name, self.test_words(name)).await
    }

    /// Sends a target what is no alert, such as that a move is done, and returns within ten seconds what came of it.
    ///
    /// # Errors
    /// See [`TestError`].
    pub async fn report(&self, name: &str, subject: &str, text: &str) -> Result<Tested, TestError> {
        self.tell_now(name, self.report_words(subject, text)).await
    }

    async fn tell_now(&self, name: &str, words: Words) -> Result<Tested, TestError> {
        let target = self.0.state().targets.get(name).ok_or(TestError::NoSuchTarget)?;
        if let Channel::Chat { chat, account } = &target.channel {
            if self.0.rounds.is_none() {
                return Err(TestError::AtRest);
            }
            return match chat::begin(&self.0.delivery, chat, account.clone(), &words, 0, TEST_TAKES).await {
                ChatDelivery::Sent => {
                    self.record_notified(name).await;
                    Ok(Tested::Delivered)
                }
                ChatDelivery::Queued(message) => {
                    let why = chat::waits_for(&self.0.delivery, message).await;
                    Ok(Tested::Queued { message, why })
                }
                ChatDelivery::Failed(error) => Err(TestError::Refused(error)),
            };
        }
        match target.tell(&self.0.clock, &words, TEST_TAKES).await {
            Ok(()) => {
                self.record_notified(name).await;
                Ok(Tested::Delivered)
            }
            Err(DeliveryError::Failed(error) | DeliveryError::Off(error)) => Err(TestError::Refused(error)),
        }
    }

    fn test_words(&self, name: &str) -> Words {
        let (at, server) = (self.0.clock.now(), &self.0.server);
        let id = domain::AlertNoticeId::from_uuid(self.0.ids.next()).to_string();
        let subject = format!("Switchboard {server}: a test");
        let text = format!(
            "{subject}\n\nThis is a test of the target {name}, made at {}. Nothing is in trouble.\n",
            notice::minute(at)
        );
        let json = json!({
            "type": "alerts.test", "timestamp": at, "data": { "server": server, "target": name, "text": text },
        });
        Words { id, at, subject, text, json }
    }

    fn report_words(&self, subject: &str, text: &str) -> Words {
        let (at, server) = (self.0.clock.now(), &self.0.server);
        let id = domain::AlertNoticeId::from_uuid(self.0.ids.next()).to_string();
        let subject = format!("Switchboard {server}: {subject}");
        let text = format!("{subject}\n\n{text}");
        let json = json!({ "type": "report", "timestamp": at, "data": { "server": server, "text": text } });
        Words { id, at, subject, text, json }
    }

    async fn record_notified(&self, name: &str) {
        if let Err(error) = self.0.store.alerts().target_received(name, self.0.clock.now()).await {
            tracing::warn!(target = name, %error, "that a target was notified is not stored");
        }
        self.0.bump();
    }

    /// Writes the targets where a program that is dead finds them.
    async fn mirror(&self) {
        if let Err(error) = self.0.store.alerts().mirror_targets().await {
            tracing::warn!(%error, "the targets are not where `switchboard alert send` looks for them");
        }
    }
}

fn view(state: &State, alert: StoredAlert, now: Timestamp) -> AlertView {
    let is_open = alert.state == AlertState::Open;
    let silence = state.silences.of(&alert.card, &alert.kind, alert.parent.as_deref(), now);
    AlertView {
        silence: silence.filter(|_| is_open),
        parts: if is_open { state.tracker.red_parts(&alert.card) } else { 0 },
        alert,
    }
}

fn window_view(stored: &StoredWindow, window: &MaintenanceWindow, now: Timestamp) -> WindowView {
    WindowView {
        id: stored.id,
        window: window.clone(),
        now_until: window.covers(now),
        created_at: stored.created_at,
        created_by: stored.created_by.clone(),
    }
}
