//! The guard: which addresses the product lets a caller send it to.
//!
//! There is one guard for every address that a caller can ever name. It judges the address that is dialled, not the
//! text that was given: [`Names`] resolves for the HTTP client and hands on only what [`judge`] lets pass, as [`fit`] does
//! for anyone who dials by itself, so a name
//! that means something else at the next look-up is judged again. Addresses written as numbers never reach a
//! resolver; [`address`] judges those. Both are needed, on every redirect again.

mod address;
mod names;
mod ranges;

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::IpNet;

pub use address::{AddressError, address, check, host, number};
pub use names::{Names, Unresolved, fit, resolve};
pub use ranges::Range;

/// What lets an address pass that is not public, in words for the owner. Each kind of call has a list of its own: anyone who may have
/// a file fetched from a network need not be let post there, and a proxy on this machine opens it to no file.
#[derive(strum::Display, Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowList {
    /// Where files are fetched from: `media.allow_private`.
    #[strum(to_string = "the owner can list its network in [media] allow_private")]
    Media,
    /// Where events are posted to: `events.allow_private`.
    #[strum(to_string = "the owner can list its network in [events] allow_private")]
    Events,
    /// What accounts connect through: `telegram.allow_private_proxies`.
    #[strum(to_string = "the owner can list its network in [telegram] allow_private_proxies")]
    Proxies,
    /// The browsers of campaigns and their proxies: `campaigns.allow_private`.
    #[strum(to_string = "the owner can list its network in [campaigns] allow_private")]
    Campaigns,
    /// What an account of a channel calls that was added by a call. No network is listed for it.
    #[strum(to_string = "only the owner can name it, under [[channels]] of the settings file")]
    Channels,
}

/// The networks that settings let callers reach although the guard would refuse them, and which setting that is. Clones share
/// the list: [`Allowed::set`] on one changes it for all.
#[derive(Debug, Clone)]
pub struct Allowed {
    list: AllowList,
    networks: Arc<RwLock<Vec<IpNet>>>,
}

impl Allowed {
    /// Lets these networks pass, each address in them for what it is: see [`judge`].
    pub fn new(list: AllowList, networks: Vec<IpNet>) -> Self {
        Self { list, networks: Arc::new(RwLock::new(networks)) }
    }

    /// Lets these pass from now on, and no others.
    pub fn set(&self, networks: Vec<IpNet>) {
        *self.networks.write().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    fn lists(&self, address: IpAddr) -> bool {
        self.networks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// An address that callers may not send the product to. The text says what the owner can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {range}; {list}")]
pub struct Refused {
    /// The address that would have been dialled, or the IPv4 address that it stands for.
    pub address: IpAddr,
    pub range: Range,
    /// What would let it pass.
    pub list: AllowList,
}

/// Judges an address before it is dialled.
///
/// An address that stands for an IPv4 address (mapped, 6to4, Teredo, NAT64) has to pass twice: its own range must be
/// listed, and what it stands for must be public or listed too. An ISATAP address has a prefix of any network, so only the second counts.
pub fn judge(address: IpAddr, allowed: &Allowed) -> Result<(), Refused> {
    if let Some(range) = ranges::of(address)
        && !allowed.lists(address)
    {
        return Err(Refused { address, range, list: allowed.list });
    }
    let IpAddr::V6(outer) = address else { return Ok(()) };
    ranges::inside(outer).into_iter().try_for_each(|inner| judge(IpAddr::V4(inner), allowed))
}

#[cfg(test)]
mod tests;
