//! Switching an account by hand: on, off, over, and out of work.

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
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str, parse_err_ty = UnknownAction, parse_err_fn = unknown)]
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
    /// Let it have its sessions, which another side of a move has given up.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account can be asked to start, stop, restart, pause, resume or open")]
pub struct UnknownAction;

domain::enum_words!(Action);

fn unknown(_: &str) -> UnknownAction {
    UnknownAction
}

impl Pool {
    /// Switches an account. It is kept over restarts.
    pub async fn act(&self, name: &AccountName, action: Action) -> Result<AccountView, ActError> {
        let account = self.get(name).ok_or_else(|| ActError::NoSuchAccount(name.clone()))?;
        if action == Action::Open {
            self.open_fenced(&account).await?;
            return Ok(AccountView::of(&account));
        }
        let switch = match action {
            Action::Start | Action::Restart | Action::Resume | Action::Open => Switch::On,
            Action::Stop => Switch::Stopped,
            Action::Pause => Switch::Paused,
        };
        if account.switch() != switch {
            self.store.accounts().save_switch(name, switch).await?;
            account.set_switch(switch);
        }
        match action {
            Action::Start | Action::Pause | Action::Resume | Action::Open => {
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
