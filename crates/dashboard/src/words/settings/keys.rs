//! The words of API keys.

use crate::visitor::Language;
use crate::words::number::{english, russian, thousands};

/// The words of API keys.
pub(crate) struct KeysWords {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_help: &'static str,
    pub(crate) name: &'static str,
    pub(crate) name_help: &'static str,
    pub(crate) may: &'static str,
    pub(crate) made_at: &'static str,
    pub(crate) state: &'static str,
    pub(crate) works: &'static str,
    pub(crate) revoked: &'static str,
    pub(crate) revoke: &'static str,
    pub(crate) revoke_follows: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) make: &'static str,
    pub(crate) send: &'static str,
    pub(crate) send_help: &'static str,
    pub(crate) read: &'static str,
    pub(crate) read_help: &'static str,
    pub(crate) admin: &'static str,
    pub(crate) admin_help: &'static str,
    pub(crate) repeats: &'static str,
    pub(crate) repeats_help: &'static str,
    pub(crate) made: &'static str,
    pub(crate) made_help: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) kept: &'static str,
    pub(crate) no_scope: &'static str,
}

const EN: KeysWords = KeysWords {
    language: Language::English,
    title: "API keys",
    none: "No key yet",
    none_help: "Programs call the API with a key. Make one for each, so that each can be revoked on its own.",
    name: "Name",
    name_help: "The program that uses it, such as n8n.",
    may: "May",
    made_at: "Made",
    state: "State",
    works: "works",
    revoked: "revoked",
    revoke: "Revoke",
    revoke_follows: "Programs that use it get 401 from then on. This cannot be undone.",
    cancel: "Cancel",
    make: "Make a key",
    send: "send",
    send_help: "Send and change messages and chats.",
    read: "read",
    read_help: "Look at everything.",
    admin: "admin",
    admin_help: "Everything: accounts, services, keys, people.",
    repeats: "Repeats",
    repeats_help: "For programs that send no Idempotency-Key: the same body within this time, such as 10m, is the same message. Empty: each request is a new message.",
    made: "The key is made",
    made_help: "It is shown only now. Save it where the calling program keeps its secrets.",
    copy: "Copy",
    copied: "Copied",
    kept: "I have saved it",
    no_scope: "Choose what the key may do: tick one or more.",
};

const RU: KeysWords = KeysWords {
    language: Language::Russian,
    title: "Ключи API",
    none: "Ключей пока нет",
    none_help: "Программы обращаются к API с ключом. Сделайте каждой свой, чтобы каждый можно было отозвать отдельно.",
    name: "Название",
    name_help: "Какая программа им пользуется, например n8n.",
    may: "Можно",
    made_at: "Создан",
    state: "Состояние",
    works: "действует",
    revoked: "отозван",
    revoke: "Отозвать",
    revoke_follows: "Программы с этим ключом будут получать 401. Отменить нельзя.",
    cancel: "Отмена",
    make: "Создать ключ",
    send: "send",
    send_help: "Отправлять и менять сообщения и чаты.",
    read: "read",
    read_help: "Смотреть всё.",
    admin: "admin",
    admin_help: "Всё: аккаунты, службы, ключи, люди.",
    repeats: "Повторы",
    repeats_help: "Для программ без Idempotency-Key: такой же запрос за это время, например 10m, считается тем же сообщением. Пусто: каждый запрос — новое сообщение.",
    made: "Ключ создан",
    made_help: "Он виден только сейчас. Сохраните его там, где вызывающая программа держит секреты.",
    copy: "Скопировать",
    copied: "Скопировано",
    kept: "Ключ сохранён",
    no_scope: "Выберите, что можно ключу: отметьте одно или несколько.",
};

impl KeysWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// How many work.
    pub(crate) fn verdict(&self, work: u64) -> String {
        let number = thousands(work);
        match self.language {
            Language::English => format!("{number} {}.", english(work, "key works", "keys work")),
            Language::Russian => {
                format!(
                    "{number} {}.",
                    russian(work, "ключ действует", "ключа действуют", "ключей действуют")
                )
            }
        }
    }

    /// How long the same body is the same message.
    pub(crate) fn repeats_within(&self, within: &str) -> String {
        match self.language {
            Language::English => format!("same body within {within} is one message"),
            Language::Russian => format!("такой же запрос за {within} — одно сообщение"),
        }
    }

    pub(crate) fn revoke_question(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("Revoke the key of {name}?"),
            Language::Russian => format!("Отозвать ключ {name}?"),
        }
    }

    pub(crate) fn key_revoked(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("The key of {name} is revoked."),
            Language::Russian => format!("Ключ {name} отозван."),
        }
    }
}
