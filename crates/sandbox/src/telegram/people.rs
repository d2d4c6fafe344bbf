//! Users: accounts that sign in, clients who write to them, bots.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::privacy::Invites;

/// A Telegram user.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) first_name: String,
    pub(crate) last_name: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) bot: bool,
    /// Whom this user blocked.
    pub(crate) blocked: HashSet<i64>,
    /// Whom this user has in the contacts.
    pub(crate) contacts: BTreeSet<i64>,
    /// Who may put this user into a chat.
    pub(crate) invites: Invites,
    /// Set for a user that can sign in.
    pub(crate) account: Option<Arc<Account>>,
}

/// A session of an account, made before the world began.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the owner uses it for: `create_chat`, `send_text`…; none for every purpose.
    pub purpose: Option<String>,
    pub auth_key: [u8; 256],
}

/// What it takes to sign in as a user.
#[derive(Debug)]
pub struct Account {
    /// The name the control port knows it by: `main`, `backup_1`…
    pub name: Arc<str>,
    /// The user's id.
    pub user_id: i64,
    /// Without the `@`.
    pub username: String,
    /// With the `+`.
    pub phone: String,
    /// The data centre it lives in.
    pub dc_id: i32,
    /// The application's id.
    pub api_id: i32,
    /// The application's hash.
    pub api_hash: String,
    /// The code a sign-in asks for, the same for ever.
    pub login_code: String,
    /// A key for clients that connect by hand; the settings file has others, so that the two do not kill each other.
    pub auth_key: [u8; 256],
    /// The sessions of the settings file.
    pub lines: Vec<Line>,
    /// Whether the settings file puts it in the pool.
    pub pool: bool,
}
