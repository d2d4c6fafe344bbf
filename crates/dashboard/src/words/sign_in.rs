//! The words of the door.

use std::time::Duration;

use access::SignInError;

use super::number::span;
use crate::view::Language;

words! {
    SignInWords;
    title: "Sign in", "Вход";
    name: "Name", "Имя";
    password: "Password", "Пароль";
    enter: "Sign in", "Войти";
    code_title: "One more step", "Ещё один шаг";
    code_help:
        "Open the authenticator app on your phone and type the six digits it shows for Switchboard.",
        "Откройте приложение с кодами на телефоне и введите шесть цифр для Switchboard.";
    code: "Code", "Код";
    check: "Check the code", "Проверить код";
    lost: "No phone at hand?", "Телефона нет под рукой?";
    recovery_code: "Recovery code", "Запасной код";
    recovery_help:
        "One of the codes that were shown when the second factor was turned on. Each works once.",
        "Один из кодов, показанных при включении второго шага. Каждый действует один раз.";
    again: "Start again with the password", "Начать снова с пароля";
    forgotten: "Forgot your password?", "Забыли пароль?";
    forgotten_help:
        "An admin can set a new one under Settings, People; or on the server itself:",
        "Администратор может задать новый: Настройки, Люди; или на самом сервере:";
    other_language: "Русский", "English";
    session_ended:
        "Your session has ended, and what you sent was not done. Sign in and repeat it.",
        "Сеанс завершён, и отправленное не выполнено. Войдите и повторите.";
    signed_out: "You have signed out.", "Вы вышли.";
    wrong: "The name or the password is wrong.", "Имя или пароль неверны.";
    wrong_code:
        "The code is wrong or was used before. Wait for the next one.",
        "Код неверен или уже использован. Дождитесь следующего.";
    ticket_over:
        "That took too long or too many tries. Start again with the password.",
        "Прошло слишком много времени или попыток. Начните снова с пароля.";
    busy:
        "Too many people are signing in at once. Try again in a few seconds.",
        "Слишком много входов сразу. Повторите через несколько секунд.";
    failed:
        "Signing in does not work right now; the log says why.",
        "Войти сейчас нельзя; причина в журнале программы.";
}

impl SignInWords {
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
