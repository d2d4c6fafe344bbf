//! The words of the page on which an account of a channel logs in.

words! {
    ChannelLoginWords;
    log_in: "Log in", "Войти";
    lede: "At the provider, once: with the phone or in the browser.", "В самом сервисе, один раз: телефоном или в браузере.";
    scan: "Scan the QR code", "Отсканируйте QR-код";
    picture: "QR code for logging in", "QR-код для входа";
    todo[4]:
        [
            "Open WhatsApp on the phone of this number.",
            "Settings, Linked devices, Link a device.",
            "Point the camera at the code.",
            "Another code comes by itself; this page says when it is done.",
        ],
        [
            "Откройте WhatsApp на телефоне с этим номером.",
            "Настройки, Связанные устройства, Привязка устройства.",
            "Наведите камеру на код.",
            "Следующий код появится сам; когда вход выполнен, страница об этом скажет.",
        ];
    open: "Log in at Instagram", "Войти через Instagram";
    open_detail:
        "Log in there as the owner of this account and allow the app. The address works once, for half an hour.",
        "Войдите там как владелец этого аккаунта и разрешите доступ приложению. Ссылка работает один раз, полчаса.";
    done: "Logged in", "Вход выполнен";
    done_detail: "Messages go both ways.", "Сообщения идут в обе стороны.";
    to_account: "To the account", "К аккаунту";
    not_possible: "It is not possible now", "Сейчас не получается";
    look_again: "Look again", "Проверить снова";
    restart: "Restart at the provider", "Перезапустить в сервисе";
    log_out: "Log out", "Выйти";
}

sentences! {
    ChannelLoginWords;
    title(name: &str): "Log in: {name}", "Вход: {name}";
    logged_out(name: &str): "{name} is logged out.", "{name}: выход выполнен.";
    restarted(name: &str): "{name} is started again.", "{name} перезапущен.";
}
