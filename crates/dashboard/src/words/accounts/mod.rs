//! The words of the pages about accounts: the list and one account here, forms, signing in and importing beside it.

mod form;
mod import;
mod login;

pub(crate) use form::AccountFormWords;
pub(crate) use import::ImportWords;
pub(crate) use login::LoginWords;

use domain::account::Operation;

use super::number::{english, russian, thousands};
use crate::visitor::Language;

/// What a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// Any hour.
    Hour,
    /// Any 24 hours.
    Day,
}

/// The words of the list of accounts, of one account, and of sessions that belong to nobody.
pub(crate) struct AccountsWords {
    language: Language,
    pub(crate) accounts: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) add: &'static str,
    pub(crate) import: &'static str,
    pub(crate) find: &'static str,
    pub(crate) needs_you: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) empty_detail: &'static str,
    pub(crate) empty_reader: &'static str,
    pub(crate) person: &'static str,
    pub(crate) sessions: &'static str,
    pub(crate) same_person: &'static str,
    pub(crate) same_person_detail: &'static str,
    pub(crate) no_session: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) calls: &'static str,
    pub(crate) errors: &'static str,
    pub(crate) chosen: &'static str,
    pub(crate) proxy: &'static str,
    pub(crate) proxy_yes: &'static str,
    pub(crate) proxy_no: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) pool: &'static str,
    pub(crate) in_pool: &'static str,
    pub(crate) not_in_pool: &'static str,
    pub(crate) sign_in: &'static str,
    pub(crate) change: &'static str,
    pub(crate) export: &'static str,
    pub(crate) remove: &'static str,
    pub(crate) its_chats: &'static str,
    pub(crate) its_messages: &'static str,
    pub(crate) its_operations: &'static str,
    /// What to do about an account that Telegram has closed.
    pub(crate) recovery: [&'static str; 4],
    pub(crate) used_for: &'static str,
    pub(crate) everything: &'static str,
    pub(crate) data_centre: &'static str,
    pub(crate) last_answer: &'static str,
    pub(crate) reads_updates: &'static str,
    pub(crate) kept_here: &'static str,
    pub(crate) in_settings: &'static str,
    pub(crate) in_settings_detail: &'static str,
    pub(crate) limits: &'static str,
    pub(crate) no_limits: &'static str,
    pub(crate) limit_reached: &'static str,
    pub(crate) waits: &'static str,
    pub(crate) waits_detail: &'static str,
    pub(crate) until: &'static str,
    pub(crate) facts: &'static str,
    pub(crate) telegram_id: &'static str,
    pub(crate) public_name: &'static str,
    pub(crate) described: &'static str,
    pub(crate) knows: &'static str,
    pub(crate) dialogs: &'static str,
    pub(crate) last_error: &'static str,
    pub(crate) last_active: &'static str,
    pub(crate) updates: &'static str,
    pub(crate) updates_missed: &'static str,
    pub(crate) ownerless: &'static str,
    pub(crate) ownerless_detail: &'static str,
    pub(crate) from: &'static str,
    pub(crate) give: &'static str,
    pub(crate) give_follows: &'static str,
    pub(crate) no_account_to_give: &'static str,
    pub(crate) drop: &'static str,
    pub(crate) drop_follows: &'static str,
    pub(crate) dropped: &'static str,
    pub(crate) purposes: &'static str,
    pub(crate) purposes_help: &'static str,
}

const EN: AccountsWords = AccountsWords {
    language: Language::English,
    accounts: "Accounts",
    lede: "The Telegram accounts that send, each with its sessions. Those that need you come first.",
    add: "Add an account",
    import: "Import sessions",
    find: "Find by name, person or the end of the phone number",
    needs_you: "Needs you",
    empty: "No accounts yet",
    empty_detail: "Import the sessions of your old scripts, and no one has to sign in again. Or add an account and sign in by a \
                   code or a QR code.",
    empty_reader: "An admin can add one here.",
    person: "Person",
    sessions: "Sessions",
    same_person: "The same person as",
    same_person_detail: "What Telegram says to one, such as a flood wait or a ban, holds for both. Keep one of them and remove the other.",
    no_session: "none",
    phone: "Phone",
    calls: "Calls",
    errors: "Errors",
    chosen: "Chosen",
    proxy: "Proxy",
    proxy_yes: "yes",
    proxy_no: "no",
    priority: "Priority",
    pool: "Pool",
    in_pool: "in the pool",
    not_in_pool: "only when named",
    sign_in: "Sign in",
    change: "Change",
    export: "Export a session",
    remove: "Remove",
    its_chats: "Its chats",
    its_messages: "Its messages",
    its_operations: "Its operations",
    recovery: [
        "Open Telegram with this number: it says whether the number is banned, and offers to write to support.",
        "Or write to recover@telegram.org from a mailbox of yours: the number with its country code, what it is used for, and that you ask for a review. An answer takes days.",
        "Until then let other accounts do its work: those that are members of its chats go on by themselves; for the rest add an account.",
        "When the number works again, sign in here once more. If it does not come back, remove the account.",
    ],
    used_for: "Used for",
    everything: "everything",
    data_centre: "Data centre",
    last_answer: "Last answer",
    reads_updates: "reads incoming messages",
    kept_here: "here",
    in_settings: "in the settings file",
    in_settings_detail: "This account is defined in the settings file. Its name, priority, proxy and sessions are changed there; then restart the program.",
    limits: "Limits",
    no_limits: "none of ours",
    limit_reached: "At its limit",
    waits: "Waits",
    waits_detail: "Telegram named a deadline for each. Until then the account does other work, and others do this.",
    until: "until",
    facts: "About the account",
    telegram_id: "Telegram’s id",
    public_name: "Public name",
    described: "Where defined",
    knows: "Chats and people it knows",
    dialogs: "Dialogs read",
    last_error: "Last error",
    last_active: "Last call",
    updates: "Updates received",
    updates_missed: "Updates missed",
    ownerless: "Sessions without an account",
    ownerless_detail: "They are kept and not used: left by removed accounts, or imported without an account. A session is a ready sign-in, so delete the ones you do not need.",
    from: "Where from",
    give: "Give to an account",
    give_follows: "The account uses the session from now on. It is refused when the account is another person’s.",
    no_account_to_give: "No account can take it: each belongs to another person. Add an account first.",
    drop: "Delete",
    drop_follows: "Its key is deleted for good. No one can sign in with it any more; Telegram lists the session until you end it \
                   on a phone under Settings, Devices.",
    dropped: "The session is deleted.",
    purposes: "What the session is for",
    purposes_help: "Nothing ticked: everything that no other session of the account does.",
};

const RU: AccountsWords = AccountsWords {
    language: Language::Russian,
    accounts: "Аккаунты",
    lede: "Аккаунты Telegram, через которые идёт работа, и их сессии. Сначала те, которым нужны вы.",
    add: "Добавить аккаунт",
    import: "Импорт сессий",
    find: "Найти по названию, имени или концу номера",
    needs_you: "Требует внимания",
    empty: "Аккаунтов ещё нет",
    empty_detail: "Импортируйте сессии старых скриптов — тогда входить заново не придётся. Или добавьте аккаунт и войдите по \
                   коду или QR-коду.",
    empty_reader: "Добавить аккаунт может администратор.",
    person: "Кто это",
    sessions: "Сессии",
    same_person: "Тот же человек, что и",
    same_person_detail: "Что Telegram говорит одному, например ждать или блокировка, касается обоих. Оставьте один и удалите другой.",
    no_session: "нет",
    phone: "Телефон",
    calls: "Вызовы",
    errors: "Ошибки",
    chosen: "Выбор",
    proxy: "Прокси",
    proxy_yes: "да",
    proxy_no: "нет",
    priority: "Приоритет",
    pool: "Пул",
    in_pool: "в пуле",
    not_in_pool: "только по имени",
    sign_in: "Войти",
    change: "Изменить",
    export: "Выгрузить сессию",
    remove: "Удалить",
    its_chats: "Его чаты",
    its_messages: "Его сообщения",
    its_operations: "Его операции",
    recovery: [
        "Откройте Telegram с этим номером: он скажет, заблокирован ли номер, и предложит написать в поддержку.",
        "Или напишите на recover@telegram.org со своей почты: номер с кодом страны, для чего он используется и просьбу пересмотреть решение. Ответ приходит через несколько дней.",
        "Пока пусть его работу делают другие аккаунты: те, что состоят в его чатах, продолжат сами; для остальных добавьте аккаунт.",
        "Когда номер снова заработает, войдите здесь ещё раз. Если не заработает, удалите аккаунт.",
    ],
    used_for: "Для чего",
    everything: "для всего",
    data_centre: "Дата-центр",
    last_answer: "Последний ответ",
    reads_updates: "читает входящие",
    kept_here: "здесь",
    in_settings: "в файле настроек",
    in_settings_detail: "Этот аккаунт описан в файле настроек. Название, приоритет, прокси и сессии из файла меняются там; потом \
                         программу нужно перезапустить.",
    limits: "Ограничения",
    no_limits: "своих нет",
    limit_reached: "Предел исчерпан",
    waits: "Ожидания",
    waits_detail: "Telegram назвал срок для каждого. До него аккаунт делает другое, а это делают другие.",
    until: "до",
    facts: "Об аккаунте",
    telegram_id: "Номер в Telegram",
    public_name: "Публичное имя",
    described: "Где описан",
    knows: "Знает чатов и людей",
    dialogs: "Прочитано диалогов",
    last_error: "Последняя ошибка",
    last_active: "Последний вызов",
    updates: "Принято обновлений",
    updates_missed: "Пропущено обновлений",
    ownerless: "Сессии без аккаунта",
    ownerless_detail: "Они хранятся и не используются: остались от удалённых аккаунтов или импортированы без аккаунта. Сессия — \
                       это готовый вход, поэтому ненужные удалите.",
    from: "Откуда",
    give: "Отдать аккаунту",
    give_follows: "Аккаунт сразу начнёт её использовать. Если аккаунт принадлежит другому человеку, будет отказ.",
    no_account_to_give: "Взять её некому: все аккаунты принадлежат другим людям. Сначала добавьте аккаунт.",
    drop: "Удалить",
    drop_follows: "Ключ удаляется навсегда, войти с ним больше нельзя. В Telegram сессия видна, пока вы не завершите её на телефоне: \
                   Настройки, Устройства.",
    dropped: "Сессия удалена.",
    purposes: "Для чего сессия",
    purposes_help: "Ничего не отмечено: для всего, чем не заняты другие сессии аккаунта.",
};

impl AccountsWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
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

    /// How far the dialogs are read.
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

    /// The question before a session is given away.
    pub(crate) fn give_question(&self, whose: &str) -> String {
        self.language.of(
            format!("Give the session of {whose} to which account?"),
            format!("Какому аккаунту отдать сессию «{whose}»?"),
        )
    }

    /// The question before a session is deleted.
    pub(crate) fn drop_question(&self, whose: &str) -> String {
        self.language.of(format!("Delete the session of {whose}?"), format!("Удалить сессию «{whose}»?"))
    }

    /// It was given away.
    pub(crate) fn given(&self, account: &str) -> String {
        self.language
            .of(format!("{account} uses the session now."), format!("Теперь сессию использует {account}."))
    }

    /// A link about one account, for readers of screens.
    pub(crate) fn sign_in_to(&self, account: &str) -> String {
        self.language.of(format!("Sign in to {account}"), format!("Войти в {account}"))
    }
}
