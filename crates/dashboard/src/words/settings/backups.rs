//! The words of backups.

use api::BackupDrill;

use crate::view::{BackupState, BackupsVerdict, DrillOf};

words! {
    BackupsWords;
    title: "Backups", "Резервные копии";
    lede:
        "Keep copies on another machine. The master key and the settings are in no backup: keep these too, \
         elsewhere. Without the key no backup can be restored.",
        "Храните копии и на другой машине. Главного ключа и настроек в них нет: храните их тоже, отдельно. \
         Без ключа копию не восстановить.";
    numbers: "How they are made", "Как они делаются";
    newest: "Newest", "Последняя";
    whole: "Can be restored", "Можно восстановить";
    found_whole: "tested", "проверена";
    none: "none", "нет";
    next: "Next", "Следующая";
    by_hand: "by hand", "вручную";
    kept: "Kept", "Хранится";
    at_most: "of", "из";
    folder: "Folder", "Папка";
    elsewhere: "Copies elsewhere and restore drills", "Копии в другом месте и пробные восстановления";
    copies_to: "Copied to", "Куда копируются";
    encrypted: "encrypted", "с шифрованием";
    last_copy: "Last copy", "Последняя отправка";
    copies_kept: "Copies there", "Хранится там";
    no_copies: "set backup.copy to have each one copied elsewhere", "задайте backup.copy, и каждая копия уйдёт и в другое место";
    copy_failing: "The newest backup is not copied.", "Последняя копия не отправлена.";
    since: "It has failed since", "Не удаётся с";
    tried_again: "The next attempt is at", "Следующая попытка:";
    last_drill: "Restore drill", "Пробное восстановление";
    next_drill: "Next drill", "Следующее";
    drill_failed: "The last restore drill failed at", "Последнее пробное восстановление не удалось:";
    drill_now: "Practise now", "Провести";
    drilling: "A restore is being practised.", "Идёт пробное восстановление.";
    make: "Make one now", "Сделать сейчас";
    begun: "A backup is being made.", "Копия делается.";
    attempt: "Test", "Проверить";
    trying: "It is being tested.", "Копия проверяется.";
    busy:
        "A backup is being made or tested already. Wait until that is done.",
        "Копия уже делается или проверяется. Подождите, пока это закончится.";
    none_help:
        "A backup is one file: the database as it is at one moment, and the files that wait to be sent. \
         Work goes on while it is made, and the backup is tested at once.",
        "Копия — это один файл: база данных в одно мгновение и файлы, которые ждут отправки. Работа при \
         этом не останавливается, и готовая копия сразу проверяется.";
    made_at: "Made", "Сделана";
    size: "Size", "Размер";
    state: "State", "Состояние";
    acts: "What to do with it", "Что с ней сделать";
    download: "Download", "Скачать";
    put_back: "How to restore", "Как восстановить";
    put_back_help:
        "Stop the server, then run this command. The current data is kept aside, and nothing that waited is \
         sent until you decide.",
        "Остановите сервер и выполните эту команду. То, что есть сейчас, останется рядом, а то, что ждало \
         отправки, не уйдёт без вашего решения.";
    copy: "Copy", "Скопировать";
    copied: "Copied", "Скопировано";
}

sentences! {
    BackupsWords;
    every(span: &str): "every {span}", "раз в {span}";
}

impl BackupsWords {
    pub(crate) fn verdict(&self, verdict: BackupsVerdict) -> &'static str {
        let (english, russian) = match verdict {
            BackupsVerdict::Making => ("A backup is being made.", "Копия делается."),
            BackupsVerdict::Proving => ("A backup is being tested.", "Копия проверяется."),
            BackupsVerdict::Failing => ("The last backup failed.", "Последнюю копию сделать не удалось."),
            BackupsVerdict::Missing => ("There is no backup yet.", "Копий пока нет."),
            BackupsVerdict::Broken => {
                ("The newest backup cannot be restored.", "Последнюю копию нельзя восстановить.")
            }
            BackupsVerdict::Old => ("The newest backup is old.", "Последняя копия устарела."),
            BackupsVerdict::Unproven => {
                ("The newest backup was never tested.", "Последняя копия не проверена.")
            }
            BackupsVerdict::Proven => {
                ("The newest backup can be restored.", "Последнюю копию можно восстановить.")
            }
        };
        self.language.of(english, russian)
    }

    /// What is to be done about it.
    pub(crate) fn advice(&self, verdict: BackupsVerdict) -> &'static str {
        let (english, russian) = match verdict {
            BackupsVerdict::Failing => {
                ("Fix the cause, then make one.", "Устраните причину и сделайте новую.")
            }
            BackupsVerdict::Broken => (
                "Make another, and check the disk it is stored on.",
                "Сделайте другую и проверьте диск, на котором она хранится.",
            ),
            BackupsVerdict::Old => ("Make one now.", "Сделайте новую."),
            BackupsVerdict::Missing => (
                "If this disk fails now, everything on it is lost. Make a backup.",
                "Если диск пропадёт сейчас, пропадёт и всё, что на нём. Сделайте копию.",
            ),
            BackupsVerdict::Making
            | BackupsVerdict::Proving
            | BackupsVerdict::Unproven
            | BackupsVerdict::Proven => ("", ""),
        };
        self.language.of(english, russian)
    }

    /// What a restore for practice was of, and what came of it.
    pub(crate) fn drill(&self, drill: &BackupDrill) -> &'static str {
        let (english, russian) = match (drill.wrong.is_some(), drill.of) {
            (true, _) => ("failed", "не удалось"),
            (false, DrillOf::Backup) => ("restored from the backup", "восстановлено из копии на этом диске"),
            (false, DrillOf::Copy) => {
                ("restored from the copy elsewhere", "восстановлено из копии в другом месте")
            }
            (false, DrillOf::EncryptedCopy) => (
                "restored; the encrypted copy is what was written there",
                "восстановлено; зашифрованная копия не изменилась",
            ),
        };
        self.language.of(english, russian)
    }

    pub(crate) fn state_name(&self, state: BackupState) -> &'static str {
        let (english, russian) = match state {
            BackupState::Making => ("being made", "делается"),
            BackupState::Failed => ("failed", "не удалась"),
            BackupState::Unproven => ("not tested", "не проверена"),
            BackupState::Proving => ("being tested", "проверяется"),
            BackupState::Proven => ("tested", "проверена"),
            BackupState::Broken => ("broken", "испорчена"),
        };
        self.language.of(english, russian)
    }
}
