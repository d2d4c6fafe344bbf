//! The words of one's own settings.

use std::time::Duration;

use access::{ChangeError, Role, UnfitPassword};

use crate::view::{Language, Theme};
use crate::words::number::countdown;

words! {
    MeWords;
    title: "You", "Вы";
    password: "Password", "Пароль";
    present_password: "Current password", "Текущий пароль";
    new_password: "New password", "Новый пароль";
    new_password_help:
        "8 characters or more. Your other sessions end.",
        "Не меньше 8 знаков. Остальные ваши сеансы завершатся.";
    change_password: "Change the password", "Сменить пароль";
    password_changed:
        "The password is changed; your other sessions have ended.",
        "Пароль изменён; остальные ваши сеансы завершены.";
    second_factor: "Second factor", "Второй шаг входа";
    factor_on: "On", "Включён";
    factor_help:
        "With it, a password alone is not enough: each sign-in also needs a code from your phone.",
        "С ним одного пароля мало: каждый вход требует ещё и код с вашего телефона.";
    factor_dropped:
        "The second factor is off; the password is enough.",
        "Второй шаг выключен; достаточно пароля.";
    turn_on: "Turn it on", "Включить";
    turn_on_title: "Turn on the second factor", "Включить второй шаг входа";
    turn_off: "Turn it off", "Выключить";
    turn_off_help:
        "After that the password is enough, and the recovery codes no longer work.",
        "После этого достаточно пароля, а запасные коды недействительны.";
    picture: "QR code with the secret shown beside it", "QR-код с секретом, который написан рядом";
    todo_app: "Open an authenticator app on your phone.", "Откройте на телефоне приложение с кодами.";
    todo_scan: "Scan the picture, or type this:", "Отсканируйте картинку или введите это:";
    todo_code: "Type the six digits that it shows.", "Введите шесть цифр, которые оно покажет.";
    code: "Code", "Код";
    not_now: "Not now", "Не сейчас";
    recovery_codes: "Recovery codes", "Запасные коды";
    recovery_codes_help:
        "In case the phone is lost. Each works once. They are shown only now: print them or put them into a \
         password manager.",
        "На случай, если телефон потерян. Каждый действует один раз. Они видны только сейчас: напечатайте \
         их или сохраните в менеджере паролей.";
    renew_codes: "New recovery codes", "Новые запасные коды";
    kept: "I have saved them", "Коды сохранены";
    copy: "Copy", "Скопировать";
    copied: "Copied", "Скопировано";
    sessions: "Where you are signed in", "Где вы вошли";
    browser: "Browser", "Браузер";
    address: "Address", "Адрес";
    last_used: "Last used", "Последний раз";
    began: "Signed in", "Вход";
    end: "End", "Завершить";
    end_others: "End all others", "Завершить остальные";
    this_one: "this one", "этот";
    unknown: "unknown", "неизвестен";
    session_ended: "The session has ended.", "Сеанс завершён.";
    no_session: "This session has ended already.", "Этот сеанс уже завершён.";
    pages: "Pages", "Страницы";
    page_language: "Language", "Язык";
    colours: "Colours", "Цвета";
    theme_browser: "As the browser", "Как в браузере";
    theme_light: "Light", "Светлые";
    theme_dark: "Dark", "Тёмные";
    wrong_password:
        "The current password is wrong. Nothing was changed.",
        "Текущий пароль неверен. Ничего не изменилось.";
    wrong_code:
        "The code is wrong. Check the clock of your phone and type the next one.",
        "Код неверен. Проверьте часы телефона и введите следующий.";
    not_offered:
        "This secret is no longer valid. Start again.",
        "Этот секрет больше не действует. Начните снова.";
    has_factor:
        "The second factor is on. Turn it off first, with your password, then on again.",
        "Второй шаг уже включён. Сначала выключите его паролем, потом включите снова.";
    no_factor: "There is no second factor.", "Второй шаг не включён.";
    gone: "Your user was removed.", "Ваш доступ удалён.";
    busy:
        "Too many passwords are being checked at once. Try again in a few seconds.",
        "Слишком много проверок пароля сразу. Повторите через несколько секунд.";
    failed:
        "This does not work right now; the log says why.",
        "Сейчас это не получается; причина в журнале программы.";
}

sentences! {
    MeWords;
    codes_left(left: u64; noun: ["code", "codes"], ["запасной код", "запасных кода", "запасных кодов"]):
        "{left} recovery {noun} left.", "Осталось: {left} {noun}.";
    sessions_ended(ended: u64; noun: ["session has", "sessions have"], ["сеанс", "сеанса", "сеансов"]):
        "{ended} {noun} ended.", "Завершено: {ended} {noun}.";
}

impl MeWords {
    pub(crate) fn role(&self, role: Role) -> String {
        let (name, may) = (super::role(self.language, role), super::may(self.language, role));
        match self.language {
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
                let wait = countdown(self.language, Duration::from_secs(wait.as_secs() + 1));
                match self.language {
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
        self.language.of(english, russian)
    }
}
