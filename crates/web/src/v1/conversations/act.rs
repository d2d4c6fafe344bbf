//! What a person does in a conversation: answers, assigns, hands over, closes, notes.

use std::time::Duration;

use api::{Appeal, Note, Writing};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::missing::{self, MISSING};
use domain::{Author, ChannelChat, ClientId, MessageId, Responder, Timestamp, UserName, Words};
use http::{HeaderMap, StatusCode};
use pipeline::{Reply, ReplyError};
use serde::Deserialize;
use store::{AppealChange, ClientMessage, Page as StorePage, StoreError, StoredAppeal};
use utoipa::ToSchema;

use super::clients::MOST_APPEALS;
use super::{find_client, last_appeal};
use crate::answer::json;
use crate::auth::{Authorized, CanAnswer, CanReadInbox};
use crate::extract::{Json, Object, PathParameter, Unchecked};
use crate::files::{self, Asker, Terms};
use crate::idempotency;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::media::file as read_file;
use crate::v1::new_media::{self, MediaBody};
use crate::v1::{Page, messages, wait::wait};

/// The name of this call in the scope of idempotency keys and in the origin of messages.
pub(super) const LISTENER: &str = "conversations";
/// How long a caller waits if it does not say.
const WAIT: Duration = Duration::from_secs(20);
/// The last messages of a conversation among which the one that was seen is looked for.
const LATEST: u32 = 100;
/// How far ahead a conversation is set aside.
const FARTHEST: Duration = Duration::from_hours(366 * 24);
/// The longest text of an answer or a note, in characters.
const LONGEST: usize = 20_000;

/// An answer of a person.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"text": "Yes, come by until seven."}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReply {
    /// May be left out where there is a file.
    #[schema(value_type = Option<String>)]
    text: Option<Words>,
    /// Files that go with it.
    #[schema(value_type = Option<Vec<MediaBody>>, max_items = 50)]
    media: Option<Vec<Object<MediaBody>>>,
    /// The last message of the conversation that its writer has seen: where the client was answered since, nothing is sent.
    #[schema(example = "rcv_20000e83pn1yx0")]
    seen: Option<String>,
    /// The chat of the client that it goes to; left out: the one the client wrote in last.
    #[schema(value_type = Option<String>, example = "avito:shop/u2i-1")]
    chat: Option<ChannelChat>,
    /// How many seconds to wait for the result; then the answer is 202 and the message goes on.
    #[schema(minimum = 0, maximum = 100, default = 20)]
    wait: Option<f64>,
}

/// Answers a client as a person. From then on no program answers, until the conversation is given back.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/reply", tag = "conversations", operation_id = "reply",
    params(("client_id" = String, Path, description = "The client"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{0,127}[0-9A-Za-z][!-~]{0,127}$", description = "The same key sends once")),
    request_body = NewReply,
    responses(
        (status = 200, description = "It was sent", body = api::Message),
        (status = 202, description = "It is on its way", body = api::Message),
        (status = 403, description = "The client is on the do-not-contact list: `do_not_contact`"),
        (status = 404, description = "There is no such client: `client_not_found`"),
        (status = 409, description = "An answer is leaving at this moment, or left since `seen`: `already_answering`"),
    )
)]
pub(crate) async fn reply(
    Shared(state): Shared<State>,
    by: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
    headers: HeaderMap,
    body: Unchecked<NewReply>,
) -> Result<Response, Problem> {
    let client = find_client(&state, &given).await?;
    let path = format!("/v1/conversations/{}/reply", client.id);
    let idempotency = idempotency::of_request(&headers, &by.caller.scope(LISTENER, &path), &body.raw)?;
    let (text, files, reply, limit) = body.checked(|reply: NewReply| {
        let mut errors = Vec::new();
        let NewReply { text, media, seen, chat, wait: given } = reply;
        let text = text.unwrap_or_default();
        let files = new_media::read(media.unwrap_or_default()).unwrap_or_else(|wrong| {
            errors.extend(wrong);
            Vec::new()
        });
        if let Some(error) =
            text_error(&text).filter(|_| files.is_empty() || !text.as_str().trim().is_empty())
        {
            errors.push(FieldError::new("text", error));
        }
        let limit = match wait(given, WAIT) {
            Ok(limit) => limit,
            Err(error) => {
                errors.push(error);
                WAIT
            }
        };
        if errors.is_empty() { Ok((text, files, (seen, chat), limit)) } else { Err(Problem::fields(errors)) }
    })?;
    let (seen, chat) = reply;
    let repeated = match idempotency {
        Some(key) => state.delivery().repeated(key).await.map_err(messages::refused)?,
        None => None,
    };
    if let Some(before) = repeated {
        return messages::answer(&state, before, limit).await;
    }
    let read = match seen.filter(|seen| !seen.trim().is_empty()) {
        Some(seen) => Some(unanswered_since(&state, client.id, seen.trim()).await?),
        None => None,
    };
    let origin = by.caller.origin(LISTENER);
    let terms = Terms {
        asker: Asker::from(&origin),
        uploads: by.caller.uploads(),
        addresses_within: Some(state.limits().addresses_within),
    };
    let load = files::take(&state, files, terms).await?;
    let who = by.caller.who();
    if !state.writing().begin(client.id, &who, read.as_deref(), state.clock().running()) {
        return Err(answered_meanwhile());
    }
    let reply = Reply { text: text.as_str().to_owned(), chat, origin, idempotency };
    let submitting = async {
        let prepared = state.pipeline().prepare(client.id, reply).await;
        let submission = prepared.map_err(|error| refused(&given, error))?;
        files::submit(state.clone(), submission, load).await.map_err(messages::refused)
    };
    let submitted = submitting.await;
    state.writing().over(client.id, &who, submitted.as_ref().ok().map(|submitted| submitted.id));
    messages::answer(&state, submitted?, limit).await
}

fn answered_meanwhile() -> Problem {
    Problem::new(
        Code::AlreadyAnswering,
        "The client was answered meanwhile. Read it, then send yours if it is still needed.",
    )
}

async fn latest(state: &State, client: ClientId) -> Result<Vec<ClientMessage>, StoreError> {
    let page = StorePage { limit: LATEST, cursor: None };
    Ok(state.store().pipeline().conversation(client, &page).await?.items)
}

/// The latest messages of a client; refuses where someone answered after one of them.
async fn unanswered_since(
    state: &State,
    client: ClientId,
    seen: &str,
) -> Result<Vec<ClientMessage>, Problem> {
    let latest = latest(state, client).await?;
    let since = latest.iter().take_while(|message| message.message != seen).count();
    // A message that is not among the last ones says nothing.
    if since < latest.len() && latest.iter().take(since).any(|message| message.author != Author::Client) {
        return Err(answered_meanwhile());
    }
    Ok(latest)
}

pub(super) fn text_error(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("is missing; write what is sent".to_owned());
    }
    if missing::is_in_text(text) {
        return Some(MISSING.to_owned());
    }
    let length = text.chars().count();
    (length > LONGEST).then(|| format!("has {length} characters; {LONGEST} are taken"))
}

pub(super) fn refused(given: &str, error: ReplyError) -> Problem {
    match error {
        ReplyError::NoClient(_) => {
            let detail = format!("No client has the id {:?}; GET /v1/clients lists them.", shorten(given));
            Problem::new(Code::ClientNotFound, detail)
        }
        ReplyError::NoChat => Problem::new(
            Code::ChatNotFound,
            "The client has no chat to answer in: name one with `chat`, or write with POST /v1/messages.",
        ),
        ReplyError::OtherChat(chat) => {
            let message = format!("{chat} is no chat of this client; GET /v1/clients/{{id}} lists them");
            Problem::fields(vec![FieldError::new("chat", message)])
        }
        ReplyError::Answering => Problem::new(
            Code::AlreadyAnswering,
            "An answer is leaving at this moment. Read it, then send yours if it is still needed.",
        ),
        ReplyError::Store(error) => error.into(),
    }
}

/// Who is to answer.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"to": "human"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewResponder {
    /// `human`, `ai`, `webhook`, `redis` or `off`; left out: as the settings say.
    #[schema(value_type = Option<String>)]
    to: Option<Responder>,
}

/// Whose a conversation is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"to": "olga"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct Assign {
    /// The name of a user of the dashboard; left out: no one.
    to: Option<String>,
}

/// Gives a conversation to a person, or to no one.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/assign", tag = "conversations", operation_id = "assign_conversation",
    params(("client_id" = String, Path, description = "The client")), request_body = Assign,
    responses((status = 200, description = "The appeal as it is now", body = Appeal),
        (status = 422, description = "There is no such user"))
)]
pub(crate) async fn assign(
    Shared(state): Shared<State>,
    _: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
    body: Json<Assign>,
) -> Result<Response, Problem> {
    let to = body.value.to.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let to = match to {
        Some(name) => Some(person(&state, &name).await?),
        None => None,
    };
    changed(&state, &given, AppealChange { assignee: Some(to), ..AppealChange::default() }).await
}

/// The user of this name, who finds the conversation in their inbox.
async fn person(state: &State, given: &str) -> Result<String, Problem> {
    let known = match given.parse::<UserName>() {
        Ok(name) => state.access().person(&name).await?,
        Err(_) => None,
    };
    known.map(|person| person.name.to_string()).ok_or_else(|| {
        let message = format!("names no user: {:?}; GET /v1/users lists them", shorten(given));
        Problem::fields(vec![FieldError::new("to", message)])
    })
}

/// Says who is to answer a conversation: takes it over from a program, or gives it back.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/hand-over", tag = "conversations", operation_id = "hand_over_conversation",
    params(("client_id" = String, Path, description = "The client")), request_body = NewResponder,
    responses((status = 200, description = "The appeal as it is now", body = Appeal))
)]
pub(crate) async fn hand_over(
    Shared(state): Shared<State>,
    _: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
    body: Json<NewResponder>,
) -> Result<Response, Problem> {
    let to = body.value.to;
    if matches!(to, Some(Responder::Human | Responder::Off)) {
        let client = find_client(&state, &given).await?;
        state.store().pipeline().take_over(client.id).await?;
    }
    changed(&state, &given, AppealChange { responder: Some(to), ..AppealChange::default() }).await
}

/// Closes the appeal of a conversation.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/close", tag = "conversations", operation_id = "close_conversation",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "The appeal as it is now", body = Appeal))
)]
pub(crate) async fn close(
    Shared(state): Shared<State>,
    _: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let (client, pipeline) = (find_client(&state, &given).await?, state.store().pipeline());
    let closed = AppealChange { closed: Some(true), ..AppealChange::default() };
    // Where clients were merged, there may be several.
    let appeals = pipeline.appeals_of(client.id, MOST_APPEALS).await?.into_iter();
    for appeal in appeals.skip(1).filter(|appeal| appeal.state.is_open()) {
        pipeline.change_appeal(appeal.id, closed.clone()).await?;
    }
    changed(&state, &given, closed).await
}

/// Opens the last appeal of a conversation again.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/reopen", tag = "conversations", operation_id = "reopen_conversation",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "The appeal as it is now", body = Appeal))
)]
pub(crate) async fn reopen(
    Shared(state): Shared<State>,
    _: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    changed(&state, &given, AppealChange { closed: Some(false), ..AppealChange::default() }).await
}

async fn changed(state: &State, given: &str, change: AppealChange) -> Result<Response, Problem> {
    let appeal = present(state, given).await?;
    let appeal = state.store().pipeline().change_appeal(appeal.id, change).await?;
    Ok(json(StatusCode::OK, &Appeal::from(appeal)))
}

async fn present(state: &State, given: &str) -> Result<StoredAppeal, Problem> {
    let client = find_client(state, given).await?;
    last_appeal(state, &client).await?.ok_or_else(|| {
        Problem::new(Code::AppealNotFound, "The client has no appeal yet: nothing was written and taken in.")
    })
}

/// Until when a conversation is set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"until": "2030-01-31T09:00:00Z"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct Snooze {
    /// At most a year ahead; left out: no longer.
    until: Option<Timestamp>,
}

/// Sets a conversation aside until a time, or until the client writes.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/snooze", tag = "conversations", operation_id = "snooze_conversation",
    params(("client_id" = String, Path, description = "The client")), request_body = Snooze,
    responses((status = 200, description = "The appeal as it is now", body = Appeal))
)]
pub(crate) async fn snooze(
    Shared(state): Shared<State>,
    _: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
    body: Json<Snooze>,
) -> Result<Response, Problem> {
    let (until, now) = (body.value.until, state.clock().now());
    if until.is_some_and(|until| until <= now || until > now.plus(FARTHEST)) {
        return Err(Problem::fields(vec![FieldError::new("until", "is no time within the next year")]));
    }
    changed(&state, &given, AppealChange { snoozed_until: Some(until), ..AppealChange::default() }).await
}

/// Says that a person has seen what the client wrote.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/read", tag = "conversations", operation_id = "see_conversation",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 204, description = "Nothing is unread"))
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    _: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let client = find_client(&state, &given).await?;
    state.store().pipeline().mark_read(client.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the caller writes an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"writing": true}))]
#[serde(deny_unknown_fields)]
pub(crate) struct IsWriting {
    writing: Option<bool>,
}

/// Shows who else writes an answer, and says so of the caller. It holds for ten seconds.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/writing", tag = "conversations", operation_id = "show_who_writes",
    params(("client_id" = String, Path, description = "The client")), request_body = IsWriting,
    responses((status = 200, description = "Who else writes", body = Writing))
)]
pub(crate) async fn writing(
    Shared(state): Shared<State>,
    by: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
    body: Json<IsWriting>,
) -> Result<Response, Problem> {
    let (client, who) = (find_client(&state, &given).await?, by.caller.who());
    let now = state.clock().running();
    let is_writing = body.value.writing.unwrap_or_default();
    Ok(json(StatusCode::OK, &Writing { writing: state.writing().tell(client.id, &who, is_writing, now) }))
}

/// Sends a message of a conversation again that failed. From then on no program answers, until the conversation is given back.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/messages/{id}/retry", tag = "conversations", operation_id = "resend",
    params(("client_id" = String, Path, description = "The client"), ("id" = String, Path, description = "The message")),
    responses(
        (status = 202, description = "In the queue again", body = api::Message),
        (status = 403, description = "Its chat is on the do-not-contact list: `do_not_contact`"),
        (status = 404, description = "There is no such message in the conversation: `message_not_found`"),
        (status = 409, description = "Its state does not allow it; an answer is leaving at this moment: `already_answering`"),
    )
)]
pub(crate) async fn resend(
    Shared(state): Shared<State>,
    by: Authorized<CanAnswer>,
    PathParameter((given, message)): PathParameter<(String, String)>,
) -> Result<Response, Problem> {
    let client = belongs(&state, &given, &message).await?;
    let id = message.parse::<MessageId>().map_err(|_| Problem::message_not_found(&message))?;
    let stored = state.delivery().get(id).await?;
    if stored.is_none_or(|message| !messages::SENT_AGAIN.contains(&message.state)) {
        return messages::send_again(&state, id).await;
    }
    let (read, who) = (latest(&state, client).await?, by.caller.who());
    if !state.writing().begin(client, &who, Some(read.as_slice()), state.clock().running()) {
        return Err(answered_meanwhile());
    }
    let sending = async {
        if !state.store().pipeline().take_over(client).await? {
            return Err(refused(&given, ReplyError::Answering));
        }
        messages::send_again(&state, id).await
    };
    let sent = sending.await;
    // Those who have the thread before them have read that it failed: what left holds them back for some seconds.
    if sent.is_err() {
        state.writing().over(client, &who, None);
    }
    sent
}

/// Reads a file of a message of a conversation, as `GET /v1/messages/{id}/media/{number}` does.
#[utoipa::path(
    get, path = "/v1/conversations/{client_id}/messages/{id}/media/{number}", tag = "conversations",
    operation_id = "read_conversation_media",
    params(("client_id" = String, Path, description = "The client"), ("id" = String, Path, description = "The message"),
        ("number" = u16, Path, description = "The place of the file in `media`, from 0")),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 404, description = "There is no such message in the conversation, or no such file"))
)]
pub(crate) async fn file(
    Shared(state): Shared<State>,
    by: Authorized<CanReadInbox>,
    PathParameter((given, message, number)): PathParameter<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    belongs(&state, &given, &message).await?;
    read_file(&state, &by.caller, (&message, &number), &headers).await
}

/// The client; refuses a message that is in no conversation with it.
async fn belongs(state: &State, given: &str, message: &str) -> Result<ClientId, Problem> {
    let client = find_client(state, given).await?;
    let of = state.store().pipeline().client_of(message).await?;
    if of == Some(client.id) { Ok(client.id) } else { Err(Problem::message_not_found(message)) }
}

/// A note to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"text": "Wants it on Friday"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    text: String,
}

/// Lists the notes about the last appeal of a conversation, the first one first.
#[utoipa::path(
    get, path = "/v1/conversations/{client_id}/notes", tag = "conversations", operation_id = "list_notes",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "The notes", body = Page<Note>))
)]
pub(crate) async fn notes(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let appeal = present(&state, &given).await?;
    let notes = state.store().pipeline().notes(appeal.id).await?;
    let items: Vec<Note> = notes.into_iter().map(Note::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: None }))
}

/// Adds a note to the last appeal of a conversation. The client does not see it.
#[utoipa::path(
    post, path = "/v1/conversations/{client_id}/notes", tag = "conversations", operation_id = "add_note",
    params(("client_id" = String, Path, description = "The client")), request_body = NewNote,
    responses((status = 201, description = "The note", body = Note))
)]
pub(crate) async fn add_note(
    Shared(state): Shared<State>,
    by: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
    body: Json<NewNote>,
) -> Result<Response, Problem> {
    if let Some(error) = text_error(&body.value.text) {
        return Err(Problem::fields(vec![FieldError::new("text", error)]));
    }
    let appeal = present(&state, &given).await?;
    let note = state.store().pipeline().add_note(appeal.id, &by.caller.who(), body.value.text).await?;
    Ok(json(StatusCode::CREATED, &Note::from(note)))
}
