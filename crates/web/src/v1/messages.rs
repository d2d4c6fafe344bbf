//! `/v1/messages`: sending, looking, and ending what waits or is in doubt.

use std::time::Duration;

use api::{AnyMessage, schemas};
use axum::extract::State as Shared;
use axum::response::Response;
use delivery::{Change, How, Query, Sender, Settled, Submission, SubmitError, Submitted};
use domain::message::OutboundMessage;
use domain::timeline::Entry;
use domain::{
    AccountName, ChannelName, ChatId, InboundId, MessageId, MessageOrigin, MessageState, NamedChat,
    ReceivedId, Service,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use store::{Approval, Filter, Paged, Resolution, StoreError};
use utoipa::{IntoParams, ToSchema};

use super::keys::KeyNames;
use super::logs::moment;
use super::names::{self, Names};
use super::new_message::{NewMessage, Order};
use super::page::{listed, store_page, visible};
use super::{ACCOUNTS, LISTENER, LongPageParameters, Page, received, services};
use super::{channels, chats};
use crate::answer::{json, located};
use crate::auth::{Authorized, Caller, CanApprove, CanCancel, CanRead, CanReject, CanSend};
use crate::extract::{Json, PathParameter, QueryParameters, Unchecked};
use crate::files::{self, Asker, Terms};
use crate::idempotency;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

const PATH: &str = "/v1/messages";

/// Sends a text, or files with or without one.
///
/// Files are taken in before the message is accepted: an address that does not answer costs nothing but the answer that says
/// so. They may take longer than `wait`, which counts from the call: `media.addresses_within` is how long they have. The answer is 200 once it is sent, 202 while it is not (it goes on by itself; look again at `Location`), and a
/// problem when it ended unsent. A negative answer is final: nothing is sent later.
#[utoipa::path(
    post, path = "/v1/messages", tag = "messages", operation_id = "send_message",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{0,127}[0-9A-Za-z][!-~]{0,127}$",
        description = "1 to 255 visible ASCII characters. The same key with the same body is the same message for 24 hours. Without it, the `repeats` of the API key says how long the same body is.")),
    request_body = NewMessage,
    responses(
        (status = 200, description = "Sent", body = api::Message),
        (status = 202, description = "Not finished within `wait`, or in doubt", body = api::Message,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 400, description = "The body is not JSON, or a header is wrong"),
        (status = 403, description = "No account may write in the chat, or it is on the do-not-contact list (`do_not_contact`)"),
        (status = 404, description = "No account finds the chat, or the pinned account is not known"),
        (status = 409, description = "The Idempotency-Key belongs to another body"),
        (status = 410, description = "A file or a post is no longer there, or Telegram no longer takes a file id"),
        (status = 413, description = "The body or a file is too large"),
        (status = 415, description = "The body is not announced as JSON"),
        (status = 422, description = "Wrong fields, a file that cannot be had (`media_unreachable`, `media_refused`, `media_invalid`), or refused by the provider"),
        (status = 429, description = "Every account must wait, and `on_flood` is `fail`"),
        (status = 503, description = "No usable account, or the store is away"),
        (status = 507, description = "The disk is full"),
    )
)]
pub(crate) async fn send(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    headers: HeaderMap,
    body: Unchecked<NewMessage>,
) -> Result<Response, Problem> {
    let scope = by.caller.scope(LISTENER, PATH);
    let idempotency = idempotency::of_request(&headers, &scope, &body.raw)?;
    let began = state.clock().running();
    let now = state.clock().now();
    let order = body.checked(|message| message.order(now, |channel| only_account(&state, channel)))?;
    let wait = order.wait;
    let Submitted { id, how } = submit(&state, &by.caller, order, idempotency).await?;
    // The caller has waited for its files already.
    let wait = wait.saturating_sub(state.clock().running().saturating_sub(began));
    answer(&state, Submitted { id, how }, wait).await
}

/// The answer to a call that sends: the message once it is settled, or as it is after the wait.
pub(super) async fn answer(
    state: &State,
    Submitted { id, how }: Submitted,
    wait: Duration,
) -> Result<Response, Problem> {
    let Settled { message, only_attempt } = state.settled(id, wait).await?.ok_or_else(|| gone(id))?;
    let answer = match (problem(state, &message), only_attempt) {
        (Some(problem), _) => axum::response::IntoResponse::into_response(problem),
        (None, Some(attempt)) => show_with(state, &message, &[attempt], StatusCode::OK).await,
        (None, None) => show(state, &message, StatusCode::OK).await?,
    };
    Ok(if how == How::Replayed { idempotency::replayed(answer) } else { answer })
}

/// The account of a channel that has one.
pub(super) fn only_account(state: &State, channel: &ChannelName) -> Result<AccountName, String> {
    let names: Vec<_> =
        state.channels().channels().of(channel).map(|account| account.name().clone()).collect();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(format!(
            "is missing, and there is no account of the channel {channel}; GET /v1/channels lists them"
        )),
        several => {
            let names = several.iter().map(AccountName::as_str).collect::<Vec<_>>().join(", ");
            Err(format!("is missing: the channel {channel} has several accounts, {names}"))
        }
    }
}

async fn submit(
    state: &State,
    caller: &Caller,
    order: Order,
    idempotency: Option<store::Idempotency>,
) -> Result<Submitted, Problem> {
    caller.check_chat(state, "chat", &order.chat)?;
    let order = Order { pin: caller.pin(order.pin)?, ..order };
    let has_files = !order.files.is_empty();
    let service = match &order.chat {
        NamedChat::Chat(chat) => Service::sending_to(chat, has_files),
        NamedChat::Own | NamedChat::Phone(_) => Some(Service::sending(has_files)),
    };
    let running = service.map_or(Ok(()), |service| services::check_running(state, service));
    let no_more = match (order.late, running) {
        (Some(late), _) => Some(Problem::fields(vec![late])),
        (None, Err(stopped)) => Some(stopped),
        (None, Ok(())) => None,
    };
    if let Some(problem) = no_more {
        // What the same key brought while it was possible was accepted, and is what this call asks about.
        let repeated = match idempotency {
            Some(key) => state.delivery().repeated(key).await.map_err(refused)?,
            None => None,
        };
        return repeated.ok_or(problem);
    }
    // A repeat fetches nothing.
    if let (Some(key), false) = (idempotency, order.files.is_empty())
        && let Some(before) = state.delivery().repeated(key).await.map_err(refused)?
    {
        return Ok(before);
    }
    let (chat, pin) = chats::meant(state, order.chat, order.pin).await?;
    let origin = caller.origin(LISTENER);
    let terms = Terms {
        asker: Asker::from(&origin),
        uploads: caller.uploads(),
        addresses_within: Some(state.limits().addresses_within),
    };
    let load = files::take(state, order.files, terms).await?;
    let submission = Submission {
        chat,
        content: order.content,
        pin,
        on_flood: order.on_flood,
        send_at: order.send_at,
        needs_approval: order.needs_approval,
        origin,
        idempotency,
        join: None,
    };
    files::submit(state.clone(), submission, load).await.map_err(refused)
}

/// Lists messages, newest first.
///
/// `state=undelivered` lists those that have not arrived: failed, in doubt, or waiting for more than a minute past their time.
/// `since` and `until` are then about when one failed or came into doubt; one that waits has not arrived now.
///
/// With `text`, `since`, `until` or `state=undelivered` the messages themselves are looked into, so many at a time: a page may have fewer than were
/// asked for, or none, and still be followed by another.
///
/// `direction=in` lists those that were received, by when they were received; they have no `state`. Both directions of one chat
/// are in `GET /v1/chats/{chat_id}/messages`.
#[utoipa::path(
    get, path = "/v1/messages", tag = "messages", operation_id = "list_messages",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of messages", body = Page<AnyMessage>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let direction = query.take_with("direction", |word| {
        ["in", "out"].contains(&word).then(|| word.to_owned()).ok_or_else(|| "write in or out".to_owned())
    });
    if direction.as_deref() == Some("in") {
        let origin = query.take::<MessageOrigin>("origin");
        return match query.take::<ChannelName>("channel") {
            channel if channel.as_ref().map_or(origin.is_some(), |channel| channel.as_str() != ACCOUNTS) => {
                channels::received::list(&state, &caller, channel, origin, query).await
            }
            channel => received::list(&state, &caller, channel.is_none(), query).await,
        };
    }
    let now = state.clock().now();
    let wanted = query.take_with("state", |word| {
        let known = MessageState::from_word(word);
        if known.is_none() && word != schemas::UNDELIVERED {
            let known: Vec<_> = MessageState::ALL.iter().map(|state| state.as_str()).collect();
            let (word, known) = (shorten(word), known.join(", "));
            return Err(format!("{word:?} is no state; known are {known}, {}", schemas::UNDELIVERED));
        }
        Ok(known)
    });
    let filter = Filter {
        state: wanted.flatten(),
        undelivered: (wanted == Some(None)).then_some(now),
        account: query.take::<AccountName>("account"),
        chats: query.take::<ChatId>("chat_id").map(|chat| vec![chat]),
        text: query.take_with("text", names::wanted),
        or_to: None,
        since: query.take_with("since", |text| moment(text, now)),
        until: query.take_with("until", |text| moment(text, now)),
    };
    let chat = query.take_with("chat", names::wanted);
    let q = query.take_with("q", names::wanted);
    let page = store_page(&mut query);
    query.finish()?;
    caller.check_account(filter.account.as_ref())?;
    let filter = sought(&state, filter, chat, q).await?;
    let shows = |message: &OutboundMessage| {
        let account = message.account.as_ref().or(message.pin.as_ref());
        caller.shows(&state, account, Some(&message.place()))
    };
    let read = |page| {
        let (store, filter) = (state.store(), &filter);
        async move {
            let found = store.outbox().list(filter, &page).await?;
            Ok(Paged { items: found.items, next_cursor: found.next_cursor })
        }
    };
    let found = visible(&caller, page, shows, read).await.map_err(listed)?;
    let names = Names::of(&state, found.items.iter().map(OutboundMessage::chat_id)).await?;
    let items = found.items.into_iter().map(|message| listed_view(&caller, message, &names)).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// A message as lists show it.
pub(super) fn listed_view(caller: &Caller, message: OutboundMessage, names: &Names) -> AnyMessage {
    let message = caller.own_message(message);
    AnyMessage::Out(Box::new(api::Message::listed(&message).named(names.view(message.chat_id()))))
}

/// The filter with the chats that were written as people call them.
pub(super) async fn sought(
    state: &State,
    filter: Filter,
    chat: Option<String>,
    q: Option<String>,
) -> Result<Filter, StoreError> {
    let mut filter = filter;
    if let Some(chat) = chat {
        filter.chats = Some(names::narrowed(state, filter.chats, &chat).await?);
    }
    if let Some(q) = q {
        filter.or_to = Some(names::chats_named(state, &q).await?);
        filter.text = Some(q);
    }
    Ok(filter)
}

/// What the list can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Those that were received, or those that were sent.
    #[param(schema_with = schemas::direction)]
    direction: Option<String>,
    /// Only those in this state, or `undelivered`.
    #[param(schema_with = schemas::listed_message_state)]
    state: Option<String>,
    /// Only those of this account.
    #[param(example = "main")]
    account: Option<String>,
    /// Only those of this chat.
    #[param(example = "-1001234567890")]
    chat_id: Option<String>,
    /// With `direction=in`: those that came in through this channel, such as `avito`, or through accounts of Telegram
    /// (`telegram_account`); without it, through all of them. `chat` of a channel is an address, such as `avito:shop/u2i-1`.
    #[param(example = "avito")]
    channel: Option<String>,
    /// With `direction=in`: only those that came in through channels and were written by this, such as `bot`.
    #[param(schema_with = schemas::message_origin, required = false)]
    origin: Option<String>,
    /// With `channel`: only those of this account of it.
    #[param(example = "shop")]
    channel_account: Option<String>,
    /// Only those in chats and with people that are called so: a part of the title or name, a username, a number, a phone.
    #[param(example = "Order 1001", max_length = 200)]
    chat: Option<String>,
    /// Only those with this in their text, or with chats and people that are called so. In the place of `text`.
    #[param(example = "1001", max_length = 200)]
    q: Option<String>,
    /// Only those with this in their text or caption, whatever letters are large.
    #[param(example = "your phone is ready", max_length = 200)]
    text: Option<String>,
    /// Only those accepted or received at this time or later: a time, or how long ago, such as `10m`.
    #[param(example = "2h")]
    since: Option<String>,
    /// Only those accepted or received before this time: a time, or how long ago.
    #[param(example = "2026-01-31T12:00:00Z")]
    until: Option<String>,
}

/// Shows a message: one that was sent, or one that was received and is stored.
#[utoipa::path(
    get, path = "/v1/messages/{id}", tag = "messages", operation_id = "get_message",
    params(("id" = String, Path, description = "The id that sending answered, or `rcv_…` of a message that was received")),
    responses((status = 200, description = "The message", body = AnyMessage))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    if let Ok(id) = id.parse::<ReceivedId>() {
        return received::get(&state, &id).await;
    }
    if let Ok(id) = id.parse::<InboundId>() {
        return channels::received::get(&state, id).await;
    }
    let message = caller.own_message(find(&state, &id).await?);
    let timeline = caller.own_steps(state.store().outbox().timeline(message.id).await?);
    let whereabouts = whereabouts(&state, &message).await;
    let gives_up_at = state.delivery().gives_up_at(message.id);
    let names = Names::of(&state, std::iter::once(message.chat_id())).await?;
    let reactions = state.store().outbox().reactions(message.id).await?;
    let view = api::Message::whole(&message, &timeline, &whereabouts, gives_up_at);
    let view = view.named(names.view(message.chat_id())).with_reactions(&reactions);
    Ok(json(StatusCode::OK, &AnyMessage::Out(Box::new(view))))
}

/// Shows why a message is where it is, step by step.
#[utoipa::path(
    get, path = "/v1/messages/{id}/why", tag = "messages", operation_id = "explain_message",
    params(("id" = String, Path, description = "The id that sending answered")),
    responses((status = 200, description = "Its steps", body = api::Why))
)]
pub(crate) async fn why(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    let message = find(&state, &id).await?;
    let timeline = caller.own_steps(state.store().outbox().timeline(message.id).await?);
    let origin = match state.store().outbox().origin(message.id).await? {
        Some(origin) => {
            let keys = KeyNames::of(&state, origin.api_key.is_some()).await?;
            let name = origin.api_key.and_then(|id| keys.name(&id.to_string()));
            Some(api::Origin::new(origin, name))
        }
        None => None,
    };
    let timeline = timeline.iter().map(Into::into).collect();
    let mut candidates = candidates(&state, &message);
    candidates.retain(|candidate| caller.shows_account(&candidate.account));
    let why = api::Why { id: message.id, state: message.state, origin, candidates, timeline };
    Ok(json(StatusCode::OK, &why))
}

/// Who could send into the chat of a message now, as far as memory knows.
fn candidates(state: &State, message: &OutboundMessage) -> Vec<api::MessageCandidate> {
    let service = Service::sending_to(&message.chat, !message.content.media.is_empty());
    let query = Query { chat: message.chat.clone(), pin: message.pin.clone(), service };
    state.pool().candidates_now(&query).map(api::MessageCandidate::all).unwrap_or_default()
}

/// Cancels a message that was not given to an account yet. One of which it is not known whether it arrived is tried no
/// longer: it is in doubt then.
#[utoipa::path(
    post, path = "/v1/messages/{id}/cancel", tag = "messages", operation_id = "cancel_message",
    params(("id" = String, Path, description = "The id that sending answered")),
    responses(
        (status = 200, description = "Cancelled; nothing was sent", body = api::Message),
        (status = 202, description = "It is tried no longer, and is in doubt: it may have been sent", body = api::Message,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn cancel(
    Shared(state): Shared<State>,
    by: Authorized<CanCancel>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = find(&state, &id).await?.id;
    let change = match state.delivery().cancel(id, Some(by.caller.requester_note())).await? {
        Change::Refused(message) if message.state == MessageState::Sending => {
            state.delivery().stop_trying(id).await?
        }
        change => change,
    };
    let rule = "only what waits (queued, scheduled, awaiting_approval) can be cancelled, and what is being sent once an \
                attempt has come back without saying whether it arrived";
    changed(&state, id, change, rule).await
}

/// Sends a failed or cancelled message again.
#[utoipa::path(
    post, path = "/v1/messages/{id}/retry", tag = "messages", operation_id = "retry_message",
    params(("id" = String, Path, description = "The id that sending answered")),
    responses(
        (status = 202, description = "In the queue again", body = api::Message,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 403, description = "Its chat is on the do-not-contact list: `do_not_contact`"),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn retry(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = find(&state, &id).await?.id;
    send_again(&state, id).await
}

/// What can be sent again.
pub(super) const SENT_AGAIN: [MessageState; 2] = [MessageState::Failed, MessageState::Cancelled];

/// Sends a message again that failed or was cancelled, unless its chat is on the do-not-contact list by now.
pub(super) async fn send_again(state: &State, id: MessageId) -> Result<Response, Problem> {
    let message = state.delivery().get(id).await?;
    if let Some(message) = message {
        refuse_listed(state, &message, &SENT_AGAIN).await?;
    }
    let change = state.delivery().retry(id).await?;
    changed(state, id, change, "only what failed or was cancelled can be sent again").await
}

/// Refuses what would have a message in one of these states sent whose chat is on the do-not-contact list by now.
async fn refuse_listed(
    state: &State,
    message: &OutboundMessage,
    states: &[MessageState],
) -> Result<(), StoreError> {
    if !states.contains(&message.state) {
        return Ok(());
    }
    let chats = vec![(message.chat.clone(), message.chat_id())];
    state.store().do_not_contact().refuse_message(chats).await
}

/// Lets a message out that waits for a person: it is sent now, or at its time.
#[utoipa::path(
    post, path = "/v1/messages/{id}/approve", tag = "messages", operation_id = "approve_message",
    params(("id" = String, Path, description = "The id that sending answered")),
    responses(
        (status = 202, description = "In the queue, or scheduled", body = api::Message,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 403, description = "Its chat is on the do-not-contact list: `do_not_contact`"),
        (status = 409, description = "It does not wait for approval"),
    )
)]
pub(crate) async fn approve(
    state: Shared<State>,
    by: Authorized<CanApprove>,
    id: PathParameter<String>,
) -> Result<Response, Problem> {
    decide(state, by, id, Approval::Approved).await
}

/// Ends a message that waits for a person: it is cancelled, and nothing is sent.
#[utoipa::path(
    post, path = "/v1/messages/{id}/reject", tag = "messages", operation_id = "reject_message",
    params(("id" = String, Path, description = "The id that sending answered")),
    responses(
        (status = 200, description = "Cancelled; nothing was sent", body = api::Message),
        (status = 409, description = "It does not wait for approval"),
    )
)]
pub(crate) async fn reject(
    state: Shared<State>,
    by: Authorized<CanReject>,
    id: PathParameter<String>,
) -> Result<Response, Problem> {
    decide(state, by, id, Approval::Rejected).await
}

async fn decide<N>(
    Shared(state): Shared<State>,
    by: Authorized<N>,
    PathParameter(id): PathParameter<String>,
    approval: Approval,
) -> Result<Response, Problem> {
    let message = find(&state, &id).await?;
    if !by.caller.decides && state.store().pipeline().client_of(&message.id.to_string()).await?.is_none() {
        return Err(Problem::message_not_found(&id));
    }
    if approval == Approval::Approved {
        refuse_listed(&state, &message, &[MessageState::AwaitingApproval]).await?;
    }
    let id = message.id;
    let change = state.delivery().decide(id, approval, by.caller.requester_note()).await?;
    changed(&state, id, change, "only what is awaiting_approval can be approved or rejected").await
}

/// A person's word on a message in doubt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolve {
    /// `sent`: it arrived. `resend`: it did not, send it. Of a message that a restore held back, `sent` speaks of the part
    /// in doubt: where there are others the message has failed then, and a retry sends those.
    #[serde(rename = "as")]
    word: ResolveAs,
}

/// What became of a message in doubt.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResolveAs {
    /// It arrived.
    Sent,
    /// It did not; send it.
    Resend,
}

/// Ends the doubt about a message, also while it is still tried.
#[utoipa::path(
    post, path = "/v1/messages/{id}/resolve", tag = "messages", operation_id = "resolve_message",
    params(("id" = String, Path, description = "The id that sending answered")),
    request_body = Resolve,
    responses(
        (status = 200, description = "It counts as sent", body = api::Message),
        (status = 202, description = "In the queue again", body = api::Message,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 403, description = "It would be sent, and its chat is on the do-not-contact list: `do_not_contact`"),
        (status = 409, description = "It is not in doubt"),
    )
)]
pub(crate) async fn resolve(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(id): PathParameter<String>,
    body: Json<Resolve>,
) -> Result<Response, Problem> {
    let message = find(&state, &id).await?;
    let resolution = match body.value.word {
        ResolveAs::Sent => Resolution::Sent,
        ResolveAs::Resend => {
            refuse_listed(&state, &message, &[MessageState::InDoubt, MessageState::Sending]).await?;
            Resolution::Resend
        }
    };
    let id = message.id;
    let change = state.delivery().resolve(id, resolution).await?;
    changed(&state, id, change, "only what is in_doubt can be resolved, and what is being sent once an attempt has come back without saying whether it arrived").await
}

pub(super) async fn find(state: &State, given: &str) -> Result<OutboundMessage, Problem> {
    let missing = || Problem::message_not_found(given);
    let id = given.parse().map_err(|_| missing())?;
    state.delivery().get(id).await?.ok_or_else(missing)
}

/// A message that was just accepted is not in the store: nothing a caller did.
fn gone(id: MessageId) -> Problem {
    tracing::error!(subject = %id, "an accepted message is not in the store");
    Problem::new(Code::Internal, format!("The message {id} was accepted but cannot be found; see the log."))
}

async fn changed(state: &State, id: MessageId, change: Change, rule: &str) -> Result<Response, Problem> {
    match change {
        Change::Done(message) => show(state, &message, StatusCode::OK).await,
        Change::Refused(message) => {
            Err(Problem::wrong_state("message", &message.id, message.state.as_str(), rule))
        }
        Change::NoSuchMessage => Err(Problem::message_not_found(&id.to_string())),
    }
}

/// What a message that ended unsent answers the caller that sent it.
fn problem(state: &State, message: &OutboundMessage) -> Option<Problem> {
    let problem = match (message.state, &message.failure) {
        (MessageState::Failed, Some(failure)) => Problem::failure(failure, state.clock().now()),
        (MessageState::Failed, None) => {
            Problem::new(Code::Internal, "The message failed and no reason was stored; see its timeline.")
        }
        (MessageState::Cancelled, _) => {
            Problem::new(Code::Cancelled, "The message was cancelled before it left; nothing was sent.")
        }
        _ => return None,
    };
    Some(problem.about(&message.id, message.state.as_str()))
}

/// Where the files of a message are.
async fn whereabouts(state: &State, message: &OutboundMessage) -> api::Whereabouts {
    if message.content.media.is_empty() {
        return api::Whereabouts::default();
    }
    api::Whereabouts { stored: state.files().stored(message).await, uploaded: state.pool().uploaded(message) }
}

/// The message, as 200 when it is over and as 202 with `Location` while it is not.
async fn show(state: &State, message: &OutboundMessage, over: StatusCode) -> Result<Response, Problem> {
    let timeline = state.store().outbox().timeline(message.id).await?;
    Ok(show_with(state, message, &timeline, over).await)
}

/// The same with steps of its timeline among which are all attempts.
async fn show_with(
    state: &State,
    message: &OutboundMessage,
    timeline: &[Entry],
    over: StatusCode,
) -> Response {
    let whereabouts = whereabouts(state, message).await;
    let gives_up_at = state.delivery().gives_up_at(message.id);
    let view = api::Message::whole(message, timeline, &whereabouts, gives_up_at);
    if message.state.is_final() && message.state != MessageState::InDoubt {
        return json(over, &view);
    }
    located(json(StatusCode::ACCEPTED, &view), &format!("{PATH}/{}", message.id))
}

pub(super) fn refused(error: SubmitError) -> Problem {
    const SOON: Duration = Duration::from_secs(5);
    let reason = error.to_string();
    match error {
        SubmitError::NotServed(_) | SubmitError::UnreadNumber(_) => {
            Problem::new(Code::ChatNotFound, format!("`chat` is wrong: {reason}."))
        }
        SubmitError::UnknownAccount(account) => Problem::account_not_found(account.as_str()),
        SubmitError::Conflict => Problem::new(
            Code::IdempotencyConflict,
            "This Idempotency-Key was used with another body; use a new key for a new message.",
        ),
        SubmitError::Empty => {
            Problem::fields(vec![FieldError::new("text", "is empty; write what is to be sent")])
        }
        SubmitError::TooManyMedia { .. } => Problem::fields(vec![FieldError::new("media", reason)]),
        SubmitError::NotCarried(what) => Problem::fields(vec![FieldError::new(what.field(), reason)]),
        SubmitError::TooMany(_) => Problem::new(Code::QueueFull, format!("Nothing was accepted: {reason}."))
            .retry_after(SOON.as_secs()),
        SubmitError::Store(error) => error.into(),
        SubmitError::OutcomeUnknown { id } => Problem::new(
            Code::StoreUnavailable,
            format!(
                "The server is stopping and its store does not answer; whether the message was accepted is not known. \
                 Once the server is back, look at GET {PATH}/{id} before you send it again."
            ),
        ),
        SubmitError::ShuttingDown => Problem::new(
            Code::ShuttingDown,
            "The server is stopping; nothing was accepted. Try again in a moment.",
        )
        .retry_after(SOON.as_secs()),
    }
}
