//! The words of maintenance windows.

use crate::visitor::Language;
use crate::words::number::{english, russian, thousands};

/// The words of maintenance windows.
pub(crate) struct MaintenanceWords {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_help: &'static str,
    pub(crate) when: &'static str,
    pub(crate) note: &'static str,
    pub(crate) note_help: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) every_card: &'static str,
    pub(crate) every_one: &'static str,
    pub(crate) by: &'static str,
    pub(crate) now_until: &'static str,
    pub(crate) remove: &'static str,
    pub(crate) removed: &'static str,
    pub(crate) follows_now: &'static str,
    pub(crate) follows_later: &'static str,
    pub(crate) keep: &'static str,
    pub(crate) made: &'static str,
    pub(crate) once: &'static str,
    pub(crate) weekly: &'static str,
    pub(crate) from: &'static str,
    pub(crate) until: &'static str,
    pub(crate) days: &'static str,
    pub(crate) start: &'static str,
    pub(crate) minutes: &'static str,
    pub(crate) add: &'static str,
    /// Monday first.
    pub(crate) weekdays: [&'static str; 7],
}

const EN: MaintenanceWords = MaintenanceWords {
    language: Language::English,
    title: "Maintenance",
    lede: "During a window no alerts are sent. Checks go on, and the overview shows what is broken.",
    none: "No window yet",
    none_help: "Make one for a planned restart or for the nightly backup.",
    when: "When",
    note: "What for",
    note_help: "Such as: backup.",
    scope: "What it covers",
    every_card: "Everything",
    every_one: "all",
    by: "Made by",
    now_until: "now, until",
    remove: "Remove",
    removed: "The window is removed; alerts about what is broken now are sent.",
    follows_now: "It is open right now. Alerts about what is broken are sent at once.",
    follows_later: "After that alerts are sent at those hours too. The planned work itself is not affected.",
    keep: "Keep it",
    made: "The window is made.",
    once: "Once",
    weekly: "Every week",
    from: "From",
    until: "Until",
    days: "Days",
    start: "Begins at",
    minutes: "Minutes",
    add: "Add",
    weekdays: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
};

const RU: MaintenanceWords = MaintenanceWords {
    language: Language::Russian,
    title: "Обслуживание",
    lede: "Пока идёт окно, оповещения не отправляются. Проверки продолжаются, и обзор показывает, что сломано.",
    none: "Окон пока нет",
    none_help: "Добавьте окно для планового перезапуска или ночного резервного копирования.",
    when: "Когда",
    note: "Зачем",
    note_help: "Например: резервная копия.",
    scope: "Что затрагивает",
    every_card: "Всё",
    every_one: "все",
    by: "Кто добавил",
    now_until: "сейчас, до",
    remove: "Удалить",
    removed: "Окно удалено; оповещения о том, что сломано сейчас, будут отправлены.",
    follows_now: "Оно идёт прямо сейчас. Оповещения о том, что сломано, уйдут сразу.",
    follows_later: "После этого оповещения будут приходить и в эти часы. На сами работы это не влияет.",
    keep: "Оставить",
    made: "Окно добавлено.",
    once: "Один раз",
    weekly: "Каждую неделю",
    from: "С",
    until: "До",
    days: "Дни",
    start: "Начало",
    minutes: "Минут",
    add: "Добавить",
    weekdays: ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
};

impl MaintenanceWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// The question before it is removed.
    pub(crate) fn remove_question(&self, note: &str) -> String {
        match (self.language, note) {
            (Language::English, "") => "Remove the maintenance window?".to_owned(),
            (Language::Russian, "") => "Удалить окно обслуживания?".to_owned(),
            (Language::English, note) => format!("Remove the maintenance window “{note}”?"),
            (Language::Russian, note) => format!("Удалить окно обслуживания «{note}»?"),
        }
    }

    /// The days and hours of a window that comes every week.
    pub(crate) fn weekly_at(&self, days: &[&str], start: &str, minutes: u64, offset: &str) -> String {
        let (days, number) = (days.join(", "), thousands(minutes));
        match self.language {
            Language::English => {
                format!("{days} at {start} (UTC{offset}), {number} {}", english(minutes, "minute", "minutes"))
            }
            Language::Russian => {
                let unit = russian(minutes, "минута", "минуты", "минут");
                format!("{days} в {start} (UTC{offset}), {number} {unit}")
            }
        }
    }
}
