//! The logins under way, by account.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::AccountName;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::connection::LoginConnection;
use super::record::Record;
use super::state::LoginState;

use ambient::lock::{Mutex, RwLock};

/// What a login is made of while the program runs. Anyone who takes a step has it alone.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) record: Option<Record>,
    pub(crate) connection: Option<LoginConnection>,
}

pub(crate) struct Login {
    pub(crate) account: AccountName,
    pub(crate) inner: Arc<tokio::sync::Mutex<Inner>>,
    state: RwLock<LoginState>,
    /// A token was accepted: it can be turned into a session.
    pub(crate) accepted: AtomicBool,
    pub(crate) changed: Notify,
    pub(crate) watched: AtomicBool,
    pub(crate) closing: CancellationToken,
}

impl Login {
    pub(crate) fn state(&self) -> LoginState {
        self.state.read().clone()
    }

    pub(crate) fn show(&self, state: LoginState) {
        *self.state.write() = state;
        self.changed.notify_one();
    }

    pub(crate) fn accept(&self) {
        self.accepted.store(true, Ordering::Release);
        self.changed.notify_one();
    }
}

#[derive(Default)]
pub(crate) struct LoginTable(Mutex<HashMap<AccountName, Arc<Login>>>);

impl LoginTable {
    /// The login of an account, made where there is none.
    pub(crate) fn of(&self, account: &AccountName, closing: &CancellationToken) -> Arc<Login> {
        let mut logins = self.0.lock();
        let make = || {
            Arc::new(Login {
                account: account.clone(),
                inner: Arc::default(),
                state: RwLock::new(LoginState::None),
                accepted: AtomicBool::new(false),
                changed: Notify::new(),
                watched: AtomicBool::new(false),
                closing: closing.child_token(),
            })
        };
        Arc::clone(logins.entry(account.clone()).or_insert_with(make))
    }

    pub(crate) fn get(&self, account: &AccountName) -> Option<Arc<Login>> {
        self.0.lock().get(account).cloned()
    }

    /// The account is gone. Does not wait for a step that is being taken: it finds that out by itself.
    pub(crate) fn forget(&self, account: &AccountName) {
        let gone = self.0.lock().remove(account);
        if let Some(login) = gone {
            login.closing.cancel();
            login.show(LoginState::None);
        }
    }
}
