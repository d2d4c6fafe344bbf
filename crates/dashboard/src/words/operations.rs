//! The words of the pages about operations and failovers.

words! {
    OperationsWords;
    operations: "Operations", "Операции";
    failovers: "Failovers", "Переключения";
    lede:
        "Work on chats, the newest first: creating, changing and leaving them, and their members.",
        "Действия с чатами, новые сверху: создание, изменение, выход, участники.";
    empty: "No operations yet", "Операций ещё нет";
    empty_detail:
        "Creating, changing or leaving a chat is shown here step by step. Create a chat with",
        "Создание, изменение чата и выход из него видны здесь по шагам. Чат создаёт";
    detail: "Detail", "Подробности";
    steps: "Steps", "Шаги";
    about: "About it", "Об операции";
    requested: "Asked", "Запрошено";
    changed: "Last change", "Последнее изменение";
    failure: "Failure", "Ошибка";
    result: "Result", "Результат";
    held_back:
        "Held back after a restore: it may have been done since the backup",
        "Задержано после восстановления: возможно, сделано после копии";
    in_doubt: "It may have happened, or not", "Возможно, сделано, а возможно, и нет";
    in_doubt_detail:
        "The account that did it cannot be asked any more. Look at what is known, then decide.",
        "Аккаунт, который это делал, спросить больше нельзя. Посмотрите, что известно, и решите.";
    see_evidence: "See the evidence", "Что известно";
    retried: "It is being done again.", "Делаем заново.";
    cancelled: "It was cancelled; nothing was done.", "Отменено, ничего не сделано.";
    counted_as_done: "It counts as done.", "Считается сделанным.";
    done_again: "It is being done again.", "Делаем заново.";
    failovers_lede:
        "Work that went to another account than its first choice, and why.",
        "Когда работа ушла не тому аккаунту, который был первым в очереди, и почему.";
    by_hand: "by hand", "вручную";
    no_failovers: "No failovers", "Переключений нет";
    no_failovers_detail:
        "All work went through the account that was its first choice.",
        "Вся работа шла через аккаунты, которые были первыми в очереди.";
    first_choice: "First choice", "Первый выбор";
    went_to: "Went to", "Кому передано";
    done_by: "Done by", "Кто сделал";
    reason: "Why", "Почему";
    work: "Work", "Работа";
}

impl OperationsWords {
    /// Whether work goes on, as the API names it.
    pub(crate) fn state_name(&self, word: &str) -> &'static str {
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
            // Such as leaving a chat that no account is in.
            (None, Some("done")) => {
                self.language.of("no account was needed", "аккаунт не понадобился").to_owned()
            }
            (None, Some(_)) => self.language.of("not done yet", "ещё не сделано").to_owned(),
            (None, None) => "—".to_owned(),
        }
    }

    /// Who did an operation in the end; of one that no one did, who was to do it.
    pub(crate) fn of_operation(&self, account: Option<&str>, state: &str) -> String {
        let done = account.filter(|_| matches!(state, "done"));
        let text = self.did_it(done, Some(state));
        match account.filter(|_| done.is_none()) {
            Some(account) if state == "failed" || state == "cancelled" => self
                .language
                .of(format!("{text} (tried by {account})"), format!("{text} (пытался {account})")),
            Some(account) => format!("{account}: {text}"),
            None => text,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Language;

    #[test]
    fn an_operation_names_who_did_it_or_that_no_one_did() {
        let described = |account, state| OperationsWords::of(Language::English).of_operation(account, state);
        for (account, state, words) in [
            (Some("main"), "done", "main"),
            (Some("main"), "failed", "no one (tried by main)"),
            (None, "failed", "no one"),
            (None, "cancelled", "no one"),
            (Some("main"), "in_doubt", "main: in doubt"),
            (Some("main"), "running", "main: not done yet"),
            (None, "queued", "not done yet"),
            (None, "done", "no account was needed"),
        ] {
            assert_eq!(described(account, state), words, "{account:?}, {state}");
        }
    }
}
