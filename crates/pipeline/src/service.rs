//! The pipeline of the running program: one loop that is woken by events and by the next time that something is due.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::queue::QueueError;
use ambient::{Clock, Handle, Ids};
use channels::{Channels, Links, ReceivedFiles};
use config::{PipelineSettings, QueueSettings};
use delivery::Delivery;
use domain::{
    AccountName, ChannelChat, ChannelName, ContactProof, EventId, InboundMessage, Timestamp, TurnId,
    TurnStage,
};
use store::{ClientFields, HandInOutcome, PipelineCounts, Store, StoreError, StoredTurn, TurnAnswer};
use telegram::Pool;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::inbound::{self, HandedIn, WrongField};
use crate::model::{Model, WrongModel};
use crate::queue::{self, NotOffered, Queue, QueueState};
use crate::rules::rules;
use crate::voices::{self, Voices};
use crate::webhook::{Webhook, WrongWebhook};

/// Events that are looked at in one read.
const PAGE: u32 = 500;
/// Batches and turns that are moved in one write.
const BATCH: u32 = 200;
/// Turns that are answered or sent at the same time, at most.
const AT_ONCE: usize = 64;
/// Of these, those that are offered to other programs through Redis, which may be away: the others go on.
const OUTSIDE_AT_ONCE: usize = AT_ONCE / 2;
/// How long until a turn is offered again while Redis is away.
const OFFER_AGAIN: Duration = Duration::from_secs(5);
/// How long until the store is asked again that did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How often is looked whether something is due, whatever the clock says meanwhile.
const LOOK: Duration = Duration::from_secs(30);
/// How long after events that are about no conversation.
const LOOK_AFTER_EVENTS: Duration = Duration::from_millis(50);
/// How long events gather meanwhile: each look is a read and a write.
const GATHER: Duration = Duration::from_millis(10);

/// What the pipeline is made of.
pub struct PipelineParts {
    pub store: Store,
    pub delivery: Delivery,
    pub clock: Clock,
    pub ids: Ids,
    pub settings: PipelineSettings,
    /// The files of what clients write; without them no voice is written down.
    pub received: Option<ReceivedFiles>,
    /// The accounts of Telegram, from which voices come.
    pub pool: Arc<Pool>,
    /// The accounts of channels.
    pub channels: Channels,
    /// Where files are fetched by other programs.
    pub links: Links,
    /// Where the lists are that other programs share.
    pub queue: QueueSettings,
}

/// Why the pipeline cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Model(#[from] WrongModel),
    #[error(transparent)]
    Webhook(#[from] WrongWebhook),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// The pipeline. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(Handle<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: PipelineParts,
    pub(crate) model: Option<Model>,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) voices: Option<Voices>,
    /// Messages whose voices are being written down.
    pub(crate) transcribing: Mutex<HashSet<String>>,
    /// A voice came in, or there is room for one.
    pub(crate) voices_changed: Notify,
    pub(crate) queue: Option<Queue>,
    /// Turns that are being answered or sent.
    in_hand: Mutex<InHand>,
    /// Something changed that no event reports.
    changed: Notify,
    closing: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Pipeline {
    /// A pipeline that does not move yet.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(parts: PipelineParts) -> Result<Self, PipelineError> {
        let model = parts.settings.ai.as_ref();
        let model = model.map(|settings| Model::new(settings, parts.clock.clone())).transpose()?;
        let webhook = parts.settings.webhook.as_ref();
        let webhook = webhook.map(|settings| Webhook::new(settings, parts.clock.clone())).transpose()?;
        let voices = parts.settings.transcription.as_ref().zip(parts.received.clone());
        let voices = voices.map(|(settings, received)| Voices::new(settings, parts.clock.clone(), received));
        let queue = Queue::new(&parts.queue)?;
        Ok(Self(Handle::new(Inner {
            voices: voices.transpose()?,
            queue,
            parts,
            model,
            webhook,
            transcribing: Mutex::default(),
            voices_changed: Notify::new(),
            in_hand: Mutex::default(),
            changed: Notify::new(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })))
    }

    /// Lets it move, where the settings switch it on. What is written from then on is taken in; at the first start ever, and at the
    /// first one after a start that had it off, nothing that was written before.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn start(&self) -> Result<(), StoreError> {
        let PipelineParts { store, clock, settings, .. } = &self.0.parts;
        if settings.enabled {
            if let Some(model) = &self.0.model
                && let Some(spent) = store.pipeline().last_spent(&model.last_day(clock.now())).await?
            {
                model.has_spent(&spent);
            }
            store.pipeline().take_in(&rules(settings, clock.now()), 1).await?;
            self.0.tasks.spawn(run(self.0.clone()));
            if self.0.voices.is_some() {
                self.0.tasks.spawn(voices::run(self.0.clone()));
            }
        } else {
            store.pipeline().switched_off().await?;
        }
        queue::start(&self.0);
        Ok(())
    }

    /// Begins nothing more; the next start goes on where each turn is.
    pub async fn stop(&self, limit: Duration) {
        self.0.closing.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("the pipeline did not end in time; the next start goes on where it is");
        }
    }

    /// Whether the settings switch it on.
    pub fn is_enabled(&self) -> bool {
        self.0.parts.settings.enabled
    }

    /// How much there is at each stage.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn counts(&self) -> Result<PipelineCounts, StoreError> {
        self.0.parts.store.pipeline().counts().await
    }

    /// Takes the answer of a program that answers later; false where the turn is not in its hands any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn answer(
        &self,
        turn: TurnId,
        answer: TurnAnswer,
        fields: ClientFields,
    ) -> Result<bool, StoreError> {
        let answer = self.0.checked(turn, answer).await?;
        let is_taken = self.0.parts.store.pipeline().answer(turn, answer, fields).await?;
        self.0.changed.notify_one();
        Ok(is_taken)
    }

    /// How the queues in Redis are; none where there are none.
    pub fn queues(&self) -> Option<QueueState> {
        self.0.queue.as_ref().map(Queue::state)
    }

    /// Returns the account of a channel that a message is handed in for, which may name none.
    ///
    /// # Errors
    /// The channel has accounts here, and this is none of them; or it is the account of another channel.
    pub fn account_of(
        &self,
        channel: &ChannelName,
        named: Option<AccountName>,
    ) -> Result<AccountName, WrongField> {
        self.0.account_of(channel, named)
    }

    /// Takes a message of a client in that another program hands in; what became of it.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn hand_in(
        &self,
        account: AccountName,
        handed: HandedIn,
    ) -> Result<Option<HandInOutcome>, StoreError> {
        let HandedIn { channel, mut message, is_user_stated, .. } = handed;
        if is_user_stated {
            let (channel, account, chat) = (channel.clone(), account.clone(), message.chat.clone());
            let chat = ChannelChat { channel, account, chat };
            if self.0.parts.store.pipeline().is_user_of(chat, message.user.clone()).await? {
                message.sender_proof = ContactProof::ChannelId;
            }
        }
        Ok(self.0.hand_in(channel, account, vec![message]).await?.into_iter().next())
    }

    /// Whether answers of programs wait for a person.
    pub fn needs_approval(&self) -> bool {
        self.0.parts.settings.approval
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) const fn shared(&self) -> &Handle<Inner> {
        &self.0
    }
}

/// Turns in hand, and which of them wait for Redis.
#[derive(Default)]
struct InHand(HashMap<TurnId, bool>);

impl InHand {
    /// Takes a turn in hand, unless it is there or there is no room.
    fn take(&mut self, turn: TurnId, is_outside: bool) -> bool {
        let outside = self.0.values().filter(|is_outside| **is_outside).count();
        let has_room = self.0.len() < AT_ONCE && !(is_outside && outside >= OUTSIDE_AT_ONCE);
        let is_taken = has_room && !self.0.contains_key(&turn);
        if is_taken {
            self.0.insert(turn, is_outside);
        }
        is_taken
    }
}

async fn run(inner: Handle<Inner>) {
    let mut newest = inner.parts.store.events().newest();
    let mut looked_at = None;
    while !inner.closing.is_cancelled() {
        let up_to = *newest.borrow_and_update();
        let wake = match Inner::step(&inner, up_to, &mut looked_at).await {
            Ok(wake) => wake,
            Err(error) => {
                tracing::warn!(%error, "the pipeline waits for the store");
                inner.parts.clock.now().plus(ASK_AGAIN)
            }
        };
        let clock = &inner.parts.clock;
        tokio::select! {
            () = inner.closing.cancelled() => {}
            () = inner.news(&mut newest) => {}
            () = inner.changed.notified() => {}
            // By the time of day, and by a clock that is not set: the former may have been since it was read.
            () = clock.sleep_until(wake) => {}
            () = clock.sleep(wake.since(clock.now()).min(LOOK)) => {}
        }
    }
}

impl Inner {
    /// Waits for events that change a conversation, or for a while after others: in a stream of messages to people who are no
    /// clients, most have nothing to do with what is due here.
    async fn news(&self, newest: &mut watch::Receiver<EventId>) {
        let mut soon = std::pin::pin!(self.parts.clock.sleep(LOOK_AFTER_EVENTS));
        let mut is_behind = false;
        loop {
            tokio::select! {
                Ok(()) = newest.changed() => {}
                () = &mut soon, if is_behind => return,
                // The end of this channel is the end of the store.
                else => std::future::pending().await,
            }
            let up_to = *newest.borrow_and_update();
            // The next step says what is wrong.
            if self.take_in(up_to).await.unwrap_or(true) {
                return;
            }
            is_behind = true;
            self.parts.clock.sleep(GATHER).await;
        }
    }

    /// Takes in what was said up to an event; says whether anything was.
    async fn take_in(&self, newest: EventId) -> Result<bool, StoreError> {
        let PipelineParts { store, clock, settings, .. } = &self.parts;
        let mut is_any = false;
        loop {
            let took = store.pipeline().take_in(&rules(settings, clock.now()), PAGE).await?;
            if took.took > 0 {
                is_any = true;
                self.voices_changed.notify_one();
            }
            if took.up_to >= newest {
                return Ok(is_any);
            }
        }
    }

    /// Does what there is to do, and says when to look again if nothing else happens.
    async fn step(
        inner: &Handle<Self>,
        newest: EventId,
        looked_at: &mut Option<Timestamp>,
    ) -> Result<Timestamp, StoreError> {
        let PipelineParts { store, clock, ids, settings, .. } = &inner.parts;
        let pipeline = store.pipeline();
        inner.take_in(newest).await?;
        let now = clock.now();
        if looked_at.is_none_or(|at| now < at || now >= at.plus(LOOK)) {
            let moved = pipeline.clock_was_set_back(&rules(settings, now)).await?;
            if moved > 0 {
                tracing::warn!(moved, "the clock was ahead; what began at a later time begins now");
            }
            *looked_at = Some(now);
        }
        while pipeline.advance(&rules(settings, clock.now()), ids, BATCH).await?.taken > 0 {}
        let outside = rules(settings, clock.now()).outside;
        // Answers that are there leave first.
        let stages = [
            (TurnStage::Send, true),
            (TurnStage::Respond, true),
            (TurnStage::Resolve, outside.resolve),
            (TurnStage::Appeal, outside.appeal),
        ];
        for (stage, _) in stages.into_iter().filter(|(_, is_here)| *is_here) {
            let due = pipeline.at_stage(stage, BATCH).await?;
            for turn in due {
                Self::begin(inner, turn);
            }
        }
        let now = clock.now();
        let next_due = if outside.batch { None } else { pipeline.next_due().await? };
        let next = [next_due, pipeline.next_try(now).await?];
        Ok(next.into_iter().flatten().fold(now.plus(LOOK), Timestamp::min))
    }

    /// Answers or sends a turn in a task of its own, as long as there is room.
    fn begin(inner: &Handle<Self>, turn: StoredTurn) {
        if !inner.in_hand().take(turn.id, inner.outside(&turn).is_some()) {
            return;
        }
        let task = inner.clone();
        inner.tasks.spawn(async move {
            let done = match (task.outside(&turn), turn.stage) {
                (Some((queue, stage)), _) => task.offer(queue, stage, &turn).await,
                (None, TurnStage::Send) => task.send(&turn).await.map_err(NotOffered::Store),
                (None, _) => task.respond(&turn).await.map_err(NotOffered::Store),
            };
            let done = match done {
                // Of Redis it is said once, by the queue.
                Err(NotOffered::Queue(_)) => {
                    let until = task.parts.clock.now().plus(OFFER_AGAIN);
                    task.parts.store.pipeline().put_off(turn.id, turn.stage, until).await
                }
                Err(NotOffered::Store(error)) => Err(error),
                Ok(()) => Ok(()),
            };
            if let Err(error) = done {
                tracing::warn!(turn = %turn.id, %error, "a turn waits for the store");
                tokio::select! {
                    () = task.closing.cancelled() => {}
                    () = task.parts.clock.sleep(ASK_AGAIN) => {}
                }
            }
            task.in_hand().0.remove(&turn.id);
            task.changed.notify_one();
        });
    }

    /// Runs a task that the end of the program waits for.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// As [`Pipeline::account_of`].
    pub(crate) fn account_of(
        &self,
        channel: &ChannelName,
        named: Option<AccountName>,
    ) -> Result<AccountName, WrongField> {
        let telegram = self.parts.pool.accounts().into_iter().map(|account| account.name);
        let here: Vec<(String, AccountName)> = telegram
            .map(|name| (store::TELEGRAM_ACCOUNT.to_owned(), name))
            .chain(self.parts.channels.all().map(|known| (known.channel.to_string(), known.name().clone())))
            .collect();
        inbound::account_of(channel.as_str(), named, &here)
    }

    /// Takes messages in, each once by its provider's id; what became of each.
    pub(crate) async fn hand_in(
        &self,
        channel: ChannelName,
        account: AccountName,
        messages: Vec<InboundMessage>,
    ) -> Result<Vec<HandInOutcome>, StoreError> {
        self.parts.store.channels().hand_in(channel, account, messages).await
    }

    /// Something moved that no event reports.
    pub(crate) fn moved(&self) {
        self.changed.notify_one();
    }

    /// Ends with the program.
    pub(crate) const fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    fn in_hand(&self) -> std::sync::MutexGuard<'_, InHand> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn turns_that_wait_for_redis_leave_room_for_others() {
        let mut in_hand = InHand::default();
        let turn = |number| TurnId::from_uuid(Uuid::from_u128(number));
        let taken = (0..1000).filter(|number| in_hand.take(turn(*number), true)).count();
        assert_eq!(taken, OUTSIDE_AT_ONCE);
        assert!(in_hand.take(turn(1000), false));
        assert!(!in_hand.take(turn(1000), false));
        let taken = (2000..3000).filter(|number| in_hand.take(turn(*number), false)).count();
        assert_eq!(taken, AT_ONCE - OUTSIDE_AT_ONCE - 1);
    }
}
