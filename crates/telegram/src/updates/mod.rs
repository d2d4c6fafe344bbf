//! Taking an account's updates: in order, without gaps, caught up after every absence.

mod notice;
mod pending;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::ChatId;
use domain::account::Operation;
use futures::future::join_all;
use grammers_session::types::UpdatesState;
use grammers_session::updates::{MessageBox, MessageBoxes, PrematureEndReason, UpdateAndPeers, UpdatesLike};
use grammers_tl_types::{enums, functions};
use mtproto::RequestError;
use store::{StoredPeer, UpdateChange, UpdateState};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::notice::Notice;
use self::pending::{Beginning, Pending};
use crate::account::view::Gap;
use crate::account::{Account, Learned};
use crate::calls::classify::{self, CallError};
use crate::line::Arrived;
use crate::line::health;

/// What lies further back than this is not asked for.
const OLDEST: Duration = Duration::from_hours(24);

/// More than this is not asked for in one go.
const MOST_MESSAGES: usize = 10_000;

/// How many stretches that were left out are listed.
const GAPS: usize = 20;

/// Messages of one channel that are asked for at once.
const CHANNEL_LIMIT: i32 = 100;

/// How long changes may wait for others before they are stored.
const GATHER: Duration = Duration::from_millis(200);

/// So many failures in a row are more than a bad moment.
const OFTEN: u32 = 5;

/// Takes the updates of one account until the program ends.
pub(crate) async fn run(
    account: &Account,
    arrived: &mut mpsc::Receiver<Arrived>,
    closing: &CancellationToken,
) {
    let mut failures = 0;
    while !closing.is_cancelled() {
        let mut reader = match Reader::begin(account).await {
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

struct Reader<'a> {
    account: &'a Account,
    boxes: MessageBoxes,
    /// The counters are known; before that nothing can be in order.
    primed: bool,
    missed_since: Option<i32>,
    /// Where each channel stood when it was last heard of.
    channels: HashMap<i64, i32>,
    /// Channels whose counter is in `boxes`.
    tracked: HashSet<i64>,
    caught_up: usize,
    pending: Pending,
}

impl<'a> Reader<'a> {
    async fn begin(account: &'a Account) -> Result<Self, store::StoreError> {
        let stored = account.store.accounts().update_state(&account.name).await?;
        let mut channels = HashMap::new();
        let (boxes, primed, missed_since) = match pending::begin(stored, account.now(), OLDEST) {
            Beginning::At(state) => {
                channels.extend(state.channels);
                // Channels join when they are first heard of: asking for the difference of each would take long.
                let own = UpdatesState {
                    pts: state.pts,
                    qts: state.qts,
                    date: state.date,
                    seq: state.seq,
                    channels: Vec::new(),
                };
                (MessageBoxes::load(own), true, None)
            }
            Beginning::Now { missed_since } => (MessageBoxes::new(), false, missed_since),
        };
        Ok(Self {
            account,
            boxes,
            primed,
            missed_since,
            channels,
            tracked: HashSet::new(),
            caught_up: 0,
            pending: Pending::default(),
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
        self.flush().await;
    }

    /// One thing: a question to Telegram, or one arrival, or a write.
    async fn step(&mut self, arrived: &mut mpsc::Receiver<Arrived>) -> Result<(), CallError> {
        if self.account.health.gap.swap(false, Ordering::AcqRel) {
            self.gap();
        }
        let up = self.account.health.reader().is_some();
        if up && !self.primed {
            return self.start_from_now().await;
        }
        let deadline = self.boxes.check_deadlines();
        if up {
            if let Some(request) = self.boxes.get_difference() {
                return self.difference(&request).await;
            }
            if let Some(request) = self.boxes.get_channel_difference() {
                return self.channel_difference(request).await;
            }
        }
        let clock = self.account.health.clock.clone();
        let flush_at = self.pending.since.map(|since| since.plus(GATHER));
        // A stream of updates without a pause must not put the writing off for ever.
        if self.pending.is_much() || flush_at.is_some_and(|at| at <= clock.now()) {
            self.flush().await;
            return Ok(());
        }
        let mut changes = self.account.health.changes.subscribe();
        tokio::select! {
            biased;
            arrival = arrived.recv() => match arrival {
                Some(Arrived::Updates(updates)) => self.arrive(*updates),
                Some(Arrived::Reconnected) => self.gap(),
                // The lines are gone, and the program with them.
                None => clock.sleep(health::back_off(u32::MAX)).await,
            },
            () = clock.sleep_until(flush_at.unwrap_or_default()), if flush_at.is_some() => self.flush().await,
            () = tokio::time::sleep_until(deadline.into()), if up => {}
            _ = changes.changed(), if !up => {}
        }
        Ok(())
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
                enums::Updates::Updates(all) => self.introduce(&mut all.updates),
                enums::Updates::Combined(all) => self.introduce(&mut all.updates),
                enums::Updates::UpdateShort(one) => self.introduce(std::slice::from_mut(&mut one.update)),
                _ => {}
            }
        }
        // On a gap the difference is asked for by the next step.
        if let Ok(taken) = self.boxes.process_updates(updates) {
            self.take(taken);
        }
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
            // Its number would replace ours, and what lies between would never be asked for.
            if let enums::Update::ChannelTooLong(update) = update
                && self.channels.contains_key(&channel)
            {
                update.pts = None;
            }
        }
    }

    fn take(&mut self, (updates, users, chats): UpdateAndPeers) {
        let account = self.account;
        let me = account.health.user_id();
        account.updates_received.fetch_add(updates.len() as u64, Ordering::Relaxed);
        let (mut dialogs, mut left, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
        let mut became = Vec::new();
        for (update, state) in &updates {
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
                None => {}
            }
            self.pending.note(state);
            if let Some(MessageBox::Channel { channel_id, pts }) = state.message_box {
                self.channels.insert(channel_id, pts);
            }
        }
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

    async fn difference(&mut self, request: &functions::updates::GetDifference) -> Result<(), CallError> {
        let mut answer = match self.account.read(Operation::Read, request).await {
            // The counters are of no use to Telegram; new ones are.
            Err(CallError::Failed(RequestError::Rpc(error)))
                if error.code == 400 && !classify::is_about_the_program(&error.name) =>
            {
                return self.skip(request.pts).await;
            }
            // It would be the same the next time, and nothing behind it would ever be heard.
            Err(CallError::Failed(error)) if is_unreadable(&error) => {
                tracing::warn!(account = %self.account.name, %error, "updates cannot be read and are left out");
                return self.skip(request.pts).await;
            }
            answer => answer?,
        };
        let mut finished = true;
        match &mut answer {
            enums::updates::Difference::Empty(_) => {}
            enums::updates::Difference::Difference(difference) => {
                self.introduce(&mut difference.other_updates);
                self.caught_up += difference.new_messages.len();
            }
            enums::updates::Difference::Slice(slice) => {
                self.introduce(&mut slice.other_updates);
                self.caught_up += slice.new_messages.len();
                finished = false;
            }
            enums::updates::Difference::TooLong(too_long) => self.miss(request.pts, too_long.pts),
        }
        let taken = self.boxes.apply_difference(answer);
        self.take(taken);
        let state = self.boxes.session_state();
        self.pending.note_primary(state.pts, state.date, state.seq);
        self.touch();
        if finished {
            self.caught_up = 0;
        } else if self.caught_up >= MOST_MESSAGES {
            return self.skip(state.pts).await;
        }
        if self.pending.is_much() {
            self.flush().await;
        }
        Ok(())
    }

    async fn channel_difference(
        &mut self,
        mut request: functions::updates::GetChannelDifference,
    ) -> Result<(), CallError> {
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
                self.boxes.end_channel_difference(PrematureEndReason::Banned);
                self.tracked.remove(&chat_id.bare());
                self.channels.remove(&chat_id.bare());
                return Ok(());
            }
            Err(error) => return Err(error),
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
        }
        let taken = self.boxes.apply_channel_difference(answer);
        self.take(taken);
        self.channels.insert(chat_id.bare(), pts);
        self.pending.note_channel(chat_id.bare(), pts);
        self.touch();
        Ok(())
    }

    async fn start_from_now(&mut self) -> Result<(), CallError> {
        let request = functions::updates::GetState {};
        let enums::updates::State::State(state) = self.account.read(Operation::Read, &request).await?;
        if let Some(since) = self.missed_since.take() {
            self.miss(since, state.pts);
        }
        let kept = UpdateState {
            pts: state.pts,
            qts: state.qts,
            date: state.date,
            seq: state.seq,
            channels: self.channels.iter().map(|(id, pts)| (*id, *pts)).collect(),
            saved_at: self.account.now(),
        };
        self.boxes = MessageBoxes::new();
        self.boxes.set_state(state);
        self.tracked.clear();
        self.caught_up = 0;
        self.primed = true;
        self.pending.take_changes();
        self.save(UpdateChange::All(kept)).await;
        Ok(())
    }

    async fn skip(&mut self, since: i32) -> Result<(), CallError> {
        self.primed = false;
        self.missed_since = Some(since);
        self.start_from_now().await
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

    async fn flush(&mut self) {
        self.pending.since = None;
        // First whom the updates told of, then that they were taken. It is kept until it is stored: the stop of the program
        // may end this on its way, and is followed by another.
        self.account.store_learned(self.pending.learned.clone()).await;
        self.pending.learned = Learned::default();
        let changes = self.pending.take_changes();
        // Together they are one commit.
        join_all(changes.into_iter().map(|change| self.save(change))).await;
    }

    async fn save(&self, change: UpdateChange) {
        if let Err(error) = self.account.store.accounts().save_update_state(&self.account.name, &change).await
        {
            tracing::warn!(account = %self.account.name, %error, "the state of the updates could not be stored");
        }
    }
}

const fn is_unreadable(error: &RequestError) -> bool {
    matches!(error, RequestError::Unreadable(_) | RequestError::Unpackable)
}
