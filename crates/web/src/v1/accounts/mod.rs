//! `/v1/accounts`: the Telegram accounts: how each is, and what is done with it.

pub(crate) mod act;
pub(crate) mod bundles;
pub(crate) mod change;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod import_files;
pub(crate) mod list;
pub(crate) mod login;
mod login_view;
pub(crate) mod ownerless;
mod phone;
mod refusal;

use domain::AccountName;

use crate::problem::Problem;

fn read_name(given: &str) -> Result<AccountName, Problem> {
    given.parse().map_err(|_| Problem::account_not_found(given))
}
