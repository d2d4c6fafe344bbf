//! The words of a message as the rules compare them: small letters of one script, without courtesy.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::text::bare;

/// Words that add nothing to a wish.
const FILLERS: &str = "
    пожалуйста пожалуйсто пожалуста плиз пж пжл пжлст прошу просьба убедительно очень вас вам вами вы ваш ваша ваше ваши вашу вашей
    вашего ваших вашим вашими уже ну и а же то просто сейчас немедленно срочно сразу здравствуйте здравствуй привет добрый день доброе
    утро добрыи вечер доброго времени суток спасибо благодарю будьте добры любезны я мы ребята девушка уважаемые господа эй всем все
    это эти этот эту этой этого этих свой свою своей свои своими своих своего своем больше болше более никогда ничего никаких никакие никакую
    никакой вообще совсем впредь на от из с со в во к по за у о об про мой мою моего моей моем мои наш нашу нашего дурацкие дурацкую
    тупые бесконечные бесконечными навязчивую навязчивые нам-то сюда пора наконец бы сам сама так
    этими этим этому отсюда навсегда отовсюду нафиг нахрен теперь
    please pls plz kindly just now immediately already the a an your you guys hi hello hey thanks thank thx ty ok okay can could would
    do does like to i im id we from this these that those at any anymore more again ever it and so much of on via with for sir dear
    team my be asap right away really fucking damn bloody stupid annoying as soon possible there anything here forever permanently w e am
    sorry regards sincerely уважением заранее";

static FILLER_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| FILLERS.split_whitespace().collect());

/// Letters of the Latin script and digits that look like letters of the Cyrillic one.
const LOOK_ALIKES: [(char, char); 13] = [
    ('a', 'а'),
    ('b', 'в'),
    ('c', 'с'),
    ('e', 'е'),
    ('h', 'н'),
    ('k', 'к'),
    ('m', 'м'),
    ('o', 'о'),
    ('p', 'р'),
    ('t', 'т'),
    ('x', 'х'),
    ('y', 'у'),
    ('0', 'о'),
];

/// Letters of the Cyrillic script that Russian lacks, and of the Greek one, that look like Latin ones.
const LATIN_SHAPES: [(char, char); 15] = [
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('α', 'a'),
    ('β', 'b'),
    ('ε', 'e'),
    ('η', 'h'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('μ', 'm'),
    ('ν', 'n'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'y'),
];

/// Russian letters in the Latin ones that people type for them, longer ones first.
const TRANSLITERATION: [(&str, &str); 38] = [
    ("shch", "щ"),
    ("sch", "щ"),
    ("yo", "е"),
    ("zh", "ж"),
    ("kh", "х"),
    ("ts", "ц"),
    ("ch", "ч"),
    ("sh", "ш"),
    ("yu", "ю"),
    ("ya", "я"),
    ("ia", "я"),
    ("ju", "ю"),
    ("ja", "я"),
    ("iy", "ий"),
    ("yi", "ый"),
    ("'", ""),
    ("a", "а"),
    ("b", "б"),
    ("v", "в"),
    ("w", "в"),
    ("g", "г"),
    ("d", "д"),
    ("e", "е"),
    ("z", "з"),
    ("i", "и"),
    ("j", "й"),
    ("k", "к"),
    ("l", "л"),
    ("m", "м"),
    ("n", "н"),
    ("o", "о"),
    ("p", "п"),
    ("r", "р"),
    ("s", "с"),
    ("t", "т"),
    ("u", "у"),
    ("f", "ф"),
    ("h", "х"),
];

/// A command that is a noun behind one of [`DETERMINERS`]: "the end" stops nothing.
const NOUN: &str = "end";
const DETERMINERS: [&str; 7] = ["the", "a", "an", "my", "your", "this", "that"];

/// Beginnings of lines that phones and mail programs write under a message.
const SIGNATURES: [&str; 5] = ["sent from", "sent via", "get outlook", "отправлено с", "отправлено из"];

/// Beginnings of lines behind which the writer's name follows.
const CLOSINGS: [&str; 6] =
    ["с уважением", "best regards", "kind regards", "warm regards", "regards", "sincerely"];

/// Words that are often misspelt, and how many letters may be wrong.
const MISSPELT: [(&str, usize); 3] = [("отпишите", 1), ("отписаться", 1), ("unsubscribe", 2)];

/// Words that look like one of these, and are others.
const OTHER_WORDS: [&str; 6] =
    ["опишите", "отпишете", "отпилите", "описаться", "unsubscribed", "unsubscribes"];

/// A text in Latin letters as Russian, if it may be that.
pub(super) fn in_cyrillic(text: &str) -> Option<String> {
    let text = bare(text);
    if !text.contains(|sign: char| sign.is_ascii_alphabetic()) {
        return None;
    }
    let (mut russian, mut rest) = (String::with_capacity(2 * text.len()), text.as_str());
    while let Some(first) = rest.chars().next() {
        let known =
            TRANSLITERATION.iter().find_map(|(latin, letters)| Some((*letters, rest.strip_prefix(latin)?)));
        let vowel_before = russian.ends_with(['а', 'е', 'и', 'о', 'у', 'ы', 'э', 'ю', 'я']);
        if let Some((letters, after)) = known {
            russian.push_str(letters);
            rest = after;
        } else {
            russian.push(match first {
                'y' if vowel_before => 'й',
                'y' => 'ы',
                'c' => 'ц',
                other => other,
            });
            rest = &rest[first.len_utf8()..];
        }
    }
    // The soft sign of infinitives is left out.
    let soft = |word: &str| if word.ends_with("ат") { format!("{word}ь") } else { word.to_owned() };
    Some(russian.split(' ').map(soft).collect::<Vec<_>>().join(" "))
}

/// The words of a text, without what it quotes and what a program writes under it.
pub(super) fn of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('>')) {
        let line = bare(line);
        let trimmed = line.trim_start();
        if line.trim() == "--" || CLOSINGS.iter().any(|closing| trimmed.starts_with(closing)) {
            break;
        }
        if SIGNATURES.iter().any(|signature| line.trim_start().starts_with(signature)) {
            continue;
        }
        let letters: String = line.chars().filter(|sign| !matches!(sign, '\'' | '’' | 'ʼ' | '`')).collect();
        words.extend(
            letters.split(|sign: char| !sign.is_alphanumeric()).filter(|part| !part.is_empty()).map(word),
        );
    }
    // Letters with spaces between them.
    if words.len() > 2 && words.iter().all(|word| word.chars().count() == 1) {
        words = vec![words.concat()];
    }
    let makes_noun = |pair: &[String]| pair[1] == NOUN && DETERMINERS.contains(&pair[0].as_str());
    let mut makes_noun = words.windows(2).map(makes_noun).collect::<Vec<_>>().into_iter();
    words.retain(|word| makes_noun.next() == Some(true) || !FILLER_SET.contains(word.as_str()));
    // "Thanks, but …"
    if words.first().is_some_and(|word| word == "но" || word == "but") {
        words.remove(0);
    }
    words
}

/// A word in the letters of one script, none of which stands there three times in a row, and spelt as the rules have it.
fn word(written: &str) -> String {
    let mut word = String::with_capacity(written.len());
    let mut run = 0;
    for sign in in_one_script(written).chars() {
        run = if word.ends_with(sign) { run + 1 } else { 0 };
        if run == 2 {
            word.pop();
        }
        if run < 2 {
            word.push(sign);
        }
    }
    spelt(word)
}

/// A word that mixes scripts, in the one that has all its letters or their shapes; Cyrillic goes first.
fn in_one_script(written: &str) -> String {
    let replaced = |sign: char, pairs: &[(char, char)]| {
        pairs.iter().find(|(from, _)| *from == sign).map_or(sign, |(_, to)| *to)
    };
    let shaped: String = written.chars().map(|sign| replaced(sign, &LATIN_SHAPES)).collect();
    let is_russian = |sign: char| ('а'..='я').contains(&sign);
    if shaped.chars().any(is_russian) {
        let russian: String = shaped.chars().map(|sign| replaced(sign, &LOOK_ALIKES)).collect();
        if !russian.chars().any(|sign| sign.is_ascii_alphabetic()) {
            return russian;
        }
        let latin = LOOK_ALIKES.map(|(latin, cyrillic)| (cyrillic, latin));
        let latin: String = shaped.chars().map(|sign| replaced(sign, &latin)).collect();
        return if latin.chars().any(is_russian) { russian } else { latin };
    }
    let has_letters = shaped.chars().any(char::is_alphabetic);
    shaped.chars().map(|sign| if sign == '0' && has_letters { 'o' } else { sign }).collect()
}

fn spelt(word: String) -> String {
    if OTHER_WORDS.contains(&word.as_str()) {
        return word;
    }
    // The first letter may be а for о, and no other one.
    let begins_alike = |right: &str| {
        word.chars().next().map(|one| if one == 'а' { 'о' } else { one }) == right.chars().next()
    };
    match MISSPELT.iter().find(|(right, most)| begins_alike(right) && mistakes(&word, right) <= *most) {
        Some((right, _)) => (*right).to_owned(),
        None => word,
    }
}

/// How many letters are missing, added, wrong or in each other's place.
fn mistakes(word: &str, right: &str) -> usize {
    let (word, right): (Vec<char>, Vec<char>) = (word.chars().collect(), right.chars().collect());
    if word.len().abs_diff(right.len()) > 2 {
        return usize::MAX;
    }
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (place, sign) in word.iter().enumerate() {
        let above = &rows[place];
        let mut row = vec![place + 1];
        for (at, wanted) in right.iter().enumerate() {
            let least = (above[at] + usize::from(sign != wanted)).min(above[at + 1] + 1).min(row[at] + 1);
            let is_swapped = place > 0 && at > 0 && word[place - 1] == *wanted && right[at - 1] == *sign;
            row.push(if is_swapped { least.min(rows[place - 1][at - 1] + 1) } else { least });
        }
        rows.push(row);
    }
    rows[word.len()][right.len()]
}
