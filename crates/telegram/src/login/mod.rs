//! Signing in: by a code to the phone or by a QR code, with the two-step password and terms of service behind either.
//!
//! One way for the command line, the API and the dashboard. A login has a fresh key, which no one is signed in with. The
//! key and what Telegram gives for it are in the store before the next step is taken, so that a session that was signed
//! in is found again whenever the program ended. When someone is signed in, the session becomes one of the account.

mod answers;
mod begin;
mod connection;
mod ending;
mod meaning;
mod moves;
pub(crate) mod password;
mod record;
mod state;
mod table;
mod terms;
mod tokens;
mod turn;
mod watch;

use std::sync::Arc;

use domain::secret::ExposeSecret;
use domain::{AccountName, Purpose, SecretText, Timestamp};
use store::StoreError;

pub use state::{CodeDelivery, LoginFailure, LoginState, SignedInAs};
pub(crate) use table::LoginTable;
pub(crate) use watch::take_up;

use self::record::By;
use self::table::Login;
use self::turn::Turn;
use crate::pool::Pool;
use crate::roster::{RosterError, is_phone};

/// How someone wants to sign in.
#[derive(Debug, Clone)]
pub enum How {
    /// By a code to this phone number; without one, to that of the account.
    Phone(Option<SecretText>),
    /// By a QR code, which a Telegram app that is signed in scans.
    Qr,
}

/// What else is wanted of a login.
#[derive(Debug, Clone, Default)]
pub struct LoginOptions {
    /// Begin again where one is under way.
    pub restart: bool,
    /// What the session will be for; when empty, what no working session of the account is for.
    pub purposes: Vec<Purpose>,
}

/// Why a step of a login was not taken. The login is where it was.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error("there is no account {0}")]
    NoSuchAccount(AccountName),
    #[error("the account has no phone number; give one")]
    NoPhone,
    #[error("a phone number must be a + and 7 to 15 digits, such as +70000000001")]
    InvalidPhone,
    #[error("this is not the next step; {}", .0.advice())]
    NotNow(LoginState),
    #[error("not before {0}")]
    TooSoon(Timestamp),
    #[error(
        "Telegram has no other way for the code; wait for the one that was sent, or begin the sign-in again"
    )]
    NoOtherDelivery,
    #[error("Telegram cannot be asked now: {0}; try again")]
    Unreachable(String),
    #[error("{0}")]
    Password(String),
    /// The session could not be put to use. It is kept, and tried again.
    #[error(transparent)]
    Roster(#[from] RosterError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the program is ending")]
    Ending,
}

/// Signing in to accounts.
#[derive(Clone)]
pub struct Logins {
    pool: Arc<Pool>,
}

impl Pool {
    pub fn login(self: &Arc<Self>) -> Logins {
        Logins { pool: Arc::clone(self) }
    }
}

impl Logins {
    /// Begins to sign in. Where someone is at it already, returns how far they are.
    pub async fn start(
        &self,
        name: &AccountName,
        how: How,
        options: LoginOptions,
    ) -> Result<LoginState, LoginError> {
        let account = self.pool.get(name).ok_or_else(|| LoginError::NoSuchAccount(name.clone()))?;
        let by = match how {
            How::Qr => By::Qr,
            How::Phone(given) => {
                let phone =
                    given.or_else(|| account.definition().phone.clone()).ok_or(LoginError::NoPhone)?;
                let digits: String =
                    phone.expose_secret().chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
                if !is_phone(&digits) {
                    return Err(LoginError::InvalidPhone);
                }
                By::Phone { phone: digits }
            }
        };
        let login = self.pool.logins.of(name, &self.pool.running.closing);
        if self.pool.running.at_rest {
            watch::watch(&self.pool, &login);
        }
        self.turn(login, move |mut turn| async move { turn.start(by, options).await }).await
    }

    pub async fn submit_code(&self, name: &AccountName, code: SecretText) -> Result<LoginState, LoginError> {
        self.turn(self.find(name)?, move |mut turn| async move { turn.submit_code(code).await }).await
    }

    pub async fn submit_password(
        &self,
        name: &AccountName,
        password: SecretText,
    ) -> Result<LoginState, LoginError> {
        self.turn(self.find(name)?, move |mut turn| async move { turn.submit_password(password).await }).await
    }

    /// Answers whether the terms of service are accepted. Where they are not, the new session is signed out and the
    /// login comes to nothing.
    pub async fn answer_terms(&self, name: &AccountName, accepted: bool) -> Result<LoginState, LoginError> {
        self.turn(self.find(name)?, move |mut turn| async move { turn.answer_terms(accepted).await }).await
    }

    pub async fn resend(&self, name: &AccountName) -> Result<LoginState, LoginError> {
        self.turn(self.find(name)?, |mut turn| async move { turn.resend().await }).await
    }

    /// Gives it up. A session that was signed in for it meanwhile is signed out.
    pub async fn cancel(&self, name: &AccountName) -> Result<LoginState, LoginError> {
        self.turn(self.find(name)?, |mut turn| async move { turn.cancel().await }).await
    }

    pub fn state(&self, name: &AccountName) -> LoginState {
        self.pool.logins.get(name).map_or(LoginState::None, |login| login.state())
    }

    fn find(&self, name: &AccountName) -> Result<Arc<Login>, LoginError> {
        self.pool.get(name).ok_or_else(|| LoginError::NoSuchAccount(name.clone()))?;
        self.pool.logins.get(name).ok_or(LoginError::NotNow(LoginState::None))
    }

    /// Takes a step to its end, whether its caller stays or not. One step of a login at a time.
    async fn turn<F>(
        &self,
        login: Arc<Login>,
        step: impl FnOnce(Turn) -> F + Send + 'static,
    ) -> Result<LoginState, LoginError>
    where
        F: Future<Output = Result<(), LoginError>> + Send + 'static,
    {
        let pool = Arc::clone(&self.pool);
        let taken = ambient::run_detached(&self.pool.running.tasks, async move {
            let turn = Turn::of(pool, Arc::clone(&login)).await?;
            step(turn).await?;
            Ok(login.state())
        });
        taken.await.unwrap_or(Err(LoginError::Ending))
    }
}
