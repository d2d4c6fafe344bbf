//! Who holds a TCP port, as the API shows it.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

/// The process that holds an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Holder {
    /// Its number.
    #[schema(example = 4711)]
    pub pid: u32,
    /// Its program's name.
    #[schema(example = "python3")]
    pub program: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.program, self.pid)
    }
}

/// Looks for the process that listens where `address` cannot be bound. Reads files; call it off the async threads.
pub(super) fn holder(address: SocketAddr) -> Option<Holder> {
    machine::holder(address).map(|holder| Holder { pid: holder.pid, program: holder.program })
}
