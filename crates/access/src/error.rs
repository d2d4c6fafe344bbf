//! What can go wrong, in terms that a page or an answer can act on.

use std::time::Duration;

use store::StoreError;

use crate::hashing::HashingError;
use crate::password::UnfitPassword;

/// Why a sign-in fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// No such user, or a wrong password; which of them is not said.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Another code, or one that was used before.
    #[error("the code is wrong or was used before")]
    WrongCode,
    /// The ticket is unknown, too old or used up: begin again with the password.
    #[error("this took too long or too many tries; sign in again")]
    TicketOver,
    /// Too many wrong ones came before; the next is looked at after this long.
    #[error("too many wrong passwords or codes; try again in {} s", .0.as_secs().saturating_add(1))]
    Wait(Duration),
    #[error("too many people sign in at once; try again in a few seconds")]
    Busy,
    /// Something failed on our side.
    #[error("signing in does not work now: {0}")]
    Failed(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a change of users was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    #[error("there is no user of this name")]
    Unknown,
    #[error("the name is taken")]
    Taken,
    /// No one could administer anything any more.
    #[error("this is the last admin; make another one first")]
    LastAdmin,
    #[error("the password {0}")]
    Unfit(#[from] UnfitPassword),
    #[error("too many passwords are worked on at once; try again in a few seconds")]
    Busy,
    /// Something failed on our side.
    #[error("this does not work now: {0}")]
    Failed(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a change of one's own password or second factor was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("the present password is another")]
    WrongPassword,
    /// Too many wrong ones came before; the next is looked at after this long.
    #[error("too many wrong passwords; try again in {} s", .0.as_secs().saturating_add(1))]
    Wait(Duration),
    #[error("the new password {0}")]
    Unfit(#[from] UnfitPassword),
    /// The code is not that of the secret that was offered.
    #[error("the code is another; check the clock of the telephone and try the next one")]
    WrongCode,
    /// No secret was offered, or another one since.
    #[error("this secret is not offered any more; begin again")]
    NotOffered,
    /// There is a second factor already; only the password takes it away.
    #[error("the second factor is on; turn it off first, which takes the password")]
    HasFactor,
    #[error("there is no second factor")]
    NoFactor,
    #[error("there is no user of this name any more")]
    Unknown,
    #[error("too many passwords are worked on at once; try again in a few seconds")]
    Busy,
    /// Something failed on our side.
    #[error("this does not work now: {0}")]
    Failed(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! from_hashing {
    ($($name:ident)*) => {$(
        impl From<HashingError> for $name {
            fn from(error: HashingError) -> Self {
                match error {
                    HashingError::Busy => Self::Busy,
                    HashingError::Failed(what) => Self::Failed(what),
                }
            }
        }

        impl From<getrandom::Error> for $name {
            fn from(error: getrandom::Error) -> Self {
                Self::Failed(format!("the system gives no random numbers ({error})"))
            }
        }
    )*};
}

from_hashing! { SignInError PeopleError ChangeError }

impl From<totp_rs::TotpError> for ChangeError {
    fn from(error: totp_rs::TotpError) -> Self {
        Self::Failed(format!("the secret of the second factor cannot be used ({error})"))
    }
}
