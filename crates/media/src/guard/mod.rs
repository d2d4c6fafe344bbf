//! The guard: which addresses the product lets a caller send it to.
//!
//! There is one guard for every address that a caller can ever name. It judges the address that is dialled, not the
//! text that was given: [`Names`] resolves for the HTTP client and hands on only what [`judge`] lets pass, so a name
//! that means something else at the next look-up is judged again. Addresses written as numbers never reach a
//! resolver; [`address`] judges those. Both are needed, on every redirect anew.

mod address;
mod names;
mod ranges;

use std::net::IpAddr;

use ipnet::IpNet;

pub(crate) use address::check;
pub use address::{AddressError, address};
pub use names::{Names, Unresolved};
pub use ranges::Range;

/// The networks that settings let callers reach although the guard would refuse them (`allow_private`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<IpNet>);

impl Allowed {
    /// Lets these networks pass, each address in them for what it is: see [`judge`].
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether an address is in one of the networks.
    fn lists(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address that callers may not send the product to. The text says what the owner can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {range}; the owner can list its network in [media] allow_private")]
pub struct Refused {
    /// The address that would have been dialled, or the IPv4 address that it stands for.
    pub address: IpAddr,
    /// What it belongs to.
    pub range: Range,
}

/// Judges an address before it is dialled.
///
/// An address that stands for an IPv4 address (mapped, 6to4, Teredo, NAT64) has to pass twice: its own range must be
/// listed, and what it stands for must be public or listed too.
pub fn judge(address: IpAddr, allowed: &Allowed) -> Result<(), Refused> {
    if let Some(range) = ranges::of(address)
        && !allowed.lists(address)
    {
        return Err(Refused { address, range });
    }
    let IpAddr::V6(outer) = address else { return Ok(()) };
    ranges::inside(outer).into_iter().try_for_each(|inner| judge(IpAddr::V4(inner), allowed))
}

#[cfg(test)]
mod tests;
