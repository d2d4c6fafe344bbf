//! The words of one's own settings.

use std::time::Duration;

use access::{ChangeError, Role, UnfitPassword};

use crate::visitor::{Language, Theme};
use crate::words::number::{countdown, english, russian, thousands};

/// The words of one's own settings.
pub(crate) struct MeWords {
    language_of: Language,
    pub(crate) title: &'static str,
    pub(crate) password: &'static str,
    pub(crate) present_password: &'static str,
    pub(crate) new_password: &'static str,
    pub(crate) new_password_help: &'static str,
    pub(crate) change_password: &'static str,
    pub(crate) password_changed: &'static str,
    pub(crate) second_factor: &'static str,
    pub(crate) factor_on: &'static str,
    pub(crate) factor_help: &'static str,
    pub(crate) factor_dropped: &'static str,
    pub(crate) turn_on: &'static str,
    pub(crate) turn_on_title: &'static str,
    pub(crate) turn_off: &'static str,
    pub(crate) turn_off_help: &'static str,
    pub(crate) picture: &'static str,
    pub(crate) todo_app: &'static str,
    pub(crate) todo_scan: &'static str,
    pub(crate) todo_code: &'static str,
    pub(crate) code: &'static str,
    pub(crate) not_now: &'static str,
    pub(crate) recovery_codes: &'static str,
    pub(crate) recovery_codes_help: &'static str,
    pub(crate) renew_codes: &'static str,
    pub(crate) kept: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) sessions: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) address: &'static str,
    pub(crate) last_used: &'static str,
    pub(crate) began: &'static str,
    pub(crate) end: &'static str,
    pub(crate) end_others: &'static str,
    pub(crate) this_one: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) session_ended: &'static str,
    pub(crate) no_session: &'static str,
    pub(crate) pages: &'static str,
    pub(crate) language: &'static str,
    pub(crate) colours: &'static str,
    theme_browser: &'static str,
    theme_light: &'static str,
    theme_dark: &'static str,
    wrong_password: &'static str,
    wrong_code: &'static str,
    not_offered: &'static str,
    has_factor: &'static str,
    no_factor: &'static str,
    gone: &'static str,
    busy: &'static str,
    failed: &'static str,
}

const EN: MeWords = MeWords {
    language_of: Language::English,
    title: "You",
    password: "Password",
    present_password: "Current password",
    new_password: "New password",
    new_password_help: "8 characters or more. Your other sessions end.",
    change_password: "Change the password",
    password_changed: "The password is changed; your other sessions have ended.",
    second_factor: "Second factor",
    factor_on: "On",
    factor_help: "With it, a password alone is not enough: each sign-in also needs a code from your phone.",
    factor_dropped: "The second factor is off; the password is enough.",
    turn_on: "Turn it on",
    turn_on_title: "Turn on the second factor",
    turn_off: "Turn it off",
    turn_off_help: "After that the password is enough, and the recovery codes no longer work.",
    picture: "QR code with the secret shown beside it",
    todo_app: "Open an authenticator app on your phone.",
    todo_scan: "Scan the picture, or type this:",
    todo_code: "Type the six digits that it shows.",
    code: "Code",
    not_now: "Not now",
    recovery_codes: "Recovery codes",
    recovery_codes_help: "In case the phone is lost. Each works once. They are shown only now: print them or put them into a \
                          password manager.",
    renew_codes: "New recovery codes",
    kept: "I have saved them",
    copy: "Copy",
    copied: "Copied",
    sessions: "Where you are signed in",
    browser: "Browser",
    address: "Address",
    last_used: "Last used",
    began: "Signed in",
    end: "End",
    end_others: "End all others",
    this_one: "this one",
    unknown: "unknown",
    session_ended: "The session has ended.",
    no_session: "This session has ended already.",
    pages: "Pages",
    language: "Language",
    colours: "Colours",
    theme_browser: "As the browser",
    theme_light: "Light",
    theme_dark: "Dark",
    wrong_password: "The current password is wrong. Nothing was changed.",
    wrong_code: "The code is wrong. Check the clock of your phone and type the next one.",
    not_offered: "This secret is no longer valid. Start again.",
    has_factor: "The second factor is on. Turn it off first, with your password, then on again.",
    no_factor: "There is no second factor.",
    gone: "Your user was removed.",
    busy: "Too many passwords are being checked at once. Try again in a few seconds.",
    failed: "This does not work right now; the log says why.",
};

const RU: MeWords = MeWords {
    language_of: Language::Russian,
    title: "Вы",
    password: "Пароль",
    present_password: "Текущий пароль",
    new_password: "Новый пароль",
    new_password_help: "Не меньше 8 знаков. Остальные ваши сеансы завершатся.",
    change_password: "Сменить пароль",
    password_changed: "Пароль изменён; остальные ваши сеансы завершены.",
    second_factor: "Второй шаг входа",
    factor_on: "Включён",
    factor_help: "С ним одного пароля мало: каждый вход требует ещё и код с вашего телефона.",
    factor_dropped: "Второй шаг выключен; достаточно пароля.",
    turn_on: "Включить",
    turn_on_title: "Включить второй шаг входа",
    turn_off: "Выключить",
    turn_off_help: "После этого достаточно пароля, а запасные коды недействительны.",
    picture: "QR-код с секретом, который написан рядом",
    todo_app: "Откройте на телефоне приложение с кодами.",
    todo_scan: "Снимите картинку или введите это:",
    todo_code: "Введите шесть цифр, которые оно покажет.",
    code: "Код",
    not_now: "Не сейчас",
    recovery_codes: "Запасные коды",
    recovery_codes_help: "На случай, если телефон потерян. Каждый действует один раз. Они видны только сейчас: напечатайте их или \
                          сохраните в менеджере паролей.",
    renew_codes: "Новые запасные коды",
    kept: "Коды сохранены",
    copy: "Скопировать",
    copied: "Скопировано",
    sessions: "Где вы вошли",
    browser: "Браузер",
    address: "Адрес",
    last_used: "Последний раз",
    began: "Вход",
    end: "Завершить",
    end_others: "Завершить остальные",
    this_one: "этот",
    unknown: "неизвестен",
    session_ended: "Сеанс завершён.",
    no_session: "Этот сеанс уже завершён.",
    pages: "Страницы",
    language: "Язык",
    colours: "Цвета",
    theme_browser: "Как в браузере",
    theme_light: "Светлые",
    theme_dark: "Тёмные",
    wrong_password: "Текущий пароль неверен. Ничего не изменилось.",
    wrong_code: "Код неверен. Проверьте часы телефона и введите следующий.",
    not_offered: "Этот секрет больше не действует. Начните снова.",
    has_factor: "Второй шаг уже включён. Сначала выключите его паролем, потом включите снова.",
    no_factor: "Второй шаг не включён.",
    gone: "Ваш доступ удалён.",
    busy: "Слишком много проверок пароля сразу. Повторите через несколько секунд.",
    failed: "Сейчас это не получается; причина в журнале программы.",
};

impl MeWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// The role, and what it may.
    pub(crate) fn role(&self, role: Role) -> String {
        let (name, may) = (super::role(self.language_of, role), super::may(self.language_of, role));
        match self.language_of {
            Language::English => format!("Your role is {name}. {may}"),
            Language::Russian => format!("Ваша роль: {name}. {may}"),
        }
    }

    pub(crate) fn theme(&self, theme: Theme) -> &'static str {
        match theme {
            Theme::Browser => self.theme_browser,
            Theme::Light => self.theme_light,
            Theme::Dark => self.theme_dark,
        }
    }

    /// How many recovery codes are left.
    pub(crate) fn codes_left(&self, left: u64) -> String {
        let number = thousands(left);
        match self.language_of {
            Language::English => format!("{number} recovery {} left.", english(left, "code", "codes")),
            Language::Russian => {
                format!(
                    "Осталось: {number} {}.",
                    russian(left, "запасной код", "запасных кода", "запасных кодов")
                )
            }
        }
    }

    /// How many sessions have ended.
    pub(crate) fn sessions_ended(&self, ended: u64) -> String {
        let number = thousands(ended);
        match self.language_of {
            Language::English => {
                format!("{number} {} ended.", english(ended, "session has", "sessions have"))
            }
            Language::Russian => {
                format!("Завершено: {number} {}.", russian(ended, "сеанс", "сеанса", "сеансов"))
            }
        }
    }

    /// Why something was not changed, and what to do.
    pub(crate) fn not_changed(&self, error: &ChangeError) -> String {
        match error {
            ChangeError::WrongPassword => self.wrong_password.to_owned(),
            ChangeError::WrongCode => self.wrong_code.to_owned(),
            ChangeError::NotOffered => self.not_offered.to_owned(),
            ChangeError::HasFactor => self.has_factor.to_owned(),
            ChangeError::NoFactor => self.no_factor.to_owned(),
            ChangeError::Unknown => self.gone.to_owned(),
            ChangeError::Busy => self.busy.to_owned(),
            ChangeError::Failed(_) | ChangeError::Store(_) => self.failed.to_owned(),
            ChangeError::Unfit(unfit) => self.unfit(*unfit).to_owned(),
            ChangeError::Wait(wait) => {
                let wait = countdown(self.language_of, Duration::from_secs(wait.as_secs() + 1));
                match self.language_of {
                    Language::English => format!("Too many wrong passwords. Try again in {wait}."),
                    Language::Russian => format!("Слишком много неверных паролей. Повторите через {wait}."),
                }
            }
        }
    }

    fn unfit(&self, unfit: UnfitPassword) -> &'static str {
        let (english, russian) = match unfit {
            UnfitPassword::TooShort => (
                "The new password is too short: use 8 characters or more.",
                "Новый пароль короткий: нужно не меньше 8 знаков.",
            ),
            UnfitPassword::TooLong => {
                ("The new password is too long: use at most 1024 bytes.", "Новый пароль слишком длинный.")
            }
            UnfitPassword::SpaceAtAnEnd => (
                "The new password begins or ends with a space: leave it out.",
                "Новый пароль начинается или кончается пробелом: уберите его.",
            ),
            UnfitPassword::IsTheName => (
                "The new password is the name itself: use another.",
                "Новый пароль совпадает с именем: возьмите другой.",
            ),
        };
        self.language_of.of(english, russian)
    }
}
