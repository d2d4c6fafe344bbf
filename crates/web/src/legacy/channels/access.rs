//! Who may call: with the key of the port, or from this machine and the networks that it names where it has none.

use ::channels::is_same;
use access::network_prefix;
use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use config::ChannelKind;
use domain::secret::ExposeSecret;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::Gate;
use super::refused::Refused;
use crate::auth::{
    self, ConnectionInfo, Demand, KeyRefusal, Meters, check_address, is_in, key_of_old_caller,
};
use crate::forms;

/// Lets a caller in, or says why not.
pub(super) async fn with_key(Shared(gate): Shared<Gate>, request: Request, next: Next) -> Response {
    match judge(&gate, &request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Lets a caller pass who has what a route demands, or says what is missing.
pub(super) async fn with_demand(
    Shared((gate, demand)): Shared<(Gate, Demand)>,
    request: Request,
    next: Next,
) -> Response {
    match check(&gate, demand, (request.headers(), request.uri())).await {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// On a port without a key of its own a known API key counts: what it may not do, it may not do here. The old callers sent
/// whatever headers they liked, so another text is as none, unless it has the form of a key.
pub(super) async fn check(gate: &Gate, demand: Demand, request: (&HeaderMap, &Uri)) -> Result<(), Refused> {
    if gate.port.key.is_some() {
        return Ok(());
    }
    let key = match key_of_old_caller(&gate.state, None, request).await {
        Ok(Some(key)) => key,
        Ok(None) | Err(KeyRefusal::Unknown(_)) => return Ok(()),
        Err(KeyRefusal::Refused(problem)) => return Err(problem.into()),
    };
    if !demand.scopes.are_held_by(&key) {
        let error = format!("the API key {} lacks the scope {}", key.id, demand.scopes.in_words());
        return Err(Refused::error(StatusCode::FORBIDDEN, error));
    }
    let account = gate.account()?;
    let limits = &key.limits;
    if !limits.chats.is_empty() || limits.channel_account(&account.channel, account.name()).is_err() {
        let error = format!("the API key {} may not use all of this port", key.id);
        return Err(Refused::error(StatusCode::FORBIDDEN, error));
    }
    Ok(())
}

fn judge(gate: &Gate, request: &Request) -> Result<(), Refused> {
    let forbidden = |error: String| Err(Refused::error(StatusCode::FORBIDDEN, error));
    let (headers, port) = (request.headers(), &gate.port);
    let via = request.extensions().get::<ConnectionInfo>().and_then(|via| via.peer);
    let address = via.map(|peer| gate.state.client_address(peer, headers));
    if let Some(address) = address {
        let inside = match port.allow_from.as_slice() {
            [] => port.key.is_some() || address.to_canonical().is_loopback(),
            networks => is_in(address, networks),
        };
        if !inside {
            return forbidden(format!("{address} may not call port {}; add it to allow_from", gate.name));
        }
        check_address(&gate.state, address)?;
    }
    let via = request.extensions().get::<ConnectionInfo>().copied();
    let is_hidden = via.is_some_and(|via| auth::is_hidden_by_a_proxy(&gate.state, via, headers));
    let Some(key) = &port.key else {
        // The address is that of a proxy, and so may anyone's be.
        if is_hidden {
            return forbidden(auth::HIDDEN_BY_A_PROXY.to_owned());
        }
        // Any page in a browser on this machine could call a port without a key.
        let options = gate.state.options();
        let public_url = options.examined.settings.public_url.as_deref();
        return auth::sign_of_page(headers, public_url, &ambient::machine_name()).map_or(Ok(()), forbidden);
    };
    let given = headers.get("x-api-key").map(HeaderValue::as_bytes).unwrap_or_default();
    if is_same(key.expose_secret().as_bytes(), given) {
        return Ok(());
    }
    let now = gate.state.clock().running();
    let failed = address.map(|address| {
        gate.state.meters().failures.take(network_prefix(address), Meters::of_failures(), now)
    });
    match failed {
        Some(Err(_)) => Err(Refused::error(StatusCode::TOO_MANY_REQUESTS, "too many wrong keys")),
        _ => Err(Refused::Key),
    }
}

/// Lets pages read the answer: those of any site, or of those that the form's account names.
pub(super) fn share(gate: &Gate, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    let allowed = match gate.account() {
        Ok(account) if gate.port.channel == ChannelKind::Form => {
            headers.insert(VARY, HeaderValue::from_static("Origin"));
            forms::allowed(account, origin)
        }
        _ => Some(HeaderValue::from_static("*")),
    };
    if let Some(allowed) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"),
        );
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("Content-Type, X-API-Key, Idempotency-Key"),
        );
    }
}
