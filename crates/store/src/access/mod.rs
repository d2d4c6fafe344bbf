//! People of the dashboard: who they are, their sessions, and the audit log.

mod audit;
mod sessions;
pub(crate) mod statements;
mod users;

pub(crate) use audit::audit;
pub use audit::{AuditEntry, AuditFilter, AuditLog, AuditRecord, AuditResult, AuditWho};
pub(crate) use sessions::EndSessions;
pub use sessions::{BeginSession, UserSession, UserSessions};
pub use users::{Keeping, NewUser, OfferedFactor, SecondFactor, StoredUser, UserChange, Users};
