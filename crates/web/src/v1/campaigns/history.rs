//! What another program did for a campaign, taken over so that no one is written to again.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AttemptState, CampaignRunId, CampaignSender, ChatRef, SenderState, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, de};
use store::{PastAttempt, PastCampaign, PastTask, StoreError};
use utoipa::ToSchema;

use super::{CampaignName, find_campaign};
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{Authorized, CanStartSending};
use crate::extract::Unchecked;
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// Chats, and attempts, that one request may have.
const MOST: usize = 2000;

/// The largest number of a cycle, of cycles and of uses.
const LARGEST: u32 = 1_000_000_000;

/// What another program did for a campaign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignHistory {
    /// The cycle it is in, from 1.
    #[schema(example = 3, maximum = 1_000_000_000)]
    cycle: u32,
    /// Chats: 2000 at most.
    #[serde(default)]
    chats: Vec<PastChat>,
    /// Attempts: 2000 at most.
    #[serde(default)]
    attempts: Vec<PastCampaignAttempt>,
    /// How often messages were sent.
    #[serde(default)]
    messages: Vec<PastUse>,
    /// Senders that must not send.
    #[serde(default)]
    stopped: Vec<PastSender>,
}

/// A chat, as the other program has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PastChat {
    #[schema(example = "@client_1")]
    chat: String,
    /// In how many cycles it was sent to.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000)]
    cycles: u32,
    /// Why it is blocked.
    blocked: Option<String>,
    /// Not tried before.
    next_at: Option<Timestamp>,
    /// It was written to in the cycle that the program is in, or may have been.
    written: bool,
}

/// An attempt of the other program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PastCampaignAttempt {
    /// What distinguishes it from the others: the same whenever it is taken over.
    #[schema(example = "task_attempts 17")]
    key: String,
    #[schema(example = "@client_1")]
    chat: String,
    /// Who sent it: the name of an account, or `profile:` and that of a browser profile.
    #[serde(deserialize_with = "sender")]
    #[schema(value_type = String, example = "main")]
    account: CampaignSender,
    /// `sent`, `failed`, `skipped` or `unknown`.
    #[schema(example = "sent")]
    state: String,
    /// Why it was not sent.
    reason: Option<String>,
    at: Timestamp,
    /// The cycle, from 1.
    #[schema(example = 3, maximum = 1_000_000_000)]
    cycle: u32,
}

/// How often a message was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PastUse {
    #[schema(example = "Hello {name}")]
    text: String,
    #[schema(example = 80, maximum = 1_000_000_000)]
    usage_count: u32,
}

/// An account or a browser profile that must not send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PastSender {
    /// The name of an account, or `profile:` and that of a browser profile.
    #[serde(deserialize_with = "sender")]
    #[schema(value_type = String, example = "main")]
    account: CampaignSender,
    /// `blocked` or `logged_out`. A profile that is logged in here is not stopped by the latter.
    #[schema(example = "blocked")]
    state: String,
}

/// What of a history was new.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignHistoryTaken {
    #[schema(example = 120)]
    chats: usize,
    #[schema(example = 340)]
    attempts: usize,
}

/// Takes over what another program did: its chats, who of them was written to in the cycle it is in, its attempts, blocks and counts.
/// They are in a run that is paused in that cycle; it goes on with `start` and writes to no one again. The same may be taken
/// over again, as long as the run is paused.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/history", tag = "campaigns", operation_id = "take_over_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    request_body = CampaignHistory,
    responses(
        (status = 200, description = "It is taken over", body = CampaignHistoryTaken),
        (status = 409, description = "A run is at work, or one is over: `campaign_not_ready`"),
    )
)]
pub(crate) async fn take_over(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
    body: Unchecked<CampaignHistory>,
) -> Result<Response, Problem> {
    find_campaign(&state, &name).await?;
    let past = body.checked(past)?;
    let (id, now) = (CampaignRunId::from_uuid(state.ids().next()), state.clock().now());
    let taken = match state.store().campaigns().take_over(&name, past, id, now).await {
        Ok(taken) => taken,
        Err(StoreError::Conflict { .. }) => {
            let why = "A run of it is at work, or one is over: what was sent then is not to be sent again.";
            return Err(Problem::new(Code::CampaignNotReady, why));
        }
        Err(error) => return Err(error.into()),
    };
    let answer = CampaignHistoryTaken { chats: taken.tasks, attempts: taken.attempts };
    let answered = json(StatusCode::OK, &answer);
    Ok(Audited::default().with("added", taken.tasks.to_string()).of(answered))
}

fn sender<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CampaignSender, D::Error> {
    let text = String::deserialize(deserializer)?;
    let sender = if text.starts_with("profile:") { text.parse() } else { format!("account:{text}").parse() };
    sender.map_err(de::Error::custom)
}

fn past(history: CampaignHistory) -> Result<PastCampaign, Problem> {
    let CampaignHistory { cycle, chats, attempts, messages, stopped } = history;
    let mut wrong = Vec::new();
    for (field, count) in [("chats", chats.len()), ("attempts", attempts.len()), ("messages", messages.len())]
    {
        if count > MOST {
            wrong.push(FieldError::new(field, format!("has {count} items; {MOST} at most")));
        }
    }
    let uses = messages.iter().enumerate();
    let uses = uses.map(|(place, past)| (format!("messages[{place}].usage_count"), past.usage_count));
    let cycles = chats.iter().enumerate();
    let cycles = cycles.map(|(place, past)| (format!("chats[{place}].cycles"), past.cycles));
    let tried = attempts.iter().enumerate();
    let tried = tried.map(|(place, past)| (format!("attempts[{place}].cycle"), past.cycle));
    let numbers = uses.chain(cycles).chain(tried).chain([("cycle".to_owned(), cycle)]);
    for (field, number) in numbers.filter(|(_, number)| *number > LARGEST) {
        wrong.push(FieldError::new(field, format!("is too large: {number}, {LARGEST} at most")));
    }
    let mut chat_of = |field: &str, place: usize, named: &str| -> Option<ChatRef> {
        let read = ChatRef::named(named);
        read.map_err(|error| wrong.push(FieldError::new(format!("{field}[{place}].chat"), error.to_string())))
            .ok()
    };
    let mut tasks = Vec::new();
    for (place, PastChat { chat, cycles, blocked, next_at, written }) in chats.into_iter().enumerate() {
        if let Some(chat) = chat_of("chats", place, &chat) {
            tasks.push(PastTask { chat, cycles, blocked, next_at, is_written: written });
        }
    }
    let mut tried = Vec::new();
    for (place, attempt) in attempts.into_iter().enumerate() {
        let PastCampaignAttempt { key, chat, account, state, reason, at, cycle } = attempt;
        let Some(chat) = chat_of("attempts", place, &chat) else { continue };
        match state.parse() {
            Ok(AttemptState::Claimed) | Err(_) => {
                let why = "must be sent, failed, skipped or unknown";
                return Err(Problem::fields(vec![FieldError::new(format!("attempts[{place}].state"), why)]));
            }
            Ok(state) => {
                tried.push(PastAttempt { key, chat, sender: account, state, code: reason, at, cycle });
            }
        }
    }
    let mut stops = Vec::new();
    for (place, PastSender { account, state }) in stopped.into_iter().enumerate() {
        match state.parse() {
            Ok(SenderState::Active) | Err(_) => {
                wrong.push(FieldError::new(
                    format!("stopped[{place}].state"),
                    "must be blocked or logged_out",
                ));
            }
            Ok(found) => stops.push((account, found, "imported".to_owned())),
        }
    }
    if wrong.is_empty() {
        let uses =
            messages.into_iter().map(|PastUse { text, usage_count }| (text, usage_count.into())).collect();
        Ok(PastCampaign { cycle, tasks, attempts: tried, uses, stopped: stops })
    } else {
        Err(Problem::fields(wrong))
    }
}
