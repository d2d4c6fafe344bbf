//! The words of people and their roles.

use access::Role;

use crate::view::Language;

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

sentences! {
    PeopleWords;
    verdict(people: u64; noun: ["person", "people"], ["человек может", "человека могут", "человек могут"]):
        "{people} {noun} may sign in.", "{people} {noun} войти.";
    remove_question(name: &str): "Remove {name}?", "Удалить {name}?";
    added(name: &str): "{name} may sign in now.", "{name} теперь может войти.";
    password_set(name: &str):
        "{name} has a new password; their sessions have ended.", "У {name} новый пароль; сеансы завершены.";
    factor_reset(name: &str): "{name} signs in with the password alone.", "{name} входит только с паролем.";
    sessions_ended(name: &str):
        "{name} has to sign in again everywhere.", "{name}: везде придётся войти заново.";
    removed(name: &str): "{name} is removed.", "{name}: доступ удалён.";
}

impl PeopleWords {
    pub(crate) fn role_name(&self, role: Role) -> &'static str {
        super::role(self.language, role)
    }

    pub(crate) fn may(&self, role: Role) -> &'static str {
        super::may(self.language, role)
    }

    pub(crate) fn role_changed(&self, name: &str, role: Role) -> String {
        let role = super::role(self.language, role);
        match self.language {
            Language::English => format!("{name} is {role} now."),
            Language::Russian => format!("{name} теперь {role}."),
        }
    }
}
