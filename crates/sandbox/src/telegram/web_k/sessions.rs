//! Browsers that are logged in, and those that show a code to be scanned.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::telegram::faults::{FaultName, FaultOrder};
use crate::telegram::orders::OutsideError;
use crate::telegram::state::State;
use crate::telegram::world::Telegram;

/// Codes that wait to be scanned; older ones expire.
const MOST_CODES: usize = 100;

/// Browsers that are logged in; of more the oldest is logged out.
const MOST_BROWSERS: usize = 1_000;

/// Who is logged in where.
#[derive(Debug, Default)]
pub(crate) struct WebSessions {
    /// Codes that are shown, oldest first.
    shown: VecDeque<String>,
    /// Codes that were scanned, with the session they led to.
    scanned: HashMap<String, String>,
    /// Sessions, oldest first, with their users.
    open: VecDeque<(String, i64)>,
}

/// An account scans the code that a browser shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Whose phone it is.
    pub account: String,
    /// What the code says; without it, the newest code is meant.
    #[serde(default)]
    pub code: Option<String>,
}

/// Who is logged in now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedIn {
    /// The account's user.
    pub user_id: i64,
}

impl State {
    /// A code for a browser to show.
    pub(crate) fn web_code(&mut self) -> String {
        let code = self.next_secret("code of web k");
        if self.web.shown.len() == MOST_CODES {
            self.web.shown.pop_front();
        }
        self.web.shown.push_back(code.clone());
        code
    }

    /// The session that a code led to, once it was scanned, with its user. It is given out once.
    pub(crate) fn web_scanned(&mut self, code: &str) -> Option<(String, i64)> {
        let session = self.web.scanned.remove(code)?;
        let user = self.web_user(&session)?;
        Some((session, user))
    }

    /// Whose session it is.
    pub(crate) fn web_user(&self, session: &str) -> Option<i64> {
        self.web.open.iter().find(|(known, _)| known == session).map(|(_, user)| *user)
    }

    /// Logs a browser out.
    pub(crate) fn web_log_out(&mut self, session: &str) {
        self.web.open.retain(|(known, _)| known != session);
    }

    /// The oldest fault with one of these names that strikes a browser; the account of one without a session is unknown.
    pub(crate) fn web_fault(&mut self, user: Option<i64>, names: &[FaultName]) -> Option<FaultOrder> {
        let account = user.and_then(|user| self.account_of(user)).map(|account| account.name.clone());
        self.faults.on_page(account.as_deref(), names)
    }

    fn scan(&mut self, order: &LogIn) -> Result<LoggedIn, OutsideError> {
        let user_id = self.named_account(&order.account)?;
        let place = match &order.code {
            Some(code) => self.web.shown.iter().position(|shown| shown == code),
            None => self.web.shown.len().checked_sub(1),
        };
        let code = place.and_then(|place| self.web.shown.remove(place));
        let code = code.ok_or_else(|| OutsideError::NotFound("code that is shown".to_owned()))?;
        let session = self.next_secret("session of web k");
        if self.web.open.len() == MOST_BROWSERS {
            self.web.open.pop_front();
        }
        if self.web.scanned.len() == MOST_CODES {
            self.web.scanned.clear();
        }
        self.web.open.push_back((session.clone(), user_id));
        self.web.scanned.insert(code, session);
        Ok(LoggedIn { user_id })
    }
}

impl Telegram {
    /// An account scans the code that a browser shows.
    pub fn log_in_to_web_k(&self, order: &LogIn) -> Result<LoggedIn, OutsideError> {
        self.lock().scan(order)
    }

    /// The codes that browsers show, oldest first.
    pub fn codes_of_web_k(&self) -> Vec<String> {
        self.lock().web.shown.iter().cloned().collect()
    }
}
