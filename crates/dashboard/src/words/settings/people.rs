//! The words of people and their roles.

use access::Role;

use crate::visitor::Language;
use crate::words::number::{english, russian, thousands};

/// The words of people and their roles.
pub(crate) struct PeopleWords {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) name: &'static str,
    pub(crate) name_help: &'static str,
    pub(crate) role: &'static str,
    pub(crate) second_factor: &'static str,
    pub(crate) signed_in: &'static str,
    pub(crate) never: &'static str,
    pub(crate) yes: &'static str,
    pub(crate) no: &'static str,
    pub(crate) you: &'static str,
    pub(crate) add: &'static str,
    pub(crate) first_password: &'static str,
    pub(crate) password_help: &'static str,
    pub(crate) change_role: &'static str,
    pub(crate) new_password: &'static str,
    pub(crate) new_password_help: &'static str,
    pub(crate) set_password: &'static str,
    pub(crate) reset_factor: &'static str,
    pub(crate) reset_factor_help: &'static str,
    pub(crate) end_sessions: &'static str,
    pub(crate) sessions: &'static str,
    pub(crate) no_sessions: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) address: &'static str,
    pub(crate) last_used: &'static str,
    pub(crate) remove: &'static str,
    pub(crate) remove_follows: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) added_at: &'static str,
    pub(crate) back: &'static str,
}

const EN: PeopleWords = PeopleWords {
    language: Language::English,
    title: "People",
    name: "Name",
    name_help: "Letters, digits and . _ - @; capitals do not matter.",
    role: "Role",
    second_factor: "Second factor",
    signed_in: "Signed in",
    never: "never",
    yes: "on",
    no: "off",
    you: "you",
    add: "Add",
    first_password: "First password",
    password_help: "8 characters or more. They can change it themselves.",
    change_role: "Change the role",
    new_password: "New password",
    new_password_help: "For someone who forgot theirs. All their sessions end.",
    set_password: "Set the password",
    reset_factor: "Turn off the second factor",
    reset_factor_help: "For someone who lost the phone and the recovery codes. After that the password is enough.",
    end_sessions: "End all sessions",
    sessions: "Sessions",
    no_sessions: "Not signed in anywhere.",
    browser: "Browser",
    address: "Address",
    last_used: "Last used",
    remove: "Remove",
    remove_follows: "Their sessions end at once. What they did stays in the audit log.",
    cancel: "Cancel",
    added_at: "Added",
    back: "All people",
};

const RU: PeopleWords = PeopleWords {
    language: Language::Russian,
    title: "Люди",
    name: "Имя",
    name_help: "Буквы, цифры и . _ - @; регистр не важен.",
    role: "Роль",
    second_factor: "Второй шаг",
    signed_in: "Последний вход",
    never: "ни разу",
    yes: "включён",
    no: "выключен",
    you: "вы",
    add: "Добавить",
    first_password: "Первый пароль",
    password_help: "Не меньше 8 знаков. Человек сможет сменить его сам.",
    change_role: "Сменить роль",
    new_password: "Новый пароль",
    new_password_help: "Для того, кто забыл свой. Все его сеансы завершатся.",
    set_password: "Задать пароль",
    reset_factor: "Выключить второй шаг",
    reset_factor_help: "Для того, кто потерял и телефон, и запасные коды. Тогда достаточно пароля.",
    end_sessions: "Завершить все сеансы",
    sessions: "Сеансы",
    no_sessions: "Открытых сеансов нет.",
    browser: "Браузер",
    address: "Адрес",
    last_used: "Последний раз",
    remove: "Удалить",
    remove_follows: "Сеансы сразу завершатся. Сделанное останется в журнале действий.",
    cancel: "Отмена",
    added_at: "Добавлен",
    back: "Все люди",
};

impl PeopleWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    pub(crate) fn role_name(&self, role: Role) -> &'static str {
        super::role(self.language, role)
    }

    pub(crate) fn may(&self, role: Role) -> &'static str {
        super::may(self.language, role)
    }

    /// How many there are.
    pub(crate) fn verdict(&self, people: u64) -> String {
        let number = thousands(people);
        match self.language {
            Language::English => format!("{number} {} may sign in.", english(people, "person", "people")),
            Language::Russian => {
                format!(
                    "{number} {} войти.",
                    russian(people, "человек может", "человека могут", "человек могут")
                )
            }
        }
    }

    pub(crate) fn remove_question(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("Remove {name}?"),
            Language::Russian => format!("Удалить {name}?"),
        }
    }

    pub(crate) fn added(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} may sign in now."),
            Language::Russian => format!("{name} теперь может войти."),
        }
    }

    pub(crate) fn role_changed(&self, name: &str, role: Role) -> String {
        let role = super::role(self.language, role);
        match self.language {
            Language::English => format!("{name} is {role} now."),
            Language::Russian => format!("{name} теперь {role}."),
        }
    }

    pub(crate) fn password_set(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} has a new password; their sessions have ended."),
            Language::Russian => format!("У {name} новый пароль; сеансы завершены."),
        }
    }

    pub(crate) fn factor_reset(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} signs in with the password alone."),
            Language::Russian => format!("{name} входит только с паролем."),
        }
    }

    pub(crate) fn sessions_ended(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} has to sign in again everywhere."),
            Language::Russian => format!("{name}: везде придётся войти заново."),
        }
    }

    pub(crate) fn removed(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} is removed."),
            Language::Russian => format!("{name}: доступ удалён."),
        }
    }
}
