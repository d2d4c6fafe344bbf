//! Accounts whose addresses a call named: none of them may lead into a private network.

use std::io;
use std::time::Duration;

use ambient::Clock;
use config::{ChannelFields, ProxyAddress};
use domain::secret::ExposeSecret;
use outbound::{AllowList, Allowed, Url, guard};

use crate::setup::SetupError;

/// The longest wait for the addresses of a name.
const RESOLVING: Duration = Duration::from_secs(5);

/// What an account of a caller may reach beside public addresses: nothing.
pub(crate) fn callers() -> Allowed {
    Allowed::new(AllowList::Channels, Vec::new())
}

/// Judges the addresses of an account that a call named, before it is written to the settings. They are judged again each time they
/// are dialled, so a name without an address passes here.
///
/// # Errors
/// The key of an address that the guard refuses.
pub async fn judge_named(fields: &ChannelFields, clock: &Clock) -> Result<(), SetupError> {
    if !fields.named_by_caller {
        return Ok(());
    }
    let named = [
        ("api", fields.api.as_deref()),
        ("proxy", fields.proxy.as_ref().map(ProxyAddress::expose)),
        ("smtp", fields.smtp.as_ref().map(ExposeSecret::expose_secret)),
        ("imap", fields.imap.as_ref().map(ExposeSecret::expose_secret)),
        ("smpp", fields.smpp.as_ref().map(ExposeSecret::expose_secret)),
    ];
    for (field, address) in named {
        let url = address.and_then(|address| Url::parse(address).ok());
        let Some(host) = url.as_ref().and_then(Url::host_str) else { continue };
        let host = host.trim_matches(['[', ']']);
        let refused = |why: &dyn std::fmt::Display| {
            Err(SetupError::Field { field, message: format!("is not dialled: {why}") })
        };
        if let Err(why) = guard::host(host, &callers()) {
            return refused(&why);
        }
        let found = clock.timeout(RESOLVING, guard::resolve(host, 0, &callers())).await;
        if let Ok(Err(why)) = found
            && why.kind() == io::ErrorKind::PermissionDenied
        {
            return refused(&why);
        }
    }
    Ok(())
}
