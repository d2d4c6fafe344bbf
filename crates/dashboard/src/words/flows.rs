//! The words of the pages about flows.

use std::borrow::Cow;

use api::{FlowOnAccount, FlowRun};

use crate::view::{Language, Pill, Tint};

words! {
    FlowsWords;
    flows: "Flows", "Сценарии";
    lede:
        "They watch bots, groups and channels, and press buttons step by step, the moment they are offered.",
        "Следят за ботами, группами и каналами и по шагам нажимают кнопки, как только те появляются.";
    none: "No flows yet", "Сценариев пока нет";
    none_detail:
        "Write one here, or as a section [[flows]] of the settings or of a file in the folder flows beside them.",
        "Напишите его здесь или разделом [[flows]] в файле настроек либо в файле папки flows рядом с ним.";
    flow: "Flow", "Сценарий";
    on_accounts: "On accounts", "На аккаунтах";
    last_hour: "Runs with presses in the last hour", "Запусков с нажатиями за последний час";
    missed: "Missed", "Упущено";
    last_run: "Last run", "Последний запуск";
    never_ran: "not yet", "ещё не было";
    start: "Start", "Запустить";
    stop: "Stop", "Остановить";
    stop_follows:
        "Its runs end where they are, and it begins no other until it is started, also after a restart of the program. \
         What was pressed stays pressed.",
        "Текущие запуски прервутся, новых не будет, пока сценарий не запустят, даже после перезапуска программы. Уже \
         нажатое останется нажатым.";
    about: "About the flow", "О сценарии";
    watches: "Watches", "Следит за";
    hours: "Hours", "Часы работы";
    any_hour: "any", "любые";
    limits: "Limits", "Ограничения";
    no_limits: "none", "нет";
    steps: "Steps", "Шагов";
    definition: "Definition", "Описание";
    in_settings:
        "It is written in the settings file or in a file of the folder flows beside it. Change it there, then run:",
        "Он записан в файле настроек или в файле папки flows рядом с ним. Измените его там и выполните:";
    written_here: "Written here", "Записан здесь";
    not_in_use: "Not in use: its definition is wrong", "Не работает: в описании ошибка";
    file_not_in_use: "Not in use: the file is wrong", "Не работает: в файле ошибка";
    add: "New flow", "Новый сценарий";
    change: "Change", "Изменить";
    remove: "Remove", "Удалить";
    remove_follows:
        "Its runs end where they are. The runs that were stay in the list of runs.",
        "Текущие запуски прервутся. Прежние останутся в списке запусков.";
    edit_lede:
        "One flow, as a file of flows has it. Saved, it is in use at once, and after a restart too.",
        "Один сценарий в том же виде, что и в файле. После сохранения он сразу работает, и после перезапуска тоже.";
    edit_help:
        "Accounts go by their names here, the chat by @name or number. Check says what is wrong and changes nothing.",
        "Аккаунты — по названиям, чат — по @имени или номеру. «Проверить» покажет ошибки и ничего не изменит.";
    check: "Check", "Проверить";
    save: "Save", "Сохранить";
    is_right: "The definition is right. It is not saved yet.", "Описание верное. Пока не сохранено.";
    not_right: "The definition is not saved", "Описание не сохранено";
    one_flow: "Write one flow here, not several, not none.", "Здесь должен быть ровно один сценарий.";
    name_stays:
        "The name of a flow stays. For another name write a new flow and remove this one.",
        "Название сценария не меняется. Для другого названия создайте новый, а этот удалите.";
    done_runs: "Done since it was started", "Выполнено с запуска";
    left: "Messages left", "Пропущено сообщений";
    failed_runs: "Failed", "Не удалось";
    runs: "Runs", "Запуски";
    no_runs: "No runs yet", "Запусков пока нет";
    no_runs_detail:
        "A run begins when a message that fits comes in. Press Try to see what one would do.",
        "Запуск начнётся, когда придёт подходящее сообщение. Что он сделает, покажет кнопка «Попробовать».";
    began: "Began", "Начало";
    ended: "How it ended", "Чем закончился";
    presses: "Presses", "Нажатий";
    took: "Took", "Занял";
    speed: "How fast it is", "Скорость";
    speed_none: "It is measured with the first run.", "Измеряется с первого запуска.";
    stage: "Stage", "Этап";
    count: "Times", "Раз";
    half: "Half within", "Половина за";
    most_of_all: "Slowest", "Дольше всего";
    up_to: "Up to", "До";
    all_numbers: "All numbers", "Все числа";
    run: "Run", "Запуск";
    timeline: "What happened", "Что произошло";
    since_update: "since the update", "от обновления";
    message: "Message", "Сообщение";
    chat: "Chat", "Чат";
    step: "Step", "Шаг";
    about_run: "About the run", "О запуске";
    cut:
        "The end of the program cut this run",
        "Запуск прерван завершением программы";
    cut_detail:
        "What it pressed before is not pressed again. What it pressed in its last moment may be missing here.",
        "Нажатое до этого больше не нажимается. Последнее нажатие могло сюда не попасть.";
    try_out: "Try", "Попробовать";
    try_lede:
        "Shows what the flow would do. Nothing is pressed; hours and limits do not count.",
        "Показывает, что сделал бы сценарий. Ничего не нажимается; часы и ограничения не учитываются.";
    try_messages: "Messages of the bot", "Сообщения бота";
    try_help:
        "The text as the bot writes it, below it a line in brackets for each row of buttons. An empty line comes before what \
         the bot makes of the message next.",
        "Текст так, как его пишет бот; под ним для каждого ряда кнопок строка в скобках. После пустой строки — то, во что \
         бот превращает сообщение дальше.";
    try_example: "New trip from Tver\n[Book] [Details]\n\nFrom where?\n[Tver] [Moscow]",
        "Новая поездка из Твери\n[Взять] [Подробнее]\n\nОткуда?\n[Тверь] [Москва]";
    try_these: "Try on these", "Попробовать на этих";
    try_latest: "Try the newest messages", "На последних из чата";
    would_do: "What it would do", "Что он сделал бы";
    would_do_nothing: "nothing", "ничего";
    no_run_begins: "No run begins", "Запуск не начинается";
}

sentences! {
    FlowsWords;
    stop_question(name: &str): "Stop {name}?", "Остановить {name}?";
    started(name: &str): "{name} is started.", "{name} запущен.";
    stopped(name: &str): "{name} is stopped.", "{name} остановлен.";
    of_limit(count: usize, most: u32): "{count} of {most}", "{count} из {most}";
    at_once(most: u16; noun: ["run", "runs"], ["запуска", "запусков", "запусков"]):
        "at most {most} {noun} at once", "не больше {most} {noun} одновременно";
    per_hour(most: u32; noun: ["run", "runs"], ["запуска", "запусков", "запусков"]):
        "{most} {noun} an hour", "не больше {most} {noun} в час";
    stop_after(most: u32; noun: ["run that is done", "runs that are done"], ["запуска", "запусков", "запусков"]):
        "stops after {most} {noun}", "остановка после {most} {noun}";
    place(line: usize, column: usize): "Line {line}, character {column}", "Строка {line}, символ {column}";
    saved(name: &str): "{name} is saved and in use.", "{name} сохранён и работает.";
    removed(name: &str): "{name} is removed.", "{name} удалён.";
    remove_question(name: &str): "Remove {name}?", "Удалить {name}?";
    nth_message(number: usize): "Message {number}", "Сообщение {number}";
}

impl FlowsWords {
    pub(crate) fn pill(&self, on: &FlowOnAccount) -> Pill {
        let (tint, english, russian) = match on.state.as_str() {
            "watching" => (Tint::Good, "Watches", "Следит"),
            "running" => (Tint::Busy, "Runs", "Выполняется"),
            "waiting" => (Tint::Waiting, "Waits", "Ждёт"),
            _ if on.reason.as_deref().is_some_and(|why| why.starts_with("account_")) => {
                (Tint::Bad, "Stopped", "Остановлен")
            }
            _ => (Tint::Idle, "Stopped", "Остановлен"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// How a run is, by the word of the API.
    pub(crate) fn pill_of_run(&self, state: &str) -> Pill {
        let (tint, english, russian) = match state {
            "running" => (Tint::Busy, "Under way", "Выполняется"),
            "done" => (Tint::Good, "Done", "Выполнен"),
            "failed" => (Tint::Bad, "Failed", "Не удался"),
            "cut" => (Tint::Waiting, "Cut", "Прерван"),
            "skipped" => (Tint::Waiting, "Skipped", "Пропущен"),
            _ => (Tint::Idle, "Stopped", "Остановлен"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// Why a flow is stopped or a run ended, where the API has a word for it.
    pub(crate) fn why(&self, code: &str) -> Option<&'static str> {
        let (english, russian) = match code {
            "by_hand" => ("by a person", "человеком"),
            "stop_after" => ("as many runs as wanted are done", "выполнено столько запусков, сколько задано"),
            "changed" => ("the flow was changed", "сценарий изменили"),
            "account_frozen" => ("the account is frozen", "аккаунт заморожен"),
            "account_peer_flood" => {
                ("the account may not write to new people", "аккаунту нельзя писать новым людям")
            }
            "account_banned" => ("the account is banned", "аккаунт заблокирован"),
            "account_deactivated" => ("the account is deleted", "аккаунт удалён"),
            "account_restricted" => ("the account is restricted", "аккаунт ограничен"),
            "program_ended" => ("the program ended", "программа завершилась"),
            "no_button" => ("the button did not come in time", "кнопка не появилась вовремя"),
            "said_no" => ("the bot said no", "бот отказал"),
            "pressed_by_another_flow" => ("another flow pressed the button", "кнопку нажал другой сценарий"),
            "interrupted" => ("the connection was interrupted", "соединение прервалось"),
            "busy" | "hours" | "per_hour" | "cooldown" | "stale" | "other_run" | "stopped" => {
                return Some(self.skip(code));
            }
            "no_text" => ("the expected text did not come in time", "ожидаемый текст не пришёл вовремя"),
            "nothing_to_send" => ("a name in its text was not found", "имя из текста не нашлось"),
            "not_accepted" => ("its text could not be sent", "текст не удалось отправить"),
            "not_connected" => ("there was no connection", "не было соединения"),
            "message_gone" => ("the message was gone", "сообщения уже не было"),
            "button_gone" => ("the button was gone", "кнопки уже не было"),
            "flood_wait" => ("Telegram asked to wait", "Telegram потребовал подождать"),
            "refused" => ("Telegram refused the press", "Telegram отклонил нажатие"),
            "password_button" => {
                ("the button asks for the two-step password", "кнопка требует пароль двухэтапной проверки")
            }
            "web_app_button" => ("the button opens a web application", "кнопка открывает веб-приложение"),
            "contact_button" => ("the button asks for the contact", "кнопка запрашивает контакт"),
            "location_button" => ("the button asks for the location", "кнопка запрашивает местоположение"),
            "buy_button" => ("the button is for a payment", "кнопка для оплаты"),
            "switch_inline_button" => ("the button begins an inline query", "кнопка начинает инлайн-запрос"),
            code if code.ends_with("_button") => {
                ("only a person can press the button", "эту кнопку может нажать только человек")
            }
            _ => return None,
        };
        Some(self.language.of(english, russian))
    }

    /// Why a step failed, as a run notes it: a code, and after a colon what the step found instead.
    pub(crate) fn failed<'n>(&self, note: &'n str) -> Cow<'n, str> {
        let (code, detail) = note.split_once(": ").unwrap_or((note, ""));
        match (self.why(code), code) {
            (None, _) => Cow::Borrowed(note),
            (Some(why), _) if detail.is_empty() => Cow::Borrowed(why),
            (Some(why), "no_button") => match self.language {
                Language::English => Cow::Owned(format!("{why}; a similar one: “{detail}”")),
                Language::Russian => Cow::Owned(format!("{why}; похожая: «{detail}»")),
            },
            (Some(why), _) => Cow::Owned(format!("{why}: {detail}")),
        }
    }

    /// Why a flow is as it is on an account.
    pub(crate) fn reason(&self, on: &FlowOnAccount) -> Option<String> {
        let reason = on.reason.as_deref()?;
        Some(
            self.why(reason)
                .map_or_else(|| super::translate(self.language, reason).into_owned(), str::to_owned),
        )
    }

    /// Why a run ended before its last step.
    pub(crate) fn end(&self, run: &FlowRun) -> Option<String> {
        let code = run.code.as_deref()?;
        Some(self.why(code).map_or_else(|| code.replace('_', " "), str::to_owned))
    }

    /// Why a message that fits began no run.
    pub(crate) fn skip(&self, why: &str) -> &'static str {
        match why {
            "busy" => self
                .language
                .of("the limit of runs at once was reached", "достигнут предел одновременных запусков"),
            "hours" => self.language.of("outside the hours", "вне часов работы"),
            "per_hour" => self.language.of("the hour was full", "час исчерпан"),
            "cooldown" => self.language.of("the cooldown", "пауза между запусками"),
            "other_run" => {
                self.language.of("a run under way took its message", "сообщение занял другой запуск")
            }
            "stopped" => self.language.of("the flow stopped", "сценарий остановился"),
            _ => self.language.of("it came too late", "пришло слишком поздно"),
        }
    }

    /// What happened in a run, by the word of the API.
    pub(crate) fn happened(&self, stage: &str) -> &'static str {
        let (english, russian) = match stage {
            "seen" => ("The update came in", "Пришло обновление"),
            "matched" => ("It begins a run", "Подходит, запуск начат"),
            "pressed" => ("Pressed", "Нажато"),
            "answered" => ("Answered", "Пришёл ответ"),
            "refused" => ("Refused", "Отклонено"),
            "expected" => ("The expected text was read", "Ожидаемый текст прочитан"),
            "sent" => ("A text was handed over to be sent", "Текст передан на отправку"),
            "address" => ("A button with an address, not opened", "Кнопка со ссылкой, не открыта"),
            "failed" => ("The step failed", "Шаг не удался"),
            "skipped" => ("No run began", "Запуск не начат"),
            "restarted" => ("It begins again with the first step", "Снова с первого шага"),
            "interrupted" => ("The connection was interrupted", "Соединение прервалось"),
            _ => ("It ended", "Закончен"),
        };
        self.language.of(english, russian)
    }

    /// A stage that is measured.
    pub(crate) fn timed(&self, stage: &str) -> &'static str {
        let (english, russian) = match stage {
            "match" => ("Update to match", "От обновления до совпадения"),
            "press" => ("Update to first press", "От обновления до первого нажатия"),
            "answer" => ("Press to answer", "От нажатия до ответа"),
            "expect" => ("Press to expected text", "От нажатия до ожидаемого текста"),
            _ => ("Update to the end", "От обновления до конца"),
        };
        self.language.of(english, russian)
    }
}
