//! What the doctor says of webhooks of providers and of the old scripts, in Russian (`ops/src/doctor/check/webhooks`,
//! `ops/src/legacy`).

/// English and Russian.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    // Webhooks of providers.
    (
        "a bot has one webhook, so this takes it from its present receiver: find out first what that is and whether it is still needed; if it is right, write its address as `expect`; a receiver that registers itself, as n8n does when a workflow is activated, does it best; one that checks a secret_token needs --data-urlencode \"secret_token=…\" too",
        "у бота один вебхук, и команда отнимет его у нынешнего получателя: сначала выясните, что это за получатель и нужен ли он ещё; если он верный, запишите его адрес в `expect`; лучше всего, если получатель регистрируется сам, как n8n при включении сценария; если он проверяет secret_token, добавьте --data-urlencode \"secret_token=…\"",
    ),
    (
        "where a program fetches the updates itself (getUpdates), nothing may be registered: take the webhook out of the settings; a receiver that registers itself, as n8n does when a workflow is activated, does it best; one that checks a secret_token needs --data-urlencode \"secret_token=…\" too",
        "если программа забирает обновления сама (getUpdates), регистрировать ничего нельзя: уберите вебхук из настроек; лучше всего, если получатель регистрируется сам, как n8n при включении сценария; если он проверяет secret_token, добавьте --data-urlencode \"secret_token=…\"",
    ),
    (
        "find out first whose the registered address is and whether it is still needed; if it is right, write that address as `expect`",
        "сначала выясните, чей это адрес и нужен ли он ещё; если он верный, запишите его в `expect`",
    ),
    (
        "the receiver may do it itself when it is switched on",
        "возможно, получатель сделает это сам, когда его включат",
    ),
    (
        "call setWebhook of the Bot API with the expected address",
        "вызовите setWebhook в Bot API с ожидаемым адресом",
    ),
    (
        "post the expected address to /messenger/v3/webhook of Avito's API",
        "отправьте ожидаемый адрес в /messenger/v3/webhook API Avito",
    ),
    (
        "post the expected address, and the secret that its receiver checks, to /subscriptions of MAX",
        "отправьте ожидаемый адрес и секрет, который проверяет получатель, в /subscriptions MAX",
    ),
    (
        "add the expected address as a server under Manage, API usage, Callback API of the community",
        "добавьте ожидаемый адрес как сервер в сообществе: Управление, Работа с API, Callback API",
    ),
    (
        "set the expected address as the webhook of the profile in the cabinet of Wappi",
        "укажите ожидаемый адрес вебхуком профиля в кабинете Wappi",
    ),
    ("then {}", "затем {}"),
    (
        "the token that @BotFather shows; one that was revoked is gone for good",
        "токен, который показывает @BotFather; отозванный уже не вернуть",
    ),
    ("what Avito's cabinet shows for the application", "его показывает кабинет Avito для приложения"),
    (
        "the token that business.max.ru shows under Chat-bots, Integration",
        "токен с business.max.ru: Чат-боты, Интеграция",
    ),
    (
        "what the community shows under Manage, API usage: its number, and a key with the right `manage`",
        "из сообщества, Управление, Работа с API: его номер и ключ с правом `manage`",
    ),
    ("what the cabinet of Wappi shows for the profile", "его показывает кабинет Wappi для профиля"),
    ("give {} another {}: {}", "укажите для {} другое значение {}: {}"),
    ("pay for it, or remove the webhook from the settings", "оплатите или уберите вебхук из настроек"),
    (
        "look at the network; the certificate of MAX is issued by the Russian Ministry of Digital Development, whose root this machine must trust",
        "проверьте сеть; сертификат MAX выдан Минцифры России, и машина должна доверять его корневому сертификату",
    ),
    (
        "look at the network and the firewall's rules for outgoing connections; if the provider is blocked, name another address as `api`",
        "проверьте сеть и правила исходящих соединений; если провайдер заблокирован, укажите другой адрес в `api`",
    ),
    (
        "check that the `api` of {} is the right address; if it is, the provider has changed its API",
        "проверьте, что `api` для {} указан верно; если верно, значит, провайдер изменил свой API",
    ),
    ("the settings name none", "в настройках не названы"),
    (
        "{} more webhooks were not asked for: there are too many",
        "не проверены ещё вебхуки: {}; их слишком много",
    ),
    ("where {} is registered", "куда зарегистрирован {}"),
    (
        "{} refuses the credentials of {}, and does not say where it sends.",
        "{} не принимает ключи для {} и не говорит, куда отправляет.",
    ),
    (
        "{} wants to be paid before it says where it sends for {}.",
        "{} не скажет, куда отправляет для {}, пока не оплачено.",
    ),
    (
        "{} did not say where it sends what customers write to {}.",
        "{} не сказал, куда отправляет сообщения клиентов для {}.",
    ),
    ("asked at {}", "спрошено по адресу {}"),
    ("{} has it registered as expected, at {}; {}", "{}: зарегистрирован как ожидалось, {}; {}"),
    ("{} has it registered as expected, at {}", "{}: зарегистрирован как ожидалось, {}"),
    ("1 update waits", "ждёт обновлений: 1"),
    ("{} updates wait", "ждёт обновлений: {}"),
    (
        "{} sends what customers write to {} nowhere: no webhook is registered.",
        "{} никуда не отправляет сообщения клиентов для {}: вебхук не зарегистрирован.",
    ),
    ("expected: {}", "ожидается: {}"),
    (
        "{} sends what customers write to {} to another path of {} than expected.",
        "{} отправляет сообщения клиентов для {} по другому пути на {}, чем ожидается.",
    ),
    (
        "{} sends what customers write to {} to {} places, and not to {}.",
        "{} отправляет сообщения клиентов для {} по другим адресам (их {}), а не на {}.",
    ),
    (
        "{} sends what customers write to {} to another place too: each gets every message.",
        "{} отправляет сообщения клиентов для {} ещё и по другому адресу: каждый получает все сообщения.",
    ),
    (
        "{} sends what customers write to {} to {}, and not to {}.",
        "{} отправляет сообщения клиентов для {} на {}, а не на {}.",
    ),
    (
        "look whether you know that place; it may be another program of yours",
        "проверьте, знаком ли вам этот адрес; возможно, это ещё одна ваша программа",
    ),
    ("{} cannot deliver what customers write to {}.", "{} не может доставить сообщения клиентов для {}."),
    ("the expected place {}", "ожидаемый адрес {}"),
    ("last failure {} ago, {}: {}", "последняя ошибка {} назад, {}: {}"),
    (
        "look at the receiver: whether it runs, can be reached from outside, and answers 200 at once; its own log says why it refused",
        "проверьте получателя: запущен ли он, доступен ли извне и сразу ли отвечает 200; почему он отказал, сказано в его журнале",
    ),
    (
        "{} has lost the account of {}: nothing that customers write arrives.",
        "{} потерял аккаунт для {}: сообщения клиентов не доходят.",
    ),
    (
        "sign the account in again in the provider's cabinet, by its QR code",
        "войдите в аккаунт снова в кабинете провайдера, по QR-коду",
    ),
    (
        "{} sends what customers write to {} over plain http to {}: anyone on the way can read and change it.",
        "{} отправляет сообщения клиентов для {} по открытому http на {}: по пути их можно прочитать и изменить.",
    ),
    (
        "give the receiver an https address, and register that one",
        "дайте получателю адрес https и зарегистрируйте его",
    ),
    (
        "give the server a secret key in the community's settings, and have the receiver compare it",
        "задайте серверу секретный ключ в настройках сообщества, и пусть получатель его сверяет",
    ),
    (
        "the provider signs nothing, so the address must be the secret: give the receiver a long random path, and register that",
        "провайдер ничего не подписывает, поэтому секретом должен быть сам адрес: дайте получателю длинный случайный путь и зарегистрируйте его",
    ),
    (
        "Anyone who knows the address can post to {} as {} with messages for {}: there is no secret in it.",
        "Кто знает адрес, может писать на {} от имени {} для {}: секрета в адресе нет.",
    ),
    ("registered: {}, under another path, which {}", "зарегистрирован: {}, по другому пути, {}"),
    ("registered: {}, under another path", "зарегистрирован: {}, по другому пути"),
    ("registered: {}, which {}", "зарегистрирован: {}, {}"),
    ("registered: {}", "зарегистрирован: {}"),
    ("{} more", "и ещё {}"),
    ("has not confirmed it yet", "ещё не подтвердил регистрацию"),
    ("answered wrongly and gets nothing any more", "ответил неверно и больше ничего не получает"),
    ("no reason was given", "причина не названа"),
    ("something that is no address", "нечто, не похожее на адрес"),
    ("it answered {} and wants to be asked at another address", "ответил {} и отсылает по другому адресу"),
    ("it answered {}, and nothing that is known of it", "ответил {}, и ответ непонятен"),
    ("it answered with error {}", "ответил ошибкой {}"),
    (
        "it answered 402: the tariff of the account has no messenger API",
        "ответил 402: в тарифе аккаунта нет API мессенджера",
    ),
    ("it answered 402: the profile is not paid for", "ответил 402: профиль не оплачен"),
    ("it answered 200 with the status error", "ответил 200 со статусом error"),
    ("it answered {}", "ответил {}"),
    ("its answer is larger than {} KiB", "ответ больше {} КиБ"),
    ("it did not answer in time", "не ответил вовремя"),
    ("what protects it turned this machine away (403)", "его защита не пустила эту машину (403)"),
    ("the settings do not say what it is asked with", "в настройках нет ключей, с которыми его спрашивать"),
    ("what it is asked with makes no form", "из ключей не получается запрос"),
    ("`api` of the settings is no address", "`api` в настройках не похож на адрес"),
    ("the token is none that a header can carry", "такой токен нельзя передать в заголовке"),
    (
        "calls cannot be made; install the system's certificates (ca-certificates)",
        "запросы невозможны; установите системные сертификаты (ca-certificates)",
    ),
    // The old scripts.
    (
        "The old scripts serve {} on port {}, and the settings have no such port.",
        "Старые скрипты обслуживают {} на порту {}, а в настройках такого порта нет.",
    ),
    ("add {}", "добавьте {}"),
    (
        "On port {} the old scripts serve {}, and the settings {}.",
        "На порту {} старые скрипты обслуживают {}, а настройки — {}.",
    ),
    ("callers of port {} expect {}", "программы, которые обращаются к порту {}, ждут {}"),
    (
        "The session {} that the old scripts name is missing.",
        "Сессии {}, которую называют старые скрипты, нет на месте.",
    ),
    (
        "look for the file under another name or in a backup; without it, sign in again with `switchboard account login`",
        "поищите файл под другим именем или в резервной копии; без него войдите заново: `switchboard account login`",
    ),
    (
        "The old scripts sign in as application {}, which no account of the settings has.",
        "Старые скрипты входят с api_id {}, которого нет ни у одного аккаунта в настройках.",
    ),
    (
        "give the account api_id = {} with its api_hash: Telegram ends sessions that change their application",
        "задайте аккаунту api_id = {} с его api_hash: Telegram завершает сессии, у которых сменилось приложение",
    ),
    ("{} cannot be taken over.", "{} импортировать нельзя."),
    (
        "look for a better copy; without one, sign in to its account again",
        "поищите копию получше; если её нет, войдите в аккаунт заново",
    ),
    (
        "{} sessions of the old scripts are not here yet; {} of them are there more than once.",
        "Ещё не импортировано сессий старых скриптов: {}; из них лежат в нескольких файлах: {}.",
    ),
    ("{} sessions of the old scripts are not here yet.", "Ещё не импортировано сессий старых скриптов: {}."),
    (
        "stop the old scripts first: Telegram ends a session that two programs use at once",
        "сначала остановите старые скрипты: Telegram завершает сессию, которой пользуются две программы",
    ),
];
