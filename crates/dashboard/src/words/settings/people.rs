//! The words of people and their roles.

use access::Role;

use crate::view::Language;
use crate::words::number::{english, russian, thousands};

words! {
    PeopleWords;
    title: "People", "Люди";
    name: "Name", "Имя";
    name_help:
        "Letters, digits and . _ - @; capitals do not matter.",
        "Буквы, цифры и . _ - @; регистр не важен.";
    role: "Role", "Роль";
    second_factor: "Second factor", "Второй шаг";
    signed_in: "Signed in", "Последний вход";
    never: "never", "ни разу";
    yes: "on", "включён";
    no: "off", "выключен";
    you: "you", "вы";
    add: "Add", "Добавить";
    first_password: "First password", "Первый пароль";
    password_help:
        "8 characters or more. They can change it themselves.",
        "Не меньше 8 знаков. Человек сможет сменить его сам.";
    change_role: "Change the role", "Сменить роль";
    new_password: "New password", "Новый пароль";
    new_password_help:
        "For someone who forgot theirs. All their sessions end.",
        "Для того, кто забыл свой. Все его сеансы завершатся.";
    set_password: "Set the password", "Задать пароль";
    reset_factor: "Turn off the second factor", "Выключить второй шаг";
    reset_factor_help:
        "For someone who lost the phone and the recovery codes. After that the password is enough.",
        "Для того, кто потерял и телефон, и запасные коды. Тогда достаточно пароля.";
    end_sessions: "End all sessions", "Завершить все сеансы";
    sessions: "Sessions", "Сеансы";
    no_sessions: "Not signed in anywhere.", "Открытых сеансов нет.";
    browser: "Browser", "Браузер";
    address: "Address", "Адрес";
    last_used: "Last used", "Последний раз";
    remove: "Remove", "Удалить";
    remove_follows:
        "Their sessions end at once. What they did stays in the audit log.",
        "Сеансы сразу завершатся. Сделанное останется в журнале действий.";
    cancel: "Cancel", "Отмена";
    added_at: "Added", "Добавлен";
    back: "All people", "Все люди";
}

impl PeopleWords {
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
