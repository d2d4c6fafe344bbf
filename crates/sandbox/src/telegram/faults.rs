//! The fault dial: which calls go wrong, and how. Pure; chance comes from the world's seed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::identities::mix;
use super::rpc::{RpcError, bad_request, not_acceptable, unauthorized};

/// A fault as it is ordered and as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    /// `telegram`, or `web_k` for what only its page shows.
    #[serde(default = "telegram")]
    pub provider: String,
    /// An account's name; none means any caller.
    #[serde(default)]
    pub account: Option<String>,
    /// As in TL; none means any method.
    #[serde(default)]
    pub method: Option<String>,
    pub fault: FaultName,
    /// For `flood_wait` (whole), `delay`, `slow` and `silent_wait`.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// How often it strikes; none means until it is deleted.
    #[serde(default)]
    pub times: Option<u32>,
    /// How likely it strikes; none means always.
    #[serde(default)]
    pub probability: Option<f64>,
    /// For `rpc_error`.
    #[serde(default)]
    pub code: Option<i32>,
    /// For `rpc_error`; of `renamed` the class or id.
    #[serde(default)]
    pub message: Option<String>,
    /// For `unreadable`: whether the effect happens all the same; none means no.
    #[serde(default)]
    pub effect: Option<bool>,
}

fn telegram() -> String {
    "telegram".to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultName {
    /// 420 `FLOOD_WAIT_n`.
    FloodWait,
    /// 400 `PEER_FLOOD`.
    PeerFlood,
    /// 401 `USER_DEACTIVATED_BAN`.
    Banned,
    /// 401 `SESSION_REVOKED`.
    SessionRevoked,
    /// 406 `AUTH_KEY_DUPLICATED`.
    AuthKeyDuplicated,
    /// An error of your choice.
    RpcError,
    /// The effect happens, the answer never comes.
    DropAnswer,
    /// The connection is cut after the effect.
    Disconnect,
    /// The connection is cut before the effect.
    DisconnectBefore,
    /// The effect and its answer come late.
    Delay,
    /// The connection stays, nothing is done or answered.
    Deaf,
    /// The answer is of an unknown kind. With `effect` it is done, without it nothing is.
    Unreadable,
    /// Web K: the page stays white.
    Blank,
    /// Web K: the page comes after `seconds`.
    Slow,
    /// Web K: the class or id `message` has another name in the page.
    Renamed,
    /// Web K: another tab, or a newer version, has taken the session.
    Deactivated,
    /// Web K: the app is locked by a passcode.
    Locked,
    /// Web K: the account is logged out.
    LoggedOut,
    /// Web K: the account is frozen.
    Frozen,
    /// Web K: who opens the chat needs Premium to write.
    Premium,
    /// Web K: messages in the chat are paid in stars.
    Paid,
    /// Web K: texts are not allowed in the chat.
    Forbidden,
    /// Web K: the name is unknown: a toast, and the old chat stays.
    UnknownName,
    /// Web K: a question instead of the message.
    Popup,
    /// Web K: slow mode: a note over the field, and no message.
    SlowMode,
    /// Web K: a notice of the server, after the message.
    Notice,
    /// Web K: the message is refused.
    Error,
    /// Web K: the message waits `seconds` and says nothing; without them it is never sent.
    SilentWait,
}

impl FaultName {
    /// Whether only the page of Web K shows it.
    const fn is_of_a_page(self) -> bool {
        matches!(
            self,
            Self::Blank
                | Self::Slow
                | Self::Renamed
                | Self::Deactivated
                | Self::Locked
                | Self::LoggedOut
                | Self::Frozen
                | Self::Premium
                | Self::Paid
                | Self::Forbidden
                | Self::UnknownName
                | Self::Popup
                | Self::SlowMode
                | Self::Notice
                | Self::Error
                | Self::SilentWait
        )
    }
}

/// Why a fault was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// Only these have faults.
    #[error("provider must be \"telegram\", or \"web_k\" for what only its page shows")]
    Provider,
    /// A page has accounts and no methods.
    #[error("a fault of web_k takes no method")]
    OfAPage,
    /// `renamed` without a name.
    #[error("renamed needs message: a class or id of at least four characters")]
    Name,
    #[error("there is no account \"{0}\": GET /telegram/accounts lists them")]
    Account(String),
    /// The sandbox has no such method.
    #[error("the sandbox knows no method \"{0}\": write it as in TL, messages.sendMessage")]
    Method(String),
    /// Missing or out of range.
    #[error("seconds must be given, from 0 to 86400 (a whole number for flood_wait)")]
    Seconds,
    /// Zero times is no fault.
    #[error("times must be at least 1")]
    Times,
    /// Out of range.
    #[error("probability must be from 0 to 1")]
    Probability,
    /// `rpc_error` without its parts.
    #[error("rpc_error needs code and message")]
    Error,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Refuse(RpcError),
    CutBefore,
    Deaf,
    Unreadable { effect: bool },
    Delay(Duration),
    Silence,
    Cut,
    Page,
}

#[derive(Debug)]
struct Fault {
    id: u64,
    order: FaultOrder,
    kind: Kind,
    left: Option<u32>,
}

/// A fault in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActiveFault {
    /// For `DELETE /faults/{id}`.
    pub id: u64,
    /// As it was ordered; `times` is what is left.
    #[serde(flatten)]
    pub order: FaultOrder,
}

/// What is done instead of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    Error(RpcError),
    Unreadable,
    Cut,
    Silence,
}

/// What is done instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Cut,
    Silence,
    Unreadable,
}

/// What the dial says about one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) delay: Option<Duration>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) loss: Option<Loss>,
}

/// The dial.
#[derive(Debug)]
pub(crate) struct Faults {
    active: Vec<Fault>,
    last_id: u64,
    chance: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { active: Vec::new(), last_id: 0, chance: mix(seed) }
    }

    /// Takes an order; the caller has checked that account and method exist.
    pub(crate) fn add(&mut self, order: FaultOrder) -> Result<u64, FaultError> {
        let kind = kind(&order)?;
        self.last_id += 1;
        self.active.push(Fault { id: self.last_id, left: order.times, order, kind });
        Ok(self.last_id)
    }

    pub(crate) fn list(&self) -> Vec<ActiveFault> {
        let shown = |fault: &Fault| ActiveFault {
            id: fault.id,
            order: FaultOrder { times: fault.left, ..fault.order.clone() },
        };
        self.active.iter().map(shown).collect()
    }

    /// Takes one away; false when there is none with this id.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|fault| fault.id != id);
        self.active.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// Decides about one call. Of each sort (delay, refusal, loss) the oldest fault that strikes counts; a refused
    /// call has nothing to lose.
    pub(crate) fn decide(&mut self, account: Option<&str>, method: &str) -> Verdict {
        let mut verdict = Verdict::default();
        if self.active.is_empty() {
            return verdict;
        }
        for fault in &mut self.active {
            let taken = match fault.kind {
                Kind::Page => true,
                Kind::Delay(_) => verdict.delay.is_some(),
                Kind::Refuse(_) | Kind::CutBefore | Kind::Deaf | Kind::Unreadable { effect: false } => {
                    verdict.refusal.is_some()
                }
                Kind::Silence | Kind::Cut | Kind::Unreadable { effect: true } => {
                    verdict.refusal.is_some() || verdict.loss.is_some()
                }
            };
            if taken || !fault.concerns(account, method) || !strikes(&fault.order, &mut self.chance) {
                continue;
            }
            if let Some(left) = &mut fault.left {
                *left = left.saturating_sub(1);
            }
            match &fault.kind {
                Kind::Delay(wait) => verdict.delay = Some(*wait),
                Kind::Refuse(error) => verdict.refusal = Some(Refusal::Error(error.clone())),
                Kind::CutBefore => verdict.refusal = Some(Refusal::Cut),
                Kind::Deaf => verdict.refusal = Some(Refusal::Silence),
                Kind::Unreadable { effect: false } => verdict.refusal = Some(Refusal::Unreadable),
                Kind::Unreadable { effect: true } => verdict.loss = Some(Loss::Unreadable),
                Kind::Silence => verdict.loss = Some(Loss::Silence),
                Kind::Cut => verdict.loss = Some(Loss::Cut),
                Kind::Page => {}
            }
        }
        self.active.retain(|fault| fault.left != Some(0));
        verdict
    }

    /// The oldest fault of a page with one of these names that strikes.
    pub(crate) fn on_page(&mut self, account: Option<&str>, names: &[FaultName]) -> Option<FaultOrder> {
        let chance = &mut self.chance;
        let struck = self.active.iter_mut().find(|fault| {
            names.contains(&fault.order.fault)
                && fault.kind == Kind::Page
                && fault.concerns(account, "")
                && strikes(&fault.order, chance)
        })?;
        let order = struck.order.clone();
        if let Some(left) = &mut struck.left {
            *left = left.saturating_sub(1);
        }
        self.active.retain(|fault| fault.left != Some(0));
        Some(order)
    }

    /// Whether nothing at all reaches this account now, updates included.
    pub(crate) fn deafens(&self, account: Option<&str>) -> bool {
        self.active.iter().any(|fault| {
            fault.kind == Kind::Deaf
                && fault.order.method.is_none()
                && fault.left.is_none()
                && fault.order.probability.is_none_or(|chance| chance >= 1.0)
                && fault.order.account.as_deref().is_none_or(|wanted| account == Some(wanted))
        })
    }
}

impl Fault {
    fn concerns(&self, account: Option<&str>, method: &str) -> bool {
        self.order.account.as_deref().is_none_or(|wanted| account == Some(wanted))
            && self.order.method.as_deref().is_none_or(|wanted| wanted == method)
    }
}

fn strikes(order: &FaultOrder, chance: &mut u64) -> bool {
    let Some(probability) = order.probability else { return true };
    *chance = mix(*chance);
    let drawn = u32::try_from(*chance >> 32).unwrap_or(u32::MAX);
    f64::from(drawn) < probability * (f64::from(u32::MAX) + 1.0)
}

fn kind(order: &FaultOrder) -> Result<Kind, FaultError> {
    let provider = if order.fault.is_of_a_page() { "web_k" } else { "telegram" };
    if order.provider != provider {
        return Err(FaultError::Provider);
    }
    if order.times == Some(0) {
        return Err(FaultError::Times);
    }
    if order.probability.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
        return Err(FaultError::Probability);
    }
    let seconds = || order.seconds.filter(|s| (0.0..=86_400.0).contains(s)).ok_or(FaultError::Seconds);
    if order.fault.is_of_a_page() {
        return match order.fault {
            _ if order.method.is_some() => Err(FaultError::OfAPage),
            FaultName::Slow => seconds().map(|_| Kind::Page),
            FaultName::SilentWait if order.seconds.is_some() => seconds().map(|_| Kind::Page),
            FaultName::Renamed if order.message.as_deref().is_none_or(|name| name.len() < 4) => {
                Err(FaultError::Name)
            }
            _ => Ok(Kind::Page),
        };
    }
    Ok(match order.fault {
        FaultName::FloodWait => {
            let seconds = seconds()?;
            if seconds.fract() != 0.0 {
                return Err(FaultError::Seconds);
            }
            Kind::Refuse(RpcError { code: 420, message: format!("FLOOD_WAIT_{seconds:.0}").into() })
        }
        FaultName::PeerFlood => Kind::Refuse(bad_request("PEER_FLOOD")),
        FaultName::Banned => Kind::Refuse(unauthorized("USER_DEACTIVATED_BAN")),
        FaultName::SessionRevoked => Kind::Refuse(unauthorized("SESSION_REVOKED")),
        FaultName::AuthKeyDuplicated => Kind::Refuse(not_acceptable("AUTH_KEY_DUPLICATED")),
        FaultName::RpcError => match (order.code, &order.message) {
            (Some(code), Some(message)) if !message.is_empty() => {
                Kind::Refuse(RpcError { code, message: message.clone().into() })
            }
            _ => return Err(FaultError::Error),
        },
        FaultName::DropAnswer => Kind::Silence,
        FaultName::Disconnect => Kind::Cut,
        FaultName::DisconnectBefore => Kind::CutBefore,
        FaultName::Delay => Kind::Delay(Duration::from_secs_f64(seconds()?)),
        FaultName::Deaf => Kind::Deaf,
        FaultName::Unreadable => Kind::Unreadable { effect: order.effect.unwrap_or(false) },
        // Taken above.
        _ => Kind::Page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEND: &str = "messages.sendMessage";

    fn order(json: serde_json::Value) -> FaultOrder {
        serde_json::from_value(json).unwrap()
    }

    fn dial(orders: &[serde_json::Value]) -> Faults {
        let mut faults = Faults::new(1);
        for one in orders {
            faults.add(order(one.clone())).unwrap();
        }
        faults
    }

    fn refused(code: i32, message: &'static str) -> Verdict {
        let error = RpcError { code, message: message.into() };
        Verdict { refusal: Some(Refusal::Error(error)), ..Verdict::default() }
    }

    #[test]
    fn each_refusal_has_its_code() {
        for (json, code, message) in [
            (serde_json::json!({"fault": "flood_wait", "seconds": 30}), 420, "FLOOD_WAIT_30"),
            (serde_json::json!({"fault": "peer_flood"}), 400, "PEER_FLOOD"),
            (serde_json::json!({"fault": "banned"}), 401, "USER_DEACTIVATED_BAN"),
            (serde_json::json!({"fault": "session_revoked"}), 401, "SESSION_REVOKED"),
            (serde_json::json!({"fault": "auth_key_duplicated"}), 406, "AUTH_KEY_DUPLICATED"),
            (serde_json::json!({"fault": "rpc_error", "code": 500, "message": "NOPE"}), 500, "NOPE"),
        ] {
            assert_eq!(dial(&[json]).decide(Some("main"), SEND), refused(code, message));
        }
    }

    #[test]
    fn a_fault_hits_only_its_account_method_and_times() {
        let mut faults = dial(&[
            serde_json::json!({"fault": "peer_flood", "account": "main", "method": SEND, "times": 2}),
        ]);
        assert_eq!(faults.decide(Some("backup_1"), SEND), Verdict::default());
        assert_eq!(faults.decide(None, SEND), Verdict::default());
        assert_eq!(faults.decide(Some("main"), "updates.getState"), Verdict::default());
        assert_eq!(faults.decide(Some("main"), SEND), refused(400, "PEER_FLOOD"));
        assert_eq!(faults.list()[0].order.times, Some(1));
        assert_eq!(faults.decide(Some("main"), SEND), refused(400, "PEER_FLOOD"));
        assert_eq!(faults.decide(Some("main"), SEND), Verdict::default());
        assert!(faults.list().is_empty());
    }

    #[test]
    fn delay_and_loss_combine_but_a_refusal_excludes_loss() {
        let mut faults = dial(&[
            serde_json::json!({"fault": "delay", "seconds": 0.25}),
            serde_json::json!({"fault": "disconnect", "times": 1}),
        ]);
        let verdict = faults.decide(None, SEND);
        assert_eq!(verdict.delay, Some(Duration::from_millis(250)));
        assert_eq!((verdict.refusal, verdict.loss), (None, Some(Loss::Cut)));
        let unreadable = |effect: bool| serde_json::json!({"fault": "unreadable", "effect": effect});
        assert_eq!(dial(&[unreadable(true)]).decide(None, SEND).loss, Some(Loss::Unreadable));
        assert_eq!(dial(&[unreadable(false)]).decide(None, SEND).refusal, Some(Refusal::Unreadable));
        let mut faults = dial(&[
            serde_json::json!({"fault": "deaf"}),
            serde_json::json!({"fault": "drop_answer", "times": 1}),
        ]);
        assert!(faults.deafens(Some("main")));
        assert_eq!(faults.decide(None, SEND).refusal, Some(Refusal::Silence));
        assert_eq!(faults.list()[1].order.times, Some(1));
    }

    #[test]
    fn a_page_fault_does_not_affect_calls() {
        let mut faults = dial(&[
            serde_json::json!({"fault": "popup", "provider": "web_k", "account": "main", "times": 1}),
        ]);
        assert_eq!(faults.decide(Some("main"), SEND), Verdict::default());
        let popup = [FaultName::Popup];
        assert_eq!(faults.on_page(Some("backup_1"), &popup), None);
        assert_eq!(faults.on_page(Some("main"), &[FaultName::Error]), None);
        assert_eq!(faults.on_page(Some("main"), &popup).map(|order| order.fault), Some(FaultName::Popup));
        assert!(faults.list().is_empty());
    }

    #[test]
    fn chance_is_drawn_from_the_seed() {
        let strikes = |seed| {
            let mut faults = Faults::new(seed);
            faults.add(order(serde_json::json!({"fault": "peer_flood", "probability": 0.5}))).unwrap();
            (0..1000).map(|_| faults.decide(None, SEND).refusal.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(strikes(1), strikes(1));
        assert_ne!(strikes(1), strikes(2));
        let share = strikes(1).iter().filter(|struck| **struck).count();
        assert!((400..600).contains(&share), "{share}");
        for (probability, expected) in [(0.0, false), (1.0, true)] {
            let mut faults = Faults::new(1);
            faults
                .add(order(serde_json::json!({"fault": "peer_flood", "probability": probability})))
                .unwrap();
            assert!((0..100).all(|_| faults.decide(None, SEND).refusal.is_some() == expected));
        }
    }

    #[test]
    fn invalid_faults_are_refused() {
        for (json, error) in [
            (serde_json::json!({"fault": "deaf", "provider": "max"}), FaultError::Provider),
            (serde_json::json!({"fault": "flood_wait"}), FaultError::Seconds),
            (serde_json::json!({"fault": "flood_wait", "seconds": 0.5}), FaultError::Seconds),
            (serde_json::json!({"fault": "delay", "seconds": -1}), FaultError::Seconds),
            (serde_json::json!({"fault": "deaf", "times": 0}), FaultError::Times),
            (serde_json::json!({"fault": "deaf", "probability": 1.1}), FaultError::Probability),
            (serde_json::json!({"fault": "rpc_error", "code": 400}), FaultError::Error),
            (serde_json::json!({"fault": "blank"}), FaultError::Provider),
            (serde_json::json!({"fault": "deaf", "provider": "web_k"}), FaultError::Provider),
            (serde_json::json!({"fault": "popup", "provider": "web_k", "method": SEND}), FaultError::OfAPage),
            (serde_json::json!({"fault": "slow", "provider": "web_k"}), FaultError::Seconds),
            (serde_json::json!({"fault": "renamed", "provider": "web_k"}), FaultError::Name),
        ] {
            assert_eq!(Faults::new(1).add(order(json)), Err(error));
        }
    }
}
