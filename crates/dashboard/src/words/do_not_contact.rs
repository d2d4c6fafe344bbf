//! The words of the do-not-contact list.

words! {
    DoNotContactWords;
    title: "Do not contact", "Не писать";
    lede:
        "No message and no invitation goes to these contacts, by any account or program. The list \
         cannot be switched off.",
        "Этим контактам не уходят ни сообщения, ни приглашения, кто бы их ни отправлял. Отключить список \
         нельзя.";
    find: "Find a contact", "Найти контакт";
    find_hint: "@name, phone, number or address", "@имя, телефон, номер или адрес";
    export: "Download as CSV", "Скачать в CSV";
    empty: "The list is empty", "Список пуст";
    empty_detail:
        "Add those who asked not to be written to.",
        "Добавьте тех, кто попросил им не писать.";
    contact: "Contact", "Контакт";
    contact_help:
        "A username, a link, a phone number, a Telegram id or an e-mail address.",
        "Имя @client, ссылка, телефон, номер в Telegram или адрес почты.";
    reason: "Reason", "Причина";
    reason_help: "In a few words; may be empty.", "В нескольких словах; можно не указывать.";
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
    wrong_lines(lines: &str):
        "Lines that are not added: {lines}.", "Не добавлены строки: {lines}.";
    removed(contact: &str):
        "{contact} can be written to again.", "{contact}: снова можно писать.";
}

impl DoNotContactWords {
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
