//! The API without a port: a command that runs while no server does asks here, with the rights of the control socket.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use tower::ServiceExt;

use crate::auth::{Actor, ConnectionInfo, ListenerKind};
use crate::state::State;

/// The API of a program that listens nowhere. Cheap to clone.
#[derive(Clone)]
pub struct InProcessApi(Router);

impl InProcessApi {
    /// The API over these parts; [`crate::serve`] is not needed for it.
    pub fn new(state: &State) -> Self {
        Self(crate::router::control(state))
    }

    pub async fn answer(&self, request: Request<Body>) -> Response {
        self.ask(request).await
    }

    /// Answers one request of someone who has signed in to the dashboard, with the rights of their role.
    pub async fn answer_as(&self, actor: Actor, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(actor);
        self.ask(request).await
    }

    async fn ask(&self, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(ConnectionInfo {
            listener: ListenerKind::Control,
            peer: None,
            is_encrypted: false,
        });
        // A router refuses by answering, never with an error.
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
