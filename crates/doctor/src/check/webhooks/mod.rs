//! Webhooks of providers: whether each sends what customers write to where the owner expects it, and whether it arrives.

mod address;
mod mend;

#[cfg(test)]
mod tests;

use std::time::Duration;

use channels::{Nature, PostingState as State, Registering};
use config::{WebhookFields, WebhookProvider};
use domain::Timestamp;
use domain::secret::ExposeSecret;

pub(crate) use address::WebhookAddress;

use super::{finding, minute, span};
use crate::finding::{Code, Finding, Fix, Severity};
use crate::report::{Area, Section};

/// How long a failed delivery counts.
const RECENT: Duration = Duration::from_hours(1);

/// From how many on those that wait are too many.
const MANY_WAIT: u64 = 100;

/// The most registrations of one account that are shown.
const MOST_SHOWN: usize = 10;

/// The most letters of what a provider said, and of a word in it that can be no secret.
const LONGEST: usize = 160;
const LONGEST_WORD: usize = 24;

/// A webhook of the settings, and what its provider reported.
#[derive(Debug, Clone)]
pub(crate) struct WebhookQuery {
    pub(crate) webhook: WebhookFields,
    /// The key of the settings that names it.
    pub(crate) key: &'static str,
    pub(crate) outcome: Result<ProviderReport, Failure>,
}

/// What a provider reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProviderReport {
    /// Where it sends; empty when nowhere.
    pub(crate) registered: Vec<Registration>,
    /// How many updates it could not deliver yet, where it counts them.
    pub(crate) waiting: Option<u64>,
    /// When it last could not deliver one, and what it says about that.
    pub(crate) failed: Option<(Timestamp, String)>,
    /// Whether the account is signed out, so that nothing reaches the provider itself.
    pub(crate) signed_out: bool,
}

/// One place where it sends.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) address: WebhookAddress,
    pub(crate) state: State,
    /// Whether the receiver can verify by a secret who posts; nothing where that is not reported.
    pub(crate) has_secret: Option<bool>,
}

/// Why a provider did not report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It refuses what it was asked with; the key of the settings that is wrong.
    Refused { field: &'static str, why: String },
    /// The account may not ask: it is not paid for, or not whole.
    Barred(String),
    /// No answer came about, or one that says to try later.
    Unreached(String),
    /// The answer is none to what was asked.
    Unclear(String),
}

/// `left_out` more webhooks were not asked for.
pub(crate) fn check(queries: &[WebhookQuery], left_out: usize, now: Timestamp) -> Section {
    let mut section = Section::new(Area::Webhooks);
    if queries.is_empty() {
        section.fact("webhooks", "the settings name none");
    }
    if left_out > 0 {
        section.lacks(format!("{left_out} more webhooks were not asked for: there are too many"));
    }
    for one in queries {
        match &one.outcome {
            Ok(report) => Judge { webhook: &one.webhook, report, now }.judge(&mut section),
            Err(failure) => {
                section.lacks(format!("where {} is registered", one.webhook.name));
                section.findings.push(unreported(one, failure));
            }
        }
    }
    section
}

/// What is said about a provider.
pub(crate) const fn registering(provider: WebhookProvider) -> Registering {
    Nature::of(provider.channel()).registering
}

fn about(webhook: &WebhookFields, code: Code, severity: Severity, summary: String, fix: Fix) -> Finding {
    finding(code, severity, format!("webhook {}", webhook.name), summary, fix)
}

fn unreported(query: &WebhookQuery, failure: &Failure) -> Finding {
    let webhook = &query.webhook;
    let (name, provider) = (&webhook.name, registering(webhook.provider).by);
    let (code, severity, summary, why) = match failure {
        Failure::Refused { why, .. } => (
            Code::WebhookRefused,
            Severity::Error,
            format!("{provider} refuses the credentials of {name}, and does not say where it sends."),
            why,
        ),
        Failure::Barred(why) => (
            Code::WebhookRefused,
            Severity::Error,
            format!("{provider} does not let the account of {name} ask where it sends."),
            why,
        ),
        Failure::Unreached(why) | Failure::Unclear(why) => (
            Code::WebhookUnknown,
            Severity::Warning,
            format!("{provider} did not say where it sends what customers write to {name}."),
            why,
        ),
    };
    let queried_at = format!("asked at {}", WebhookAddress::of(webhook.api()));
    about(webhook, code, severity, summary, mend::ask_again(query, failure))
        .shown_by([why.clone(), queried_at])
}

/// One webhook whose provider reported.
struct Judge<'a> {
    webhook: &'a WebhookFields,
    report: &'a ProviderReport,
    now: Timestamp,
}

impl Judge<'_> {
    fn judge(&self, section: &mut Section) {
        let expected = WebhookAddress::of(self.webhook.expect.expose_secret());
        let (right, others): (Vec<&Registration>, Vec<&Registration>) =
            self.report.registered.iter().partition(|one| one.address.is(&expected));
        if self.report.registered.is_empty() {
            section.findings.push(self.nowhere(&expected));
        } else if right.is_empty() {
            section.findings.push(self.elsewhere(&expected, &others));
        } else {
            section.fact(self.webhook.name.clone(), self.as_expected(&expected));
            section.findings.extend(self.also_elsewhere(&expected, &others));
        }
        section.findings.extend(self.failing(&right));
        section.findings.extend(self.signed_out());
        section.findings.extend(self.over_plain_http());
        section.findings.extend(self.without_secret());
    }

    fn provider(&self) -> &'static str {
        registering(self.webhook.provider).by
    }

    fn as_expected(&self, expected: &WebhookAddress) -> String {
        let waiting = self.waiting().map(|waiting| format!("; {waiting}")).unwrap_or_default();
        format!("{} has it registered as expected, at {expected}{waiting}", self.provider())
    }

    fn waiting(&self) -> Option<String> {
        self.report.waiting.map(|count| match count {
            1 => "1 update waits".to_owned(),
            _ => format!("{count} updates wait"),
        })
    }

    fn about(&self, code: Code, severity: Severity, summary: String, fix: Fix) -> Finding {
        about(self.webhook, code, severity, summary, fix)
    }

    fn nowhere(&self, expected: &WebhookAddress) -> Finding {
        let (name, provider) = (&self.webhook.name, self.provider());
        self.about(
            Code::WebhookMissing,
            Severity::Warning,
            format!("{provider} sends what customers write to {name} nowhere: no webhook is registered."),
            mend::register(self.webhook, false),
        )
        .shown_by(std::iter::once(format!("expected: {expected}")).chain(self.waiting()))
    }

    fn elsewhere(&self, expected: &WebhookAddress, others: &[&Registration]) -> Finding {
        let (name, provider) = (&self.webhook.name, self.provider());
        let summary = match others {
            [one] if one.address.looks_like(expected) => {
                format!(
                    "{provider} sends what customers write to {name} to another path of {expected} than expected."
                )
            }
            [one] => {
                format!(
                    "{provider} sends what customers write to {name} to {}, and not to {expected}.",
                    one.address
                )
            }
            _ => {
                let count = others.len();
                format!(
                    "{provider} sends what customers write to {name} to {count} places, and not to {expected}."
                )
            }
        };
        self.about(Code::WebhookElsewhere, Severity::Error, summary, mend::register(self.webhook, true))
            .shown_by(
                listed(expected, others)
                    .chain(std::iter::once(format!("expected: {expected}")))
                    .chain(self.waiting()),
            )
    }

    fn also_elsewhere(&self, expected: &WebhookAddress, others: &[&Registration]) -> Option<Finding> {
        let (name, provider) = (&self.webhook.name, self.provider());
        let others: Vec<_> = others.iter().copied().filter(|one| one.state == State::Works).collect();
        (!others.is_empty()).then(|| {
            self.about(
                Code::WebhookAlsoElsewhere,
                Severity::Note,
                format!("{provider} sends what customers write to {name} to another place too: each gets every message."),
                Fix::advice("look whether you know that place; it may be another program of yours"),
            )
            .shown_by(listed(expected, &others))
        })
    }

    /// What the provider reports of messages that do not arrive.
    fn failing(&self, right: &[&Registration]) -> Option<Finding> {
        let (name, provider) = (&self.webhook.name, self.provider());
        let many = self.report.waiting.filter(|count| *count >= MANY_WAIT);
        let recent = self.report.failed.as_ref().filter(|(at, _)| self.now.since(*at) <= RECENT);
        let broken = right.iter().any(|one| one.state != State::Works)
            && !right.iter().any(|one| one.state == State::Works);
        // Where nothing is registered, waiting is reported there.
        if self.report.registered.is_empty() || (many.is_none() && recent.is_none() && !broken) {
            return None;
        }
        let severity =
            if broken || (many.is_some() && recent.is_some()) { Severity::Error } else { Severity::Warning };
        let summary = format!("{provider} cannot deliver what customers write to {name}.");
        let states = right
            .iter()
            .filter_map(|one| state(one.state))
            .map(|words| format!("the expected place {words}"));
        let failed = recent.map(|(at, text)| {
            let ago = span(self.now.since(*at).as_secs());
            format!("last failure {ago} ago, {}: {}", minute(*at), harmless(text))
        });
        let waiting = self.waiting().filter(|_| self.report.waiting > Some(0));
        let fix = Fix::advice(
            "look at the receiver: whether it runs, can be reached from outside, and answers 200 at once; its own log says why it refused",
        );
        Some(
            self.about(Code::WebhookFailing, severity, summary, fix)
                .shown_by(states.take(1).chain(failed).chain(waiting)),
        )
    }

    fn signed_out(&self) -> Option<Finding> {
        let (name, provider) = (&self.webhook.name, self.provider());
        self.report.signed_out.then(|| {
            self.about(
                Code::WebhookFailing,
                Severity::Error,
                format!("{provider} has lost the account of {name}: nothing that customers write arrives."),
                Fix::advice("sign the account in again in the provider's cabinet, by its QR code"),
            )
        })
    }

    fn over_plain_http(&self) -> Option<Finding> {
        let (name, provider) = (&self.webhook.name, self.provider());
        let open: Vec<_> = self.report.registered.iter().filter(|one| one.address.is_plain_http()).collect();
        let first = open.first()?;
        Some(
            self.about(
                Code::WebhookPlain,
                Severity::Warning,
                format!(
                    "{provider} sends what customers write to {name} over plain http to {}: anyone on the way can read and change it.",
                    first.address
                ),
                Fix::advice("give the receiver an https address, and register that one"),
            )
            .shown_by(shown(open.iter().skip(1).map(|one| one.address.to_string()))),
        )
    }

    fn without_secret(&self) -> Option<Finding> {
        let (name, provider) = (&self.webhook.name, self.provider());
        let is_open =
            |one: &&Registration| one.has_secret == Some(false) && !one.address.may_carry_a_secret();
        let open: Vec<_> = self.report.registered.iter().filter(is_open).collect();
        let first = open.first()?;
        Some(
            self.about(
                Code::WebhookWithoutSecret,
                Severity::Warning,
                format!(
                    "Anyone who knows the address can post to {} as {provider} with messages for {name}: there is no secret in it.",
                    first.address
                ),
                Fix::advice(registering(self.webhook.provider).without_secret),
            )
            .shown_by(shown(open.iter().skip(1).map(|one| one.address.to_string()))),
        )
    }
}

/// Registered places, a line each.
fn listed(expected: &WebhookAddress, registrations: &[&Registration]) -> impl Iterator<Item = String> {
    let line = |one: &&Registration| {
        let path = if one.address.looks_like(expected) { ", under another path" } else { "" };
        let words = state(one.state).map(|words| format!(", which {words}")).unwrap_or_default();
        format!("registered: {}{path}{words}", one.address)
    };
    shown(registrations.iter().map(line)).into_iter()
}

fn shown(lines: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_SHOWN);
    let more = (more > 0).then(|| format!("{more} more"));
    lines.take(MOST_SHOWN).chain(more).collect()
}

/// What is wrong with a place that does not work.
const fn state(state: State) -> Option<&'static str> {
    match state {
        State::Works => None,
        State::Unconfirmed => Some("has not confirmed it yet"),
        State::Failed => Some("answered wrongly and gets nothing any more"),
    }
}

/// What a provider said, short, without control letters, and without what may be a part of an address or a key.
pub(crate) fn harmless(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let word = |word: &str| {
        let is_plain = !word.contains('/') && word.chars().nth(LONGEST_WORD).is_none();
        if is_plain { word.to_owned() } else { "…".to_owned() }
    };
    let words: Vec<String> = plain.split_whitespace().map(word).collect();
    let short: String = words.join(" ").chars().take(LONGEST).collect();
    if short.is_empty() { "no reason was given".to_owned() } else { short }
}
