//! Steps on the chat itself: making it, its settings, its link, leaving it.

use domain::account::Operation;
use domain::outcome::RejectionCode;
use domain::outcome::Unclear;
use domain::saga::{Step, StepAnswer};
use domain::{ChatId, Outcome};
use grammers_tl_types::{enums, functions};

use super::context::{StepChat, StepContext, peers_of};
use super::meaning::{is_done, is_of_the_maker, limited_title};
use crate::calls::classify::CallError;

pub(super) async fn create(
    context: &StepContext<'_>,
    title: &str,
    about: &str,
) -> Result<StepAnswer, Outcome> {
    let request = functions::channels::CreateChannel {
        broadcast: false,
        megagroup: true,
        for_import: false,
        forum: false,
        title: limited_title(title),
        about: about.to_owned(),
        geo_point: None,
        address: None,
        ttl_period: None,
    };
    let updates = match context.change(&request).await {
        Ok(updates) => updates,
        Err(error) => return Err(of_the_account(context.refused(&error).await)),
    };
    context.learn(&updates).await;
    // It was made all the same: anyone who looks finds it.
    let unread = || Outcome::Unknown(Unclear::Unreadable("the answer names no chat".to_owned()));
    created(&updates).map(|chat_id| StepAnswer::Created { chat_id }).ok_or_else(unread)
}

/// Some refusals say nothing about the chat that was asked for: another account may make it.
fn of_the_account(refusal: Outcome) -> Outcome {
    match refusal {
        Outcome::Rejected { code } if is_of_the_maker(&code.to_string()) => {
            Outcome::Forbidden(code.to_string())
        }
        other => other,
    }
}

fn created(updates: &enums::Updates) -> Option<ChatId> {
    let (_, chats) = peers_of(updates);
    chats.iter().find_map(|chat| match chat {
        enums::Chat::Channel(channel) if channel.creator => ChatId::channel(channel.id),
        _ => None,
    })
}

/// Lets new members read what was written before; in a basic group they always do.
pub(super) async fn open_history(context: &StepContext<'_>, step: &Step) -> Result<StepAnswer, Outcome> {
    let StepChat::Channel(channel) = context.chat().await? else { return Ok(StepAnswer::Done) };
    let request = functions::channels::TogglePreHistoryHidden { channel, enabled: false };
    changed(context, step, context.change(&request).await).await
}

pub(super) async fn set_title(
    context: &StepContext<'_>,
    step: &Step,
    title: &str,
) -> Result<StepAnswer, Outcome> {
    let title = limited_title(title);
    let answer = match context.chat().await? {
        StepChat::Group(chat_id) => {
            context.change(&functions::messages::EditChatTitle { chat_id, title }).await
        }
        StepChat::Channel(channel) => {
            context.change(&functions::channels::EditTitle { channel, title }).await
        }
    };
    changed(context, step, answer).await
}

pub(super) async fn set_about(
    context: &StepContext<'_>,
    step: &Step,
    about: &str,
) -> Result<StepAnswer, Outcome> {
    let request = functions::messages::EditChatAbout { peer: context.peer().await?, about: about.to_owned() };
    done(context, step, context.change(&request).await.map(drop)).await
}

/// The invite link there is, or a new one: asked for again, it makes no second one.
pub(super) async fn export_link(context: &StepContext<'_>) -> Result<StepAnswer, Outcome> {
    let chat = context.chat().await?;
    let full = match chat {
        StepChat::Group(chat_id) => {
            context.account.read(Operation::Read, &functions::messages::GetFullChat { chat_id }).await
        }
        StepChat::Channel(channel) => {
            context.account.read(Operation::Read, &functions::channels::GetFullChannel { channel }).await
        }
    };
    let enums::messages::ChatFull::Full(full) = match full {
        Ok(full) => full,
        Err(error) => return Err(context.refused(&error).await),
    };
    context.account.learn(&full.users, &full.chats, &[]).await;
    if let Some(link) = exported(&full.full_chat) {
        return Ok(StepAnswer::Link { link });
    }
    let request = functions::messages::ExportChatInvite {
        // Makes the primary link, of which there is none: that is the one a full chat shows, so that a repeat finds it.
        legacy_revoke_permanent: true,
        request_needed: false,
        peer: context.peer().await?,
        expire_date: None,
        usage_limit: None,
        title: None,
        subscription_pricing: None,
    };
    match context.change(&request).await {
        Ok(enums::ExportedChatInvite::ChatInviteExported(invite)) => {
            Ok(StepAnswer::Link { link: invite.link })
        }
        Ok(enums::ExportedChatInvite::ChatInvitePublicJoinRequests) => {
            Err(Outcome::Rejected { code: "CHAT_INVITE_PUBLIC".into() })
        }
        Err(error) => Err(context.refused(&error).await),
    }
}

fn exported(full: &enums::ChatFull) -> Option<String> {
    let invite = match full {
        enums::ChatFull::Full(group) => group.exported_invite.as_ref(),
        enums::ChatFull::ChannelFull(channel) => channel.exported_invite.as_ref(),
        enums::ChatFull::CommunityFull(_) => None,
    };
    match invite {
        Some(enums::ExportedChatInvite::ChatInviteExported(invite)) if !invite.revoked => {
            Some(invite.link.clone())
        }
        _ => None,
    }
}

pub(super) async fn leave(context: &StepContext<'_>, step: &Step) -> Result<StepAnswer, Outcome> {
    let chat_id = context.chat_id()?;
    let answer = match context.chat().await? {
        StepChat::Group(chat_id) => {
            let user_id = enums::InputUser::UserSelf;
            context
                .change(&functions::messages::DeleteChatUser { revoke_history: false, chat_id, user_id })
                .await
        }
        StepChat::Channel(channel) => context.change(&functions::channels::LeaveChannel { channel }).await,
    };
    if let Err(error) = &answer
        && error.name().map(RejectionCode::from) == Some(RejectionCode::UserCreator)
    {
        context.account.registry.note_creators_stay();
    }
    // A basic group that does not answer any more may only have become a supergroup.
    if let (Err(error), domain::ChatKind::Group) = (&answer, chat_id.kind())
        && let refused @ Outcome::Unavailable(_) = context.refused(error).await
    {
        return Err(refused);
    }
    let answer = changed(context, step, answer).await?;
    context.is_out(chat_id).await;
    Ok(answer)
}

pub(super) async fn changed(
    context: &StepContext<'_>,
    step: &Step,
    answer: Result<enums::Updates, CallError>,
) -> Result<StepAnswer, Outcome> {
    if let Ok(updates) = &answer {
        context.learn(updates).await;
    }
    done(context, step, answer.map(drop)).await
}

/// The end of a step that either is done or not.
pub(super) async fn done(
    context: &StepContext<'_>,
    step: &Step,
    answer: Result<(), CallError>,
) -> Result<StepAnswer, Outcome> {
    match answer {
        Ok(()) => Ok(StepAnswer::Done),
        Err(error) if error.name().is_some_and(|name| is_done(step, name)) => Ok(StepAnswer::Done),
        Err(error) => Err(context.refused(&error).await),
    }
}
