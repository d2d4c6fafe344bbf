//! Forms that were refused, or came too fast: they are kept, and a person corrects them and takes them in.

use std::sync::Arc;

use domain::FailedRequestId;
use serde_json::{Map, Value};
use store::FailedRequest;

use super::{HookError, Reception, TakenHook};
use crate::accounts::Account;
use crate::form;
use crate::nature::{Nature, Posts};
use crate::provider::{HookPost, HookRefusal};

/// Why a form without a fault waits.
const SURPLUS: &str = "its address sent too many forms in a minute";

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

    /// Keeps a form that came when its address had sent too many, so that a person can take it in.
    pub async fn keep_surplus_form(&self, account: &Account, post: &HookPost) {
        // A page that may not send forms leaves none.
        if matches!(account.provider.hook(post), Err(HookRefusal::NotGenuine)) {
            return;
        }
        self.keep_form(account, post, SURPLUS).await;
    }

    /// Notes that a page sent a form again that was kept, and that it is taken in now.
    pub(super) async fn settle_form(&self, account: &Account, post: &HookPost) {
        if Nature::named(account.channel.as_str()).posts != Posts::Only {
            return;
        }
        let Some(fields) = form::kept(post) else { return };
        let requests = self.store.failed_requests();
        let settled = match requests.known_form(form::endpoint(account.name()), fields).await {
            Ok(None) => return,
            Ok(Some(id)) => requests.form_retried(id, None, self.channels.clock().now()).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            tracing::warn!(account = %account.name(), %error, "a kept form that was taken in still waits");
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
