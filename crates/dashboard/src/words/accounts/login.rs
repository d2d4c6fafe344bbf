//! The words of signing an account in.

use crate::words::Moment;

words! {
    LoginWords;
    steps: "Steps", "Шаги";
    /// The steps in order.
    step_names[4]:
        ["Choose the way", "Prove it is you", "Password, if it has one", "At work"],
        ["Выбор способа", "Подтверждение", "Пароль, если есть", "Работает"];
    lede:
        "A new session for this account. Its chats, its place in the pool and what it sent stay as they are.",
        "Новая сессия для этого аккаунта. Его чаты, место в пуле и отправленное остаются как были.";
    works_already:
        "This account has a session that works. Sign in only to replace it, or to add one for a single kind \
         of work.",
        "У аккаунта есть рабочая сессия. Входите, только чтобы заменить её или добавить отдельную для \
         одного вида работы.";
    later: "Leave, finish later", "Уйти, закончить позже";
    cancel: "Cancel the sign-in", "Отменить вход";
    cancelled:
        "The sign-in is cancelled. What the account had before stays.",
        "Вход отменён. То, что было у аккаунта, осталось.";
    with_phone: "With a phone that is signed in", "С телефона, где вход уже выполнен";
    with_phone_detail:
        "A QR code is shown here and scanned there. No code has to be typed.",
        "Здесь появится QR-код; отсканируйте его телефоном. Код вводить не нужно.";
    show_qr: "Show the QR code", "Показать QR-код";
    with_code: "Or with a code", "Или по коду";
    phone: "Phone number", "Номер телефона";
    phone_help:
        "With its country code, as in +70000000001. It is kept encrypted and never shown whole.",
        "С кодом страны, например +70000000001. Хранится зашифрованным, целиком не показывается.";
    phone_known: "Leave it empty for the number that is kept:", "Оставьте пустым, чтобы взять сохранённый:";
    send_code: "Send the code", "Отправить код";
    qr_title: "Scan the QR code", "Отсканируйте QR-код";
    qr_picture: "QR code for signing in", "QR-код для входа";
    qr_todo[4]:
        [
            "Open Telegram on a phone where this account is signed in.",
            "Settings, Devices, Link Desktop Device.",
            "Point the camera at the code.",
            "This page goes on by itself. If the account has a password, it asks for it next.",
        ],
        [
            "Откройте Telegram на телефоне, где этот аккаунт уже вошёл.",
            "Настройки, Устройства, Подключить устройство.",
            "Наведите камеру на код.",
            "Дальше страница продолжит сама. Если у аккаунта есть пароль, она его спросит.",
        ];
    qr_again: "Another code comes by itself.", "Следующий код появится сам.";
    look_again: "Look again", "Проверить снова";
    code_title: "Enter the code", "Введите код";
    code: "Code", "Код";
    code_wrong:
        "Telegram does not accept this code. Look again and enter it once more.",
        "Telegram не принимает этот код. Проверьте и введите ещё раз.";
    code_moved: "A new code was sent", "Отправлен новый код";
    code_moved_detail:
        "The account is in another Telegram data centre. Enter the new code; the previous one no longer \
         works.",
        "Аккаунт находится в другом дата-центре Telegram. Введите новый код: прежний уже не действует.";
    check_code: "Check the code", "Проверить код";
    no_other_method:
        "Telegram has no other way for it. If it does not come, cancel and start again.",
        "Другого способа у Telegram нет. Если код не приходит, отмените вход и начните заново.";
    password_title: "Enter the two-step password", "Введите пароль двухэтапной проверки";
    password: "Two-step password", "Пароль двухэтапной проверки";
    password_help:
        "The one that was set in Telegram under Settings, Privacy and Security. It is not kept.",
        "Тот, что задан в Telegram: Настройки, Конфиденциальность. Он не сохраняется.";
    password_wrong: "Wrong password. Enter it again.", "Пароль неверен. Введите ещё раз.";
    hint: "Its hint:", "Подсказка:";
    check_password: "Check the password", "Проверить пароль";
    terms_title: "Telegram’s terms of service", "Условия использования Telegram";
    terms_help:
        "Telegram wants them to be accepted before the session may be used.",
        "Telegram требует принять их, прежде чем сессию можно использовать.";
    accept: "Accept and go on", "Принять и продолжить";
    decline: "Decline; sign out again", "Отказаться и выйти";
    failed: "Signing in failed", "Войти не удалось";
    telegram_answer: "The answer:", "Ответ:";
    done_detail:
        "The account works with the new session from now on. Its first call is being made.",
        "Аккаунт уже работает с новой сессией. Сейчас делается первый вызов.";
    to_account: "To the account", "К аккаунту";
    one_program: "One session, one program", "Одна сессия — одна программа";
    one_program_detail:
        "If an old script still uses this account’s session file, that is another session and may stay. \
         Never copy a session into two programs: Telegram ends it for both.",
        "Если старый скрипт работает со своим файлом сессии, это другая сессия, она может остаться. Но не \
         запускайте одну и ту же сессию в двух программах: Telegram завершит её для обеих.";
    have_file: "Have a .session file?", "Есть файл .session?";
    have_file_detail: "Import it, and no sign-in is needed.", "Импортируйте его, и входить не придётся.";
    import: "Import sessions", "Импорт сессий";
}

sentences! {
    LoginWords;
    title(account: &str): "Sign in to {account}", "Вход в {account}";
    of_age(years: u32):
        "By accepting you confirm that you are at least {years} years old.",
        "Принимая их, вы подтверждаете, что вам не меньше {years} лет.";
    signed_in(whom: &str): "Signed in as {whom}", "Вход выполнен: {whom}";
    not_before(at: Moment): "Another way is available from {at}.", "Другой способ доступен с {at}.";
    good_until(at: Moment): "Good until {at}.", "Действует до {at}.";
    again_after(at: Moment): "Telegram asks not to try before {at}.", "Telegram просит не пробовать до {at}.";
}

impl LoginWords {
    /// Where a code is to be looked for, as the API names the way.
    pub(crate) fn sent(&self, method: &str) -> &'static str {
        let (english, russian) = match method {
            "app" => (
                "It came as a message in Telegram itself, in the chat with Telegram.",
                "Он пришёл сообщением в самом Telegram, в чате с Telegram.",
            ),
            "sms" => ("It came as a text message.", "Он пришёл по SMS."),
            "sms_words" => {
                ("It came as a text message, as a word or a phrase.", "Он пришёл по SMS, словом или фразой.")
            }
            "call" => ("A voice says it in a phone call.", "Его продиктует голос в телефонном звонке."),
            "flash_call" | "missed_call" => (
                "A number calls: do not answer; the code is its last digits.",
                "Поступит звонок: не отвечайте, код — последние цифры номера.",
            ),
            "email" => ("It came to the account’s e-mail address.", "Он пришёл на почту аккаунта."),
            _ => ("It is on fragment.com.", "Он на fragment.com."),
        };
        self.language.of(english, russian)
    }

    /// The button that has the code sent another way.
    pub(crate) fn send_by(&self, method: &str) -> &'static str {
        let (english, russian) = match method {
            "app" => ("Send it in Telegram", "Прислать в Telegram"),
            "sms" | "sms_words" => ("Send it by text message", "Прислать по SMS"),
            "call" | "flash_call" | "missed_call" => ("Get it in a phone call", "Сообщить звонком"),
            "email" => ("Send it by e-mail", "Прислать на почту"),
            _ => ("Send it another way", "Прислать иначе"),
        };
        self.language.of(english, russian)
    }

    /// Why it came to nothing and what to do, by the word of the API.
    pub(crate) fn why(&self, code: &str) -> &'static str {
        let (english, russian) = match code {
            "phone_invalid" => (
                "Telegram does not accept this phone number. Write it with its + and country code.",
                "Telegram не принимает этот номер. Напишите его с + и кодом страны.",
            ),
            "phone_needed" => (
                "No phone number is stored for this account. Write it here.",
                "Номер этого аккаунта не сохранён. Напишите его здесь.",
            ),
            "phone_banned" | "account_banned" => (
                "Telegram has banned this account. Write to Telegram’s support, or use another account.",
                "Telegram заблокировал этот аккаунт. Напишите в поддержку Telegram или возьмите другой аккаунт.",
            ),
            "sign_up_needed" => (
                "No Telegram account has this number. Make it in a Telegram app first; this program never does.",
                "У этого номера нет аккаунта Telegram. Сначала создайте его в приложении: эта программа так не делает.",
            ),
            "email_needed" => (
                "Telegram wants an e-mail address for signing in first. Set it up in a Telegram app, then start again.",
                "Telegram сначала требует почту для входа. Укажите её в приложении Telegram и начните заново.",
            ),
            "payment_needed" => (
                "Telegram wants to be paid for the code. Sign in by QR code instead.",
                "За код Telegram требует оплату. Войдите по QR-коду.",
            ),
            "code_expired" => (
                "The code is too old, or was wrong too often. Start again to get another.",
                "Код устарел, или его слишком часто вводили неверно. Начните заново — придёт другой.",
            ),
            "flood_wait" => (
                "Telegram asks to wait before signing in again.",
                "Telegram просит подождать, прежде чем входить снова.",
            ),
            "api_id_invalid" => (
                "Telegram does not know the application. Compare api_id and api_hash with my.telegram.org.",
                "Telegram не знает такого приложения. Сверьте api_id и api_hash с my.telegram.org.",
            ),
            "other_person" => (
                "This person cannot sign in here; the new session was ended. Sign in as the person of this account, or add \
                 another account for them.",
                "Этот человек не может войти здесь; новая сессия завершена. Войдите как человек этого аккаунта или добавьте \
                 для него другой аккаунт.",
            ),
            "terms_declined" => (
                "The terms were declined, and the new session was signed out.",
                "Условия не приняты, новая сессия завершена.",
            ),
            "wrong_state" => (
                "That is not the next step any more; this page shows the one that is.",
                "Это уже не следующий шаг; на странице показан нужный.",
            ),
            "session_in_use" => (
                "An import is asking Telegram about this session. Try again when it has ended.",
                "Про эту сессию сейчас спрашивает импорт. Повторите, когда он закончится.",
            ),
            _ => (
                "Telegram gave an unexpected answer. Try again; the log has more.",
                "Telegram дал неожиданный ответ. Попробуйте ещё раз; подробности в журнале.",
            ),
        };
        self.language.of(english, russian)
    }
}
