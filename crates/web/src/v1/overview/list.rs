//! `GET /v1/overview`.

use axum::extract::State as Shared;
use axum::response::Response;
use health::{CardId, CardKind, Cursor, LARGEST_PAGE};
use http::StatusCode;
use utoipa::IntoParams;

use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::Problem;

/// The longest text that is looked for.
const LONGEST_TEXT: usize = 200;

/// Shows whether everything works.
///
/// Trouble comes first. Each card is asked every 20 seconds by a real round trip; `GET /v1/cards/{id}` shows its last two
/// hours.
#[utoipa::path(
    get, path = "/v1/overview", tag = "system", operation_id = "get_overview",
    params(OverviewParameters),
    responses((status = 200, description = "How everything is, and a page of cards", body = api::Overview))
)]
pub(crate) async fn overview(
    Shared(health): Shared<health::Health>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = wanted(&mut query);
    query.finish()?;
    let overview = health.overview(&wanted);
    std::future::ready(Ok(json(StatusCode::OK, &api::Overview::from(overview)))).await
}

fn wanted(query: &mut QueryParameters) -> health::CardFilter {
    let kinds = query.take_with("kind", |text| text.split(',').map(kind).collect::<Result<Vec<_>, _>>());
    let trouble =
        query.take_with("trouble", |text| text.parse::<bool>().map_err(|_| "write true or false".to_owned()));
    let text = query.take_with("q", |text| match text.chars().count() {
        0..=LONGEST_TEXT => Ok(text.to_owned()),
        _ => Err(format!("look for {LONGEST_TEXT} letters at most")),
    });
    let limit = query.take_with("limit", |text| {
        let limit = text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
        limit.ok_or_else(|| format!("write a number from 1 to {LARGEST_PAGE}"))
    });
    health::CardFilter {
        kinds: kinds.unwrap_or_default(),
        trouble: trouble.unwrap_or_default(),
        text,
        group: query.take::<CardId>("group"),
        in_accounts: false,
        by_kind: false,
        limit,
        after: query.take::<Cursor>("cursor"),
    }
}

fn kind(word: &str) -> Result<CardKind, String> {
    CardKind::from_word(word).ok_or_else(|| {
        let known = CardKind::ALL.map(CardKind::as_str).join(", ");
        format!("write one or more of {known}, with commas between")
    })
}

/// What the overview can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct OverviewParameters {
    /// Only cards of these kinds, with commas between: `service`, `account`, `line`, `port`, `store`, `queue`.
    #[param(
        example = "service,account",
        pattern = "^(service|account|line|port|store|queue)(,(service|account|line|port|store|queue))*$"
    )]
    kind: Option<String>,
    /// Only cards that need someone or wait for something.
    trouble: Option<bool>,
    /// Only cards with this in their name, state or reason.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Only this card and those that belong to it.
    #[param(example = "account:main", pattern = "^(service|account|port):[A-Za-z0-9_-]+$")]
    group: Option<String>,
    /// How many cards, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}
