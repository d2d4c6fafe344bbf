//! The routes of a port, each with what it demands of an API key.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;

use super::{Gate, access};
use crate::auth::Needed;

/// The routes of a port that take its key. Each names what it demands, as handlers of `/v1` do in their signatures.
pub(super) struct Routes {
    gate: Gate,
    router: Router<Gate>,
}

impl Routes {
    pub(super) fn new(gate: &Gate) -> Self {
        Self { gate: gate.clone(), router: Router::new() }
    }

    /// Adds a route. A caller with an API key needs the scopes of `N`.
    pub(super) fn route<N: Needed>(self, path: &str, methods: MethodRouter<Gate>) -> Self {
        let demanded = from_fn_with_state((self.gate.clone(), N::DEMAND), access::with_demand);
        Self { router: self.router.route(path, methods.route_layer(demanded)), ..self }
    }

    /// The routes, behind the check of the port.
    pub(super) fn into_router(self) -> Router<Gate> {
        self.router.route_layer(from_fn_with_state(self.gate, access::with_key))
    }
}
