//! Reading an account's dialogs: once in full, page by page, then the newest again from time to time.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::account::Operation;
use domain::{ChatId, Timestamp};
use grammers_tl_types::{enums, functions};
use store::FillState;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::account::Account;
use crate::calls::classify::CallError;
use crate::peers::PeerRelation;
use crate::peers::parsing;

/// Dialogs in one page, as many as Telegram gives.
const PAGE: i32 = 100;

/// Pages that are read without a pause between them.
const BRISK_PAGES: usize = 3;

const PAUSE: Duration = Duration::from_secs(1);

/// How much further back a refresh looks than to the last one: clocks are read at different moments.
const SKEW_SECONDS: i64 = 60;

/// How many pages are looked through for one chat at most.
const LOOKED_THROUGH: usize = 50;

/// The longest list there is; a list that goes on is one that runs in circles.
const LONGEST: usize = 1_000;

/// The shortest and the longest wait after a page that could not be read.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(5));

/// How long a page lets messages go first.
const POLITE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Offset {
    date: i32,
    id: i32,
    peer: Option<ChatId>,
}

#[derive(Debug, Default)]
struct Page {
    dialogs: Vec<ChatId>,
    /// Those of them whose last message has a date.
    dated: Vec<(ChatId, i32)>,
    users: Vec<enums::User>,
    chats: Vec<enums::Chat>,
    /// `None` after the last page.
    next: Option<Offset>,
    /// Dialogs that could not be made sense of.
    odd: usize,
    /// How many dialogs there are in all, as Telegram counts them.
    total: Option<u32>,
}

/// Reads dialogs for as long as the account lives. `turns` keeps many accounts from reading at once.
pub(crate) async fn run(account: &Account, every: Duration, turns: &Semaphore) {
    let mut failures = 0_u32;
    let mut fill = loop {
        match account.store.peers().fill(&account.name).await {
            Ok(fill) => break fill,
            Err(error) => {
                tracing::warn!(account = %account.name, %error, "the state of the dialogs could not be read");
                account.health.clock.sleep(RETRY.0).await;
            }
        }
    };
    account.dialogs_complete.store(fill.complete, Ordering::Release);
    // The progress of a repeated reading of all of it, while there is one.
    let mut again = None;
    // The same of a look at what is new.
    let mut look = None;
    loop {
        if fill.complete && again.is_none() && look.is_none() {
            again = wait(account, fill.refreshed_at.map(|last| last.plus(every))).await;
        }
        until_up(account).await;
        let done = match &mut again {
            Some(again) => read_all(account, turns, again, Reading::Again).await,
            None if fill.complete => {
                if look.is_none() {
                    look = Some(Refresh::begin(account, fill.refreshed_at).await);
                }
                match &mut look {
                    Some(look) => refresh(account, turns, look).await,
                    None => Ok(()),
                }
            }
            None => read_all(account, turns, &mut fill, Reading::First).await,
        };
        match done {
            Ok(()) => {
                failures = 0;
                again = None;
                // What comes while it is read may be on a page that was read already.
                fill.refreshed_at = Some(look.take().map_or_else(|| account.now(), |look| look.began));
                save(account, &fill).await;
            }
            Err(error) => {
                tracing::debug!(account = %account.name, %error, "a page of dialogs could not be read");
                let wait = RETRY.0.saturating_mul(1 << failures.min(8)).min(RETRY.1);
                failures = failures.saturating_add(1);
                let retry = account.now().plus(account.health.chance.jitter(wait));
                let flood = account.flood_waits.flood(Operation::Read, account.now());
                account.health.clock.sleep_until(flood.map_or(retry, |until| until.max(retry))).await;
            }
        }
    }
}

/// Waits until the dialogs are to be looked at again: when that is due, or when someone wants all of them read once
/// more. What is known already is not read again because the program has started.
async fn wait(account: &Account, due: Option<Timestamp>) -> Option<FillState> {
    let wanted = async {
        while !account.reload.swap(false, Ordering::AcqRel) {
            account.refresh.notified().await;
        }
    };
    tokio::select! {
        biased;
        () = wanted => Some(FillState::default()),
        () = account.health.clock.sleep_until(due.unwrap_or_default()) => None,
    }
}

pub(crate) async fn until_up(account: &Account) {
    let mut changes = account.health.changes.subscribe();
    while !account.health.is_up() {
        // Cannot fail: the account holds the other end.
        let _ = changes.changed().await;
        // Many accounts change at once; looking is cheap.
    }
}

/// What a reading of all dialogs is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// The first one: how far it is is kept, so that the next run goes on there.
    First,
    /// Once more: what is known stays known, and counts as complete.
    Again,
}

async fn read_all(
    account: &Account,
    turns: &Semaphore,
    fill: &mut FillState,
    reading: Reading,
) -> Result<(), CallError> {
    let mut offset =
        Offset { date: fill.offset_date, id: fill.offset_id, peer: fill.offset_peer.and_then(ChatId::new) };
    for pages in 0..LONGEST {
        if pages >= BRISK_PAGES {
            account.health.clock.sleep(PAUSE).await;
        }
        let page = read_in_turn(account, turns, offset).await?;
        take(account, &page).await;
        let next = page.next.filter(|next| *next != offset);
        fill.complete = next.is_none();
        if let Some(next) = next {
            offset = next;
            (fill.offset_date, fill.offset_id, fill.offset_peer) =
                (next.date, next.id, next.peer.map(ChatId::get));
        }
        if fill.complete {
            break;
        }
        if reading == Reading::First {
            save(account, fill).await;
        }
        account.health.changes.tell();
    }
    fill.complete = true;
    if reading == Reading::First {
        // Anyone who hears that all is read may end the program: then it must not be read again.
        fill.refreshed_at = Some(account.now());
        save(account, fill).await;
        account.dialogs_complete.store(true, Ordering::Release);
    }
    account.health.changes.tell();
    tracing::info!(account = %account.name, peers = account.peers.len(), "all dialogs are read");
    Ok(())
}

/// A look at what is new, and how far it is.
#[derive(Debug)]
struct Refresh {
    began: Timestamp,
    /// In seconds of Telegram's clock: what is older was there at the last look.
    earliest: i64,
    offset: Offset,
}

impl Refresh {
    async fn begin(account: &Account, last: Option<Timestamp>) -> Self {
        // Where it cannot be asked, the dialogs most likely cannot be read either.
        let ahead = account.telegram_ahead().await.unwrap_or_default();
        let last = last.map_or(0, Timestamp::as_seconds);
        let earliest = last.saturating_add(ahead).saturating_sub(SKEW_SECONDS);
        Self { began: account.now(), earliest, offset: Offset::default() }
    }

    /// Whether the next page may hold something new. That this one does not is not enough: what it holds may have come
    /// to be known another way, or by a look that broke off.
    const fn goes_on(&self, next: Offset, news: bool) -> bool {
        news || next.date as i64 >= self.earliest
    }
}

/// Reads from the top, or where it broke off, until what follows is neither new nor newer than the last look.
async fn refresh(account: &Account, turns: &Semaphore, look: &mut Refresh) -> Result<(), CallError> {
    for _ in 0..LONGEST {
        let page = read_in_turn(account, turns, look.offset).await?;
        let news =
            page.dialogs.iter().any(|chat_id| account.peers.relation(*chat_id) != PeerRelation::Dialog);
        take(account, &page).await;
        match page.next {
            Some(next) if next != look.offset && look.goes_on(next, news) => look.offset = next,
            _ => break,
        }
        account.health.clock.sleep(PAUSE).await;
    }
    account.health.changes.tell();
    Ok(())
}

/// Reads the newest page out of turn, as someone waits for it. Anyone who comes meanwhile or shortly after shares what
/// came of it.
pub(crate) async fn read_newest(account: &Account) -> Result<(), CallError> {
    // Never closed; a page without a turn is still right.
    let _turn = account.newest_turn.acquire().await.ok();
    if let Some(result) = account.newest() {
        return result;
    }
    let result = match read(account, Offset::default()).await {
        Ok(page) => {
            take(account, &page).await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    account.note_newest(&result);
    result
}

/// Shows each chat of the dialogs that may be as new as `earliest`, in seconds of Telegram's clock. Returns whether all
/// of them were read.
pub(crate) async fn look_through(
    account: &Account,
    earliest: i64,
    mut look: impl FnMut(&enums::Chat),
) -> Result<bool, CallError> {
    let mut offset = Offset::default();
    for _ in 0..LOOKED_THROUGH {
        let page = read(account, offset).await?;
        page.chats.iter().for_each(&mut look);
        take(account, &page).await;
        match page.next.filter(|next| *next != offset && i64::from(next.date) >= earliest) {
            Some(next) => offset = next,
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// The dialogs with messages that may be as new as `earliest`, in seconds of Telegram's clock, and whether these are all.
pub(crate) async fn written_since(
    account: &Account,
    turns: &Semaphore,
    earliest: i64,
) -> Result<(Vec<ChatId>, bool), CallError> {
    let (mut offset, mut found) = (Offset::default(), Vec::new());
    for pages in 0..LOOKED_THROUGH {
        if pages >= BRISK_PAGES {
            account.health.clock.sleep(PAUSE).await;
        }
        let page = read_in_turn(account, turns, offset).await?;
        let newer = page.dated.iter().filter(|(_, date)| i64::from(*date) >= earliest);
        found.extend(newer.map(|(chat_id, _)| *chat_id));
        take(account, &page).await;
        match page.next.filter(|next| *next != offset && i64::from(next.date) >= earliest) {
            Some(next) => offset = next,
            None => return Ok((found, true)),
        }
    }
    Ok((found, false))
}

async fn read_in_turn(account: &Account, turns: &Semaphore, offset: Offset) -> Result<Page, CallError> {
    let _turn = turn(account, turns).await;
    read(account, offset).await
}

/// Lets messages go first, and not too many accounts read at once.
pub(crate) async fn turn<'a>(account: &Account, turns: &'a Semaphore) -> Option<SemaphorePermit<'a>> {
    for _ in 0..20 {
        if account.health.load() == 0 {
            break;
        }
        account.health.clock.sleep(POLITE).await;
    }
    // Never closed; a page without a turn is still right.
    turns.acquire().await.ok()
}

async fn read(account: &Account, offset: Offset) -> Result<Page, CallError> {
    let offset_peer = offset.peer.and_then(|chat_id| account.peers.input(chat_id));
    let request = functions::messages::GetDialogs {
        // Pinned dialogs come before all others, whatever their date: they are in the first page.
        exclude_pinned: offset != Offset::default(),
        folder_id: None,
        offset_date: offset.date,
        offset_id: offset.id,
        offset_peer: offset_peer.unwrap_or(enums::InputPeer::Empty),
        limit: PAGE,
        hash: 0,
    };
    let answer = account.read(Operation::Read, &request).await?;
    let page = sort(answer, usize::try_from(PAGE).unwrap_or_default());
    // A later page may leave out the pinned ones; it is better than nothing where a reading goes on after a restart.
    let counts = offset == Offset::default() || account.dialogs_total().is_none();
    if let Some(total) = page.total.filter(|_| counts) {
        account.count_dialogs(total);
    }
    Ok(page)
}

/// Puts a page in order: what is in it, and where the next one begins. A dialog whose peer is not in the answer is
/// skipped and counted.
fn sort(answer: enums::messages::Dialogs, limit: usize) -> Page {
    let (dialogs, messages, chats, users, whole, total) = match answer {
        enums::messages::Dialogs::Dialogs(all) => {
            let total = u32::try_from(all.dialogs.len()).ok();
            (all.dialogs, all.messages, all.chats, all.users, true, total)
        }
        enums::messages::Dialogs::Slice(slice) => {
            let whole = slice.dialogs.len() < limit;
            let total = u32::try_from(slice.count).ok();
            (slice.dialogs, slice.messages, slice.chats, slice.users, whole, total)
        }
        enums::messages::Dialogs::NotModified(_) => return Page::default(),
    };
    let mut present: Vec<ChatId> = users.iter().filter_map(|user| ChatId::user(user.id())).collect();
    present.extend(chats.iter().filter_map(id_of));
    let dates: HashMap<(ChatId, i32), i32> = messages.iter().filter_map(dated).collect();
    let mut page = Page { users, chats, total, ..Page::default() };
    for dialog in &dialogs {
        let enums::Dialog::Dialog(dialog) = dialog else { continue };
        let Some(chat_id) = parsing::chat_id(&dialog.peer).filter(|chat_id| present.contains(chat_id)) else {
            page.odd += 1;
            continue;
        };
        page.dialogs.push(chat_id);
        let Some(date) = dates.get(&(chat_id, dialog.top_message)) else { continue };
        page.dated.push((chat_id, *date));
        if !dialog.pinned && !whole {
            page.next = Some(Offset { date: *date, id: dialog.top_message, peer: Some(chat_id) });
        }
    }
    page
}

fn id_of(chat: &enums::Chat) -> Option<ChatId> {
    match chat {
        enums::Chat::Chat(_) | enums::Chat::Forbidden(_) | enums::Chat::Empty(_) => ChatId::group(chat.id()),
        _ => ChatId::channel(chat.id()),
    }
}

fn dated(message: &enums::Message) -> Option<((ChatId, i32), i32)> {
    let (peer, id, date) = match message {
        enums::Message::Empty(_) => return None,
        enums::Message::Message(message) => (&message.peer_id, message.id, message.date),
        enums::Message::Service(message) => (&message.peer_id, message.id, message.date),
    };
    Some(((parsing::chat_id(peer)?, id), date))
}

async fn take(account: &Account, page: &Page) {
    if page.odd > 0 {
        tracing::info!(account = %account.name, skipped = page.odd, "some dialogs could not be made sense of");
    }
    account.learn(&page.users, &page.chats, &page.dialogs).await;
}

async fn save(account: &Account, fill: &FillState) {
    if let Err(error) = account.store.peers().save_fill(&account.name, fill).await {
        tracing::warn!(account = %account.name, %error, "the state of the dialogs could not be stored");
    }
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::types;

    use super::*;
    use crate::peers::parsing::tests::some_user;

    fn dialog(user_id: i64, top_message: i32, pinned: bool) -> enums::Dialog {
        types::Dialog {
            pinned,
            unread_mark: false,
            view_forum_as_messages: false,
            peer: types::PeerUser { user_id }.into(),
            top_message,
            read_inbox_max_id: 0,
            read_outbox_max_id: 0,
            unread_count: 0,
            unread_mentions_count: 0,
            unread_reactions_count: 0,
            unread_poll_votes_count: 0,
            notify_settings: types::PeerNotifySettings {
                show_previews: None,
                silent: None,
                mute_until: None,
                ios_sound: None,
                android_sound: None,
                other_sound: None,
                stories_muted: None,
                stories_hide_sender: None,
                stories_ios_sound: None,
                stories_android_sound: None,
                stories_other_sound: None,
            }
            .into(),
            pts: None,
            draft: None,
            folder_id: None,
            ttl_period: None,
        }
        .into()
    }

    fn message(user_id: i64, id: i32, date: i32) -> enums::Message {
        types::MessageService {
            out: false,
            mentioned: false,
            media_unread: false,
            reactions_are_possible: false,
            silent: false,
            post: false,
            legacy: false,
            id,
            from_id: None,
            peer_id: types::PeerUser { user_id }.into(),
            saved_peer_id: None,
            reply_to: None,
            date,
            action: enums::MessageAction::Empty,
            reactions: None,
            ttl_period: None,
        }
        .into()
    }

    fn slice(
        dialogs: Vec<enums::Dialog>,
        messages: Vec<enums::Message>,
        users: &[i64],
    ) -> enums::messages::Dialogs {
        types::messages::DialogsSlice {
            count: 9,
            dialogs,
            messages,
            chats: Vec::new(),
            users: users.iter().map(|id| some_user(*id).into()).collect(),
        }
        .into()
    }

    #[test]
    fn the_next_page_starts_after_the_last_unpinned_dialog() {
        let dialogs = vec![dialog(1, 11, false), dialog(2, 12, false), dialog(3, 13, true)];
        let messages = vec![message(1, 11, 101), message(2, 12, 102), message(3, 13, 103)];
        let page = sort(slice(dialogs, messages, &[1, 2, 3]), 3);
        assert_eq!(page.dialogs.len(), 3);
        assert_eq!(page.next, Some(Offset { date: 102, id: 12, peer: ChatId::user(2) }));
    }

    #[test]
    fn a_short_page_is_the_last_one() {
        let page = sort(slice(vec![dialog(1, 11, false)], vec![message(1, 11, 101)], &[1]), 3);
        assert_eq!((page.dialogs.len(), page.next), (1, None));
    }

    #[test]
    fn a_dialog_without_its_peer_is_skipped_and_counted() {
        let dialogs = vec![dialog(1, 11, false), dialog(2, 12, false)];
        let messages = vec![message(1, 11, 101), message(2, 12, 102)];
        let page = sort(slice(dialogs, messages, &[1]), 2);
        assert_eq!((page.dialogs, page.odd), (vec![ChatId::user(1).expect("id")], 1));
        assert_eq!(page.next.map(|next| next.id), Some(11));
    }
}
