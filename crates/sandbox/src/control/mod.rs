//! The control port: HTTP and JSON on loopback, through which a person or a test looks in and turns the dial.

mod answers;
mod desk;
mod faults;
mod people;
mod records;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{delete, get, patch, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use desk::Desk;

/// What open connections get to finish when the sandbox stops.
const PATIENCE: Duration = Duration::from_millis(500);

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/health", get(records::health))
        .route("/ledger", get(records::ledger).delete(records::clear_ledger))
        .route("/calls", get(records::calls).delete(records::clear_calls))
        .route("/unknown", get(records::unknown).delete(records::clear_unknown))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/faults/{id}", delete(faults::remove))
        .route("/telegram/accounts", get(people::accounts).post(people::add_account))
        .route("/telegram/rsa-public-key", get(people::rsa_public_key))
        .route("/telegram/messages", post(people::write))
        .route("/telegram/messages/{chat_id}/{message_id}", patch(people::edit))
        .route("/telegram/chats", get(people::chats).post(people::make_chat))
        .route("/telegram/chats/{chat_id}", delete(people::close_chat))
        .route("/telegram/chats/{chat_id}/migrate", post(people::migrate))
        .route("/telegram/chats/{chat_id}/members", post(people::move_member))
        .route("/telegram/users/{name}/privacy", post(people::set_privacy))
        .route("/telegram/users/{name}/username", post(people::rename))
        .route("/telegram/blocks", post(people::block))
        .fallback(answers::no_such_path)
        .method_not_allowed_fallback(answers::wrong_method)
        .with_state(desk)
}

/// Serves until the token is cancelled.
pub(crate) async fn serve(listener: TcpListener, desk: Arc<Desk>, stop: CancellationToken) {
    let ending = stop.clone();
    let serving =
        axum::serve(listener, router(desk)).with_graceful_shutdown(async move { ending.cancelled().await });
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = serving.into_future() => {
            if let Err(error) = ended {
                tracing::error!(%error, "the control port ended");
            }
        }
        () = patience => {}
    }
}
