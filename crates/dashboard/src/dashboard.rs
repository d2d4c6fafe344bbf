//! What every page is made from, and the routes of all pages.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::ACCEPT;

use tokio::sync::Semaphore;

use crate::accounts::Importing;
use crate::live::{self, Drawings};
use crate::overview::{Counted, Standing};
use crate::page::{self, refusal};
use crate::visitor::{self, Visitor};
use crate::{
    accounts, assets, chats, diagnostics, doubt, failed, failovers, logs, messages, operations, overview,
    settings, sign_in,
};

/// The most pages that keep themselves up to date at once; more ask again by themselves.
const MOST_STREAMS: usize = 256;

/// What every page is made from. Cheap to clone.
#[derive(Clone)]
pub struct Dashboard(Arc<Parts>);

struct Parts {
    state: web::State,
    api: web::Inside,
    drawings: Drawings,
    standing: Standing,
    counted: Counted,
    places: Arc<Semaphore>,
    importing: Importing,
}

impl Dashboard {
    /// Over a program's parts; nothing is served before [`router`] is.
    pub fn new(state: web::State) -> Self {
        let api = web::Inside::new(&state);
        let places = Arc::new(Semaphore::new(MOST_STREAMS));
        Self(Arc::new(Parts {
            state,
            api,
            drawings: Drawings::default(),
            standing: Standing::default(),
            counted: Counted::default(),
            places,
            importing: Importing::default(),
        }))
    }

    pub(crate) fn state(&self) -> &web::State {
        &self.0.state
    }

    /// Whether everything works.
    pub(crate) fn health(&self) -> &health::Health {
        self.state().health()
    }

    /// The drawings that people look at.
    pub(crate) fn drawings(&self) -> &Drawings {
        &self.0.drawings
    }

    /// The open alerts.
    pub(crate) fn standing(&self) -> &Standing {
        &self.0.standing
    }

    /// The messages that have not arrived today.
    pub(crate) fn counted(&self) -> &Counted {
        &self.0.counted
    }

    /// Places for streams of changes.
    pub(crate) fn places(&self) -> &Arc<Semaphore> {
        &self.0.places
    }

    /// The import that runs or ran last.
    pub(crate) fn importing(&self) -> &Importing {
        &self.0.importing
    }

    pub(crate) fn api(&self) -> &web::Inside {
        &self.0.api
    }
}

/// The pages, for [`web::serve`].
pub fn router(dashboard: Dashboard) -> Router {
    let pages = Router::new()
        .merge(overview::routes())
        .merge(messages::routes())
        .merge(chats::routes())
        .merge(doubt::routes())
        .merge(logs::routes())
        .merge(operations::routes())
        .merge(failovers::routes())
        .merge(failed::routes())
        .merge(diagnostics::routes())
        .merge(accounts::routes())
        .merge(settings::routes())
        .merge(sign_in::routes())
        .method_not_allowed_fallback(page::no_such_method)
        .fallback(no_such_page)
        .layer(from_fn_with_state(dashboard.clone(), visitor::remember_choices))
        .layer(from_fn(page::squeeze));
    Router::new()
        .route("/assets/{name}", get(assets::serve))
        .route("/live/overview", get(live::overview))
        .route("/live/work", get(live::work))
        .route("/live/accounts", get(live::accounts))
        .merge(pages)
        .layer(map_response(page::secure))
        .with_state(dashboard)
}

/// A path that there is not: a page for a person, a problem document for a program.
async fn no_such_page(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let wants_html = request
        .headers()
        .get(ACCEPT)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"));
    if !wants_html || request.uri().path().starts_with("/v1/") {
        return web::no_such_path(request).await;
    }
    let (mut parts, _) = request.into_parts();
    match Visitor::from_request_parts(&mut parts, &dashboard).await {
        Ok(visitor) => refusal::no_such_page(&visitor),
        Err(elsewhere) => elsewhere.into_response(),
    }
}
