//! What is made of what providers report: each finding, its fix, and that no secret is in any of it.

use config::{SecretOrigin, WebhookProvider};
use proptest::prelude::*;

use super::*;
use crate::report::Looked;

const EXPECTED: &str = "https://n8n.example.com/webhook/planted-0123456789";

const KEY: &str = "doctor.webhooks";

const NOW: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);

fn webhook(provider: WebhookProvider) -> WebhookFields {
    let needs = |field| provider.needs().contains(&field);
    let secret = |field: &'static str, text: &str| needs(field).then(|| text.into());
    WebhookFields {
        name: "shop".to_owned(),
        provider,
        expect: EXPECTED.into(),
        token: secret("token", "1:planted-token"),
        client_id: secret("client_id", "planted-id"),
        client_secret: secret("client_secret", "planted-secret"),
        group_id: needs("group_id").then_some(100),
        profile_id: needs("profile_id").then(|| "1a2b".to_owned()),
        api: None,
        expect_origin: SecretOrigin::Written,
        token_origin: SecretOrigin::Written,
    }
}

fn at(text: &str) -> Registration {
    Registration { address: WebhookAddress::of(text), state: State::Works, has_secret: None }
}

fn registered_at(addresses: &[&str]) -> ProviderReport {
    ProviderReport {
        registered: addresses.iter().map(|address| at(address)).collect(),
        ..ProviderReport::default()
    }
}

fn judged(provider: WebhookProvider, report: ProviderReport) -> Section {
    check(&[WebhookQuery { webhook: webhook(provider), key: KEY, outcome: Ok(report) }], 0, NOW)
}

fn failed(provider: WebhookProvider, failure: Failure) -> Section {
    check(&[WebhookQuery { webhook: webhook(provider), key: KEY, outcome: Err(failure) }], 0, NOW)
}

fn codes(section: &Section) -> Vec<(Code, Severity)> {
    section.findings.iter().map(|one| (one.code, one.severity)).collect()
}

fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

#[test]
fn an_expected_registration_is_a_fact() {
    let section =
        judged(WebhookProvider::Telegram, ProviderReport { waiting: Some(3), ..registered_at(&[EXPECTED]) });
    assert_eq!(codes(&section), []);
    assert_eq!(section.looked, Looked::Wholly);
    assert_eq!(section.facts[0].name, "shop");
    assert_eq!(
        section.facts[0].value,
        "Telegram has it registered as expected, at https://n8n.example.com; 3 updates wait"
    );
    let none = check(&[], 0, NOW);
    assert_eq!((none.looked, none.facts.len(), none.findings.len()), (Looked::Wholly, 1, 0));
}

#[test]
fn another_address_is_an_error_that_shows_only_hosts() {
    let section =
        judged(WebhookProvider::Avito, registered_at(&["https://old.example.com:5005/planted-0123456789"]));
    assert_eq!(codes(&section), [(Code::WebhookElsewhere, Severity::Error)]);
    let found = &section.findings[0];
    assert_eq!(
        found.summary,
        "Avito sends what customers write to shop to https://old.example.com:5005, and not to https://n8n.example.com."
    );
    assert_eq!(found.subject, "webhook shop");
    assert_eq!(
        found.evidence,
        ["registered: https://old.example.com:5005", "expected: https://n8n.example.com"]
    );
    assert!(
        matches!(&found.fix, Fix::Advice { advice } if advice.contains("find out first whose")),
        "{found:?}"
    );

    let other_path = judged(WebhookProvider::Max, registered_at(&["https://n8n.example.com/planted"]));
    assert_eq!(
        other_path.findings[0].summary,
        "MAX sends what customers write to shop to another path of https://n8n.example.com than expected."
    );
    let two =
        judged(WebhookProvider::Max, registered_at(&["https://a.example.com/x", "https://b.example.com/x"]));
    assert!(two.findings[0].summary.contains("to 2 places, and not to https://n8n.example.com."));
    assert_eq!(two.findings[0].evidence.len(), 3);
}

#[test]
fn a_missing_registration_is_a_warning_with_the_backlog() {
    let section =
        judged(WebhookProvider::Telegram, ProviderReport { waiting: Some(1), ..ProviderReport::default() });
    assert_eq!(codes(&section), [(Code::WebhookMissing, Severity::Warning)]);
    assert_eq!(section.findings[0].evidence, ["expected: https://n8n.example.com", "1 update waits"]);
}

#[test]
fn a_second_address_is_a_note() {
    let section = judged(WebhookProvider::Max, registered_at(&[EXPECTED, "https://crm.example.com/hook"]));
    assert_eq!(codes(&section), [(Code::WebhookAlsoElsewhere, Severity::Note)]);
    assert_eq!(section.findings[0].evidence, ["registered: https://crm.example.com"]);
    assert_eq!(section.facts.len(), 1);
    let dead = Registration { state: State::Failed, ..at("https://crm.example.com/hook") };
    let report = ProviderReport { registered: vec![at(EXPECTED), dead], ..ProviderReport::default() };
    assert_eq!(codes(&judged(WebhookProvider::Vk, report)), [], "it gets nothing");
}

#[test]
fn failures_count_while_they_are_recent_or_many_wait() {
    let failing = |ago_seconds: Option<u64>, waiting| {
        let failed = ago_seconds.map(|seconds| (ago(seconds), "Wrong response: 502 Bad Gateway".to_owned()));
        codes(&judged(
            WebhookProvider::Telegram,
            ProviderReport { waiting, failed, ..registered_at(&[EXPECTED]) },
        ))
    };
    let is = |severity| vec![(Code::WebhookFailing, severity)];
    assert_eq!(failing(None, Some(0)), []);
    assert_eq!(failing(Some(3601), Some(99)), []);
    assert_eq!(failing(Some(3600), Some(0)), is(Severity::Warning));
    assert_eq!(failing(None, Some(100)), is(Severity::Warning));
    assert_eq!(failing(Some(60), Some(100)), is(Severity::Error));
    let failed = Some((ago(60), "Connect to https://planted.example.com/planted \u{7}failed".to_owned()));
    let section = judged(WebhookProvider::Telegram, ProviderReport { failed, ..registered_at(&[EXPECTED]) });
    assert_eq!(
        section.findings[0].evidence,
        ["last failure 1 min 0 s ago, 2029-12-31T23:59:00Z: Connect to … failed"]
    );
}

#[test]
fn a_failed_vk_server_is_an_error_unless_another_works() {
    let server = |state| Registration { state, ..at(EXPECTED) };
    let section = |servers| {
        judged(WebhookProvider::Vk, ProviderReport { registered: servers, ..ProviderReport::default() })
    };
    for state in [State::Failed, State::Unconfirmed] {
        let found = section(vec![server(state)]);
        assert_eq!(codes(&found), [(Code::WebhookFailing, Severity::Error)]);
        assert!(found.findings[0].evidence[0].starts_with("the expected place "), "{found:?}");
    }
    assert_eq!(codes(&section(vec![server(State::Failed), server(State::Works)])), []);
}

#[test]
fn a_profile_that_is_signed_out_gets_nothing() {
    let section =
        judged(WebhookProvider::Whatsapp, ProviderReport { signed_out: true, ..registered_at(&[EXPECTED]) });
    assert_eq!(codes(&section), [(Code::WebhookFailing, Severity::Error)]);
}

#[test]
fn plain_http_and_an_address_without_a_secret_are_warnings() {
    let open = Registration { has_secret: Some(false), ..at("http://old.example.com:5005/avito") };
    let section = judged(
        WebhookProvider::Avito,
        ProviderReport { registered: vec![open], ..ProviderReport::default() },
    );
    assert_eq!(
        codes(&section),
        [
            (Code::WebhookElsewhere, Severity::Error),
            (Code::WebhookPlain, Severity::Warning),
            (Code::WebhookWithoutSecret, Severity::Warning),
        ]
    );
    let with = |has_secret, address| {
        let report = ProviderReport {
            registered: vec![Registration { has_secret, ..at(address) }],
            ..ProviderReport::default()
        };
        codes(&judged(WebhookProvider::Vk, report)).contains(&(Code::WebhookWithoutSecret, Severity::Warning))
    };
    assert!(with(Some(false), "https://example.com/hook"));
    assert!(!with(Some(true), "https://example.com/hook"));
    assert!(!with(None, "https://example.com/hook"), "what is not reported is not judged");
    assert!(!with(Some(false), EXPECTED), "the path is the secret");
}

#[test]
fn an_unanswered_query_is_reported_and_the_section_partial() {
    let refused = Failure::Refused { field: "token", why: "it answered 401".to_owned() };
    let section = failed(WebhookProvider::Telegram, refused);
    assert_eq!(codes(&section), [(Code::WebhookRefused, Severity::Error)]);
    assert_eq!(section.looked, Looked::Partly);
    assert_eq!(section.findings[0].evidence, ["it answered 401", "asked at https://api.telegram.org"]);
    assert!(
        matches!(&section.findings[0].fix, Fix::Setting { key, advice } if key == "doctor.webhooks" && advice.contains("shop another token"))
    );
    for failure in [Failure::Unreached("refused".to_owned()), Failure::Unclear("it answered 200".to_owned())]
    {
        assert_eq!(
            codes(&failed(WebhookProvider::Max, failure)),
            [(Code::WebhookUnknown, Severity::Warning)]
        );
    }
    let barred = failed(WebhookProvider::Whatsapp, Failure::Barred("it is not paid for".to_owned()));
    assert_eq!(codes(&barred), [(Code::WebhookRefused, Severity::Error)]);
    assert_eq!(check(&[], 3, NOW).looked, Looked::Partly);
}

#[test]
fn a_command_takes_its_secrets_from_where_they_are() {
    let fix = |provider, token, expect| {
        let webhook = WebhookFields { token_origin: token, expect_origin: expect, ..webhook(provider) };
        let query = WebhookQuery {
            webhook,
            key: KEY,
            outcome: Ok(registered_at(&["https://old.example.com/planted"])),
        };
        check(&[query], 0, NOW).findings.remove(0).fix
    };
    let variable = |name: &str| SecretOrigin::Variable(name.to_owned());
    let command = |fix: Fix| match fix {
        Fix::Command { command, .. } => Some(command),
        _ => None,
    };
    let file = SecretOrigin::File("/etc/shop hook.txt".into());
    assert_eq!(
        command(fix(WebhookProvider::Telegram, variable("SHOP_TOKEN"), file)).as_deref(),
        Some(
            r#"curl --silent "https://api.telegram.org/bot${SHOP_TOKEN}/setWebhook" --data-urlencode "url=$(cat '/etc/shop hook.txt')""#
        )
    );
    assert_eq!(
        command(fix(WebhookProvider::Max, variable("MAX_TOKEN"), variable("HOOK"))).as_deref(),
        Some(
            r#"curl --silent "https://platform-api2.max.ru/subscriptions" --header "Authorization: ${MAX_TOKEN}" --header "Content-Type: application/json" --data "{\"url\":\"${HOOK}\"}""#
        )
    );
    assert_eq!(command(fix(WebhookProvider::Telegram, SecretOrigin::Written, variable("HOOK"))), None);
    assert_eq!(command(fix(WebhookProvider::Whatsapp, variable("TOKEN"), variable("HOOK"))), None);
}

/// Anything that a provider may report.
fn any_report() -> impl Strategy<Value = Result<ProviderReport, Failure>> {
    let address = prop::sample::select(vec![
        EXPECTED,
        "https://n8n.example.com/planted",
        "http://old.example.com:5005/planted?planted=planted-0123456789",
        "https://planted:planted@crm.example.com/planted-0123456789",
        "planted",
        "",
    ]);
    let state = prop::sample::select(vec![State::Works, State::Unconfirmed, State::Failed]);
    let registration = (address, state, any::<Option<bool>>()).prop_map(|(address, state, has_secret)| {
        Registration { address: WebhookAddress::of(address), state, has_secret }
    });
    let failed = prop::option::of((any::<i64>().prop_map(Timestamp::from_micros), ".{0,60}"));
    let report = (prop::collection::vec(registration, 0..14), any::<Option<u64>>(), failed, any::<bool>())
        .prop_map(|(registered, waiting, failed, signed_out)| ProviderReport {
            registered,
            waiting,
            failed,
            signed_out,
        });
    prop_oneof![
        4 => report.prop_map(Ok),
        1 => Just(Err(Failure::Unreached("refused".to_owned()))),
        1 => Just(Err(Failure::Refused { field: "token", why: "it answered 401".to_owned() })),
    ]
}

proptest! {
    #[test]
    fn no_report_shows_a_secret_or_makes_right_wrong(
        outcome in any_report(),
        provider in prop::sample::select(WebhookProvider::ALL.to_vec()),
    ) {
        let has = outcome.as_ref().is_ok_and(|report| report.registered.iter().any(|one| one.address.is(&WebhookAddress::of(EXPECTED))));
        let is_reported = outcome.is_ok();
        let section = check(&[WebhookQuery { webhook: webhook(provider), key: KEY, outcome }], 0, NOW);
        let text = serde_json::to_string(&section).unwrap_or_default();
        prop_assert!(!text.contains("planted"), "{text}");
        let found = |code| section.findings.iter().any(|one| one.code == code);
        prop_assert_eq!(found(Code::WebhookElsewhere) || found(Code::WebhookMissing), is_reported && !has);
        prop_assert_eq!(section.facts.len(), usize::from(has));
        prop_assert_eq!(section.looked == Looked::Wholly, is_reported);
        for one in &section.findings {
            prop_assert!(one.evidence.len() <= MOST_SHOWN + 3, "{:?}", one.evidence);
            let words = format!("{:?}", one.fix).to_lowercase();
            prop_assert!(!words.contains("delete") && !words.contains("unsubscribe"), "{words}");
            let shown = one.evidence.join("");
            prop_assert!(!one.summary.chars().chain(shown.chars()).any(char::is_control));
        }
    }

    #[test]
    fn provider_errors_are_shown_short_and_plain(text in ".{0,400}") {
        let shown = harmless(&text);
        prop_assert!(shown.chars().count() <= LONGEST && !shown.chars().any(char::is_control) && !shown.contains('/'));
    }
}
