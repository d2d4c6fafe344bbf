//! The words of importing sessions.

use crate::view::{Language, Pill, Tint};
use crate::words::number::{english, russian, thousands};

words! {
    ImportWords;
    title: "Import sessions", "Импорт сессий";
    lede:
        "Sessions of Telethon, Pyrogram, Kurigram and grammers, with the chats they know, and the registry \
         of the old scripts. First you see what would be done; nothing is opened or changed until you say \
         so.",
        "Сессии Telethon, Pyrogram, Kurigram и grammers вместе с чатами, которые они знают, и реестр старых \
         скриптов. Сначала видно, что будет сделано; без вашего подтверждения ничего не открывается и не \
         меняется.";
    stop_first: "Stop the old program first", "Сначала остановите старую программу";
    stop_first_detail:
        "A session that is used by two programs at once is ended by Telegram for both. Stop the old \
         scripts, and do not start them again, not on another machine either.",
        "Сессию, с которой работают две программы сразу, Telegram завершает для обеих. Остановите старые \
         скрипты и не запускайте их снова, на другой машине тоже.";
    files_help:
        "*.session; the old registry *.db; a plan file *.toml if you have one. 64 MB and 200 files at most. \
         They are kept for the program alone, for half an hour or until they are imported.",
        "*.session; старый реестр *.db; файл плана *.toml, если есть. Не больше 64 МБ и 200 файлов. Они \
         доступны только программе и хранятся полчаса или до импорта.";
    drop_here: "Drop files here, or choose them", "Перетащите файлы сюда или выберите их";
    look: "Look through the files", "Просмотреть файлы";
    large: "Many sessions, or on the server already?", "Сессий много, или они уже на сервере?";
    large_detail:
        "On the server this does the same for whole folders:",
        "На сервере то же самое для целых каталогов делает команда:";
    not_read: "The files were not taken", "Файлы не приняты";
    gone: "These files are gone", "Этих файлов больше нет";
    gone_detail:
        "They are kept for half an hour, and removed once they are imported. Send them again.",
        "Они хранятся полчаса и удаляются после импорта. Отправьте их снова.";
    nothing_done_yet: "Nothing was opened or changed yet.", "Пока ничего не открыто и не изменено.";
    what: "What", "Что";
    file: "File", "Файл";
    whose: "Whose", "Чья";
    to_account: "Account", "Аккаунт";
    not_asked_yet: "Telegram is asked at the import", "Telegram спросят при импорте";
    detail: "Detail", "Подробности";
    knows: "Chats it knows", "Знает чатов";
    registry: "The old registry", "Старый реестр";
    notes: "Notes", "Замечания";
    application: "Application for new accounts", "Приложение для новых аккаунтов";
    application_help:
        "From my.telegram.org; best the one that the sessions were made with. Needed where a session’s \
         person has no account here yet.",
        "С my.telegram.org; лучше то, с которым сессии созданы. Нужно, если у человека ещё нет аккаунта \
         здесь.";
    account: "Account for those whose person has none here", "Аккаунт для тех, у кого его здесь нет";
    account_help: "Only when all files are of one person.", "Только если все файлы одного человека.";
    by_person: "by person", "по человеку";
    old_stopped:
        "The old program is stopped and will not be started again",
        "Старая программа остановлена и больше не запустится";
    look_again: "Look again", "Просмотреть снова";
    take_back: "Remove the files", "Убрать файлы";
    taken_back: "The files are removed. Nothing was imported.", "Файлы удалены. Ничего не импортировано.";
    nothing_to_import: "There is nothing to import in these files.", "В этих файлах импортировать нечего.";
    running: "Importing", "Идёт импорт";
    running_detail:
        "It goes on when you leave this page. Each session is asked for its person, one after the other.",
        "Он продолжится, если уйти со страницы. Про каждую сессию по очереди спрашивают Telegram.";
    another_runs: "An import is under way; wait until it has ended.", "Импорт уже идёт; дождитесь конца.";
    never_run:
        "Nothing was imported since the program started.",
        "С запуска программы ничего не импортировали.";
    failed: "The import ended early", "Импорт прервался";
    to_accounts: "To the accounts", "К аккаунтам";
    more: "Import more", "Импортировать ещё";
    tick_first:
        "First confirm that the old program is stopped. Nothing was imported.",
        "Сначала подтвердите, что старая программа остановлена. Ничего не импортировано.";
    look_at_run: "Look at the import that runs", "Посмотреть на идущий импорт";
}

sentences! {
    ImportWords;
    button(sessions: u64; noun: ["session", "sessions"], ["сессию", "сессии", "сессий"]):
        "Import {sessions} {noun}", "Импортировать {sessions} {noun}";
}

impl ImportWords {
    /// What the import says of a file.
    pub(crate) fn translated<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        crate::words::translate(self.language, text)
    }

    pub(crate) fn found(&self, sessions: u64) -> String {
        let many = thousands(sessions);
        match self.language {
            _ if sessions == 0 => self.nothing_to_import.trim_end_matches('.').to_owned(),
            Language::English => {
                format!("{many} {} can be imported", english(sessions, "session", "sessions"))
            }
            Language::Russian => {
                format!("Можно импортировать {many} {}", russian(sessions, "сессию", "сессии", "сессий"))
            }
        }
    }

    pub(crate) fn imported(&self, sessions: u64) -> String {
        let many = thousands(sessions);
        match self.language {
            Language::English if sessions == 0 => "No new session".to_owned(),
            Language::Russian if sessions == 0 => "Новых сессий нет".to_owned(),
            Language::English => {
                format!("{many} {} imported", english(sessions, "session is", "sessions are"))
            }
            Language::Russian => format!(
                "{} {many} {}",
                russian(sessions, "Импортирована", "Импортированы", "Импортировано"),
                russian(sessions, "сессия", "сессии", "сессий")
            ),
        }
    }

    pub(crate) fn registry_says(&self, chats: u64, known: u64, requests: u64, failovers: u64) -> String {
        let [chats, known, requests, failovers] = [chats, known, requests, failovers].map(thousands);
        self.language.of(
            format!("chats taken over {chats}, known already {known}; failed requests {requests}; failovers {failovers}"),
            format!("чатов взято {chats}, уже известно {known}; неудачных запросов {requests}; переключений {failovers}"),
        )
    }

    /// What is being done, as the API names it.
    pub(crate) fn step(&self, word: &str) -> &'static str {
        let (english, russian) = match word {
            "looking" => ("Looking through the files", "Просматриваются файлы"),
            "asking" => ("Asking Telegram whose the sessions are", "Telegram спрашивают, чьи это сессии"),
            "taking" => ("Importing the sessions", "Сессии импортируются"),
            "registry" => ("Importing the old registry", "Импортируется старый реестр"),
            _ => ("Starting", "Начинается"),
        };
        self.language.of(english, russian)
    }

    /// What becomes of a session, as the API names it.
    pub(crate) fn pill(&self, word: &str) -> Pill {
        let (tint, english, russian) = match word {
            "new" => (Tint::Good, "New", "Новая"),
            "known" => (Tint::Idle, "Here already", "Уже здесь"),
            "ownerless" => (Tint::Waiting, "Without an account", "Без аккаунта"),
            "duplicate" => (Tint::Idle, "Twice", "Повтор"),
            "other_person" => (Tint::Bad, "Another person’s", "Другого человека"),
            "taken" => (Tint::Idle, "Place taken", "Место занято"),
            "refused" => (Tint::Bad, "Refused", "Отказ"),
            "signed_out" => (Tint::Bad, "Signed out", "Вход завершён"),
            "auth_key_duplicated" => (Tint::Bad, "Used in two places", "В двух местах"),
            "banned" => (Tint::Bad, "Banned", "Заблокирована"),
            "no_answer" => (Tint::Bad, "No answer", "Нет ответа"),
            "unasked" => (Tint::Waiting, "To be asked", "Будет проверена"),
            "skipped" => (Tint::Idle, "Left alone", "Пропущена"),
            _ => (Tint::Bad, "Unreadable", "Не читается"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// What is wrong with the files that were sent, by the code of the API.
    pub(crate) fn why(&self, code: &str) -> Option<&'static str> {
        let (english, russian) = match code {
            "too_large" => (
                "They are larger than 64 MB. Send fewer at once, or import the folder on the server.",
                "Они больше 64 МБ. Отправьте меньше за раз или импортируйте каталог на сервере.",
            ),
            "wrong_state" => (
                "Other imports are waiting to start. Finish one, or remove its files.",
                "Другие импорты ждут начала. Завершите один из них или уберите его файлы.",
            ),
            "storage_full" => ("There is no room for them on the disk.", "На диске для них нет места."),
            _ => return None,
        };
        Some(self.language.of(english, russian))
    }
}
