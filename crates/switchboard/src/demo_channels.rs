//! The channels of the demo world, connected as their owner would: by a call, or in the pages of the provider.

use channels::{CallError, Reception};
use domain::secret::ExposeSecret;

/// Has every provider of the demo world post to this program.
pub(crate) async fn connect(reception: &Reception, world: &sandbox::Running) {
    for account in reception.channels().all() {
        let Some(url) = reception.hook_url(account) else { return };
        let registered = account.provider.register(&url).await;
        let is_by_hand = match &registered {
            Ok(()) => account.provider.registered().is_none(),
            Err(error) => matches!(error, CallError::Refused { code, .. } if code == "by_hand"),
        };
        let connected = if is_by_hand && account.provider.poll(None).is_some() {
            // It is asked, and has no address to post to.
            Ok(())
        } else if is_by_hand {
            let verify_token = account.fields.verify_token.as_ref().map(ExposeSecret::expose_secret);
            world.type_hook(account.channel.as_str(), account.name().as_str(), &url, verify_token).await
        } else {
            registered.map_err(|error| error.to_string())
        };
        if let Err(error) = connected {
            tracing::warn!(account = %account.name(), error, "a channel of the demo is not connected");
        }
    }
}
