//! The words of the do-not-contact list.

words! {
    DoNotContactWords;
    title: "Do not contact", "Не писать";
    lede:
        "These contacts get no campaigns and no invitations, by any account or program. Some get no \
         messages at all. The list cannot be switched off.",
        "Этим контактам не уходят рассылки и приглашения, кто бы их ни отправлял. Некоторым нельзя писать \
         совсем. Отключить список нельзя.";
    find: "Find a contact", "Найти контакт";
    find_hint: "@name, phone, number or address", "@имя, телефон, номер или адрес";
    export: "Download as CSV", "Скачать в CSV";
    empty: "The list is empty", "Список пуст";
    empty_detail:
        "Add those who asked not to be written to.",
        "Добавьте тех, кто попросил им не писать.";
    contact: "Contact", "Контакт";
    contact_help:
        "A username, a link, a phone number, a Telegram id, an e-mail address or a chat such as vk:ACCOUNT/ID.",
        "Имя @client, ссылка, телефон, номер в Telegram, адрес почты или чат: vk:АККАУНТ/НОМЕР.";
    reason: "Reason", "Причина";
    reason_help: "In a few words; may be empty.", "В нескольких словах; можно не указывать.";
    level: "Refused", "Запрещено";
    no_advertising: "Refuse campaigns", "Запретить рассылки";
    may_write: "Allow messages", "Разрешить писать";
    decided: "The decision is saved.", "Решение сохранено.";
    added_at: "Added", "Добавлен";
    source: "Source", "Источник";
    add: "Add a contact", "Добавить контакт";
    remove: "Remove", "Убрать";
    import: "Import", "Импортировать";
    list: "List", "Список";
    list_help:
        "One contact a line, or CSV with a column contact, phone or email. A long file goes in with switchboard \
         do-not-contact import.",
        "По контакту в строке или CSV со столбцом contact, phone или email. Большой файл загружает команда switchboard \
         do-not-contact import.";
}

sentences! {
    DoNotContactWords;
    added(added: u64, already: u64):
        "Added: {added}. On the list already: {already}.", "Добавлено: {added}. Уже в списке: {already}.";
    now_listed(contacts: &str):
        "On the list now: {contacts}.", "Теперь в списке: {contacts}.";
    wrong_line(line: usize, why: &str): "line {line}: {why}", "строка {line}: {why}";
    wrong_lines(lines: &str):
        "Not added: {lines}.", "Не добавлено: {lines}.";
    removed(contact: &str):
        "{contact} can be written to again.", "{contact}: снова можно писать.";
}

impl DoNotContactWords {
    /// What an entry refuses, as the API names it.
    pub(crate) fn refuses(&self, level: &str) -> &'static str {
        match level {
            "paused" => {
                self.language.of("campaigns, until a person decides", "рассылки, пока не решит сотрудник")
            }
            "advertising" => self.language.of("campaigns and first messages", "рассылки и первые сообщения"),
            _ => self.language.of("all messages", "любые сообщения"),
        }
    }

    /// Where an entry comes from, as the API names it.
    pub(crate) fn from(&self, source: &str) -> &'static str {
        match source {
            "page" => self.language.of("this page", "эта страница"),
            "cli" => self.language.of("command line", "командная строка"),
            "import" => self.language.of("import", "импорт"),
            "opt_out" => self.language.of("asked not to be written to", "попросил не писать"),
            _ => self.language.of("API", "API"),
        }
    }
}
