//! The words of the pages about campaigns.

use api::{CampaignRun, CampaignSender};

use crate::view::{Pill, Tint};

words! {
    CampaignsWords;
    campaigns: "Campaigns", "Рассылки";
    lede:
        "Messages of your own to a list of chats, for people who want them, within limits that cannot be switched off.",
        "Ваши сообщения по списку чатов, для тех, кто их ждёт. Ограничения отключить нельзя.";
    none: "No campaigns yet", "Рассылок пока нет";
    none_detail:
        "Make one, give it chats, messages and accounts. It sends nothing before it is started.",
        "Создайте рассылку, добавьте чаты, сообщения и аккаунты. До запуска она ничего не отправляет.";
    campaign: "Campaign", "Рассылка";
    progress: "Progress", "Ход";
    rate: "In the last hour", "За последний час";
    ends: "Last message leaves", "Последнее сообщение уйдёт";
    actions: "Actions", "Действия";
    add: "New campaign", "Новая рассылка";
    change: "Change", "Изменить";
    remove: "Remove", "Удалить";
    remove_follows:
        "Its chats and messages are gone. What it sent stays on record and counts in the limits.",
        "Чаты и сообщения удалятся. Отправленное останется в базе и учтётся в ограничениях.";
    start: "Start", "Запустить";
    start_asked: "Start…", "Запустить…";
    pause: "Pause", "Пауза";
    resume: "Go on", "Продолжить";
    resume_asked: "Go on…", "Продолжить…";
    stop: "Stop", "Остановить";
    stop_follows:
        "The run ends here and cannot go on: the next start begins with the first chat again. To go on later, pause it.",
        "Запуск закончится, продолжить его нельзя: следующий начнётся с первого чата. Чтобы продолжить позже, поставьте на паузу.";
    overview: "Overview", "Обзор";
    chats: "Chats", "Чаты";
    messages: "Messages", "Сообщения";
    forecast: "Forecast", "Прогноз";
    never_ran: "It has not been started yet.", "Ещё не запускалась.";
    next_cycle: "The next cycle begins", "Следующий круг начнётся";
    hours_title: "Messages an hour, all its accounts", "Сообщений в час, все аккаунты";
    hour_limit: "Limit", "Предел";
    log: "What became of each chat", "Что вышло с каждым чатом";
    log_none: "Nothing yet", "Пока ничего";
    log_none_detail:
        "Each chat has a row here from the moment when it has its turn.",
        "Строка появляется здесь, когда до чата доходит очередь.";
    export: "Download as CSV", "Скачать в CSV";
    ended_at: "Ended", "Закончено";
    cycle: "Cycle", "Круг";
    runs: "Runs", "Запуски";
    by_cycle: "The run by cycles", "Запуск по кругам";
    began: "Began", "Начало";
    came: "What came of it", "Результат";
    profiles: "Browser profiles", "Профили браузера";
    picture: "Picture of the page", "Снимок страницы";
    senders: "Accounts that send", "Отправляющие аккаунты";
    no_senders: "None yet: add some under Change.", "Пока нет: добавьте через «Изменить».";
    unblock: "Unblock", "Снять блокировки";
    unblock_chat: "Unblock", "Разблокировать";
    unblock_help:
        "Takes the blocks from its chats and accounts. See to the account first.",
        "Снимает блокировки с чатов и аккаунтов. Сначала разберитесь с аккаунтом.";
    settings: "Settings", "Настройки";
    hours: "Hours", "Часы";
    any_hour: "any", "любые";
    cycles: "Cycles", "Кругов";
    delay: "Between two messages", "Между сообщениями";
    blocked: "Blocked", "Заблокированы";
    chats_lede:
        "Each has its turn once in a cycle. A blocked one has none until someone unblocks it.",
        "За круг до каждого доходит одна очередь. До заблокированного — ни одной, пока блокировку не снимут.";
    no_chats: "No chats", "Чатов нет";
    no_chats_detail: "Add some below.", "Добавьте их ниже.";
    no_blocked: "No chat is blocked", "Заблокированных чатов нет";
    variables: "Variables", "Переменные";
    sent_cycles: "Sent in cycles", "Отправлено в кругах";
    not_before: "Not before", "Не раньше";
    add_chats: "Add chats", "Добавить чаты";
    chats_file: "Chats", "Чаты";
    chats_help:
        "One a line: @name, a link or an id. Or a table whose first line names its columns, one of them chat; the others \
         are variables. A long file goes in with switchboard campaign import-chats.",
        "По одному в строке: @имя, ссылка или номер. Или таблица: в первой строке названия столбцов, один из них chat, \
         остальные — переменные. Большой файл загружает команда switchboard campaign import-chats.";
    messages_lede:
        "For each chat one of them is drawn, by weight. {name} stands for a variable of the chat.",
        "Для каждого чата выбирается одно из них, с учётом веса. {name} — переменная чата.";
    no_messages: "No messages", "Сообщений нет";
    text: "Text", "Текст";
    weight: "Weight", "Вес";
    used: "Sent", "Отправлено";
    not_in_use: "not in use", "выключено";
    add_messages: "Add messages", "Добавить сообщения";
    message_media: "File", "Файл";
    message_media_help:
        "May be left out; 64 MB at most. Each of the texts carries it. A JSON list names its files itself.",
        "Можно не выбирать; не больше 64 МБ. Уйдёт с каждым из текстов. Список JSON называет файлы сам.";
    messages_file: "Texts", "Тексты";
    messages_help:
        "One text or several, separated by lines of ---. {name} stands for a variable, {{ and }} for braces. A JSON list works \
         as well.",
        "Один текст или несколько, между ними строка ---. {name} — переменная, {{ и }} — сами скобки. Подойдёт и список JSON.";
    parse_mode: "Markup", "Разметка";
    preview: "Preview", "Просмотреть";
    previewed: "Nothing is saved yet", "Пока ничего не сохранено";
    first_chat: "What a chat would get", "Что получил бы чат";
    forecast_lede:
        "Who would get what, and when. Nothing is sent, and Telegram is not asked.",
        "Кто что получит и когда. Ничего не отправляется, Telegram не спрашивается.";
    recipients: "Would be written to", "Получат сообщение";
    skipped: "Would be skipped", "Будут пропущены";
    per_hour: "Messages an hour", "Сообщений в час";
    without_limits: "Without the limits", "Без ограничений";
    no_end: "never: no account may send", "никогда: отправлять некому";
    left_in_cycle: "Left in this cycle", "Осталось в этом круге";
    limit: "Pause after so many chats", "Пауза после стольких чатов";
    limit_help:
        "For a trial, such as 5: then look at what came of it, and go on. Empty means all of them.",
        "Для пробы, например 5: посмотрите на результат и продолжите. Пусто — все чаты.";
    start_follows:
        "What was sent cannot be taken back.",
        "Отправленное нельзя отозвать.";
    runs_now: "It runs", "Рассылка идёт";
    runs_now_detail: "Pause or stop it on its page.", "Пауза и остановка — на её странице.";
    name: "Name", "Название";
    name_help:
        "In any language, up to 100 characters. It cannot be changed later.",
        "На любом языке, до 100 знаков. Потом не меняется.";
    hours_help:
        "In which it sends, such as 09:00-21:00 Europe/Moscow. Empty means always.",
        "Когда отправлять, например 09:00-21:00 Europe/Moscow. Пусто — всегда.";
    max_per_hour: "Messages of an account within any hour", "Сообщений с аккаунта за любой час";
    max_per_hour_help: "60 at most, over all campaigns.", "Не больше 60, по всем рассылкам.";
    max_per_day: "Messages of an account within 24 hours", "Сообщений с аккаунта за любые сутки";
    max_per_day_help: "500 at most, over all campaigns.", "Не больше 500, по всем рассылкам.";
    delay_field: "Seconds between two messages of an account", "Секунд между сообщениями с аккаунта";
    delay_help: "Chance adds or takes a fifth.", "Случайно больше или меньше на пятую часть.";
    cycles_field: "Cycles", "Кругов";
    cycles_help: "How often a run goes through the chats: 100 at most.", "Сколько раз пройти по чатам: не больше 100.";
    between_field: "Seconds between two cycles", "Секунд между кругами";
    retries_field: "Tries again", "Повторов";
    retries_help:
        "After a failure that says nothing about the chat: 10 at most.",
        "После сбоя, который ничего не говорит о чате: не больше 10.";
    senders_help: "Those that are added stay.", "Добавленные остаются.";
    save: "Save", "Сохранить";
    not_saved: "Not saved", "Не сохранено";
}

sentences! {
    CampaignsWords;
    done_of(done: u64, all: u64): "{done} of {all} chats", "{done} из {all} чатов";
    cycle_of(cycle: u32, cycles: u32): "cycle {cycle} of {cycles}", "круг {cycle} из {cycles}";
    of_limit(count: u64, most: u64): "{count} of {most}", "{count} из {most}";
    seconds(count: u32; noun: ["second", "seconds"], ["секунда", "секунды", "секунд"]):
        "{count} {noun}", "{count} {noun}";
    limits(hour: u32, day: u32):
        "{hour} an hour, {day} a day for each account", "{hour} в час и {day} в сутки на аккаунт";
    hour_sent(from: &str, sent: u64): "{from}: {sent}", "{from}: {sent}";
    stop_question(name: &str): "Stop {name}?", "Остановить {name}?";
    remove_question(name: &str): "Remove {name}?", "Удалить {name}?";
    began_note(name: &str): "{name} runs.", "{name}: рассылка идёт.";
    paused_note(name: &str):
        "{name} is paused. What was begun is finished.", "{name}: пауза. Начатое завершится.";
    stopped_note(name: &str):
        "{name} is stopped. What was begun is finished.", "{name}: остановлена. Начатое завершится.";
    unblocked_note(name: &str): "Nothing of {name} is blocked.", "{name}: блокировки сняты.";
    unblocked_chat_note(chat: &str): "{chat} is not blocked.", "{chat}: блокировка снята.";
    removed_note(name: &str): "{name} is removed.", "{name}: рассылка удалена.";
    saved_note(name: &str): "{name} is saved.", "{name}: сохранено.";
    added_note(added: u64, known: u64):
        "Added: {added}. There already: {known}.", "Добавлено: {added}. Уже были: {known}.";
    unused_note(lines: u64; noun: ["line", "lines"], ["строка", "строки", "строк"]):
        "{lines} {noun} cannot be used.", "Не подходит: {lines} {noun}.";
    wrong_line(line: usize): "Line {line}", "Строка {line}";
    start_question(chats: u64; noun: ["chat", "chats"], ["чат", "чата", "чатов"]):
        "Write to {chats} {noun}", "Написать в {chats} {noun}";
}

impl CampaignsWords {
    /// How the latest run is, by the word of the API.
    pub(crate) fn pill(&self, run: Option<&CampaignRun>) -> Pill {
        let (tint, english, russian) = match run.map(|run| run.state.as_str()) {
            Some("running") => (Tint::Busy, "Runs", "Идёт"),
            Some("paused") => (Tint::Waiting, "Paused", "На паузе"),
            Some("done") => (Tint::Good, "Done", "Завершена"),
            Some(_) => (Tint::Idle, "Stopped", "Остановлена"),
            None => (Tint::Idle, "Not started", "Не запущена"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// Why a run is as it is.
    pub(crate) fn reason(&self, run: &CampaignRun) -> Option<&'static str> {
        let (english, russian) = match run.reason.as_deref()? {
            "by_hand" => ("by a person", "человеком"),
            "canary" => ("after the trial: look at what came of it", "после пробы: посмотрите на результат"),
            "no_sender" => ("no account may send any more", "больше ни один аккаунт не может отправлять"),
            "replaced" => ("a new run took its place", "вместо него начат новый запуск"),
            "restored" => ("after a restore from a backup", "после восстановления из резервной копии"),
            _ => return None,
        };
        Some(self.language.of(english, russian))
    }

    pub(crate) fn pill_of_sender(&self, sender: &CampaignSender) -> Pill {
        let (tint, english, russian) = match sender.state.as_str() {
            "active" => (Tint::Good, "May send", "Отправляет"),
            "logged_out" => (Tint::Bad, "Signed out", "Нужен вход"),
            _ => (Tint::Bad, "Blocked", "Заблокирован"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// How an attempt is, by the word of the API.
    pub(crate) fn pill_of_attempt(&self, state: &str) -> Pill {
        let (tint, english, russian) = match state {
            "claimed" => (Tint::Busy, "Under way", "В работе"),
            "sent" => (Tint::Good, "Sent", "Отправлено"),
            "failed" => (Tint::Bad, "Failed", "Не удалось"),
            "skipped" => (Tint::Idle, "Skipped", "Пропущено"),
            _ => (Tint::Waiting, "In doubt", "Под вопросом"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    pub(crate) fn pill_of_chat(&self, state: &str) -> Pill {
        let (tint, english, russian) = match state {
            "blocked" => (Tint::Bad, "Blocked", "Заблокирован"),
            _ => (Tint::Good, "Open", "Открыт"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// A part of the log, by its word in addresses.
    pub(crate) fn part(&self, word: &str) -> &'static str {
        match word {
            "sent" => self.language.of("Sent", "Отправлено"),
            "failed" => self.language.of("Failed", "Не удалось"),
            "failed_send" => self.language.of("Not sent", "Не отправлено"),
            "not_found" => self.language.of("Not found", "Не найдены"),
            "skipped" => self.language.of("Skipped", "Пропущено"),
            "unknown" => self.language.of("In doubt", "Под вопросом"),
            _ => self.language.of("All", "Все"),
        }
    }

    /// Why something was not sent, by the word of the API.
    pub(crate) fn why(&self, code: &str) -> String {
        let (english, russian) = match code {
            "chat_not_found" => ("no account finds the chat", "чат не найден ни одним аккаунтом"),
            "template" => ("a variable has no value", "нет значения переменной"),
            "do_not_contact" => ("on the do-not-contact list", "в списке «Не писать»"),
            "opt_out" => ("asked not to be written to", "попросил не писать"),
            "too_often" => ("had a campaign message lately", "недавно уже получил рассылку"),
            "duplicate" => ("the same chat under another name", "тот же чат под другим именем"),
            "cancelled" => ("cancelled", "отменено"),
            "no_message" => ("no message is in use", "нет включённых сообщений"),
            "flood_wait" => ("Telegram asked to wait", "Telegram потребовал подождать"),
            "limit_reached" => ("the limit of the account", "предел аккаунта"),
            "media_gone" => ("the file of the message is gone", "файла сообщения больше нет"),
            "no_rights" => {
                ("the chat takes no message from the account", "чат не принимает сообщения от аккаунта")
            }
            "banned" => ("the account is banned", "аккаунт заблокирован"),
            "restricted" => ("the account is restricted", "аккаунт ограничен"),
            "logged_out" => ("the account is signed out", "аккаунту нужен вход"),
            "unknown_account" => ("the account was removed", "аккаунт удалён"),
            "in_doubt" => ("it may have arrived", "возможно, дошло"),
            "restored" => ("it may have been sent before the restore", "возможно, ушло до восстановления"),
            "no_account" => ("no account could send", "отправить было некому"),
            "not_in_chat" => ("the account is not in the chat", "аккаунта нет в чате"),
            "frozen" => ("Telegram froze the account", "Telegram заморозил аккаунт"),
            "refused" => ("Telegram refuses what it sends", "Telegram не принимает сообщения"),
            "notice" => ("Telegram showed a warning", "Telegram показал предупреждение"),
            "proxy_sick" => ("its proxy is sick", "прокси неисправен"),
            "locked" => ("its window is locked with a passcode", "окно закрыто код-паролем"),
            "rejected" => ("Telegram refused it", "Telegram отклонил"),
            "blocked" => ("blocked", "заблокирован"),
            other => return super::translate(self.language, other).replace('_', " "),
        };
        self.language.of(english, russian).to_owned()
    }
}
