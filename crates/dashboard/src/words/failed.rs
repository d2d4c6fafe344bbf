//! The words of the pages about failed requests.

use super::number::{english, russian, thousands};
use crate::visitor::Language;

/// The words of the pages about failed requests.
pub(crate) struct FailedWords {
    language: Language,
    pub(crate) failed: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) none_pending: &'static str,
    pub(crate) none_pending_detail: &'static str,
    pub(crate) choose: &'static str,
    pub(crate) chosen: &'static str,
    pub(crate) request: &'static str,
    pub(crate) error: &'static str,
    pub(crate) retries: &'static str,
    pub(crate) drop: &'static str,
    pub(crate) retry_all: &'static str,
    pub(crate) payload: &'static str,
    pub(crate) payload_hidden: &'static str,
    pub(crate) about: &'static str,
    pub(crate) service: &'static str,
    pub(crate) last_retry: &'static str,
    pub(crate) last_error: &'static str,
    pub(crate) next_try: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) nothing_chosen: &'static str,
    pub(crate) nothing_chosen_detail: &'static str,
    pub(crate) retry_follows: &'static str,
    pub(crate) more_follow: &'static str,
    pub(crate) drop_follows: &'static str,
}

const EN: FailedWords = FailedWords {
    language: Language::English,
    failed: "Failed requests",
    lede: "Requests to the old ports and callbacks that failed. They are kept until you decide: retry or drop.",
    none_pending: "Nothing waits for you",
    none_pending_detail: "When a request to an old port or a callback fails for good, it is kept here with all its data.",
    choose: "Choose",
    chosen: "With selected:",
    request: "Request",
    error: "Why it failed",
    retries: "Retries",
    drop: "Drop",
    retry_all: "Retry all waiting",
    payload: "Its data",
    payload_hidden: "Shown to admins only: it may have names and phone numbers in it.",
    about: "About it",
    service: "Service",
    last_retry: "Last retry",
    last_error: "It failed with",
    next_try: "Next try",
    operation: "Operation",
    nothing_chosen: "No request is chosen",
    nothing_chosen_detail: "Tick the ones you mean, then press the button again.",
    retry_follows: "Each is tried from the beginning; a callback is sent at once. One that someone else has retried meanwhile is left alone.",
    more_follow: "There are more: each press retries this many. Press again for the rest.",
    drop_follows: "They are not tried again. They stay visible under Dropped until they are deleted.",
};

const RU: FailedWords = FailedWords {
    language: Language::Russian,
    failed: "Неудачные запросы",
    lede: "Неудачные запросы к старым портам и обратные вызовы. Они хранятся, пока вы не решите: повторить или отбросить.",
    none_pending: "Решать нечего",
    none_pending_detail: "Если запрос к старому порту или обратный вызов окончательно не удался, он появится здесь со всем содержимым.",
    choose: "Выбрать",
    chosen: "С выбранными:",
    request: "Запрос",
    error: "Почему не удалось",
    retries: "Повторов",
    drop: "Отбросить",
    retry_all: "Повторить все ждущие",
    payload: "Что в нём было",
    payload_hidden: "Видно только администраторам: там могут быть имена и телефоны.",
    about: "О запросе",
    service: "Служба",
    last_retry: "Последний повтор",
    last_error: "Закончился ошибкой",
    next_try: "Следующая попытка",
    operation: "Операция",
    nothing_chosen: "Ничего не выбрано",
    nothing_chosen_detail: "Отметьте нужные запросы и нажмите кнопку снова.",
    retry_follows: "Каждый выполняется с начала, а обратный вызов отправляется сразу. Тот, что уже повторил кто-то другой, не тронем.",
    more_follow: "Ждёт больше: за одно нажатие повторяется столько; для остальных нажмите ещё раз.",
    drop_follows: "Повторяться они больше не будут. Отброшенные видны, пока не удалятся по сроку.",
};

impl FailedWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// Which way it went, as the API names it.
    pub(crate) fn direction(&self, word: &str) -> &'static str {
        match word {
            "inbound" => self.language.of("Request", "Запрос"),
            _ => self.language.of("Callback", "Обратный вызов"),
        }
    }

    /// The question.
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

    /// The button, which repeats the verb.
    pub(crate) fn button(&self, drops: bool, number: usize) -> String {
        let count = thousands(number as u64);
        let verb = if drops { self.drop } else { self.language.of("Retry", "Повторить") };
        format!("{verb} {count}")
    }

    /// What came of it.
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
