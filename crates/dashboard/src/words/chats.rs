//! The words of the pages about chats.

words! {
    ChatsWords;
    chats: "Chats", "Чаты";
    lede:
        "Chats that were created or left here, or that an account is in, and the account that serves each.",
        "Чаты, созданные или покинутые здесь, и те, в которых есть аккаунт. Видно, какой аккаунт ведёт \
         каждый.";
    known: "Known", "Известные";
    unresolved: "Not found", "Не найденные";
    do_not_contact: "Do not contact", "Не писать";
    open: "Find a chat or person", "Найти чат или человека";
    open_hint: "Title, name, @name, phone or number", "Название, имя, @имя, телефон или номер";
    unknown_detail:
        "No account is in it or has written to it. Check the spelling, or look for it in the list of chats.",
        "Ни один аккаунт в нём не состоит и в него не писал. Проверьте, как он написан, или поищите в \
         списке чатов.";
    empty: "No chats yet", "Чатов ещё нет";
    empty_detail:
        "They appear here once an account has read its dialogs, or when one is created with",
        "Они появятся, когда аккаунт прочитает свои диалоги или когда чат создаст";
    served_by: "Served by", "Ведёт";
    no_account_yet: "none yet", "пока никто";
    in_it: "Accounts in it", "Аккаунты в чате";
    not_served:
        "No account serves it yet: the first that does something in it will.",
        "Чат пока никто не ведёт: его возьмёт первый аккаунт, который что-то в нём сделает.";
    its_messages: "Its messages", "Его сообщения";
    conversation: "Conversation", "Переписка";
    conversation_lede:
        "What was received here and what was sent, as far as it is stored.",
        "Что сюда пришло и что отсюда отправлено, насколько это сохранено.";
    find_in_it: "Find in the conversation", "Найти в переписке";
    what_waits: "What waits or failed", "Что ждёт или не ушло";
    says_nothing: "Nothing is stored of this chat", "Из этого чата ничего не сохранено";
    says_nothing_detail:
        "Messages appear here once something is received or sent.",
        "Сообщения появятся, когда что-нибудь придёт или будет отправлено.";
    earlier: "Earlier messages", "Более ранние";
    later: "Later messages", "Более поздние";
    edited: "edited", "изменено";
    deleted: "deleted", "удалено";
    forwarded: "forwarded", "переслано";
    its_operations: "Its operations", "Его операции";
    who_serves: "Who serves it", "Кто ведёт чат";
    who_serves_detail:
        "The first choice for all that is done in this chat. If that account cannot, another that is in the \
         chat does it.",
        "Через этот аккаунт в чате делается всё. Если он не может, работает другой аккаунт из этого чата.";
    serves_it: "serves it", "ведёт чат";
    no_accounts_in_it: "No account is in it.", "В чате нет ни одного аккаунта.";
    no_other_accounts:
        "No other account is in this chat. Invite one first.",
        "Других аккаунтов в этом чате нет. Сначала пригласите один из них.";
    bind: "Give to another account", "Передать другому аккаунту";
    bind_follows:
        "New messages go through the account you choose, at once. What is being sent now stays where it is.",
        "Новые сообщения сразу пойдут через выбранный аккаунт. То, что отправляется сейчас, останется на \
         месте.";
    bind_private:
        "This is a private dialog: it goes to an account that has it, or that can find the person and may \
         write to them first.",
        "Это личный диалог: его примет аккаунт, у которого он уже есть, или тот, который найдёт человека и \
         может написать ему первым.";
    leave: "Leave the chat", "Выйти из чата";
    leave_follows:
        "The account leaves the chat and can no longer read or write there. Only a member can invite it \
         back.",
        "Аккаунт выйдет и больше не сможет там ни писать, ни читать. Вернуть его может только участник чата.";
    remove_members: "Remove everyone else first", "Сначала удалить всех остальных";
    remove_members_help:
        "In supergroups and channels. It cannot be undone: each would have to be invited again.",
        "В супергруппах и каналах. Отменить нельзя: каждого пришлось бы приглашать заново.";
    leave_own: "Even if the account owns the chat", "Даже если аккаунт — владелец чата";
    leave_own_help:
        "Without this, members of a chat that the account owns are not removed and the chat is not left.",
        "Без этой отметки участников собственного чата аккаунта не удаляют, и из чата он не выходит.";
    was_left: "The chat was left.", "Из чата вышли.";
    leaving:
        "Leaving the chat; this page shows the progress.",
        "Выходим из чата; ход виден на этой странице.";
    facts: "About the chat", "О чате";
    public_name: "Public name", "Публичное имя";
    invite_link: "Invite link", "Ссылка-приглашение";
    made: "Made", "Создан";
    left: "Left", "Покинут";
    made_by: "Made by", "Создан операцией";
    unresolved_title: "Chats that no account finds", "Чаты, которых не находит ни один аккаунт";
    unresolved_lede:
        "They are requested again and again. Fix the automation that does so, or invite an account to the \
         chat.",
        "Их запрашивают снова и снова. Исправьте автоматизацию или пригласите аккаунт в чат.";
    none_unresolved: "Every chat is found", "Все чаты находятся";
    none_unresolved_detail:
        "Chats that are requested although no account is in them appear here, with who requests them.",
        "Здесь появятся чаты, которые запрашивают, хотя ни одного аккаунта в них нет, и те, кто их \
         запрашивает.";
    times: "Requests", "Запросов";
    last_time: "Last", "Последний раз";
    since: "since", "с";
    who_asks: "Who asks", "Кто запрашивает";
    what_accounts_say: "What the accounts say", "Что отвечают аккаунты";
    forget: "Forget", "Забыть";
}

sentences! {
    ChatsWords;
    unknown(chat: &str): "No account knows the chat {chat}", "Чат {chat} не знает ни один аккаунт";
    served(account: &str): "{account} serves it.", "Чат ведёт {account}.";
    of_another_app(account: &str): "{account}, from another app", "{account}, из другого приложения";
    bind_question(chat: &str): "Give {chat} to which account?", "Какому аккаунту передать «{chat}»?";
    leave_question(chat: &str): "Leave {chat}?", "Выйти из «{chat}»?";
    bound(account: &str): "{account} serves the chat now.", "Теперь чат ведёт {account}.";
    forgotten(chat: &str):
        "{chat} is forgotten until it is requested again.", "{chat} забыт, пока его не запросят снова.";
}

impl ChatsWords {
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

    /// What happened to a chat, as the API names it.
    pub(crate) fn service(&self, word: &str) -> &'static str {
        let (english, russian) = match word {
            "created" => ("The chat was created", "Чат создан"),
            "title_changed" => ("The title was changed", "Название изменено"),
            "photo_changed" => ("The photo was changed", "Фото изменено"),
            "members_added" => ("Members were added", "Добавлены участники"),
            "member_removed" => ("A member left or was removed", "Участник вышел или удалён"),
            "member_joined" => ("A member joined", "Участник присоединился"),
            "became_supergroup" => ("The group became a supergroup", "Группа стала супергруппой"),
            "message_pinned" => ("A message was pinned", "Сообщение закреплено"),
            "history_cleared" => ("The history was cleared", "История очищена"),
            "phone_call" => ("A call", "Звонок"),
            "contact_joined" => ("Joined Telegram", "Присоединился к Telegram"),
            _ => ("A service message", "Служебное сообщение"),
        };
        self.language.of(english, russian)
    }

    pub(crate) fn listener(&self, listener: &str) -> String {
        match listener {
            "v1" => "API /v1".to_owned(),
            port => self.language.of(format!("port {port}"), format!("порт {port}")),
        }
    }
}
