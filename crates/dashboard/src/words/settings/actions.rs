//! The actions of the audit log in words. The log names them by the calls of the API.

use crate::view::Language;
use std::borrow::Cow;

/// The name in the log, English, Russian.
const ACTIONS: &[(&str, &str, &str)] = &[
    (
        "act_on_account",
        "Pause, resume or restart an account",
        "Приостановка, возобновление или перезапуск аккаунта",
    ),
    ("act_on_service", "Stop, start or restart a service", "Остановка, запуск или перезапуск сервиса"),
    ("add_account", "Add an account", "Добавление аккаунта"),
    ("add_do_not_contact", "Add to the do-not-contact list", "Добавление в список «Не писать»"),
    ("add_members", "Add members to a chat", "Добавление участников в чат"),
    ("add_user", "Add a person", "Добавление человека"),
    ("answer_login_terms", "Answer Telegram’s terms", "Ответ на условия Telegram"),
    ("approve_message", "Approve a message", "Одобрение сообщения"),
    ("assign_ownerless_session", "Give a session to an account", "Передача сессии аккаунту"),
    ("cancel_flood_clearing", "Stop clearing flood waits", "Прекращение сброса ожидания"),
    ("cancel_login", "Cancel a sign-in to Telegram", "Отмена входа в Telegram"),
    ("cancel_message", "Cancel a message", "Отмена сообщения"),
    ("cancel_operation", "Cancel an operation", "Отмена операции"),
    ("cancel_retry_of_failed_messages", "Stop retrying failed messages", "Прекращение повтора сообщений"),
    ("change_account", "Change an account", "Изменение аккаунта"),
    ("change_chat", "Change a chat", "Изменение чата"),
    ("change_key", "Change an API key", "Изменение ключа API"),
    ("change_user", "Change a person", "Изменение человека"),
    ("change_webhook", "Change a webhook", "Изменение вебхука"),
    ("check_backup", "Test a backup", "Проверка резервной копии"),
    ("clear_floods", "Clear flood waits", "Сброс ожидания Telegram"),
    ("create_alert_target", "Add an alert recipient", "Добавление получателя оповещений"),
    ("create_backup", "Make a backup", "Создание резервной копии"),
    ("create_chat", "Create a chat", "Создание чата"),
    ("create_key", "Make an API key", "Создание ключа API"),
    ("create_maintenance", "Add a maintenance window", "Добавление окна обслуживания"),
    ("create_webhook", "Add a webhook", "Добавление вебхука"),
    ("delete_message", "Delete a message", "Удаление сообщения"),
    ("delete_upload", "Delete an uploaded file", "Удаление загруженного файла"),
    ("download_backup", "Download a backup", "Скачивание резервной копии"),
    ("download_logs", "Download the log", "Скачивание журнала"),
    ("drop_failed_request", "Drop a failed request", "Отбрасывание неудачного запроса"),
    ("dry_run_flow", "Try a flow", "Проба сценария"),
    ("edit_message", "Edit a message", "Изменение сообщения"),
    ("end_user_session", "End a session of a person", "Завершение сеанса человека"),
    ("end_user_sessions", "End all sessions of a person", "Завершение всех сеансов человека"),
    ("examine", "Run diagnostics", "Диагностика"),
    ("export_do_not_contact", "Download the do-not-contact list", "Скачивание списка «Не писать»"),
    ("export_session", "Export a session", "Выгрузка сессии"),
    ("forget_ownerless_session", "Delete a session without an account", "Удаление сессии без аккаунта"),
    ("forget_unresolved_chat", "Forget a chat that is not found", "Удаление ненайденного чата из списка"),
    ("give_login_code", "Enter the sign-in code", "Ввод кода для входа"),
    ("give_login_password", "Enter the two-step password", "Ввод пароля двухэтапной проверки"),
    ("hand_chat_over", "Hand a chat over", "Передача чата другому владельцу"),
    ("import_do_not_contact", "Import a do-not-contact list", "Импорт списка «Не писать»"),
    ("import_sessions", "Import sessions", "Импорт сессий"),
    ("leave_chat", "Leave a chat", "Выход из чата"),
    ("mark_read", "Mark a chat as read", "Отметка чата прочитанным"),
    ("mute_alert", "Mute an alert", "Отключение оповещений о тревоге"),
    ("mute_card", "Mute alerts about a card", "Отключение оповещений карточки"),
    ("pause_webhook", "Pause a webhook", "Приостановка вебхука"),
    ("reject_message", "Reject a message", "Отклонение сообщения"),
    ("release_session", "Sign an account out", "Выход из аккаунта"),
    ("reload_settings", "Read the settings again", "Перечитывание настроек"),
    ("remove_account", "Remove an account", "Удаление аккаунта"),
    ("remove_account_note", "Remove the note about an account", "Удаление заметки об аккаунте"),
    ("remove_alert_target", "Remove an alert recipient", "Удаление получателя оповещений"),
    ("remove_do_not_contact", "Take off the do-not-contact list", "Удаление из списка «Не писать»"),
    ("remove_maintenance", "Remove a maintenance window", "Удаление окна обслуживания"),
    ("remove_member", "Remove a member from a chat", "Удаление участника из чата"),
    ("remove_user", "Remove a person", "Удаление человека"),
    ("remove_webhook", "Remove a webhook", "Удаление вебхука"),
    ("replay_webhook", "Post events to a webhook once more", "Повтор событий вебхуку"),
    ("resend_login_code", "Send the sign-in code again", "Повторная отправка кода"),
    ("reset_second_factor", "Reset the second factor", "Сброс второго шага"),
    ("resolve_message", "Decide about a message in doubt", "Решение о сообщении под вопросом"),
    ("resolve_operation", "Decide about an operation in doubt", "Решение об операции под вопросом"),
    ("resume_webhook", "Resume a webhook", "Возобновление вебхука"),
    ("retry_failed_messages", "Retry failed messages", "Повтор неудачных сообщений"),
    ("retry_failed_request", "Retry a failed request", "Повтор неудачного запроса"),
    ("retry_message", "Retry a message", "Повтор сообщения"),
    ("retry_operation", "Retry an operation", "Повтор операции"),
    ("retry_webhook", "Retry what a webhook did not take", "Повтор непринятого вебхуком"),
    ("retry_webhook_attempt", "Post an event to a webhook once more", "Повтор события вебхуку"),
    ("revoke_key", "Revoke an API key", "Отзыв ключа API"),
    ("rotate_master_key", "Replace the master key", "Замена главного ключа"),
    ("rotate_webhook_secret", "Change the secret of a webhook", "Смена секрета вебхука"),
    ("send_import_files", "Upload session files", "Загрузка файлов сессий"),
    ("send_message", "Send a message", "Отправка сообщения"),
    ("set_user_password", "Set a person’s password", "Новый пароль человека"),
    ("show_typing", "Show “typing”", "Показ «печатает»"),
    ("sign_in", "Sign in", "Вход"),
    ("sign_out", "Sign out", "Выход"),
    ("start_flow", "Start a flow", "Запуск сценария"),
    ("start_login", "Begin signing in to Telegram", "Начало входа в Telegram"),
    ("stop_flow", "Stop a flow", "Остановка сценария"),
    ("take_import_files_back", "Discard session files", "Удаление загруженных файлов сессий"),
    ("test_alert_target", "Test an alert recipient", "Проверка получателя оповещений"),
    ("test_webhook", "Test a webhook", "Проверка вебхука"),
    ("unmute_alert", "Unmute an alert", "Включение оповещений о тревоге"),
    ("unmute_card", "Unmute alerts about a card", "Включение оповещений карточки"),
    ("upload_file", "Upload a file", "Загрузка файла"),
    ("write_account_note", "Write the note about an account", "Изменение заметки об аккаунте"),
    ("write_to_control_bot", "Write to a control bot", "Сообщение управляющему боту"),
];

/// An action in words; one that is not known here keeps its name.
pub(super) fn action(language: Language, name: &str) -> Cow<'static, str> {
    match ACTIONS.iter().find(|(known, _, _)| *known == name) {
        Some((_, english, russian)) => Cow::Borrowed(language.of(english, russian)),
        None => Cow::Owned(name.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_told_in_both_languages() {
        assert_eq!(action(Language::English, "create_key"), "Make an API key");
        assert_eq!(action(Language::Russian, "create_key"), "Создание ключа API");
        assert_eq!(action(Language::Russian, "new_action"), "new action");
        assert!(ACTIONS.is_sorted_by_key(|(name, _, _)| *name));
    }
}
