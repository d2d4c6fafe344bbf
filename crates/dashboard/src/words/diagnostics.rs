//! The words of diagnostics, and what the doctor says in the language of the page.

use std::borrow::Cow;

use doctor::{Area, Code, Finding, Fix, Severity};

use super::number::{english, russian, thousands};
use super::translation::doctor_in_russian;
use super::{Sentence, Wall, findings};
use crate::view::Language;

words! {
    /// The words of diagnostics.
    DiagnosticsWords;
    title: "Diagnostics", "Диагностика";
    examine: "Examine again", "Проверить ещё раз";
    examined: "Examined again.", "Проверено ещё раз.";
    examined_at: "Examined at", "Проверено в";
    version: "version", "версия";
    findings: "Findings", "Что найдено";
    nothing_found: "Nothing to fix", "Чинить нечего";
    nothing_found_detail:
        "Settings, ports, sessions, files, disk, clock and network agree with each other.",
        "Настройки, порты, сессии, файлы, диск, часы и сеть согласуются между собой.";
    mend_here: "Open the page for this", "Открыть нужную страницу";
    do_this: "Do this", "Что сделать";
    set_this: "Change the setting", "Изменить настройку";
    copy: "Copy", "Скопировать";
    copied: "Copied", "Скопировано";
    how_it_is: "What was checked", "Что проверено";
    unseen: "Could not be checked", "Проверить не удалось";
    see_more:
        "Processes of other users are hidden from this server. Run as root to see more:",
        "Процессы других пользователей этому серверу не видны. От имени root видно больше:";
    severities[3]: ["Error", "Warning", "Note"], ["Ошибка", "Предупреждение", "Заметка"];
}

impl DiagnosticsWords {
    pub(crate) fn severity(&self, severity: Severity) -> &'static str {
        let [error, warning, note] = self.severities;
        match severity {
            Severity::Error => error,
            Severity::Warning => warning,
            Severity::Note => note,
        }
    }

    /// The sentence that the page opens with.
    pub(crate) fn verdict(&self, errors: u64, warnings: u64, notes: u64) -> String {
        let part = |many: u64, one, few, many_word| {
            let word = self.language.of(english(many, one, few), many_word);
            (many > 0).then(|| format!("{} {word}", thousands(many)))
        };
        let errors = part(errors, "error", "errors", russian(errors, "ошибка", "ошибки", "ошибок"));
        let warnings = part(
            warnings,
            "warning",
            "warnings",
            russian(warnings, "предупреждение", "предупреждения", "предупреждений"),
        );
        let notes = part(notes, "note", "notes", russian(notes, "заметка", "заметки", "заметок"));
        if errors.is_none() && warnings.is_none() {
            return self.language.of("Nothing is wrong.", "Всё в порядке.").to_owned();
        }
        let parts: Vec<_> = [errors, warnings, notes].into_iter().flatten().collect();
        format!("{}.", parts.join(", "))
    }

    /// What was found: the doctor's own sentence, or in Russian at least what kind of thing it is.
    pub(crate) fn summary<'a>(&self, wall: Wall, finding: &'a Finding) -> Sentence<'a> {
        wall.verbatim(match self.language {
            Language::English => Cow::Borrowed(finding.summary.as_str()),
            Language::Russian => doctor_in_russian(&finding.summary)
                .or_else(|| findings::in_russian(finding.code).map(str::to_owned))
                .map_or(Cow::Borrowed(finding.summary.as_str()), Cow::Owned),
        })
    }

    /// What there is to know about the mending, as a sentence; in Russian nothing where there are no Russian words for it.
    pub(crate) fn advice(&self, wall: Wall, finding: &Finding) -> Option<Sentence<'static>> {
        let advice = match &finding.fix {
            Fix::Command { advice, .. } | Fix::Setting { advice, .. } | Fix::Advice { advice } => advice,
            Fix::Nothing => return None,
        };
        let advice = match self.language {
            Language::English => Some(advice.clone()),
            Language::Russian if finding.code == Code::Other => Some(advice.clone()),
            Language::Russian => doctor_in_russian(advice),
        };
        let advice = advice.filter(|advice| !advice.is_empty())?;
        Some(wall.verbatim(Cow::Owned(as_sentence(&advice))))
    }

    /// A name, a value or a line of evidence: what is not the doctor's own stays as it is.
    pub(crate) fn fact<'a>(&self, wall: Wall, text: &'a str) -> Sentence<'a> {
        wall.verbatim(match self.language {
            Language::English => Cow::Borrowed(text),
            Language::Russian => doctor_in_russian(text).map_or(Cow::Borrowed(text), Cow::Owned),
        })
    }

    pub(crate) fn area(&self, area: Area) -> &'static str {
        let (english, russian) = match area {
            Area::Program => ("Program", "Программа"),
            Area::Settings => ("Settings", "Настройки"),
            Area::Store => ("Store", "База данных"),
            Area::Backups => ("Backups", "Резервные копии"),
            Area::Queue => ("Queue", "Очередь"),
            Area::Ports => ("Ports", "Порты"),
            Area::Accounts => ("Accounts", "Аккаунты"),
            Area::Channels => ("Channels", "Каналы"),
            Area::Sessions => ("Sessions", "Сессии"),
            Area::Processes => ("Processes", "Процессы"),
            Area::Units => ("Units", "Службы systemd"),
            Area::Files => ("Files", "Файлы"),
            Area::Disk => ("Disk", "Диск"),
            Area::Clock => ("Clock", "Часы"),
            Area::Network => ("Network", "Сеть"),
            Area::Memory => ("Memory", "Память"),
            Area::Callbacks => ("Callbacks", "Обратные вызовы"),
            Area::Webhooks => ("Webhooks of providers", "Вебхуки провайдеров"),
            Area::Errors => ("Errors", "Ошибки"),
            Area::Legacy => ("Old scripts", "Старые скрипты"),
            _ => ("More", "Прочее"),
        };
        self.language.of(english, russian)
    }
}

/// With a capital at its beginning, unless that is a command or a name, and a full stop at its end.
fn as_sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_counts_what_is_wrong() {
        let (en, ru) = (DiagnosticsWords::of(Language::English), DiagnosticsWords::of(Language::Russian));
        for (counts, english, russian) in [
            ((0, 0, 0), "Nothing is wrong.", "Всё в порядке."),
            ((0, 0, 4), "Nothing is wrong.", "Всё в порядке."),
            ((1, 0, 0), "1 error.", "1 ошибка."),
            ((2, 5, 1), "2 errors, 5 warnings, 1 note.", "2 ошибки, 5 предупреждений, 1 заметка."),
        ] {
            let (errors, warnings, notes) = counts;
            assert_eq!(en.verdict(errors, warnings, notes), english);
            assert_eq!(ru.verdict(errors, warnings, notes), russian);
        }
    }
}
