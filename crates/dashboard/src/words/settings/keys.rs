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
    admin: "admin", "admin";
    admin_help: "Everything: accounts, services, keys, people.", "Всё: аккаунты, сервисы, ключи, люди.";
    repeats: "Repeats", "Повторы";
    repeats_help:
        "For programs that send no Idempotency-Key: the same body within this time, such as 10m, is the \
         same message. Empty: each request is a new message.",
        "Для программ без Idempotency-Key: такой же запрос за это время, например 10m, считается тем же \
         сообщением. Пусто: каждый запрос — новое сообщение.";
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
    revoke_question(name: &str): "Revoke the key of {name}?", "Отозвать ключ {name}?";
    key_revoked(name: &str): "The key of {name} is revoked.", "Ключ {name} отозван.";
}
