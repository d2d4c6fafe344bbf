//! The words of the pages about what is in doubt.

use super::number::{english, thousands};
use crate::view::Language;

words! {
    DoubtWords;
    doubt: "In doubt", "Под вопросом";
    title: "These may have been sent, or not.", "Неизвестно, отправлено ли это.";
    lede:
        "The connection broke after the request left, and the account can no longer be asked. Nothing is \
         sent twice by itself: you decide. Open one to see what its chat shows.",
        "Связь оборвалась, когда запрос уже ушёл, а спросить аккаунт больше нельзя. Само ничего дважды не \
         отправляется: решаете вы. Откройте строку, чтобы увидеть, что сейчас в чате.";
    none: "Nothing is in doubt", "Под вопросом ничего нет";
    none_detail:
        "When it cannot be found out whether a message was sent, it waits here for your decision.",
        "Если нельзя узнать, ушло ли сообщение, оно ждёт здесь вашего решения.";
    what: "What was asked for", "Что просили";
    choose: "Choose", "Выбрать";
    chosen: "With selected:", "С выбранными:";
    it_happened: "It was sent or done", "Отправлено или сделано";
    once_more: "Send or do again", "Отправить или сделать снова";
    each_on_its_own: "Open each one", "Откройте каждый по отдельности";
    chat_to_be_named:
        "To count a chat as created, name the chat. Open each one, look for it, and say which it is:",
        "Чтобы считать чат созданным, его нужно указать. Откройте каждый, найдите чат и скажите, который \
         это:";
    nothing_chosen: "Nothing is chosen", "Ничего не выбрано";
    nothing_chosen_detail:
        "Tick the ones you mean, then press the button again.",
        "Отметьте нужные строки и нажмите кнопку снова.";
    happened_follows:
        "The doubt ends and nothing more is sent. Chats that were being created are left out: open each and \
         name its chat.",
        "Вопрос снимается, больше ничего не отправляется. Чат, который создавался, так не отметить: \
         откройте его и укажите созданный чат.";
    again_follows:
        "Each goes into the queue again. What did arrive the first time arrives twice.",
        "Всё выбранное снова встанет в очередь. То, что в первый раз дошло, придёт дважды.";
    ended: "The doubt has ended.", "Вопрос снят.";
    probably_sent:
        "It was probably sent: the chat has this text.",
        "Скорее всего, дошло: в чате есть этот текст.";
    not_seen: "The chat does not show it among its last messages.", "Среди последних сообщений чата его нет.";
    outcome_unknown: "It is not known whether it happened.", "Неизвестно, произошло ли это.";
    decide: "What became of it?", "Что с этим стало?";
    message_follows:
        "“It was sent” ends the doubt and sends nothing. “Send it again” puts it in the queue: if the first \
         did arrive, the chat gets it twice.",
        "«Дошло» снимает вопрос и ничего не отправляет. «Отправить снова» ставит в очередь: если первое \
         дошло, в чате окажутся два.";
    operation_follows:
        "“It happened” ends the doubt and does nothing more. “Do it again” starts from the beginning: if it \
         did happen, it happens twice.",
        "«Сделано» снимает вопрос и больше ничего не делает. «Сделать снова» начинает с начала: если оно \
         уже сделано, будет сделано дважды.";
    made_chat: "The chat that was made", "Созданный чат";
    no_made_chat:
        "Nothing is decided yet. Write the id of the chat that was made: -100…",
        "Пока ничего не решено. Впишите id созданного чата: -100…";
    other_made_chat:
        "Nothing is decided yet. A chat that is made here is a supergroup: its id begins with -100.",
        "Пока ничего не решено. Здесь создаются супергруппы: их id начинается с -100.";
    was_sent: "It was sent", "Дошло";
    send_again: "Send it again", "Отправить снова";
    was_done: "It happened", "Сделано";
    do_again: "Do it again", "Сделать снова";
    see_it: "See what became of it", "Посмотреть, чем кончилось";
    chat_now: "What the chat shows now", "Что сейчас в чате";
    chat_empty: "The chat has no messages.", "В чате нет сообщений.";
    chat_unread: "It cannot be read:", "Прочитать чат нельзя:";
    no_chat:
        "There is no chat to show: it was being created. Check in Telegram whether it is there.",
        "Смотреть некуда: чат только создавался. Проверьте в Telegram, есть ли он.";
    who: "Who", "Кто";
    ours: "our account", "наш аккаунт";
    theirs: "someone else", "другой человек";
    text: "Text", "Текст";
    same_words: "the same text", "тот же текст";
    requested: "What was asked for", "Что просили";
    without_text: "without text", "без текста";
    what_happened: "What happened", "Что произошло";
}

impl DoubtWords {
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

    pub(crate) fn button(&self, repeats: bool, number: usize) -> String {
        let count = thousands(number as u64);
        let verb = if repeats { self.once_more } else { self.it_happened };
        format!("{verb}: {count}")
    }

    pub(crate) fn acted(&self, repeats: bool, done: u64, all: u64) -> String {
        let (done, all) = (thousands(done), thousands(all));
        match (self.language, repeats) {
            (Language::English, true) => format!("In the queue again: {done} of {all}."),
            (Language::English, false) => format!("No longer in doubt: {done} of {all}."),
            (Language::Russian, true) => format!("Снова в очереди: {done} из {all}."),
            (Language::Russian, false) => format!("Вопрос снят: {done} из {all}."),
        }
    }
}
