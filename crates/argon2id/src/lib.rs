//! The Argon2id hash of a password (RFC 9106). It is a crate of its own so that builds for tests optimize it alone.

pub use argon2::Error;
use argon2::{Algorithm, Argon2, Params, Version};

/// The bytes of a hash.
pub const LENGTH: usize = 32;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// In KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    pub lanes: u32,
}

/// Hashes a password with a salt of 8 bytes or more. It blocks for tens of milliseconds.
pub fn hash(password: &[u8], salt: &[u8], cost: Cost) -> Result<[u8; LENGTH], Error> {
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(LENGTH))?;
    let mut hash = [0; LENGTH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password, salt, &mut hash)?;
    Ok(hash)
}
