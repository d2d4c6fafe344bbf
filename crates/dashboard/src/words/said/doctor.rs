//! What the doctor says, in Russian: findings, advice, evidence and facts (`ops/src/doctor`).

/// English and Russian; the test below reads the doctor's source and finds what is missing.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    // Accounts.
    ("There is no account, so nothing can be sent.", "Нет ни одного аккаунта, поэтому отправлять нечем."),
    ("then `switchboard account login main`", "затем `switchboard account login main`"),
    (
        "The accounts {} and {} and {} are the same person: a flood wait or a ban of one hits all of them.",
        "Аккаунты {}, {} и {} принадлежат одному человеку: ограничение или блокировка одного затронет всех.",
    ),
    (
        "The accounts {} and {} are the same person: a flood wait or a ban of one hits all of them.",
        "Аккаунты {} и {} принадлежат одному человеку: ограничение или блокировка одного затронет всех.",
    ),
    (
        "keep one of them and give it the sessions of the others, or sign in to {} as another person",
        "оставьте один и передайте ему сессии остальных или войдите в {} как другой человек",
    ),
    ("The account {} is paused.", "Аккаунт {} на паузе."),
    ("The account {} is stopped.", "Аккаунт {} остановлен."),
    ("The account {} must wait: Telegram asked it to.", "Аккаунт {} ждёт по требованию Telegram."),
    ("The account {} does not work.", "Аккаунт {} не работает."),
    ("The account {} is restricted by Telegram.", "Аккаунт {} ограничен Telegram."),
    ("The account {} has no session that works.", "У аккаунта {} нет рабочей сессии."),
    ("The account {} was closed by Telegram.", "Аккаунт {} закрыт Telegram."),
    (
        "nothing, as a rule: waiting messages leave by themselves when the time is over",
        "обычно ничего: когда срок пройдёт, ожидающие сообщения уйдут сами",
    ),
    ("write to Telegram's support", "напишите в поддержку Telegram"),
    ("reason: {}", "причина: {}"),
    ("its session for {}: {} ({})", "сессия для {}: {} ({})"),
    ("its session for {}: {}", "сессия для {}: {}"),
    (
        "name a session of this account in the settings, or sign in",
        "укажите сессию аккаунта в настройках или войдите",
    ),
    (
        "the session was ended from another device; sign in again",
        "сессию завершили с другого устройства; войдите снова",
    ),
    (
        "another program used the same session; stop it, wait a minute, then sign in again",
        "ту же сессию использовала другая программа; остановите её, подождите минуту и войдите снова",
    ),
    (
        "Telegram does not know this key here; check the data centre or sign in again",
        "Telegram не знает этого ключа; проверьте дата-центр или войдите снова",
    ),
    (
        "Telegram banned this account; write to its support",
        "Telegram заблокировал аккаунт; напишите в его поддержку",
    ),
    (
        "the account was deleted or deactivated; take it out of the settings",
        "аккаунт удалён или деактивирован; уберите его из настроек",
    ),
    (
        "Telegram froze this account; open the app and appeal there",
        "Telegram заморозил аккаунт; откройте приложение и обжалуйте это там",
    ),
    (
        "Telegram stopped first contacts from this account; let it rest for some days",
        "Telegram запретил аккаунту писать новым людям; дайте ему отдохнуть несколько дней",
    ),
    (
        "the connection stands but nothing is answered; it is being reconnected",
        "соединение есть, но ответов нет; идёт переподключение",
    ),
    (
        "the data centre cannot be reached; check the network and any proxy",
        "дата-центр недоступен; проверьте сеть и прокси",
    ),
    (
        "the sessions of this account belong to different people; give each account its own",
        "сессии этого аккаунта принадлежат разным людям; пусть у каждого аккаунта будет своя",
    ),
    ("see the detail and the log", "смотрите подробности и журнал"),
    // Backups.
    (
        "The server cannot write into the folder of backups.",
        "Сервер не может записывать в папку резервных копий.",
    ),
    (
        "let the service's user write there, or name another folder; the log says more",
        "разрешите пользователю службы запись туда или укажите другую папку; подробности в журнале",
    ),
    ("none yet", "пока нет"),
    ("none by itself (backup.every is 0s)", "сама не делается (backup.every = 0s)"),
    ("the one of {}, at {}", "копия от {}, восстановлена {}"),
    ("The last attempt to make a backup failed.", "Последняя попытка сделать резервную копию не удалась."),
    ("fix what the error says first", "сначала устраните названную причину"),
    ("The newest backup is {} old.", "Последней резервной копии уже {}."),
    ("set backup.every to have one made every day", "чтобы копия делалась каждый день, задайте backup.every"),
    ("There is no backup.", "Нет ни одной резервной копии."),
    ("there has been something to back up since {}", "копировать есть что с {}"),
    ("The newest backup cannot be restored.", "Последнюю резервную копию нельзя восстановить."),
    ("check the disk it is stored on, too", "проверьте и диск, на котором она лежит"),
    ("No backup has been checked {}.", "Ни одна резервная копия не проверялась {}."),
    ("for {}", "уже {}"),
    ("ever", "ни разу"),
    (
        "it unpacks the newest into a temporary folder and reads its database; nothing is changed",
        "команда распакует последнюю копию во временную папку и прочитает её базу; ничего не изменится",
    ),
    // Callbacks.
    ("none is set", "не задан"),
    ("how many wait, only a running server tells", "сколько их ждёт, скажет только работающий сервер"),
    (
        "{} callbacks wait, and the settings no longer name a receiver.",
        "Ждут отправки обратные вызовы: {}, а получатель из настроек убран.",
    ),
    ("name the receiver again, and they are sent", "укажите получателя снова, и они уйдут"),
    (
        "{} callbacks wait: the receiver has not accepted them.",
        "Ждут отправки обратные вызовы: {}. Получатель их не принимает.",
    ),
    (
        "they are retried at growing intervals; check the receiver",
        "попытки повторяются всё реже; проверьте получателя",
    ),
    // The clock.
    ("{} s from this one", "{} с относительно этих"),
    ("no account could ask Telegram for its time", "ни один аккаунт не смог спросить у Telegram время"),
    (
        "deadlines, backoffs and logs go by this clock",
        "по этим часам считаются сроки, паузы и записи журнала",
    ),
    ("The clock is {} behind Telegram's.", "Часы отстают от часов Telegram на {}."),
    ("The clock is {} ahead of Telegram's.", "Часы спешат относительно часов Telegram на {}."),
    ("The clock says {}, which is in the past.", "На часах {}, а это давно прошло."),
    (
        "The database was written at {}, which is in the future by this clock.",
        "База данных записана {}, а по этим часам такое время ещё не наступило.",
    ),
    // The disk.
    ("the disk of {} does not say how full it is: {}", "не удалось узнать, сколько места на диске {}: {}"),
    ("{} free of {}", "свободно {} из {}"),
    ("nothing new is accepted until there is more", "пока места не прибавится, новое не принимается"),
    ("below 64 MiB nothing new is accepted", "когда останется меньше 64 MiB, новое приниматься не будет"),
    ("Only {} free on the disk of {}: {}.", "Осталось {} на диске {}: {}."),
    (
        "free some space on that disk; nothing has to be restarted",
        "освободите место на этом диске; перезапускать ничего не нужно",
    ),
    ("Only {} more files can be made on the disk of {}.", "Ещё столько файлов можно создать: {}. Диск: {}."),
    (
        "delete files that are not needed: there is space, but no free inodes",
        "удалите ненужные файлы: место есть, но кончились inode",
    ),
    // Errors.
    ("once within {}, last {}: {}", "1 раз за {}, последний {}: {}"),
    ("{} times within {}, last {}: {}", "раз: {} за {}, последний {}: {}"),
    ("none within {}", "ни одной за {}"),
    (
        "there are too many log lines; the older ones were left out",
        "записей журнала слишком много; старые не учтены",
    ),
    (
        "{} blocks of log lines cannot be read: they are damaged on disk",
        "не читаются блоки журнала: {}; они повреждены на диске",
    ),
    ("no log lines are kept in {}", "в {} нет журнала"),
    ("the logs in {} cannot be read: {}", "журнал в {} не читается: {}"),
    // Files.
    (
        "{} belongs to another user than the data directory; the server may not be able to open it.",
        "{} принадлежит не тому пользователю, что каталог данных; сервер может его не открыть.",
    ),
    ("owner {} instead of {}", "владелец {} вместо {}"),
    ("everyone on this machine", "всем на этой машине"),
    ("its group", "своей группе"),
    ("{} is open to {}.", "{} открыт {}."),
    ("mode {}", "права {}"),
    // Memory.
    (
        "the memory of the server's process is not visible to this user",
        "этому пользователю не видно, сколько памяти занимает сервер",
    ),
    ("none", "нет"),
    (
        "The server uses {} % of the memory that the system allows it.",
        "Сервер занял {} % памяти, которую ему разрешает система.",
    ),
    (
        "raise MemoryMax in its unit, then run: systemctl daemon-reload && systemctl restart switchboard",
        "увеличьте MemoryMax в файле службы и выполните: systemctl daemon-reload && systemctl restart switchboard",
    ),
    (
        "The system killed processes of the server for lack of memory, {} so far.",
        "Системе не хватило памяти, и она завершила процессы сервера, всего: {}.",
    ),
    // The network.
    ("its name cannot be resolved: {}", "имя не находится в DNS: {}"),
    ("the connection timed out", "соединение не установлено вовремя"),
    ("Telegram's data centre {}", "дата-центр Telegram {}"),
    ("the proxy of {}", "прокси аккаунта {}"),
    ("the API of {}", "API провайдера {}"),
    ("the receiver of invite callbacks", "получатель обратных вызовов"),
    ("the alert target {}", "получатель оповещений {}"),
    ("{} more addresses were not tried: there are too many", "не проверены ещё адреса: {}; их слишком много"),
    ("{}: reached in {} ms", "{}: ответ за {} мс"),
    ("look at the network", "проверьте сеть"),
    ("Telegram's data centres {} cannot be reached.", "Недоступны дата-центры Telegram: {}."),
    (
        "look at the name, and at the name servers in /etc/resolv.conf",
        "проверьте имя и серверы DNS в /etc/resolv.conf",
    ),
    (
        "look at the firewall's rules for outgoing connections and at the network; where Telegram is blocked, give accounts a proxy",
        "проверьте сеть и правила исходящих соединений; если Telegram заблокирован, задайте аккаунтам прокси",
    ),
    ("start that proxy, or name another one for {}", "запустите этот прокси или укажите для {} другой"),
    (
        "look at the firewall's rules for outgoing connections and at the network; if {} has its own `api`, check that too",
        "проверьте сеть и правила исходящих соединений; если у {} свой `api`, проверьте и его",
    ),
    (
        "start the receiver, or name another address; callbacks wait meanwhile",
        "запустите получателя или укажите другой адрес; обратные вызовы пока подождут",
    ),
    (
        "start what listens for {}, or give it another address; alerts wait for a week",
        "запустите программу, которая принимает оповещения для {}, или укажите другой адрес; оповещения ждут неделю",
    ),
    (
        "start what listens for it first, or take it out with `switchboard alert targets remove {}` and add it with another address; alerts wait for a week",
        "сначала запустите программу-получатель или удалите его командой `switchboard alert targets remove {}` и добавьте с другим адресом; оповещения ждут неделю",
    ),
    ("Telegram's data centre {} cannot be reached at {}.", "Дата-центр Telegram {} недоступен по адресу {}."),
    ("The proxy of {} cannot be reached at {}.", "Прокси аккаунта {} недоступен по адресу {}."),
    ("The API of {} cannot be reached at {}.", "API {} недоступен по адресу {}."),
    (
        "The receiver of invite callbacks cannot be reached at {}.",
        "Получатель обратных вызовов недоступен по адресу {}.",
    ),
    ("The alert target {} cannot be reached at {}.", "Получатель оповещений {} недоступен по адресу {}."),
    ("named by the webhooks {}", "указан в вебхуках {}"),
    ("no name server answered in time", "ни один сервер DNS не ответил вовремя"),
    (
        "alert targets that were made while the server ran were not tried: {}",
        "не проверены получатели оповещений, созданные на ходу: {}",
    ),
    ("what it answers is not HTTP", "отвечает не по HTTP"),
    ("no answer within {} s", "нет ответа за {} с"),
    // Ports.
    (
        "the processes on some ports are not visible to this user; run it as root to see all",
        "этому пользователю не видно, кто занял часть портов; от имени root видно всё",
    ),
    ("not tried yet", "ещё не проверен"),
    ("listening, answered in {} ms", "слушает, ответил за {} мс"),
    ("listening since {}", "слушает с {}"),
    ("{} takes connections and does not answer.", "{} принимает соединения, но не отвечает."),
    (
        "waiting messages are kept; save the log for the bug report",
        "ожидающие сообщения не пропадут; сохраните журнал для сообщения об ошибке",
    ),
    ("{} is taken by another program.", "{} занят другой программой."),
    ("The system does not let the server listen on {}.", "Система не даёт серверу слушать {}."),
    (
        "name an address of this machine that this user may listen on",
        "укажите адрес этой машины, который этому пользователю разрешено слушать",
    ),
    ("free", "свободен"),
    (
        "{} is taken by a process that is not visible to this user.",
        "{} занят процессом, который этому пользователю не виден.",
    ),
    (
        "root sees which one; or choose another port in the settings",
        "от имени root видно, каким; или выберите в настройках другой порт",
    ),
    ("an old script", "старым скриптом"),
    ("another server of this program", "другим сервером этой программы"),
    ("a foreign program", "чужой программой"),
    (
        "give each server its own ports, or stop the one that is not needed",
        "дайте каждому серверу свои порты или остановите лишний",
    ),
    ("{} is taken by {}: process {}.", "{} занят {}: процесс {}."),
    (
        "choose another port here; that program is not ours to stop",
        "выберите другой порт; та программа чужая, останавливать её не нам",
    ),
    ("port {}", "порт {}"),
    ("control socket", "управляющий сокет"),
    ("A foreign program listens nearby, on {}.", "Рядом работает чужая программа, порт {}."),
    // Processes.
    ("old scripts running", "работает старых скриптов"),
    ("it listens on {}", "слушает {}"),
    ("it has {} open", "открыт файл {}"),
    (
        "Process {} of an old script runs unsupervised: the program that started it is gone.",
        "Процесс {} старого скрипта работает без присмотра: запустившей его программы больше нет.",
    ),
    ("{} (process {})", "{} (процесс {})"),
    (
        "An old script runs as process {}, started by {}.",
        "Работает старый скрипт: процесс {}, его запустил {}.",
    ),
    (
        "{} (process {}) started it and may start it again; end that first if it does",
        "его запустил {} (процесс {}) и может запустить снова; тогда сначала завершите эту программу",
    ),
    ("process {}: {}, since {}", "процесс {}: {}, с {}"),
    ("process {}: {}", "процесс {}: {}"),
    // The program.
    ("this program", "эта программа"),
    ("data directory", "каталог данных"),
    ("version {}, process {}, up for {} (since {})", "версия {}, процесс {}, работает {} (с {})"),
    ("version {}", "версия {}"),
    (
        "A process holds the data directory and does not answer.",
        "Каталог данных занят процессом, который не отвечает.",
    ),
    (
        "Process {} holds the data directory and does not answer.",
        "Каталог данных занят процессом {}, который не отвечает.",
    ),
    (
        "if it does not run as a service, stop it with Ctrl+C or SIGTERM and start it again",
        "если это не служба, остановите процесс (Ctrl+C или SIGTERM) и запустите снова",
    ),
    ("no answer on its control socket", "управляющий сокет не отвечает"),
    (
        "No server runs on this data directory; one did before.",
        "С этим каталогом данных сервер работал, а сейчас не работает.",
    ),
    ("No server has run on this data directory yet.", "С этим каталогом данных сервер ещё не работал."),
    (
        "`switchboard service install` lets systemd run it, now and at boot, and restart it when it stops",
        "`switchboard service install` поручит запуск systemd: сейчас, при загрузке системы и после сбоя",
    ),
    (
        "The server runs version {}, this program is version {}.",
        "Работает сервер версии {}, а эта программа версии {}.",
    ),
    ("the new version is used after the restart", "новая версия заработает после перезапуска"),
    ("the examination broke down: {}", "проверка прервалась: {}"),
    // The queue.
    ("messages waiting", "сообщений ждёт"),
    ("A message has waited for {}.", "Сообщение ждёт уже {}."),
    (
        "a message waits while no account can send it",
        "сообщение ждёт, пока ни один аккаунт не может его отправить",
    ),
    (
        "The service {} was stopped by hand: it accepts and sends nothing.",
        "Служба {} остановлена вручную: она ничего не принимает и не отправляет.",
    ),
    (
        "The outcome of {} messages and {} operations is unknown.",
        "Исход неизвестен: сообщений {}, операций {}.",
    ),
    (
        "look into each chat and resolve them on the dashboard's page In doubt, or with GET /v1/messages?state=in_doubt and POST /v1/messages/{id}/resolve",
        "проверьте каждый чат и решите на странице «Под вопросом»",
    ),
    ("{} requests failed and are kept.", "Неудачные запросы ждут решения: {}."),
    (
        "Callers ask for more than {} chats that no account is in.",
        "Запросы называют чаты, где нет ни одного аккаунта: больше {}.",
    ),
    (
        "Callers ask for {} chats that no account is in.",
        "Запросы называют чаты, где нет ни одного аккаунта: {}.",
    ),
    (
        "it shows who asks; fix the scenario, or add an account to the chat",
        "команда покажет, кто спрашивает; исправьте сценарий или добавьте аккаунт в чат",
    ),
    // Sessions.
    ("named in the settings", "названо в настройках"),
    ("{} sessions belong to no account.", "Сессий без аккаунта: {}."),
    (
        "give each to an account with `switchboard account assign`",
        "передайте каждую аккаунту командой `switchboard account assign`",
    ),
    (
        "{} processes do not show their open files to this user; run it as root to see all",
        "этому пользователю не видно, какие файлы открыли процессы: {}; от имени root видно всё",
    ),
    ("The session file of {} is missing: {}.", "Нет файла сессии аккаунта {}: {}."),
    ("The session of {} cannot be used: {}.", "Сессией аккаунта {} нельзя пользоваться: {}."),
    (
        "or put the file back and run `switchboard account restart {}`",
        "или верните файл и выполните `switchboard account restart {}`",
    ),
    ("{} is a session that no account uses.", "{}: этой сессией не пользуется ни один аккаунт."),
    ("Telegram says whose it is when it is imported", "чья она, Telegram скажет при импорте"),
    (
        "One session is in {} files: used from two of them, Telegram ends it for good.",
        "Одна сессия лежит в нескольких файлах ({}): если использовать её из двух, Telegram завершит её навсегда.",
    ),
    (
        "keep one and move the others where no program opens them",
        "оставьте один файл, остальные уберите туда, где их не откроет ни одна программа",
    ),
    (
        "find out what these programs are, and let only one of them use it; or give each its own session",
        "выясните, что это за программы, и оставьте сессию одной из них или дайте каждой свою",
    ),
    (
        "{} is open in {} program beside this server; Telegram ends a session that two use at once.",
        "{} открыт ещё и другой программой ({}); Telegram завершает сессию, которой пользуются двое.",
    ),
    (
        "{} is open in {} programs beside this server; Telegram ends a session that two use at once.",
        "{} открыт ещё и другими программами ({}); Telegram завершает сессию, которой пользуются двое.",
    ),
    (
        "{} is open in {} program; Telegram ends a session that two use at once.",
        "{} открыт программой ({}); Telegram завершает сессию, которой пользуются двое.",
    ),
    (
        "{} is open in {} programs; Telegram ends a session that two use at once.",
        "{} открыт сразу в нескольких программах ({}); Telegram завершает сессию, которой пользуются двое.",
    ),
    ("account {}", "аккаунт {}"),
    ("session {}", "сессия {}"),
    ("service {}", "служба {}"),
    ("webhook {}", "вебхук {}"),
    // Settings.
    (
        "none; the defaults and the environment apply",
        "нет; действуют значения по умолчанию и переменные окружения",
    ),
    ("fix each line", "исправьте каждую строку"),
    ("fix each line before the next restart", "исправьте каждую строку до следующего перезапуска"),
    (
        "the server has read them; to compare, run this with the environment of the service",
        "сервер их прочитал; чтобы сравнить, запустите команду с окружением службы",
    ),
    ("The settings cannot be read here.", "Настройки отсюда не читаются."),
    (
        "The server runs with settings that differ from the current ones.",
        "Сервер работает не с теми настройками, что записаны сейчас.",
    ),
    (
        "they apply after a restart; if the server was started with another file, name it with --config",
        "они подействуют после перезапуска; если сервер запущен с другим файлом, укажите его в --config",
    ),
    ("callers named by untrusted proxies", "запросы через прокси без доверия"),
    (
        "Port {} is pinned to the account {}, which the settings do not have.",
        "Порт {} закреплён за аккаунтом {}, которого нет в настройках.",
    ),
    ("or pin the port to another account", "или закрепите порт за другим аккаунтом"),
    (
        "Requests come through a proxy that the settings do not trust: all who come through it count as one caller, wrong passwords of one slow down all, and the dashboard's cookie is not limited to TLS.",
        "Запросы идут через прокси, которому настройки не доверяют: все, кто приходит через него, считаются одним адресом, ошибки одного в пароле задерживают всех, а cookie панели не ограничен TLS.",
    ),
    (
        "write the proxy's address, such as [\"127.0.0.1/32\"] for one on this machine, and restart; if you have no proxy, find out which program on this machine or in its network sends such headers",
        "укажите адрес прокси, например [\"127.0.0.1/32\"] для прокси на этой машине, и перезапустите; если прокси нет, выясните, какая программа здесь или в сети шлёт такие заголовки",
    ),
    (
        "{} requests from this machine or a private network, {} from elsewhere, with X-Forwarded-For or Forwarded, the last at {}",
        "запросов с этой машины или из частной сети: {}, извне: {}, с X-Forwarded-For или Forwarded, последний {}",
    ),
    (
        "{} requests from this machine or a private network, {} from elsewhere, with X-Forwarded-For or Forwarded",
        "запросов с этой машины или из частной сети: {}, извне: {}, с X-Forwarded-For или Forwarded",
    ),
    // The store.
    ("{}, its log {}, schema {}", "{}, журнал базы {}, схема {}"),
    ("{}, its log {}", "{}, журнал базы {}"),
    ("none yet; it is made at the first start", "пока нет; появится при первом запуске"),
    (
        "The database has schema {}, this program has {}; the next start updates it.",
        "Схема базы данных {}, а у этой программы {}; при следующем запуске база обновится.",
    ),
    (
        "an older program will then refuse it: copy the data directory first if you may want to go back",
        "старая программа её после этого не откроет: если, возможно, придётся вернуться, сначала скопируйте каталог данных",
    ),
    (
        "the database is large and was not checked in full; sqlite3's `PRAGMA quick_check` does that",
        "база данных большая и проверена не целиком; целиком проверит `PRAGMA quick_check` в sqlite3",
    ),
    (
        "The database takes no writes, so nothing new is accepted.",
        "База данных не записывается, поэтому новое не принимается.",
    ),
    ("The database does not answer the server.", "База данных не отвечает серверу."),
    (
        "check first that the disk works and that no other program has the database open; waiting messages are kept",
        "сначала проверьте, что диск исправен и базу не открыла другая программа; ожидающие сообщения не пропадут",
    ),
    ("The database cannot be used: {}.", "Базой данных нельзя пользоваться: {}."),
    ("the log of the server says more", "подробности в журнале сервера"),
    ("another process has it", "её занял другой процесс"),
    ("nothing was written within {} s", "запись не удалась за {} с"),
    // Units.
    ("ours", "наша"),
    ("an old script's", "старого скрипта"),
    ("started at boot", "запускается при загрузке"),
    ("not started at boot", "не запускается при загрузке"),
    ("its own", "свой"),
    ("{}, {}, restart: {}, user: {}", "{}, {}, перезапуск: {}, пользователь: {}"),
    ("none of this program, none of the old scripts", "нет ни этой программы, ни старых скриптов"),
    (
        "it shows what changes; it does not touch a unit that it did not write, so move {} away first; if the data are not below /var/lib, name their user with --user",
        "команда покажет, что изменится; чужой файл службы она не трогает, поэтому сначала уберите {}; если данные не в /var/lib, укажите их пользователя в --user",
    ),
    ("{} is not started again after a crash.", "{}: после сбоя служба не запускается снова."),
    ("{}: Restart={}", "{}: Restart={}"),
    ("{} runs as root without need.", "{} без нужды работает от имени root."),
    ("{}: no User=, no DynamicUser=", "{}: нет ни User=, ни DynamicUser="),
    (
        "{} starts an old script at the next boot, which takes a port of the settings.",
        "{} запустит при следующей загрузке старый скрипт, и тот займёт порт из настроек.",
    ),
    (
        "{} has no WorkingDirectory, and its script names sessions relative to it: it looks for them in /.",
        "{}: не задан WorkingDirectory, а скрипт называет сессии относительно него и ищет их в /.",
    ),
    (
        "when importing its sessions, name the files where they are",
        "при импорте его сессий указывайте файлы там, где они лежат",
    ),
    (
        "its first lines after a start say why it stops; a taken port never stops it",
        "почему она останавливается, сказано в первых строках после запуска; из-за занятого порта она не останавливается",
    ),
    ("the journal counts {} restarts, the last at {}", "перезапусков по журналу системы: {}, последний {}"),
    ("its process {}", "процесс: {}"),
    ("it reports that its address is already in use", "сообщает, что адрес уже занят"),
    (
        "The foreign unit {} is in a crash loop: started again {} times.",
        "Чужая служба {} раз за разом падает: перезапусков {}.",
    ),
    (
        "The foreign unit {} was in a crash loop: started again {} times.",
        "Чужая служба {} раз за разом падала: перезапусков {}.",
    ),
    ("{} is in a crash loop: started again {} times.", "{} раз за разом падает: перезапусков {}."),
    ("{} was in a crash loop: started again {} times.", "{} раз за разом падала: перезапусков {}."),
    // What could not be seen.
    ("only a running server tells this", "это скажет только работающий сервер"),
    ("the settings cannot be read", "настройки не читаются"),
    ("it was not asked for", "проверка не заказана"),
    ("no answer", "нет ответа"),
    // Names of facts, and what is said of them.
    ("folder", "папка"),
    ("newest", "последняя"),
    ("next", "следующая"),
    ("put back", "восстановлена"),
    ("invite callback", "обратный вызов с приглашением"),
    ("waiting", "ждут"),
    ("now", "сейчас"),
    ("Telegram's clock", "часы Telegram"),
    ("errors", "ошибки"),
    ("more kinds", "других видов"),
    ("other", "прочие"),
    ("files looked at", "проверено файлов"),
    ("server", "сервер"),
    ("limit", "предел"),
    ("file", "файл"),
    ("database", "база данных"),
    ("store", "база данных"),
    ("units", "службы systemd"),
    ("webhooks", "вебхуки"),
    ("backups", "резервные копии"),
    ("queue", "очередь"),
    ("chats", "чаты"),
    ("clock", "часы"),
    ("accounts", "аккаунты"),
    ("sessions", "сессии"),
    ("environment", "переменные окружения"),
    ("settings", "настройки"),
    ("chats and users known", "известно чатов и людей"),
    ("{}, tried {}", "{}, проверена {}"),
    ("{}, broken", "{}, повреждена"),
    ("{}, never tried", "{}, не проверялась"),
    ("{} since {}", "{} с {}"),
    ("{} d {} h", "{} д {} ч"),
    ("{} h {} min", "{} ч {} мин"),
    ("{} min {} s", "{} мин {} с"),
    ("{} s", "{} с"),
];

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::doctor_in_russian;
    use super::super::source::sentences_in;

    /// Parts of sentences that are put together in the source: their wholes are in the table.
    const PARTS: &[&str] = &[
        "node shop.js",
        "python3 send.py",
        "is paused",
        "is stopped",
        "must wait: Telegram asked it to",
        "does not work",
        "is restricted by Telegram",
        "has no session that works",
        "was closed by Telegram",
        "ahead of",
        "The account {name} {what}.",
        "The clock is {} {side} Telegram's.",
        "Process {pid}",
        "{who} holds the data directory and does not answer.",
        "Callers ask for {more}{} chats that no account is in.",
        "more than ",
        "{} is open in {} program{}{with}; Telegram ends a session that two use at once.",
        "{kind}{name} {verb} in a crash loop: started again {count} times.",
        "The foreign unit ",
        "{} cannot be reached at {}.",
        "{} sessions of the old scripts are not here yet{more}.",
        "{count} times",
        "{advice}; then {words}",
        "api_id {api_id}",
        "{near} requests from this machine or a private network, {far} from elsewhere, with X-Forwarded-For or Forwarded{last}",
        "{shown}: Restart={}",
        "{times} within {within}, last {}: {last}",
        "{words}; {advice}",
    ];

    #[test]
    fn every_sentence_of_the_doctor_is_known_in_russian() {
        let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ops/src");
        let places = ["doctor/check", "doctor/gather", "doctor/examine.rs", "legacy/difference.rs"]
            .map(|place| ops.join(place));
        let sentences = sentences_in(&places.each_ref().map(PathBuf::as_path));
        assert!(sentences.len() > 150, "{}", sentences.len());
        let unknown: Vec<_> = sentences
            .iter()
            .filter(|sentence| !PARTS.contains(&sentence.as_str()))
            .filter(|sentence| {
                let filled = sentence.replace("{}", "X1").replace(['{', '}'], "");
                let told =
                    doctor_in_russian(&filled).or_else(|| doctor_in_russian(sentence)).unwrap_or_default();
                !told.chars().any(|letter| ('а'..='я').contains(&letter))
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
    }
}
