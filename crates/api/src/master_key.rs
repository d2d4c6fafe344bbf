//! A rotation of the master key.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a rotation of the master key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MasterKeyRotation {
    /// How many secrets were sealed again.
    #[schema(example = 42)]
    pub fields: u64,
}
