//! The words of the page about the pipeline.

use domain::TurnStage;

words! {
    PipelineWords;
    pipeline: "Pipeline", "Обработка";
    lede:
        "The way of what clients write, from the message to its answer: how much is at each stage, and since when.",
        "Путь сообщений клиентов до ответа: сколько их на каждом шаге и как давно.";
    stage: "Stage", "Шаг";
    what: "What happens", "Что происходит";
    count: "Count", "Сколько";
    oldest: "Oldest", "Самое старое";
    batch: "Batch", "Сбор";
    batch_detail: "Messages wait until the client has finished writing.", "Сообщения ждут, пока клиент допишет.";
    behind: "Behind", "Отставание";
    behind_detail: "How far what was written is ahead of what was taken in.",
        "Насколько написанное опережает принятое в обработку.";
    is_off: "The pipeline is switched off", "Обработка выключена";
    is_off_detail:
        "What clients write is kept and answered by no one. To switch it on, write this into the settings file and restart the program:",
        "Сообщения клиентов сохраняются, но никто на них не отвечает. Чтобы включить обработку, добавьте в файл настроек и перезапустите программу:";
    who_answers: "responder says who answers: ai, webhook, redis, human or off.",
        "responder говорит, кто отвечает: ai — модель, webhook — сценарий по вебхуку, redis — программа через Redis, human — сотрудник, off — никто.";
    see_inbox: "To the inbox", "Во входящие";
    failed: "Not answered", "Осталось без ответа";
    failed_detail:
        "A program was to answer these clients and did not; they still wait. Retrying puts their messages through the pipeline again.",
        "На эти сообщения должна была ответить программа, но не ответила; клиенты ещё ждут. Повтор заново проводит сообщения через обработку.";
    none_failed: "Everything a program was to answer is answered.", "Всё, на что должна была ответить программа, отвечено.";
    client: "Client", "Клиент";
    reason: "Reason", "Причина";
    dead: "Dead letters of queues", "Неразобранные записи очередей";
    dead_detail:
        "What other programs wrote to Redis and could not be read. Retrying puts it at the end of the list that it came from.",
        "Записи других программ в Redis, которые не удалось разобрать. Повтор возвращает запись в конец её очереди.";
    none_dead: "Nothing was left over.", "Таких записей нет.";
    no_redis: "Redis does not answer; they are shown when it does.", "Redis не отвечает; записи появятся, когда он ответит.";
    list: "List", "Очередь";
    item: "What was written", "Что записано";
    retry_all: "Retry all", "Повторить все";
    replay: "Put a message through again", "Провести сообщение заново";
    replay_detail:
        "The message goes through the pipeline with its batch, or alone if it was never taken in. A client who was answered is not answered twice.",
        "Сообщение пройдёт обработку вместе со своей пачкой или одно, если раньше не было принято. Клиент, которому уже ответили, второго ответа не получит.";
    message_id: "Message, such as rcv_20000e83pn1yx0", "Сообщение, например rcv_20000e83pn1yx0";
    replay_button: "Put through again", "Провести заново";
    was_put_again: "It goes through the pipeline again.", "Отправлено на обработку заново.";
    is_on_its_way: "It is on its way already.", "Уже в обработке.";
    nothing_put_again: "Nothing was put through again: it was answered meanwhile or is on its way.",
        "Повторять нечего: уже отвечено или в обработке.";
}

impl PipelineWords {
    /// A stage and what happens there; none where a turn is over.
    pub(crate) fn of_stage(&self, stage: TurnStage) -> Option<(&'static str, &'static str)> {
        let (english, russian) = match stage {
            TurnStage::Resolve => (
                ("Resolve", "The client is found, or a new one made."),
                ("Опознание", "Ищется клиент или заводится новый."),
            ),
            TurnStage::Appeal => (
                ("Appeal", "The client's appeal goes on, or a new one begins."),
                ("Обращение", "Обращение клиента продолжается или начинается новое."),
            ),
            TurnStage::Respond => (
                ("Respond", "A model, a workflow or a person has the batch."),
                ("Ответ", "Ответ готовит модель, сценарий или сотрудник."),
            ),
            TurnStage::Send => (
                ("Send", "The answer is handed to the outbox."),
                ("Отправка", "Ответ передаётся в очередь отправки."),
            ),
            TurnStage::Answered | TurnStage::HandedOver | TurnStage::Discarded => return None,
        };
        Some(self.language.of(english, russian))
    }
}
