//! Chats of the old records: what is known here already is always kept.

use domain::{AccountName, ChatId, Timestamp};

use super::{CHAT, ChatImport, ImportedChat, SAVE_CHAT};
use crate::StoreError;
use crate::accounts::statements as accounts;
use crate::chats::statements::MIGRATED_TO;
use crate::column::Columns;
use crate::database::{Connection, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

/// What is known here of a chat.
struct Here {
    /// It has a row of its own.
    listed: bool,
    left: bool,
    account: Option<AccountName>,
}

/// What is to be done about a chat. Pure.
fn judge(chat: &ImportedChat, here: &Here) -> ChatImport {
    match (&here.account, &chat.account) {
        _ if here.left && !chat.left => ChatImport::LeftHere,
        _ if here.left => ChatImport::Same,
        (Some(_), _) if chat.left => ChatImport::UsedHere,
        (None, _) if chat.left => ChatImport::Taken(chat.chat_id),
        (Some(bound), Some(meant)) if bound != meant => ChatImport::BoundHere(bound.clone()),
        (Some(_), _) | (None, None) if here.listed => ChatImport::Same,
        _ => ChatImport::Taken(chat.chat_id),
    }
}

fn read_here(row: &crate::database::Row<'_>) -> Result<Here, StoreError> {
    let columns = Columns::new(row, "chats");
    Ok(Here { listed: columns.get(0)?, left: columns.get(1)?, account: columns.maybe_account(2)? })
}

/// The id that the chat has today: that of the supergroup, where a basic group became one.
fn today(chat: &ImportedChat, moved: Option<ChatId>) -> ImportedChat {
    ImportedChat { chat_id: moved.unwrap_or(chat.chat_id), ..chat.clone() }
}

fn read_moved(row: &crate::database::Row<'_>) -> Result<ChatId, StoreError> {
    Columns::new(row, "chat_migrations").chat_id(0)
}

/// What would become of chats.
pub(super) fn look(connection: &Connection, chats: &[ImportedChat]) -> Result<Vec<ChatImport>, StoreError> {
    let one = |chat: &ImportedChat| {
        let moved = connection.first(MIGRATED_TO, [chat.chat_id.get()], read_moved)?;
        let chat = today(chat, moved);
        let here = connection.first(CHAT, [chat.chat_id.get()], read_here)?;
        Ok(here.map_or(ChatImport::Same, |here| judge(&chat, &here)))
    };
    chats.iter().map(one).collect()
}

pub(super) struct SaveChats {
    pub(super) chats: Vec<ImportedChat>,
    pub(super) at: Timestamp,
}

impl Write for SaveChats {
    type Answer = Vec<ChatImport>;
    const POINT: Option<Point> = Some(point::IMPORT_CHATS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Vec<ChatImport>, StoreError> {
        self.chats.iter().map(|chat| save(transaction, chat, self.at)).collect()
    }
}

fn save(transaction: &Transaction<'_>, chat: &ImportedChat, at: Timestamp) -> Result<ChatImport, StoreError> {
    let moved = transaction.first(MIGRATED_TO, [chat.chat_id.get()], read_moved)?;
    let chat = today(chat, moved);
    let here = transaction.first(CHAT, [chat.chat_id.get()], read_here)?;
    let judged = here.map_or(ChatImport::Same, |here| judge(&chat, &here));
    if matches!(judged, ChatImport::Taken(_)) {
        let left_at = chat.left.then_some(at.as_micros());
        transaction.run(
            SAVE_CHAT,
            params![
                chat.chat_id.get(),
                chat.title,
                chat.invite_link,
                chat.created_at.map(Timestamp::as_micros),
                left_at
            ],
        )?;
        if chat.left {
            // A row without a binding may be there: what was linked or edited, say.
            transaction
                .execute(crate::chats::statements::MARK_LEFT, params![chat.chat_id.get(), at.as_micros()])?;
        } else if let Some(account) = &chat.account {
            transaction
                .execute(accounts::BIND, params![chat.chat_id.get(), account.as_str(), at.as_micros()])?;
        }
    }
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> impl Strategy<Value = Option<AccountName>> {
        prop::option::of(
            prop_oneof![Just("main"), Just("backup_1")].prop_map(|name| name.parse().expect("a name")),
        )
    }

    proptest! {
        #[test]
        fn an_import_keeps_stored_chats_and_repeats_without_change(
            listed: bool, left_here: bool, bound in name(), account in name(), left: bool,
        ) {
            let chat_id = ChatId::channel(5).expect("an id");
            let chat = ImportedChat { chat_id, account, title: None, invite_link: None, created_at: None, left };
            // A chat that was left is bound to no one.
            let account = bound.filter(|_| !left_here);
            let here = Here { listed: listed || left_here, left: left_here, account: account.clone() };
            let judged = judge(&chat, &here);
            if let ChatImport::Taken(_) = judged {
                prop_assert!(!left_here);
                prop_assert!(account.is_none() || chat.account.is_none() || chat.account == account);
                let after = Here {
                    listed: true,
                    left: chat.left,
                    account: if chat.left { None } else { account.or_else(|| chat.account.clone()) },
                };
                prop_assert_eq!(judge(&chat, &after), ChatImport::Same);
            }
        }
    }
}
