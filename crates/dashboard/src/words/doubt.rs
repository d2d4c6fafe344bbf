//! The words of the pages about what is in doubt.

use crate::doubt::WrongChat;
use crate::visitor::Language;

/// The words of the pages about what is in doubt.
pub(crate) struct DoubtWords {
    pub(crate) doubt: &'static str,
    pub(crate) title: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_detail: &'static str,
    pub(crate) through: &'static str,
    pub(crate) see_evidence: &'static str,
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
    doubt: "In doubt",
    title: "These may have happened, or not.",
    lede: "The connection broke after the request left, and the account that knows cannot be asked any more. Nothing is sent twice by itself: a person decides.",
    none: "Nothing is in doubt",
    none_detail: "What may have been sent while nobody can tell would wait here for your word, with its evidence.",
    through: "through",
    see_evidence: "See the evidence and decide",
    ended: "The doubt has ended.",
    probably_sent: "It was probably sent: the chat has these words.",
    not_seen: "The chat does not show it among its last messages.",
    nobody_knows: "It may have happened, or not.",
    decide: "What became of it?",
    message_follows: "“It was sent” ends the doubt and sends nothing. “Send it again” puts it in the queue: if the first did arrive, the chat gets it twice.",
    operation_follows: "“It happened” ends the doubt and does nothing more of it. “Do it again” begins it from the start: if it did happen, it happens twice.",
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
    no_chat: "There is no chat to look into: it was to be made. Look into Telegram whether it is there.",
    who: "Who",
    ours: "our account",
    theirs: "somebody else",
    text: "Text",
    same_words: "the same words",
    asked_for: "What was asked for",
    without_text: "without text",
    what_happened: "What happened",
};

const RU: DoubtWords = DoubtWords {
    doubt: "Под вопросом",
    title: "Это могло произойти, а могло и нет.",
    lede: "Связь оборвалась, когда запрос уже ушёл, а аккаунт, который знает ответ, спросить больше нельзя. Само ничего дважды не отправляется: решает человек.",
    none: "Вопросов нет",
    none_detail: "Здесь ждало бы вашего решения то, что могло уйти, хотя узнать об этом не у кого, со всем, что известно.",
    through: "через",
    see_evidence: "Посмотреть и решить",
    ended: "Вопрос снят.",
    probably_sent: "Скорее всего, дошло: в чате есть эти слова.",
    not_seen: "Среди последних сообщений чата его нет.",
    nobody_knows: "Это могло произойти, а могло и нет.",
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
    same_words: "те же слова",
    asked_for: "Что просили",
    without_text: "без текста",
    what_happened: "Что произошло",
};

impl DoubtWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// What to write instead of what cannot be the chat that was made.
    pub(crate) const fn wrong_chat(&self, wrong: WrongChat) -> &'static str {
        match wrong {
            WrongChat::Missing => self.no_made_chat,
            WrongChat::NoneMadeHere => self.other_made_chat,
        }
    }
}
