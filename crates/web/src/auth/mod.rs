//! Who calls: API keys and their scopes, the address behind proxies, and patience with wrong keys.

mod actor;
mod address;
mod caller;
mod forwarded;
mod key_cache;
mod meter;
mod revalidate;
mod secret;

pub use actor::Actor;
pub(crate) use address::{client_address, is_in};
pub(crate) use caller::{
    Authorized, Caller, CanAdminister, CanArrangeAccounts, CanArrangeAlerts, CanExportSessions,
    CanManageKeys, CanManagePeople, CanOperate, CanRead, CanReadAudit, CanSend, ConnectionInfo, ListenerKind,
    check_address, present_key,
};
pub(crate) use forwarded::Forwarded;
pub(crate) use key_cache::KeyCache;
pub(crate) use meter::Meters;
pub(crate) use revalidate::may_still_read;
pub use secret::{hash, new_key};
