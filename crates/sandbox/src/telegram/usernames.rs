//! Usernames that are given up and taken by others.

use grammers_tl_types::{enums, types};

use super::methods::is_username;
use super::orders::{NewUsername, OutsideError, UserName};
use super::peer::Peer;
use super::render::Cast;
use super::state::State;
use super::world::{Telegram, now};

impl State {
    /// Gives a user another username, or none.
    pub(crate) fn rename(&mut self, name: &str, order: &NewUsername) -> Result<UserName, OutsideError> {
        let wanted = order.username.as_deref();
        if wanted.is_some_and(|wanted| !is_username(wanted)) {
            let rule = "username must be 4 to 32 letters, digits and inner underscores, a letter first";
            return Err(OutsideError::Invalid(rule.to_owned()));
        }
        let user = self.named_user(name)?;
        if self.account_of(user).is_some() {
            return Err(OutsideError::Invalid("an account keeps its username".to_owned()));
        }
        let holder = wanted.and_then(|wanted| self.by_username(wanted));
        if let (Some(wanted), Some(holder)) = (wanted, holder)
            && holder != Peer::User(user)
        {
            return Err(OutsideError::Taken(format!("the username \"{wanted}\"")));
        }
        self.name_person(user, wanted);
        let Some(person) = self.people.get(&user) else {
            return Err(OutsideError::NotFound(format!("user \"{name}\"")));
        };
        let active = |username: &String| {
            types::Username {
                editable: true,
                active: true,
                deletable: false,
                expired: false,
                username: username.clone(),
            }
            .into()
        };
        let update: enums::Update = types::UpdateUserName {
            user_id: user,
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone().unwrap_or_default(),
            usernames: person.username.iter().map(active).collect(),
        }
        .into();
        let acquainted: Vec<i64> = self
            .mailboxes
            .iter()
            .filter(|(_, mailbox)| mailbox.dialog(Peer::User(user)).is_some_and(|dialog| !dialog.hidden))
            .map(|(owner, _)| *owner)
            .collect();
        for owner in acquainted {
            self.tell(owner, vec![update.clone()], &Cast::of(Peer::User(user)), now(), None);
        }
        Ok(UserName { user_id: user, username: order.username.clone() })
    }
}

impl Telegram {
    /// Gives a user another username, or none. Accounts keep theirs.
    pub fn rename(&self, name: &str, order: &NewUsername) -> Result<UserName, OutsideError> {
        self.lock().rename(name, order)
    }
}
