//! Who may call a legacy port: callers from this machine, from the networks in `allow_from`, or with a key.

use std::net::IpAddr;
use std::sync::Arc;

use config::LegacyPort;
use http::StatusCode;
use http::request::Parts;
use store::Scope;

use super::Gate;
use super::answer::Answer;
use crate::auth::{self, CachedKey, ConnectionInfo, KeyRefusal, check_address, is_in, key_of_old_caller};
use crate::problem::Problem;

#[derive(Debug)]
pub(super) struct Guest {
    pub(super) address: Option<IpAddr>,
    pub(super) key: Option<Arc<CachedKey>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Welcome,
    WithKey,
    /// It may not call at all.
    Never,
}

fn judge(port: &LegacyPort, address: Option<IpAddr>) -> Verdict {
    let inside = match address {
        None => true,
        Some(address) if port.allow_from.is_empty() => {
            address.to_canonical().is_loopback() || port.key_required
        }
        Some(address) => is_in(address, &port.allow_from),
    };
    match (inside, port.key_required, port.allow_from.is_empty()) {
        (true, false, _) => Verdict::Welcome,
        (true, true, _) | (false, _, true) => Verdict::WithKey,
        (false, _, false) => Verdict::Never,
    }
}

/// What a caller with an API key wants to do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    Send,
    /// See the accounts and how they are.
    Look,
    /// Let the accounts read their dialogs again.
    Reload,
}

impl Aim {
    /// The scopes of which its key needs one.
    const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Send => &[Scope::Send],
            Self::Look => &[Scope::Read],
            Self::Reload => &[Scope::Send, Scope::Read, Scope::Operate],
        }
    }
}

/// Lets a caller in, or says why not. A known key counts wherever the call comes from: what it may not do, it may not do here.
pub(super) async fn admit(gate: &Gate, parts: &Parts, aim: Aim) -> Result<Guest, Answer> {
    let (via, headers) = (parts.extensions.get::<ConnectionInfo>().copied(), &parts.headers);
    let address = via.and_then(|via| via.peer).map(|peer| gate.state.client_address(peer, headers));
    let judged = judge(&gate.port, address);
    // The address is that of a proxy, and anyone may be behind it.
    let is_hidden = judged == Verdict::Welcome
        && via.is_some_and(|via| auth::is_hidden_by_a_proxy(&gate.state, via, headers));
    let verdict = if is_hidden { Verdict::WithKey } else { judged };
    if verdict == Verdict::Never {
        let address = address.map_or_else(|| "this address".to_owned(), |address| address.to_string());
        return Err(Answer::error(
            StatusCode::FORBIDDEN,
            format!("{address} is not in allow_from of port {}; add it to the settings", gate.name),
        ));
    }
    if let Some(address) = address {
        check_address(&gate.state, address)?;
    }
    let key = match key_of_old_caller(&gate.state, address, (headers, &parts.uri)).await {
        Ok(key) => key,
        // The old callers sent whatever headers they liked.
        Err(KeyRefusal::Unknown(_)) if verdict == Verdict::Welcome => None,
        Err(refusal) => return Err(Problem::from(refusal).into()),
    };
    // The body is read whatever its type, so any page in a browser on this machine could send one to a port without a key.
    let options = gate.state.options();
    let public_url = options.examined.settings.public_url.as_deref();
    if key.is_none()
        && let Some(sign) = auth::sign_of_page(headers, public_url, &ambient::machine_name())
    {
        return Err(Answer::error(StatusCode::FORBIDDEN, sign));
    }
    match key {
        None if is_hidden => Err(Answer::error(StatusCode::FORBIDDEN, auth::HIDDEN_BY_A_PROXY)),
        None if verdict == Verdict::WithKey => Err(Answer::error(
            StatusCode::UNAUTHORIZED,
            "an API key is needed here; send it in the header X-API-Key",
        )),
        Some(key) if !aim.scopes().iter().any(|scope| key.may(*scope)) => {
            let words: Vec<&str> = aim.scopes().iter().map(|scope| scope.as_str()).collect();
            let error = format!("the API key {} lacks the scope {}", key.id, words.join(" or "));
            Err(Answer::error(StatusCode::FORBIDDEN, error))
        }
        key => Ok(Guest { address, key }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Service;

    fn port(allow_from: &[&str], key_required: bool) -> LegacyPort {
        LegacyPort {
            port: 5022,
            service: Service::SendText,
            listen: "127.0.0.1".parse().expect("an address"),
            account: None,
            allow_from: allow_from.iter().map(|network| network.parse().expect("a network")).collect(),
            key_required,
            invite_callback_url: None,
            repeats: None,
        }
    }

    #[test]
    fn the_network_decides_and_then_the_key() {
        let open = port(&[], false);
        let listed = port(&["10.0.0.0/8"], false);
        let keyed = port(&[], true);
        let both = port(&["10.0.0.0/8"], true);
        for (port, address, verdict) in [
            (&open, "127.0.0.1", Verdict::Welcome),
            (&open, "::1", Verdict::Welcome),
            (&open, "10.1.2.3", Verdict::WithKey),
            (&listed, "10.1.2.3", Verdict::Welcome),
            (&listed, "::ffff:10.1.2.3", Verdict::Welcome),
            (&listed, "127.0.0.1", Verdict::Never),
            (&keyed, "127.0.0.1", Verdict::WithKey),
            (&keyed, "192.0.2.1", Verdict::WithKey),
            (&both, "10.1.2.3", Verdict::WithKey),
            (&both, "192.0.2.1", Verdict::Never),
        ] {
            let judged = judge(port, Some(address.parse().expect("an address")));
            assert_eq!(judged, verdict, "{address} {port:?}");
        }
    }
}
