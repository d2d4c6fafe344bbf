//! Switching an account by hand: on, off, over, and out of work.

use std::str::FromStr;

use domain::AccountName;
use store::{StoreError, Switch};

use crate::account::restrictions;
use crate::account::view::AccountView;
use crate::pool::Pool;

/// Why an account could not be switched.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error("there is no account {0}")]
    NoSuchAccount(AccountName),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What can be done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Connect it, if it is not.
    Start,
    /// Disconnect it, until it is started again.
    Stop,
    /// Disconnect and connect it, forgetting what it was kept from.
    Restart,
    /// Give it no more work, and keep it connected.
    Pause,
    /// Give it work again.
    Resume,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account can be asked to start, stop, restart, pause or resume")]
pub struct UnknownAction;

impl Action {
    pub const ALL: [Self; 5] = [Self::Start, Self::Stop, Self::Restart, Self::Pause, Self::Resume];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(UnknownAction)
    }
}

impl Pool {
    /// Switches an account. It is kept over restarts.
    pub async fn act(&self, name: &AccountName, action: Action) -> Result<AccountView, ActError> {
        let account = self.get(name).ok_or_else(|| ActError::NoSuchAccount(name.clone()))?;
        let switch = match action {
            Action::Start | Action::Restart | Action::Resume => Switch::On,
            Action::Stop => Switch::Stopped,
            Action::Pause => Switch::Paused,
        };
        if account.switch() != switch {
            self.store.accounts().save_switch(name, switch).await?;
            account.set_switch(switch);
        }
        match action {
            Action::Start | Action::Pause | Action::Resume => {
                account.lines().iter().for_each(|line| line.start());
            }
            Action::Stop => account.lines().iter().for_each(|line| line.stop()),
            Action::Restart => {
                restrictions::lift(&account.health, &self.store).await?;
                account.lines().iter().for_each(|line| line.restart());
            }
        }
        tracing::info!(account = %name, action = action.as_str(), "switched by hand");
        Ok(AccountView::of(&account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_by_name() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
        assert_eq!("explode".parse::<Action>(), Err(UnknownAction));
    }
}
