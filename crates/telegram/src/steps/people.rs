//! Steps on the people of a chat: finding out who they are, inviting, promoting, listing and removing them.

use domain::account::Operation;
use domain::outcome::RejectionCode;
use domain::saga::{MemberResult, Missing, Person, Step, StepAnswer};
use domain::{ChatId, ChatRef, Outcome, UserId};
use grammers_tl_types::{enums, functions, types};

use super::chats::{changed, done};
use super::context::{StepChat, StepContext, happened};
use super::meaning::of_invited;
use crate::calls::classify::CallError;
use crate::peers::{lookup, parsing};

/// Members in one answer, as many as Telegram gives.
const PAGE: i32 = 200;

/// Members that are listed at most.
const MOST: usize = 10_000;

/// Messages that someone new in a basic group gets to see.
const SHOWN: i32 = 100;

pub(super) async fn resolve(context: &StepContext<'_>, who: &ChatRef) -> Result<StepAnswer, Outcome> {
    let account = context.account;
    let name = match who {
        ChatRef::Username(name) => Some(name.clone()),
        ChatRef::Id(chat_id) => account.names.of(*chat_id),
        ChatRef::Channel(_) => None,
    };
    let known = match who {
        ChatRef::Username(name) => account.names.find_fresh(name, account.now()),
        ChatRef::Id(chat_id) => Some(*chat_id),
        ChatRef::Channel(_) => None,
    };
    if let Some(person) = known.and_then(|chat_id| person(context, chat_id)) {
        return Ok(StepAnswer::Resolved { person: Some(person) });
    }
    let found = match (&name, known) {
        (Some(name), _) => lookup::resolve(account, name).await,
        (None, Some(chat_id)) => lookup::by_id(account, chat_id).await.map(|_| Some(chat_id)),
        (None, None) => Ok(None),
    };
    match found {
        Ok(found) => Ok(StepAnswer::Resolved { person: found.and_then(|chat_id| person(context, chat_id)) }),
        Err(error) => Err(context.refused(&error).await),
    }
}

fn person(context: &StepContext<'_>, chat_id: ChatId) -> Option<Person> {
    let known = context.account.peers.person(chat_id.user_id()?)?;
    Some(Person { user_id: known.user_id, is_bot: known.is_bot })
}

/// Invites people. One who cannot be invited does not keep the others out.
pub(super) async fn invite(context: &StepContext<'_>, users: &[UserId]) -> Result<StepAnswer, Outcome> {
    let chat_id = context.chat_id()?;
    let chat = context.chat().await?;
    let mut invitation = Invitation { context, chat, missing: Vec::new(), brought: Vec::new() };
    let ended = invitation.all(users).await;
    let Invitation { mut missing, brought, .. } = invitation;
    let invited = &context.account.recent_invites;
    // Anyone who an earlier try brought is there now because of it.
    let came_before =
        |one: &Missing| one.result == MemberResult::Already && invited.recall(chat_id, one.user_id);
    if let Err(outcome) = ended {
        invited.note(chat_id, &brought);
        let pending: Vec<UserId> =
            users.iter().copied().filter(|user| is_pending(*user, &brought, &missing)).collect();
        if brought.is_empty() || pending.is_empty() || !outcome.proves_unsent() {
            return Err(outcome);
        }
        // Some are in: that is no refusal. The others are asked again, and wait then.
        missing.retain(|one| !came_before(one));
        return Ok(StepAnswer::Invited { missing, pending });
    }
    missing.retain(|one| !came_before(one));
    Ok(StepAnswer::Invited { missing, pending: Vec::new() })
}

/// Whether no one was asked about this one yet.
fn is_pending(user: UserId, brought: &[UserId], missing: &[Missing]) -> bool {
    !brought.contains(&user) && missing.iter().all(|one| one.user_id != user)
}

struct Invitation<'a> {
    context: &'a StepContext<'a>,
    chat: StepChat,
    missing: Vec<Missing>,
    /// Who may be in the chat because of it.
    brought: Vec<UserId>,
}

impl Invitation<'_> {
    async fn all(&mut self, users: &[UserId]) -> Result<(), Outcome> {
        let mut known = Vec::new();
        for user_id in users {
            match self.context.account.peers.input_user(*user_id) {
                Some(input) => known.push((*user_id, input)),
                None => self.missing.push(absent(*user_id, "this account does not know the user")),
            }
        }
        if let (StepChat::Channel(_), [_, _, ..]) = (&self.chat, known.as_slice()) {
            let (invitees, inputs): (Vec<UserId>, Vec<_>) = known.iter().cloned().unzip();
            match self.ask(&invitees, inputs).await? {
                None => return Ok(()),
                Some((MemberResult::Already, error)) => {
                    let were_there =
                        invitees.iter().map(|user| refused(*user, MemberResult::Already, &error));
                    self.missing.extend(were_there);
                    return Ok(());
                }
                // One of them is the reason, and no one was invited: each for themselves.
                Some(_) => {}
            }
        }
        for (user_id, input) in known {
            if let Some((result, error)) = self.ask(&[user_id], vec![input]).await? {
                self.missing.push(refused(user_id, result, &error));
            }
        }
        Ok(())
    }

    /// One call. An error that is about one of those who were asked is returned; no one was invited then.
    async fn ask(
        &mut self,
        invitees: &[UserId],
        inputs: Vec<enums::InputUser>,
    ) -> Result<Option<(MemberResult, CallError)>, Outcome> {
        let answer = match &self.chat {
            StepChat::Group(chat_id) => {
                let Some(user_id) = inputs.into_iter().next() else { return Ok(None) };
                let chat_id = *chat_id;
                let request = functions::messages::AddChatUser { chat_id, user_id, fwd_limit: SHOWN };
                self.context.change(&request).await
            }
            StepChat::Channel(channel) => {
                let request =
                    functions::channels::InviteToChannel { channel: channel.clone(), users: inputs };
                self.context.change(&request).await
            }
        };
        let error = match answer {
            Ok(answer) => {
                self.missing.extend(invited(self.context, invitees, &answer).await);
                self.brought.extend(invitees);
                return Ok(None);
            }
            Err(error) => error,
        };
        if let Some(result) = error.name().and_then(of_invited) {
            return Ok(Some((result, error)));
        }
        let outcome = self.context.refused(&error).await;
        if !outcome.proves_unsent() {
            self.brought.extend(invitees);
        }
        Err(outcome)
    }
}

/// Who of those that were asked is missing, by the answer.
async fn invited(
    context: &StepContext<'_>,
    invitees: &[UserId],
    answer: &enums::messages::InvitedUsers,
) -> Vec<Missing> {
    let enums::messages::InvitedUsers::Users(answer) = answer;
    context.learn(&answer.updates).await;
    missing(invitees, answer)
}

fn missing(invitees: &[UserId], answer: &types::messages::InvitedUsers) -> Vec<Missing> {
    let mut missing: Vec<Missing> = answer
        .missing_invitees
        .iter()
        .filter_map(|enums::MissingInvitee::Invitee(invitee)| {
            Some(Missing {
                user_id: UserId::new(invitee.user_id)?,
                result: MemberResult::Privacy,
                detail: Some(why_missing(invitee).to_owned()),
            })
        })
        .collect();
    // The line about it in the chat names those who are new there; where there is none, it is unknown.
    let Some(new) = happened(&answer.updates).iter().find_map(added) else { return missing };
    let were_there: Vec<UserId> = invitees
        .iter()
        .copied()
        .filter(|user_id| !new.contains(&user_id.get()) && missing.iter().all(|one| one.user_id != *user_id))
        .collect();
    missing.extend(were_there.into_iter().map(|user_id| Missing {
        user_id,
        result: MemberResult::Already,
        detail: None,
    }));
    missing
}

fn why_missing(invitee: &types::MissingInvitee) -> &'static str {
    if invitee.premium_would_allow_invite {
        "only a Premium account may add them"
    } else {
        "their privacy settings do not let them be added"
    }
}

/// Those whom a line in the chat says were added.
fn added(update: &enums::Update) -> Option<&[i64]> {
    let message = match update {
        enums::Update::NewMessage(new) => &new.message,
        enums::Update::NewChannelMessage(new) => &new.message,
        _ => return None,
    };
    match message {
        enums::Message::Service(service) => match &service.action {
            enums::MessageAction::ChatAddUser(added) => Some(&added.users),
            _ => None,
        },
        _ => None,
    }
}

fn refused(user_id: UserId, result: MemberResult, error: &CallError) -> Missing {
    let detail = error.name().map(str::to_owned).filter(|_| result != MemberResult::Already);
    Missing { user_id, result, detail }
}

fn absent(user_id: UserId, why: &str) -> Missing {
    Missing { user_id, result: MemberResult::Failed, detail: Some(why.to_owned()) }
}

pub(super) async fn promote(
    context: &StepContext<'_>,
    step: &Step,
    user: UserId,
) -> Result<StepAnswer, Outcome> {
    let chat = context.chat().await?;
    let person = context.account.peers.person(user);
    let user_id = context.account.peers.input_user(user).ok_or_else(unknown_user)?;
    match chat {
        StepChat::Group(chat_id) => {
            let request = functions::messages::EditChatAdmin { chat_id, user_id, is_admin: true };
            done(context, step, context.change(&request).await.map(drop)).await
        }
        StepChat::Channel(channel) => {
            let rank = if person.is_some_and(|person| person.is_bot) { "Admin Bot" } else { "Admin" };
            let request = functions::channels::EditAdmin {
                channel,
                user_id,
                admin_rights: all_rights().into(),
                rank: Some(rank.to_owned()),
            };
            changed(context, step, context.change(&request).await).await
        }
    }
}

/// All that an administrator of a supergroup can have, but for hiding who they are.
const fn all_rights() -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        post_messages: true,
        edit_messages: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: true,
        anonymous: false,
        manage_call: true,
        other: true,
        manage_topics: true,
        post_stories: true,
        edit_stories: true,
        delete_stories: true,
        manage_direct_messages: false,
        manage_ranks: false,
        manage_linked_peers: false,
        manage_welcome_messages: false,
    }
}

pub(super) async fn remove(
    context: &StepContext<'_>,
    step: &Step,
    user: UserId,
) -> Result<StepAnswer, Outcome> {
    let answer = match context.chat().await? {
        StepChat::Group(chat_id) => {
            let user_id = context.account.peers.input_user(user).ok_or_else(unknown_user)?;
            context
                .change(&functions::messages::DeleteChatUser { revoke_history: false, chat_id, user_id })
                .await
        }
        StepChat::Channel(channel) => {
            let participant = context.account.peers.input(user.into()).ok_or_else(unknown_user)?;
            let banned_rights = out().into();
            context.change(&functions::channels::EditBanned { channel, participant, banned_rights }).await
        }
    };
    changed(context, step, answer).await
}

const fn out() -> types::ChatBannedRights {
    types::ChatBannedRights {
        view_messages: true,
        send_messages: false,
        send_media: false,
        send_stickers: false,
        send_gifs: false,
        send_games: false,
        send_inline: false,
        embed_links: false,
        send_polls: false,
        change_info: false,
        invite_users: false,
        pin_messages: false,
        manage_topics: false,
        send_photos: false,
        send_videos: false,
        send_roundvideos: false,
        send_audios: false,
        send_voices: false,
        send_docs: false,
        send_plain: false,
        edit_rank: false,
        send_reactions: false,
        manage_linked_peers: false,
        until_date: 0,
    }
}

/// Lists the other members. With `keep_own` it is refused in a supergroup or channel that the account owns.
pub(super) async fn list(context: &StepContext<'_>, keep_own: bool) -> Result<StepAnswer, Outcome> {
    let account = context.account;
    let mut users = match context.chat().await? {
        StepChat::Group(chat_id) => {
            let request = functions::messages::GetFullChat { chat_id };
            let enums::messages::ChatFull::Full(full) = match account.read(Operation::Read, &request).await {
                Ok(full) => full,
                Err(error) => return Err(context.refused(&error).await),
            };
            account.learn(&full.users, &full.chats, &[]).await;
            match full.full_chat {
                enums::ChatFull::Full(types::ChatFull {
                    participants: enums::ChatParticipants::Participants(list),
                    ..
                }) => list.participants.iter().filter_map(|one| UserId::new(one.user_id())).collect(),
                _ => Vec::new(),
            }
        }
        StepChat::Channel(channel) => in_channel(context, channel, keep_own).await?,
    };
    let me = account.health.user_id();
    users.retain(|user| Some(*user) != me);
    Ok(StepAnswer::Members { users })
}

async fn in_channel(
    context: &StepContext<'_>,
    channel: enums::InputChannel,
    keep_own: bool,
) -> Result<Vec<UserId>, Outcome> {
    let me = context.account.health.user_id();
    let refuse = if keep_own {
        Some(RejectionCode::OwnChat)
    } else {
        // Members are listed to be removed before the chat is left, which would then be refused.
        context.account.registry.creators_stay().then_some(RejectionCode::UserCreator)
    };
    let mut users: Vec<UserId> = Vec::new();
    let mut offset = 0;
    while users.len() < MOST {
        let request = functions::channels::GetParticipants {
            channel: channel.clone(),
            filter: types::ChannelParticipantsSearch { q: String::new() }.into(),
            offset,
            limit: PAGE,
            hash: 0,
        };
        let page = match context.account.read(Operation::Read, &request).await {
            Ok(enums::channels::ChannelParticipants::Participants(page)) => page,
            Ok(enums::channels::ChannelParticipants::NotModified) => break,
            Err(error) => return Err(context.refused(&error).await),
        };
        context.account.learn(&page.users, &page.chats, &[]).await;
        if let Some(code) = &refuse
            && page.participants.iter().any(|one| is_made_by(one, me))
        {
            return Err(Outcome::Rejected { code: code.clone() });
        }
        let read = i32::try_from(page.participants.len()).unwrap_or(i32::MAX);
        let before = users.len();
        for user in page.participants.iter().filter_map(member) {
            if !users.contains(&user) {
                users.push(user);
            }
        }
        offset = offset.saturating_add(read);
        // The last page, or a list that runs in circles.
        if read < PAGE || users.len() == before {
            break;
        }
    }
    Ok(users)
}

fn is_made_by(participant: &enums::ChannelParticipant, user: Option<UserId>) -> bool {
    matches!(participant, enums::ChannelParticipant::Creator(one) if Some(one.user_id) == user.map(UserId::get))
}

/// The member that a line of the list is about; no one who is out.
pub(crate) fn member(participant: &enums::ChannelParticipant) -> Option<UserId> {
    match participant {
        enums::ChannelParticipant::Participant(one) => UserId::new(one.user_id),
        enums::ChannelParticipant::ParticipantSelf(one) => UserId::new(one.user_id),
        enums::ChannelParticipant::Creator(one) => UserId::new(one.user_id),
        enums::ChannelParticipant::Admin(one) => UserId::new(one.user_id),
        enums::ChannelParticipant::Banned(one) if !one.left => parsing::user_id(&one.peer),
        enums::ChannelParticipant::Banned(_) | enums::ChannelParticipant::Left(_) => None,
    }
}

fn unknown_user() -> Outcome {
    Outcome::NotFound("this account does not know the user".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(new: Option<Vec<i64>>, missing: &[i64]) -> types::messages::InvitedUsers {
        let line = |users: Vec<i64>| {
            let message = types::MessageService {
                out: true,
                mentioned: false,
                media_unread: false,
                reactions_are_possible: false,
                silent: false,
                post: false,
                legacy: false,
                id: 5,
                from_id: None,
                peer_id: types::PeerChannel { channel_id: 9 }.into(),
                saved_peer_id: None,
                reply_to: None,
                date: 0,
                action: types::MessageActionChatAddUser { users }.into(),
                reactions: None,
                ttl_period: None,
            };
            types::UpdateNewChannelMessage { message: message.into(), pts: 1, pts_count: 1 }.into()
        };
        let updates = types::Updates {
            updates: new.map(line).into_iter().collect(),
            users: Vec::new(),
            chats: Vec::new(),
            date: 0,
            seq: 0,
        };
        let invitee = |user_id: &i64| {
            let (premium_would_allow_invite, premium_required_for_pm) = (true, false);
            types::MissingInvitee { premium_would_allow_invite, premium_required_for_pm, user_id: *user_id }
                .into()
        };
        types::messages::InvitedUsers {
            updates: updates.into(),
            missing_invitees: missing.iter().map(invitee).collect(),
        }
    }

    #[test]
    fn each_invitee_has_its_own_result() {
        let user = |id| UserId::new(id).expect("an id");
        let found = missing(&[1, 2, 3].map(user), &answer(Some(vec![1]), &[2]));
        let results: Vec<_> = found.iter().map(|one| (one.user_id, one.result)).collect();
        assert_eq!(results, [(user(2), MemberResult::Privacy), (user(3), MemberResult::Already)]);
        assert!(found[0].detail.as_ref().is_some_and(|detail| detail.contains("Premium")));
        // Without a line about it no one is said to have been there before.
        assert_eq!(missing(&[1, 2].map(user), &answer(None, &[])), []);
    }
}
