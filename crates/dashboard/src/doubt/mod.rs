//! In doubt: what may have happened or not, with its evidence and the two buttons that end it.

mod act;
mod evidence;
mod list;
mod made_chat;
mod matching;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use made_chat::{WrongChat, asked_again};

use crate::dashboard::Dashboard;

/// The routes of what is in doubt. The buttons for one are those of messages and operations.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/doubt", get(list::show))
        .route("/doubt/question", get(act::ask))
        .route("/doubt/actions/{word}", post(act::act))
        .route("/doubt/{id}", get(evidence::show))
}
