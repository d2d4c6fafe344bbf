//! The caller of a request, with the right that the handler's signature asks for.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{Right, network_prefix};
use axum::extract::FromRequestParts;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::{ApiKeyId, UserName};
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use media::shelf::Owner;
use percent_encoding::percent_decode;
use store::{Origin, Scope};

use super::actor::Actor;
use super::demand::{Demand, Needed, Scopes};
use super::key_cache::CachedKey;
use super::key_note::{KeyNote, Quota};
use super::meter::Meters;
use super::secret::{KEY_LETTERS, PREFIX, hash};
use super::witness::Witness;
use super::{last_use, reach};
use crate::extract::refuse_unknown_parameters;
use crate::files::Uploads;
use crate::fingerprint::Fingerprint;
use crate::idempotency;
use crate::problem::{Code, Problem, whole_seconds};
use crate::state::State;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// How the value of a header begins that has a name and a password in base64.
const BASIC: &[u8] = b"basic ";
/// Base64 with or without padding, and whatever bits are left at its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The way a request came in; each connection carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionInfo {
    pub(crate) listener: ListenerKind,
    /// The other end of the connection.
    pub(crate) peer: Option<IpAddr>,
    /// Whether it was encrypted on its way to this program.
    pub(crate) is_encrypted: bool,
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
    pub(super) key: Option<Arc<CachedKey>>,
    /// The user of the dashboard, if it is one.
    pub(crate) user: Option<UserName>,
    pub(crate) address: Option<IpAddr>,
    /// Whether it may do everything, whatever the request asks for.
    pub(crate) administers: bool,
    /// Whether it may decide about all messages, not about those of conversations with clients alone.
    pub(crate) decides: bool,
}

impl Caller {
    /// Its key, if that is limited to some accounts, chats or channels.
    pub(crate) fn limited(&self) -> Option<&Arc<CachedKey>> {
        self.key.as_ref().filter(|key| key.limits.is_limited())
    }

    /// Whether its key has these scopes, or it needs no key.
    pub(crate) fn has(&self, scopes: Scopes) -> bool {
        self.key.as_ref().is_none_or(|key| scopes.are_held_by(key))
    }

    /// Whether its key has all scopes of one of these sets, or it needs no key.
    pub(crate) fn has_one_of(&self, sets: &[Vec<Scope>]) -> bool {
        let holds = |key: &Arc<CachedKey>| sets.iter().any(|set| set.iter().all(|scope| key.may(*scope)));
        self.key.as_ref().is_none_or(holds)
    }

    /// Where what it asks for comes from.
    pub(crate) fn origin(&self, listener: &str) -> Origin {
        Origin { listener: listener.to_owned(), api_key: self.api_key, address: self.address }
    }

    /// What its `Idempotency-Key`, or a body that it repeats, is valid for.
    pub(crate) fn scope<'a>(&self, listener: &'a str, path: &'a str) -> idempotency::Scope<'a> {
        let repeats = self.key.as_ref().and_then(|key| key.repeats);
        idempotency::Scope { api_key: self.api_key, repeats, listener, path }
    }

    /// Whose its uploads are.
    pub(crate) fn owner(&self) -> Owner {
        let kind = match (&self.user, self.api_key) {
            (Some(_), _) => "user",
            (None, Some(_)) => "key",
            (None, None) => "machine",
        };
        Fingerprint::default().text(kind).text(&self.who()).finish()
    }

    /// The uploads that it may name, see and remove.
    pub(crate) fn uploads(&self) -> Uploads {
        if self.administers { Uploads::All } else { Uploads::Of(self.owner()) }
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
    pub(crate) fn requester_note(&self) -> String {
        let preposition = match (&self.user, self.api_key) {
            (Some(_), _) => "by",
            (None, Some(_)) => "with",
            (None, None) => "on",
        };
        format!("asked for {preposition} {}", self.who())
    }
}

/// A caller that has what `N` demands.
pub(crate) struct Authorized<N> {
    pub(crate) caller: Caller,
    needed: PhantomData<N>,
}

impl<N: Needed> FromRequestParts<State> for Authorized<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        authorize(parts, state, N::DEMAND).await.map(|caller| Self { caller, needed: PhantomData })
    }
}

/// The caller, if it has what is demanded. Boxed: each handler's future would contain this one, and be compiled with it.
fn authorize<'a>(
    parts: &'a mut Parts,
    state: &'a State,
    demand: Demand,
) -> BoxFuture<'a, Result<Caller, Problem>> {
    Box::pin(async move {
        let witness = parts.extensions.get::<Witness>().cloned().unwrap_or_default();
        // Only this program itself adds an actor or a caller: see `InProcessApi` and `mcp`.
        let caller = match (parts.extensions.get::<Actor>(), parts.extensions.get::<Caller>()) {
            (Some(actor), _) => admit(actor, demand, &witness)?,
            (None, Some(caller)) => within_scopes(caller.clone(), demand, &witness)?,
            (None, None) => within_scopes(identify(state, parts).await?, demand, &witness)?,
        };
        refuse_unknown_parameters(parts)?;
        if let Some(key) = caller.limited() {
            reach::check(state, key, parts).await?;
        }
        Ok(caller)
    })
}

/// A user of the dashboard, who may what their role may.
fn admit(actor: &Actor, demand: Demand, witness: &Witness) -> Result<Caller, Problem> {
    let right = demand.right;
    let caller = Caller {
        api_key: None,
        key: None,
        user: Some(actor.user.clone()),
        address: actor.address,
        administers: access::may(actor.role, Right::Administer),
        decides: access::may(actor.role, Right::Send),
    };
    witness.saw(&caller, demand);
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

/// Who asks, by the connection or by their key, which counts the request.
pub(crate) async fn identify(state: &State, parts: &Parts) -> Result<Caller, Problem> {
    let (headers, via) = (&parts.headers, parts.extensions.get::<ConnectionInfo>().copied());
    if via.is_some_and(|via| via.listener == ListenerKind::Control) {
        let (administers, decides) = (true, true);
        return Ok(Caller { api_key: None, key: None, user: None, address: None, administers, decides });
    }
    let address = via.and_then(|via| via.peer).map(|peer| state.client_address(peer, headers));
    if let Some(address) = address {
        check_address(state, address)?;
    }
    let note = parts.extensions.get::<KeyNote>().cloned().unwrap_or_default();
    let Some(key) = present_key(state, address, headers, &note).await? else {
        return Err(Problem::new(
            Code::Unauthorized,
            "Send an API key in the header X-API-Key, or as Authorization: Bearer; `switchboard key create` makes one.",
        ));
    };
    Ok(Caller {
        api_key: Some(key.id),
        user: None,
        address,
        administers: key.may(Scope::Admin),
        decides: true,
        key: Some(key),
    })
}

/// Lets a caller pass whose key has these scopes, or who needs no key.
fn within_scopes(caller: Caller, demand: Demand, witness: &Witness) -> Result<Caller, Problem> {
    witness.saw(&caller, demand);
    match &caller.key {
        Some(key) if !caller.has(demand.scopes) => {
            let (words, options) = (demand.scopes.in_words(), demand.scopes.options());
            let detail = format!(
                "The API key {} lacks the scope {words}; make another key: switchboard key create {options}.",
                key.id
            );
            Err(Problem::new(Code::ForbiddenScope, detail))
        }
        _ => Ok(caller),
    }
}

/// Counts a request of this address, if the settings limit them.
pub(crate) fn check_address(state: &State, address: IpAddr) -> Result<(), Problem> {
    let now = state.clock().running();
    let Some(pace) = state.meters().per_address else { return Ok(()) };
    let taken = state.meters().addresses.take(network_prefix(address), pace, now);
    taken.map(drop).map_err(|wait| too_many("this address", wait))
}

/// Lets a key pass that works still and asks no more than it may.
fn check_key(
    state: &State,
    key: Arc<CachedKey>,
    address: Option<IpAddr>,
    note: &KeyNote,
) -> Result<Arc<CachedKey>, Problem> {
    let now = state.clock().now();
    if let Some(end) = key.expires_at.filter(|_| key.is_expired(now)) {
        let detail = format!(
            "The API key {} worked until {}; make another: switchboard key create, or give it more time: switchboard key change.",
            key.id,
            end.to_the_second()
        );
        return Err(Problem::new(Code::KeyExpired, detail));
    }
    if let Some(pace) = key.pace.or(state.meters().per_key) {
        let taken = state.meters().keys.take(key.id, pace, state.clock().running());
        let (left, whole_in) = match taken {
            Ok(left) => (left.events, left.whole_in),
            Err(wait) => (0, pace.window().saturating_add(wait)),
        };
        note.say(Some(Quota { pace, left, whole_in }), key.expires_at, now);
        taken.map_err(|wait| too_many("this API key", wait))?;
    } else {
        note.say(None, key.expires_at, now);
    }
    last_use::note(state, key.id, address);
    Ok(key)
}

/// A wrong key. Callers with wrong keys are slowed down: a right key always works, no matter who else shares its address.
fn wrong_key(state: &State, address: Option<IpAddr>) -> Problem {
    let now = state.clock().running();
    let meters = state.meters();
    match address.map(|address| meters.failures.take(network_prefix(address), Meters::of_failures(), now)) {
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

/// Why the key of a request does not count.
#[derive(Debug)]
pub(crate) enum KeyRefusal {
    /// There is no such key.
    Unknown(Problem),
    /// There is one, and it is refused; or it cannot be looked up now.
    Refused(Problem),
}

impl From<KeyRefusal> for Problem {
    fn from(refusal: KeyRefusal) -> Self {
        match refusal {
            KeyRefusal::Unknown(problem) | KeyRefusal::Refused(problem) => problem,
        }
    }
}

/// The valid key of a request, if it brings one at all.
async fn present_key(
    state: &State,
    address: Option<IpAddr>,
    headers: &HeaderMap,
    note: &KeyNote,
) -> Result<Option<Arc<CachedKey>>, KeyRefusal> {
    let Some(text) = key_text(headers) else { return Ok(None) };
    let hash = hash(text);
    let mut known = state.keys().remembered(&hash);
    if known.is_none() {
        let found = state.keys().look_up(state.store(), hash).await;
        known = found.map_err(|error| KeyRefusal::Refused(error.into()))?;
    }
    match known {
        Some(key) => check_key(state, key, address, note).map(Some).map_err(KeyRefusal::Refused),
        // It was one: a revoked key gives no more than it did.
        None if text.starts_with(PREFIX) => Err(KeyRefusal::Refused(wrong_key(state, address))),
        None => Err(KeyRefusal::Unknown(wrong_key(state, address))),
    }
}

/// The same for a port of old callers, who send whatever they like. A request without a valid key is refused if something in its
/// headers or its query has the form of a key: it may be one that was revoked.
pub(crate) async fn key_of_old_caller(
    state: &State,
    address: Option<IpAddr>,
    (headers, uri): (&HeaderMap, &Uri),
) -> Result<Option<Arc<CachedKey>>, KeyRefusal> {
    match present_key(state, address, headers, &KeyNote::default()).await {
        Ok(None) | Err(KeyRefusal::Unknown(_)) if has_form_of_key(headers, uri) => {
            Err(KeyRefusal::Refused(wrong_key(state, address)))
        }
        found => found,
    }
}

fn has_form_of_key(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut texts = headers.values().map(HeaderValue::as_bytes).chain(uri.query().map(str::as_bytes));
    texts.any(|text| {
        let decoded: Vec<u8> = percent_decode(text).collect();
        let pair =
            decoded.split_at_checked(BASIC.len()).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BASIC));
        let pair = pair.and_then(|(_, pair)| LENIENT.decode(pair.trim_ascii()).ok());
        names_a_key(&decoded)
            || pair.is_some_and(|pair| names_a_key(&percent_decode(&pair).collect::<Vec<u8>>()))
    })
}

/// Whether a text has something that begins as a key, or a whole key whose `_` became a `-`.
fn names_a_key(text: &[u8]) -> bool {
    let (word, own) = PREFIX.as_bytes().split_at(PREFIX.len() - 1);
    let is_key = |part: &[u8]| match part.split_at_checked(word.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(word) => {
            let letters = || rest.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
            rest.starts_with(own) || (rest.starts_with(b"-") && letters() >= KEY_LETTERS)
        }
        _ => false,
    };
    (0..text.len()).any(|start| text.get(start..).is_some_and(is_key))
}

/// What the request says is its key.
///
/// Of two, the one in the form of a key counts: callers of old ports send whatever they like in the other.
fn key_text(headers: &HeaderMap) -> Option<&str> {
    // Not text: no key is like that, and a hash of nothing finds nothing.
    let given = headers.get(API_KEY).map(|value| value.to_str().unwrap_or_default().trim());
    let bearer = headers.get(AUTHORIZATION).map(|value| {
        let value = value.to_str().unwrap_or_default();
        let (scheme, key) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" }
    });
    let is_key = |text: &&str| text.starts_with(PREFIX);
    given.filter(is_key).or(bearer.filter(is_key)).or(given).or(bearer)
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
        let both = |given: &'static str, bearer: &'static str| {
            let mut both = headers(API_KEY, given);
            both.extend(headers(AUTHORIZATION, bearer));
            key_text(&both).map(str::to_owned)
        };
        assert_eq!(both("junk", "Bearer swb_b").as_deref(), Some("swb_b"));
        assert_eq!(both("swb_a", "Bearer swb_b").as_deref(), Some("swb_a"));
        assert_eq!(both("junk", "Bearer other").as_deref(), Some("junk"));
    }

    #[test]
    fn a_key_is_recognized_in_whatever_form_it_comes() {
        let has = |name: &'static str, value: &'static str, uri: &str| {
            let line = (HeaderName::from_static(name), HeaderValue::from_static(value));
            has_form_of_key(&HeaderMap::from_iter([line]), &uri.parse().expect("an address"))
        };
        for (name, value, uri) in [
            ("authorization", "swb_a", "/"),
            ("authorization", "Basic swb_a", "/"),
            ("authorization", "Token swb_a", "/"),
            ("x-api-key", "\"swb_a\"", "/"),
            ("x-api-key", "SWB_A", "/"),
            ("x-token", "swb_a", "/"),
            ("accept", "*/*", "/send?api_key=swb_a"),
            ("accept", "*/*", "/send?api_key=swb%5fa"),
            ("x-api-key", "%53WB%5FA", "/"),
            ("x-api-key", "swb-aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd", "/"),
            // `swb_a:`, `:swb_a` and `:swb%5Fa`.
            ("authorization", "Basic c3diX2E6", "/"),
            ("proxy-authorization", "basic  OnN3Yl9h", "/"),
            ("authorization", "Basic OnN3YiU1RmE", "/"),
        ] {
            assert!(has(name, value, uri), "{name}: {value} {uri}");
        }
        assert!(!has("x-api-key", "swb", "/swb_a?text=swb"));
        // `shop:secret`, and the name of a machine.
        assert!(!has("authorization", "Basic c2hvcDpzZWNyZXQ=", "/?text=%5f"));
        assert!(!has("host", "swb-1.lan", "/"));
        let mut two = HeaderMap::new();
        two.append(API_KEY, HeaderValue::from_static("junk"));
        two.append(API_KEY, HeaderValue::from_static("swb_a"));
        assert!(has_form_of_key(&two, &Uri::from_static("/")));
    }
}
