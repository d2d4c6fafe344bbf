//! What a campaign has: senders, chats and messages.

use ::campaigns::{ChatList, FileMessage, Imported, ProfileLocation, read_messages, render, variables};
use api::{
    Campaign, CampaignImport, CampaignMedia, CampaignMessage, CampaignPreview, CampaignTask, WrongLine,
};
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use domain::text::with_line_feeds;
use domain::{CampaignSender, ChatRef, ExposeSecret, ProfileName, slug};
use http::StatusCode;
use serde::Deserialize;
use store::{CampaignTask as CampaignTaskRow, StoreError, StoredProfile, TasksAdded, Unblocking};
use utoipa::{IntoParams, ToSchema};

use super::{CampaignName, find_campaign, media, shown};
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{Authorized, CanOperate, CanRead, CanStartSending};
use crate::extract::{PathParameter, QueryParameters, Unchecked, kept_when_empty, read_body, read_list};
use crate::files::{Load, Named};
use crate::options::Limits;
use crate::problem::{FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page, PageParameters, PageRequest};

/// The largest file that is imported.
const LARGEST_FILE: usize = 64 * 1024 * 1024;
/// Messages of a file that are shown as they would be sent.
const PREVIEWS: usize = 5;
/// Chats of a file that are in memory at once.
const CHATS: usize = 4096;
/// Senders that one request may name.
const MOST_SENDERS: usize = 1000;

/// Accounts and browser profiles to send with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSenders {
    /// Names of accounts. A profile of an older program is found by its name there, too.
    #[serde(default)]
    #[schema(example = json!(["main", "backup_1"]))]
    accounts: Vec<String>,
    /// Names of browser profiles, or ids of profiles of Donut Browser.
    #[serde(default)]
    #[schema(example = json!(["shop-1"]))]
    profiles: Vec<String>,
}

/// A file of a campaign as a field.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignFile {
    /// What the file has in it.
    #[schema(example = "@client_1\n@client_2")]
    file: String,
}

/// Whether a file is only looked at.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct DryRunParameter {
    /// Nothing is changed; the answer says what would be, as far as the file alone shows.
    dry_run: Option<bool>,
}

/// Whether the messages of a file are to be the only ones in use.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct SyncParameter {
    /// Messages that the file lacks are not in use any more; they keep their counts.
    sync: Option<bool>,
}

/// Whether only some chats are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct BlockedParameter {
    /// Only those that are blocked.
    blocked: Option<bool>,
}

/// What of a campaign is unblocked; all of it without.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnblockCampaign {
    /// A chat of it.
    #[serde(default, deserialize_with = "kept_when_empty")]
    #[schema(example = "@client_1")]
    chat: Option<String>,
    /// An account of it, or `profile:` and the name of a browser profile.
    #[serde(default, deserialize_with = "kept_when_empty")]
    #[schema(example = "main")]
    account: Option<String>,
}

impl UnblockCampaign {
    fn only(self) -> Result<Unblocking, Problem> {
        let wrong = |field, why| Problem::fields(vec![FieldError::new(field, why)]);
        let chat =
            self.chat.map(|chat| chat.parse::<ChatRef>().map_err(|error| wrong("chat", error.to_string())));
        let sender = self.account.map(|name| sender_of(&name).map_err(|why| wrong("account", why)));
        Ok(Unblocking { chat: chat.transpose()?, sender: sender.transpose()? })
    }
}

/// Adds accounts and browser profiles that send for a campaign.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/senders", tag = "campaigns", operation_id = "add_campaign_senders",
    params(("name" = String, Path, description = "The campaign's name")),
    request_body = NewSenders,
    responses((status = 200, description = "They send for it", body = Campaign))
)]
pub(crate) async fn add_senders(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
    body: Unchecked<NewSenders>,
) -> Result<Response, Problem> {
    let row = find_campaign(&state, &name).await?;
    let profiles = state.store().campaigns().profiles().await?;
    let senders = body.checked(|new: NewSenders| {
        let count = new.accounts.len() + new.profiles.len();
        if !(1..=MOST_SENDERS).contains(&count) {
            let why = format!("must name 1 to {MOST_SENDERS} accounts, or profiles");
            return Err(Problem::fields(vec![FieldError::new("accounts", why)]));
        }
        let account = |name: &str| {
            let known = |name: &str| name.parse().ok().filter(|name| state.pool().account(name).is_some());
            known(name).or_else(|| known(&slug(name))).map(CampaignSender::Account)
        };
        let profile = |name: &str| profile_of(&profiles, name).map(CampaignSender::Profile);
        let mut senders = Vec::with_capacity(count);
        for name in &new.accounts {
            let wrong = || {
                let why = format!("names {}, which is no account; see /v1/accounts", shorten(name));
                Problem::fields(vec![FieldError::new("accounts", why)])
            };
            senders.push(account(name).or_else(|| profile(name)).ok_or_else(wrong)?);
        }
        for name in &new.profiles {
            let wrong = || {
                let why = format!("names {}, which is no profile; see /v1/campaign-profiles", shorten(name));
                Problem::fields(vec![FieldError::new("profiles", why)])
            };
            senders.push(profile(name).ok_or_else(wrong)?);
        }
        Ok(senders)
    })?;
    state.store().campaigns().add_senders(&name, senders, state.clock().now()).await?;
    Ok(json(StatusCode::OK, &shown(&state, row).await?))
}

/// Removes a sender from a campaign. What it began is finished, and what it sent stays on record.
#[utoipa::path(
    delete, path = "/v1/campaigns/{name}/senders/{sender}", tag = "campaigns", operation_id = "remove_campaign_sender",
    params(
        ("name" = String, Path, description = "The campaign's name"),
        ("sender" = String, Path, description = "The account, or `profile:` and the name of a browser profile"),
    ),
    responses((status = 200, description = "It sends for it no more", body = Campaign))
)]
pub(crate) async fn remove_sender(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    CampaignName(name): CampaignName,
    PathParameter((_campaign, sender)): PathParameter<(String, String)>,
) -> Result<Response, Problem> {
    let row = find_campaign(&state, &name).await?;
    if let Ok(sender) = sender_of(&sender) {
        state.store().campaigns().remove_sender(&name, &sender).await?;
    }
    Ok(json(StatusCode::OK, &shown(&state, row).await?))
}

/// Lists the messages of a campaign.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/messages", tag = "campaigns", operation_id = "list_campaign_messages",
    params(("name" = String, Path, description = "The campaign's name"), PageParameters),
    responses((status = 200, description = "The messages, with how often each was sent", body = Page<CampaignMessage>))
)]
pub(crate) async fn messages(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    find_campaign(&state, &name).await?;
    let messages = state.store().campaigns().messages(&name).await?;
    let messages: Vec<_> = messages.into_iter().map(CampaignMessage::from).collect();
    Ok(json(StatusCode::OK, &wanted.cut(messages, |message| message.number.to_string())?))
}

/// Adds messages to a campaign: JSON, a list of texts or of objects with `text`, `weight`, `active`, `parse_mode` and `media`; or text,
/// several messages separated by lines of `---`. One whose text is there is changed. `media` is a file or a list of ten at most, each an
/// object as `media` of `POST /v1/messages` has it, or a text: an upload, an address, a link to a post or a path in the media folder.
/// A request brings 100 files at most; the campaign keeps them until its messages go.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/messages", tag = "campaigns", operation_id = "add_campaign_messages",
    params(("name" = String, Path, description = "The campaign's name"), DryRunParameter, SyncParameter),
    request_body(content((CampaignFile = "application/json"), (String = "text/plain"))),
    responses((status = 200, description = "What can be used is added", body = CampaignImport))
)]
pub(crate) async fn add_messages(
    Shared(state): Shared<State>,
    by: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
    mut query: QueryParameters,
    request: Request,
) -> Result<Response, Problem> {
    find_campaign(&state, &name).await?;
    let sync = query.take::<bool>("sync").unwrap_or(false);
    let (text, dry_run) = file(&state, query, request).await?;
    let read = media::named(read_messages(&text))?;
    if sync && read.items.is_empty() {
        return Err(Problem::fields(vec![FieldError::new("file", "has no message that can be used")]));
    }
    let campaigns = state.store().campaigns();
    if dry_run {
        let first = campaigns.tasks(&name, &store::Page { limit: 1, cursor: None }).await?.items;
        let added = TasksAdded { added: read.items.len(), known: 0 };
        return Ok(answer(&read, added, previews(&read.items, first.first()), dry_run));
    }
    let (read, loads) = media::taken(&state, &by.caller, read).await?;
    let all = read.items.len();
    if sync && all == 0 {
        let why = "has no message whose files can be had";
        return Err(Problem::fields(vec![FieldError::new("file", why)]));
    }
    // Files that another one of the same text brought are found by the next sweep.
    let (store, items) = (state.store().clone(), read.items.clone());
    let kept = ambient::run_detached(state.tasks(), async move {
        let added = store.campaigns().add_messages(&name, items, sync).await;
        // Without an answer the messages may be there all the same.
        loads.into_iter().for_each(Load::keep);
        added
    });
    let added = kept.await.ok_or_else(|| StoreError::Unavailable("campaign_messages".to_owned()))??;
    Ok(answer(&read, TasksAdded { added, known: all - added }, Vec::new(), dry_run))
}

/// What a chat would get, of the first few messages; without a chat each variable is its own name.
fn previews(messages: &[(FileMessage, Vec<Named>)], chat: Option<&CampaignTaskRow>) -> Vec<CampaignPreview> {
    let preview = |(FileMessage { message, .. }, named): &(FileMessage, Vec<Named>)| {
        let values = if let Some(chat) = chat {
            chat.variables.clone()
        } else {
            let names = variables(&message.text).unwrap_or_default();
            names.into_iter().map(|name| (name.clone(), name)).collect()
        };
        let rendered = render(&message.text, message.parse_mode, &values);
        CampaignPreview {
            chat: chat.map(|chat| chat.chat.to_string()).unwrap_or_default(),
            text: rendered.unwrap_or_else(|error| error.to_string()),
            media: named.iter().map(shown_file).collect(),
        }
    };
    messages.iter().take(PREVIEWS).map(preview).collect()
}

/// A file that is not taken in: its name or where it is, and what it is to be sent as once that is known.
fn shown_file(named: &Named) -> CampaignMedia {
    CampaignMedia { name: named.shown(), kind: named.source.field().to_owned() }
}

/// Lists the chats of a campaign, in the order of their import.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/tasks", tag = "campaigns", operation_id = "list_campaign_tasks",
    params(("name" = String, Path, description = "The campaign's name"), BlockedParameter, LongPageParameters),
    responses((status = 200, description = "A page of chats", body = Page<CampaignTask>))
)]
pub(crate) async fn tasks(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let blocked = query.take::<bool>("blocked").unwrap_or(false);
    let page = store_page(&mut query);
    query.finish()?;
    find_campaign(&state, &name).await?;
    let campaigns = state.store().campaigns();
    let found = if blocked {
        campaigns.blocked_tasks(&name, &page).await
    } else {
        campaigns.tasks(&name, &page).await
    };
    let page = found.map_err(listed)?;
    let items = page.items.into_iter().map(CampaignTask::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Adds chats to a campaign: one a line, or a table whose first line names its columns, one of them `chat`; the others are
/// variables of templates. Those that are there keep their history.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/tasks", tag = "campaigns", operation_id = "add_campaign_tasks",
    params(("name" = String, Path, description = "The campaign's name"), DryRunParameter),
    request_body(content((CampaignFile = "application/json"), (String = "text/plain"))),
    responses((status = 200, description = "What can be used is added", body = CampaignImport))
)]
pub(crate) async fn add_tasks(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
    query: QueryParameters,
    request: Request,
) -> Result<Response, Problem> {
    find_campaign(&state, &name).await?;
    let (text, dry_run) = file(&state, query, request).await?;
    let mut list = ChatList::of(&text);
    let mut added = TasksAdded::default();
    loop {
        let some: Vec<_> = list.by_ref().take(CHATS).collect();
        added += match some.len() {
            0 => break,
            count if dry_run => TasksAdded { added: count, known: 0 },
            _ => state.store().campaigns().add_tasks(&name, some).await?,
        };
    }
    Ok(answer(&list.bad(), added, Vec::new(), dry_run))
}

/// Takes the blocks from the chats and senders of a campaign, or from the one chat or sender that is named.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/unblock", tag = "campaigns", operation_id = "unblock_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    request_body = Option<UnblockCampaign>,
    responses((status = 200, description = "Nothing of it is blocked, or nothing of what is named", body = Campaign))
)]
pub(crate) async fn unblock(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, &state.limits()).await?;
    let only = if bytes.is_empty() {
        Unblocking::default()
    } else {
        Unchecked::of(bytes)?.checked(UnblockCampaign::only)?
    };
    let row = find_campaign(&state, &name).await?;
    let campaigns = state.store().campaigns();
    let unknown = |field, why: &str| Err(Problem::fields(vec![FieldError::new(field, why.to_owned())]));
    if let Some(chat) = &only.chat
        && campaigns.task(&name, chat).await?.is_none()
    {
        return unknown("chat", "is no chat of the campaign; see GET /v1/campaigns/{name}/tasks");
    }
    if let Some(sender) = &only.sender
        && !campaigns.senders(&name).await?.iter().any(|row| row.sender == *sender)
    {
        return unknown("account", "does not send for the campaign");
    }
    campaigns.unblock(&name, only, state.clock().now()).await?;
    Ok(json(StatusCode::OK, &shown(&state, row).await?))
}

/// A sender by the name that callers know it by.
/// The browser profile that a name or an id of Donut Browser means.
fn profile_of(profiles: &[StoredProfile], name: &str) -> Option<ProfileName> {
    let is_donut = |profile: &&StoredProfile| {
        let location = serde_json::from_str(profile.record.expose_secret());
        matches!(location, Ok(ProfileLocation::Donut { id, .. }) if id == name)
    };
    let named = |name: &str| profiles.iter().find(|profile| profile.name.as_str() == name);
    let found = named(name).or_else(|| profiles.iter().find(is_donut)).or_else(|| named(&slug(name)));
    found.map(|profile| profile.name.clone())
}

fn sender_of(name: &str) -> Result<CampaignSender, String> {
    match name.strip_prefix("profile:") {
        Some(profile) => profile.parse().map(CampaignSender::Profile).map_err(|error| error.to_string()),
        None => name.parse().map(CampaignSender::Account).map_err(|error| error.to_string()),
    }
}

/// What a file has in it, and whether it is only looked at.
pub(super) async fn file(
    state: &State,
    mut query: QueryParameters,
    request: Request,
) -> Result<(String, bool), Problem> {
    let dry_run = query.take::<bool>("dry_run").unwrap_or(false);
    query.finish()?;
    let (parts, body) = request.into_parts();
    let limits = Limits { body: LARGEST_FILE, ..state.limits() };
    let bytes = read_body(&parts.headers, body, &limits).await?;
    let kind = parts.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let text = if kind.eq_ignore_ascii_case("application/json") {
        Unchecked::of(bytes)?.checked(|body: CampaignFile| Ok(with_line_feeds(&body.file)))?
    } else {
        read_list(&bytes)?
    };
    if text.trim().is_empty() {
        return Err(Problem::fields(vec![FieldError::new("file", "is empty")]));
    }
    Ok((text, dry_run))
}

pub(super) fn answer<T>(
    read: &Imported<T>,
    added: TasksAdded,
    previews: Vec<CampaignPreview>,
    dry_run: bool,
) -> Response {
    let wrong = read.bad.iter().map(|bad| WrongLine { line: bad.line, message: bad.message.clone() });
    let TasksAdded { added, known } = added;
    let wrong = wrong.collect();
    let answer = CampaignImport { added, known, wrong_count: read.all_bad, wrong, previews, dry_run };
    Audited::default().with("added", added.to_string()).of(json(StatusCode::OK, &answer))
}
