//! Whom a message mentions: the user the caller named, or the last who wrote.

use domain::account::Operation;
use domain::message::{Content, Mention};
use domain::text::{FormattedText, with_mention, without_mention};
use domain::{ChatId, ChatKind, Outcome, UserId, Username};
use grammers_tl_types::{enums, functions};

use crate::account::Account;
use crate::calls::classify;
use crate::peers::{Person, lookup, parsing};

/// How many participants are looked at for one that the caller named.
const PARTICIPANTS: i32 = 100;

/// Messages read at once for the last who wrote, and how often at most.
const PAGE: i32 = 100;
const PAGES: usize = 3;

/// Puts the mention of a message into its text, as this account can write it.
/// `ours` are the users of our own accounts.
pub(crate) async fn place(
    account: &Account,
    chat_id: ChatId,
    content: &Content,
    ours: &[UserId],
) -> Result<FormattedText, Outcome> {
    let Some(mention) = &content.mention else { return Ok(content.text.clone()) };
    let person = match mention {
        Mention::User { user_id } => match UserId::new(*user_id) {
            Some(user_id) => by_id(account, chat_id, user_id).await.map(Some),
            None => Err(unknown_user(*user_id)),
        },
        Mention::Username { username } => by_name(account, username).await.map(Some),
        Mention::Auto { auto: true, exclude } => someone(account, chat_id, exclude, ours).await,
        Mention::Auto { auto: false, .. } => Ok(None),
    };
    let person = match person {
        // The caller would rather have the text without the mention than not at all.
        Err(Outcome::NotFound(_)) if content.mention_optional => None,
        person => person?,
    };
    Ok(match person {
        Some(person) => with_mention(content.text.clone(), person.user_id, &person.display_name),
        None => without_mention(&content.text),
    })
}

async fn by_id(account: &Account, chat_id: ChatId, user_id: UserId) -> Result<Person, Outcome> {
    if let Some(person) = account.peers.person(user_id) {
        return Ok(person);
    }
    // Who is in the chat can be named even by an account that never met them.
    participants(account, chat_id).await?;
    account.peers.person(user_id).ok_or_else(|| unknown_user(user_id.get()))
}

fn unknown_user(user_id: i64) -> Outcome {
    Outcome::NotFound(format!("user {user_id} is not known here"))
}

async fn by_name(account: &Account, username: &str) -> Result<Person, Outcome> {
    let unknown = || Outcome::NotFound(format!("@{} is not a user", username.trim_start_matches('@')));
    let name: Username = username.parse().map_err(|_| unknown())?;
    let known = |chat_id: ChatId| account.peers.person(chat_id.user_id()?);
    if let Some(person) = account.names.find_fresh(&name, account.now()).and_then(known) {
        return Ok(person);
    }
    match lookup::resolve(account, &name).await {
        Ok(Some(chat_id)) => known(chat_id).ok_or_else(unknown),
        Ok(None) => Err(unknown()),
        Err(error) => Err(outcome(account, &error)),
    }
}

/// The last who wrote. Where no one did: the first of the recent participants.
async fn someone(
    account: &Account,
    chat_id: ChatId,
    exclude: &[String],
    ours: &[UserId],
) -> Result<Option<Person>, Outcome> {
    if let Some(person) = last_who_wrote(account, chat_id, exclude, ours).await? {
        return Ok(Some(person));
    }
    let people = match participants(account, chat_id).await {
        // Some chats do not show who is in them.
        Err(Outcome::NotFound(_)) => Vec::new(),
        people => people?,
    };
    let mut people = people.into_iter().filter_map(|user_id| account.peers.person(user_id));
    Ok(people.find(|person| may_be_meant(person, exclude, ours)))
}

/// The last who wrote and is no bot, none of our own accounts and not excluded.
async fn last_who_wrote(
    account: &Account,
    chat_id: ChatId,
    exclude: &[String],
    ours: &[UserId],
) -> Result<Option<Person>, Outcome> {
    let unknown = || Outcome::NotFound("this account does not know the chat".to_owned());
    let peer = lookup::input(account, chat_id).await.ok_or_else(unknown)?;
    let mut offset_id = 0;
    for _ in 0..PAGES {
        let request = functions::messages::GetHistory {
            peer: peer.clone(),
            offset_id,
            offset_date: 0,
            add_offset: 0,
            limit: PAGE,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        let answer = account.read(Operation::Read, &request).await;
        let (messages, users, chats) = match answer.map_err(|error| outcome(account, &error))? {
            enums::messages::Messages::Messages(all) => (all.messages, all.users, all.chats),
            enums::messages::Messages::Slice(all) => (all.messages, all.users, all.chats),
            enums::messages::Messages::ChannelMessages(all) => (all.messages, all.users, all.chats),
            enums::messages::Messages::NotModified(_) => return Ok(None),
        };
        account.learn(&users, &chats, &[]).await;
        let mut people =
            messages.iter().filter_map(writer).filter_map(|user_id| account.peers.person(user_id));
        if let Some(person) = people.find(|person| may_be_meant(person, exclude, ours)) {
            return Ok(Some(person));
        }
        match messages.last().map(enums::Message::id) {
            Some(last) if last != offset_id => offset_id = last,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// The user who wrote a message. Who only came in or was brought wrote nothing.
fn writer(message: &enums::Message) -> Option<UserId> {
    let enums::Message::Message(message) = message else { return None };
    // In a private chat a message without an author is by the other one.
    let peer = message.from_id.as_ref().unwrap_or(&message.peer_id);
    parsing::user_id(peer).filter(|_| !message.out)
}

fn may_be_meant(person: &Person, exclude: &[String], ours: &[UserId]) -> bool {
    let excluded =
        |name: &str| exclude.iter().any(|one| one.trim().trim_start_matches('@').eq_ignore_ascii_case(name));
    !person.is_bot
        && !person.is_self
        && !ours.contains(&person.user_id)
        && !person.username.as_deref().is_some_and(excluded)
}

/// Reads the recent participants of a chat, all of whom the account knows afterwards.
async fn participants(account: &Account, chat_id: ChatId) -> Result<Vec<UserId>, Outcome> {
    match chat_id.kind() {
        ChatKind::User => Ok(chat_id.user_id().into_iter().collect()),
        ChatKind::Group => {
            let request = functions::messages::GetFullChat { chat_id: chat_id.bare() };
            let answer = account.read(Operation::Read, &request).await;
            let enums::messages::ChatFull::Full(full) = answer.map_err(|error| outcome(account, &error))?;
            account.learn(&full.users, &full.chats, &[]).await;
            let enums::ChatFull::Full(chat) = full.full_chat else { return Ok(Vec::new()) };
            let enums::ChatParticipants::Participants(found) = chat.participants else {
                return Ok(Vec::new());
            };
            Ok(found.participants.iter().filter_map(|one| UserId::new(of_group(one))).collect())
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
            let enums::channels::ChannelParticipants::Participants(found) =
                answer.map_err(|error| outcome(account, &error))?
            else {
                return Ok(Vec::new());
            };
            account.learn(&found.users, &found.chats, &[]).await;
            Ok(found.participants.iter().filter_map(of_channel).collect())
        }
    }
}

const fn of_group(one: &enums::ChatParticipant) -> i64 {
    match one {
        enums::ChatParticipant::Participant(one) => one.user_id,
        enums::ChatParticipant::Creator(one) => one.user_id,
        enums::ChatParticipant::Admin(one) => one.user_id,
    }
}

fn of_channel(one: &enums::ChannelParticipant) -> Option<UserId> {
    UserId::new(match one {
        enums::ChannelParticipant::Participant(one) => one.user_id,
        enums::ChannelParticipant::ParticipantSelf(one) => one.user_id,
        enums::ChannelParticipant::Creator(one) => one.user_id,
        enums::ChannelParticipant::Admin(one) => one.user_id,
        // They are in the chat no more.
        enums::ChannelParticipant::Banned(_) | enums::ChannelParticipant::Left(_) => return None,
    })
}

fn outcome(account: &Account, error: &classify::CallError) -> Outcome {
    match classify::outcome(error, account.now()) {
        // Someone who cannot be named is no reason to give the message up.
        Outcome::Rejected { code } => Outcome::NotFound(code.to_string()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: i64) -> UserId {
        UserId::new(id).expect("an id")
    }

    fn ann() -> Person {
        Person {
            user_id: user(7),
            display_name: "Ann".into(),
            username: Some("demo_ann".into()),
            is_bot: false,
            is_self: false,
        }
    }

    #[test]
    fn bots_own_accounts_and_excluded_are_not_mentioned() {
        let may = |person: Person, exclude: &[&str]| {
            let exclude: Vec<String> = exclude.iter().map(|name| (*name).to_owned()).collect();
            may_be_meant(&person, &exclude, &[user(8)])
        };
        assert!(may(ann(), &[]) && may(ann(), &["@demo_bob"]) && !may(ann(), &["@Demo_Ann "]));
        assert!(!may(Person { is_bot: true, ..ann() }, &[]));
        assert!(!may(Person { is_self: true, ..ann() }, &[]));
        assert!(!may(Person { user_id: user(8), ..ann() }, &[]), "another account of ours");
        assert!(may(Person { username: None, ..ann() }, &["demo_ann"]));
    }
}
