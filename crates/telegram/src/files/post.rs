//! The media of a public post, read to be sent again.

use domain::account::Operation;
use domain::{ChatKind, Outcome, TelegramMessageId, Username};

use super::file_state::{Origin, Ready};
use super::input;
use crate::account::Account;
use crate::calls::classify::CallError;
use crate::chat::single;
use crate::peers::lookup;
use crate::sending::part;

/// Reads the post, and how its media are named right now.
pub(super) async fn read(
    account: &Account,
    channel: &Username,
    message_id: TelegramMessageId,
) -> Result<Ready, Outcome> {
    let known = account.names.find_fresh(channel, account.now());
    let known = known.filter(|chat_id| account.peers.input_channel(*chat_id).is_some());
    let found = match known {
        Some(chat_id) => Some(chat_id),
        None => lookup::resolve(account, channel).await.map_err(|error| outcome(account, &error))?,
    };
    let gone =
        |why: &str| Outcome::MediaGone(format!("https://t.me/{}/{message_id} {why}", channel.as_str()));
    let Some(chat_id) = found.filter(|chat_id| chat_id.kind() == ChatKind::Channel) else {
        return Err(gone("is no post: there is no channel of this name"));
    };
    let message = single::message(account, chat_id, message_id).await;
    let message = message.map_err(|error| outcome(account, &error))?;
    let Some(message) = message else { return Err(gone("is not there, or was deleted")) };
    let now = account.now();
    let Some(reference) = message.media.as_ref().and_then(|media| input::reference(media, now)) else {
        return Err(gone("has no photo and no file"));
    };
    Ok(Ready { input: input::by_reference(&reference), origin: Origin::Post, at: now })
}

/// Reading is not sending: what it is refused says nothing about the chat that is written to.
fn outcome(account: &Account, error: &CallError) -> Outcome {
    match part::judged_as(account, Operation::Read, None, error) {
        Outcome::NotFound(why) | Outcome::Forbidden(why) | Outcome::NotInChat(why) => {
            Outcome::MediaGone(format!("the channel of the post cannot be read: {why}"))
        }
        outcome => outcome,
    }
}
