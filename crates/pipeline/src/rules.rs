//! The settings of the pipeline as the rules of its store, at an instant. Pure.

use std::time::Duration;

use config::PipelineSettings;
use domain::{CustomerRule, Responder, Timestamp};
use store::{OutsideStages, PipelineRule, PipelineRules, TELEGRAM_ACCOUNT};

/// How long a batch waits for the text of a voice.
const HEARS_WITHIN: Duration = Duration::from_secs(30);

/// The rules that hold at an instant.
pub(crate) fn rules(settings: &PipelineSettings, now: Timestamp) -> PipelineRules {
    let responder = responder(settings, now);
    let mut rules: Vec<PipelineRule> = settings
        .rules
        .iter()
        .map(|rule| PipelineRule {
            channel: Some(rule.channel.clone()),
            account: rule.account.clone(),
            is_on: rule.channel.as_str() != TELEGRAM_ACCOUNT || settings.telegram_accounts,
            silence: rule.silence.unwrap_or(settings.silence),
            longest: rule.longest.unwrap_or(settings.longest),
            responder: rule.responder.unwrap_or(responder),
        })
        .collect();
    let all = PipelineRule {
        channel: None,
        account: None,
        is_on: true,
        silence: settings.silence,
        longest: settings.longest,
        responder,
    };
    if !settings.telegram_accounts {
        rules.push(PipelineRule { channel: TELEGRAM_ACCOUNT.parse().ok(), is_on: false, ..all.clone() });
    }
    rules.push(all);
    let outside = OutsideStages {
        batch: settings.stages.batch.is_external(),
        resolve: settings.stages.resolve.is_external(),
        appeal: settings.stages.appeal.is_external(),
    };
    PipelineRules {
        rules,
        reopen_within: settings.reopen_within,
        hears_within: settings.transcription.is_some().then_some(HEARS_WITHIN),
        outside,
        customers: CustomerRule {
            rule: settings.telegram_customers,
            always: settings.telegram_customers_always.clone(),
            never: settings.telegram_customers_never.clone(),
        },
    }
}

fn responder(settings: &PipelineSettings, now: Timestamp) -> Responder {
    match (settings.active_hours(), settings.outside_hours) {
        (Some(hours), Some(outside)) if !hours.cover(now) => outside,
        // A program that makes the answers is there to answer.
        _ if settings.responder == Responder::Human && settings.stages.respond.is_external() => {
            Responder::Webhook
        }
        _ => settings.responder,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(fields: serde_json::Value) -> PipelineSettings {
        serde_json::from_value(fields).unwrap()
    }

    fn of(rules: &PipelineRules, channel: &str, account: &str) -> (bool, Responder) {
        let rule = rules.of(&channel.parse().unwrap(), &account.parse().unwrap()).unwrap();
        (rule.is_on, rule.responder)
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let settings = settings(json!({ "responder": "ai", "rules": [
            { "channel": "avito", "account": "old", "responder": "off" },
            { "channel": "avito", "responder": "human", "silence": "5s", "longest": "1m" },
        ] }));
        let rules = rules(&settings, Timestamp::from_micros(0));
        assert_eq!(of(&rules, "avito", "old"), (true, Responder::Off));
        assert_eq!(of(&rules, "avito", "shop"), (true, Responder::Human));
        assert_eq!(of(&rules, "vk", "club"), (true, Responder::Ai));
        assert!(!of(&rules, TELEGRAM_ACCOUNT, "main").0);
        let waits = |channel: &str| {
            let rule = rules.of(&channel.parse().unwrap(), &"shop".parse().unwrap()).unwrap();
            (rule.silence.as_secs(), rule.longest.as_secs())
        };
        assert_eq!((waits("avito"), waits("vk")), ((5, 60), (20, 300)));
    }

    #[test]
    fn a_voice_is_waited_for_where_there_is_a_model_that_hears() {
        let hears_within = |fields| rules(&settings(fields), Timestamp::from_micros(0)).hears_within;
        let model = json!({ "url": "https://example.com/v1", "model": "whisper" });
        assert_eq!(hears_within(json!({ "transcription": model })), Some(Duration::from_secs(30)));
        assert_eq!(hears_within(json!({})), None);
    }

    #[test]
    fn another_one_answers_outside_the_hours() {
        let settings =
            settings(json!({ "hours": "09:00-21:00 UTC", "outside_hours": "ai", "telegram_accounts": true }));
        let at = |hour: i64| rules(&settings, Timestamp::from_micros(hour * 3_600_000_000));
        assert_eq!(of(&at(12), "vk", "club"), (true, Responder::Human));
        assert_eq!(of(&at(22), TELEGRAM_ACCOUNT, "main"), (true, Responder::Ai));
    }
}
