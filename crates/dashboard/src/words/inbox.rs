//! The words of the inbox: conversations with clients, and who the clients are.

use std::borrow::Cow;

use api::Client;
use domain::{AppealState, Author, ChatType, ContactProof, GroupAnswers, InboundKind, Responder, TurnStage};

use crate::view::{Pill, Tint};

words! {
    InboxWords;
    inbox: "Inbox", "Входящие";
    lede:
        "Conversations with clients over all channels: who waits for an answer, how long, and whose it is.",
        "Переписка с клиентами по всем каналам: кто ждёт ответа, как долго и кто отвечает.";
    open: "Open", "Открытые";
    mine: "Mine", "Мои";
    unassigned: "Unassigned", "Ничьи";
    closed: "Closed", "Закрытые";
    snoozed: "Snoozed", "Отложенные";
    begin: "New conversation", "Новый разговор";
    begin_lede: "Write to someone who has not written yet. A client who is known is found by the number or address.",
        "Напишите тому, кто ещё не писал. Знакомый клиент найдётся по номеру или адресу.";
    through: "Through", "Через какой канал";
    they_write_first: "the customer writes first", "первым пишет клиент";
    to_whom: "To", "Кому";
    to_help:
        "A number such as +70000000001 in WhatsApp and SMS, an address in email; in Telegram a number, a username or a user id.",
        "Номер вида +70000000001 в WhatsApp и SMS, адрес в почте; в Telegram — телефон, имя пользователя или его ID.";
    client_name: "Name, if it is not known", "Имя, если клиент новый";
    first_text: "First message", "Первое сообщение";
    not_begun: "Nothing was sent", "Ничего не отправлено";
    no_first: "No account can write first", "Писать первым не может ни один аккаунт";
    no_first_detail: "WhatsApp, SMS, email and accounts of Telegram can; in other channels the customer writes first.",
        "Это умеют WhatsApp, SMS, почта и аккаунты Telegram; в остальных каналах первым пишет клиент.";
    was_begun: "The message is on its way.", "Сообщение отправляется.";
    order: "Order", "Порядок";
    changed_first: "Changed last first", "Сначала недавние";
    waiting_first: "Waiting longest first", "Сначала кто дольше ждёт";
    notify: "Notify me in this browser", "Уведомлять в браузере";
    until: "until", "до";
    snoozed_until: "snoozed until", "отложено до";
    snooze: "Snooze", "Отложить";
    snooze_for: "For how long", "На сколько";
    an_hour: "for an hour", "на час";
    four_hours: "for 4 hours", "на 4 часа";
    a_day: "for a day", "на сутки";
    a_week: "for a week", "на неделю";
    wake: "Back to the list", "Вернуть в список";
    was_snoozed: "It comes back at that time, or when the client writes.", "Вернётся в это время или когда клиент напишет.";
    was_woken: "It is in the list again.", "Переписка снова в списке.";
    attach: "Files to go with it", "Приложить файлы";
    templates: "Templates", "Шаблоны";
    templates_lede:
        "Answers that are written once. {{client.name}}, {{client.phone}}, {{client.email}} and {{agent}} are filled in for each client.",
        "Ответы, которые пишутся один раз. Вместо {{client.name}}, {{client.phone}}, {{client.email}} и {{agent}} подставляются данные клиента и ваше имя.";
    no_templates: "No templates yet", "Шаблонов пока нет";
    no_templates_detail: "Write the first one below.", "Добавьте первый ниже.";
    template_name: "Name", "Название";
    template_text: "Text", "Текст";
    template_help: "A template of the same name is replaced.", "Шаблон с тем же названием будет заменён.";
    add_template: "Save a template", "Сохранить шаблон";
    remove: "Remove", "Удалить";
    was_removed: "The template is removed.", "Шаблон удалён.";
    resend: "Send again", "Отправить снова";
    was_resent: "It is in the queue again.", "Сообщение снова в очереди.";
    export: "Export", "Выгрузить";
    erase: "Erase", "Стереть";
    erase_follows:
        "The chats, appeals, notes and messages of this client are removed for ever. An entry of the do-not-contact list stays.",
        "Чаты, обращения, заметки и сообщения клиента будут удалены навсегда. Запись в списке «Не писать» останется.";
    was_erased: "The client is erased.", "Данные клиента стёрты.";
    figures: "Figures", "Статистика";
    figures_lede:
        "The conversations of the last 30 days: how many, how soon they were answered first and later, and how many by a model.",
        "Обращения за последние 30 дней: сколько их, как быстро отвечали на первое и следующие сообщения и сколько раз отвечала модель.";
    a_day_opened: "Conversations a day", "Обращений в день";
    all_channels: "All channels", "Все каналы";
    day: "Day", "День";
    answered_count: "Answered", "С ответом";
    by_ai: "Answered first by a model", "Первой ответила модель";
    half_within: "Half answered within", "Половине ответили за";
    most_within: "Nine of ten answered within", "Девяти из десяти ответили за";
    next_within: "Later answers after, on average", "Следующие ответы в среднем через";
    no_figures: "No conversations in these days", "За эти дни обращений не было";
    is_new: "New message", "Новое сообщение";
    is_overdue: "Waits for an answer", "Ждёт ответа";
    find: "Search", "Поиск";
    find_hint: "Name, phone, words of a message", "Имя, телефон, слова из сообщений";
    any_channel: "Any channel", "Любой канал";
    channel: "Channel", "Канал";
    client: "Client", "Клиент";
    last_message: "Last message", "Последнее сообщение";
    waits: "Waits", "Ждёт";
    assignee: "Assignee", "Ответственный";
    no_one: "no one", "никто";
    none: "No conversations here", "Здесь пусто";
    none_detail:
        "A conversation appears as soon as a client writes and the pipeline has taken the message in.",
        "Переписка появится, как только клиент напишет и сообщение будет обработано.";
    see_pipeline: "See the pipeline", "Как идёт обработка";
    nameless: "Client without a name", "Клиент без имени";
    without_text: "without text", "без текста";
    no_messages: "No messages yet", "Сообщений пока нет";
    conversation: "Conversation", "Переписка";
    earlier: "Earlier messages", "Более ранние";
    latest: "To the latest messages", "К последним сообщениям";
    edited: "edited", "изменено";
    deleted: "deleted", "удалено";
    reply: "Reply", "Ответ";
    reply_hint: "Write an answer", "Напишите ответ";
    send: "Send", "Отправить";
    to_chat: "To which chat", "В какой чат";
    last_chat: "Where the client wrote last", "Куда клиент писал последним";
    keys: "r reply, a to me, e close", "r — ответить, a — мне, e — закрыть";
    no_chat: "The client has no chat to answer in.", "У клиента нет чата, в который можно ответить.";
    turns: "What was proposed", "Предложенные ответы";
    send_this: "Send this", "Отправить это";
    take_over: "Take over", "Взять на себя";
    give_back: "Give back", "Вернуть программе";
    close: "Close", "Закрыть";
    reopen: "Reopen", "Открыть снова";
    assign_to_me: "Assign to me", "Назначить мне";
    to_no_one: "To no one", "Снять назначение";
    assign_to: "Name of a person", "Имя сотрудника";
    assign: "Assign", "Назначить";
    about: "Client", "Клиент";
    name: "Name", "Имя";
    phone: "Phone", "Телефон";
    email: "Email", "Почта";
    save: "Save", "Сохранить";
    chats: "Chats", "Чаты";
    appeals: "Appeals", "Обращения";
    source: "Came by", "Источник";
    tags: "Tags", "Метки";
    tags_help: "Of the last appeal, with commas between.", "Последнего обращения, через запятую.";
    notes: "Notes", "Заметки";
    note: "Note for colleagues", "Заметка для коллег";
    note_help: "The client does not see it.", "Клиент её не увидит.";
    add_note: "Add a note", "Добавить заметку";
    contacts: "Contacts", "Контакты";
    group: "Group", "Группа";
    group_answers: "Automatic answers in this group", "Автоответы в этой группе";
    programs: "From programs", "От программ";
    programs_lede:
        "Newsletters, notices and automatic answers that came through channels. They join no conversation.",
        "Почтовые рассылки, письма программ и автоответы из каналов. В переписку они не попадают.";
    none_programs: "Programs have written nothing", "Программы ничего не присылали";
    writer: "Writer", "Отправитель";
    whole_text: "The whole mail", "Письмо целиком";
    sender_not_proved: "sender not confirmed", "отправитель не подтверждён";
    perhaps: "Perhaps the same person", "Возможно, тот же человек";
    in_messages: "In messages", "В сообщениях";
    write_down: "Note", "Записать";
    merge: "Merge", "Объединить";
    dismiss: "Not the same", "Это разные люди";
    merges: "Merged clients", "Объединённые клиенты";
    split: "Undo", "Отменить";
    was_undone: "undone", "отменено";
    merge_follows:
        "The chats, appeals and messages of the other client become part of this one. You can undo it on this page.",
        "Чаты, обращения и сообщения второго клиента перейдут к этому. Объединение можно отменить на этой странице.";
    dismiss_follows:
        "They are not suggested for merging again. This cannot be undone.",
        "Объединить их больше не предложат. Отменить это нельзя.";
    was_assigned: "The assignee is changed.", "Ответственный изменён.";
    was_taken_over: "No program answers now, until you give it back.",
        "Программа больше не отвечает, пока вы не вернёте ей переписку.";
    was_given_back: "It is answered as the settings say.", "Отвечает тот, кто указан в настройках.";
    was_closed: "The appeal is closed.", "Обращение закрыто.";
    was_reopened: "The appeal is open again.", "Обращение снова открыто.";
    was_noted: "The note is added.", "Заметка добавлена.";
    was_saved: "Saved.", "Сохранено.";
    was_merged: "The clients are merged.", "Клиенты объединены.";
    was_dismissed: "They stay two clients.", "Остаются два клиента.";
    was_split: "The merge is undone.", "Объединение отменено.";
}

sentences! {
    InboxWords;
    answered_by(who: &str): "answered by: {who}", "отвечает: {who}";
    merge_question(one: &str, other: &str): "Merge {other} into {one}?", "Объединить «{other}» с «{one}»?";
    dismiss_question(one: &str, other: &str): "Are {one} and {other} two people?", "«{one}» и «{other}» — разные люди?";
    erase_question(who: &str): "Erase {who}?", "Стереть «{who}»?";
    someone_writes(who: &str): "{who} is writing an answer too.", "{who} тоже пишет ответ.";
    unread(count: u64; noun: ["new", "new"], ["новое", "новых", "новых"]): "{count} {noun}", "{count} {noun}";
    merged_by(who: &str): "merged by {who}", "объединил(а) {who}";
}

impl InboxWords {
    /// What a client is called.
    pub(crate) fn name_of<'a>(&self, client: &'a Client) -> &'a str {
        let known = [&client.name, &client.phone, &client.email];
        let nameless = if client.chat_type == ChatType::Group { self.group } else { self.nameless };
        known.into_iter().flatten().find(|text| !text.is_empty()).map_or(nameless, String::as_str)
    }

    /// How it was proved that a contact is the client's.
    pub(crate) fn proof(&self, proof: ContactProof) -> &'static str {
        let (english, russian) = match proof {
            ContactProof::ChannelId => ("id in the channel", "ID в канале"),
            ContactProof::Provider => ("confirmed by the provider", "подтверждён сервисом"),
            ContactProof::Mail => ("confirmed by the mail server", "подтверждён почтовым сервером"),
            ContactProof::Operator => ("entered by an operator", "указан сотрудником"),
            ContactProof::Program => ("stated by a program", "указан программой"),
            ContactProof::Typed => ("typed, not confirmed", "введён, не подтверждён"),
        };
        self.language.of(english, russian)
    }

    /// When programs answer in a group.
    pub(crate) fn answers(&self, answers: GroupAnswers) -> &'static str {
        let (english, russian) = match answers {
            GroupAnswers::Never => ("never", "никогда"),
            GroupAnswers::WhenMentioned => ("when the account is mentioned", "при упоминании аккаунта"),
            GroupAnswers::Always => ("always", "всегда"),
        };
        self.language.of(english, russian)
    }

    /// How far an appeal is.
    pub(crate) fn pill(&self, state: AppealState) -> Pill {
        let (tint, english, russian) = match state {
            AppealState::New => (Tint::Waiting, "New", "Новое"),
            AppealState::Open => (Tint::Busy, "Open", "В работе"),
            AppealState::WaitingClient => (Tint::Good, "Answered", "Отвечено"),
            AppealState::WaitingUs => (Tint::Bad, "Waits for a person", "Ждёт сотрудника"),
            AppealState::Closed => (Tint::Idle, "Closed", "Закрыто"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// Who wrote a message; nothing for the client, whose name is shown there.
    pub(crate) fn author(&self, author: Author) -> Option<&'static str> {
        let (english, russian) = match author {
            Author::Client => return None,
            Author::Ai => ("model", "модель"),
            Author::Agent => ("person", "сотрудник"),
            Author::Program => ("program", "программа"),
            Author::Elsewhere => ("from the provider's app", "из приложения"),
        };
        Some(self.language.of(english, russian))
    }

    pub(crate) fn responder(&self, responder: Responder) -> &'static str {
        let (english, russian) = match responder {
            Responder::Ai => ("model", "модель"),
            Responder::Webhook => ("workflow", "сценарий по вебхуку"),
            Responder::Redis => ("program over Redis", "программа через Redis"),
            Responder::Human => ("person", "сотрудник"),
            Responder::Off => ("no one", "никто"),
        };
        self.language.of(english, russian)
    }

    /// What became of a batch.
    pub(crate) fn turn(&self, stage: TurnStage) -> Pill {
        let (tint, english, russian) = match stage {
            TurnStage::Resolve | TurnStage::Appeal | TurnStage::Respond => {
                (Tint::Busy, "In progress", "Готовится")
            }
            TurnStage::Send => (Tint::Busy, "Leaving", "Уходит"),
            TurnStage::Answered => (Tint::Good, "Answered", "Отвечено"),
            TurnStage::HandedOver => (Tint::Waiting, "Left to a person", "Передано сотруднику"),
            TurnStage::Discarded => (Tint::Idle, "Discarded", "Отброшено"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// Why a batch was not answered, as the pipeline says it; what a model or a workflow says stays as it is.
    pub(crate) fn why<'a>(&self, why: &'a str) -> Cow<'a, str> {
        let (english, russian) = match why {
            "asked" => ("it asked for a person", "попросила подключить сотрудника"),
            "refused" => ("the model refused", "модель отказалась отвечать"),
            "truncated" => ("the answer was cut off", "ответ оборвался"),
            "empty" => ("the answer was empty", "ответ пустой"),
            "thoughts" => ("the model's thoughts were in the answer", "в ответе остались рассуждения модели"),
            "tool_markup" => {
                ("a call of a tool was written into the answer", "в ответе остался вызов инструмента")
            }
            "special_tokens" => {
                ("service tokens were in the answer", "в ответе остались служебные метки модели")
            }
            "markup" => ("markup was left in the answer", "в ответе осталась разметка"),
            "signal" => ("the answer was a signal to a program", "ответ был командой для программы"),
            "language" => (
                "part of the answer was in another language than the conversation",
                "часть ответа не на языке переписки",
            ),
            "several" => ("the model gave several answers", "модель дала несколько ответов"),
            "unfinished" => ("the model did not finish the answer", "модель не закончила ответ"),
            "nonsense" => ("the answer made no sense", "ответ не имеет смысла"),
            "only_noted" => ("only facts were noted", "только записаны сведения"),
            "too_long" => ("the answer was too long", "ответ слишком длинный"),
            "unsure" => ("the model was unsure", "модель не уверена"),
            "no_confidence" => {
                ("the model did not say how sure it is", "модель не сказала, насколько уверена")
            }
            "no_source" => ("the answer names no source", "в ответе нет источника"),
            "unproved_writer" => {
                ("the writer is not proved to be the client", "не подтверждено, что пишет сам клиент")
            }
            "unknown_source" => ("the answer names an unknown source", "в ответе неизвестный источник"),
            "over_budget" => ("the budget is spent", "бюджет исчерпан"),
            "timeout" => ("there was no answer in time", "ответа не было вовремя"),
            "no_answer" => ("there was no answer", "ответа нет"),
            "no_model" => ("no model is set up", "модель не настроена"),
            "no_webhook" => ("no workflow is set up", "сценарий не настроен"),
            "no_responder" => ("no responder is set up", "не настроено, кто отвечает"),
            "no_chat" => ("there is no chat to answer in", "некуда отвечать"),
            "group_is_off" => ("answers are off in this group", "в этой группе автоответы выключены"),
            "switched_off" => ("the pipeline was switched off", "конвейер был выключен"),
            "too_late" => ("it was too late", "слишком поздно"),
            "do_not_contact" => ("the client is on the do-not-contact list", "клиент в списке «Не писать»"),
            "promised" => ("the answer promises a person", "в ответе обещан сотрудник"),
            "not_sent" => ("the answer was not sent", "ответ не ушёл"),
            "may_opt_out" => {
                ("the client may want no more messages", "клиент, возможно, просит больше не писать")
            }
            "answered_often" => {
                ("programs have answered 10 mails in a day", "программы ответили на 10 писем за сутки")
            }
            "for_people" => {
                ("the mail allows no automatic answer", "на это письмо нельзя отвечать автоматически")
            }
            "in_doubt" => ("it is unknown whether the answer arrived", "неизвестно, дошёл ли ответ"),
            "restored" => ("a backup was restored", "восстановлена резервная копия"),
            other => return Cow::Borrowed(other),
        };
        Cow::Borrowed(self.language.of(english, russian))
    }

    /// What something attached is.
    pub(crate) fn file(&self, kind: InboundKind) -> &'static str {
        let (english, russian) = match kind {
            InboundKind::Image => ("picture", "изображение"),
            InboundKind::Voice => ("voice message", "голосовое"),
            InboundKind::Audio => ("audio", "аудио"),
            InboundKind::Video => ("video", "видео"),
            InboundKind::Document => ("document", "документ"),
            InboundKind::Sticker => ("sticker", "стикер"),
            InboundKind::Other => ("file", "файл"),
            InboundKind::Location => ("place", "место на карте"),
            InboundKind::Contact => ("contact", "контакт"),
            InboundKind::Link => ("link", "ссылка"),
            InboundKind::Product => ("product", "товар"),
            InboundKind::Order => ("order", "заказ"),
            InboundKind::Post => ("post", "запись"),
            InboundKind::Story => ("story", "история"),
            InboundKind::Poll => ("poll", "опрос"),
            InboundKind::Payment => ("payment", "платёж"),
            InboundKind::Gift => ("gift", "подарок"),
            InboundKind::Call => ("call", "звонок"),
            InboundKind::Appointment => ("appointment", "встреча"),
            InboundKind::Form => ("form", "форма"),
            InboundKind::Shared => ("chosen people or chats", "выбранные люди или чаты"),
            InboundKind::Game => ("game", "игра"),
            InboundKind::Checklist => ("checklist", "список дел"),
            InboundKind::Giveaway => ("giveaway", "розыгрыш"),
            InboundKind::Forward => ("forwarded message", "пересланное сообщение"),
            InboundKind::Reply => ("message that is answered", "сообщение, на которое отвечают"),
            InboundKind::Hidden => ("content that the provider hides", "содержимое, которое скрыл сервис"),
            InboundKind::Unknown => ("content of an unknown kind", "содержимое неизвестного вида"),
        };
        self.language.of(english, russian)
    }
}
