//! Who calls: API keys with their scopes and limits, the address behind proxies, and the limit on wrong keys.

mod actor;
mod address;
mod caller;
mod forwarded;
mod key_cache;
mod key_note;
mod last_use;
mod limits;
mod meter;
mod own;
mod reach;
mod revalidate;
mod secret;

pub use actor::Actor;
pub(crate) use address::{client_address, is_in};
pub(crate) use caller::{
    Authorized, Caller, CanAdminister, CanAnswer, CanApprove, CanArrangeAccounts, CanArrangeAlerts,
    CanDecide, CanExportSessions, CanManageKeys, CanManagePeople, CanOperate, CanRead, CanReadAudit,
    CanReadInbox, CanRunWebhooks, CanSend, CanSignIn, ConnectionInfo, KeyRefusal, ListenerKind, Needed,
    check_address, identify, present_key,
};
pub(crate) use forwarded::Forwarded;
pub(crate) use key_cache::{CachedKey, KeyCache};
pub(crate) use key_note::{KeyNote, answer as note_on_answer};
pub(crate) use last_use::LastUses;
pub(crate) use meter::{Meters, Pace};
pub(crate) use reach::is_closed_to_limited_keys;
pub(crate) use revalidate::may_still_read;
pub use secret::{hash, new_key};
