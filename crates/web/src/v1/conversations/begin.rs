//! A conversation that a person begins with someone who has not written.

use api::{BegunConversation, InboxChannel};
use axum::extract::State as Shared;
use axum::response::Response;
use channels::NoFirstChat;
use domain::missing::{self, MISSING};
use domain::{
    AccountName, ChannelChat, ChannelName, ChatId, ChatKind, ChatRef, ChatType, ContactProof, ExternalChat,
    NamedChat, ProvedContact, Words,
};
use http::{HeaderMap, StatusCode};
use pipeline::Reply;
use serde::Deserialize;
use store::FirstContact;
use utoipa::ToSchema;

use super::act::{LISTENER, refused, text_error};
use crate::answer::{json, located};
use crate::auth::{Authorized, Caller, CanAnswer, CanReadInbox};
use crate::extract::Unchecked;
use crate::idempotency;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::{ACCOUNTS, Page, chats, messages};

const PATH: &str = "/v1/conversations";

/// The first message to someone.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"channel": "whatsapp", "channel_account": "phone", "to": "+70000000001", "text": "Your order is here."}))]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstMessage {
    /// The channel; `telegram_account` for an account of Telegram.
    #[schema(example = "whatsapp")]
    channel: Option<String>,
    /// The account of ours there; may be left out where the channel has one.
    #[schema(example = "phone")]
    channel_account: Option<String>,
    /// Who: a number in WhatsApp and SMS, an address in email, a number, username or user id in Telegram.
    #[schema(example = "+70000000001")]
    to: Option<String>,
    /// What the client is called, where that is not known.
    #[schema(example = "Anna")]
    name: Option<String>,
    #[schema(value_type = String)]
    text: Option<Words>,
}

/// Begins a conversation: writes to someone who has not written. The client is found by who it is, or made, and the appeal is opened.
///
/// Only WhatsApp, SMS, email and accounts of Telegram can write first; in other channels the customer does. `GET /v1/messages/{id}` and
/// the conversation show what becomes of the message.
#[utoipa::path(
    post, path = "/v1/conversations", tag = "conversations", operation_id = "begin_conversation",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{0,127}[0-9A-Za-z][!-~]{0,127}$", description = "The same key sends once")),
    request_body = FirstMessage,
    responses(
        (status = 201, description = "The conversation; its first message is on its way", body = BegunConversation),
        (status = 403, description = "They are on the do-not-contact list: `do_not_contact`"),
        (status = 404, description = "No account of Telegram finds them: `chat_not_found`"),
        (status = 409, description = "An answer to them is leaving at this moment: `already_answering`"),
        (status = 422, description = "Wrong fields, or the channel cannot write first"),
    )
)]
pub(crate) async fn begin(
    Shared(state): Shared<State>,
    by: Authorized<CanAnswer>,
    headers: HeaderMap,
    body: Unchecked<FirstMessage>,
) -> Result<Response, Problem> {
    let idempotency = idempotency::of_request(&headers, &by.caller.scope(LISTENER, PATH), &body.raw)?;
    let (wanted, text) = body.checked(|first: FirstMessage| wanted(&state, first))?;
    let contact = contact(&state, &by.caller, wanted).await?;
    let chat = match store::Pipeline::is_telegram_account(&contact.chat) {
        Some((_, id)) => id.parse().ok(),
        None => Some(ChatRef::Channel(contact.chat.clone())),
    };
    // Before anything is made of it; what accepts the message looks again.
    if let Some(chat) = chat {
        by.caller.check_chat(&state, "to", &NamedChat::Chat(chat.clone()))?;
        state.store().do_not_contact().refuse_message(vec![(chat, None)]).await?;
    }
    let reply =
        Reply { text: text.as_str().to_owned(), chat: None, origin: by.caller.origin(LISTENER), idempotency };
    let assignee = by.caller.user.as_ref().map(ToString::to_string);
    let begun = state.pipeline().begin(contact, assignee, reply).await;
    let (client_id, appeal_id, submission) = begun.map_err(|error| refused("", error))?;
    let submitted = state.delivery().submit(submission).await.map_err(messages::refused)?;
    let begun = BegunConversation { client_id, appeal_id, message_id: submitted.id };
    Ok(located(json(StatusCode::CREATED, &begun), &format!("{PATH}/{client_id}")))
}

/// Lists the accounts through which a conversation can be begun, and those through which customers write first.
#[utoipa::path(
    get, path = "/v1/inbox/channels", tag = "conversations", operation_id = "list_inbox_channels",
    responses((status = 200, description = "The accounts", body = Page<InboxChannel>))
)]
pub(crate) async fn channels(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
) -> Result<Response, Problem> {
    let of_telegram = state.pool().accounts().into_iter().map(|account| InboxChannel {
        channel: ACCOUNTS.to_owned(),
        account: account.name.to_string(),
        writes_first: true,
    });
    let others = state.channels().channels().all().map(|known| InboxChannel {
        channel: known.channel.to_string(),
        account: known.name().to_string(),
        writes_first: known.provider.first_chat("") != Err(NoFirstChat::TheyWriteFirst),
    });
    let items = others.chain(of_telegram).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: None }))
}

/// Who is written to, before Telegram is asked.
struct Wanted {
    channel: ChannelName,
    account: AccountName,
    to: String,
    name: Option<String>,
}

/// Checks the fields together; all errors are reported at once.
fn wanted(state: &State, first: FirstMessage) -> Result<(Wanted, Words), Problem> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
    let given =
        |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let channel = match given(first.channel).map(|name| name.parse::<ChannelName>()) {
        None => Err("is missing; name the channel, such as whatsapp or telegram_account".to_owned()),
        Some(read) => read.map_err(|error| error.to_string()),
    };
    let channel = channel.map_err(|message| wrong("channel", message)).ok();
    let account = match (given(first.channel_account).map(|name| name.parse::<AccountName>()), &channel) {
        (Some(read), _) => read.map_err(|error| error.to_string()),
        (None, Some(channel)) if channel.as_str() != ACCOUNTS => messages::only_account(state, channel),
        (None, _) => Err("is missing; name the account of ours that writes".to_owned()),
    };
    let account = account.map_err(|message| wrong("channel_account", message)).ok();
    let to = given(first.to);
    if to.is_none() {
        wrong("to", "is missing; name whom to write to, such as +70000000001".to_owned());
    }
    let name = given(first.name);
    if name.as_ref().is_some_and(|name| name.chars().count() > 200) {
        wrong("name", "has more than 200 characters".to_owned());
    }
    for (field, value) in [("name", &name), ("to", &to)] {
        if value.as_deref().is_some_and(missing::is_missing) {
            wrong(field, MISSING.to_owned());
        }
    }
    let text = first.text.unwrap_or_default();
    if let Some(message) = text_error(text.as_str()) {
        wrong("text", message);
    }
    match (channel, account, to) {
        (Some(channel), Some(account), Some(to)) if errors.is_empty() => {
            Ok((Wanted { channel, account, to, name }, text))
        }
        _ => Err(Problem::fields(errors)),
    }
}

/// The chat in which they are written to.
async fn contact(state: &State, caller: &Caller, wanted: Wanted) -> Result<FirstContact, Problem> {
    let Wanted { channel, account, to, name } = wanted;
    if channel.as_str() == ACCOUNTS {
        let account = caller.pin(Some(account.clone()))?.unwrap_or(account);
        let (id, phone) = of_telegram(state, &to, &account).await?;
        let chat = ExternalChat::new(&id.to_string()).ok_or_else(|| no_person(&to))?;
        let user = Some(id.to_string());
        return Ok(FirstContact {
            chat: ChannelChat { channel, account, chat },
            user,
            name,
            chat_type: ChatType::Private,
            // Telegram says whose number it is.
            phone: phone.map(|phone| ProvedContact::new(phone, ContactProof::Provider)),
            email: None,
        });
    }
    let known = state.channels().channels().get(&account).filter(|known| known.channel == channel);
    let Some(known) = known else {
        let message = format!("the channel {channel} has no account {account}; GET /v1/channels lists them");
        return Err(Problem::fields(vec![FieldError::new("channel_account", message)]));
    };
    let first = known.provider.first_chat(&to).map_err(|why| {
        let field = if why == NoFirstChat::TheyWriteFirst { "channel" } else { "to" };
        let message = if why == NoFirstChat::TheyWriteFirst {
            format!("cannot write first: {why}")
        } else {
            why.to_string()
        };
        Problem::fields(vec![FieldError::new(field, message)])
    })?;
    let chat_type = (channels::Nature::named(channel.as_str()).chat_type)(first.chat.as_str())
        .map_err(|rule| Problem::fields(vec![FieldError::new("to", format!("is wrong: {rule}"))]))?;
    let chat = ChannelChat { channel, account, chat: first.chat };
    Ok(FirstContact {
        chat,
        user: None,
        name,
        chat_type,
        // The chat is that of the number. Who reads the mails of an address shows with the first answer.
        phone: first.phone.map(|phone| ProvedContact::new(phone, ContactProof::ChannelId)),
        email: first.email.map(|email| ProvedContact::new(email, ContactProof::Operator)),
    })
}

/// The private dialog of an account of Telegram with someone, and the number that it was found by.
async fn of_telegram(
    state: &State,
    to: &str,
    account: &AccountName,
) -> Result<(ChatId, Option<String>), Problem> {
    let named = to
        .parse::<NamedChat>()
        .map_err(|error| Problem::fields(vec![FieldError::new("to", format!("is wrong: {error}"))]))?;
    let phone = match &named {
        NamedChat::Phone(phone) => Some(phone.to_string()),
        _ => None,
    };
    let (chat, _) = chats::meant(state, named, Some(account.clone())).await?;
    if state.pool().account(account).is_none() {
        return Err(Problem::account_not_found(account.as_str()));
    }
    let id = match chat {
        ChatRef::Id(id) => id,
        ChatRef::Username(username) => {
            let found = state.pool().by_username(&username, Some(account)).await;
            found.map_err(|error| chats::unread(error, state.clock().now()))?
        }
        ChatRef::Channel(_) => return Err(no_person(to)),
    };
    if id.kind() != ChatKind::User {
        return Err(no_person(to));
    }
    Ok((id, phone))
}

fn no_person(to: &str) -> Problem {
    Problem::new(Code::ChatNotFound, format!("{:?} is no person of Telegram.", shorten(to)))
}
