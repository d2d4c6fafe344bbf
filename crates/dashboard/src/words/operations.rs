//! The words of the pages about operations and failovers.

use crate::visitor::Language;

/// The words of the pages about operations and failovers.
pub(crate) struct OperationsWords {
    language: Language,
    pub(crate) operations: &'static str,
    pub(crate) failovers: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) empty_detail: &'static str,
    pub(crate) detail: &'static str,
    pub(crate) steps: &'static str,
    pub(crate) about: &'static str,
    pub(crate) asked: &'static str,
    pub(crate) changed: &'static str,
    pub(crate) failure: &'static str,
    pub(crate) result: &'static str,
    pub(crate) held_back: &'static str,
    pub(crate) in_doubt: &'static str,
    pub(crate) in_doubt_detail: &'static str,
    pub(crate) see_evidence: &'static str,
    pub(crate) retried: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) counted_as_done: &'static str,
    pub(crate) done_again: &'static str,
    pub(crate) failovers_lede: &'static str,
    pub(crate) by_hand: &'static str,
    pub(crate) no_failovers: &'static str,
    pub(crate) no_failovers_detail: &'static str,
    pub(crate) first_choice: &'static str,
    pub(crate) went_to: &'static str,
    pub(crate) done_by: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) work: &'static str,
}

const EN: OperationsWords = OperationsWords {
    language: Language::English,
    operations: "Operations",
    failovers: "Failovers",
    lede: "Work on chats, the newest first: creating, changing and leaving them, and their members.",
    empty: "No operations yet",
    empty_detail: "Creating, changing or leaving a chat is shown here step by step. Create a chat with",
    detail: "Detail",
    steps: "Steps",
    about: "About it",
    asked: "Asked",
    changed: "Last change",
    failure: "Failure",
    result: "Result",
    held_back: "Held back after a restore: it may have been done since the backup",
    in_doubt: "It may have happened, or not",
    in_doubt_detail: "The account that did it cannot be asked any more. Look at what is known, then decide.",
    see_evidence: "See the evidence",
    retried: "It is being done again.",
    cancelled: "It was cancelled; nothing was done.",
    counted_as_done: "It counts as done.",
    done_again: "It is being done again.",
    failovers_lede: "Work that went to another account than its first choice, and why.",
    by_hand: "by hand",
    no_failovers: "No failovers",
    no_failovers_detail: "All work went through the account that was its first choice.",
    first_choice: "First choice",
    went_to: "Went to",
    done_by: "Done by",
    reason: "Why",
    work: "Work",
};

const RU: OperationsWords = OperationsWords {
    language: Language::Russian,
    operations: "Операции",
    failovers: "Переключения",
    lede: "Действия с чатами, новые сверху: создание, изменение, выход, участники.",
    empty: "Операций ещё нет",
    empty_detail: "Создание, изменение чата и выход из него видны здесь по шагам. Чат создаёт",
    detail: "Подробности",
    steps: "Шаги",
    about: "Об операции",
    asked: "Запрошено",
    changed: "Последнее изменение",
    failure: "Ошибка",
    result: "Результат",
    held_back: "Задержано после восстановления: возможно, сделано после копии",
    in_doubt: "Возможно, сделано, а возможно, и нет",
    in_doubt_detail: "Аккаунт, который это делал, спросить больше нельзя. Посмотрите, что известно, и решите.",
    see_evidence: "Что известно",
    retried: "Делаем заново.",
    cancelled: "Отменено, ничего не сделано.",
    counted_as_done: "Считается сделанным.",
    done_again: "Делаем заново.",
    failovers_lede: "Когда работа ушла не тому аккаунту, который был первым в очереди, и почему.",
    by_hand: "вручную",
    no_failovers: "Переключений нет",
    no_failovers_detail: "Вся работа шла через аккаунты, которые были первыми в очереди.",
    first_choice: "Первый выбор",
    went_to: "Кому передано",
    done_by: "Кто добавил",
    reason: "Почему",
    work: "Работа",
};

impl OperationsWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// Whether work goes on, as the API names it.
    pub(crate) fn standing(&self, word: &str) -> &'static str {
        match word {
            "open" => self.language.of("Open", "Не закончено"),
            "finished" => self.language.of("Finished", "Закончено"),
            _ => self.language.of("In doubt", "Под вопросом"),
        }
    }

    /// Who did the work in the end: an account, no one, or it is not over yet.
    pub(crate) fn did_it(&self, account: Option<&str>, state: Option<&str>) -> String {
        let is_over = matches!(state, Some("failed" | "cancelled"));
        match (account, state) {
            (Some(account), _) => account.to_owned(),
            (None, _) if is_over => self.language.of("no one", "никто").to_owned(),
            (None, Some("in_doubt")) => self.language.of("in doubt", "под вопросом").to_owned(),
            (None, Some(_)) => self.language.of("not done yet", "ещё не сделано").to_owned(),
            (None, None) => "—".to_owned(),
        }
    }

    /// Who did an operation in the end; of one that no one did, who was to do it.
    pub(crate) fn of_operation(&self, account: Option<&str>, state: &str) -> String {
        let done = account.filter(|_| matches!(state, "done"));
        let said = self.did_it(done, Some(state));
        match account.filter(|_| done.is_none()) {
            Some(account) if state == "failed" || state == "cancelled" => self
                .language
                .of(format!("{said} (tried by {account})"), format!("{said} (пытался {account})")),
            Some(account) => format!("{account}: {said}"),
            None => said,
        }
    }

    /// A step in a few words.
    pub(crate) fn step(&self, what: &str, account: Option<&str>, outcome: Option<&str>) -> String {
        let (english, russian) = match what {
            "accepted" => ("Accepted and stored", "Принято и сохранено"),
            "create" => ("Make the chat", "Создать чат"),
            "open_history" => ("Show earlier messages to new members", "Показать историю новым участникам"),
            "invite" => ("Invite", "Пригласить"),
            "promote" => ("Make an administrator", "Назначить администратором"),
            "export_link" => ("Make an invite link", "Создать ссылку-приглашение"),
            "remove" => ("Remove members", "Удалить участников"),
            "leave" => ("Leave", "Выйти"),
            "resolve" => ("Find a person", "Найти человека"),
            "list_members" => ("List the members", "Получить список участников"),
            "set_title" => ("Set the title", "Изменить название"),
            "set_about" => ("Set the description", "Изменить описание"),
            "waiting" => ("Waiting", "Ждёт"),
            "moved_on" => ("Moved to another account", "Передано другому аккаунту"),
            "done" | "finished" => ("Finished", "Закончено"),
            "failed" => ("Failed", "Не удалось"),
            "cancelled" => ("Cancelled", "Отменено"),
            "in_doubt" => ("In doubt", "Под вопросом"),
            "resolved" => ("Resolved by a person", "Решено человеком"),
            "retried" => ("Retried by hand", "Повторено вручную"),
            "resumed" => ("Continued after a restart", "Продолжено после перезапуска"),
            _ => ("", ""),
        };
        let mut heading = match self.language.of(english, russian) {
            "" => what.replace('_', " "),
            known => known.to_owned(),
        };
        if let Some(account) = account {
            heading.push_str(" · ");
            heading.push_str(account);
        }
        if let Some(outcome) = outcome {
            heading.push_str(": ");
            heading.push_str(match outcome {
                "ok" | "sent" => self.language.of("done", "сделано"),
                "not_found" => self.language.of("not found", "не найдено"),
                "flood_wait" => self.language.of("flood wait", "ожидание по требованию Telegram"),
                "forbidden" => self.language.of("not allowed", "нет прав"),
                "rejected" => self.language.of("refused by Telegram", "Telegram отказал"),
                "unknown" => self.language.of("no clear answer", "ясного ответа нет"),
                "unavailable" => self.language.of("not connected", "нет соединения"),
                "begun" => self.language.of("started", "начато"),
                _ => "",
            });
            if heading.ends_with(": ") {
                heading.push_str(&outcome.replace('_', " "));
            }
        }
        heading
    }
}
