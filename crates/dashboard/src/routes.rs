//! The address of every page and action.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::header::ACCEPT;

use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Tab;
use crate::visitor::{self, Visitor};
use crate::{
    accounts, assets, campaigns, channels, chats, diagnostics, doubt, failed, failovers, flows, inbox, live,
    logs, messages, operations, overview, pipeline, profiles, settings, sign_in, webhooks,
};

/// The pages, for [`web::serve`].
pub fn router(dashboard: Dashboard) -> Router {
    let pages = Router::new()
        .route("/", get(overview::index))
        .route("/cards/{id}", get(overview::detail::show))
        .route("/cards/{id}/strip", get(overview::detail::strip))
        .route("/cards/{id}/stop", get(overview::action::ask))
        .route("/cards/{id}/actions/{action}", post(overview::action::act))
        .route("/alerts/{id}/actions/mute", post(overview::alerted::mute))
        .route("/flood-clearing", get(overview::clearing::show))
        .route("/flood-clearing/actions/begin", post(overview::clearing::begin))
        .route("/flood-clearing/actions/cancel", post(overview::clearing::cancel))
        .route("/inbox", get(inbox::list::show))
        .route(
            "/inbox/{client_id}",
            get(inbox::one::show).post(inbox::reply::reply).layer(DefaultBodyLimit::disable()),
        )
        .route("/inbox/{client_id}/merge", get(inbox::question::ask_merge))
        .route("/inbox/{client_id}/dismiss", get(inbox::question::ask_dismiss))
        .route("/inbox/{client_id}/actions/{action}", post(inbox::act::act))
        .route("/inbox/{client_id}/erase", get(inbox::question::ask_erase))
        .route("/inbox/{client_id}/export", get(inbox::export))
        .route("/inbox/{client_id}/writing", post(inbox::news::writing))
        .route("/inbox-files/{client_id}/{message}/{number}", get(inbox::file))
        .route("/inbox-new", get(inbox::begin::show).post(inbox::begin::send))
        .route("/inbox-news", get(inbox::news::show))
        .route("/inbox-figures", get(inbox::figures::show))
        .route("/inbox-templates", get(inbox::templates::show).post(inbox::templates::save))
        .route("/inbox-templates/actions/remove", post(inbox::templates::remove))
        .route("/pipeline", get(pipeline::show))
        .route("/pipeline/actions/{action}", post(pipeline::act))
        .route("/messages", get(messages::find::show))
        .route("/messages/received", get(messages::received::show))
        .route("/messages/retry-failed", get(messages::retry_failed::ask))
        .route("/messages/actions/retry-failed", post(messages::retry_failed::begin))
        .route("/messages/actions/stop-retrying", post(messages::retry_failed::stop))
        .route("/messages/{id}", get(messages::why::show))
        .route("/messages/{id}/actions/{action}", post(messages::act::act))
        .route("/chats", get(chats::list::show))
        .route("/chats/unresolved", get(chats::unresolved::show))
        .route("/chats/unresolved/actions/forget", post(chats::unresolved::forget))
        .route("/chats/do-not-contact", get(chats::do_not_contact::show))
        .route("/chats/do-not-contact/export", get(chats::do_not_contact::export))
        .route("/chats/do-not-contact/actions/add", post(chats::do_not_contact::add))
        .route("/chats/do-not-contact/actions/import", post(chats::do_not_contact::import))
        .route("/chats/do-not-contact/actions/remove", post(chats::do_not_contact::remove))
        .route("/chats/{id}", get(chats::one::show))
        .route("/chats/{id}/messages", get(chats::conversation::show))
        .route("/chats/{id}/bind", get(chats::act::ask_to_bind))
        .route("/chats/{id}/leave", get(chats::act::ask_to_leave))
        .route("/chats/{id}/actions/bind", post(chats::act::bind))
        .route("/chats/{id}/actions/leave", post(chats::act::leave))
        .route("/campaigns", get(campaigns::list::show))
        .route("/new-campaign", get(campaigns::form::new).post(campaigns::form::add))
        .route("/campaign-profiles", get(profiles::list::show).post(profiles::list::add))
        .route("/campaign-profiles/{name}", get(profiles::one::show))
        .route("/campaign-profiles/{name}/log-in", get(profiles::log_in::show))
        .route("/campaign-profiles/{name}/remove", get(profiles::act::ask_remove))
        .route("/campaign-profiles/{name}/actions/{action}", post(profiles::act::act))
        .route("/campaign-pictures/{file}", get(profiles::picture))
        .route("/campaign-proxies", get(profiles::proxies::show).post(profiles::proxies::add))
        .route("/campaign-proxies/remove", get(profiles::proxies::ask_remove))
        .route("/campaign-proxies/actions/{action}", post(profiles::proxies::act))
        .route("/campaigns/{name}", get(campaigns::one::show))
        .route("/campaigns/{name}/attempts", get(campaigns::one::export))
        .route("/campaigns/{name}/change", get(campaigns::form::show).post(campaigns::form::change))
        .route("/campaigns/{name}/chats", get(campaigns::chats::show).post(campaigns::chats::add))
        .route(
            "/campaigns/{name}/messages",
            get(campaigns::messages::show).post(campaigns::messages::add).layer(DefaultBodyLimit::disable()),
        )
        .route("/campaigns/{name}/forecast", get(campaigns::forecast::show))
        .route("/campaigns/{name}/stop", get(campaigns::act::ask_stop))
        .route("/campaigns/{name}/remove", get(campaigns::act::ask_remove))
        .route("/campaigns/{name}/actions/{action}", post(campaigns::act::act))
        .route("/doubt", get(doubt::list::show))
        .route("/doubt/question", get(doubt::act::ask))
        .route("/doubt/actions/{word}", post(doubt::act::act))
        .route("/doubt/{id}", get(doubt::evidence::show))
        .route("/logs", get(logs::list::show))
        .route("/logs/download", get(logs::take_away::send))
        .route("/logs/{id}", get(logs::one::show))
        .route("/live/logs", get(logs::follow::follow))
        .route("/operations", get(operations::list::show))
        .route("/operations/{id}", get(operations::one::show))
        .route("/operations/{id}/actions/{action}", post(operations::act::act))
        .route("/failovers", get(failovers::show))
        .route("/failed", get(failed::list::show))
        .route("/failed/question", get(failed::act::ask))
        .route("/failed/actions/{action}", post(failed::act::act))
        .route("/failed/{id}", get(failed::one::show))
        .route("/diagnostics", get(diagnostics::show))
        .route("/diagnostics/actions/examine", post(diagnostics::again))
        .route("/accounts", get(accounts::list::show))
        .route("/accounts/add", get(accounts::add::show).post(accounts::add::add))
        .route(
            "/accounts/import",
            get(accounts::import::show).post(accounts::import::send).layer(DefaultBodyLimit::disable()),
        )
        .route("/accounts/import/under-way", get(accounts::import::under_way))
        .route("/accounts/import/{id}", get(accounts::import::look))
        .route("/accounts/import/{id}/actions/import", post(accounts::import::begin))
        .route("/accounts/import/{id}/actions/take-back", post(accounts::import::take_back))
        .route("/accounts/sessions/{id}/give", get(accounts::ownerless::ask_give))
        .route("/accounts/sessions/{id}/drop", get(accounts::ownerless::ask_drop))
        .route("/accounts/sessions/{id}/actions/{action}", post(accounts::ownerless::act))
        .route("/accounts/{name}", get(accounts::one::show))
        .route("/accounts/{name}/actions/{action}", post(accounts::act::act))
        .route("/accounts/{name}/change", get(accounts::change::show).post(accounts::change::change))
        .route("/accounts/{name}/export", get(accounts::export::show))
        .route("/accounts/{name}/remove", get(accounts::remove::ask).post(accounts::remove::remove))
        .route("/accounts/{name}/login", get(accounts::login::show))
        .route("/accounts/{name}/login/actions/{step}", post(accounts::login::act))
        .route("/limits", get(accounts::limits::show))
        .route("/channels", get(channels::list::show))
        .route("/channels-new", get(channels::add::show).post(channels::add::add))
        .route("/channels/{name}", get(channels::one::show))
        .route("/channels/{name}/setup", get(channels::setup::show))
        .route("/channels/{name}/login", get(channels::login::show))
        .route("/channels/{name}/remove", get(channels::remove::ask).post(channels::remove::remove))
        .route("/channels/{name}/actions/{action}", post(channels::act::act))
        .route("/flows", get(flows::list::show))
        .route("/flows/{name}", get(flows::one::show))
        .route("/flows/{name}/stop", get(flows::act::ask_stop))
        .route("/flows/{name}/actions/{action}", post(flows::act::act))
        .route("/flows/{name}/try", get(flows::try_out::show).post(flows::try_out::try_out))
        .route("/flow-definitions/add", get(flows::edit::new).post(flows::edit::add))
        .route("/flow-definitions/{name}/change", get(flows::edit::show).post(flows::edit::change))
        .route("/flow-definitions/{name}/remove", get(flows::edit::ask_remove))
        .route("/flow-definitions/{name}/actions/remove", post(flows::edit::remove))
        .route("/flow-runs/{id}", get(flows::run::show))
        .route("/webhooks", get(webhooks::list::show))
        .route("/webhooks/add", get(webhooks::form::new).post(webhooks::form::add))
        .route("/webhooks/{id}", get(webhooks::one::show))
        .route("/webhooks/{id}/change", get(webhooks::form::show).post(webhooks::form::change))
        .route("/webhooks/{id}/remove", get(webhooks::act::ask_remove))
        .route("/webhooks/{id}/actions/{action}", post(webhooks::act::act))
        .route("/settings", get(|| async { Redirect::to(Tab::Me.path()) }))
        .route("/settings/me", get(settings::me::show))
        .route("/settings/me/actions/change-password", post(settings::me::change_password))
        .route("/settings/me/actions/end-session", post(settings::me::end_session))
        .route("/settings/me/actions/end-other-sessions", post(settings::me::end_other_sessions))
        .route("/settings/me/second-factor", get(settings::second_factor::show))
        .route("/settings/me/actions/offer-second-factor", post(settings::second_factor::offer))
        .route("/settings/me/actions/confirm-second-factor", post(settings::second_factor::confirm))
        .route("/settings/me/actions/drop-second-factor", post(settings::second_factor::drop_it))
        .route("/settings/me/actions/renew-recovery-codes", post(settings::second_factor::renew))
        .route("/settings/people", get(settings::people::show))
        .route("/settings/people/actions/add", post(settings::people::add))
        .route("/settings/people/{name}", get(settings::people::one))
        .route("/settings/people/{name}/remove", get(settings::people::ask_remove))
        .route("/settings/people/{name}/actions/{action}", post(settings::people::act))
        .route("/settings/keys", get(settings::keys::show))
        .route("/settings/keys/actions/create", post(settings::keys::create))
        .route("/settings/keys/{id}/change", get(settings::keys::ask_change))
        .route("/settings/keys/{id}/actions/change", post(settings::keys::change))
        .route("/settings/keys/{id}/revoke", get(settings::keys::ask_revoke))
        .route("/settings/keys/{id}/actions/revoke", post(settings::keys::revoke))
        .route("/settings/alerts", get(settings::alerts::show))
        .route("/settings/alerts/actions/add", post(settings::alerts::add))
        .route("/settings/alerts/{name}/remove", get(settings::alerts::ask_remove))
        .route("/settings/alerts/{name}/actions/{action}", post(settings::alerts::act))
        .route("/settings/maintenance", get(settings::maintenance::show))
        .route("/settings/maintenance/actions/once", post(settings::maintenance::once))
        .route("/settings/maintenance/actions/weekly", post(settings::maintenance::weekly))
        .route("/settings/maintenance/{id}/remove", get(settings::maintenance::ask_remove))
        .route("/settings/maintenance/{id}/actions/remove", post(settings::maintenance::remove))
        .route("/settings/backups", get(settings::backups::show))
        .route("/settings/backups/actions/create", post(settings::backups::create))
        .route("/settings/backups/actions/drill", post(settings::backups::drill))
        .route("/settings/backups/{name}/actions/check", post(settings::backups::check))
        .route("/settings/backups/{name}/content", get(settings::backups::download))
        .route("/settings/audit", get(settings::audit::show))
        .route("/sign-in", get(sign_in::enter::show).post(sign_in::enter::password))
        .route("/sign-in/code", post(sign_in::enter::code))
        .route("/sign-out", post(sign_in::leave::leave))
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
    let accepted = request.headers().get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    if !accepted.is_some_and(|accepted| accepted.contains("text/html"))
        || request.uri().path().starts_with("/v1/")
    {
        return web::no_such_path(request).await;
    }
    let (mut parts, _) = request.into_parts();
    match Visitor::from_request_parts(&mut parts, &dashboard).await {
        Ok(visitor) => refusal::no_such_page(&visitor),
        Err(unknown) => unknown.into_response(),
    }
}
