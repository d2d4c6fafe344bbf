//! The words of maintenance windows.

use crate::view::Language;
use crate::words::number::{english, russian, thousands};

words! {
    MaintenanceWords;
    title: "Maintenance", "Обслуживание";
    lede:
        "During a window no alerts are sent. Checks go on, and the overview shows what is broken.",
        "Пока идёт окно, оповещения не отправляются. Проверки продолжаются, и обзор показывает, что сломано.";
    none: "No window yet", "Окон пока нет";
    none_help:
        "Make one for a planned restart or for the nightly backup.",
        "Добавьте окно для планового перезапуска или ночного резервного копирования.";
    when: "When", "Когда";
    note: "What for", "Зачем";
    note_help: "Such as: backup.", "Например: резервная копия.";
    scope: "What it covers", "Что затрагивает";
    every_card: "Everything", "Всё";
    every_one: "all", "все";
    by: "Made by", "Кто добавил";
    now_until: "now, until", "сейчас, до";
    remove: "Remove", "Удалить";
    removed:
        "The window is removed; alerts about what is broken now are sent.",
        "Окно удалено; оповещения о том, что сломано сейчас, будут отправлены.";
    follows_now:
        "It is open right now. Alerts about what is broken are sent at once.",
        "Оно идёт прямо сейчас. Оповещения о том, что сломано, уйдут сразу.";
    follows_later:
        "After that alerts are sent at those hours too. The planned work itself is not affected.",
        "После этого оповещения будут приходить и в эти часы. На сами работы это не влияет.";
    keep: "Keep it", "Оставить";
    made: "The window is made.", "Окно добавлено.";
    once: "Once", "Один раз";
    weekly: "Every week", "Каждую неделю";
    from: "From", "С";
    until: "Until", "До";
    days: "Days", "Дни";
    start: "Begins at", "Начало";
    minutes: "Minutes", "Минут";
    add: "Add", "Добавить";
    /// Monday first.
    weekdays[7]:
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];
}

impl MaintenanceWords {
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
