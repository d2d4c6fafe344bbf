//! The words of the door.

use std::time::Duration;

use access::SignInError;

use super::number::span;
use crate::visitor::Language;

/// The words of the door.
pub(crate) struct SignInWords {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) enter: &'static str,
    pub(crate) code_title: &'static str,
    pub(crate) code_help: &'static str,
    pub(crate) code: &'static str,
    pub(crate) check: &'static str,
    pub(crate) lost: &'static str,
    pub(crate) recovery_code: &'static str,
    pub(crate) recovery_help: &'static str,
    pub(crate) again: &'static str,
    pub(crate) forgotten: &'static str,
    pub(crate) forgotten_help: &'static str,
    pub(crate) other_language: &'static str,
    pub(crate) session_ended: &'static str,
    pub(crate) signed_out: &'static str,
    wrong: &'static str,
    wrong_code: &'static str,
    ticket_over: &'static str,
    busy: &'static str,
    failed: &'static str,
}

const EN: SignInWords = SignInWords {
    language: Language::English,
    title: "Sign in",
    name: "Name",
    password: "Password",
    enter: "Sign in",
    code_title: "One more step",
    code_help: "Open the authenticator app on your phone and type the six digits it shows for Switchboard.",
    code: "Code",
    check: "Check the code",
    lost: "No phone at hand?",
    recovery_code: "Recovery code",
    recovery_help: "One of the codes that were shown when the second factor was turned on. Each works once.",
    again: "Start again with the password",
    forgotten: "Forgot your password?",
    forgotten_help: "An admin can set a new one under Settings, People; or on the server itself:",
    other_language: "Русский",
    session_ended: "Your session has ended, and what you sent was not done. Sign in and repeat it.",
    signed_out: "You have signed out.",
    wrong: "The name or the password is wrong.",
    wrong_code: "The code is wrong or was used before. Wait for the next one.",
    ticket_over: "That took too long or too many tries. Start again with the password.",
    busy: "Too many people are signing in at once. Try again in a few seconds.",
    failed: "Signing in does not work right now; the log says why.",
};

const RU: SignInWords = SignInWords {
    language: Language::Russian,
    title: "Вход",
    name: "Имя",
    password: "Пароль",
    enter: "Войти",
    code_title: "Ещё один шаг",
    code_help: "Откройте приложение с кодами на телефоне и введите шесть цифр для Switchboard.",
    code: "Код",
    check: "Проверить код",
    lost: "Телефона нет под рукой?",
    recovery_code: "Запасной код",
    recovery_help: "Один из кодов, показанных при включении второго шага. Каждый действует один раз.",
    again: "Начать снова с пароля",
    forgotten: "Забыли пароль?",
    forgotten_help: "Администратор может задать новый: Настройки, Люди; или на самом сервере:",
    other_language: "English",
    session_ended: "Сеанс завершён, и отправленное не выполнено. Войдите и повторите.",
    signed_out: "Вы вышли.",
    wrong: "Имя или пароль неверны.",
    wrong_code: "Код неверен или уже использован. Дождитесь следующего.",
    ticket_over: "Прошло слишком много времени или попыток. Начните снова с пароля.",
    busy: "Слишком много входов сразу. Повторите через несколько секунд.",
    failed: "Войти сейчас нельзя; причина в журнале программы.",
};

impl SignInWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// What is wrong, and what to do.
    pub(crate) fn wrong(&self, error: &SignInError) -> String {
        match error {
            SignInError::Wrong => self.wrong.to_owned(),
            SignInError::WrongCode => self.wrong_code.to_owned(),
            SignInError::TicketOver => self.ticket_over.to_owned(),
            SignInError::Wait(wait) => self.wait(*wait),
            SignInError::Busy => self.busy.to_owned(),
            SignInError::Failed(_) | SignInError::Store(_) => self.failed.to_owned(),
        }
    }

    fn wait(&self, wait: Duration) -> String {
        let wait = span(self.language, Duration::from_secs(wait.as_secs() + 1));
        match self.language {
            Language::English => {
                format!("Too many wrong passwords or codes came from here. Try again in {wait}.")
            }
            Language::Russian => {
                format!("Отсюда пришло слишком много неверных паролей или кодов. Повторите через {wait}.")
            }
        }
    }
}
