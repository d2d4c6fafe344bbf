//! The words of a message as the rules compare them: small letters of one script, without courtesy.

/// Words that add nothing to a wish.
const FILLERS: &str = "
    пожалуйста пожалуйсто пожалуста плиз пж пжл пжлст прошу просьба убедительно очень вас вам вами вы ваш ваша ваше ваши вашу вашей
    вашего ваших вашим вашими уже ну и а же то просто сейчас немедленно срочно сразу здравствуйте здравствуй привет добрый день доброе
    утро добрыи вечер доброго времени суток спасибо благодарю будьте добры любезны я мы ребята девушка уважаемые господа эй всем все
    это эти этот эту этой этого этих свой свою своей свои своими своих своего своем больше более никогда ничего никаких никакие никакую
    никакой вообще совсем впредь на от из с со в во к по за у о об про мой мою моего моей моем мои наш нашу нашего дурацкие дурацкую
    тупые бесконечные бесконечными навязчивую навязчивые нам-то сюда пора наконец бы сам сама так
    please pls plz kindly just now immediately already the a an your you guys hi hello hey thanks thank thx ty ok okay can could would
    do does like to i im id we from this these that those at any anymore more again ever it and so much of on via with for by sir dear
    team my be asap right away really fucking damn bloody stupid annoying as soon possible there anything";

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

/// The words of a text, without what it quotes.
pub(super) fn of(text: &str) -> Vec<String> {
    let mut letters = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.trim_start().starts_with('>')) {
        line.chars().for_each(|sign| push(&mut letters, sign));
        letters.push(' ');
    }
    let mut words: Vec<String> = letters.split_whitespace().map(word).collect();
    // Letters with spaces between them.
    if words.len() > 2 && words.iter().all(|word| word.chars().count() == 1) {
        words = vec![words.concat()];
    }
    words.retain(|word| !FILLERS.split_whitespace().any(|filler| filler == word));
    words
}

fn push(letters: &mut String, sign: char) {
    let sign = match sign {
        // Full-width letters.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(sign) - 0xfee0).unwrap_or(sign),
        'Ё' | 'ё' => 'е',
        _ => sign,
    };
    match sign {
        // The breve that makes й of и. Other marks on letters, and what is invisible, are left out.
        '\u{306}' if letters.ends_with('и') => {
            letters.pop();
            letters.push('й');
        }
        '\u{300}'..='\u{36f}'
        | '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\''
        | '’'
        | 'ʼ'
        | '`' => {}
        sign if sign.is_alphanumeric() => letters.extend(sign.to_lowercase()),
        _ => letters.push(' '),
    }
}

/// A word in the letters of one script, none of which stands there three times in a row.
fn word(written: &str) -> String {
    let is_mixed = written.chars().any(|sign| ('а'..='я').contains(&sign));
    let mut word = String::with_capacity(written.len());
    let mut run = 0;
    for sign in written.chars() {
        let alike = LOOK_ALIKES.iter().find(|(latin, _)| *latin == sign).filter(|_| is_mixed);
        let sign = alike.map_or(sign, |(_, cyrillic)| *cyrillic);
        run = if word.ends_with(sign) { run + 1 } else { 0 };
        if run == 2 {
            word.pop();
        }
        if run < 2 {
            word.push(sign);
        }
    }
    word
}
