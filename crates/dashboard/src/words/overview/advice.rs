//! What to do about a card, in a sentence.

use domain::account::Reason;
use health::Advice;

use super::OverviewWords;

impl OverviewWords {
    pub(crate) fn advice(&self, advice: Advice) -> &'static str {
        let (english, russian) = match advice {
            Advice::Account(reason) => of_account(reason),
            Advice::WaitForDeadline => (
                "Telegram named a deadline and this account keeps to it. It goes on by itself; messages of its chats wait \
                 or go through another account.",
                "Telegram назвал срок, и аккаунт его соблюдает. Потом он продолжит сам; сообщения его чатов ждут или идут через \
                 другой аккаунт.",
            ),
            Advice::WaitOrAddAnAccount => (
                "Telegram asked every account that could do this to wait. It goes on by itself when the first of them is \
                 free; until then nothing of this kind leaves, unless another account is added.",
                "Telegram требует ждать от всех аккаунтов, которые могли бы это сделать. Работа продолжится сама, когда \
                 освободится первый; до тех пор ничего такого не уходит, если не добавить ещё один аккаунт.",
            ),
            Advice::Resume => (
                "It was paused by hand: it stays connected and gets no work.",
                "Приостановлен вручную: остаётся на связи, но работы не получает.",
            ),
            Advice::Start => (
                "It was stopped by hand. It accepts nothing new; what is in its queue keeps waiting.",
                "Остановлено вручную. Новое не принимается; то, что в очереди, ждёт дальше.",
            ),
            Advice::MendAnAccount => (
                "None of its accounts can do this now. Bring one back to work, or add another.",
                "Ни один из аккаунтов сейчас этого не может. Верните в строй один из них или добавьте новый.",
            ),
            Advice::RestartTheProgram => (
                "Work is waiting and an account is ready, but nothing starts. Restart the program; the log shows what it was doing.",
                "Работа ждёт, аккаунт готов, но ничего не начинается. Перезапустите программу; в журнале видно, чем она занята.",
            ),
            Advice::FreeThePort => (
                "Another program has the port. Stop that program if it is yours, or name another port in the settings; this one \
                 is tried again every few seconds.",
                "Порт занят другой программой. Остановите её, если она ваша, или укажите в настройках другой порт; этот пробуется \
                 снова каждые несколько секунд.",
            ),
            Advice::MendTheAddress => (
                "The system refuses the address. It is in the settings: listen or legacy.ports.",
                "Система не даёт этот адрес. Он указан в настройках: listen или legacy.ports.",
            ),
            Advice::LookIntoTheLog => (
                "The port accepts connections but does not answer. The log says why; restarting the program frees it.",
                "Порт принимает соединения и не отвечает. Причина в журнале; перезапуск программы его освободит.",
            ),
            Advice::FreeDisk => (
                "The disk of the data directory is nearly full, so nothing new is accepted. Free some space; it goes on by itself.",
                "Диск с каталогом данных почти полон, поэтому новое не принимается. Освободите место — дальше всё пойдёт само.",
            ),
            Advice::MendTheStore => (
                "The database does not answer. Check the disk and the log; diagnostics shows what can be seen from outside.",
                "База данных не отвечает. Посмотрите на диск и в журнал; в диагностике видно то, что видно снаружи.",
            ),
            Advice::RepairTheRow => (
                "A row of the database cannot be read. What it belongs to waits, and everything else goes on. Repair the \
                 row, or put a backup back; after that the work goes on by itself.",
                "Одна запись базы данных не читается. Связанная с ней работа ждёт, остальное идёт как обычно. Исправьте \
                 запись или восстановите резервную копию — дальше работа пойдёт сама.",
            ),
            Advice::PauseTheAccount => (
                "It is connected, but its calls fail. Pause it so that others do its work, or restart it; what it has begun, it keeps retrying itself.",
                "Соединение есть, но вызовы не удаются. Приостановите аккаунт, чтобы его работу взяли другие, или \
                 перезапустите; то, что он уже начал, он пробует дальше сам.",
            ),
            Advice::WaitForClearing => (
                "Flood waits are being cleared; it starts again by itself.",
                "Сбрасывается ожидание; всё запустится само.",
            ),
        };
        self.language.of(english, russian)
    }
}

const fn of_account(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::NoSession => (
            "It has no usable session. Sign in, or import a session file.",
            "У него нет пригодной сессии. Войдите или импортируйте файл сессии.",
        ),
        Reason::SessionRevoked => (
            "Telegram ended this session from another device. Sign in again; its chats go out through others meanwhile.",
            "Сессию завершили с другого устройства. Войдите снова; его чаты пока обслуживают другие.",
        ),
        Reason::AuthKeyDuplicated => (
            "The session was used from two places at once, so Telegram ended it. Find the other program first (diagnostics \
             shows it), then sign in again.",
            "Сессию использовали из двух мест сразу, и Telegram её завершил. Сначала найдите другую программу (её покажет \
             диагностика), затем войдите снова.",
        ),
        Reason::KeyUnknown => (
            "Telegram does not know the key of this session. Sign in again.",
            "Telegram не знает ключа этой сессии. Войдите снова.",
        ),
        Reason::Banned | Reason::Deactivated => (
            "Telegram has closed this account. Write to recover@telegram.org from its phone, or let another account take its place.",
            "Telegram закрыл этот аккаунт. Напишите на recover@telegram.org с его телефона или замените его другим.",
        ),
        Reason::Frozen => (
            "Telegram has frozen this account: it reads and cannot write. In the app, the chat with Telegram says how to appeal.",
            "Telegram заморозил аккаунт: он читает, но не пишет. Как обжаловать, сказано в приложении, в чате с Telegram.",
        ),
        Reason::PeerFlood => (
            "Telegram lets it write only to people who know it. It goes on with known chats; @SpamBot says until when.",
            "Telegram разрешает ему писать только знакомым. Известные чаты работают; срок скажет @SpamBot.",
        ),
        Reason::NoAnswer => (
            "It is connected, but its calls get no answer. It reconnects by itself; restarting the account does so at once.",
            "Соединение есть, но вызовы остаются без ответа. Оно восстановится само; перезапуск аккаунта сделает это сразу.",
        ),
        Reason::Unreachable => (
            "Telegram cannot be reached. Check the network or the proxy of this account; it keeps trying.",
            "Telegram недоступен. Проверьте сеть или прокси этого аккаунта; попытки продолжаются.",
        ),
        Reason::WrongUser => (
            "The session belongs to another person than this account. Give that session an account of its own, and sign in here.",
            "Сессия принадлежит другому человеку. Заведите для неё отдельный аккаунт, а здесь войдите заново.",
        ),
        Reason::Other => (
            "Something unusual went wrong; it is retried. The log has more.",
            "Произошло что-то необычное; попытки продолжаются. Подробности в журнале.",
        ),
    }
}
