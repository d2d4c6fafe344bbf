//! What an older program knows of clients, taken over in runs that can be undone.

use std::collections::HashSet;

use axum::extract::State as Shared;
use axum::response::Response;
use domain::missing::{self, MISSING};
use domain::{AppealState, Author, ChannelChat, ChatType, ClientIdentity, ImportId, Timestamp, Words};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use store::{
    ImportTaken, ImportUndone, PastAppeal, PastClient, PastMerge, PastMessage, PastPage, StoreError,
    StoredImport,
};
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanImportClients, CanRead};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::Page;

/// Rows of each kind that one request may have.
const MOST: usize = 2000;
/// Rows that one request undoes.
const MOST_UNDONE: u32 = 1000;
/// The greatest number of a message among those of one time.
const LAST: u32 = 1_000_000_000;
/// The longest source and id, in characters.
const LONGEST: usize = 200;

/// A run that takes over what an older program knows of clients.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientImport {
    #[schema(value_type = String, example = "imp_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    id: ImportId,
    /// Where it came from.
    #[schema(example = "old.example.com/crm")]
    source: String,
    began_at: Timestamp,
    /// When it was undone.
    undone_at: Option<Timestamp>,
    /// How many clients, appeals and messages it brought.
    #[schema(example = 200_000)]
    clients: u64,
    appeals: u64,
    messages: u64,
}

impl From<StoredImport> for ClientImport {
    fn from(import: StoredImport) -> Self {
        let StoredImport { id, source, began_at, undone_at, clients, appeals, messages } = import;
        Self { id, source, began_at, undone_at, clients, appeals, messages }
    }
}

/// Where a run takes over from.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"source": "old.example.com/crm"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClientImport {
    /// A name for people, without a password.
    source: String,
}

/// What an older program has: 2000 of each at most.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PastRows {
    #[serde(default)]
    clients: Vec<OldClient>,
    #[serde(default)]
    appeals: Vec<OldAppeal>,
    #[serde(default)]
    messages: Vec<OldMessage>,
    #[serde(default)]
    merges: Vec<OldMerge>,
}

/// A client of an older program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OldClient {
    /// Its id there.
    #[schema(example = "7")]
    id: String,
    /// What identifies the client: pairs of a channel, `phone` or `email`, and the id there. The id in a channel of your own is
    /// `account/user`.
    #[serde(default, deserialize_with = "identities")]
    #[schema(example = json!([["telegram", "700"]]))]
    identities: Vec<(String, String)>,
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// An appeal of an older program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OldAppeal {
    /// Its id there.
    #[schema(example = "12")]
    id: String,
    /// The id of its client there; left out: the client is found by the chat.
    client_id: Option<String>,
    #[schema(value_type = String, example = "telegram:shop/700")]
    chat: ChannelChat,
    /// `new`, `open`, `waiting_client`, `waiting_us` or `closed`.
    #[schema(value_type = String, example = "closed")]
    state: AppealState,
    assignee: Option<String>,
    opened_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// A message in the history of an older program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OldMessage {
    /// Its id there.
    #[schema(example = "4711")]
    id: String,
    /// The id of its appeal there.
    appeal_id: Option<String>,
    /// The id of its client there.
    client_id: Option<String>,
    /// Left out: the chat of its appeal.
    #[schema(value_type = Option<String>, example = "telegram:shop/700")]
    chat: Option<ChannelChat>,
    /// `client`, `ai`, `agent`, `program` or `elsewhere`.
    #[schema(value_type = String, example = "client")]
    author: Author,
    external_message_id: Option<String>,
    #[serde(default)]
    #[schema(value_type = String, example = "Is it still there?")]
    text: Words,
    at: Timestamp,
    /// How many messages with the same time come before it.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000)]
    nth: u32,
}

/// Two clients that an older program made one of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OldMerge {
    /// The id of the client that is gone.
    merged: String,
    /// The id of the client that stayed.
    master: String,
}

/// What of an older program's rows was new.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientImportTaken {
    /// Clients that are new here.
    clients: u64,
    /// Clients that wrote here already: they have their old id from now on.
    joined: u64,
    /// Clients without a row there, made for appeals.
    made: u64,
    appeals: u64,
    /// Appeals that were taken before and moved on there since.
    changed: u64,
    messages: u64,
    merges: u64,
    /// Rows that were taken before.
    known: u64,
    /// Messages of no chat and merges of clients that are not here.
    left: u64,
}

/// How far the undoing of a run is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientImportUndone {
    /// Whether there is nothing left to undo; else ask again.
    finished: bool,
    /// Rows that are gone, or as they were before.
    removed: u64,
    /// Clients, chats and appeals that stay: something has been written there since.
    kept: u64,
}

/// Begins a run that takes over what an older program knows of clients.
#[utoipa::path(
    post, path = "/v1/client-imports", tag = "clients", operation_id = "begin_client_import",
    request_body = NewClientImport,
    responses((status = 201, description = "The run", body = ClientImport))
)]
pub(crate) async fn begin(
    Shared(state): Shared<State>,
    _: Authorized<CanImportClients>,
    body: Json<NewClientImport>,
) -> Result<Response, Problem> {
    let source = body.value.source.trim();
    if source.is_empty() || source.chars().count() > LONGEST {
        let message = format!("says where the rows come from, in {LONGEST} characters at most");
        return Err(Problem::fields(vec![FieldError::new("source", message)]));
    }
    let id = ImportId::from_uuid(state.ids().next());
    let begun = state.store().pipeline().begin_import(id, source).await?;
    Ok(json(StatusCode::CREATED, &ClientImport::from(begun)))
}

/// Lists the runs that took something over, the last one first.
#[utoipa::path(
    get, path = "/v1/client-imports", tag = "clients", operation_id = "list_client_imports",
    responses((status = 200, description = "The runs", body = Page<ClientImport>))
)]
pub(crate) async fn list(Shared(state): Shared<State>, _: Authorized<CanRead>) -> Result<Response, Problem> {
    let found = state.store().pipeline().imports().await?;
    let items: Vec<ClientImport> = found.into_iter().map(ClientImport::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: None }))
}

/// Takes rows over. What was taken before is passed over, what is known here is kept. Nothing is answered, no event reports it.
/// Appeals and messages of groups are passed over, too: they are no client's own. So are those of a chat that its channel cannot
/// read.
///
/// Clients first, then appeals, messages and merges: each names what came before by its id in the older program.
#[utoipa::path(
    post, path = "/v1/client-imports/{id}/rows", tag = "clients", operation_id = "take_over_clients",
    params(("id" = String, Path, description = "The run")), request_body = PastRows,
    responses((status = 200, description = "They are taken over", body = ClientImportTaken),
        (status = 404, description = "There is no such run: `client_not_found`"),
        (status = 409, description = "The run was undone: `client_conflict`"))
)]
pub(crate) async fn rows(
    Shared(state): Shared<State>,
    _: Authorized<CanImportClients>,
    PathParameter(given): PathParameter<String>,
    body: Json<PastRows>,
) -> Result<Response, Problem> {
    let id = parse_import_id(&given)?;
    let mut page = page(body.value, state.clock().now())?;
    let users: HashSet<String> =
        state.access().people().await?.into_iter().map(|user| user.name.to_string()).collect();
    // An open appeal of someone who is no user here would be in no one's inbox.
    for appeal in page.appeals.iter_mut().filter(|appeal| appeal.state.is_open()) {
        appeal.assignee = appeal.assignee.take().filter(|name| users.contains(name));
    }
    let taken = state.store().pipeline().take_past(id, page, state.ids()).await;
    let ImportTaken { clients, joined, made, appeals, changed, messages, merges, known, left } =
        taken.map_err(|error| refused(&given, error))?;
    let answer = ClientImportTaken { clients, joined, made, appeals, changed, messages, merges, known, left };
    Ok(json(StatusCode::OK, &answer))
}

/// Undoes a run, a thousand rows with each call: call it until it is `finished`. Clients and appeals in which something has been
/// written since stay.
#[utoipa::path(
    post, path = "/v1/client-imports/{id}/undo", tag = "clients", operation_id = "undo_client_import",
    params(("id" = String, Path, description = "The run")),
    responses((status = 200, description = "How far it is", body = ClientImportUndone),
        (status = 404, description = "There is no such run: `client_not_found`"))
)]
pub(crate) async fn undo(
    Shared(state): Shared<State>,
    _: Authorized<CanImportClients>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let undone = state.store().pipeline().undo_import(parse_import_id(&given)?, MOST_UNDONE).await;
    let ImportUndone { finished, removed, kept } = undone.map_err(|error| refused(&given, error))?;
    Ok(json(StatusCode::OK, &ClientImportUndone { finished, removed, kept }))
}

/// Pairs of texts; nothing else identifies anyone.
fn identities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let pairs = Vec::<(Value, Value)>::deserialize(deserializer)?;
    let texts = pairs.into_iter().map(|pair| match pair {
        (Value::String(kind), Value::String(value)) => Ok((kind, value)),
        _ => Err(de::Error::custom("an identity is a pair of texts, such as [\"telegram\", \"700\"]")),
    });
    texts.collect()
}

fn parse_import_id(given: &str) -> Result<ImportId, Problem> {
    given.parse().map_err(|_| no_import(given))
}

fn no_import(given: &str) -> Problem {
    let detail = format!("No import has the id {:?}; GET /v1/client-imports lists them.", shorten(given));
    Problem::new(Code::ClientNotFound, detail)
}

fn refused(given: &str, error: StoreError) -> Problem {
    match error {
        StoreError::NotFound { .. } => no_import(given),
        other => super::conflict(other),
    }
}

/// Checks rows. The time of a message that no clock can have said is replaced by now; other such times are left out.
fn page(rows: PastRows, now: Timestamp) -> Result<PastPage, Problem> {
    let PastRows { clients, appeals, messages, merges } = rows;
    let mut wrong = Vec::new();
    let counts = [
        ("clients", clients.len()),
        ("appeals", appeals.len()),
        ("messages", messages.len()),
        ("merges", merges.len()),
    ];
    for (field, count) in counts.into_iter().filter(|(_, count)| *count > MOST) {
        wrong.push(FieldError::new(field, format!("has {count} items; {MOST} at most")));
    }
    if messages.iter().any(|message| message.nth > LAST) {
        wrong.push(FieldError::new("messages", format!("has an nth above {LAST}")));
    }
    let ids = clients.iter().map(|row| ("clients", row.id.as_str()));
    let ids = ids.chain(appeals.iter().map(|row| ("appeals", row.id.as_str())));
    let ids = ids.chain(messages.iter().map(|row| ("messages", row.id.as_str())));
    for (field, id) in ids {
        if id.is_empty() || id.chars().count() > LONGEST {
            wrong.push(FieldError::new(field, format!("has an id that is empty or longer than {LONGEST}")));
        } else if missing::is_in_id(id) {
            wrong.push(FieldError::new(field, format!("has an id that {MISSING}")));
        }
    }
    let chats = appeals.iter().map(|row| ("appeals", Some(&row.chat)));
    let chats = chats.chain(messages.iter().map(|row| ("messages", row.chat.as_ref())));
    for (field, chat) in chats {
        if chat.is_some_and(|chat| missing::is_in_id(chat.chat.as_str())) {
            wrong.push(FieldError::new(field, format!("has a chat that {MISSING}")));
        }
    }
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    let replaced = messages.iter().filter(|row| row.at.plausible(now) != row.at).count();
    if replaced > 0 {
        tracing::warn!(replaced, "imported messages have times that no clock can have said");
    }
    let plausible = |at: Option<Timestamp>| at.filter(|at| at.plausible(now) == *at);
    let client = |old: OldClient| {
        let OldClient { id, identities, name, phone, email, created_at, updated_at } = old;
        let identities =
            identities.iter().filter_map(|(kind, value)| ClientIdentity::new(kind, value)).collect();
        let (created_at, updated_at) = (plausible(created_at), plausible(updated_at));
        PastClient { id, identities, name, phone, email, created_at, updated_at }
    };
    let appeal = |old: OldAppeal| {
        let OldAppeal { id, client_id, chat, state, assignee, opened_at, closed_at, updated_at } = old;
        let [opened_at, closed_at, updated_at] = [opened_at, closed_at, updated_at].map(plausible);
        PastAppeal { id, client: client_id, chat, state, assignee, opened_at, closed_at, updated_at }
    };
    let message = |old: OldMessage| {
        let OldMessage { id, appeal_id, client_id, chat, author, external_message_id, text, at, nth } = old;
        let (external_id, at) = (external_message_id, at.plausible(now));
        PastMessage { id, appeal: appeal_id, client: client_id, chat, author, external_id, text, at, nth }
    };
    // What was said in a group is no client's own history. A chat that cannot be read may be a group.
    let is_private = |chat: &ChannelChat| {
        let nature = channels::Nature::named(chat.channel.as_str());
        (nature.chat_type)(chat.chat.as_str()) == Ok(ChatType::Private)
    };
    let merge = |OldMerge { merged, master }| PastMerge { merged, master };
    Ok(PastPage {
        clients: clients.into_iter().map(client).collect(),
        appeals: appeals.into_iter().filter(|old| is_private(&old.chat)).map(appeal).collect(),
        messages: messages
            .into_iter()
            .filter(|old| old.chat.as_ref().is_none_or(is_private))
            .map(message)
            .collect(),
        merges: merges.into_iter().map(merge).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_796_059_220_000_000);

    fn read(rows: &Value) -> Result<PastPage, Problem> {
        page(serde_json::from_value(rows.clone()).unwrap(), NOW)
    }

    #[test]
    fn rows_of_missing_values_are_refused() {
        let message = |id: &str, chat: &str| json!({ "id": id, "chat": chat, "author": "client", "at": "2026-01-01T00:00:00Z" });
        for (field, row) in [
            ("clients", json!({ "id": "undefined" })),
            ("clients", json!({ "id": "{{ $json.id }}" })),
            ("messages", message("null", "shop:main/1")),
            ("messages", message("m-1", "shop:main/undefined")),
        ] {
            let wrong = read(&json!({ field: [row] })).unwrap_err();
            assert_eq!(wrong.errors().iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
        }
        // Many clients with such an id would be one.
        let client = json!({ "id": "1", "identities": [["shop", "main/undefined"], ["shop", "main/7"]] });
        assert_eq!(read(&json!({ "clients": [client] })).unwrap().clients[0].identities.len(), 1);
        assert!(read(&json!({ "messages": [message("m-1", "shop:main/1")] })).is_ok());
    }

    #[test]
    fn a_time_that_no_clock_said_is_replaced() {
        let at = |at: &str| {
            let row = json!({ "id": "1", "chat": "shop:main/1", "author": "client", "at": at });
            read(&json!({ "messages": [row] })).unwrap().messages[0].at
        };
        assert_eq!(at("2099-01-01T00:00:00Z"), NOW);
        assert_eq!(at("0001-01-01T00:00:00Z"), NOW);
        assert_eq!(at("2026-01-01T00:00:00Z").to_string(), "2026-01-01T00:00:00.000000Z");
    }
}
