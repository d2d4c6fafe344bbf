//! What a card says of its accounts and of work that is stuck, in numbers.

use health::{Card, Stuck, Unable};

use super::super::Wall;
use super::super::number::{english, russian, thousands};
use super::{OverviewWords, codes};
use crate::view::Language;

/// Code, English, Russian: how accounts are, counted. Russian puts the number behind, and fits any number so.
const COUNTED: &[(&str, &str, &str)] = &[
    ("flood_wait", "in flood wait", "в ожидании"),
    ("needs_login", "signed out", "нужен вход"),
    ("banned", "banned", "заблокировано"),
    ("frozen", "frozen", "заморожено"),
    ("peer_flood", "kept from first contacts", "без новых контактов"),
    ("paused", "paused", "на паузе"),
    ("stopped", "stopped", "остановлено"),
    ("connecting", "connecting", "подключаются"),
    ("no_answer", "without an answer", "без ответа"),
    ("calls_unanswered", "without an answer", "без ответа"),
    ("unreachable", "cut off from Telegram", "без связи с Telegram"),
    ("not_connected", "cut off from Telegram", "без связи с Telegram"),
];

impl OverviewWords {
    /// What is to be said of a card beside its state; nothing where no account is unable and nothing is stuck.
    pub(crate) fn facts(&self, card: &Card, wall: Wall) -> Option<String> {
        let facts = [self.unable(&card.unable), card.stuck.map(|stuck| self.stuck(stuck, wall))];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        (!facts.is_empty()).then(|| facts.join(" "))
    }

    /// How many accounts cannot work, by why.
    fn unable(&self, unable: &[Unable]) -> Option<String> {
        let one = |group: &Unable| {
            let many = thousands(group.count.into());
            let row = COUNTED.iter().find(|(code, _, _)| *code == group.reason);
            match (self.language, row) {
                (Language::English, Some((_, english, _))) => format!("{many} {english}"),
                (Language::Russian, Some((_, _, russian))) => format!("{russian} — {many}"),
                (_, None) => format!("{}: {many}", codes::reason(self.language, group.reason)),
            }
        };
        let summed = unable.iter().map(one).collect::<Vec<_>>().join(", ");
        (!unable.is_empty()).then(|| self.language.of(format!("{summed}."), format!("Аккаунты: {summed}.")))
    }

    fn stuck(&self, stuck: Stuck, wall: Wall) -> String {
        let (many, count) = (u64::from(stuck.count), thousands(stuck.count.into()));
        let since = wall.minute(stuck.since);
        match self.language {
            Language::English => {
                let noun = english(many, "message has", "messages have");
                format!("{count} {noun} waited for a result since {}.", since.text())
            }
            Language::Russian => {
                let noun = russian(many, "сообщение ждёт", "сообщения ждут", "сообщений ждут");
                format!("{count} {noun} результата с {}.", since.text())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_sums_up_its_accounts_in_both_languages() {
        let group = |reason, count| Unable { reason, count, names: Vec::new() };
        let unable = [group("needs_login", 3), group("flood_wait", 1), group("banned", 1)];
        let text_in = |language| OverviewWords::of(language).unable(&unable).expect("a sentence");
        assert_eq!(text_in(Language::English), "3 signed out, 1 in flood wait, 1 banned.");
        assert_eq!(
            text_in(Language::Russian),
            "Аккаунты: нужен вход — 3, в ожидании — 1, заблокировано — 1."
        );
        assert_eq!(OverviewWords::of(Language::English).unable(&[]), None);
    }
}
