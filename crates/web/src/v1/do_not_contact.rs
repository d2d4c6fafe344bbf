//! `/v1/do-not-contact`: the contacts that are not written to.

use api::{DoNotContact, DoNotContactAdded, WrongLine};
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use domain::contact_list::{self, ListedContact};
use domain::do_not_contact::reason;
use domain::text::with_line_feeds;
use domain::{
    ChannelChat, Contact, ContactKind, ContactSource, DoNotContactId, ExternalChat, NoContact, Suppression,
};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use store::{DoNotContactEntry, StoreError};
use utoipa::{IntoParams, ToSchema};

use super::page::{LARGEST_PAGE, listed, store_page};
use super::{LongPageParameters, Page};
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{Authorized, Caller, CanAdminister, CanRead, CanSend};
use crate::extract::{PathParameter, QueryParameters, Unchecked, read_body, read_list};
use crate::options::Limits;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

/// Contacts that one request may name in its body.
const MOST: usize = 1000;
/// New entries that the answer to an import has.
const MOST_SHOWN: usize = 1000;
/// The largest file that is imported.
const LARGEST_FILE: usize = 8 * 1024 * 1024;

/// Contacts to be put on the list: `contact` or `contacts`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"contact": "+7 000 000-00-01", "reason": "asked to stop"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDoNotContact {
    /// A chat id, a username, a link, a phone number in any writing, an address elsewhere, or a chat of a channel such as
    /// `vk:ACCOUNT/ID`; `vk:ID` is of all its accounts.
    contact: Option<String>,
    /// Up to 1,000 of them.
    contacts: Option<Vec<String>>,
    /// What they are named by, where a number can be read in two ways: `chat_id`, `username`, `phone` or `address`. Left
    /// out, a number of 11 digits or more is a phone number. A contact that can be read in two ways is refused.
    #[schema(example = "phone")]
    kind: Option<String>,
    /// Why, in a few words; the first 200 characters are kept.
    reason: Option<String>,
    /// What is refused: `all` (the default), every message and invitation; `advertising`, campaigns and first messages, while answers to
    /// what they ask are sent.
    #[schema(example = "all")]
    level: Option<String>,
}

/// What a person decides about a contact that may want no more messages.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// True: the contact wants no advertising. False: the entry goes.
    refuses: bool,
}

/// A list as a field, for those who send JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactList {
    /// What the file has in it.
    #[schema(example = "contact,reason\n@client_1,asked to stop")]
    list: String,
}

/// Which entries are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Only the entry that keeps messages from this contact: as written, or as the accounts know the chat.
    #[param(example = "@client_1")]
    contact: Option<String>,
}

/// Lists the contacts that are not written to, the latest first.
#[utoipa::path(
    get, path = "/v1/do-not-contact", tag = "do-not-contact", operation_id = "list_do_not_contact",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of entries", body = Page<DoNotContact>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let contact = query.take::<Contact>("contact");
    let page = store_page(&mut query);
    query.finish()?;
    let list = state.store().do_not_contact();
    let (found, next_cursor) = if let Some(contact) = contact {
        (find(&state, contact).await?.into_iter().collect(), None)
    } else {
        let page = list.list(&page).await.map_err(listed)?;
        (page.items, page.next_cursor)
    };
    let items = found.into_iter().map(DoNotContact::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor }))
}

/// Puts contacts on the list. From the moment this is answered, what their entries refuse is not sent, and fails if it waits. An entry
/// that is there becomes this one where this goes further.
#[utoipa::path(
    post, path = "/v1/do-not-contact", tag = "do-not-contact", operation_id = "add_do_not_contact",
    request_body = NewDoNotContact,
    responses((status = 200, description = "They are on the list", body = DoNotContactAdded))
)]
pub(crate) async fn add(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    body: Unchecked<NewDoNotContact>,
) -> Result<Response, Problem> {
    let mut named = Vec::new();
    let mut errors = Vec::new();
    for (field, listed) in body.checked(read)? {
        match chat_of_bare_id(&state, &listed).await? {
            Some(chat) => {
                let message = format!("is wrong: {}", NoContact::IdOfChannel(chat));
                errors.push(FieldError::new(field, message));
            }
            None => named.push(listed),
        }
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let given = named.len();
    let source = match (&by.caller.user, by.caller.api_key) {
        (Some(_), _) => ContactSource::Page,
        (None, Some(_)) => ContactSource::Api,
        (None, None) => ContactSource::Cli,
    };
    let new = save(&state, &by.caller, source, named).await?;
    let audited = Audited::default().with("added", new.len().to_string());
    let items: Vec<_> = new.into_iter().map(DoNotContact::from).collect();
    let answer =
        DoNotContactAdded { added: items.len(), already: given - items.len(), items, wrong: Vec::new() };
    Ok(audited.of(json(StatusCode::OK, &answer)))
}

/// Takes a contact off the list, by the id of its entry or as it is written.
#[utoipa::path(
    delete, path = "/v1/do-not-contact/{id}", tag = "do-not-contact", operation_id = "remove_do_not_contact",
    params(("id" = String, Path, description = "The id of the entry, or the contact")),
    responses(
        (status = 204, description = "It is on the list no more"),
        (status = 404, description = "There is no such entry: `do_not_contact_entry_not_found`"),
    )
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let list = state.store().do_not_contact();
    let id = match given.parse::<DoNotContactId>() {
        Ok(id) => Some(id),
        Err(_) => match given.parse() {
            Ok(contact) => list.find(&contact).await?.map(|entry| entry.id),
            Err(NoContact::IdOrPhone(phone)) => match list.find(&Contact::Phone(phone)).await? {
                Some(entry) => Some(entry.id),
                None => match Contact::read(&given, Some(ContactKind::ChatId)) {
                    Ok(contact) => list.find(&contact).await?.map(|entry| entry.id),
                    Err(_) => None,
                },
            },
            Err(_) => None,
        },
    };
    match id {
        Some(id) if list.remove(id).await? => Ok(StatusCode::NO_CONTENT),
        _ => Err(Problem::new(
            Code::DoNotContactEntryNotFound,
            format!(
                "The do-not-contact list has no entry {:?}; GET /v1/do-not-contact shows it.",
                shorten(&given)
            ),
        )),
    }
}

/// Decides about a contact whose entry is `paused`, because its words may say that no more is wanted.
#[utoipa::path(
    post, path = "/v1/do-not-contact/{id}/decide", tag = "do-not-contact", operation_id = "decide_do_not_contact",
    params(("id" = String, Path, description = "The id of the entry")),
    request_body = Decision,
    responses(
        (status = 204, description = "It is decided"),
        (status = 404, description = "No entry of this id is paused: `do_not_contact_entry_not_found`"),
    )
)]
pub(crate) async fn decide(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    body: Unchecked<Decision>,
) -> Result<StatusCode, Problem> {
    let Decision { refuses } = body.checked(Ok)?;
    if let Ok(id) = given.parse::<DoNotContactId>()
        && state.store().do_not_contact().decide(id, refuses).await?
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail =
        format!("No entry {:?} is paused; GET /v1/do-not-contact shows the entries.", shorten(&given));
    Err(Problem::new(Code::DoNotContactEntryNotFound, detail))
}

/// Puts the contacts of a file on the list: CSV with a column `contact`, `phone`, `email`, `username` or `chat_id`, and `kind`,
/// `level` and `reason` if need be; or one contact a line. An entry without a level refuses everything.
#[utoipa::path(
    post, path = "/v1/do-not-contact/import", tag = "do-not-contact", operation_id = "import_do_not_contact",
    request_body(content((ContactList = "application/json"), (String = "text/plain"))),
    responses((status = 200, description = "What could be read is on the list", body = DoNotContactAdded))
)]
pub(crate) async fn import(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let limits = Limits { body: LARGEST_FILE, ..state.limits() };
    let bytes = read_body(&parts.headers, body, &limits).await?;
    // No contact begins with a brace, and some programs send JSON as plain text or as a form.
    let text = if is_json(&parts.headers) || bytes.trim_ascii_start().starts_with(b"{") {
        Unchecked::of(bytes)?.checked(|body: ContactList| Ok(body.list))?
    } else {
        read_list(&bytes)?
    };
    let says_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if with_line_feeds(&text).lines().all(says_nothing) {
        return Err(Problem::fields(vec![FieldError::new("list", "is empty")]));
    }
    let (mut named, mut wrong) = (Vec::new(), Vec::new());
    for contact_list::ListLine { number, read } in contact_list::read(&text) {
        match read {
            Ok(listed) => match chat_of_bare_id(&state, &listed).await? {
                Some(chat) => {
                    let message = NoContact::IdOfChannel(chat).to_string();
                    wrong.push(WrongLine { line: number, message });
                }
                None => named.push(listed),
            },
            Err(error) => wrong.push(WrongLine { line: number, message: error.to_string() }),
        }
    }
    let given = named.len();
    let new = save(&state, &by.caller, ContactSource::Import, named).await?;
    let added = new.len();
    let audited = Audited::default().with("added", added.to_string());
    let items = new.into_iter().take(MOST_SHOWN).map(DoNotContact::from).collect();
    let answer = DoNotContactAdded { added, already: given - added, items, wrong };
    Ok(audited.of(json(StatusCode::OK, &answer)))
}

/// Downloads the list as CSV, which an import reads.
#[utoipa::path(
    get, path = "/v1/do-not-contact/export", tag = "do-not-contact", operation_id = "export_do_not_contact",
    responses((status = 200, description = "The list", body = String, content_type = "text/csv"))
)]
pub(crate) async fn export(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
) -> Result<Response, Problem> {
    let mut text = contact_list::line(&contact_list::COLUMNS);
    let mut page = store::Page { limit: LARGEST_PAGE, cursor: None };
    loop {
        let found = state.store().do_not_contact().list(&page).await?;
        for DoNotContactEntry { contact, source, added_by, reason, added_at, level, .. } in found.items {
            let (named, at) = (contact.to_string(), added_at.to_string());
            let why = reason.unwrap_or_default();
            text += &contact_list::line(&[
                &named,
                contact.kind().as_str(),
                level.as_str(),
                source.as_str(),
                &added_by,
                &at,
                &why,
            ]);
        }
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = HeaderValue::from_static("attachment; filename=\"do-not-contact.csv\"");
    headers.insert(CONTENT_DISPOSITION, name);
    Ok(response)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Returns the known chat of a channel that has a bare number as its id.
async fn chat_of_bare_id(state: &State, listed: &ListedContact) -> Result<Option<ChannelChat>, StoreError> {
    let Contact::ChatId(id) = listed.contact else { return Ok(None) };
    let Some(external) = ExternalChat::new(&id.to_string()).filter(|_| listed.is_bare_id) else {
        return Ok(None);
    };
    let accounts = state.channels().channels().all().filter(|known| known.channel.as_str() != "telegram");
    let chats: Vec<ChannelChat> = accounts
        .map(|known| ChannelChat {
            channel: known.channel.clone(),
            account: known.name().clone(),
            chat: external.clone(),
        })
        .collect();
    for chat in chats {
        if state.store().channels().chat(&chat).await?.is_some() {
            return Ok(Some(chat));
        }
    }
    Ok(None)
}

/// The entry that keeps messages from a contact.
async fn find(state: &State, contact: Contact) -> Result<Option<DoNotContactEntry>, StoreError> {
    let list = state.store().do_not_contact();
    let chat = match &contact {
        Contact::ChatId(id) => domain::ChatRef::Id(*id),
        Contact::Username(name) => domain::ChatRef::Username(name.clone()),
        Contact::Address(address) => match address.parse() {
            Ok(chat) => domain::ChatRef::Channel(chat),
            Err(_) => return list.find(&contact).await,
        },
        Contact::Phone(_) => return list.find(&contact).await,
    };
    let chat_id = state.pool().chat_info(&chat).map(|known| known.chat_id);
    Ok(list.listed(vec![(chat, chat_id)]).await?.into_iter().flatten().next())
}

async fn save(
    state: &State,
    caller: &Caller,
    source: ContactSource,
    named: Vec<ListedContact>,
) -> Result<Vec<DoNotContactEntry>, StoreError> {
    let added_by = match (&caller.user, caller.api_key) {
        (Some(user), _) => user.to_string(),
        (None, Some(key)) => key.to_string(),
        (None, None) => "machine".to_owned(),
    };
    let added_at = state.clock().now();
    let entry = |ListedContact { contact, level, reason, .. }| {
        let id = DoNotContactId::from_uuid(state.ids().next());
        DoNotContactEntry { id, contact, source, added_by: added_by.clone(), reason, added_at, level }
    };
    state.store().do_not_contact().add(named.into_iter().map(entry).collect()).await
}

/// Reads the contacts, each with the field that names it.
fn read(new: NewDoNotContact) -> Result<Vec<(String, ListedContact)>, Problem> {
    let NewDoNotContact { contact, contacts, kind, reason: why, level } = new;
    let mut errors = Vec::new();
    let level = match level.as_deref().unwrap_or_default() {
        "" => Suppression::All,
        word => Suppression::from_word(word).unwrap_or_else(|| {
            let known = Suppression::ALL.map(Suppression::as_str).join(", ");
            errors.push(FieldError::new("level", format!("is wrong: write one of {known}")));
            Suppression::All
        }),
    };
    let kind = kind.filter(|word| !word.is_empty()).and_then(|word| {
        let kind = ContactKind::from_word(&word);
        if kind.is_none() {
            let known = ContactKind::ALL.map(ContactKind::as_str).join(", ");
            errors.push(FieldError::new("kind", format!("is wrong: write one of {known}")));
        }
        kind
    });
    let why = why.as_deref().and_then(reason);
    let several = contacts.unwrap_or_default();
    let named: Vec<(String, String)> = contact
        .filter(|text| !text.is_empty())
        .map(|text| ("contact".to_owned(), text))
        .into_iter()
        .chain(several.into_iter().enumerate().map(|(place, text)| (format!("contacts[{place}]"), text)))
        .collect();
    if named.is_empty() {
        errors.push(FieldError::new("contact", "is missing; name the contact that gets no message"));
    }
    if named.len() > MOST {
        let message = format!("has more than {MOST}; import a file instead");
        return Err(Problem::fields(vec![FieldError::new("contacts", message)]));
    }
    let mut read = Vec::with_capacity(named.len());
    for (field, text) in named {
        match Contact::read(&text, kind) {
            Ok(contact) => {
                let is_bare_id = contact.is_bare_id(&text, kind);
                read.push((field, ListedContact { contact, level, reason: why.clone(), is_bare_id }));
            }
            Err(error) => errors.push(FieldError::new(field, format!("is wrong: {error}"))),
        }
    }
    if errors.is_empty() { Ok(read) } else { Err(Problem::fields(errors)) }
}
