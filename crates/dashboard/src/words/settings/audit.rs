//! The words of the audit log.

use std::borrow::Cow;

use super::actions::action;
use crate::visitor::Language;
use crate::words::number::thousands;

/// The words of the audit log.
pub(crate) struct AuditWords {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) when: &'static str,
    pub(crate) who: &'static str,
    pub(crate) what: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) address: &'static str,
    pub(crate) result: &'static str,
    pub(crate) any: &'static str,
    pub(crate) filter: &'static str,
    pub(crate) clear: &'static str,
    pub(crate) older: &'static str,
    pub(crate) newest: &'static str,
    pub(crate) nothing: &'static str,
    pub(crate) nothing_help: &'static str,
    pub(crate) key: &'static str,
    machine: &'static str,
    program: &'static str,
    nobody: &'static str,
    done: &'static str,
    refused: &'static str,
    failed: &'static str,
    unknown: &'static str,
}

const EN: AuditWords = AuditWords {
    language: Language::English,
    title: "Audit log",
    lede: "Who did what, from where, and with what result. Kept for a year.",
    when: "When",
    who: "Who",
    what: "What",
    subject: "To what",
    address: "From",
    result: "Result",
    any: "any",
    filter: "Show",
    clear: "Show all",
    older: "Older",
    newest: "Newest",
    nothing: "Nothing found",
    nothing_help: "Every change made here, over the API or on the command line is recorded in this log.",
    key: "API key",
    machine: "command line",
    program: "the program itself",
    nobody: "unknown",
    done: "done",
    refused: "refused",
    failed: "failed",
    unknown: "unknown",
};

const RU: AuditWords = AuditWords {
    language: Language::Russian,
    title: "Журнал действий",
    lede: "Кто, что и откуда сделал и что из этого вышло. Хранится год.",
    when: "Когда",
    who: "Кто",
    what: "Что",
    subject: "С чем",
    address: "Откуда",
    result: "Итог",
    any: "любой",
    filter: "Показать",
    clear: "Показать всё",
    older: "Раньше",
    newest: "Последние",
    nothing: "Ничего не найдено",
    nothing_help: "Каждое изменение здесь, через API или из командной строки записано в этом журнале.",
    key: "ключ API",
    machine: "командная строка",
    program: "сама программа",
    nobody: "неизвестно кто",
    done: "сделано",
    refused: "отказано",
    failed: "не удалось",
    unknown: "неизвестно",
};

impl AuditWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// Somebody without a name of their own.
    pub(crate) fn kind<'a>(&self, kind: &'a str) -> &'a str {
        match kind {
            "machine" => self.machine,
            "program" => self.program,
            "nobody" => self.nobody,
            other => other,
        }
    }

    /// What was done.
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

    /// How many times the same came.
    pub(crate) fn times(&self, times: u64) -> String {
        let number = thousands(times);
        match self.language {
            Language::English => format!("{number} times"),
            Language::Russian => format!("{number} раз"),
        }
    }
}
