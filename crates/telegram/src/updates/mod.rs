//! Taking an account's updates: in order, without gaps, caught up after every absence.
//!
//! Messages of others are stored with the counters that say they were taken, in one write. While it cannot be made, nothing
//! further is read: what comes meanwhile waits at Telegram, and is asked for afterwards.

mod contacts;
pub(crate) mod gaps;
mod keeper;
mod message;
mod notice;
mod pending;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::account::Operation;
use domain::{ChatId, Timestamp};
use futures::future::join_all;
use grammers_session::types::UpdatesState;
use grammers_session::updates::{MessageBox, MessageBoxes, PrematureEndReason, UpdateAndPeers, UpdatesLike};
use grammers_tl_types::{enums, functions, types};
use mtproto::RequestError;
use store::{Missed, ReceivedChange, StoreError, StoredPeer, TakenUpdates, UpdateChange, UpdateState};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::contacts::Contacts;
use self::keeper::Keeper;
use self::message::Cast;
use self::notice::Notice;
use self::pending::{Absence, Beginning, Pending};
use crate::account::view::Gap;
use crate::account::{Account, Learned};
use crate::calls::classify::{self, CallError};
use crate::chat::history::at;
use crate::line::Arrived;
use crate::line::health;

/// What is further back than this is not asked for.
const OLDEST: Duration = Duration::from_hours(24);

/// More than this is not asked for in one go.
const MOST_MESSAGES: usize = 10_000;

/// How many stretches that were left out are listed.
const GAPS: usize = 20;

/// Messages of one channel that are asked for at once.
const CHANNEL_LIMIT: i32 = 100;

/// How long changes may wait for others before they are stored.
const GATHER: Duration = Duration::from_millis(200);

/// How long a message of others may wait for more of them: each write waits for the disk. All accounts write at the multiples of
/// it, and share one wait.
const GATHER_MESSAGES: Duration = Duration::from_millis(10);

/// How soon it is looked again whether this program sent what an account is said to have written.
const SETTLE: Duration = Duration::from_secs(1);

/// How long after a channel the next one is asked for at the start.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// So many failures in a row are more than a bad moment.
const OFTEN: u32 = 5;

/// Takes the updates of one account until the program ends, and follows its contacts where that is wanted.
pub(crate) async fn run(
    account: &Account,
    arrived: &mut mpsc::Receiver<Arrived>,
    closing: &CancellationToken,
    contacts: bool,
) {
    let mut failures = 0;
    while !closing.is_cancelled() {
        let mut reader = match Reader::begin(account, contacts).await {
            Ok(reader) => reader,
            Err(error) => {
                tracing::warn!(account = %account.name, %error, "the state of the updates could not be read");
                account.health.clock.sleep(health::back_off(failures)).await;
                failures = failures.saturating_add(1);
                continue;
            }
        };
        failures = 0;
        reader.read(arrived, closing).await;
    }
}

/// Why nothing more is read for a moment.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("what came cannot be kept: {0}")]
    Store(#[from] StoreError),
}

struct Reader<'a> {
    account: &'a Account,
    boxes: MessageBoxes,
    /// The counters are known; before that nothing can be in order.
    primed: bool,
    missed: Option<Absence>,
    /// When the account last received anything before this absence, in seconds of Telegram's clock.
    last_received_at: i32,
    /// The counter of each channel when it was last heard of.
    channels: HashMap<i64, i32>,
    /// Channels whose counter is in `boxes`.
    tracked: HashSet<i64>,
    /// Channels that are asked for after the start, and when the next one is.
    to_ask: Vec<i64>,
    ask_at: Timestamp,
    caught_up: usize,
    pending: Pending,
    /// When to look whose messages are that may be this program's own.
    settle_at: Option<Timestamp>,
    /// None where it is of no use who is a contact.
    contacts: Option<Contacts>,
}

impl<'a> Reader<'a> {
    async fn begin(account: &'a Account, contacts: bool) -> Result<Self, store::StoreError> {
        let stored = account.store.accounts().update_state(&account.name).await?;
        let has_unsettled = account.store.received().has_unsettled(&account.name).await?;
        let last_received_at = stored.as_ref().map_or(0, |state| state.date);
        let followed = stored.iter().flat_map(|state| &state.channels);
        let channels: HashMap<i64, i32> = followed.copied().collect();
        let (boxes, primed, missed) = match pending::begin(stored, account.now(), OLDEST) {
            Beginning::At(state) => {
                // Channels join when they are first heard of, or asked for one by one.
                let own = UpdatesState {
                    pts: state.pts,
                    qts: state.qts,
                    date: state.date,
                    seq: state.seq,
                    channels: Vec::new(),
                };
                (MessageBoxes::load(own), true, None)
            }
            Beginning::Now { missed } => (MessageBoxes::new(), false, missed),
        };
        Ok(Self {
            account,
            boxes,
            primed,
            missed,
            last_received_at,
            to_ask: channels.keys().copied().collect(),
            ask_at: account.now(),
            channels,
            tracked: HashSet::new(),
            caught_up: 0,
            pending: Pending::default(),
            settle_at: has_unsettled.then(|| account.now()),
            contacts: contacts.then(Contacts::default),
        })
    }

    async fn read(&mut self, arrived: &mut mpsc::Receiver<Arrived>, closing: &CancellationToken) {
        let mut failures = 0;
        loop {
            let step = tokio::select! {
                () = closing.cancelled() => break,
                step = self.step(arrived) => step,
            };
            match step {
                Ok(()) => failures = 0,
                Err(error) => {
                    if failures == OFTEN {
                        tracing::warn!(account = %self.account.name, %error, "what changes in chats is not heard of");
                    } else {
                        tracing::debug!(account = %self.account.name, %error, "updates");
                    }
                    let wait = self.account.health.chance.jitter(health::back_off(failures));
                    failures = failures.saturating_add(1);
                    let mut changes = self.account.health.changes.subscribe();
                    tokio::select! {
                        () = closing.cancelled() => break,
                        () = self.account.health.clock.sleep(wait) => {}
                        // A line that came up is worth another try at once, unless it was the one that failed.
                        _ = changes.changed(), if failures == 1 && self.account.health.reader().is_none() => {}
                    }
                }
            }
        }
        if let Err(error) = self.flush().await {
            tracing::warn!(account = %self.account.name, %error, "what came last is asked for again at the next start");
        }
    }

    /// One thing: a question to Telegram, or one arrival, or a write.
    async fn step(&mut self, arrived: &mut mpsc::Receiver<Arrived>) -> Result<(), StepError> {
        let clock = self.account.health.clock.clone();
        // First of all: nothing is read while what came cannot be kept. A stream of updates without a pause must not put it off.
        let flush_at = self.flush_at();
        if self.pending.is_much() || flush_at.is_some_and(|at| at <= clock.now()) {
            return Ok(self.flush().await?);
        }
        if self.account.health.gap.swap(false, Ordering::AcqRel) {
            self.gap();
        }
        let up = self.account.health.reader().is_some();
        if up && !self.primed {
            return self.start_from_now().await;
        }
        // Before the messages of those who may be among them.
        if up
            && let Some(contacts) = &mut self.contacts
            && contacts.due() <= clock.now()
        {
            contacts.ask(self.account).await;
        }
        let contacts_due = self.contacts.as_ref().map(Contacts::due);
        let deadline = self.boxes.check_deadlines();
        let (difference, of_channel) = (self.boxes.get_difference(), self.boxes.get_channel_difference());
        // What arrives meanwhile would be stored with a counter past what the difference has.
        let is_owed = difference.is_some() || of_channel.is_some();
        if up {
            if let Some(request) = difference {
                return self.difference(&request).await;
            }
            if let Some(request) = of_channel {
                return self.channel_difference(request).await;
            }
        }
        let mut changes = self.account.health.changes.subscribe();
        tokio::select! {
            biased;
            arrival = arrived.recv(), if !is_owed => match arrival {
                Some(Arrived::Updates(updates)) => self.arrive(*updates),
                Some(Arrived::Reconnected) => self.gap(),
                // The lines are gone, and the program with them.
                None => clock.sleep(health::back_off(u32::MAX)).await,
            },
            () = clock.sleep_until(flush_at.unwrap_or_default()), if flush_at.is_some() => self.flush().await?,
            () = clock.sleep_until(self.ask_at), if up && !self.to_ask.is_empty() => self.ask_for_next(),
            () = clock.sleep_until(contacts_due.unwrap_or_default()), if up && contacts_due.is_some() => {}
            () = tokio::time::sleep_until(deadline.into()), if up => {}
            _ = changes.changed(), if !up => {}
        }
        Ok(())
    }

    fn flush_at(&self) -> Option<Timestamp> {
        // Of a message of its own it is clear by then whether this program sent it.
        let is_own = self.pending.received.iter().all(ReceivedChange::is_own);
        let flush_at = self.pending.since.map(|since| {
            if is_own { since.plus(GATHER) } else { pending::next_multiple(since, GATHER_MESSAGES) }
        });
        flush_at.into_iter().chain(self.settle_at).min()
    }

    /// Asks for what came in the next channel whose messages are kept: Telegram reports some of them only.
    fn ask_for_next(&mut self) {
        let keeper = Keeper::new(self.account);
        let is_stored =
            |channel: &i64| ChatId::channel(*channel).is_some_and(|chat_id| keeper.keeps(chat_id));
        while let Some(channel) = self.to_ask.pop() {
            if !self.tracked.contains(&channel) && is_stored(&channel) {
                let update = types::UpdateChannelTooLong { channel_id: channel, pts: None }.into();
                let update = types::UpdateShort { update, date: 0 }.into();
                self.ask_at = self.account.now().plus(ASK_EVERY);
                return self.arrive(UpdatesLike::Updates(update));
            }
        }
    }

    fn gap(&mut self) {
        if self.primed {
            // A gap is what this is.
            let _ = self.boxes.process_updates(UpdatesLike::ConnectionClosed);
        }
    }

    fn arrive(&mut self, mut updates: UpdatesLike) {
        if !self.primed {
            return;
        }
        if let UpdatesLike::Updates(updates) = &mut updates {
            match updates {
                // It introduces no one: who is not known is in the difference.
                enums::Updates::UpdateShortMessage(short) if !self.has_dialog_with(short.user_id) => {
                    return self.gap();
                }
                enums::Updates::Updates(all) => self.introduce(&mut all.updates),
                enums::Updates::Combined(all) => self.introduce(&mut all.updates),
                enums::Updates::UpdateShort(one) => self.introduce(std::slice::from_mut(&mut one.update)),
                _ => {}
            }
        }
        // The answer to a text that was sent on this line.
        let sent_here = match &updates {
            UpdatesLike::ShortSentMessage { update, .. } => Some(update.id),
            _ => None,
        };
        // On a gap the difference is asked for by the next step.
        if let Ok(taken) = self.boxes.process_updates(updates) {
            self.take(taken, sent_here);
        }
    }

    fn has_dialog_with(&self, user_id: i64) -> bool {
        let known = ChatId::user(user_id).and_then(|chat_id| self.account.peers.get(chat_id));
        known.is_some_and(|peer| peer.dialog)
    }

    /// Gives the boxes the counters of channels that are mentioned for the first time, so that a gap is seen as one.
    fn introduce(&mut self, updates: &mut [enums::Update]) {
        for update in updates {
            let Some(channel) = notice::channel(update) else { continue };
            if self.tracked.insert(channel)
                && let Some(pts) = self.channels.get(&channel)
            {
                self.boxes.try_set_channel_state(channel, *pts);
            }
            // Its number would replace ours, and what is between would never be asked for.
            if let enums::Update::ChannelTooLong(update) = update
                && self.channels.contains_key(&channel)
            {
                update.pts = None;
            }
        }
    }

    fn take(&mut self, (updates, users, chats): UpdateAndPeers, sent_here: Option<i32>) {
        let account = self.account;
        let me = account.health.user_id();
        account.updates_received.fetch_add(updates.len() as u64, Ordering::Relaxed);
        let (mut dialogs, mut left, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
        let mut became = Vec::new();
        for (update, state) in &updates {
            if let Some(chat_id) = notice::lifts_refusal(update) {
                account.flood_waits.lift_mark(chat_id);
            }
            match notice::notice(update, me) {
                Some(Notice::Sent { random_id, message_id }) => {
                    account.recently_sent.note(random_id, message_id, None);
                }
                Some(Notice::Dialog(chat_id)) => dialogs.push(chat_id),
                Some(Notice::Left(chat_id)) => left.push(chat_id),
                // The last word counts.
                Some(Notice::Joined(chat_id)) => left.retain(|left| *left != chat_id),
                Some(Notice::Became { from, to }) => {
                    left.push(from);
                    became.push((from, to));
                }
                Some(Notice::Renamed { chat_id, username, title }) => {
                    renamed.extend(account.peers.renamed(chat_id, username, title));
                }
                Some(Notice::Contacts) => {
                    if let Some(contacts) = &mut self.contacts {
                        contacts.changed();
                    }
                }
                None => {}
            }
            self.pending.note(state);
            if let Some(MessageBox::Channel { channel_id, pts }) = state.message_box {
                self.channels.insert(channel_id, pts);
            }
        }
        let stored_updates = updates.iter().map(|(update, _)| update);
        let stored_updates =
            Keeper::new(account).changes(stored_updates, &Cast::of(&users, &chats), sent_here);
        self.pending.received.extend(stored_updates);
        let mut learned = account.sort_out(&users, &chats, &dialogs);
        // The chat may be shown as it was just before.
        let was_left = |peer: &&mut StoredPeer| left.contains(&peer.chat_id);
        learned.peers.iter_mut().filter(was_left).for_each(|peer| peer.dialog = false);
        learned.peers.extend(renamed);
        left.retain(|chat_id| account.peers.leave(*chat_id));
        learned.gone.extend(left);
        became.retain(|(from, to)| account.registry.migrated(*from, *to));
        learned.migrated.extend(became);
        learned.returned = account.returned(&learned.peers);
        learned.peers = account.peers.learn(&account.names, learned.peers, account.now());
        // Anyone who is in a chat again may have got the right to write back as well.
        for peer in learned.peers.iter().filter(|peer| peer.dialog) {
            account.flood_waits.lift_mark(peer.chat_id);
        }
        if learned.len() > 0 {
            account.health.changes.tell();
        }
        self.pending.learned.append(learned);
        self.touch();
    }

    fn touch(&mut self) {
        if self.pending.since.is_none() && !self.pending.is_empty() {
            self.pending.since = Some(self.account.now());
        }
    }

    async fn difference(&mut self, request: &functions::updates::GetDifference) -> Result<(), StepError> {
        let mut answer = match self.account.read(Operation::Read, request).await {
            // The counters are of no use to Telegram; new ones are.
            Err(CallError::Failed(RequestError::Rpc(error)))
                if error.code == 400 && !classify::is_about_the_program(&error.name) =>
            {
                return self.skip(Absence { pts: request.pts, date: request.date }).await;
            }
            // It would be the same the next time, and nothing behind it would ever be heard.
            Err(CallError::Failed(error)) if is_unreadable(&error) => {
                tracing::warn!(account = %self.account.name, %error, "updates cannot be read and are left out");
                return self.skip(Absence { pts: request.pts, date: request.date }).await;
            }
            answer => answer?,
        };
        let (mut finished, mut newest) = (true, request.date);
        match &mut answer {
            enums::updates::Difference::Empty(_) => {}
            enums::updates::Difference::Difference(difference) => {
                self.introduce(&mut difference.other_updates);
                self.caught_up += difference.new_messages.len();
            }
            enums::updates::Difference::Slice(slice) => {
                self.introduce(&mut slice.other_updates);
                self.caught_up += slice.new_messages.len();
                // What is behind it is no older than its last message, whatever date Telegram gives the place.
                newest = slice.new_messages.iter().filter_map(written_at).max().unwrap_or(newest);
                finished = false;
            }
            enums::updates::Difference::TooLong(too_long) => {
                self.miss(request.pts, too_long.pts);
                if Keeper::new(self.account).keeps_any() {
                    self.pending.missed.push(Missed { channel: None, since: at(request.date) });
                }
            }
        }
        let taken = self.boxes.apply_difference(answer);
        self.account.watch.missed(&self.account.name, taken.0.iter().map(|(update, _)| update));
        self.take(taken, None);
        let state = self.boxes.session_state();
        self.pending.note_primary(state.pts, state.date, state.seq);
        self.touch();
        if finished {
            self.caught_up = 0;
        } else if self.caught_up >= MOST_MESSAGES {
            return self.skip(Absence { pts: state.pts, date: newest }).await;
        }
        Ok(())
    }

    async fn channel_difference(
        &mut self,
        mut request: functions::updates::GetChannelDifference,
    ) -> Result<(), StepError> {
        let chat_id = match &request.channel {
            enums::InputChannel::Channel(channel) => ChatId::channel(channel.channel_id),
            _ => None,
        };
        let Some((chat_id, channel)) =
            chat_id.and_then(|chat_id| Some((chat_id, self.account.peers.input_channel(chat_id)?)))
        else {
            self.boxes.end_channel_difference(PrematureEndReason::Banned);
            return Ok(());
        };
        request.channel = channel;
        request.limit = CHANNEL_LIMIT;
        let answer = match self.account.read(Operation::Read, &request).await {
            Ok(answer) => answer,
            Err(CallError::Failed(RequestError::Rpc(error))) if error.code != 420 => {
                let for_now = error.code >= 500 || error.code < 0 || error.name.starts_with("PERSISTENT_");
                if error.name == "CHANNEL_PRIVATE" && self.account.peers.leave(chat_id) {
                    self.pending.learned.gone.push(chat_id);
                    self.touch();
                }
                self.boxes.end_channel_difference(if for_now {
                    PrematureEndReason::TemporaryServerIssues
                } else {
                    self.tracked.remove(&chat_id.bare());
                    PrematureEndReason::Banned
                });
                return Ok(());
            }
            // The next update of the channel is the new beginning, and the others go on.
            Err(CallError::Failed(error)) if is_unreadable(&error) => {
                tracing::warn!(
                    account = %self.account.name, %chat_id, %error,
                    "updates of a channel cannot be read and are left out"
                );
                self.miss_in(chat_id);
                self.boxes.end_channel_difference(PrematureEndReason::Banned);
                self.tracked.remove(&chat_id.bare());
                self.channels.remove(&chat_id.bare());
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let pts = match &answer {
            enums::updates::ChannelDifference::Empty(empty) => Some(empty.pts),
            enums::updates::ChannelDifference::Difference(difference) => Some(difference.pts),
            enums::updates::ChannelDifference::TooLong(too_long) => match &too_long.dialog {
                enums::Dialog::Dialog(dialog) => dialog.pts,
                _ => None,
            },
        };
        let Some(pts) = pts else {
            // An answer without a counter leads nowhere.
            self.boxes.end_channel_difference(PrematureEndReason::Banned);
            self.tracked.remove(&chat_id.bare());
            return Ok(());
        };
        if matches!(answer, enums::updates::ChannelDifference::TooLong(_)) {
            self.miss(request.pts, pts);
            self.miss_in(chat_id);
        }
        let taken = self.boxes.apply_channel_difference(answer);
        self.account.watch.missed(&self.account.name, taken.0.iter().map(|(update, _)| update));
        self.take(taken, None);
        self.channels.insert(chat_id.bare(), pts);
        self.pending.note_channel(chat_id.bare(), pts);
        self.touch();
        Ok(())
    }

    async fn start_from_now(&mut self) -> Result<(), StepError> {
        // What was taken before is behind what the counters say from now on.
        self.flush().await?;
        let request = functions::updates::GetState {};
        let enums::updates::State::State(state) = self.account.read(Operation::Read, &request).await?;
        let keeps_any = Keeper::new(self.account).keeps_any();
        let missed = self.missed.filter(|_| keeps_any);
        let missed = missed.map(|absence| Missed { channel: None, since: at(absence.date) });
        let new_state = UpdateState {
            pts: state.pts,
            qts: state.qts,
            date: state.date,
            seq: state.seq,
            channels: self.channels.iter().map(|(id, pts)| (*id, *pts)).collect(),
            saved_at: self.account.now(),
        };
        match missed {
            None => self.save(UpdateChange::All(new_state)).await,
            Some(missed) => {
                let (state, missed) = (vec![UpdateChange::All(new_state)], vec![missed]);
                let taken = TakenUpdates { state, missed, ..TakenUpdates::new(self.account.name.clone()) };
                self.account.store.received().take(taken).await?;
                self.account.gap_noted.notify_one();
            }
        }
        if let Some(absence) = self.missed.take() {
            self.miss(absence.pts, state.pts);
        }
        let date = state.date;
        self.boxes = MessageBoxes::new();
        self.boxes.set_state(state);
        self.tracked.clear();
        // The difference that would have named them is left out.
        self.to_ask = self.channels.keys().copied().collect();
        self.ask_at = self.account.now();
        self.caught_up = 0;
        if self.last_received_at == 0 {
            self.last_received_at = date;
        }
        self.primed = true;
        Ok(())
    }

    async fn skip(&mut self, absence: Absence) -> Result<(), StepError> {
        self.primed = false;
        // Of two absences the first reaches further back.
        self.missed.get_or_insert(absence);
        self.start_from_now().await
    }

    /// The history of a channel is read, where its messages are kept.
    fn miss_in(&mut self, chat_id: ChatId) {
        if Keeper::new(self.account).keeps(chat_id) {
            let since = at(self.last_received_at);
            self.pending.missed.push(Missed { channel: Some(chat_id), since });
            self.touch();
        }
    }

    fn miss(&self, since: i32, now: i32) {
        let missed = u64::try_from(now.saturating_sub(since)).unwrap_or(0);
        if missed > 0 {
            self.account.updates_missed.fetch_add(missed, Ordering::Relaxed);
            let gap = Gap { noticed_at: self.account.now(), after_pts: since, up_to_pts: now };
            let mut gaps = self.account.gaps.lock();
            if gaps.len() == GAPS {
                gaps.pop_front();
            }
            gaps.push_back(gap);
            drop(gaps);
            tracing::warn!(account = %self.account.name, missed, "updates were left out: they lie too far back");
        }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        // First the peers that the updates mention, then that they were taken. It is kept until it is stored: the stop
        // of the program may interrupt this, and is followed by another.
        self.account.store_learned(self.pending.learned.clone()).await;
        self.pending.learned = Learned::default();
        let state = self.pending.counters();
        let Pending { received, missed, .. } = &self.pending;
        if received.is_empty() && missed.is_empty() && self.settle_at.is_none() {
            // Together they are one commit.
            join_all(state.into_iter().map(|change| self.save(change))).await;
        } else {
            let (changes, missed) = (received.clone(), missed.clone());
            let is_gap = !missed.is_empty();
            let files = self.account.definition().keep.files.clone();
            let taken = TakenUpdates {
                changes,
                state,
                missed,
                files,
                ..TakenUpdates::new(self.account.name.clone())
            };
            let taken = self.account.store.received().take(taken).await?;
            if taken.files > 0 {
                self.account.fetching.wake();
            }
            if is_gap {
                self.account.gap_noted.notify_one();
            }
            self.settle_at = (taken.unsettled > 0).then(|| self.account.now().plus(SETTLE));
        }
        self.pending.clear();
        Ok(())
    }

    async fn save(&self, change: UpdateChange) {
        if let Err(error) = self.account.store.accounts().save_update_state(&self.account.name, &change).await
        {
            tracing::warn!(account = %self.account.name, %error, "the state of the updates could not be stored");
        }
    }
}

const fn written_at(message: &enums::Message) -> Option<i32> {
    match message {
        enums::Message::Empty(_) => None,
        enums::Message::Message(message) => Some(message.date),
        enums::Message::Service(message) => Some(message.date),
    }
}

const fn is_unreadable(error: &RequestError) -> bool {
    matches!(error, RequestError::Unreadable(_) | RequestError::Unpackable)
}
