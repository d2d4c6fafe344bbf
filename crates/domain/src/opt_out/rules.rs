//! The rules: a few words in a row, and how much each rule says.

use std::collections::HashMap;
use std::sync::LazyLock;

/// How much a rule says, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It opts out, whatever stands around it.
    Explicit,
    /// It opts out if it says all. With other words around it, a person judges.
    Clear,
    /// It opts out if it says all, else it says something else.
    Alone,
    /// If it says all, a person judges.
    Unclear,
    /// It opts out if it says all of the message, and says something else in a part of one.
    Whole,
    /// With it a person judges, whatever else is said.
    Concern,
    /// It says why, and nothing by itself.
    Reason,
    /// It takes an earlier refusal back.
    Again,
}

/// Words in a row.
pub(super) struct Rule {
    pub(super) weight: Weight,
    words: Vec<Element>,
}

enum Element {
    /// One of these words; whether it may be missing.
    Word(Vec<Shape>, bool),
    /// Up to two words of any kind.
    Gap,
}

struct Shape {
    letters: &'static str,
    /// Whether more letters may follow.
    is_stem: bool,
}

impl Rule {
    /// After how many words of a message the rule ends, if it begins at this word.
    pub(super) fn ends(&self, words: &[&str], start: usize) -> Vec<usize> {
        let mut ends = vec![start];
        for element in &self.words {
            let mut next = Vec::new();
            for end in ends {
                match element {
                    Element::Gap => next.extend(end..=(end + 2).min(words.len())),
                    Element::Word(shapes, may_miss) => {
                        let fits = |word: &&&str| shapes.iter().any(|shape| shape.fits(word));
                        next.extend(may_miss.then_some(end));
                        next.extend(words.get(end).filter(fits).map(|_| end + 1));
                    }
                }
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
        }
        ends.retain(|end| *end > start);
        ends
    }

    /// What its first word may be: words before it may be missing.
    fn beginnings(&self) -> impl Iterator<Item = &Shape> {
        let mut may_begin = true;
        let elements = self.words.iter().take_while(move |element| {
            let takes = may_begin;
            may_begin &= matches!(element, Element::Word(_, true));
            takes
        });
        elements.flat_map(|element| match element {
            Element::Word(shapes, _) => shapes.as_slice(),
            Element::Gap => &[],
        })
    }

    fn of(weight: Weight, line: &'static str) -> Self {
        let words = line.split_whitespace().map(|element| {
            if element == "~" {
                return Element::Gap;
            }
            let (element, may_miss) = element.strip_suffix('?').map_or((element, false), |rest| (rest, true));
            // Both are said.
            let element = if element == "не" { "не|ни" } else { element };
            let shapes = element.split('|').flat_map(named).map(|letters| Shape {
                letters: letters.trim_end_matches('*'),
                is_stem: letters.ends_with('*'),
            });
            Element::Word(shapes.collect(), may_miss)
        });
        Self { weight, words: words.collect() }
    }
}

impl Shape {
    fn fits(&self, word: &str) -> bool {
        if self.is_stem { word.starts_with(self.letters) } else { word == self.letters }
    }
}

/// The words of a list that has a name, or the word itself.
fn named(word: &'static str) -> Vec<&'static str> {
    match LISTS.iter().find(|(name, _)| *name == word) {
        Some((_, list)) => list.split_whitespace().collect(),
        None => vec![word],
    }
}

fn all() -> &'static [Rule] {
    static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let weighted = [
            (Weight::Explicit, EXPLICIT),
            (Weight::Clear, CLEAR),
            (Weight::Alone, ALONE),
            (Weight::Unclear, UNCLEAR),
            (Weight::Whole, WHOLE),
            (Weight::Concern, CONCERN),
            (Weight::Reason, REASON),
            (Weight::Again, AGAIN),
        ];
        let read = |(weight, text): (Weight, &'static str)| {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.map(move |line| Rule::of(weight, line))
        };
        weighted.into_iter().flat_map(read).collect()
    });
    &RULES
}

/// The rules that may begin with a word.
pub(super) fn beginning_with(word: &str) -> impl Iterator<Item = &'static Rule> {
    static INDEX: LazyLock<HashMap<char, Vec<(&'static Shape, usize)>>> = LazyLock::new(|| {
        let mut index = HashMap::<char, Vec<(&'static Shape, usize)>>::new();
        for (place, rule) in all().iter().enumerate() {
            for shape in rule.beginnings() {
                if let Some(first) = shape.letters.chars().next() {
                    index.entry(first).or_default().push((shape, place));
                }
            }
        }
        index
    });
    let known = word.chars().next().and_then(|first| INDEX.get(&first));
    let mut places: Vec<usize> =
        known.into_iter().flatten().filter(|(shape, _)| shape.fits(word)).map(|(_, place)| *place).collect();
    places.dedup();
    places.into_iter().filter_map(|place| all().get(place))
}

/// Lists of words that rules name.
const LISTS: [(&str, &str); 17] = [
    ("МНЕ", "мне меня нам нас мня миня"),
    ("НОМЕР", "номер номера телефон* почту адрес контакт* данные емейл email имейл"),
    ("СПИСОК", "рассыл* баз* списк* список подпис* реестр* crm"),
    ("БАЗА", "рассыл* баз* подпис* реестр* crm"),
    ("РЕКЛАМА", "реклам* рассыл* спам* промо"),
    (
        "СООБЩЕНИЯ",
        "реклам* рассыл* спам* смс sms смск* эсэмэс* сообщени* уведомл* оповещ* письм* писем предложени* акци* новост* звонк* промо",
    ),
    (
        "ПИСАТЬ",
        "пишите пиши писать пишити пищите беспокойте беспокоить беспокой тревожьте тревожить тревожь дергайте дергать слать шлите шли спамьте спамить донимайте доставайте",
    ),
    (
        "СЛАТЬ",
        "присылайте присылать присылай высылайте высылать отправляйте отправлять отправляй шлите слать шли рассылайте рассылать пишите писать",
    ),
    ("ПРИСЫЛАТЬ", "присылайте присылать присылай шлите слать шли рассылайте рассылать пишите писать"),
    (
        "ХВАТИТ",
        "хватит перестаньте перестань прекратите прекрати прекращайте харе хорош кончайте заканчивайте завязывайте завязывай стоп",
    ),
    (
        "ОТМЕНИТЬ",
        "отмените отменить отмени отказаться отказываюсь откажусь отказ отключите отключить отключи выключите выключить прекратите прекратить остановите остановить уберите убрать убери хватит стоп закончите прекращайте завязывайте",
    ),
    (
        "УДАЛИТЬ",
        "удалите удалить удали уберите убрать убери исключите исключить вычеркните вычеркнуть вычеркни снимите снять сотрите стереть выпишите выкиньте",
    ),
    ("НАДОЕЛИ", "надоел* достал* задолбал* заколебал* заебал* задрал* замучил* замотал* бесят бесит"),
    ("US", "me us"),
    (
        "MESSAGES",
        "message* text texts txt txts msg msgs dms email* mail mails ads ad advert* promo* spam newsletter* marketing sms notification* offers mailing* updates junk stuff crap shit garbage rubbish bullshit",
    ),
    (
        "TEXT",
        "text texting message messaging email emailing contact contacting spam spamming txt txting msg msging dm dming ping pinging bother bothering sms pester pestering harass harassing",
    ),
    (
        "SEND",
        "send sending text texting message messaging email emailing mail mailing contact contacting spam spamming txt txting msg msging dm dming ping pinging write writing bother bothering sms pester pestering harass harassing",
    ),
];

const EXPLICIT: &str = "
    отпишите|отпиши|отписать|отпишете меня|нас|мня|миня
    отпишите|отпиши|отписать|отпишете НОМЕР ~ БАЗА
    меня|нас отпишите|отпиши|отписать ~ СПИСОК
    отписаться|отписатся|отписываюсь|отписка|отписку|отпишусь ~ рассыл*
    УДАЛИТЬ МНЕ|НОМЕР ~ БАЗА
    УДАЛИТЬ ~ БАЗА МНЕ|НОМЕР
    не хочу|желаю|хотим|желаем|буду получать|видеть|читать|принимать ~ рассыл*|спам*
    ХВАТИТ МНЕ? спам*
    отзываю|отозвать ~ согласие ~ рассыл*|реклам*|получен*
    unsubscribe|unsub|unsuscribe|unsubcribe US
    unsubscribe|remove|delete my? email|number|address|phone ~ mailing*|newsletter*
    remove|take|delete|drop|strike|scrub US|number|email|address|phone|name ~ mailing*|database|newsletter*|distribution
    stop|quit|cease spamming US?
";

const CLEAR: &str = "
    УДАЛИТЬ МНЕ|номер|номера|телефон ~ СПИСОК
    УДАЛИТЬ ~ СПИСОК МНЕ|номер|номера|телефон
    УДАЛИТЬ рассыл*
    ОТМЕНИТЬ МНЕ? ~ рассыл* НОМЕР?
    не СЛАТЬ МНЕ? ~ РЕКЛАМА
    не надо|нужно мне? СЛАТЬ мне? ~ РЕКЛАМА
    unsubscribe|remove|delete my? email|number|address|phone list*
    remove|take|delete|drop|strike|scrub US ~ list*
    remove|take|delete|drop|strike|scrub number|email|address|phone|name off? list*
    меня|нас отписать
    где тут отписаться
    как ОТМЕНИТЬ|заблокировать мне? рассыл*|спам*
    как УДАЛИТЬ МНЕ|НОМЕР ~ СПИСОК?
    как УДАЛИТЬ себя ~ СПИСОК
    как отказаться получен*|получать? СООБЩЕНИЯ
    как перестать|прекратить получать СООБЩЕНИЯ
    как МНЕ? не получать СООБЩЕНИЯ
    как избавиться РЕКЛАМА
    не хочу|желаю|хотим|надо РЕКЛАМА
    не согласен|согласна|давал|давала ~ рассыл*|реклам*
    нет реклам*|рассыл*|спам*
    прекратите|прекратить отправку|рассылку|отправлять ~ СООБЩЕНИЯ
    откажитесь|заблокируйте ~ рассыл*
    unsubscribe number|all|newsletter*|email*|everything
    stop|no promotional|marketing|advertising|commercial MESSAGES
    dont|not send US promotional|marketing MESSAGES
    dont|not want|wish contacted|texted|messaged|emailed|called
    not consent ~ MESSAGES|contact*
    отписка|отписаться|отписатся|отписки рассыл*|МНЕ
    хочу|хотел|хотела|хотим|можно|нужно|надо|желаю|как|где|помогите|решил|решила МНЕ? отписаться|отписатся|отписать МНЕ? СООБЩЕНИЯ?
    не? можете|сможете|могли меня|нас|мня|миня отписать
    не? можете|сможете|могли отписать меня|нас|мня|миня
    не? можете|могли МНЕ не ПИСАТЬ
    не? можете|могли не ПИСАТЬ МНЕ
    не? можете|могли|можно МНЕ? не СЛАТЬ МНЕ? РЕКЛАМА
    можете|сможете|могли|можно меня|нас? отписать|удалить|исключить|убрать меня|нас? ~ СПИСОК
    не могу|получается|выходит|удается отписаться|отписатся СООБЩЕНИЯ?
    отписаться|отписатся ~ СООБЩЕНИЯ
    не ПИСАТЬ МНЕ
    МНЕ не ПИСАТЬ
    не надо|нужно|стоит|смейте МНЕ ПИСАТЬ
    не надо|нужно|стоит|смейте ПИСАТЬ мне
    мне не надо|нужно ПИСАТЬ
    не СЛАТЬ МНЕ? ~ РЕКЛАМА|смс|sms|сообщени*|уведомл*|предложени*|акци*
    оставьте|оставте|оставь МНЕ покое
    отстаньте|отстань|отвяжитесь|отвяжись|отцепитесь МНЕ
    УДАЛИТЬ меня|нас
    УДАЛИТЬ меня|нас контакт*
    хочу|хотел|хотела|хотим|можно|нужно|надо|требую? ОТМЕНИТЬ получен*|получать? СООБЩЕНИЯ
    хочу|хотел|хотела|хотим|можно|нужно|надо|требую|как удалиться|выйти|исключиться СПИСОК
    где|покажите|дайте|пришлите кнопка|кнопку|ссылка|ссылку отписаться|отписка|отписки|отписку|отпишите
    отпишитесь|отпишись|отвали|отвалите|отвянь|отвяньте|отцепись меня
    не хочу|желаю|хотим|желаем чтобы|что МНЕ? писали|звонили|слали|присылали|отправляли|беспокоили звонили|писали? МНЕ? СООБЩЕНИЯ?
    сделайте? чтобы МНЕ не писали|звонили|слали|присылали|отправляли|беспокоили|приходил* звонили|писали? СООБЩЕНИЯ?
    запрещаю МНЕ? ПИСАТЬ|СЛАТЬ|звонить ПИСАТЬ? МНЕ? СООБЩЕНИЯ?
    не разрешаю|разрешал|разрешала МНЕ? ПИСАТЬ|СЛАТЬ|звонить ПИСАТЬ? МНЕ? СООБЩЕНИЯ?
    запрещаю использовать|обрабатывать НОМЕР
    не разрешаю|разрешал|разрешала использовать|обрабатывать НОМЕР
    ХВАТИТ засорять|заваливать|засыпать МНЕ? ящик|почту|телефон СООБЩЕНИЯ?
    ХВАТИТ МНЕ? звонить|названивать писать|слать
    внесите|добавьте|занесите|поставьте МНЕ|НОМЕР черный|стоп список|лист
    не ПИСАТЬ МНЕ РЕКЛАМА
    отзываю|отозвать согласие обработку персональных? данных
    не хочу|желаю|хотим|желаем|хотел|хотела получать|видеть|читать|слышать|принимать ~ СООБЩЕНИЯ
    не нужн*|надо|интерес* мне? СООБЩЕНИЯ
    СООБЩЕНИЯ МНЕ? не нужн*|надо|интерес*
    МНЕ не нужн*|надо|интерес* СООБЩЕНИЯ
    ХВАТИТ МНЕ писать|слать|присылать|отправлять|рассылать|беспокоить|звонить|названивать|донимать|доставать СООБЩЕНИЯ?
    ХВАТИТ писать|слать|присылать|отправлять|рассылать|беспокоить|звонить|названивать|донимать|доставать МНЕ СООБЩЕНИЯ?
    ХВАТИТ писать|слать|присылать|отправлять|рассылать МНЕ? СООБЩЕНИЯ
    ОТМЕНИТЬ мне? СООБЩЕНИЯ|подписк*
    НАДОЕЛИ МНЕ? СООБЩЕНИЯ
    СООБЩЕНИЯ МНЕ? НАДОЕЛИ
    НАДОЕЛИ МНЕ? спамить|писать|слать|рассылать|названивать
    против ~ реклам*|рассыл*
    забудьте|забудь|потеряйте|сотрите номер
    отзываю|отозвать согласие
    unsubscribe|unsub|unsuscribe|unsubcribe|unsubscribing
    how|want unsubscribe
    un subscribe US?
    unsubscribe my? list*|mailing*|email*|newsletter*
    how|want|wish opt|opting out MESSAGES?
    how stop|end|block receiving|getting|sending? US? MESSAGES
    stop|quit|cease SEND|calling number|phone|line
    dont|not|never SEND|call number
    want|wish be? taken? removed|off list*|mailing*|database|newsletter*
    remove|take|delete|drop US|info|information|details|data contacts|records|system|database|phonebook
    no longer want|wish|need|like MESSAGES
    revoke|withdraw|revoking|withdrawing consent|permission
    add|put US|number not contact|call|text|disturb|email list*|registry
    unsubscribed ~ keep|still
    dont|not|never disturb US
    opt|opting US? out ~ MESSAGES
    stop|quit|cease SEND|calling US
    stop|quit|cease sending US MESSAGES?
    stop|cancel|end|disable|halt|terminate sending|getting|receiving? US? MESSAGES|subscription*
    stop|cease all? MESSAGES
    dont|not|never SEND US MESSAGES?
    dont|not|never send US? MESSAGES
    dont|not want|wish|need|care receive|get|see|have|hear? ~ MESSAGES
    no longer want|wish|like receive|get ~ MESSAGES?
    leave US alone
    take|get US off ~ list*|mailing*
    cease desist
    how get off list*|mailing*|newsletter*
    dont|not|never call|SEND or|nor call|SEND US MESSAGES?
    stop|cease all? communication*|correspondence
    stop|cancel|end text|email|sms MESSAGES
";

const ALONE: &str = "
    стоп|stop|stopall|ctop|стор|стап|cnjg|ыещз|hvatit|хватит
    stop|стоп all|все
    отписка|отписаться|отписатся|отпишись|отпишитесь|отпишите|отпиши|отписать|отпишитеменя|jngbcfnmcz|otpiska|otpisatsya
    не ПИСАТЬ|ПРИСЫЛАТЬ
    не ПРИСЫЛАТЬ МНЕ СООБЩЕНИЯ?
    не СЛАТЬ МНЕ СООБЩЕНИЯ
    не надо|нужно ПИСАТЬ|ПРИСЫЛАТЬ МНЕ? СООБЩЕНИЯ?
    не надо|нужно мне ПИСАТЬ|ПРИСЫЛАТЬ СООБЩЕНИЯ?
    не надо|нужно МНЕ? СЛАТЬ МНЕ? СООБЩЕНИЯ
    НОМЕР не ПИСАТЬ
    не звоните|звонить ни|не? ПИСАТЬ МНЕ?
    ni|не pishite|pishi mne?
    ne pishite|pishi mne?
    otpishite menya
    ХВАТИТ писать|слать|присылать|звонить|названивать|беспокоить
    стопп|стопэ|стопе|сотп|stopp|sotp|stpo|quit|end|endall|quitall
    отключите|отключить|отключи меня|нас рассыл*?
    МНЕ не ПРИСЫЛАТЬ СООБЩЕНИЯ?
    МНЕ не СЛАТЬ СООБЩЕНИЯ
    ne nado|nuzhno mne? pisat|zvonit|prisylat|slat mne?
    заблокируйте|блокируйте МНЕ|НОМЕР
    отстаньте|отстань|отвяжитесь|отвяжись|отцепитесь|отцепись
    УДАЛИТЬ НОМЕР
    удалите|уберите|исключите НОМЕР телефон*?
    не хочу|желаю|хотим получать
    без реклам*|рассыл*|спам*
    unsubscribe|opt|optout|revoke|cease
    opt|opting US? out all|texts|everything?
    want? stop|unsubscribe
    want opt out
    how? unsubscribe
    remove|delete|drop US
    remove|delete|lose|forget|erase phone? number|phone|email
    take US|number off
    removed list*|mailing*|database|newsletter* list*?
    dont|not|never TEXT|disturb
    dont|not|never SEND MESSAGES|anything
    no longer want
    dont|not want hear US?
    dont|not want MESSAGES
    no MESSAGES
    leave US
    stop|quit|cease SEND
    want out list*?
    want removed
    dont|not want|wish receive
    remove|delete|lose|forget|erase email|mail address
    remove|delete contact? data|contact|info|information|details
    delete ~ number system|database|records
    cancel all? MESSAGES
    desubscribe
    block US|number
    не спамь|спамьте
    отписываюсь
    УДАЛИТЬ базы|списка|списков
    не хочу общаться|сообщений|писем|смс|звонков
    достаточно СООБЩЕНИЯ
    не пишите|писать|пиши номер*
    enough
    go|уйдите
    fuck|piss off
    get lost
";

const UNCLEAR: &str = "
    не СЛАТЬ МНЕ? СООБЩЕНИЯ?
    УДАЛИТЬ НОМЕР ~ СПИСОК
    УДАЛИТЬ ~ СПИСОК НОМЕР
    МНЕ не СЛАТЬ
    не надо|нужно МНЕ? СЛАТЬ МНЕ?
    dont|not|never SEND
    отпишите|отпиши|отписать|отпишете НОМЕР
    МНЕ? неинтерес* МНЕ?
    remove|delete|off|dnc|arret
    remove|delete list*
    НАДОЕЛИ МНЕ?
    достаточно
    спам
    сколько можно
    unsubscribed
    have? wrong number|person
    ошиблись номером
    это? не тот номер
    не интерес* МНЕ?
    МНЕ не интерес*
    отвали|отвалите
    иди|идите|пошел|пошли|шли нах*|хер|хрен|лесом|черту|жопу
    not interested
    no longer interested
    is spam
    spam
    хорош|харе|надоело
    отказ|отказываюсь|откажусь
    не? можете|можешь|можно|могли|сможете не ПИСАТЬ|СЛАТЬ
";

const WHOLE: &str = "
    не звоните|звонить|звони МНЕ?
    МНЕ не звоните|звонить|звони
    dont|not|never call US? or? TEXT?
    ХВАТИТ ХВАТИТ?
";

const CONCERN: &str = "
    запрещаю|запретить|прекратить|прекратите|отзываю|отозвать|удалить|удалите ~ персональн* данн*
    требую|прошу? удалить|удалите|сотрите ~ данные
    не подписывал*|подписыв*ся
    просил* не ПИСАТЬ|СЛАТЬ|звонить
    просил* МНЕ отписать|удалить
    писал|писала|написал|написала|сказал|сказала|говорил|говорила стоп
    НАДОЕЛИ ~ РЕКЛАМА|СООБЩЕНИЯ
    слишком? много РЕКЛАМА
    пошли|идите|иди ~ РЕКЛАМА
    жалоб* ~ фас|роскомнадзор|прокуратур*
    умер|умерла|скончал* ~ не ПИСАТЬ|звоните
    stop|quit|cease TEXT
    remove|take him|her|them|husband|wife|mother|mom|dad|father ~ list*|database
    blocked reported
    said|told|asked stop
    unsubscribed ~ times
    delete|erase ~ data
    gdpr
    personal data
    direct marketing
    withdraw ~ consent
    too many MESSAGES
    didnt|not|never sign|signed up
    no need TEXT|write US
    passed away
    owner ~ died
    sue|report ~ spam|TEXT
    dnc
    leave US ~ alone
";

const REASON: &str = "
    нет|no
    не надо|нужно|нужны|хочу|интересует|интересно
    мне не надо|нужно|интересно
    не подписывался|подписывалась|подписывались|подписывал
    не давал|давала согласия|согласие
    не нуждаюсь
    удалите|забудьте
    dont know who
    or ill|will? report|block|sue
    или|иначе заблокирую|пожалуюсь|жалуюсь
    never signed up?
";

const AGAIN: &str = "
    start|старт|unstop|unpause|resubscribe|subscribe|подписаться|подпишите|подпиши|начать|ctapt|cnfhn
    re? subscribe|resubscribe US? back?
    передумал|передумала? подпишите|подпиши|подписать МНЕ? снова|опять|обратно? ~ рассыл*
    передумал|передумала? подпишите|подпиши|подписать МНЕ снова|опять|обратно?
    передумал|передумала пишите|присылайте|подпишите мне? рассыл*?
    подписаться снова|опять|обратно? рассыл*
    возобнов* рассыл*|подписк*?
    верните рассыл*|МНЕ рассыл*?
    включите|включить МНЕ? рассыл* снова|опять|обратно?
    хочу|хотим снова|опять? получать рассыл*|сообщени*|реклам*|новост*|смс|акци*|предложени*
    хочу|хотим снова|опять? подписаться рассыл*?
    передумал|передумала? можно|можете|разрешаю снова|опять? мне? писать|присылать|слать мне? СООБЩЕНИЯ?
    снова|опять мне? пишите|присылайте мне? СООБЩЕНИЯ?
    changed? mind? want? start|subscribe US?
    resume|start MESSAGES
    resume|start SEND US? MESSAGES?
    opt|opting US? back? in
    sign US up
";
