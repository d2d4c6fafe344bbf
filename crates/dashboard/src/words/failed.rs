//! The words of the pages about failed requests.

use super::number::{english, russian, thousands};
use crate::view::Language;

words! {
    FailedWords;
    failed: "Failed requests", "Неудачные запросы";
    lede:
        "Requests to the old ports, callbacks and forms of sites that failed. They are kept until you decide: retry or drop.",
        "Неудачные запросы к старым портам, обратные вызовы и заявки с сайтов. Они хранятся, пока вы не решите: \
         повторить или отбросить.";
    none_pending: "Nothing waits for you", "Решать нечего";
    none_pending_detail:
        "A request to an old port, a callback or a form of a site that failed is kept here with all its data.",
        "Здесь появятся запросы к старым портам, обратные вызовы и заявки с сайтов, которые не удалось \
         обработать, со всем содержимым.";
    choose: "Choose", "Выбрать";
    chosen: "With selected:", "С выбранными:";
    request: "Request", "Запрос";
    error: "Why it failed", "Почему не удалось";
    retries: "Retries", "Повторов";
    drop: "Drop", "Отбросить";
    retry_all: "Retry all waiting", "Повторить все ждущие";
    payload: "Its data", "Содержимое";
    payload_hidden:
        "Shown to admins only: it may have names and phone numbers in it.",
        "Видно только администраторам: там могут быть имена и телефоны.";
    about: "About it", "О запросе";
    service: "Service", "Сервис";
    last_retry: "Last retry", "Последний повтор";
    last_error: "It failed with", "Закончился ошибкой";
    next_try: "Next try", "Следующая попытка";
    operation: "Operation", "Операция";
    correct: "Correct the form", "Исправить заявку";
    correct_help:
        "Enter a phone number or an email address. What the visitor wrote stays.",
        "Укажите телефон или почту. Всё, что написал посетитель, сохранится.";
    accept: "Accept", "Принять";
    phone: "Phone", "Телефон";
    email: "Email", "Почта";
    accepted: "The form is accepted.", "Заявка принята.";
    nothing_chosen: "No request is chosen", "Ничего не выбрано";
    nothing_chosen_detail:
        "Tick the ones you mean, then press the button again.",
        "Отметьте нужные запросы и нажмите кнопку снова.";
    retry_follows:
        "Each is tried from the beginning; a callback is sent at once. One that someone else has retried \
         meanwhile is left alone.",
        "Каждый выполняется с начала, а обратный вызов отправляется сразу. Тот, что уже повторил кто-то \
         другой, не тронем.";
    more_follow:
        "There are more: each press retries this many. Press again for the rest.",
        "Ждёт больше: за одно нажатие повторяется столько; для остальных нажмите ещё раз.";
    drop_follows:
        "They are not tried again. They stay visible under Dropped until they are deleted.",
        "Повторяться они больше не будут. Отброшенные видны, пока не удалятся по сроку.";
}

impl FailedWords {
    /// Which way it went, as the API names it.
    pub(crate) fn direction(&self, word: &str) -> &'static str {
        match word {
            "inbound" => self.language.of("Request", "Запрос"),
            _ => self.language.of("Callback", "Обратный вызов"),
        }
    }

    pub(crate) fn question(&self, drops: bool, number: usize) -> String {
        let number = number as u64;
        let count = thousands(number);
        match self.language {
            Language::English => {
                let verb = if drops { "Drop" } else { "Retry" };
                format!("{verb} {count} {}?", english(number, "request", "requests"))
            }
            Language::Russian => {
                let verb = if drops { "Отбросить" } else { "Повторить" };
                format!("{verb} {count} {}?", russian(number, "запрос", "запроса", "запросов"))
            }
        }
    }

    pub(crate) fn button(&self, drops: bool, number: usize) -> String {
        let count = thousands(number as u64);
        let verb = if drops { self.drop } else { self.language.of("Retry", "Повторить") };
        format!("{verb} {count}")
    }

    pub(crate) fn acted(&self, drops: bool, done: u64, all: u64) -> String {
        let (done_words, all_words) = (thousands(done), thousands(all));
        match (self.language, drops) {
            (Language::English, true) => format!("Dropped: {done_words} of {all_words}."),
            (Language::English, false) => format!("Being retried: {done_words} of {all_words}."),
            (Language::Russian, true) => format!("Отброшено: {done_words} из {all_words}."),
            (Language::Russian, false) => format!("Повторяем: {done_words} из {all_words}."),
        }
    }
}
