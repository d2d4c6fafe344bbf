//! What the accounts have at hand of files: the folder they are in, whose turn it is, and what is ready to be sent.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::Timestamp;
use domain::media::Sha256;
use grammers_tl_types::enums;
use media::Outgoing;
use store::FileReference;
use tokio::sync::Semaphore;

use ambient::lock::Mutex;

/// Uploads at once, of all accounts and of one.
const UPLOADS: usize = 4;
const UPLOADS_OF_ONE: usize = 2;

/// How many items of messages are ready at once; the oldest is prepared again.
const READY: usize = 512;

/// What was ready so long ago is prepared again: uploads and references run out.
const READY_LASTS: Duration = Duration::from_mins(10);

/// How often an item is prepared again because Telegram refused what was ready.
const MOST_STRIKES: u8 = 1;

/// After how many errors of Telegram's own a file is brought up again.
const MOST_FAILURES: u8 = 3;

pub(crate) struct SharedUploads {
    /// The folder of files that wait to be sent; none where only texts are sent.
    pub(crate) outgoing: Option<Outgoing>,
    pub(super) turns: Semaphore,
}

impl SharedUploads {
    pub(crate) fn new(outgoing: Option<Outgoing>) -> Self {
        Self { outgoing, turns: Semaphore::new(UPLOADS) }
    }
}

/// Where something came from that is ready, so that it can be forgotten when Telegram refuses it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Origin {
    /// It was uploaded; under this form it can be named once it was sent.
    Upload { sha256: Sha256, form: String },
    /// It is named by a reference that was kept.
    Reference { sha256: Sha256, form: String, reference: FileReference },
    /// The media of a post, just read.
    Post,
    /// A file id that the caller gave.
    FileId,
}

/// Media in the form in which they go out.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    pub(crate) input: enums::InputMedia,
    pub(crate) origin: Origin,
    pub(crate) at: Timestamp,
}

#[derive(Debug)]
struct Slot {
    random_id: i64,
    ready: Option<Ready>,
    strikes: u8,
}

pub(crate) struct FileState {
    pub(super) turns: Semaphore,
    /// One upload of the same content at a time.
    uploads: Mutex<HashMap<Sha256, Weak<tokio::sync::Mutex<()>>>>,
    /// How much Telegram has of what goes up now, in bytes; as many as there are uploads at once.
    uploaded_bytes: Mutex<HashMap<Sha256, u64>>,
    slots: Mutex<VecDeque<Slot>>,
    /// How often Telegram answered with errors of its own to what it has of a content.
    failing: Mutex<HashMap<Sha256, u8>>,
    /// Until then Telegram takes no uploads of this account.
    flooded: Mutex<Option<Timestamp>>,
}

/// An upload that someone may watch; it is forgotten when this is dropped.
pub(super) struct Watched<'a> {
    file_state: &'a FileState,
    sha256: Sha256,
}

impl Watched<'_> {
    /// Telegram has so many bytes of it.
    pub(super) fn is_at(&self, bytes: u64) {
        let mut uploaded_bytes = self.file_state.uploaded_bytes.lock();
        uploaded_bytes.insert(self.sha256, bytes);
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let mut uploaded_bytes = self.file_state.uploaded_bytes.lock();
        uploaded_bytes.remove(&self.sha256);
    }
}

impl Default for FileState {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(UPLOADS_OF_ONE),
            uploads: Mutex::default(),
            uploaded_bytes: Mutex::default(),
            slots: Mutex::default(),
            failing: Mutex::default(),
            flooded: Mutex::default(),
        }
    }
}

impl FileState {
    /// The lock held while this content is uploaded.
    pub(super) fn turn_for(&self, sha256: Sha256) -> Arc<tokio::sync::Mutex<()>> {
        let mut uploads = self.uploads.lock();
        uploads.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = uploads.get(&sha256).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        uploads.insert(sha256, Arc::downgrade(&turn));
        turn
    }

    /// Telegram takes no uploads before this instant. Texts and what it has already go out meanwhile.
    pub(super) fn flood(&self, until: Timestamp) {
        let mut flooded = self.flooded.lock();
        *flooded = (*flooded).max(Some(until));
    }

    pub(super) fn flooded(&self, now: Timestamp) -> Option<Timestamp> {
        let flooded = self.flooded.lock();
        flooded.filter(|until| *until > now)
    }

    /// Lets it be seen how far the upload of this content is. One at a time: the holder of its turn.
    pub(super) const fn watched(&self, sha256: Sha256) -> Watched<'_> {
        Watched { file_state: self, sha256 }
    }

    /// How much Telegram has of what goes up now, in bytes.
    pub(super) fn uploaded_bytes(&self, sha256: Sha256) -> Option<u64> {
        self.uploaded_bytes.lock().get(&sha256).copied()
    }

    /// What is ready for the item with this `random_id`.
    pub(crate) fn ready(&self, random_id: i64, now: Timestamp) -> Option<Ready> {
        self.peek(random_id).filter(|ready| now.since(ready.at) < READY_LASTS)
    }

    /// The same, however long ago it was made ready.
    pub(crate) fn peek(&self, random_id: i64) -> Option<Ready> {
        let slots = self.slots.lock();
        slots.iter().rev().find(|slot| slot.random_id == random_id)?.ready.clone()
    }

    pub(crate) fn put(&self, random_id: i64, ready: Ready) {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.iter_mut().find(|slot| slot.random_id == random_id) {
            slot.ready = Some(ready);
            return;
        }
        if slots.len() == READY {
            slots.pop_front();
        }
        slots.push_back(Slot { random_id, ready: Some(ready), strikes: 0 });
    }

    /// Telegram refused what was ready. False when that has happened too often: the item is not prepared again.
    pub(crate) fn strike(&self, random_id: i64) -> bool {
        let mut slots = self.slots.lock();
        let Some(slot) = slots.iter_mut().find(|slot| slot.random_id == random_id) else { return false };
        slot.ready = None;
        slot.strikes = slot.strikes.saturating_add(1);
        slot.strikes <= MOST_STRIKES
    }

    /// Telegram answered with an error of its own to what it has of this content.
    pub(super) fn failed(&self, sha256: Sha256) {
        let mut failing = self.failing.lock();
        if failing.len() >= READY {
            failing.clear();
        }
        let failures = failing.entry(sha256).or_default();
        *failures = failures.saturating_add(1);
    }

    /// Whether that has happened so often that the content is to be brought up again; then it is counted from nothing.
    pub(super) fn take_failing(&self, sha256: Sha256) -> bool {
        let mut failing = self.failing.lock();
        let is_failing = failing.get(&sha256).is_some_and(|failures| *failures >= MOST_FAILURES);
        if is_failing {
            failing.remove(&sha256);
        }
        is_failing
    }

    /// What is ready for the item is of no use; that it was refused is not said.
    pub(super) fn drop_ready(&self, random_id: i64) {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.iter_mut().find(|slot| slot.random_id == random_id) {
            slot.ready = None;
        }
    }

    pub(crate) fn take(&self, random_id: i64) {
        let mut slots = self.slots.lock();
        slots.retain(|slot| slot.random_id != random_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(at: i64) -> Ready {
        Ready {
            input: enums::InputMedia::Empty,
            origin: Origin::Post,
            at: Timestamp::from_micros(at * 1_000_000),
        }
    }

    #[test]
    fn prepared_files_expire_or_end_when_refused() {
        let file_state = FileState::default();
        file_state.put(1, ready(0));
        let after = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert!(file_state.ready(1, after(599)).is_some());
        assert!(file_state.ready(1, after(600)).is_none() && file_state.ready(2, after(0)).is_none());
        assert!(file_state.strike(1));
        assert!(file_state.ready(1, after(0)).is_none());
        file_state.put(1, ready(0));
        assert!(!file_state.strike(1));
        file_state.take(1);
        assert!(!file_state.strike(1));
    }

    #[test]
    fn repeatedly_failing_content_is_uploaded_again() {
        let (file_state, content) = (FileState::default(), Sha256([1; 32]));
        for _ in 0..2 {
            file_state.failed(content);
            assert!(!file_state.take_failing(content));
        }
        file_state.failed(content);
        assert!(file_state.take_failing(content) && !file_state.take_failing(content));
    }

    #[test]
    fn the_number_of_prepared_files_is_bounded() {
        let file_state = FileState::default();
        for random_id in 0..600 {
            file_state.put(random_id, ready(0));
        }
        assert!(file_state.ready(0, Timestamp::default()).is_none());
        assert!(file_state.ready(599, Timestamp::default()).is_some());
        assert_eq!(file_state.slots.lock().len(), READY);
    }

    #[test]
    fn upload_progress_is_visible() {
        let file_state = FileState::default();
        let content = Sha256([1; 32]);
        let watched = file_state.watched(content);
        assert_eq!(file_state.uploaded_bytes(content), None, "nothing is known yet");
        watched.is_at(7);
        watched.is_at(9);
        assert_eq!(
            (file_state.uploaded_bytes(content), file_state.uploaded_bytes(Sha256([2; 32]))),
            (Some(9), None)
        );
        drop(watched);
        assert_eq!(file_state.uploaded_bytes(content), None);
    }

    #[test]
    fn uploads_of_the_same_content_share_one_turn() {
        let file_state = FileState::default();
        let (one, same, other) = (
            file_state.turn_for(Sha256([1; 32])),
            file_state.turn_for(Sha256([1; 32])),
            file_state.turn_for(Sha256([2; 32])),
        );
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        drop((one, same, other));
        let _ = file_state.turn_for(Sha256([3; 32]));
        assert_eq!(file_state.uploads.lock().len(), 1);
    }
}
