//! Who calls: API keys with their scopes and limits, the address behind proxies, and the limit on wrong keys.

mod actor;
mod caller;
mod demand;
mod forwarded;
mod hold;
mod key_cache;
mod key_note;
mod last_use;
mod limits;
mod meter;
mod own;
mod page;
mod reach;
mod revalidate;
mod secret;
mod way;
mod witness;

pub use actor::Actor;
pub(crate) use caller::{
    Authorized, Caller, ConnectionInfo, KeyRefusal, ListenerKind, check_address, identify, key_of_old_caller,
};
pub(crate) use demand::{
    CanAdminister, CanAnswer, CanApprove, CanArrangeAccounts, CanArrangeAlerts, CanCancel, CanChangeClients,
    CanEraseClients, CanExportClients, CanExportSessions, CanImportClients, CanManageKeys, CanManagePeople,
    CanOperate, CanRead, CanReadAudit, CanReadInbox, CanReject, CanRunWebhooks, CanSend, CanSignIn,
    CanStartSending, Demand, Needed,
};
pub(crate) use forwarded::{Forwarded, HIDDEN_BY_A_PROXY, is_hidden_by_a_proxy};
pub(crate) use hold::hold;
pub(crate) use key_cache::{CachedKey, KeyCache};
pub(crate) use key_note::answer as note_on_answer;
pub(crate) use last_use::LastUses;
pub(crate) use meter::{Meters, Pace};
pub(crate) use page::sign_of_page;
pub(crate) use reach::is_closed_to_limited_keys;
pub use secret::{hash, new_key};
pub(crate) use way::{Way, came_through_a_proxy, is_in, way};
pub(crate) use witness::Witness;
