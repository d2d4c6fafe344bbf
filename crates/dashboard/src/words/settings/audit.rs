//! The words of the audit log.

use std::borrow::Cow;

use super::actions::action;

words! {
    AuditWords;
    title: "Audit log", "Журнал действий";
    lede:
        "Who did what, from where, and with what result. Kept for a year.",
        "Кто, что и откуда сделал и что из этого вышло. Хранится год.";
    when: "When", "Когда";
    who: "Who", "Кто";
    what: "What", "Что";
    subject: "To what", "С чем";
    address: "From", "Откуда";
    result: "Result", "Итог";
    any: "any", "любой";
    filter: "Show", "Показать";
    clear: "Show all", "Показать всё";
    older: "Older", "Раньше";
    newest: "Newest", "Последние";
    nothing: "Nothing found", "Ничего не найдено";
    nothing_help:
        "Every change made here, over the API or on the command line is recorded in this log.",
        "Каждое изменение здесь, через API или из командной строки записано в этом журнале.";
    key: "API key", "ключ API";
    machine: "command line", "командная строка";
    program: "the program itself", "сама программа";
    unknown_actor: "unknown", "неизвестно кто";
    done: "done", "сделано";
    refused: "refused", "отказано";
    failed: "failed", "не удалось";
    unknown: "unknown", "неизвестно";
}

sentences! {
    AuditWords;
    times(times: u64): "{times} times", "{times} раз";
}

impl AuditWords {
    /// An actor without a name of its own.
    pub(crate) fn kind<'a>(&self, kind: &'a str) -> &'a str {
        match kind {
            "machine" => self.machine,
            "program" => self.program,
            "nobody" => self.unknown_actor,
            other => other,
        }
    }

    pub(crate) fn action(&self, name: &str) -> Cow<'static, str> {
        action(self.language, name)
    }

    pub(crate) fn outcome<'a>(&self, result: &'a str) -> &'a str {
        match result {
            "done" => self.done,
            "refused" => self.refused,
            "failed" => self.failed,
            "unknown" => self.unknown,
            other => other,
        }
    }
}
