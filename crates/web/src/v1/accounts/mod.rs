//! `/v1/accounts`: the Telegram accounts: how each is, and what is done with it.

mod act;
pub(crate) mod bundles;
mod change;
mod export;
mod gaps;
mod import;
mod import_files;
mod list;
mod login;
mod login_view;
mod note;
mod ownerless;
mod phone;
mod refusal;

use crate::routing::routes;
use domain::AccountName;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::Problem;
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(import::import, import::progress))
        .routes(routes!(import_files::send))
        .routes(routes!(import_files::take_back))
        .routes(routes!(export::export))
        .routes(routes!(list::list, change::add))
        .routes(routes!(list::get, change::change, change::remove))
        .routes(routes!(act::act))
        .routes(routes!(gaps::list))
        .routes(routes!(login::start, login::get, login::cancel))
        .routes(routes!(login::code))
        .routes(routes!(login::password))
        .routes(routes!(login::terms))
        .routes(routes!(login::resend))
        .routes(routes!(note::get, note::write, note::remove))
        .routes(routes!(ownerless::release))
        .routes(routes!(ownerless::list))
        .routes(routes!(ownerless::forget))
        .routes(routes!(ownerless::assign))
}

fn read_name(given: &str) -> Result<AccountName, Problem> {
    given.parse().map_err(|_| Problem::account_not_found(given))
}
