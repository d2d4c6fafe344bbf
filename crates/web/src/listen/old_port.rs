//! A port of a program that is replaced: the old gateway's, or that of an old channel server.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use config::{ChannelPort, LegacyPort, LegacySettings};

use crate::legacy;
use crate::state::State;

/// What the settings say of it.
#[derive(Clone, PartialEq)]
pub(super) enum OldPort {
    Gateway(LegacyPort),
    Channel(ChannelPort),
}

impl OldPort {
    /// All of the settings, in the order in which they are listed.
    pub(super) fn all(settings: &LegacySettings) -> Vec<Self> {
        let gateway = settings.ports.iter().cloned().map(Self::Gateway);
        gateway.chain(settings.channel_ports.iter().cloned().map(Self::Channel)).collect()
    }

    pub(super) const fn address(&self) -> SocketAddr {
        match self {
            Self::Gateway(port) => SocketAddr::new(port.listen, port.port),
            Self::Channel(port) => SocketAddr::new(port.listen, port.port),
        }
    }

    pub(super) fn router(&self, state: &State) -> Router {
        match self {
            Self::Gateway(port) => legacy::router(state, Arc::new(port.clone())),
            Self::Channel(port) => legacy::channels::router(state, Arc::new(port.clone())),
        }
    }
}
