//! The words of the pages about chats.

use crate::visitor::Language;

/// The words of the pages about chats.
pub(crate) struct ChatsWords {
    language: Language,
    pub(crate) chats: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) known: &'static str,
    pub(crate) unresolved: &'static str,
    pub(crate) open: &'static str,
    pub(crate) open_hint: &'static str,
    pub(crate) unknown_detail: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) empty_detail: &'static str,
    pub(crate) served_by: &'static str,
    pub(crate) nobody_yet: &'static str,
    pub(crate) in_it: &'static str,
    pub(crate) served_by_nobody: &'static str,
    pub(crate) its_messages: &'static str,
    pub(crate) its_operations: &'static str,
    pub(crate) who_serves: &'static str,
    pub(crate) who_serves_detail: &'static str,
    pub(crate) serves_it: &'static str,
    pub(crate) nobody_in_it: &'static str,
    pub(crate) nobody_else: &'static str,
    pub(crate) bind: &'static str,
    pub(crate) bind_follows: &'static str,
    pub(crate) bind_private: &'static str,
    pub(crate) leave: &'static str,
    pub(crate) leave_follows: &'static str,
    pub(crate) remove_members: &'static str,
    pub(crate) remove_members_help: &'static str,
    pub(crate) leave_own: &'static str,
    pub(crate) leave_own_help: &'static str,
    pub(crate) was_left: &'static str,
    pub(crate) leaving: &'static str,
    pub(crate) facts: &'static str,
    pub(crate) public_name: &'static str,
    pub(crate) invite_link: &'static str,
    pub(crate) made: &'static str,
    pub(crate) left: &'static str,
    pub(crate) made_by: &'static str,
    pub(crate) unresolved_title: &'static str,
    pub(crate) unresolved_lede: &'static str,
    pub(crate) none_unresolved: &'static str,
    pub(crate) none_unresolved_detail: &'static str,
    pub(crate) times: &'static str,
    pub(crate) last_time: &'static str,
    pub(crate) since: &'static str,
    pub(crate) who_asks: &'static str,
    pub(crate) what_accounts_say: &'static str,
    pub(crate) forget: &'static str,
}

const EN: ChatsWords = ChatsWords {
    language: Language::English,
    chats: "Chats",
    lede: "Chats that were created or left here, or that an account is in, and the account that serves each.",
    known: "Known",
    unresolved: "Not found",
    open: "Find a chat or person",
    open_hint: "Title, name, @name, phone or number",
    unknown_detail: "No account is in it or has written to it. Check the spelling, or look for it in the list of chats.",
    empty: "No chats yet",
    empty_detail: "They appear here once an account has read its dialogs, or when one is created with",
    served_by: "Served by",
    nobody_yet: "none yet",
    in_it: "Accounts in it",
    served_by_nobody: "No account serves it yet: the first that does something in it will.",
    its_messages: "Its messages",
    its_operations: "Its operations",
    who_serves: "Who serves it",
    who_serves_detail: "The first choice for all that is done in this chat. If that account cannot, another that is in the chat does it.",
    serves_it: "serves it",
    nobody_in_it: "No account is in it.",
    nobody_else: "No other account is in this chat. Invite one first.",
    bind: "Give to another account",
    bind_follows: "New messages go through the account you choose, at once. What is being sent now stays where it is.",
    bind_private: "This is a private dialog: it goes to an account that has it, or that can find the person and may write to them first.",
    leave: "Leave the chat",
    leave_follows: "The account leaves the chat and can no longer read or write there. Only a member can invite it back.",
    remove_members: "Remove everyone else first",
    remove_members_help: "In supergroups and channels. It cannot be undone: each would have to be invited again.",
    leave_own: "Even if the account owns the chat",
    leave_own_help: "Without this, members of a chat that the account owns are not removed and the chat is not left.",
    was_left: "The chat was left.",
    leaving: "Leaving the chat; this page shows the progress.",
    facts: "About the chat",
    public_name: "Public name",
    invite_link: "Invite link",
    made: "Made",
    left: "Left",
    made_by: "Made by",
    unresolved_title: "Chats that no account finds",
    unresolved_lede: "They are requested again and again. Fix the automation that does so, or invite an account to the chat.",
    none_unresolved: "Every chat is found",
    none_unresolved_detail: "Chats that are requested although no account is in them appear here, with who requests them.",
    times: "Times",
    last_time: "Last",
    since: "since",
    who_asks: "Who asks",
    what_accounts_say: "What the accounts say",
    forget: "Forget",
};

const RU: ChatsWords = ChatsWords {
    language: Language::Russian,
    chats: "Чаты",
    lede: "Чаты, созданные или покинутые здесь, и те, в которых есть аккаунт. Видно, какой аккаунт ведёт каждый.",
    known: "Известные",
    unresolved: "Не найденные",
    open: "Найти чат или человека",
    open_hint: "Название, имя, @имя, телефон или номер",
    unknown_detail: "Ни один аккаунт в нём не состоит и в него не писал. Проверьте, как он написан, или поищите в списке чатов.",
    empty: "Чатов ещё нет",
    empty_detail: "Они появятся, когда аккаунт прочитает свои диалоги или когда чат создаст",
    served_by: "Ведёт",
    nobody_yet: "пока никто",
    in_it: "Аккаунты в чате",
    served_by_nobody: "Чат пока никто не ведёт: его возьмёт первый аккаунт, который что-то в нём сделает.",
    its_messages: "Его сообщения",
    its_operations: "Его операции",
    who_serves: "Кто ведёт чат",
    who_serves_detail: "Через этот аккаунт в чате делается всё. Если он не может, работает другой аккаунт из этого чата.",
    serves_it: "ведёт чат",
    nobody_in_it: "В чате нет ни одного аккаунта.",
    nobody_else: "Других аккаунтов в этом чате нет. Сначала пригласите один из них.",
    bind: "Передать другому аккаунту",
    bind_follows: "Новые сообщения сразу пойдут через выбранный аккаунт. То, что отправляется сейчас, останется на месте.",
    bind_private: "Это личный диалог: его примет аккаунт, у которого он уже есть, или тот, который найдёт человека и может написать ему первым.",
    leave: "Выйти из чата",
    leave_follows: "Аккаунт выйдет и больше не сможет там ни писать, ни читать. Вернуть его может только участник чата.",
    remove_members: "Сначала удалить всех остальных",
    remove_members_help: "В супергруппах и каналах. Отменить нельзя: каждого пришлось бы приглашать заново.",
    leave_own: "Даже если аккаунт — владелец чата",
    leave_own_help: "Без этой отметки участников собственного чата аккаунта не удаляют, и из чата он не выходит.",
    was_left: "Из чата вышли.",
    leaving: "Выходим из чата; ход виден на этой странице.",
    facts: "О чате",
    public_name: "Публичное имя",
    invite_link: "Ссылка-приглашение",
    made: "Создан",
    left: "Покинут",
    made_by: "Создан операцией",
    unresolved_title: "Чаты, которых не находит ни один аккаунт",
    unresolved_lede: "Их запрашивают снова и снова. Исправьте автоматизацию или пригласите аккаунт в чат.",
    none_unresolved: "Все чаты находятся",
    none_unresolved_detail: "Здесь появятся чаты, которые запрашивают, хотя ни одного аккаунта в них нет, и те, кто их запрашивает.",
    times: "Раз",
    last_time: "Последний раз",
    since: "с",
    who_asks: "Кто запрашивает",
    what_accounts_say: "Что отвечают аккаунты",
    forget: "Забыть",
};

impl ChatsWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// What kind of chat it is, as the API names it.
    pub(crate) fn kind_of(&self, word: &str) -> &'static str {
        match word {
            "group" => self.language.of("Group", "Группа"),
            "supergroup" => self.language.of("Supergroup", "Супергруппа"),
            "user" => self.language.of("Person", "Человек"),
            "bot" => self.language.of("Bot", "Бот"),
            "own_user" => self.language.of("Saved Messages", "Избранное"),
            _ => self.language.of("Channel", "Канал"),
        }
    }

    /// No account knows the chat of the address.
    pub(crate) fn unknown(&self, chat: &str) -> String {
        self.language
            .of(format!("No account knows the chat {chat}"), format!("Чат {chat} не знает ни один аккаунт"))
    }

    /// Who serves it.
    pub(crate) fn served(&self, account: &str) -> String {
        self.language.of(format!("{account} serves it."), format!("Чат ведёт {account}."))
    }

    /// The question before it is given to another account.
    pub(crate) fn bind_question(&self, chat: &str) -> String {
        self.language
            .of(format!("Give {chat} to which account?"), format!("Какому аккаунту передать «{chat}»?"))
    }

    /// The question before it is left.
    pub(crate) fn leave_question(&self, chat: &str) -> String {
        self.language.of(format!("Leave {chat}?"), format!("Выйти из «{chat}»?"))
    }

    /// It was given to another account.
    pub(crate) fn bound(&self, account: &str) -> String {
        self.language.of(format!("{account} serves the chat now."), format!("Теперь чат ведёт {account}."))
    }

    /// It was forgotten.
    pub(crate) fn forgotten(&self, chat: &str) -> String {
        self.language.of(
            format!("{chat} is forgotten until it is requested again."),
            format!("{chat} забыт, пока его не запросят снова."),
        )
    }

    /// Where somebody asked.
    pub(crate) fn listener(&self, listener: &str) -> String {
        match listener {
            "v1" => "API /v1".to_owned(),
            port => self.language.of(format!("port {port}"), format!("порт {port}")),
        }
    }
}
