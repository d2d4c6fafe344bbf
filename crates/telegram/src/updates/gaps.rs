//! Reading from histories what an account did not receive: chat by chat, page by page, from the oldest on.

use std::time::Duration;

use domain::account::Operation;
use domain::{ChatId, TelegramMessageId, Timestamp};
use grammers_tl_types::{enums, functions};
use mtproto::RequestError;
use store::{GapChange, PageRead, ReceivedChange, ReceivedGap, StoreError, TakenUpdates};
use tokio::sync::Semaphore;

use super::keeper::Keeper;
use super::message::Cast;
use crate::account::Account;
use crate::calls::classify::{self, CallError};
use crate::peers::{dialogs, lookup};

/// Messages in one page, as many as Telegram gives.
const PAGE: i32 = 100;

/// Pages of a chat that are read without a pause between them.
const BRISK_PAGES: u64 = 3;

const PAUSE: Duration = Duration::from_secs(1);

/// More messages of one chat are not read.
const MOST: u64 = 50_000;

/// How much further back is read: Telegram's times have whole seconds, and clocks differ.
const SKEW: Duration = Duration::from_mins(1);

/// The shortest and the longest wait after something that may pass.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(5));

/// Why a page was not read.
#[derive(Debug, thiserror::Error)]
enum PageError {
    /// It may be read later.
    #[error(transparent)]
    Call(CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is never read.
    #[error("{0}")]
    Never(String),
}

impl From<CallError> for PageError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Failed(RequestError::Rpc(rpc))
                if matches!(rpc.code, 400 | 403) && !classify::is_about_the_program(&rpc.name) =>
            {
                Self::Never(rpc.name.clone())
            }
            // It would be the same the next time, and nothing behind it would ever be read.
            CallError::Failed(RequestError::Unreadable(_) | RequestError::Unpackable) => {
                Self::Never(error.to_string())
            }
            _ => Self::Call(error),
        }
    }
}

/// Reads what was missed for as long as the account lives. `turns` keeps many accounts from reading at once.
pub(crate) async fn run(account: &Account, turns: &Semaphore) {
    let mut failures = 0_u32;
    loop {
        dialogs::until_up(account).await;
        match fill(account, turns).await {
            Ok(()) => {
                failures = 0;
                account.gap_noted.notified().await;
            }
            Err(error) => {
                tracing::debug!(account = %account.name, %error, "what was missed cannot be read now");
                let wait = RETRY.0.saturating_mul(1 << failures.min(8)).min(RETRY.1);
                failures = failures.saturating_add(1);
                let retry = account.now().plus(account.health.chance.jitter(wait));
                let flood = account.flood_waits.flood(Operation::Read, account.now());
                account.health.clock.sleep_until(flood.map_or(retry, |until| until.max(retry))).await;
            }
        }
    }
}

/// Reads until nothing is left to be read.
async fn fill(account: &Account, turns: &Semaphore) -> Result<(), PageError> {
    loop {
        let gaps = account.store.received().open_gaps(&account.name).await?;
        let Some(gap) = gaps.into_iter().next() else { return Ok(()) };
        let done = match gap.chat_id {
            None => look_through(account, turns, gap.since).await,
            Some(chat_id) => read(account, turns, chat_id, &gap).await,
        };
        if let Err(PageError::Never(why)) = done {
            let chat = gap.chat_id.map(tracing::field::display);
            tracing::warn!(account = %account.name, chat, since = %gap.since, why, "messages that were missed are not read");
            change(account, GapChange::Failed { chat_id: gap.chat_id, why }).await?;
        } else {
            done?;
        }
    }
}

/// Sees which chats have something new.
async fn look_through(account: &Account, turns: &Semaphore, since: Timestamp) -> Result<(), PageError> {
    let earliest = since.minus(SKEW).as_seconds();
    let (chats, is_all) = dialogs::written_since(account, turns, earliest).await?;
    let keeper = Keeper::new(account);
    let is_concerned =
        |chat_id: &ChatId| chat_id.kind() != domain::ChatKind::Channel && keeper.keeps(*chat_id);
    let chats: Vec<ChatId> = chats.into_iter().filter(is_concerned).collect();
    tracing::info!(account = %account.name, chats = chats.len(), %since, "messages that were missed are read from histories");
    let failure = (!is_all).then(|| "there are more dialogs than are looked through".to_owned());
    if let Some(why) = &failure {
        tracing::warn!(account = %account.name, why, "messages that were missed are not read");
    }
    change(account, GapChange::Chats { chats, since, failure }).await?;
    Ok(())
}

async fn change(account: &Account, change: GapChange) -> Result<(), StoreError> {
    account.store.received().change_gap(&account.name, change).await
}

/// How long to wait before the next page of a chat of which so many messages are read.
fn pause(messages: u64) -> Duration {
    if messages < BRISK_PAGES * u64::from(PAGE.unsigned_abs()) { Duration::ZERO } else { PAUSE }
}

/// Reads one chat to its end.
async fn read(
    account: &Account,
    turns: &Semaphore,
    chat_id: ChatId,
    gap: &ReceivedGap,
) -> Result<(), PageError> {
    let (mut reached, mut messages) = (gap.reached, gap.messages);
    let never = |why: &str| PageError::Never(why.to_owned());
    loop {
        if messages >= MOST {
            return Err(never("there are more messages than are read"));
        }
        account.health.clock.sleep(pause(messages)).await;
        let peer = lookup::input(account, chat_id).await;
        let peer = peer.ok_or_else(|| never("the account does not know the chat"))?;
        let offset_date = i32::try_from(gap.since.minus(SKEW).as_seconds()).unwrap_or(i32::MAX);
        let request = functions::messages::GetHistory {
            peer,
            // Older than this, and then as many newer ones as there are in a page.
            offset_id: reached.map_or(0, |reached| reached.get().saturating_add(1)),
            offset_date: if reached.is_some() { 0 } else { offset_date },
            add_offset: -PAGE,
            limit: PAGE,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        let _turn = dialogs::turn(account, turns).await;
        let (page, users, chats) = match account.read(Operation::Read, &request).await? {
            enums::messages::Messages::Messages(all) => (all.messages, all.users, all.chats),
            enums::messages::Messages::Slice(slice) => (slice.messages, slice.users, slice.chats),
            enums::messages::Messages::ChannelMessages(slice) => (slice.messages, slice.users, slice.chats),
            enums::messages::Messages::NotModified(_) => return Err(never("Telegram gives no history")),
        };
        account.learn(&users, &chats, &[]).await;
        let is_new = |message: &&enums::Message| reached.is_none_or(|reached| message.id() > reached.get());
        let new: Vec<&enums::Message> = page.iter().filter(is_new).collect();
        let newest = new.iter().filter_map(|message| TelegramMessageId::new(message.id())).max();
        reached = newest;
        messages += new.len() as u64;
        // The oldest first, as they were written.
        let (keeper, cast) = (Keeper::new(account), Cast::of(&users, &chats));
        let changes: Vec<ReceivedChange> =
            new.iter().rev().filter_map(|message| keeper.in_history(message, &cast)).collect();
        let page = PageRead { chat_id, reached, messages: u32::try_from(new.len()).unwrap_or(u32::MAX) };
        let files = account.definition().keep.files.clone();
        let taken =
            TakenUpdates { changes, files, page: Some(page), ..TakenUpdates::new(account.name.clone()) };
        if account.store.received().take(taken).await?.files > 0 {
            account.fetching.wake();
        }
        if reached.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_after_the_first_ones_of_a_chat_wait() {
        for at_once in [0, 100, 299] {
            assert_eq!(pause(at_once), Duration::ZERO, "{at_once}");
        }
        for later in [300, 400, MOST] {
            assert_eq!(pause(later), Duration::from_secs(1), "{later}");
        }
    }
}
