//! Forms that were refused: they are kept, and a person corrects them and takes them in.

use std::sync::Arc;

use domain::FailedRequestId;
use serde_json::{Map, Value};
use store::FailedRequest;

use super::{HookError, Reception, TakenHook};
use crate::accounts::Account;
use crate::form;
use crate::nature::{Nature, Posts};
use crate::provider::HookPost;

impl Reception {
    /// Keeps a form that is refused, so that a person can correct it.
    pub(super) async fn keep_form(&self, account: &Account, post: &HookPost, why: &str) {
        if Nature::named(account.channel.as_str()).posts != Posts::Only {
            return;
        }
        let Some(fields) = form::kept(post) else { return };
        let id = FailedRequestId::from_uuid(self.ids.next());
        let kept = (form::endpoint(account.name()), fields, why.to_owned());
        let now = self.channels.clock().now();
        if let Err(error) = self.store.failed_requests().keep_form(id, kept, now).await {
            tracing::warn!(account = %account.name(), %error, "a form that was refused cannot be kept");
        }
    }

    /// Takes in a form that was refused and kept, with what a person corrected of it. None where it is no form of an account here.
    ///
    /// # Errors
    /// As [`Reception::hook`].
    pub async fn take_kept_form(
        &self,
        kept: &FailedRequest,
        corrected: Map<String, Value>,
    ) -> Option<Result<TakenHook, HookError>> {
        let name = form::account_of(&kept.endpoint).filter(|_| kept.service.is_none())?;
        let account = Arc::clone(self.channels.get(&name)?);
        let post = form::corrected(&kept.payload, corrected, &kept.id.to_string());
        Some(self.read_post(&account, &post).await)
    }
}
