//! `/v1/chats`: making, changing and leaving chats, who is in them, and those that no one finds.

mod attention;
mod author;
mod bodies;
mod change;
mod conversation;
mod create;
mod hand_over;
mod history;
mod leave;
mod list;
pub(super) mod media;
mod members;
mod message;
mod moves;
mod named;
mod people;
mod title;
mod unchanged;
mod unresolved;

use crate::routing::routes;
pub(crate) use named::id as today;
pub(crate) use named::{meant, unread};
use utoipa_axum::router::OpenApiRouter;

use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(moves::move_all))
        .routes(routes!(unresolved::list))
        .routes(routes!(unresolved::forget))
        .routes(routes!(list::get, change::change, leave::leave))
        .routes(routes!(members::list, members::add))
        .routes(routes!(members::remove))
        .routes(routes!(hand_over::hand_over))
        .routes(routes!(history::read))
        .routes(routes!(conversation::read))
        .routes(routes!(message::edit, message::delete))
        .routes(routes!(media::read))
        .routes(routes!(attention::read))
        .routes(routes!(attention::typing))
}
