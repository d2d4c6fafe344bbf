//! Accounts of channels: whether each works, what it lacks, and whether its provider posts to this program.

use std::net::IpAddr;

use channels::{Nature, Posts};
use config::{ReceiveBy, Settings};

use super::finding;
use crate::finding::{Code, Finding, Fix, Severity};
use crate::gather::reach::host_and_port;
use crate::inside::ChannelFact;
use crate::report::{Area, Section};

/// So many seconds may a provider's clock be from this one: signatures and deadlines are off by more.
const CLOCK_OFF: u64 = 60;

/// The settings, and each account as the server knows it; nothing where none runs.
pub(crate) fn check(settings: &Settings, accounts: Option<&[ChannelFact]>) -> Section {
    let mut section = Section::new(Area::Channels);
    if settings.channels.is_empty() && accounts.is_none_or(<[_]>::is_empty) {
        section.fact("accounts", "the settings name none");
        return section;
    }
    section.findings.extend(public_url(settings));
    let Some(accounts) = accounts else {
        section.lacks("only a running server tells how accounts of channels are");
        return section;
    };
    for account in accounts {
        section.fact(account.name.clone(), format!("{}: {}", account.channel, account.state));
        section.findings.extend(works(account));
        section.findings.extend(lacks(account));
        section.findings.extend(paused(account));
        section.findings.extend(webhook(account));
    }
    section.findings.extend(clock(accounts));
    section
}

fn about(account: &ChannelFact, code: Code, severity: Severity, summary: String, fix: Fix) -> Finding {
    finding(code, severity, format!("channel {}", account.name), summary, fix)
}

fn works(account: &ChannelFact) -> Option<Finding> {
    let (name, channel) = (&account.name, &account.channel);
    // A provider that posts to another address answers no one who asks, which is not another program that asks.
    if account.is_shared && account.webhook.as_deref() != Some("elsewhere") {
        let summary = format!(
            "Another program asks for what customers write to {name} with the same token: each hears a part of it."
        );
        let fix = Fix::advice(
            "stop the other program, or make it a token of its own; a provider that posts, after `switchboard channel connect`, is not \
             asked",
        );
        return Some(
            about(account, Code::ChannelShared, Severity::Error, summary, fix)
                .shown_by(account.detail.clone()),
        );
    }
    let test = format!("switchboard channel test {name}");
    let (severity, summary, advice) = match account.state.as_str() {
        "stopped" => (
            Severity::Error,
            format!("The account {name} of {channel} does not work until its owner does something."),
            "put a token that works into the settings and restart, or see to the account in the provider's pages; then this asks it again",
        ),
        "error" => (
            Severity::Warning,
            format!("The last call to the provider of {name} failed."),
            "this asks it again; what it says tells whose fault it is",
        ),
        _ => return None,
    };
    let found = about(account, Code::ChannelDown, severity, summary, Fix::command_and(test, advice));
    Some(found.shown_by(account.detail.clone()))
}

fn lacks(account: &ChannelFact) -> Option<Finding> {
    let name = &account.name;
    (!account.missing.is_empty()).then(|| {
        about(
            account,
            Code::ChannelLacks,
            Severity::Warning,
            format!("Something is missing for {name} to do all of its work."),
            Fix::advice(format!(
                "the page /channels/{name}/setup of the dashboard says where it is given; then: switchboard channel test {name}"
            )),
        )
        .shown_by(account.missing.iter().cloned())
    })
}

fn paused(account: &ChannelFact) -> Option<Finding> {
    let name = &account.name;
    account.is_paused.then(|| {
        let summary = format!("The account {name} is paused: its messages wait.");
        about(
            account,
            Code::ChannelPaused,
            Severity::Note,
            summary,
            Fix::command(format!("switchboard channel resume {name}")),
        )
    })
}

/// Whether its provider posts where it should.
fn webhook(account: &ChannelFact) -> Option<Finding> {
    let name = &account.name;
    let is_asked = account.receives_by == "poll";
    // A provider that does not show its address is judged by what arrives.
    let (code, severity, summary, fix) = match account.webhook.as_deref().unwrap_or("here") {
        _ if !account.receives => return None,
        "elsewhere" => (
            Code::WebhookElsewhere,
            if is_asked { Severity::Warning } else { Severity::Error },
            format!("The provider of {name} posts what customers write to another program, and not here."),
            Fix::command_and(
                format!("switchboard channel connect {name} --take-over"),
                "find out first what that program is: it hears nothing more then; if it is right, give the account receive = \"off\"",
            ),
        ),
        "lapsed" => (
            Code::WebhookMissing,
            Severity::Error,
            format!(
                "The provider of {name} posted here and does no more: the address is no longer registered."
            ),
            Fix::command(format!("switchboard channel resubscribe {name}")),
        ),
        "not_registered" if !is_asked => (
            Code::WebhookMissing,
            Severity::Error,
            format!(
                "Nothing is registered at the provider of {name}: nothing that customers write comes in."
            ),
            Fix::command_and(
                format!("switchboard channel connect {name}"),
                "the setting public_url is the address that it reaches",
            ),
        ),
        "here" if account.arrival_error.is_some() => (
            Code::WebhookFailing,
            Severity::Error,
            format!("The provider of {name} posts to our address, which does not lead to this program."),
            Fix::command_and(
                format!("switchboard channel connect {name}"),
                "look first whether public_url reaches this program, and at the proxy before it",
            ),
        ),
        "here" if account.state == "not_receiving" => (
            Code::WebhookFailing,
            Severity::Error,
            format!("Not all that customers write to {name} is received."),
            Fix::command(format!("switchboard channel connect {name}")),
        ),
        "here" if account.unreached.is_some() => (
            Code::WebhookFailing,
            Severity::Warning,
            format!("This program does not reach its own address for {name}; posts of providers arrive."),
            Fix::advice(
                "let the network or the proxy lead this machine to public_url too: until then only a post of the provider shows that the address works",
            ),
        ),
        "here" if account.posts_waiting.unwrap_or(0) > 0 && account.provider_error.is_some() => (
            Code::WebhookFailing,
            Severity::Warning,
            format!("The provider of {name} cannot deliver here."),
            Fix::advice(
                "look whether public_url can be reached from outside, and at the proxy before this program",
            ),
        ),
        _ => return None,
    };
    let waiting =
        account.posts_waiting.filter(|count| *count > 0).map(|count| format!("{count} posts wait there"));
    let others = account.elsewhere.iter().map(|other| format!("registered: {other}"));
    let reason = account.detail.iter().filter(|_| account.state == "not_receiving");
    let calls = account.arrival_error.iter().chain(&account.unreached);
    let errors = reason.chain(calls).chain(&account.provider_error).cloned();
    let evidence = others.chain(errors).chain(waiting);
    Some(about(account, code, severity, summary, fix).shown_by(evidence))
}

/// The clocks of providers, reported once: if they agree that this one is wrong, it is.
fn clock(accounts: &[ChannelFact]) -> Option<Finding> {
    let known: Vec<(&ChannelFact, i64)> =
        accounts.iter().filter_map(|account| Some((account, account.clock_ahead?))).collect();
    let (_, least) = known.iter().min_by_key(|(_, ahead)| ahead.unsigned_abs())?;
    (least.unsigned_abs() >= CLOCK_OFF).then(|| {
        let line = |(account, ahead): &(&ChannelFact, i64)| {
            format!("the provider of {}: {ahead:+} s from this clock", account.name)
        };
        finding(
            Code::ClockWrong,
            Severity::Warning,
            "clock",
            "The clocks of providers are not as this machine's: signatures and deadlines fail.",
            Fix::command_and("timedatectl set-ntp true", "deadlines, backoffs and logs go by this clock"),
        )
        .shown_by(known.iter().map(line))
    })
}

/// Whether providers can post to this program at all. A provider on this machine, as that of a demo world, reaches any address.
fn public_url(settings: &Settings) -> Option<Finding> {
    let is_posted_to = |account: &&config::ChannelFields| {
        let is_elsewhere = !is_local(account.api());
        Nature::of(account.channel).posts != Posts::Never
            && is_elsewhere
            && matches!(account.receive, ReceiveBy::Auto | ReceiveBy::Webhook)
    };
    let waits = |account: &&config::ChannelFields| {
        account.receive == ReceiveBy::Webhook || Nature::of(account.channel).posts == Posts::Only
    };
    let accounts: Vec<_> = settings.channels.iter().filter(is_posted_to).collect();
    let first = accounts.first()?;
    let (severity, summary, advice) = match settings.public_url.as_deref() {
        None if accounts.iter().any(waits) => (
            Severity::Error,
            "There is no public_url, so providers have nowhere to post what customers write.",
            "write the address of this program on the internet, such as \"https://switchboard.example.com\", and restart",
        ),
        Some(url) if is_local(url) => (
            Severity::Error,
            "public_url is an address of this machine or of a private network, which no provider reaches.",
            "write the address of this program on the internet",
        ),
        Some(url) if !url.starts_with("https://") => (
            Severity::Warning,
            "public_url is no https address: most providers refuse it, and what customers write is open on the way.",
            "put a proxy with a certificate before this program, or set tls, and write the https address",
        ),
        None | Some(_) => return None,
    };
    let found =
        finding(Code::PublicUrlUnfit, severity, "public_url", summary, Fix::setting("public_url", advice));
    Some(found.shown_by([format!("needed by {}", first.name)]))
}

/// Whether an address is of this machine or a private network.
fn is_local(url: &str) -> bool {
    let Some((host, _)) = host_and_port(url, 443) else { return false };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unspecified() || address.is_unique_local()
        }
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.toml");
        std::fs::write(&file, text).expect("written");
        Settings::load(Some(&file), []).expect("settings")
    }

    fn fact(state: &str) -> ChannelFact {
        ChannelFact {
            name: "shop".to_owned(),
            channel: "avito".to_owned(),
            state: state.to_owned(),
            receives: true,
            receives_by: "webhook".to_owned(),
            webhook: Some("here".to_owned()),
            ..ChannelFact::default()
        }
    }

    const ONE: &str =
        "[[channels]]\nname = 'shop'\nchannel = 'avito'\nclient_id = 'a'\nclient_secret = 'b'\n";

    fn found(fact: ChannelFact) -> Vec<(Code, Severity)> {
        let settings = settings(&format!("public_url = 'https://example.com'\n{ONE}"));
        let section = check(&settings, Some(&[fact]));
        assert!(section.findings.iter().all(|one| one.fix != Fix::Nothing), "{section:?}");
        section.findings.iter().map(|one| (one.code, one.severity)).collect()
    }

    #[test]
    fn a_troubled_account_is_reported_with_its_reason() {
        let webhook = |state: &str, by: &str| ChannelFact {
            webhook: Some(state.to_owned()),
            receives_by: by.to_owned(),
            ..fact("ready")
        };
        for (fact, wanted) in [
            (fact("ready"), &[][..]),
            (fact("stopped"), &[(Code::ChannelDown, Severity::Error)]),
            (fact("error"), &[(Code::ChannelDown, Severity::Warning)]),
            (ChannelFact { is_shared: true, ..fact("error") }, &[(Code::ChannelShared, Severity::Error)]),
            (
                ChannelFact { is_shared: true, state: "error".to_owned(), ..webhook("elsewhere", "poll") },
                &[(Code::ChannelDown, Severity::Warning), (Code::WebhookElsewhere, Severity::Warning)],
            ),
            (ChannelFact { is_paused: true, ..fact("paused") }, &[(Code::ChannelPaused, Severity::Note)]),
            (
                ChannelFact { missing: vec!["photos".to_owned()], ..fact("ready") },
                &[(Code::ChannelLacks, Severity::Warning)],
            ),
            (webhook("elsewhere", "webhook"), &[(Code::WebhookElsewhere, Severity::Error)]),
            (webhook("elsewhere", "poll"), &[(Code::WebhookElsewhere, Severity::Warning)]),
            (
                ChannelFact { arrival_error: Some("404".to_owned()), ..webhook("here", "webhook") },
                &[(Code::WebhookFailing, Severity::Error)],
            ),
            (
                ChannelFact { unreached: Some("403".to_owned()), ..webhook("here", "webhook") },
                &[(Code::WebhookFailing, Severity::Warning)],
            ),
            (fact("not_receiving"), &[(Code::WebhookFailing, Severity::Error)]),
            (
                ChannelFact { webhook: None, ..fact("not_receiving") },
                &[(Code::WebhookFailing, Severity::Error)],
            ),
            (webhook("lapsed", "poll"), &[(Code::WebhookMissing, Severity::Error)]),
            (webhook("not_registered", "webhook"), &[(Code::WebhookMissing, Severity::Error)]),
            (webhook("not_registered", "poll"), &[]),
            (ChannelFact { receives: false, ..webhook("elsewhere", "nothing") }, &[]),
            (
                ChannelFact {
                    provider_error: Some("502".to_owned()),
                    posts_waiting: Some(3),
                    ..fact("ready")
                },
                &[(Code::WebhookFailing, Severity::Warning)],
            ),
            (
                ChannelFact { clock_ahead: Some(-90), ..fact("ready") },
                &[(Code::ClockWrong, Severity::Warning)],
            ),
        ] {
            assert_eq!(found(fact.clone()), wanted, "{fact:?}");
        }
    }

    #[test]
    fn public_url_must_be_an_https_address_that_providers_reach() {
        for (url, wanted) in [
            ("", None),
            ("public_url = 'https://example.com'\n", None),
            ("public_url = 'http://gateway'\n", Some(Severity::Warning)),
            ("public_url = 'https://127.0.0.1:5099'\n", Some(Severity::Error)),
            ("public_url = 'https://10.0.0.7'\n", Some(Severity::Error)),
        ] {
            let found = public_url(&settings(&format!("{url}{ONE}")));
            assert_eq!(found.map(|found| found.severity), wanted, "{url}");
        }
        let posted = format!("{ONE}receive = 'webhook'\n");
        assert_eq!(public_url(&settings(&posted)).map(|found| found.severity), Some(Severity::Error));
        let form = "[[channels]]\nname = 'site'\nchannel = 'form'\n";
        let found = public_url(&settings(form)).map(|found| found.severity);
        assert_eq!(found, Some(Severity::Error), "what only posts cannot be asked");
        let near = format!("public_url = 'http://127.0.0.1:5099'\n{ONE}api = 'http://127.0.0.1:1'\n");
        assert!(public_url(&settings(&near)).is_none(), "a provider on this machine reaches it");
        assert!(check(&settings(""), None).findings.is_empty());
    }
}
