//! The words of API keys.

words! {
    KeysWords;
    title: "API keys", "Ключи API";
    none: "No key yet", "Ключей пока нет";
    none_help:
        "Programs call the API with a key. Make one for each, so that each can be revoked on its own.",
        "Программы обращаются к API с ключом. Сделайте каждой свой, чтобы каждый можно было отозвать \
         отдельно.";
    name: "Name", "Название";
    name_help: "The program that uses it, such as n8n.", "Какая программа им пользуется, например n8n.";
    may: "May", "Можно";
    made_at: "Made", "Создан";
    state: "State", "Состояние";
    works: "works", "действует";
    revoked: "revoked", "отозван";
    revoke: "Revoke", "Отозвать";
    revoke_follows:
        "Programs that use it get 401 from then on. This cannot be undone.",
        "Программы с этим ключом будут получать 401. Отменить нельзя.";
    cancel: "Cancel", "Отмена";
    make: "Make a key", "Создать ключ";
    send: "send", "send";
    send_help: "Send and change messages and chats.", "Отправлять и менять сообщения и чаты.";
    read: "read", "read";
    read_help: "Look at everything.", "Смотреть всё.";
    operate: "operate", "operate";
    operate_help:
        "Keep it running: cancel, pause, resume and restart. With send also start campaigns and flows.",
        "Поддерживать работу: отменять, приостанавливать, возобновлять, перезапускать. Вместе с send — запускать рассылки \
         и сценарии.";
    personal: "personal", "personal";
    personal_help:
        "Change, merge, erase and import clients. With read also export them.",
        "Изменять, объединять, удалять и импортировать клиентов. Вместе с read — выгружать их данные.";
    admin: "admin", "admin";
    admin_help: "Everything: accounts, services, keys, people.", "Всё: аккаунты, сервисы, ключи, люди.";
    repeats: "Repeats", "Повторы";
    repeats_help:
        "For programs that send no Idempotency-Key: the same body within this time, such as 10m, is the \
         same message. Empty: each request is a new message.",
        "Для программ без Idempotency-Key: такой же запрос за это время, например 10m, считается тем же \
         сообщением. Пусто: каждый запрос — новое сообщение.";
    limits: "Limits", "Ограничения";
    accounts: "Accounts", "Аккаунты";
    accounts_help:
        "Names with commas between, such as main, backup_1. Empty: all of them.",
        "Имена через запятую, например main, backup_1. Пусто: все.";
    chats: "Chats", "Чаты";
    chats_help:
        "As programs name them, with commas between: -1001234567890, @demo_channel. Empty: all of them.",
        "Как их называют программы, через запятую: -1001234567890, @demo_channel. Пусто: все.";
    channels: "Channels", "Каналы связи";
    channels_help: "telegram, or one beside it. Empty: all of them.", "telegram или другой. Пусто: все.";
    expires: "Ends", "Заканчивается";
    expires_in: "Ends in", "Закончится через";
    expires_in_help:
        "A length of time such as 90d. Empty: it works until it is revoked.",
        "Срок, например 90d. Пусто: действует, пока не отозван.";
    new_end_help:
        "A length of time from now, such as 90d; never takes the end away. Empty: it stays.",
        "Срок с этого момента, например 90d; never убирает конец. Пусто: не меняется.";
    rate: "Requests", "Запросы";
    rate_help:
        "How many in a second, a minute or an hour: 10/s, 600/m, 5000/h. Empty: as the settings say.",
        "Сколько в секунду, минуту или час: 10/s, 600/m, 5000/h. Пусто: как в настройках.";
    burst: "At once", "Сразу";
    burst_help:
        "How many of them at once. Empty: those of one period.",
        "Сколько из них сразу. Пусто: сколько за один период.";
    used: "Used last", "Последнее обращение";
    never_used: "never", "не было";
    ends_soon: "ends soon", "скоро закончится";
    expired: "expired", "истёк";
    change: "Change", "Изменить";
    made: "The key is made", "Ключ создан";
    made_help:
        "It is shown only now. Save it where the calling program keeps its secrets.",
        "Он виден только сейчас. Сохраните его там, где вызывающая программа держит секреты.";
    copy: "Copy", "Скопировать";
    copied: "Copied", "Скопировано";
    kept: "I have saved it", "Ключ сохранён";
    no_scope:
        "Choose what the key may do: tick one or more.",
        "Выберите, что можно ключу: отметьте одно или несколько.";
}

sentences! {
    KeysWords;
    verdict(work: u64;
        noun: ["key works", "keys work"], ["ключ действует", "ключа действуют", "ключей действуют"]):
        "{work} {noun}.", "{work} {noun}.";
    repeats_within(within: &str):
        "same body within {within} is one message", "такой же запрос за {within} — одно сообщение";
    change_question(name: &str): "Change the key of {name}", "Изменить ключ {name}";
    key_changed(name: &str): "The key of {name} is changed.", "Ключ {name} изменён.";
    at_once(burst: &str): "{burst} at once", "сразу {burst}";
    from(address: &str): "from {address}", "с {address}";
    revoke_question(name: &str): "Revoke the key of {name}?", "Отозвать ключ {name}?";
    key_revoked(name: &str): "The key of {name} is revoked.", "Ключ {name} отозван.";
}
