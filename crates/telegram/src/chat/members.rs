//! The members of a chat, page by page.

use domain::{AccountName, ChatKind, ChatRef, UserId};
use grammers_tl_types::{enums, functions, types};
use serde::Serialize;

use super::{ReadError, ask, reader, unknown};
use crate::peers::parsing;
use crate::pool::Pool;
use crate::steps::people;

/// Members at once, as many as Telegram gives.
const MOST: u32 = 200;

/// What someone is in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Made it, or was given it.
    Creator,
    Admin,
    Member,
}

/// Someone who is in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberView {
    pub user_id: UserId,
    pub username: Option<String>,
    pub display_name: String,
    pub is_bot: bool,
    pub role: MemberRole,
    pub is_account: Option<AccountName>,
}

/// Some members, in Telegram's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembersPage {
    pub items: Vec<MemberView>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

impl Pool {
    /// Asks Telegram who is in a chat; at most `limit` (200) at once.
    pub async fn members(
        &self,
        chat: &ChatRef,
        pin: Option<&AccountName>,
        limit: u32,
        cursor: Option<String>,
    ) -> Result<MembersPage, ReadError> {
        let offset = match cursor {
            Some(cursor) => cursor.parse::<i32>().ok().filter(|offset| *offset >= 0),
            None => Some(0),
        };
        let offset = offset.ok_or(ReadError::InvalidCursor)?;
        let limit = i32::try_from(limit.clamp(1, MOST)).unwrap_or(1);
        let (account, chat_id) = reader(self, chat, pin).await?;
        match chat_id.kind() {
            ChatKind::User => Ok(MembersPage::default()),
            ChatKind::Group => {
                let request = functions::messages::GetFullChat { chat_id: chat_id.bare() };
                let enums::messages::ChatFull::Full(full) = ask(&account, &request).await?;
                account.learn(&full.users, &full.chats, &[]).await;
                let all = in_group(&full.full_chat);
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let some = all.iter().skip(start).take(usize::try_from(limit).unwrap_or(1)).copied();
                let items: Vec<_> = some.map(|(user, role)| self.member(&full.users, user, role)).collect();
                let next = start.saturating_add(items.len());
                let next_cursor = (next < all.len() && !items.is_empty()).then(|| next.to_string());
                Ok(MembersPage { items, next_cursor })
            }
            ChatKind::Channel => {
                let channel = account.peers.input_channel(chat_id).ok_or_else(|| unknown(&account))?;
                let request = functions::channels::GetParticipants {
                    channel,
                    filter: types::ChannelParticipantsSearch { q: String::new() }.into(),
                    offset,
                    limit,
                    hash: 0,
                };
                let enums::channels::ChannelParticipants::Participants(page) =
                    ask(&account, &request).await?
                else {
                    return Ok(MembersPage::default());
                };
                account.learn(&page.users, &page.chats, &[]).await;
                let listed = page.participants.iter().filter_map(in_channel);
                let items = listed.map(|(user, role)| self.member(&page.users, user, role)).collect();
                let read = i32::try_from(page.participants.len()).unwrap_or(i32::MAX);
                let next = offset.saturating_add(read);
                let next_cursor = (read > 0 && next < page.count).then(|| next.to_string());
                Ok(MembersPage { items, next_cursor })
            }
        }
    }

    fn member(&self, users: &[enums::User], user_id: UserId, role: MemberRole) -> MemberView {
        let user = users.iter().find_map(|user| match user {
            enums::User::User(user) if user.id == user_id.get() => Some(user),
            _ => None,
        });
        let all = self.all();
        let own = all.iter().find(|account| account.health.user_id() == Some(user_id));
        MemberView {
            user_id,
            username: user
                .and_then(|user| parsing::username(user.username.as_deref(), user.usernames.as_deref()))
                .map(|name| name.as_str().to_owned()),
            display_name: user.map(parsing::display_name).unwrap_or_default(),
            is_bot: user.is_some_and(|user| user.bot),
            role,
            is_account: own.map(|account| account.name.clone()),
        }
    }
}

fn in_group(full: &enums::ChatFull) -> Vec<(UserId, MemberRole)> {
    let enums::ChatFull::Full(types::ChatFull {
        participants: enums::ChatParticipants::Participants(list),
        ..
    }) = full
    else {
        return Vec::new();
    };
    let role = |participant: &enums::ChatParticipant| match participant {
        enums::ChatParticipant::Participant(_) => MemberRole::Member,
        enums::ChatParticipant::Creator(_) => MemberRole::Creator,
        enums::ChatParticipant::Admin(_) => MemberRole::Admin,
    };
    let member = |one| Some((UserId::new(enums::ChatParticipant::user_id(one))?, role(one)));
    list.participants.iter().filter_map(member).collect()
}

/// A member of a supergroup or channel; no one who is out.
fn in_channel(participant: &enums::ChannelParticipant) -> Option<(UserId, MemberRole)> {
    let role = match participant {
        enums::ChannelParticipant::Creator(_) => MemberRole::Creator,
        enums::ChannelParticipant::Admin(_) => MemberRole::Admin,
        _ => MemberRole::Member,
    };
    people::member(participant).map(|user| (user, role))
}
