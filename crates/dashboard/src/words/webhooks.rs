//! The words of the pages about webhooks.

use api::{Webhook, WebhookAttempt};

use crate::view::{Pill, Tint};

words! {
    WebhooksWords;
    webhooks: "Webhooks", "Вебхуки";
    lede:
        "Addresses of other programs that hear of what happens here. Each event is posted, signed, and tried \
         again for a day until it is taken.",
        "Адреса других программ, которые узнают о событиях. Каждое событие отправляется с подписью, и если \
         его не приняли, попытки продолжаются сутки.";
    none: "No webhooks yet", "Вебхуков пока нет";
    none_detail:
        "Add the address of a program, such as the Webhook node of an n8n workflow.",
        "Добавьте адрес программы, например узла Webhook в n8n.";
    add: "Add a webhook", "Добавить вебхук";
    change: "Change", "Изменить";
    endpoint: "Endpoint", "Куда";
    taken_share: "Taken", "Принято";
    taken_help: "of the last 100 events", "из последних 100 событий";
    last_taken: "Last taken", "Последнее принято";
    never_taken: "nothing yet", "пока ничего";
    waiting: "Waiting", "Ждут отправки";
    oldest: "the oldest since", "самое старое с";
    dead: "Given up", "Не доставлено";
    last_error: "Last error", "Последняя ошибка";
    failing_since: "Failing since", "Не принимает с";
    failures: "Failed attempts", "Неудачных попыток";
    test: "Test", "Проверить";
    pause: "Pause", "Приостановить";
    resume: "Resume", "Возобновить";
    rotate: "New secret", "Новый секрет";
    remove: "Remove", "Удалить";
    disabled: "Nothing is posted to it: it is switched off", "Отключён: события не отправляются";
    disabled_detail:
        "Events wait. Once the program takes them again, press Resume.",
        "События ждут. Когда программа снова сможет их принимать, нажмите «Возобновить».";
    attempts: "Events", "События";
    attempts_none: "No event yet", "Событий пока нет";
    attempts_none_detail:
        "What happens from now on and fits its choice is posted here. Press Test to try the address.",
        "Сюда попадёт всё подходящее, что случится с этого момента. Проверить адрес можно кнопкой «Проверить».";
    event: "Event", "Событие";
    tries: "Attempts", "Попыток";
    answer: "Answer", "Ответ";
    past: "past its retention", "срок хранения вышел";
    next_try: "next attempt", "следующая попытка";
    details: "Payload and answer", "Содержимое и ответ";
    payload: "Posted", "Отправлено";
    payload_past:
        "The event is past its retention and can no longer be posted.",
        "Срок хранения события вышел, отправить его снова нельзя.";
    answered: "Answered", "В ответ";
    nothing_answered: "An empty answer.", "Пустой ответ.";
    resend_dead: "Send all given up again", "Отправить все недоставленные";
    replay: "Send again everything since", "Отправить снова всё с";
    replay_button: "Send", "Отправить";
    replaying: "being sent again", "идёт повторная отправка";
    about: "About the webhook", "О вебхуке";
    url: "Address", "Адрес";
    url_help:
        "Public, http or https. Addresses in private networks only where the setting events.allow_private lists \
         them. Kept encrypted.",
        "Публичный, http или https. В частной сети — только если она внесена в настройку events.allow_private. \
         Хранится зашифрованным.";
    description: "What it is for", "Для чего он";
    description_help: "Optional; its name on these pages.", "Необязательно; так он называется на этих страницах.";
    events: "Events", "События";
    events_help:
        "Such as message.*, account.state. Empty: all of them.",
        "Например: message.*, account.state. Пусто — все.";
    types: "All types", "Все виды событий";
    all_events: "all", "все";
    accounts: "Accounts", "Аккаунты";
    accounts_help: "Only events about these. Empty: any.", "Только события о них. Пусто — о любых.";
    chats: "Chats", "Чаты";
    chats_help:
        "Ids or @names; only events about these. Empty: any.",
        "Номера или @имена; только события о них. Пусто — о любых.";
    any: "any", "любые";
    ordered: "In the order of each chat", "По порядку в каждом чате";
    ordered_help:
        "Events of a chat are posted one after another: each waits until the one before is taken or given up.",
        "События одного чата отправляются друг за другом: следующее ждёт, пока предыдущее примут или не \
         окажется, что доставить его нельзя.";
    headers: "Own headers", "Свои заголовки";
    headers_help:
        "One a line: authorization: Bearer … Kept encrypted, never shown again.",
        "По одному в строке: authorization: Bearer … Хранятся зашифрованными и больше не показываются.";
    headers_kept:
        "Leave empty to keep those it has. An address of another server removes them, unless you write them \
         again:",
        "Оставьте пустым, чтобы не менять те, что есть. При смене сервера в адресе они удалятся, если не вписать \
         их заново:";
    no_headers: "Remove its headers", "Убрать свои заголовки";
    not_taken_form: "Nothing is saved yet: a field is wrong", "Пока ничего не сохранено: в форме ошибка";
    save: "Save", "Сохранить";
    made: "The webhook is added", "Вебхук добавлен";
    rotated: "The webhook has a new secret", "У вебхука новый секрет";
    secret_help:
        "This is the secret that posts are signed with. It is shown only now: give it to the program that \
         receives them.",
        "Этим секретом подписываются запросы. Он показывается только сейчас: передайте его программе, которая \
         их принимает.";
    old_secret_help:
        "For a day each post is signed with the old secret too.",
        "Ещё сутки запросы подписываются и прежним секретом.";
    kept: "I have saved it", "Секрет сохранён";
    old_secret_until: "Old secret until", "Прежний секрет до";
    made_at: "Added", "Добавлен";
    remove_follows:
        "Nothing more is posted to it, and what waits for it is discarded.",
        "Больше ему ничего не отправляется; то, что ждёт отправки, удалится.";
    was_paused: "It is paused. Events wait for it.", "Вебхук приостановлен. События его ждут.";
    was_resumed: "It is posted to again.", "Отправка возобновлена.";
}

sentences! {
    WebhooksWords;
    taken(status: u16, millis: u64): "It answered {status} in {millis} ms.", "Ответ {status} за {millis} мс.";
    not_taken(why: &str): "The test was not taken: {why}.", "Проверка не прошла: {why}.";
    retried(events: u64; noun: ["event is", "events are"], ["событие", "события", "событий"]):
        "{events} {noun} being sent again.", "Отправляем снова: {events} {noun}.";
    replayed(since: &str):
        "Everything since {since} is being sent again.", "Отправляем снова всё, что случилось с {since}.";
    remove_question(name: &str): "Remove {name}?", "Удалить {name}?";
    removed(name: &str): "{name} is removed.", "{name} удалён.";
    changed(name: &str): "{name} is changed.", "{name} изменён.";
}

impl WebhooksWords {
    pub(crate) fn pill(&self, webhook: &Webhook) -> Pill {
        let (tint, english, russian) = match webhook.state.as_str() {
            "failing" => (Tint::Bad, "Fails", "Не принимает"),
            "paused" => (Tint::Idle, "Paused", "Приостановлен"),
            "disabled" => (Tint::Bad, "Switched off", "Отключён"),
            _ => (Tint::Good, "Works", "Работает"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// A state of events, by its word in addresses.
    pub(crate) fn state(&self, word: &str) -> &'static str {
        match word {
            "waiting" => self.language.of("Waiting", "Ждут"),
            "dead" => self.language.of("Given up", "Не доставлены"),
            "delivered" => self.language.of("Delivered", "Доставлены"),
            _ => self.language.of("All", "Все"),
        }
    }

    pub(crate) fn pill_of(&self, attempt: &WebhookAttempt) -> Pill {
        let (tint, english, russian) = match attempt.state.as_str() {
            "delivered" => (Tint::Good, "Delivered", "Доставлено"),
            "dead" => (Tint::Bad, "Given up", "Не доставлено"),
            _ if attempt.attempts == 0 => (Tint::Idle, "Waiting", "Ждёт отправки"),
            _ => (Tint::Waiting, "Retries later", "Повторится позже"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }
}
