//! The words of the pages about what is in doubt.

use super::number::{english, thousands};
use crate::doubt::WrongChat;
use crate::visitor::Language;

/// The words of the pages about what is in doubt.
pub(crate) struct DoubtWords {
    language: Language,
    pub(crate) doubt: &'static str,
    pub(crate) title: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_detail: &'static str,
    pub(crate) what: &'static str,
    pub(crate) choose: &'static str,
    pub(crate) chosen: &'static str,
    pub(crate) it_happened: &'static str,
    pub(crate) once_more: &'static str,
    pub(crate) each_on_its_own: &'static str,
    pub(crate) chat_to_be_named: &'static str,
    pub(crate) nothing_chosen: &'static str,
    pub(crate) nothing_chosen_detail: &'static str,
    pub(crate) happened_follows: &'static str,
    pub(crate) again_follows: &'static str,
    pub(crate) ended: &'static str,
    pub(crate) probably_sent: &'static str,
    pub(crate) not_seen: &'static str,
    pub(crate) nobody_knows: &'static str,
    pub(crate) decide: &'static str,
    pub(crate) message_follows: &'static str,
    pub(crate) operation_follows: &'static str,
    pub(crate) made_chat: &'static str,
    pub(crate) no_made_chat: &'static str,
    pub(crate) other_made_chat: &'static str,
    pub(crate) was_sent: &'static str,
    pub(crate) send_again: &'static str,
    pub(crate) was_done: &'static str,
    pub(crate) do_again: &'static str,
    pub(crate) see_it: &'static str,
    pub(crate) chat_now: &'static str,
    pub(crate) chat_empty: &'static str,
    pub(crate) chat_unread: &'static str,
    pub(crate) no_chat: &'static str,
    pub(crate) who: &'static str,
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) text: &'static str,
    pub(crate) same_words: &'static str,
    pub(crate) asked_for: &'static str,
    pub(crate) without_text: &'static str,
    pub(crate) what_happened: &'static str,
}

const EN: DoubtWords = DoubtWords {
    language: Language::English,
    doubt: "In doubt",
    title: "These may have been sent, or not.",
    lede: "The connection broke after the request left, and the account can no longer be asked. Nothing is sent twice by itself: you decide. Open one to see what its chat shows.",
    none: "Nothing is in doubt",
    none_detail: "When it cannot be found out whether a message was sent, it waits here for your decision.",
    what: "What was asked for",
    choose: "Choose",
    chosen: "With selected:",
    it_happened: "It was sent or done",
    once_more: "Send or do again",
    each_on_its_own: "Open each one",
    chat_to_be_named: "To count a chat as created, name the chat. Open each one, look for it, and say which it is:",
    nothing_chosen: "Nothing is chosen",
    nothing_chosen_detail: "Tick the ones you mean, then press the button again.",
    happened_follows: "The doubt ends and nothing more is sent. Chats that were being created are left out: open each and name its chat.",
    again_follows: "Each goes into the queue again. What did arrive the first time arrives twice.",
    ended: "The doubt has ended.",
    probably_sent: "It was probably sent: the chat has this text.",
    not_seen: "The chat does not show it among its last messages.",
    nobody_knows: "It is not known whether it happened.",
    decide: "What became of it?",
    message_follows: "“It was sent” ends the doubt and sends nothing. “Send it again” puts it in the queue: if the first did arrive, the chat gets it twice.",
    operation_follows: "“It happened” ends the doubt and does nothing more. “Do it again” starts from the beginning: if it did happen, it happens twice.",
    made_chat: "The chat that was made",
    no_made_chat: "Nothing is decided yet. Write the id of the chat that was made: -100…",
    other_made_chat: "Nothing is decided yet. A chat that is made here is a supergroup: its id begins with -100.",
    was_sent: "It was sent",
    send_again: "Send it again",
    was_done: "It happened",
    do_again: "Do it again",
    see_it: "See what became of it",
    chat_now: "What the chat shows now",
    chat_empty: "The chat has no messages.",
    chat_unread: "It cannot be read:",
    no_chat: "There is no chat to show: it was being created. Check in Telegram whether it is there.",
    who: "Who",
    ours: "our account",
    theirs: "someone else",
    text: "Text",
    same_words: "the same text",
    asked_for: "What was asked for",
    without_text: "without text",
    what_happened: "What happened",
};

const RU: DoubtWords = DoubtWords {
    language: Language::Russian,
    doubt: "Под вопросом",
    title: "Неизвестно, отправлено ли это.",
    lede: "Связь оборвалась, когда запрос уже ушёл, а спросить аккаунт больше нельзя. Само ничего дважды не отправляется: решаете вы. Откройте строку, чтобы увидеть, что сейчас в чате.",
    none: "Под вопросом ничего нет",
    none_detail: "Если нельзя узнать, ушло ли сообщение, оно ждёт здесь вашего решения.",
    what: "Что просили",
    choose: "Выбрать",
    chosen: "С выбранными:",
    it_happened: "Отправлено или сделано",
    once_more: "Отправить или сделать снова",
    each_on_its_own: "Откройте каждый по отдельности",
    chat_to_be_named: "Чтобы считать чат созданным, его нужно указать. Откройте каждый, найдите чат и скажите, который это:",
    nothing_chosen: "Ничего не выбрано",
    nothing_chosen_detail: "Отметьте нужные строки и нажмите кнопку снова.",
    happened_follows: "Вопрос снимается, больше ничего не отправляется. Чат, который создавался, так не отметить: откройте его и укажите созданный чат.",
    again_follows: "Всё выбранное снова встанет в очередь. То, что в первый раз дошло, придёт дважды.",
    ended: "Вопрос снят.",
    probably_sent: "Скорее всего, дошло: в чате есть этот текст.",
    not_seen: "Среди последних сообщений чата его нет.",
    nobody_knows: "Неизвестно, произошло ли это.",
    decide: "Что с этим стало?",
    message_follows: "«Дошло» снимает вопрос и ничего не отправляет. «Отправить снова» ставит в очередь: если первое дошло, в чате окажутся два.",
    operation_follows: "«Сделано» снимает вопрос и больше ничего не делает. «Сделать снова» начинает с начала: если оно уже сделано, будет сделано дважды.",
    made_chat: "Созданный чат",
    no_made_chat: "Пока ничего не решено. Впишите id созданного чата: -100…",
    other_made_chat: "Пока ничего не решено. Здесь создаются супергруппы: их id начинается с -100.",
    was_sent: "Дошло",
    send_again: "Отправить снова",
    was_done: "Сделано",
    do_again: "Сделать снова",
    see_it: "Посмотреть, чем кончилось",
    chat_now: "Что сейчас в чате",
    chat_empty: "В чате нет сообщений.",
    chat_unread: "Прочитать чат нельзя:",
    no_chat: "Смотреть некуда: чат только создавался. Проверьте в Telegram, есть ли он.",
    who: "Кто",
    ours: "наш аккаунт",
    theirs: "другой человек",
    text: "Текст",
    same_words: "тот же текст",
    asked_for: "Что просили",
    without_text: "без текста",
    what_happened: "Что произошло",
};

impl DoubtWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// The question.
    pub(crate) fn question(&self, repeats: bool, number: usize) -> String {
        let number = number as u64;
        let count = thousands(number);
        match (self.language, repeats) {
            (Language::English, true) => format!("Send or do {count} again?"),
            (Language::English, false) => {
                format!("Count {count} {} as sent or done?", english(number, "entry", "entries"))
            }
            (Language::Russian, true) => {
                format!("Отправить или сделать снова: {count}?")
            }
            (Language::Russian, false) => format!("Считать отправленными или сделанными: {count}?"),
        }
    }

    /// The button, which repeats the verb.
    pub(crate) fn button(&self, repeats: bool, number: usize) -> String {
        let count = thousands(number as u64);
        let verb = if repeats { self.once_more } else { self.it_happened };
        format!("{verb}: {count}")
    }

    /// What came of it.
    pub(crate) fn acted(&self, repeats: bool, done: u64, all: u64) -> String {
        let (done, all) = (thousands(done), thousands(all));
        match (self.language, repeats) {
            (Language::English, true) => format!("In the queue again: {done} of {all}."),
            (Language::English, false) => format!("No longer in doubt: {done} of {all}."),
            (Language::Russian, true) => format!("Снова в очереди: {done} из {all}."),
            (Language::Russian, false) => format!("Вопрос снят: {done} из {all}."),
        }
    }

    /// What to write instead of what cannot be the chat that was made.
    pub(crate) const fn wrong_chat(&self, wrong: WrongChat) -> &'static str {
        match wrong {
            WrongChat::Missing => self.no_made_chat,
            WrongChat::NoneMadeHere => self.other_made_chat,
        }
    }
}
