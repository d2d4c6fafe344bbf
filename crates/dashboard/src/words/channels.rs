//! The words of the pages about channels.

use config::ChannelKind;

use crate::view::{Pill, Tint};

words! {
    ChannelsWords;
    channels: "Channels", "Каналы";
    lede:
        "Where customers write besides Telegram accounts: Avito, WhatsApp, VK, MAX, Instagram, bots, SMS, email and forms.",
        "Где клиенты пишут помимо аккаунтов Telegram: Авито, WhatsApp, ВКонтакте, MAX, Instagram, боты, SMS, почта и формы.";
    none: "No channels yet", "Каналов пока нет";
    none_detail:
        "An account of a channel is a section of the settings file, for example:",
        "Аккаунт канала — это раздел файла настроек, например:";
    reference: "The API that sends through it", "API для отправки через него";
    account: "Account", "Аккаунт";
    state: "State", "Состояние";
    receives_by: "Receives", "Приём";
    last_in: "Last received", "Последнее входящее";
    last_out: "Last sent", "Последнее исходящее";
    never: "not yet", "ещё не было";
    check: "Check", "Проверить";
    latest: "What came in", "Входящие";
    no_messages: "Nothing came in yet", "Входящих пока нет";
    no_messages_detail:
        "What customers write appears here as soon as it is kept.",
        "Сообщения клиентов появятся здесь сразу, как только будут сохранены.";
    client: "Client", "Клиент";
    text: "Text", "Текст";
    by_owner: "from the provider's app", "из приложения";
    without_text: "without text", "без текста";
    send: "Send a message", "Отправить сообщение";
    send_lede: "For a test or an answer; it goes through the outbox as any other.",
        "Для проверки или ответа; идёт через ту же очередь, что и остальные.";
    to_chat: "Chat", "Чат";
    to_chat_help: "As the provider names it; take it from the list above.", "Как его называет сервис; возьмите из списка выше.";
    about: "About the account", "Об аккаунте";
    at_provider: "At the provider", "В сервисе";
    missing: "Missing", "Не хватает";
    token_until: "Token until", "Токен до";
    longest_text: "Longest text", "Длина текста";
    files: "Files", "Файлы";
    nothing: "none", "нет";
    doubles: "Against doubles", "От повторов";
    webhook: "Webhook", "Вебхук";
    registered: "The provider posts here.", "Сервис присылает сообщения сюда.";
    not_registered: "Nothing is registered at the provider.", "В сервисе ничего не зарегистрировано.";
    registered_elsewhere:
        "Another program is registered at the provider. It would hear nothing more.",
        "В сервисе зарегистрирована другая программа. После замены она ничего не получит.";
    register_by_hand:
        "The provider has no call for this: enter the address in its pages.",
        "Этот сервис не умеет регистрировать адрес по запросу: впишите его в настройках сервиса.";
    take_over: "Replace the other program", "Заменить другую программу";
    connect: "Connect", "Подключить";
    register_again: "Register again", "Зарегистрировать заново";
    disconnect: "Disconnect", "Отключить";
    renew: "Renew the token", "Обновить токен";
    waiting: "Messages that wait", "Сообщений в очереди";
    errors_hour: "Errors in an hour", "Ошибок за час";
    errors_day: "Errors in a day", "Ошибок за сутки";
    last_error: "Last error", "Последняя ошибка";
    posts_wait: "Posts that wait there", "Ждёт отправки в сервисе";
    posts_to: "Webhook", "Вебхук";
    pause: "Pause", "Приостановить";
    resume: "Resume", "Возобновить";
    is_paused: "Paused: nothing is sent, messages wait; what comes in is received.",
        "Приостановлен: ничего не отправляется, сообщения ждут; входящие принимаются.";
    starts_later: "It is in the settings; the server takes it up at its next start.",
        "Аккаунт записан в настройки; сервер подхватит его при следующем запуске.";
    is_removed: "It is in the settings no more; the server lets it go at its next start.",
        "Аккаунт убран из настроек; сервер отпустит его при следующем запуске.";
    log: "Log of the account", "Журнал аккаунта";
    setup_page: "Set up", "Настройка";
    setup_lede: "What is to be done at the provider, and a message for a test.",
        "Что сделать в сервисе, и проверочное сообщение.";
    steps: "Steps", "Шаги";
    verify_token: "The word of verify_token", "Слово для verify_token";
    last_post: "Last genuine post of the provider", "Последний подлинный запрос от сервиса";
    no_post_yet: "No genuine post of the provider is known yet.", "Подлинных запросов от сервиса пока не отмечено.";
    nothing_missing: "The provider names nothing that is missing.", "Сервис не сообщает, чтобы чего-то не хватало.";
    not_checked: "It was not found well yet: press Check.", "Аккаунт ещё не прошёл проверку: нажмите «Проверить».";
    test: "Send me a test message", "Отправить мне проверочное сообщение";
    test_lede:
        "To a chat of yours: write to the account first, then its chat is in the list of what came in. It goes through the outbox as any other.",
        "В ваш чат: сначала напишите аккаунту, тогда чат появится во входящих. Идёт через ту же очередь, что и остальные.";
    test_text: "This is a test message from Switchboard.", "Это проверочное сообщение от Switchboard.";
    no_public_url:
        "There is no address yet: set public_url, the address of this program on the internet.",
        "Адреса пока нет: укажите в настройках public_url — адрес этой программы в интернете.";
}

sentences! {
    ChannelsWords;
    checked(name: &str): "{name} is checked.", "{name}: проверка выполнена.";
    connected(name: &str): "{name} is connected.", "{name} подключён.";
    connected_in_part(name: &str):
        "{name}: what the provider has calls for is done; the address is still to be entered in its pages.",
        "{name}: сделано всё, на что у сервиса есть запросы; адрес осталось вписать в его настройках.";
    disconnected(name: &str): "{name} is disconnected.", "{name} отключён.";
    paused(name: &str): "{name} is paused; its messages wait.", "{name} приостановлен; его сообщения ждут.";
    resumed(name: &str): "{name} sends again.", "{name} снова отправляет.";
    renewed(name: &str): "{name} has a new token.", "{name}: токен обновлён.";
}

impl ChannelsWords {
    /// What became of a message that was sent from the page.
    pub(crate) fn sent(&self, state: &str) -> String {
        let (english, russian) = match state {
            "sent" | "delivered" | "read" => ("Sent.", "Отправлено."),
            "in_doubt" => ("It is not known whether it arrived.", "Неизвестно, дошло ли сообщение."),
            _ => ("Accepted; it leaves in its turn.", "Принято; уйдёт в свою очередь."),
        };
        self.language.of(english, russian).to_owned()
    }

    pub(crate) fn pill(&self, state: &str) -> Pill {
        let (tint, english, russian) = match state {
            "ready" => (Tint::Good, "Ready", "Работает"),
            "paused" => (Tint::Waiting, "Paused", "Приостановлен"),
            "held" => (Tint::Waiting, "Held", "Ждёт"),
            "starting" => (Tint::Busy, "Starting", "Запускается"),
            "after_restart" => (Tint::Waiting, "After a restart", "После перезапуска"),
            "stopped" => (Tint::Bad, "Stopped", "Остановлен"),
            "not_receiving" => (Tint::Bad, "Receives nothing", "Не получает сообщения"),
            _ => (Tint::Bad, "In trouble", "Неполадка"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// A channel as people call it.
    pub(crate) fn title(&self, channel: &str) -> &'static str {
        let [english, russian] = match channel.parse::<ChannelKind>() {
            Ok(kind) => kind.title(),
            Err(_) if channel == "telegram_account" => ["Telegram", "Telegram"],
            Err(_) => ["Channel", "Канал"],
        };
        self.language.of(english, russian)
    }

    pub(crate) fn reception(&self, receives_by: &str) -> &'static str {
        let (english, russian) = match receives_by {
            "webhook" => ("the provider posts", "присылает сервис"),
            "poll" => ("the provider is asked", "опрос сервиса"),
            "nothing" => ("off", "выключен"),
            _ => ("starting", "запускается"),
        };
        self.language.of(english, russian)
    }

    pub(crate) fn unit(&self, unit: &str) -> &'static str {
        let (english, russian) =
            if unit == "bytes" { ("bytes", "байт") } else { ("characters", "символов") };
        self.language.of(english, russian)
    }

    pub(crate) fn dedup(&self, dedup: &str) -> &'static str {
        let (english, russian) = match dedup {
            "key" => ("a key: repeating is safe", "ключ: повторять безопасно"),
            "read_back" => ("sent messages can be read back", "отправленное можно прочитать"),
            _ => ("nothing: unclear sends wait for a person", "нет: неясные отправки решает человек"),
        };
        self.language.of(english, russian)
    }

    pub(crate) fn file(&self, kind: &str) -> &'static str {
        let (english, russian) = match kind {
            "image" | "photo" => ("picture", "картинка"),
            "voice" => ("voice", "голосовое"),
            "audio" => ("audio", "аудио"),
            "video" => ("video", "видео"),
            "document" => ("file", "файл"),
            "sticker" => ("sticker", "стикер"),
            _ => ("attachment", "вложение"),
        };
        self.language.of(english, russian)
    }

    /// Where the provider posts to.
    pub(crate) fn posts(&self, state: &str) -> &'static str {
        let (english, russian) = match state {
            "here" => ("posts here", "присылает сюда"),
            "elsewhere" => ("posts to another program", "присылает другой программе"),
            "lapsed" => ("no longer registered", "регистрация пропала"),
            _ => ("not registered", "не зарегистрирован"),
        };
        self.language.of(english, russian)
    }

    /// A step at the provider.
    pub(crate) fn step(&self, step: [&'static str; 2]) -> &'static str {
        self.language.of(step[0], step[1])
    }
}
