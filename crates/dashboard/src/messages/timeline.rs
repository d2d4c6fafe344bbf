//! The timeline of a message, as the cord runs: a lane for each account, a hop where the message moves on. Pure.

use std::time::Duration;

use domain::Timestamp;
use domain::outcome::Failure;
use serde::Deserialize;

use crate::view::{Language, Tint};
use crate::words::number;

/// A step, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    #[serde(rename = "step", alias = "what")]
    pub(crate) name: String,
    pub(crate) part: Option<u16>,
    pub(crate) account: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) detail: Option<String>,
}

impl Step {
    /// What it is, in a few words.
    pub(crate) fn heading(&self, language: Language) -> String {
        heading(language, self)
    }
}

/// The last lane; accounts beyond share it.
const LAST_LANE: usize = 3;

/// Where the lanes are, in pixels from the left of the cord.
const LANE_POSITIONS: [u16; LAST_LANE + 1] = [12, 40, 68, 96];

/// A step at its place on the cord.
#[derive(Debug, Clone)]
pub(super) struct Stop<'a> {
    pub(super) step: &'a Step,
    /// The lane, 0 to 3.
    pub(super) lane: usize,
    /// The lane that the cord comes from, when it is another.
    pub(super) from: Option<usize>,
    pub(super) tint: Tint,
    /// Since the step before.
    pub(super) took: Option<Duration>,
}

impl Stop<'_> {
    /// The curve from the lane before to this one.
    pub(super) fn hop(&self) -> Option<String> {
        let place = |lane: usize| LANE_POSITIONS.get(lane).copied().unwrap_or_default();
        let (from, to) = (place(self.from?), place(self.lane));
        Some(format!("M{from} 0C{from} 20 {to} 8 {to} 28"))
    }

    /// What it is, in a few words.
    pub(super) fn heading(&self, language: Language) -> String {
        self.step.heading(language)
    }

    /// The time since the step before, where it is worth showing.
    pub(super) fn took_words(&self, language: Language) -> Option<String> {
        self.took.map(|took| number::latency(language, took))
    }
}

/// The stops of a message's way.
pub(super) fn stops(steps: &[Step]) -> Vec<Stop<'_>> {
    let mut accounts: Vec<&str> = Vec::new();
    let (mut lane, mut before) = (0, None);
    let mut found = Vec::with_capacity(steps.len());
    for step in steps {
        let mut now = lane;
        if let Some(account) = step.account.as_deref() {
            let known = accounts.iter().position(|known| *known == account).unwrap_or_else(|| {
                accounts.push(account);
                accounts.len() - 1
            });
            now = known.min(LAST_LANE);
        }
        let from = (now != lane && !found.is_empty()).then_some(lane);
        let took = before.map(|before: Timestamp| step.at.since(before));
        let took = took.filter(|took| *took >= Duration::from_millis(1));
        found.push(Stop { step, lane: now, from, tint: tint(step), took });
        (lane, before) = (now, Some(step.at));
    }
    found
}

fn tint(step: &Step) -> Tint {
    match (step.name.as_str(), step.outcome.as_deref()) {
        ("sent" | "delivered" | "read" | "resolved" | "approved", _) | ("attempted", Some("sent")) => {
            Tint::Good
        }
        (
            "attempted",
            Some("flood_wait" | "slow_mode" | "unknown" | "unavailable" | "in_progress" | "unprepared"),
        )
        | ("waiting" | "in_doubt", _) => Tint::Waiting,
        ("failed" | "attempted", _) => Tint::Bad,
        _ => Tint::Idle,
    }
}

fn outcome(language: Language, word: &str, detail: Option<&str>) -> String {
    let (english, russian) = match word {
        "sent" => ("sent", "отправлено"),
        "flood_wait" => ("flood wait", "ожидание по требованию Telegram"),
        "slow_mode" => ("slow mode of the chat", "медленный режим чата"),
        "not_found" => ("does not find the chat", "не находит чат"),
        "forbidden" => ("may not write there", "не может туда писать"),
        "peer_flood" => ("no new contacts allowed", "новые контакты запрещены"),
        "banned" => ("the account is banned", "аккаунт заблокирован"),
        "session_lost" => ("its session is gone", "сессия утрачена"),
        "unavailable" => ("not connected", "нет соединения"),
        "rejected" => ("Telegram refused the content", "Telegram отклонил содержимое"),
        "media_gone" => ("the file is gone", "файла больше нет"),
        "unprepared" | "media_expired" => {
            ("the file has to be uploaded again", "файл нужно загрузить заново")
        }
        "in_progress" => ("Telegram is still working on it", "Telegram ещё обрабатывает"),
        "unknown" => return unknown(language, detail.unwrap_or_default()),
        other => return other.replace('_', " "),
    };
    language.of(english, russian).to_owned()
}

/// Why it is not known whether it arrived.
fn unknown(language: Language, detail: &str) -> String {
    let code = detail.split(' ').next().filter(|code| code.len() == 3 && code.parse::<u16>().is_ok());
    match (code, detail) {
        (Some(code), _) => {
            language.of(format!("Telegram answered {code}"), format!("Telegram ответил {code}"))
        }
        (None, "no answer in time") => {
            language.of("Telegram did not answer in time", "Telegram не ответил вовремя").to_owned()
        }
        (None, detail) if detail.starts_with("the answer cannot be") => language
            .of("the answer of Telegram cannot be read", "ответ Telegram не удалось прочитать")
            .to_owned(),
        (None, _) => {
            language.of("the connection broke before the answer", "связь оборвалась до ответа").to_owned()
        }
    }
}

fn heading(language: Language, step: &Step) -> String {
    let account = step.account.as_deref().unwrap_or_else(|| language.of("an account", "аккаунт"));
    let part = match step.part {
        Some(part) if part > 0 => format!("{} {}", language.of(", part", ", часть"), part + 1),
        _ => String::new(),
    };
    let description = step
        .outcome
        .as_deref()
        .map(|word| outcome(language, word, step.detail.as_deref()))
        .unwrap_or_default();
    match step.name.as_str() {
        "accepted" => language.of("Accepted and stored", "Принято и сохранено").to_owned(),
        "begun" => format!("{} {account}{part}", language.of("Given to", "Передано аккаунту")),
        "attempted" => format!("{account}{part}: {description}"),
        "waiting" => language.of("Waiting", "Ждёт").to_owned(),
        "moved_on" => format!("{} {account}", language.of("Moved to", "Перешло к аккаунту")),
        "joined" => language
            .of(
                "The same request came again and got this message",
                "Пришёл такой же запрос и получил это же сообщение",
            )
            .to_owned(),
        "sent" if step.account.is_some() => {
            format!("{} {account}{part}", language.of("Sent by", "Отправил аккаунт"))
        }
        "sent" => language.of("Sent", "Отправлено").to_owned(),
        "failed" if step.detail.as_deref() == Some(Failure::RESTORED) => language
            .of(
                "Held back after a restore: it may have been sent since the backup",
                "Задержано после восстановления: возможно, отправлено после копии",
            )
            .to_owned(),
        "failed" => language.of("Not sent", "Не отправлено").to_owned(),
        "cancelled" => language.of("Cancelled before it was sent", "Отменено до отправки").to_owned(),
        "in_doubt" => language
            .of("It may have been sent: this cannot be found out", "Возможно, отправлено: узнать это нельзя")
            .to_owned(),
        "resolved" => language.of("Resolved by a person", "Решено человеком").to_owned(),
        "resumed" => {
            format!(
                "{} {account}{part}",
                language.of("Continued after a restart by", "После перезапуска продолжает")
            )
        }
        "delivered" => language.of("Delivered", "Доставлено").to_owned(),
        "read" => language.of("Read", "Прочитано").to_owned(),
        "approved" => language.of("Approved by a person", "Одобрено человеком").to_owned(),
        "rejected" => language.of("Rejected by a person", "Отклонено человеком").to_owned(),
        "retried" => language.of("Sent again by hand", "Отправлено заново вручную").to_owned(),
        other => other.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn step(second: i64, name: &str, account: Option<&str>, outcome: Option<&str>) -> Step {
        Step {
            at: Timestamp::from_micros(second * 1_000_000),
            name: name.to_owned(),
            part: None,
            account: account.map(str::to_owned),
            outcome: outcome.map(str::to_owned),
            detail: None,
        }
    }

    #[test]
    fn the_cord_moves_with_the_message() {
        let steps = [
            step(0, "accepted", None, None),
            step(1, "begun", Some("main"), None),
            step(4, "attempted", Some("main"), Some("flood_wait")),
            step(4, "moved_on", Some("backup_1"), None),
            step(5, "sent", Some("backup_1"), None),
        ];
        let route = stops(&steps);
        assert_eq!(route.iter().map(|stop| stop.lane).collect::<Vec<_>>(), [0, 0, 0, 1, 1]);
        assert_eq!(route[3].hop().as_deref(), Some("M12 0C12 20 40 8 40 28"));
        assert_eq!((route[2].tint, route[4].tint), (Tint::Waiting, Tint::Good));
        assert_eq!(route[2].took, Some(Duration::from_secs(3)));
        assert_eq!(route[3].took, None);
    }

    proptest! {
        #[test]
        fn every_route_fits_on_the_cord(
            names in proptest::collection::vec(
                (select(domain::timeline::Step::ALL.to_vec()), proptest::option::of(0_u8..6)), 0..30)
        ) {
            let steps: Vec<Step> = names.iter().map(|(name, account)| {
                step(0, name.as_str(), account.map(|number| format!("account_{number}")).as_deref(), Some("flood_wait"))
            }).collect();
            let route = stops(&steps);
            prop_assert_eq!(route.len(), steps.len());
            for pair in route.windows(2) {
                prop_assert!(pair[1].lane <= LAST_LANE);
                prop_assert_eq!(pair[1].from.unwrap_or(pair[1].lane), pair[0].lane);
            }
            for stop in &route {
                for language in [Language::English, Language::Russian] {
                    let heading = stop.heading(language);
                    prop_assert!(!heading.is_empty() && !heading.contains("flood_wait"), "{}", heading);
                }
            }
        }
    }
}
