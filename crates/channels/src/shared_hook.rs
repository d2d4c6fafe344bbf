//! For which account a post is. One registered address may be of several accounts of an app: each takes what is for it.

use std::fmt::Display;
use std::sync::Arc;

use domain::AccountName;
use domain::secret::ExposeSecret;

use crate::accounts::Account;
use crate::provider::{HookAnswer, HookPost, HookRefusal};
use crate::reception::{HookError, Reception};

/// Checks that the account that a post names is ours at the provider. All channels judge by this rule.
///
/// # Errors
/// It names another account, or it is not known yet which one is ours.
pub(crate) fn check_addressee<T: PartialEq + Display>(
    account: &AccountName,
    own: Option<T>,
    named: &T,
) -> Result<(), HookRefusal> {
    match own {
        Some(own) if own == *named => Ok(()),
        Some(own) => Err(HookRefusal::OtherAccount(format!("{named} instead of {own}"))),
        None => Err(HookRefusal::NotYet(account.to_string())),
    }
}

impl Reception {
    /// Takes a post to the address of `first`. Accounts of another app refuse it: it is not signed for them.
    ///
    /// # Errors
    /// No account takes it; where one does not know its id yet, it may be for that one, and is to be posted again.
    pub(crate) async fn take_shared(
        &self,
        first: &Arc<Account>,
        post: &HookPost,
    ) -> Result<HookAnswer, HookError> {
        let siblings = self.channels().of(&first.channel).filter(|other| is_of_app(other, first));
        let accounts: Vec<_> = siblings.cloned().collect();
        let is_alone = accounts.len() == 1;
        let (mut taken, mut refused, mut unknown) = (None, None, None);
        for account in accounts {
            if !is_alone && account.provider.own_id().is_none() {
                unknown = Some(HookRefusal::NotYet(account.name().to_string()));
                continue;
            }
            match self.take_post(&account, &mut post.clone()).await {
                Ok(took) => taken = Some(took.answer),
                // What the account of the address says is the answer, unless another one takes it.
                Err(HookError::Refused(why)) if account.name() == first.name() => refused = Some(why),
                Err(HookError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let why = match refused {
            Some(HookRefusal::OtherAccount(_)) | None => unknown.or(refused),
            refused => refused,
        };
        taken.ok_or_else(|| why.map_or(HookError::NoSuchAddress, HookError::Refused))
    }
}

/// Whether two accounts have a secret of an app in common.
pub(crate) fn is_of_app(one: &Account, other: &Account) -> bool {
    let secrets = |account: &Account| -> Vec<String> {
        let given = account.fields.app_secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        given.unwrap_or_default().split(',').map(|secret| secret.trim().to_owned()).collect()
    };
    let others = secrets(other);
    one.name() == other.name()
        || secrets(one).iter().any(|secret| !secret.is_empty() && others.contains(secret))
}
