//! The words of the pages about accounts: the list and one account here, forms, signing in and importing beside it.

mod form;
mod import;
mod login;

pub(crate) use form::AccountFormWords;
pub(crate) use import::ImportWords;
pub(crate) use login::LoginWords;

use domain::account::Operation;
use domain::{FileKind, Keep};

use super::number::{bytes, english, russian, thousands};
use crate::view::Language;

/// What a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// Any hour.
    Hour,
    /// Any 24 hours.
    Day,
}

words! {
    /// The words of the list of accounts, of one account, and of sessions without an account.
    AccountsWords;
    accounts: "Accounts", "Аккаунты";
    lede:
        "The Telegram accounts that send, each with its sessions. Those that need you come first.",
        "Аккаунты Telegram, через которые идёт работа, и их сессии. Сначала те, которые требуют внимания.";
    add: "Add an account", "Добавить аккаунт";
    import: "Import sessions", "Импорт сессий";
    find: "Find by name, person or the end of the phone number", "Найти по названию, имени или концу номера";
    needs_you: "Needs you", "Требует внимания";
    empty: "No accounts yet", "Аккаунтов ещё нет";
    empty_detail:
        "Import the sessions of your old scripts, and no one has to sign in again. Or add an account and \
         sign in by a code or a QR code.",
        "Импортируйте сессии старых скриптов — тогда входить заново не придётся. Или добавьте аккаунт и \
         войдите по коду или QR-коду.";
    empty_reader: "An admin can add one here.", "Добавить аккаунт может администратор.";
    person: "Person", "Кто это";
    sessions: "Sessions", "Сессии";
    same_person: "The same person as", "Тот же человек, что и";
    same_person_detail:
        "What Telegram says to one, such as a flood wait or a ban, holds for both. Keep one of them and \
         remove the other.",
        "Ожидание или блокировка, наложенные Telegram на один, действуют и на другой. Оставьте один и \
         удалите второй.";
    no_session: "none", "нет";
    phone: "Phone", "Телефон";
    calls: "Calls", "Вызовы";
    errors: "Errors", "Ошибки";
    chosen: "Chosen", "Выбор";
    proxy: "Proxy", "Прокси";
    proxy_yes: "yes", "да";
    proxy_no: "no", "нет";
    priority: "Priority", "Приоритет";
    pool: "Pool", "Пул";
    in_pool: "in the pool", "в пуле";
    not_in_pool: "only when named", "только по имени";
    sign_in: "Sign in", "Войти";
    change: "Change", "Изменить";
    export: "Export a session", "Выгрузить сессию";
    remove: "Remove", "Удалить";
    its_chats: "Its chats", "Его чаты";
    its_messages: "Its messages", "Его сообщения";
    its_operations: "Its operations", "Его операции";
    /// What to do about an account that Telegram has closed.
    recovery[4]:
        [
            "Open Telegram with this number: it says whether the number is banned, and offers to write to support.",
            "Or write to recover@telegram.org from a mailbox of yours: the number with its country code, what it is used for, and that you ask for a review. An answer takes days.",
            "Until then let other accounts do its work: those that are members of its chats go on by themselves; for the rest add an account.",
            "When the number works again, sign in here once more. If it does not come back, remove the account.",
        ],
        [
            "Откройте Telegram с этим номером: он скажет, заблокирован ли номер, и предложит написать в поддержку.",
            "Или напишите на recover@telegram.org со своей почты: номер с кодом страны, для чего он используется и просьбу пересмотреть решение. Ответ приходит через несколько дней.",
            "Пока пусть его работу делают другие аккаунты: те, что состоят в его чатах, продолжат сами; для остальных добавьте аккаунт.",
            "Когда номер снова заработает, войдите здесь ещё раз. Если не заработает, удалите аккаунт.",
        ];
    used_for: "Used for", "Для чего";
    everything: "everything", "для всего";
    data_centre: "Data centre", "Дата-центр";
    last_answer: "Last answer", "Последний ответ";
    reads_updates: "reads incoming messages", "читает входящие";
    kept_here: "here", "здесь";
    in_settings: "in the settings file", "в файле настроек";
    in_settings_detail:
        "This account is defined in the settings file. Its name, priority, proxy and sessions are changed \
         there; then restart the program.",
        "Этот аккаунт описан в файле настроек. Название, приоритет, прокси и сессии из файла меняются там; \
         потом программу нужно перезапустить.";
    limits: "Limits", "Ограничения";
    no_limits: "none of ours", "своих нет";
    limit_reached: "At its limit", "Предел исчерпан";
    limits_lede:
        "How many messages each account may send, and how many it has sent. What is over a limit goes through another account or waits.",
        "Сколько сообщений может отправить каждый аккаунт и сколько уже отправил. Что сверх предела, уходит через другой аккаунт или ждёт.";
    last_hour: "In the last hour", "За последний час";
    last_day: "In the last 24 hours", "За последние 24 часа";
    free_again: "Sends again at", "Снова отправляет с";
    no_limit: "no limit", "без предела";
    waits: "Waits", "Ожидания";
    waits_detail:
        "Telegram named a deadline for each. Until then the account does other work, and others do this.",
        "Telegram назвал срок для каждого. До него аккаунт делает другое, а это делают другие.";
    until: "until", "до";
    facts: "About the account", "Об аккаунте";
    telegram_id: "Telegram’s id", "Номер в Telegram";
    public_name: "Public name", "Публичное имя";
    described: "Where defined", "Где описан";
    knows: "Chats and people it knows", "Знает чатов и людей";
    dialogs: "Dialogs read", "Прочитано диалогов";
    last_error: "Last error", "Последняя ошибка";
    last_active: "Last call", "Последний вызов";
    updates: "Updates received", "Принято обновлений";
    updates_missed: "Updates missed", "Пропущено обновлений";
    keeps: "Messages kept", "Хранит сообщения";
    files_waiting: "Files to fetch", "Файлов к загрузке";
    missed: "Messages that were missed", "Пропущенные сообщения";
    missed_detail:
        "Telegram no longer sent them to the account, as after a long absence. They are read from the histories of the chats.",
        "Telegram уже не сообщил о них аккаунту, например после долгого отсутствия. Они читаются из истории чатов.";
    missed_private: "Private chats and basic groups", "Личные чаты и обычные группы";
    missed_more: "There are more; the API lists all.", "Есть и другие; все перечисляет API.";
    since: "since", "с";
    ownerless: "Sessions without an account", "Сессии без аккаунта";
    ownerless_detail:
        "They are kept and not used: left by removed accounts, or imported without an account. A session is \
         a ready sign-in, so delete the ones you do not need.",
        "Они хранятся и не используются: остались от удалённых аккаунтов или импортированы без аккаунта. \
         Сессия — это готовый вход, поэтому ненужные удалите.";
    from: "Where from", "Откуда";
    give: "Give to an account", "Отдать аккаунту";
    give_follows:
        "The account uses the session from now on. It is refused when the account is another person’s.",
        "Аккаунт сразу начнёт её использовать. Если аккаунт принадлежит другому человеку, будет отказ.";
    no_account_to_give:
        "No account can take it: each belongs to another person. Add an account first.",
        "Взять её некому: все аккаунты принадлежат другим людям. Сначала добавьте аккаунт.";
    drop: "Delete", "Удалить";
    drop_follows:
        "Its key is deleted for good. No one can sign in with it any more; Telegram lists the session until \
         you end it on a phone under Settings, Devices.",
        "Ключ удаляется навсегда, войти с ним больше нельзя. В Telegram сессия видна, пока вы не завершите \
         её на телефоне: Настройки, Устройства.";
    dropped: "The session is deleted.", "Сессия удалена.";
    purposes: "What the session is for", "Для чего сессия";
    purposes_help:
        "Nothing ticked: everything that no other session of the account does.",
        "Ничего не отмечено: для всего, чем не заняты другие сессии аккаунта.";
}

sentences! {
    AccountsWords;
    give_question(whose: &str):
        "Give the session of {whose} to which account?", "Какому аккаунту отдать сессию «{whose}»?";
    drop_question(whose: &str): "Delete the session of {whose}?", "Удалить сессию «{whose}»?";
    given(account: &str): "{account} uses the session now.", "Теперь сессию использует {account}.";
    sign_in_to(account: &str): "Sign in to {account}", "Войти в {account}";
}

impl AccountsWords {
    /// Which messages that come in are kept.
    pub(crate) fn keep(&self, rule: Keep) -> &'static str {
        let (english, russian) = match rule {
            Keep::Private => ("private chats", "личных чатов"),
            Keep::Registered => (
                "private chats, and chats that were made here or sent to",
                "личных чатов и чатов, созданных здесь или в которые отправляли",
            ),
            Keep::All => ("all chats", "всех чатов"),
            Keep::None => ("no chats", "никаких чатов"),
        };
        self.language.of(english, russian)
    }

    /// How many chats are exceptions to that.
    pub(crate) fn kept_but(&self, always: usize, never: usize) -> Option<String> {
        let counted = |many: usize, english: &str, russian: &str| {
            (many > 0).then(|| format!("{} {}", self.language.of(english, russian), thousands(many as u64)))
        };
        let both = [counted(always, "always:", "всегда:"), counted(never, "never:", "никогда:")];
        let both: Vec<String> = both.into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join(", "))
    }

    /// What a file is that came in.
    pub(crate) fn file_kind(&self, kind: FileKind) -> &'static str {
        let (english, russian) = match kind {
            FileKind::Photo => ("photos", "фотографии"),
            FileKind::Video => ("videos", "видео"),
            FileKind::VideoNote => ("round videos", "видеосообщения"),
            FileKind::Animation => ("animations", "анимации"),
            FileKind::Voice => ("voice messages", "голосовые сообщения"),
            FileKind::Audio => ("music", "музыка"),
            FileKind::Sticker => ("stickers", "стикеры"),
            FileKind::Document => ("other files", "другие файлы"),
        };
        self.language.of(english, russian)
    }

    /// Which files are fetched as they come in.
    pub(crate) fn kept_files(&self, kinds: &[FileKind], max_size: u64) -> Option<String> {
        let kinds: Vec<_> = kinds.iter().map(|kind| self.file_kind(*kind)).collect();
        let size = bytes(self.language, max_size);
        let (fetched, up_to) = (self.language.of("with", "и"), self.language.of("up to", "до"));
        (!kinds.is_empty()).then(|| format!("{fetched} {} {up_to} {size}", kinds.join(", ")))
    }

    /// Why no files are fetched now.
    pub(crate) fn files_stopped(&self, why: &str) -> &'static str {
        let (english, russian) = match why {
            "disk_full" => ("stopped: the disk is full", "остановлено: диск заполнен"),
            "disk_failed" => {
                ("stopped: the disk cannot be written", "остановлено: запись на диск не удаётся")
            }
            "flood_wait" => ("waiting: Telegram asked for it", "ждёт: так попросил Telegram"),
            "paused" => ("stopped with the account", "остановлено вместе с аккаунтом"),
            _ => ("waiting for a connection", "ждёт соединения"),
        };
        self.language.of(english, russian)
    }

    /// How far a history is read, and that it goes on or not.
    pub(crate) fn read_so_far(&self, messages: u64, goes_on: bool) -> String {
        let many = thousands(messages);
        match (self.language, goes_on) {
            (Language::English, true) => format!("being read; {many} so far"),
            (Language::English, false) => format!("not read; {many} were"),
            (Language::Russian, true) => format!("читаются; прочитано {many}"),
            (Language::Russian, false) => format!("не читаются; прочитано {many}"),
        }
    }

    /// The sentence that the list opens with.
    pub(crate) fn verdict(&self, trouble: u64, all: u64) -> String {
        match self.language {
            _ if all == 0 => self.empty.to_owned(),
            Language::English if trouble == 0 => "No account needs you".to_owned(),
            Language::Russian if trouble == 0 => "Аккаунты в порядке".to_owned(),
            Language::English => {
                let (verb, noun) = (english(trouble, "needs", "need"), english(all, "account", "accounts"));
                format!("{} of {} {noun} {verb} you", thousands(trouble), thousands(all))
            }
            Language::Russian => {
                let verb = russian(trouble, "требует", "требуют", "требуют");
                let noun = russian(all, "аккаунта", "аккаунтов", "аккаунтов");
                format!("Внимания {verb} {} из {} {noun}", thousands(trouble), thousands(all))
            }
        }
    }

    /// How many of its sessions are up.
    pub(crate) fn up(&self, up: usize, all: usize) -> String {
        match (self.language, all) {
            (_, 0) => self.no_session.to_owned(),
            (Language::English, _) => format!("{up} of {all} up"),
            (Language::Russian, _) => format!("{up} из {all} на связи"),
        }
    }

    /// What a session is for, as the API names it.
    pub(crate) fn purpose(&self, word: &str) -> &'static str {
        let (english, russian) = match word {
            "create_chat" => ("making chats", "создание чатов"),
            "send_text" => ("sending text", "отправка текста"),
            "send_media" => ("sending files", "отправка файлов"),
            "leave_chat" => ("leaving chats", "выход из чатов"),
            _ => ("something else", "другое"),
        };
        self.language.of(english, russian)
    }

    /// What waits, as the API names it.
    pub(crate) fn operation(&self, word: &str) -> String {
        let Ok(operation) = word.parse::<Operation>() else { return word.replace('_', " ") };
        let (english, russian) = match operation {
            Operation::SendMessage => ("sending", "отправка"),
            Operation::ResolvePeer => ("finding people and chats", "поиск людей и чатов"),
            Operation::Read => ("reading", "чтение"),
            Operation::Connect => ("connecting", "подключение"),
            Operation::CreateChat => ("making chats", "создание чатов"),
            Operation::Invite => ("inviting", "приглашение"),
            Operation::Promote => ("making administrators", "назначение администраторов"),
            Operation::ExportLink => ("making invite links", "создание ссылок-приглашений"),
            Operation::EditChat => ("changing chats", "изменение чатов"),
            Operation::RemoveMember => ("removing members", "удаление участников"),
            Operation::Leave => ("leaving chats", "выход из чатов"),
        };
        self.language.of(english, russian).to_owned()
    }

    /// How much of a limit is used, where there is one.
    pub(crate) fn used_of(&self, sent: Option<u32>, limit: Option<u32>) -> String {
        let Some(limit) = limit else { return self.no_limit.to_owned() };
        let (sent, limit) = (thousands(sent.unwrap_or(0).into()), thousands(limit.into()));
        self.language.of(format!("{sent} of {limit}"), format!("{sent} из {limit}"))
    }

    /// How much of a limit is used.
    pub(crate) fn of_limit(&self, sent: u32, limit: u32, span: Span) -> String {
        let (sent, limit) = (thousands(sent.into()), thousands(limit.into()));
        match span {
            Span::Hour => {
                self.language.of(format!("{sent} of {limit} an hour"), format!("{sent} из {limit} за час"))
            }
            Span::Day => self
                .language
                .of(format!("{sent} of {limit} in 24 hours"), format!("{sent} из {limit} за 24 часа")),
        }
    }

    pub(crate) fn dialogs_of(&self, read: u64, of: Option<u32>, complete: bool) -> String {
        let read = thousands(read);
        match (of, complete) {
            (Some(of), false) => self.language.of(
                format!("{read} of {}", thousands(of.into())),
                format!("{read} из {}", thousands(of.into())),
            ),
            _ => read,
        }
    }
}
