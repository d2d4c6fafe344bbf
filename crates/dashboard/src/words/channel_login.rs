//! The words of the page on which an account of a channel logs in.

words! {
    ChannelLoginWords;
    log_in: "Log in", "Войти";
    lede: "At the provider, once: with the phone or in the browser.", "В самом сервисе, один раз: телефоном или в браузере.";
    scan: "Scan the QR code", "Отсканируйте QR-код";
    picture: "QR code for logging in", "QR-код для входа";
    another:
        "Another code comes by itself; this page says when it is done.",
        "Следующий код появится сам; когда вход выполнен, страница об этом скажет.";
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
    open(provider: &str): "Log in at {provider}", "Войти через {provider}";
    logged_out(name: &str): "{name} is logged out.", "{name}: выход выполнен.";
    restarted(name: &str): "{name} is started again.", "{name} перезапущен.";
}
