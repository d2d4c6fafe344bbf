//! Who calls: API keys and their scopes, the address behind proxies, and patience with wrong keys.

mod actor;
mod address;
mod caller;
mod forwarded;
mod known;
mod meter;
mod secret;
mod still;

pub use actor::Actor;
pub(crate) use address::{client_address, is_in};
pub(crate) use caller::{
    By, Caller, CanAdminister, CanArrangeAccounts, CanArrangeAlerts, CanExportSessions, CanManageKeys,
    CanManagePeople, CanOperate, CanRead, CanReadAudit, CanSend, Door, Via, check_address, present_key,
};
pub(crate) use forwarded::Forwarded;
pub(crate) use known::KnownKeys;
pub(crate) use meter::Meters;
pub use secret::{hash, new_key};
pub(crate) use still::still_looks;
