//! Names and addresses that must be reached: Telegram's data centres, proxies, providers, receivers of callbacks and of alerts.

use std::time::Duration;

use config::WebhookProvider;

use super::finding;
use super::webhooks::registering;
use crate::finding::{Code, Finding, Fix, Severity};
use crate::report::{Area, Section};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) what: What,
    /// Host and port, without any password.
    pub(crate) address: String,
    pub(crate) outcome: Result<Duration, Failure>,
}

/// What lives at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A data centre of Telegram, by its number.
    DataCentre(u8),
    /// The proxy of an account.
    Proxy(String),
    /// The API of a provider that has webhooks; all that the settings name at this address.
    Provider { provider: WebhookProvider, webhooks: Vec<String>, key: &'static str },
    /// The receiver of invite callbacks.
    InviteCallback,
    /// Where the queues are that other programs share.
    Redis,
    /// This program itself, as providers of channels reach it.
    PublicUrl,
    /// The mail server or the webhook of an alert target; made while the server ran, or one of the settings.
    AlertTarget { name: String, made_here: bool },
}

/// Why it was not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The name is not known.
    Name(String),
    /// No answer came in time.
    Silent,
    /// The system or the other side refused.
    Refused(String),
}

impl Failure {
    fn words(&self) -> String {
        match self {
            Self::Name(why) => format!("its name cannot be resolved: {why}"),
            Self::Silent => "the connection timed out".to_owned(),
            Self::Refused(why) => why.clone(),
        }
    }
}

impl What {
    fn words(&self) -> String {
        match self {
            Self::DataCentre(number) => format!("Telegram's data centre {number}"),
            Self::Proxy(account) => format!("the proxy of {account}"),
            Self::Provider { provider, .. } => format!("the API of {}", registering(*provider).by),
            Self::InviteCallback => "the receiver of invite callbacks".to_owned(),
            Self::Redis => "Redis".to_owned(),
            Self::PublicUrl => "this program at its public_url".to_owned(),
            Self::AlertTarget { name, .. } => format!("the alert target {name}"),
        }
    }
}

/// With `works`, an account is connected to Telegram, so that it can be reached somehow. `left_out` were not
/// tried, and others are not known, for that reason.
pub(crate) fn check(tried: &[Tried], left_out: usize, unknown: Option<&str>, works: bool) -> Section {
    let mut section = Section::new(Area::Network);
    if left_out > 0 {
        section.lacks(format!("{left_out} more addresses were not tried: there are too many"));
    }
    if let Some(why) = unknown {
        section.lacks(why);
    }
    let centres = || tried.iter().filter(|one| matches!(one.what, What::DataCentre(_)));
    let none_reached = centres().all(|one| one.outcome.is_err());
    let mut reported: Vec<&Failure> = Vec::new();
    for one in tried {
        let failure = match &one.outcome {
            Ok(took) => {
                section.fact(
                    one.address.clone(),
                    format!("{}: reached in {} ms", one.what.words(), took.as_millis()),
                );
                continue;
            }
            Err(failure) => failure,
        };
        if matches!(one.what, What::DataCentre(_)) {
            // Five centres behind one wall are one finding.
            if reported.contains(&failure) {
                continue;
            }
            reported.push(failure);
            let alike: Vec<&Tried> =
                centres().filter(|other| other.outcome.as_ref().err() == Some(failure)).collect();
            if alike.len() > 1 {
                section.findings.push(centres_away(&alike, failure, none_reached && !works));
                continue;
            }
        }
        section.findings.push(failed(one, failure, none_reached && !works));
    }
    section
}

/// Several data centres that cannot be reached for the same reason.
fn centres_away(alike: &[&Tried], failure: &Failure, cut_off: bool) -> Finding {
    let number = |one: &&Tried| match one.what {
        What::DataCentre(number) => Some(number.to_string()),
        _ => None,
    };
    let numbers: Vec<String> = alike.iter().filter_map(number).collect();
    let addresses: Vec<&str> = alike.iter().map(|one| one.address.as_str()).collect();
    let first = alike.first().map(|one| failed(one, failure, cut_off));
    let (code, severity, fix) = first.map_or_else(
        || (Code::TelegramUnreachable, Severity::Warning, Fix::advice("look at the network")),
        |first| (first.code, first.severity, first.fix),
    );
    let summary = format!("Telegram's data centres {} cannot be reached.", numbers.join(", "));
    finding(code, severity, "telegram", summary, fix).shown_by([failure.words(), addresses.join(", ")])
}

fn failed(one: &Tried, failure: &Failure, cut_off: bool) -> Finding {
    let (code, severity, fix) = match (&one.what, failure) {
        (_, Failure::Name(_)) => (
            Code::NameUnknown,
            Severity::Error,
            Fix::command_and(
                format!(
                    "getent hosts {}",
                    one.address.rsplit_once(':').map_or(one.address.as_str(), |(host, _)| host)
                ),
                "look at the name, and at the name servers in /etc/resolv.conf",
            ),
        ),
        (What::DataCentre(_), _) => (
            Code::TelegramUnreachable,
            if cut_off { Severity::Error } else { Severity::Warning },
            Fix::advice(
                "look at the firewall's rules for outgoing connections and at the network; where Telegram is blocked, give accounts a proxy",
            ),
        ),
        (What::Proxy(account), _) => (
            Code::AddressUnreachable,
            Severity::Error,
            Fix::setting(
                "telegram.accounts.proxy",
                format!("start that proxy, or name another one for {account}"),
            ),
        ),
        (What::Provider { webhooks, key, .. }, _) => (
            Code::AddressUnreachable,
            Severity::Warning,
            Fix::setting(
                *key,
                format!(
                    "look at the firewall's rules for outgoing connections and at the network; if {} has its own `api`, check that too",
                    webhooks.join(", ")
                ),
            ),
        ),
        (What::PublicUrl, _) => (
            Code::AddressUnreachable,
            Severity::Note,
            Fix::setting(
                "public_url",
                "some networks do not let a machine reach its own outer address: try it from outside; if it fails there too, look at \
                 the proxy, the firewall and the DNS",
            ),
        ),
        (What::InviteCallback, _) => (
            Code::AddressUnreachable,
            Severity::Warning,
            Fix::setting(
                "legacy.invite_callback",
                "start the receiver, or name another address; callbacks wait meanwhile",
            ),
        ),
        (What::Redis, _) => (
            Code::AddressUnreachable,
            Severity::Error,
            Fix::setting(
                "queue.redis",
                "start Redis, or name another address; what goes to its queues waits in the store meanwhile",
            ),
        ),
        (What::AlertTarget { name, made_here: false }, _) => (
            Code::AddressUnreachable,
            Severity::Warning,
            Fix::setting(
                "alerts.targets",
                format!("start what listens for {name}, or give it another address; alerts wait for a week"),
            ),
        ),
        (What::AlertTarget { name, made_here: true }, _) => (
            Code::AddressUnreachable,
            Severity::Warning,
            Fix::command_and(
                format!("switchboard alert targets test {name}"),
                format!(
                    "start what listens for it first, or take it out with `switchboard alert targets remove {name}` and add it \
                     with another address; alerts wait for a week"
                ),
            ),
        ),
    };
    let summary = format!("{} cannot be reached at {}.", capital(&one.what.words()), one.address);
    let asked_by = match &one.what {
        What::Provider { webhooks, .. } => Some(format!("named by the webhooks {}", webhooks.join(", "))),
        _ => None,
    };
    finding(code, severity, one.address.clone(), summary, fix)
        .shown_by(std::iter::once(failure.words()).chain(asked_by))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(what: What, outcome: Result<Duration, Failure>) -> Tried {
        Tried { what, address: "example.com:443".to_owned(), outcome }
    }

    #[test]
    fn one_centre_away_is_a_warning_and_all_of_them_an_error() {
        let away = |number| tried(What::DataCentre(number), Err(Failure::Silent));
        let here = tried(What::DataCentre(2), Ok(Duration::from_millis(30)));
        let worst = |tried: &[Tried], works| {
            check(tried, 0, None, works).findings.iter().map(|one| one.severity).min()
        };
        assert_eq!(worst(&[away(1), here.clone()], false), Some(Severity::Warning));
        assert_eq!(worst(&[away(1), away(2)], false), Some(Severity::Error));
        assert_eq!(worst(&[away(1), away(2)], true), Some(Severity::Warning));
        assert_eq!(worst(&[here], false), None);
        let all = check(&[away(1), away(2), away(4)], 0, None, false).findings;
        assert_eq!(all.len(), 1, "the same error is reported once");
        assert_eq!(all[0].summary, "Telegram's data centres 1, 2, 4 cannot be reached.");
    }

    #[test]
    fn an_unknown_name_is_distinguished_from_a_silence() {
        let found =
            |failure| check(&[tried(What::InviteCallback, Err(failure))], 0, None, false).findings.remove(0);
        let name = found(Failure::Name("no such host".to_owned()));
        assert_eq!(
            (name.code, name.fix),
            (
                Code::NameUnknown,
                Fix::command_and(
                    "getent hosts example.com",
                    "look at the name, and at the name servers in /etc/resolv.conf"
                ),
            )
        );
        assert_eq!(found(Failure::Silent).code, Code::AddressUnreachable);
        let proxy = check(
            &[tried(What::Proxy("main".to_owned()), Err(Failure::Refused("refused".to_owned())))],
            0,
            None,
            true,
        );
        assert_eq!(proxy.findings[0].severity, Severity::Error);
    }

    #[test]
    fn an_unreachable_provider_is_reported_with_its_webhooks() {
        let away = |failure| {
            let webhooks = vec!["shop".to_owned(), "workshop".to_owned()];
            let key = "doctor.webhooks";
            let what = What::Provider { provider: WebhookProvider::Max, webhooks, key };
            check(&[tried(what, Err(failure))], 0, None, true).findings.remove(0)
        };
        let closed = away(Failure::Refused("refused".to_owned()));
        assert_eq!((closed.code, closed.severity), (Code::AddressUnreachable, Severity::Warning));
        assert_eq!(closed.summary, "The API of MAX cannot be reached at example.com:443.");
        assert_eq!(closed.evidence, ["refused", "named by the webhooks shop, workshop"]);
        assert!(matches!(&closed.fix, Fix::Setting { key, .. } if key == "doctor.webhooks"));
        assert_eq!(away(Failure::Name("no such host".to_owned())).code, Code::NameUnknown);
    }

    #[test]
    fn an_alert_target_is_mended_where_it_was_made() {
        let away = |made_here| {
            let what = What::AlertTarget { name: "hook".to_owned(), made_here };
            check(&[tried(what, Err(Failure::Silent))], 3, Some("not known"), true)
        };
        let (settings, made) = (away(false), away(true));
        assert_eq!(settings.unseen.len(), 2);
        assert_eq!(
            settings.findings[0].summary,
            "The alert target hook cannot be reached at example.com:443."
        );
        assert!(matches!(&settings.findings[0].fix, Fix::Setting { key, .. } if key == "alerts.targets"));
        assert!(
            matches!(&made.findings[0].fix, Fix::Command { command, .. } if command.ends_with("test hook"))
        );
    }
}
