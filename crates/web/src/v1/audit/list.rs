//! `GET /v1/audit`: the audit log, a page at a time.

use std::net::IpAddr;

use access::{AuditFilter, AuditResult};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::Timestamp;
use http::StatusCode;
use utoipa::IntoParams;

use crate::answer::json;
use crate::auth::{Authorized, CanReadAudit};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::keys::KeyNames;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// Lists what was done by whom, the latest first. Entries are kept for a year, at most 200,000.
#[utoipa::path(
    get, path = "/v1/audit", tag = "users", operation_id = "list_audit",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of the audit log", body = Page<api::AuditEntry>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanReadAudit>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let filter = AuditFilter {
        who: query.take("who"),
        action: query.take("action"),
        subject: query.take("subject"),
        result: query.take_with("result", |word| {
            AuditResult::from_word(word).ok_or_else(|| "write done, refused, failed or unknown".to_owned())
        }),
        address: query.take::<IpAddr>("address").map(|address| address.to_canonical()),
        since: query.take::<Timestamp>("since"),
        until: query.take::<Timestamp>("until"),
    };
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.access().audit(&filter, &page).await.map_err(listed)?;
    let keys = KeyNames::of(&state, true).await?;
    let mut items: Vec<_> = found.items.into_iter().map(api::AuditEntry::from).collect();
    for who in items.iter_mut().map(|entry| &mut entry.who) {
        who.key_name = who.name.as_deref().and_then(|id| keys.name(id));
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// What the list can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Only by this user or API key, or `machine`, `program`, `nobody`.
    #[param(example = "anna")]
    who: Option<String>,
    /// Only this action.
    #[param(example = "act_on_service")]
    action: Option<String>,
    /// Only to this.
    #[param(example = "send_text")]
    subject: Option<String>,
    /// Only with this result: `done`, `refused`, `failed` or `unknown`.
    #[param(pattern = "^(done|refused|failed|unknown)$")]
    result: Option<String>,
    /// Only from this address.
    #[param(example = "192.0.2.1")]
    address: Option<String>,
    /// Not before this time.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before this time.
    #[param(format = DateTime)]
    until: Option<String>,
}
