//! Sentences with numbers and names in them.

use std::time::Duration;

use domain::Service;
use health::{CardAction, CardKind, ClearingView, Minute, Phase, ProbeOutcome};

use super::super::number::{HARD, countdown, english, latency, percent, russian, span, thousands};
use super::super::{Moment, Wall};
use super::{OverviewWords, codes};
use crate::view::{Language, LinkTarget};

/// The most names that a sentence lists.
const NAMED: usize = 3;

sentences! {
    OverviewWords;
    and_more(many: usize): "and {many} more", "и ещё {many}";
    the_list(many: u64): "All that works ({many}), and search", "Всё, что работает ({many}), и поиск";
    sent_and_failed(sent: u64, failed: u64):
        "{sent} sent, {failed} failed", "отправлено {sent}, не ушло {failed}";
    in_doubt(many: u64): "{many} in doubt", "под вопросом {many}";
    range(shown: u64, matching: u64): "{shown} of {matching}", "{shown} из {matching}";
    more_of(name: &str): "More about {name}", "Подробнее: {name}";
    stop_question(name: &str): "Stop {name}?", "Остановить {name}?";
    stop_button(name: &str): "Stop {name}", "Остановить {name}";
    alert(name: &str): "{name} failed three times in a row", "{name}: три ошибки подряд";
    with_parts(many: u64;
        noun: ["part of it is red", "parts of it are red"],
            ["его частью:", "его частями:", "его частями:"]):
        "{many} {noun} with it.", "Вместе с {noun} {many}.";
    since_when(since: Moment): "since {since}", "с{HARD}{since}";
}

impl OverviewWords {
    /// The sentence that the page opens with: how many troubles of each kind need a person.
    pub(crate) fn verdict(&self, troubles: [(CardKind, u64); CardKind::ALL.len()]) -> String {
        let all: u64 = troubles.iter().map(|(_, many)| many).sum();
        let named: Vec<String> = troubles
            .into_iter()
            .filter(|(_, many)| *many > 0)
            .map(|(kind, many)| self.many(kind, many))
            .collect();
        let named = match named.split_last() {
            None => return self.language.of("Everything works.", "Всё работает.").to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, first)) => {
                format!("{} {} {last}", first.join(", "), self.language.of("and", "и"))
            }
        };
        match self.language {
            Language::English => format!("{named} {} you.", english(all, "needs", "need")),
            Language::Russian => {
                format!("Внимания {} {named}.", russian(all, "требует", "требуют", "требуют"))
            }
        }
    }

    /// How many cards of a kind.
    fn many(&self, kind: CardKind, many: u64) -> String {
        let (one, more) = match kind {
            CardKind::Service => ("service", "services"),
            CardKind::Account => ("account", "accounts"),
            CardKind::Line => ("session", "sessions"),
            CardKind::Port => ("port", "ports"),
            CardKind::Store => ("store", "stores"),
            CardKind::Queue => ("queue", "queues"),
        };
        let (single, few, several) = match kind {
            CardKind::Service => ("сервис", "сервиса", "сервисов"),
            CardKind::Account => ("аккаунт", "аккаунта", "аккаунтов"),
            CardKind::Line => ("сессия", "сессии", "сессий"),
            CardKind::Port => ("порт", "порта", "портов"),
            CardKind::Store => ("база", "базы", "баз"),
            CardKind::Queue => ("очередь", "очереди", "очередей"),
        };
        let word = self.language.of(english(many, one, more), russian(many, single, few, several));
        format!("{}{HARD}{word}", thousands(many))
    }

    /// How many sessions an account has, for the fold that they are in.
    pub(crate) fn sessions(&self, many: usize) -> String {
        self.many(CardKind::Line, many as u64)
    }

    /// The services that cannot work because of accounts in trouble.
    pub(crate) fn held_up(&self, names: &[String], all: u64) -> String {
        let names = self.names(names, all);
        match self.language {
            Language::English => format!("Because of that {names} cannot work."),
            Language::Russian => {
                format!("Из-за этого не {}: {names}.", russian(all, "работает", "работают", "работают"))
            }
        }
    }

    /// Several alerts in a fold.
    pub(crate) fn alerts(&self, names: &[String], all: u64) -> String {
        let listed = self.names(names, all);
        match self.language {
            Language::English => format!("{} alerts: {listed}", thousands(all)),
            Language::Russian => {
                format!("{} {}: {listed}", thousands(all), russian(all, "тревога", "тревоги", "тревог"))
            }
        }
    }

    /// An alert within the entry of its card: since when, and until when no one is notified.
    pub(crate) fn alert_since(&self, since: Moment, silent_until: Option<Moment>) -> String {
        let since = since.text();
        match (self.language, silent_until) {
            (Language::English, None) => format!("Alert since {since}."),
            (Language::English, Some(until)) => format!("Alert since {since}, muted until {}.", until.text()),
            (Language::Russian, None) => format!("Тревога с{HARD}{since}."),
            (Language::Russian, Some(until)) => {
                format!("Тревога с{HARD}{since}, без оповещений до{HARD}{}.", until.text())
            }
        }
    }

    /// The title in the browser's tab, short.
    pub(crate) fn tab(&self, trouble: u64) -> String {
        match (self.language, trouble) {
            (_, 0) => self.title.to_owned(),
            (Language::English, many) => {
                format!("{} {} you", thousands(many), english(many, "needs", "need"))
            }
            (Language::Russian, many) => {
                format!("Внимания {} {}", russian(many, "требует", "требуют", "требуют"), thousands(many))
            }
        }
    }

    pub(crate) fn in_trouble(&self, names: &[String], all: u64) -> String {
        let names = self.names(names, all);
        self.language.of(format!("In trouble: {names}."), format!("Неполадки: {names}."))
    }

    /// Who waits for something that comes by itself.
    pub(crate) fn who_waits(&self, names: &[String], all: u64) -> String {
        let names = self.names(names, all);
        self.language.of(format!("Waiting: {names}."), format!("Ждут: {names}."))
    }

    fn names(&self, names: &[String], all: u64) -> String {
        let listed = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = all.saturating_sub(names.len().min(NAMED) as u64);
        match more {
            0 => listed,
            more => self.language.of(
                format!("{listed} and {} more", thousands(more)),
                format!("{listed} и ещё {}", thousands(more)),
            ),
        }
    }

    /// How many are fine, and how many are switched off.
    pub(crate) fn the_rest(&self, fine: u64, off: u64) -> String {
        let many = thousands(fine);
        let fine = match self.language {
            Language::English => format!("{many} {} fine", english(fine, "is", "are")),
            Language::Russian => format!("В порядке {many}"),
        };
        match (self.language, off) {
            (_, 0) => format!("{fine}."),
            (Language::English, off) => format!("{fine}, {} switched off.", thousands(off)),
            (Language::Russian, off) => {
                let verb = russian(off, "выключен", "выключено", "выключено");
                format!("{fine}, {verb} {}.", thousands(off))
            }
        }
    }

    pub(crate) fn name_until(&self, name: &str, until: Moment) -> String {
        format!("{name} {}{HARD}{}", self.until, until.text())
    }

    /// How old the oldest is that waits.
    pub(crate) fn oldest(&self, age: Duration) -> String {
        let age = span(self.language, age);
        self.language.of(format!("oldest {age}"), format!("самое старое {age}"))
    }

    /// What all but one in a hundred calls took.
    pub(crate) fn slowest(&self, time: Duration) -> String {
        format!("p99{HARD}{}", latency(self.language, time))
    }

    /// The processor and the age of the program.
    pub(crate) fn process(&self, cpu: Option<f32>, up: Duration) -> String {
        let up = span(self.language, up);
        match (self.language, cpu) {
            (Language::English, Some(cpu)) => format!("{} CPU, up {up}", percent(cpu)),
            (Language::English, None) => format!("up {up}"),
            (Language::Russian, Some(cpu)) => format!("{} ЦП, {up}", percent(cpu)),
            (Language::Russian, None) => format!("работает {up}"),
        }
    }

    /// The label of a strip, for readers of screens.
    pub(crate) fn strip(&self, name: &str, counts: [u32; 4]) -> String {
        let [unprobed, answered, slow, failed] = counts;
        match self.language {
            Language::English => format!(
                "{name}, last 2 hours, minute by minute: answered {answered}, slow {slow}, failed {failed}, not asked \
                 {unprobed}"
            ),
            Language::Russian => format!(
                "{name}, последние 2 часа по минутам: с ответом {answered}, медленно {slow}, с ошибкой {failed}, не \
                 спрашивали {unprobed}"
            ),
        }
    }

    pub(crate) fn minute(&self, minute: &Minute, wall: Wall) -> String {
        format!("{} · {}", wall.minute(minute.at).text(), self.what_came(minute))
    }

    pub(crate) fn what_came(&self, minute: &Minute) -> String {
        let took = minute.latency.map(|time| latency(self.language, time));
        let why = minute.reason.as_deref().map(|code| codes::reason(self.language, code));
        let (english, russian) = match minute.answer {
            ProbeOutcome::NotAsked => ("not asked", "не спрашивали"),
            ProbeOutcome::Answered => ("answered", "ответ"),
            ProbeOutcome::Slow => ("slow", "медленно"),
            ProbeOutcome::Failed => ("failed", "ошибка"),
        };
        let mut text = self.language.of(english, russian).to_owned();
        if let Some(took) = took {
            text.push_str(self.language.of(" in ", " за "));
            text.push_str(&took);
        }
        if let Some(why) = why {
            text.push_str(": ");
            text.push_str(&why);
        }
        text
    }

    /// Whom a button acts on, for readers of screens.
    pub(crate) fn act_on(&self, action: CardAction, name: &str) -> String {
        let ends = if action == CardAction::Stop { "…" } else { "" };
        format!("{}: {name}{ends}", self.action(action))
    }

    /// A button that mends a card by leading somewhere.
    pub(crate) fn place(&self, place: LinkTarget) -> &'static str {
        let (english, russian) = match place {
            LinkTarget::SignIn => ("Sign in again", "Войти снова"),
            LinkTarget::Account => ("Open the account", "Открыть аккаунт"),
            LinkTarget::Recovery => ("How to recover", "Как вернуть"),
            LinkTarget::Clearing => ("Flood wait…", "Ожидание…"),
            LinkTarget::Trouble => ("Show what is broken", "Показать неполадки"),
            LinkTarget::Diagnostics => ("Open diagnostics", "Открыть диагностику"),
        };
        self.language.of(english, russian)
    }

    pub(crate) fn stop_follows(&self, kind: CardKind, sent: u64, queue: u64) -> String {
        match self.language {
            Language::English => {
                let who = match kind {
                    CardKind::Service => "New requests for it are refused with a clear answer.",
                    _ => "Its chats go through other accounts where those are members, and wait where not.",
                };
                let load = match sent {
                    0 => "It sent nothing in the last hour.".to_owned(),
                    sent => format!("It sent {} in the last hour.", thousands(sent)),
                };
                let waits = match queue {
                    0 => "Nothing waits in its queue.".to_owned(),
                    queue => format!(
                        "{} {} in its queue {} on; none is lost.",
                        thousands(queue),
                        english(queue, "message", "messages"),
                        english(queue, "waits", "wait"),
                    ),
                };
                format!(
                    "{load} {who} {waits} It stays stopped, even after a restart of the program, until someone starts it."
                )
            }
            Language::Russian => {
                let who = match kind {
                    CardKind::Service => "Новые запросы к нему получают понятный отказ.",
                    _ => "Его чаты пойдут через другие аккаунты, если те в них состоят, иначе подождут.",
                };
                let load = match sent {
                    0 => "За последний час отправок не было.".to_owned(),
                    sent => format!(
                        "За последний час {} {}.",
                        thousands(sent),
                        russian(sent, "отправка", "отправки", "отправок")
                    ),
                };
                let waits = match queue {
                    0 => "В очереди ничего нет.".to_owned(),
                    queue => format!(
                        "{} {} в очереди {} дальше, ни одно не теряется.",
                        thousands(queue),
                        russian(queue, "сообщение", "сообщения", "сообщений"),
                        russian(queue, "ждёт", "ждут", "ждут"),
                    ),
                };
                format!(
                    "{load} {who} {waits} Остановка действует и после перезапуска программы, пока кто-нибудь не запустит снова."
                )
            }
        }
    }

    pub(crate) fn acted(&self, action: CardAction, name: &str) -> String {
        let (english, russian) = match action {
            CardAction::Start => ("is started.", "— запущено."),
            CardAction::Stop => ("is stopped.", "— остановлено."),
            CardAction::Restart => ("is restarting.", "— перезапускается."),
            CardAction::ReloadCache => ("reads its dialogs again.", "— диалоги перечитываются."),
            CardAction::Pause => ("is paused.", "— на паузе."),
            CardAction::Resume => ("is working again.", "— снова в работе."),
            CardAction::SignIn => ("can sign in now.", "— можно входить."),
        };
        format!("{name} {}", self.language.of(english, russian))
    }

    pub(crate) fn phase(&self, run: &ClearingView, wall: Wall) -> String {
        let until = run.until.map(|until| format!(" {}{HARD}{}", self.until, wall.minute(until).text()));
        let until = until.unwrap_or_default();
        let next = run.next.map_or("", Service::as_str);
        match (self.language, run.phase) {
            (Language::English, Phase::Stopping) => "The services are being stopped.".to_owned(),
            (Language::English, Phase::Silent) => format!("Everything is stopped and silent{until}."),
            (Language::English, Phase::Starting) if next.is_empty() => {
                "The services are being started.".to_owned()
            }
            (Language::English, Phase::Starting) => {
                format!("Services start one by one; {next} is next{}.", self.at(run, wall))
            }
            (Language::English, Phase::Paused) => format!("Accounts in flood wait are paused{until}."),
            (Language::Russian, Phase::Stopping) => "Сервисы останавливаются.".to_owned(),
            (Language::Russian, Phase::Silent) => format!("Всё остановлено, тишина{until}."),
            (Language::Russian, Phase::Starting) if next.is_empty() => "Сервисы запускаются.".to_owned(),
            (Language::Russian, Phase::Starting) => {
                format!("Сервисы запускаются по одному; следующий — {next}{}.", self.at(run, wall))
            }
            (Language::Russian, Phase::Paused) => format!("Аккаунты в ожидании приостановлены{until}."),
        }
    }

    fn at(&self, run: &ClearingView, wall: Wall) -> String {
        let at =
            run.until.map(|at| format!(" {}{HARD}{}", self.language.of("at", "в"), wall.minute(at).text()));
        at.unwrap_or_default()
    }

    /// How long a silence or a pause goes on.
    pub(crate) fn left(&self, time: Duration) -> String {
        let time = countdown(self.language, time);
        self.language.of(format!("{time} more"), format!("ещё {time}"))
    }

    /// A step of a clearing: a service that is started.
    pub(crate) fn start_of(&self, service: Service) -> String {
        let name = service.as_str();
        self.language.of(format!("Start {name}"), format!("Запустить {name}"))
    }

    /// Who asked for a clearing, from how the API says it: "asked for by anna", "asked for with key_…".
    pub(crate) fn requested_by(&self, who: &str) -> String {
        let (name, key) = (who.strip_prefix("asked for by "), who.strip_prefix("asked for with "));
        match (self.language, name, key) {
            (Language::English, Some(name), _) => format!("Requested by {name}."),
            (Language::English, _, Some(key)) => format!("Requested with {key}."),
            (Language::English, None, None) => "Requested on this machine.".to_owned(),
            (Language::Russian, Some(name), _) => format!("По просьбе: {name}."),
            (Language::Russian, _, Some(key)) => format!("По просьбе с ключом {key}."),
            (Language::Russian, None, None) => "По просьбе с этой машины.".to_owned(),
        }
    }

    /// How many accounts are in flood wait.
    pub(crate) fn flooded(&self, many: u64) -> String {
        let number = thousands(many);
        match self.language {
            Language::English => {
                format!("{number} {} in flood wait.", english(many, "account is", "accounts are"))
            }
            Language::Russian => format!(
                "{number} {} Telegram.",
                russian(
                    many,
                    "аккаунт ждёт по требованию",
                    "аккаунта ждут по требованию",
                    "аккаунтов ждут по требованию"
                )
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_grammatical_in_both_languages() {
        let (en, ru) = (OverviewWords::of(Language::English), OverviewWords::of(Language::Russian));
        for (accounts, ports, english, russian) in [
            (0, 0, "Everything works.", "Всё работает."),
            (1, 0, "1 account needs you.", "Внимания требует 1 аккаунт."),
            (4, 0, "4 accounts need you.", "Внимания требуют 4 аккаунта."),
            (21, 1, "21 accounts and 1 port need you.", "Внимания требуют 21 аккаунт и 1 порт."),
        ] {
            let troubles = CardKind::ALL.map(|kind| match kind {
                CardKind::Account => (kind, accounts),
                CardKind::Port => (kind, ports),
                _ => (kind, 0),
            });
            assert_eq!(en.verdict(troubles).replace(HARD, " "), english);
            assert_eq!(ru.verdict(troubles).replace(HARD, " "), russian);
        }
    }

    #[test]
    fn long_lists_of_names_are_cut_and_counted() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).into();
        assert_eq!(
            OverviewWords::of(Language::English).in_trouble(&names, 12),
            "In trouble: a, b, c and 9 more."
        );
        assert_eq!(OverviewWords::of(Language::Russian).in_trouble(&names[..2], 2), "Неполадки: a, b.");
    }

    #[test]
    fn the_question_before_a_stop_says_what_follows() {
        let follows = OverviewWords::of(Language::English).stop_follows(CardKind::Account, 214, 3);
        assert!(
            follows.contains("214") && follows.contains("3 messages in its queue wait on; none is lost."),
            "{follows}"
        );
        let follows = OverviewWords::of(Language::Russian).stop_follows(CardKind::Service, 0, 1);
        assert!(follows.contains("1 сообщение в очереди ждёт дальше"), "{follows}");
    }
}
