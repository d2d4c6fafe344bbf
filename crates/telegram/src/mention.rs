//! Whom a message mentions: the user the caller named, or the first who may be meant.

use domain::account::Operation;
use domain::message::{Content, Mention};
use domain::text::{FormattedText, with_mention};
use domain::{ChatId, ChatKind, Outcome, Username};
use grammers_tl_types::{enums, functions};

use crate::account::Account;
use crate::classify;
use crate::lookup;
use crate::peers::Person;

/// How many participants are looked at.
const PARTICIPANTS: i32 = 100;

/// Puts the mention of a message into its text, as this account can write it.
pub(crate) async fn place(
    account: &Account,
    chat_id: ChatId,
    content: &Content,
) -> Result<FormattedText, Outcome> {
    let Some(mention) = &content.mention else { return Ok(content.text.clone()) };
    let person = match mention {
        Mention::User { user_id } => by_id(account, chat_id, *user_id).await.map(Some),
        Mention::Username { username } => by_name(account, username).await.map(Some),
        Mention::Auto { auto: true, exclude } => anyone(account, chat_id, exclude).await,
        Mention::Auto { auto: false, .. } => Ok(None),
    };
    let person = match person {
        // The caller would rather have the text without the mention than not at all.
        Err(Outcome::NotFound(_)) if content.mention_optional => None,
        person => person?,
    };
    Ok(match person {
        Some(person) => with_mention(content.text.clone(), person.user_id, &person.display_name),
        None => content.text.clone(),
    })
}

async fn by_id(account: &Account, chat_id: ChatId, user_id: i64) -> Result<Person, Outcome> {
    if let Some(person) = account.peers.person(user_id) {
        return Ok(person);
    }
    // Who is in the chat can be named even by an account that never met them.
    participants(account, chat_id).await?;
    account
        .peers
        .person(user_id)
        .ok_or_else(|| Outcome::NotFound(format!("user {user_id} is not known here")))
}

async fn by_name(account: &Account, username: &str) -> Result<Person, Outcome> {
    let unknown = || Outcome::NotFound(format!("@{} is not a user", username.trim_start_matches('@')));
    let name: Username = username.parse().map_err(|_| unknown())?;
    let known =
        |chat_id: ChatId| account.peers.person(chat_id.bare()).filter(|_| chat_id.kind() == ChatKind::User);
    if let Some(person) = account.names.find_fresh(&name, account.now()).and_then(known) {
        return Ok(person);
    }
    match lookup::resolve(account, &name).await {
        Ok(Some(chat_id)) => known(chat_id).ok_or_else(unknown),
        Ok(None) => Err(unknown()),
        Err(error) => Err(outcome(account, &error)),
    }
}

/// The first recent participant who is no bot, not the account itself and not excluded.
async fn anyone(account: &Account, chat_id: ChatId, exclude: &[String]) -> Result<Option<Person>, Outcome> {
    if chat_id.kind() == ChatKind::User {
        return Ok(account.peers.person(chat_id.bare()).filter(|person| may_be_meant(person, exclude)));
    }
    let participants = participants(account, chat_id).await?;
    let mut people = participants.into_iter().filter_map(|user_id| account.peers.person(user_id));
    Ok(people.find(|person| may_be_meant(person, exclude)))
}

fn may_be_meant(person: &Person, exclude: &[String]) -> bool {
    let excluded =
        |name: &str| exclude.iter().any(|one| one.trim().trim_start_matches('@').eq_ignore_ascii_case(name));
    !person.is_bot && !person.is_self && !person.username.as_deref().is_some_and(excluded)
}

/// The recent participants of a chat, all of whom the account knows afterwards.
async fn participants(account: &Account, chat_id: ChatId) -> Result<Vec<i64>, Outcome> {
    match chat_id.kind() {
        ChatKind::User => Ok(vec![chat_id.bare()]),
        ChatKind::Group => {
            let request = functions::messages::GetFullChat { chat_id: chat_id.bare() };
            let answer = account.read(Operation::Read, &request).await;
            let enums::messages::ChatFull::Full(full) = answer.map_err(|error| outcome(account, &error))?;
            account.learn(&full.users, &full.chats, &[]).await;
            Ok(match full.full_chat {
                enums::ChatFull::Full(chat) => members(&chat.participants),
                _ => Vec::new(),
            })
        }
        ChatKind::Channel => {
            let unknown = || Outcome::NotFound("this account does not know the chat".to_owned());
            let request = functions::channels::GetParticipants {
                channel: account.peers.input_channel(chat_id).ok_or_else(unknown)?,
                filter: enums::ChannelParticipantsFilter::ChannelParticipantsRecent,
                offset: 0,
                limit: PARTICIPANTS,
                hash: 0,
            };
            let answer = account.read(Operation::Read, &request).await;
            match answer.map_err(|error| outcome(account, &error))? {
                enums::channels::ChannelParticipants::Participants(found) => {
                    account.learn(&found.users, &found.chats, &[]).await;
                    Ok(found.participants.iter().filter_map(member).collect())
                }
                enums::channels::ChannelParticipants::NotModified => Ok(Vec::new()),
            }
        }
    }
}

fn members(participants: &enums::ChatParticipants) -> Vec<i64> {
    match participants {
        enums::ChatParticipants::Participants(all) => {
            all.participants.iter().map(enums::ChatParticipant::user_id).collect()
        }
        enums::ChatParticipants::Forbidden(_) => Vec::new(),
    }
}

fn member(participant: &enums::ChannelParticipant) -> Option<i64> {
    match participant {
        enums::ChannelParticipant::Participant(one) => Some(one.user_id),
        enums::ChannelParticipant::ParticipantSelf(one) => Some(one.user_id),
        enums::ChannelParticipant::Creator(one) => Some(one.user_id),
        enums::ChannelParticipant::Admin(one) => Some(one.user_id),
        enums::ChannelParticipant::Banned(_) | enums::ChannelParticipant::Left(_) => None,
    }
}

/// Reading changes nothing, so whatever went wrong proves that nothing was sent.
fn outcome(account: &Account, error: &classify::CallError) -> Outcome {
    match classify::outcome(error, account.now()) {
        Outcome::Unknown(why) => Outcome::Unavailable(why),
        // Somebody who cannot be named is no reason to give the message up.
        Outcome::Rejected { code } => Outcome::NotFound(code),
        Outcome::InProgress | Outcome::Sent(_) => Outcome::Unavailable("try again".to_owned()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Person {
        Person {
            user_id: 7,
            display_name: "Ann".into(),
            username: Some("demo_ann".into()),
            is_bot: false,
            is_self: false,
        }
    }

    #[test]
    fn neither_bots_nor_oneself_nor_the_excluded_are_meant() {
        assert!(may_be_meant(&ann(), &[]));
        assert!(may_be_meant(&ann(), &["@demo_bob".into()]));
        assert!(!may_be_meant(&ann(), &["@Demo_Ann ".into()]));
        assert!(!may_be_meant(&Person { is_bot: true, ..ann() }, &[]));
        assert!(!may_be_meant(&Person { is_self: true, ..ann() }, &[]));
        assert!(may_be_meant(&Person { username: None, ..ann() }, &["demo_ann".into()]));
    }
}
