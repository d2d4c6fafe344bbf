//! The caller of a request, with the right that the handler's signature asks for.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

use access::{Right, network_prefix};
use axum::extract::FromRequestParts;
use domain::{ApiKeyId, UserName};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use store::{Origin, Scope};

use super::actor::Actor;
use super::key_cache::CachedKey;
use super::secret::hash;
use crate::audit::Witness;
use crate::idempotency;
use crate::problem::{Code, Problem, whole_seconds};
use crate::state::State;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The way a request came in; each connection carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionInfo {
    pub(crate) listener: ListenerKind,
    /// The other end of the connection.
    pub(crate) peer: Option<IpAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListenerKind {
    Port,
    /// The control socket: only the owner of the data directory can open it.
    Control,
}

/// Anyone who is allowed to make the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) api_key: Option<ApiKeyId>,
    /// How long the same body from this key is a repeat.
    pub(crate) repeats: Option<Duration>,
    /// The user of the dashboard, if it is one.
    pub(crate) user: Option<UserName>,
    pub(crate) address: Option<IpAddr>,
    /// Whether it may do everything, whatever the request asks for.
    pub(crate) administers: bool,
}

impl Caller {
    /// Where what it asks for comes from.
    pub(crate) fn origin(&self, listener: &str) -> Origin {
        Origin { listener: listener.to_owned(), api_key: self.api_key, address: self.address }
    }

    /// What its `Idempotency-Key`, or a body that it repeats, is valid for.
    pub(crate) const fn scope<'a>(&self, listener: &'a str, path: &'a str) -> idempotency::Scope<'a> {
        idempotency::Scope { api_key: self.api_key, repeats: self.repeats, listener, path }
    }

    /// The name of the user, the id of the key, or this machine: as it is shown beside what they made.
    pub(crate) fn who(&self) -> String {
        match (&self.user, self.api_key) {
            (Some(user), _) => user.to_string(),
            (None, Some(key)) => key.to_string(),
            (None, None) => "this machine".to_owned(),
        }
    }

    /// Who asked for a change, for the history of what is changed.
    pub(crate) fn asked_for(&self) -> String {
        let preposition = match (&self.user, self.api_key) {
            (Some(_), _) => "by",
            (None, Some(_)) => "with",
            (None, None) => "on",
        };
        format!("asked for {preposition} {}", self.who())
    }
}

/// What a call takes, as a type, for the signatures of handlers.
pub(crate) trait Needed {
    const SCOPE: Scope;
    /// Of a user of the dashboard.
    const RIGHT: Right;
}

/// The types that stand for what a call takes.
macro_rules! needed {
    ($($(#[$doc:meta])* $name:ident = $scope:ident, $right:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Needed for $name {
            const SCOPE: Scope = Scope::$scope;
            const RIGHT: Right = Right::$right;
        }
    )*};
}

needed! {
    /// May look.
    CanRead = Read, Look;
    /// May send messages.
    CanSend = Send, Send;
    /// May keep it running.
    CanOperate = Admin, Operate;
    /// May add, change and remove accounts.
    CanArrangeAccounts = Admin, ArrangeAccounts;
    /// May take sessions out.
    CanExportSessions = Admin, ExportSessions;
    /// May change alert targets.
    CanArrangeAlerts = Admin, ArrangeAlerts;
    /// May see, make and revoke API keys.
    CanManageKeys = Admin, ManageKeys;
    /// May see and change users.
    CanManagePeople = Admin, ManagePeople;
    /// May read the audit log.
    CanReadAudit = Admin, ReadAudit;
    /// May do everything.
    CanAdminister = Admin, Administer;
}

/// A caller that has what `N` takes.
pub(crate) struct Authorized<N> {
    pub(crate) caller: Caller,
    needed: PhantomData<N>,
}

impl<N: Needed> FromRequestParts<State> for Authorized<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let via = parts.extensions.get::<ConnectionInfo>().copied();
        let witness = parts.extensions.get::<Witness>().cloned().unwrap_or_default();
        let caller = match parts.extensions.get::<Actor>() {
            // Only this program itself adds one: see `InProcessApi`.
            Some(actor) => admit(actor, N::RIGHT, &witness)?,
            None => authorize(state, via, &parts.headers, N::SCOPE, &witness).await?,
        };
        Ok(Self { caller, needed: PhantomData })
    }
}

/// A user of the dashboard, who may what their role may.
fn admit(actor: &Actor, right: Right, witness: &Witness) -> Result<Caller, Problem> {
    let caller = Caller {
        api_key: None,
        repeats: None,
        user: Some(actor.user.clone()),
        address: actor.address,
        administers: access::may(actor.role, Right::Administer),
    };
    witness.saw(&caller);
    if !access::may(actor.role, right) {
        let detail = format!(
            "{} is {}; this takes the role {}. An admin can give it: switchboard user role {} {}.",
            actor.user,
            actor.role.as_str(),
            right.least().as_str(),
            actor.user,
            right.least().as_str()
        );
        return Err(Problem::new(Code::ForbiddenRole, detail));
    }
    Ok(caller)
}

async fn authorize(
    state: &State,
    via: Option<ConnectionInfo>,
    headers: &HeaderMap,
    scope: Scope,
    witness: &Witness,
) -> Result<Caller, Problem> {
    if via.is_some_and(|via| via.listener == ListenerKind::Control) {
        let caller = Caller { api_key: None, repeats: None, user: None, address: None, administers: true };
        witness.saw(&caller);
        return Ok(caller);
    }
    let address = via.and_then(|via| via.peer).map(|peer| state.client_address(peer, headers));
    if let Some(address) = address {
        check_address(state, address)?;
    }
    let Some(key) = present_key(state, address, headers).await? else {
        return Err(Problem::new(
            Code::Unauthorized,
            "Send an API key in the header X-API-Key, or as Authorization: Bearer; `switchboard key create` makes one.",
        ));
    };
    let caller = Caller {
        api_key: Some(key.id),
        repeats: key.repeats,
        user: None,
        address,
        administers: key.may(Scope::Admin),
    };
    witness.saw(&caller);
    if !key.may(scope) {
        return Err(Problem::new(
            Code::ForbiddenScope,
            format!(
                "The API key {} has no scope {:?}; make one with it: switchboard key create --scope {}.",
                key.id,
                scope.as_str(),
                scope.as_str()
            ),
        ));
    }
    Ok(caller)
}

/// Counts a request of this address, if the settings limit them.
pub(crate) fn check_address(state: &State, address: IpAddr) -> Result<(), Problem> {
    let now = state.clock().running();
    match state.meters().addresses.as_ref().map(|meter| meter.take(network_prefix(address), now)) {
        Some(Err(wait)) => Err(too_many("this address", wait)),
        _ => Ok(()),
    }
}

/// Counts a request with this key, if the settings limit them.
fn check_key(state: &State, key: CachedKey) -> Result<CachedKey, Problem> {
    let now = state.clock().running();
    match state.meters().keys.as_ref().map(|meter| meter.take(key.id, now)) {
        Some(Err(wait)) => Err(too_many("this API key", wait)),
        _ => Ok(key),
    }
}

/// A wrong key. Callers with wrong keys are slowed down: a right key always works, no matter who else shares its address.
fn wrong_key(state: &State, address: Option<IpAddr>) -> Problem {
    let now = state.clock().running();
    match address.map(|address| state.meters().failures.take(network_prefix(address), now)) {
        Some(Err(wait)) => Problem::new(
            Code::RateLimited,
            "Too many wrong API keys came from this address; wait a little and check the key.",
        )
        .retry_after(whole_seconds(wait)),
        _ => Problem::new(
            Code::Unauthorized,
            "The API key is not known or was revoked; `switchboard key list` shows those there are.",
        ),
    }
}

fn too_many(whose: &str, wait: Duration) -> Problem {
    let seconds = whole_seconds(wait);
    let detail = format!("{whose} made too many requests; the next is taken in {seconds} s.");
    Problem::new(Code::RateLimited, detail).retry_after(seconds)
}

/// The valid key of a request, if it brings one at all; a wrong one is a problem.
pub(crate) async fn present_key(
    state: &State,
    address: Option<IpAddr>,
    headers: &HeaderMap,
) -> Result<Option<CachedKey>, Problem> {
    let Some(text) = key_text(headers) else { return Ok(None) };
    let hash = hash(text);
    if let Some(known) = state.keys().remembered(&hash) {
        return check_key(state, known).map(Some);
    }
    match state.keys().look_up(state.store(), hash).await? {
        Some(found) => check_key(state, found).map(Some),
        None => Err(wrong_key(state, address)),
    }
}

/// What the request says is its key.
fn key_text(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(API_KEY) {
        // Not text: no key is like that, and a hash of nothing finds nothing.
        return Some(value.to_str().unwrap_or_default().trim());
    }
    let value = headers.get(AUTHORIZATION)?.to_str().unwrap_or_default();
    let (scheme, key) = value.split_once(' ').unwrap_or((value, ""));
    Some(if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_in_either_header() {
        let headers = |name: HeaderName, value: &'static str| {
            HeaderMap::from_iter([(name, http::HeaderValue::from_static(value))])
        };
        assert_eq!(key_text(&HeaderMap::new()), None);
        assert_eq!(key_text(&headers(API_KEY, " swb_a ")), Some("swb_a"));
        assert_eq!(key_text(&headers(AUTHORIZATION, "bearer swb_a")), Some("swb_a"));
        assert_eq!(key_text(&headers(AUTHORIZATION, "Basic swb_a")), Some(""));
        assert_eq!(key_text(&headers(AUTHORIZATION, "swb_a")), Some(""));
    }
}
