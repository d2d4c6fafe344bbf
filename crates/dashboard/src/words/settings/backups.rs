//! The words of backups.

use crate::settings::{Standing, Verdict};
use crate::visitor::Language;

/// The words of backups.
pub(crate) struct BackupsWords {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) numbers: &'static str,
    pub(crate) newest: &'static str,
    pub(crate) whole: &'static str,
    pub(crate) found_whole: &'static str,
    pub(crate) none: &'static str,
    pub(crate) next: &'static str,
    pub(crate) by_hand: &'static str,
    pub(crate) kept: &'static str,
    pub(crate) at_most: &'static str,
    pub(crate) folder: &'static str,
    pub(crate) make: &'static str,
    pub(crate) begun: &'static str,
    pub(crate) attempt: &'static str,
    pub(crate) trying: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) none_help: &'static str,
    pub(crate) made_at: &'static str,
    pub(crate) size: &'static str,
    pub(crate) state: &'static str,
    pub(crate) acts: &'static str,
    pub(crate) download: &'static str,
    pub(crate) put_back: &'static str,
    pub(crate) put_back_help: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
}

const EN: BackupsWords = BackupsWords {
    language: Language::English,
    title: "Backups",
    lede: "Keep copies on another machine. The master key and the settings are in no backup: keep these too, elsewhere. Without the key \
           no backup can be restored.",
    numbers: "How they are made",
    newest: "Newest",
    whole: "Can be restored",
    found_whole: "tested",
    none: "none",
    next: "Next",
    by_hand: "by hand",
    kept: "Kept",
    at_most: "of",
    folder: "Folder",
    make: "Make one now",
    begun: "A backup is being made.",
    attempt: "Test",
    trying: "It is being tested.",
    busy: "A backup is being made or tested already. Wait until that is done.",
    none_help: "A backup is one file: the database as it is at one moment, and the files that wait to be sent. Work goes on while it \
                is made, and the backup is tested at once.",
    made_at: "Made",
    size: "Size",
    state: "State",
    acts: "What to do with it",
    download: "Download",
    put_back: "How to restore",
    put_back_help: "Stop the server, then run this command. The current data is kept aside, and nothing that waited is sent until \
                    you decide.",
    copy: "Copy",
    copied: "Copied",
};

const RU: BackupsWords = BackupsWords {
    language: Language::Russian,
    title: "Резервные копии",
    lede: "Храните копии и на другой машине. Главного ключа и настроек в них нет: храните их тоже, отдельно. Без ключа копию не \
           восстановить.",
    numbers: "Как они делаются",
    newest: "Последняя",
    whole: "Можно восстановить",
    found_whole: "проверена",
    none: "нет",
    next: "Следующая",
    by_hand: "вручную",
    kept: "Хранится",
    at_most: "из",
    folder: "Папка",
    make: "Сделать сейчас",
    begun: "Копия делается.",
    attempt: "Проверить",
    trying: "Копия проверяется.",
    busy: "Копия уже делается или проверяется. Подождите, пока это закончится.",
    none_help: "Копия — это один файл: база данных в одно мгновение и файлы, которые ждут отправки. Работа при этом не \
                останавливается, и готовая копия сразу проверяется.",
    made_at: "Сделана",
    size: "Размер",
    state: "Состояние",
    acts: "Что с ней сделать",
    download: "Скачать",
    put_back: "Как восстановить",
    put_back_help: "Остановите сервер и выполните эту команду. То, что есть сейчас, останется рядом, а то, что ждало отправки, не уйдёт \
                    без вашего решения.",
    copy: "Скопировать",
    copied: "Скопировано",
};

impl BackupsWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// How it stands, as a sentence.
    pub(crate) fn verdict(&self, verdict: Verdict) -> &'static str {
        let (english, russian) = match verdict {
            Verdict::Making => ("A backup is being made.", "Копия делается."),
            Verdict::Proving => ("A backup is being tested.", "Копия проверяется."),
            Verdict::Failing => ("The last backup failed.", "Последнюю копию сделать не удалось."),
            Verdict::Missing => ("There is no backup yet.", "Копий пока нет."),
            Verdict::Broken => {
                ("The newest backup cannot be restored.", "Последнюю копию нельзя восстановить.")
            }
            Verdict::Old => ("The newest backup is old.", "Последняя копия устарела."),
            Verdict::Unproven => ("The newest backup was never tested.", "Последняя копия не проверена."),
            Verdict::Proven => ("The newest backup can be restored.", "Последнюю копию можно восстановить."),
        };
        self.language.of(english, russian)
    }

    /// What is to be done about it.
    pub(crate) fn advice(&self, verdict: Verdict) -> &'static str {
        let (english, russian) = match verdict {
            Verdict::Failing => ("Fix the cause, then make one.", "Устраните причину и сделайте новую."),
            Verdict::Broken => (
                "Make another, and check the disk it is stored on.",
                "Сделайте другую и проверьте диск, на котором она лежит.",
            ),
            Verdict::Old => ("Make one now.", "Сделайте новую."),
            Verdict::Missing => (
                "If this disk fails now, everything on it is lost. Make a backup.",
                "Если диск пропадёт сейчас, пропадёт и всё, что на нём. Сделайте копию.",
            ),
            Verdict::Making | Verdict::Proving | Verdict::Unproven | Verdict::Proven => ("", ""),
        };
        self.language.of(english, russian)
    }

    pub(crate) fn standing(&self, state: Standing) -> &'static str {
        let (english, russian) = match state {
            Standing::Making => ("being made", "делается"),
            Standing::Failed => ("failed", "не удалась"),
            Standing::Unproven => ("not tested", "не проверена"),
            Standing::Proving => ("being tested", "проверяется"),
            Standing::Proven => ("tested", "проверена"),
            Standing::Broken => ("broken", "испорчена"),
        };
        self.language.of(english, russian)
    }

    /// How often one is made.
    pub(crate) fn every(&self, span: &str) -> String {
        match self.language {
            Language::English => format!("every {span}"),
            Language::Russian => format!("раз в {span}"),
        }
    }
}
