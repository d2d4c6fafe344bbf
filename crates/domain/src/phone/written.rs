//! One field that should have one phone number: what stands around the digits is taken off. Pure.

use super::{Country, Phone, UnreadPhone, decide};
use crate::text::visible;

/// The longest text that is read as a phone.
const LONGEST: usize = 120;
/// The fewest digits of a number.
const FEWEST: usize = 5;
/// Digits that can be two numbers behind each other.
const TWO_NUMBERS: usize = 14;

/// Words before or behind a number that say what it is.
const LABELS: [&str; 45] = [
    "fax",
    "my",
    "факс",
    "контактный",
    "контакт",
    "мой",
    "личный",
    "tel",
    "phone",
    "telephone",
    "mob",
    "mobile",
    "cell",
    "call",
    "callto",
    "sms",
    "smsto",
    "whatsapp",
    "wa",
    "viber",
    "telegram",
    "tg",
    "number",
    "no",
    "p",
    "t",
    "m",
    "тел",
    "телефон",
    "моб",
    "мобильный",
    "сот",
    "сотовый",
    "смс",
    "вотсап",
    "ватсап",
    "вацап",
    "вайбер",
    "телеграм",
    "номер",
    "звонить",
    "рабочий",
    "домашний",
    "т",
    "м",
];

/// Words that an extension follows.
const EXTENSIONS: [&str; 14] = [
    "доб",
    "добавочный",
    "внутр",
    "внутренний",
    "вн",
    "ext",
    "extn",
    "extension",
    "x",
    "х",
    "#",
    "*",
    // Programs that dial wait for a pause or a tone.
    "p",
    "w",
];

/// Words between two numbers.
const BETWEEN: [&str; 6] = ["и", "или", "либо", "and", "or", "also"];

pub(super) fn read(text: &str, home: Country) -> Result<Phone, UnreadPhone> {
    let read = read_once(text, home);
    if matches!(read, Err(UnreadPhone::Unsure(_))) && text.contains('/') {
        // Germans write 030/123456.
        return read_once(&text.replace('/', "-"), home).or(read);
    }
    read
}

fn read_once(text: &str, home: Country) -> Result<Phone, UnreadPhone> {
    let text = without_other_ids(&plain(text));
    let text = text.trim_matches(|one: char| one.is_whitespace() || "'\"`=<>«»“”".contains(one));
    if text.chars().count() > LONGEST {
        return Err(UnreadPhone::Missing);
    }
    let Some(text) = of_spreadsheet(text) else { return Err(UnreadPhone::Rounded) };
    let text = of_link(&text).replace(";ext=", " ext ");
    let (mut found, mut unsure, mut has_words, mut has_rest) = (Vec::new(), Vec::new(), false, false);
    for piece in pieces(&text) {
        match read_piece(&piece, home) {
            Piece::Number(phone) => found.push(phone),
            Piece::Numbers(phones) => found.extend(phones),
            Piece::Labelled(phone) => {
                has_words = true;
                found.push(phone);
            }
            Piece::Words => has_words = true,
            Piece::Nothing => {}
            Piece::Digits(candidates) => {
                has_rest = true;
                unsure.extend(candidates);
            }
        }
    }
    found.dedup();
    match found.as_slice() {
        [] if has_rest => Err(UnreadPhone::Unsure(unsure)),
        [] => Err(UnreadPhone::Missing),
        [phone] if has_rest => Err(UnreadPhone::Unsure(vec![phone.clone()])),
        [_] if has_words => Err(UnreadPhone::Words(found)),
        [phone] => Ok(phone.clone()),
        _ => Err(UnreadPhone::Several(found)),
    }
}

/// The text in plain letters, digits and spaces: full width, Arabic and other digits are digits.
pub(super) fn plain(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let plain = |one: char| match one {
        '\u{660}'..='\u{669}' => digit(one, '\u{660}'),
        '\u{6F0}'..='\u{6F9}' => digit(one, '\u{6F0}'),
        '\u{966}'..='\u{96F}' => digit(one, '\u{966}'),
        '\u{9E6}'..='\u{9EF}' => digit(one, '\u{9E6}'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => '-',
        other => other,
    };
    visible(text).nfkc().map(plain).collect()
}

fn digit(one: char, zero: char) -> char {
    char::from_digit(u32::from(one) - u32::from(zero), 10).unwrap_or(one)
}

/// What stands between the digits of a number.
pub(super) const fn is_mark(one: char) -> bool {
    matches!(one, ' ' | '\t' | '-' | '.' | '(' | ')' | '[' | ']' | '~' | '_' | '·' | '•' | '\'')
}

/// A number as spreadsheets write it, `79000007716.0` and `7.9000007716E+10`; nothing where digits are lost.
fn of_spreadsheet(text: &str) -> Option<String> {
    let split = text.split_once(['e', 'E']).filter(|(mantissa, _)| is_decimal(mantissa));
    if let Some((mantissa, exponent)) = split
        && let Ok(exponent) = exponent.trim_start_matches('+').parse::<usize>()
    {
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        return (digits.len() == exponent + 1).then_some(digits);
    }
    let is_zeros = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte == b'0');
    let whole =
        text.rsplit_once(['.', ',']).filter(|(_, zeros)| is_zeros(zeros)).map_or(text, |(whole, _)| whole);
    let groups: Vec<&str> = whole.split([',', ' ']).collect();
    // 79,000,007,711
    let are_thousands = groups.len() > 1 && groups[1..].iter().all(|group| group.len() == 3);
    let digits = groups.concat();
    let is_number = digits.len() >= 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_number && (groups.len() == 1 || are_thousands) { digits } else { text.to_owned() })
}

fn is_decimal(text: &str) -> bool {
    text.starts_with(|one: char| one.is_ascii_digit())
        && text.chars().all(|one| one.is_ascii_digit() || one == '.' || one == ',')
}

/// The number in a link to a phone or a messenger; other texts stay as they are.
fn of_link(text: &str) -> String {
    let small = text.to_lowercase();
    for parameter in ["phone=", "number="] {
        if small.contains("://")
            && let Some((_, after)) = small.split_once(parameter)
        {
            let value = after.split(['&', '#']).next().unwrap_or_default();
            return value.replace("%2b", "+").replace("%20", " ");
        }
    }
    let bare = ["https://", "http://"].iter().find_map(|scheme| small.strip_prefix(scheme)).unwrap_or(&small);
    if let Some(number) = number_in_whatsapp(&small) {
        return format!("+{}", number.trim_start_matches('+'));
    }
    for host in ["wa.me/", "www.wa.me/", "api.whatsapp.com/", "viber.click/", "t.me/+"] {
        if let Some(path) = bare.strip_prefix(host) {
            let number = path.split(['?', '#', '/']).next().unwrap_or_default().trim_start_matches('+');
            return format!("+{number}");
        }
    }
    for scheme in ["tel:", "sms:", "smsto:", "callto:", "whatsapp:"] {
        if let Some(rest) = small.strip_prefix(scheme) {
            let number = rest.trim_start_matches('/').split(['?', '&']).next().unwrap_or_default();
            return number.replace("%2b", "+").replace("%20", " ");
        }
    }
    text.to_owned()
}

/// The number in the name of a person's chat in WhatsApp. A device of the person has its own number behind a colon.
pub(crate) fn number_in_whatsapp(chat: &str) -> Option<&str> {
    let (number, server) = chat.rsplit_once('@')?;
    let is_person = ["c.us", "s.whatsapp.net"].iter().any(|known| server.eq_ignore_ascii_case(known));
    is_person.then(|| number.split_once(':').map_or(number, |(number, _)| number))
}

/// Whether a word is the name of a chat in WhatsApp that has no phone number: of a group, or of a person who hides theirs.
pub(crate) fn is_other_chat_of_whatsapp(word: &str) -> bool {
    let server = word.trim_end_matches(|one: char| !one.is_alphanumeric()).rsplit_once('@');
    let is_known = |server: &str| {
        ["g.us", "lid", "newsletter", "broadcast"].iter().any(|known| server.eq_ignore_ascii_case(known))
    };
    server.is_some_and(|(_, server)| is_known(server))
}

/// The text without names of chats in WhatsApp whose digits are no phone number.
pub(super) fn without_other_ids(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let words = text.split_inclusive(|one: char| one.is_whitespace() || ",;".contains(one));
    words.filter(|word| !is_other_chat_of_whatsapp(word)).collect()
}

/// The parts of a text that have a number each: two numbers stand on two lines, or a comma, a word or a plus is between them.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = vec![String::new()];
    for part in text.split_inclusive([',', ';', '/', '\n', '\r', '|', '\\']) {
        let is_last = part.ends_with([',', ';', '/', '\n', '\r', '|', '\\']);
        let part = part.trim_end_matches([',', ';', '/', '\n', '\r', '|', '\\']);
        for word in part.split_inclusive(char::is_whitespace) {
            let is_between = BETWEEN.contains(&word.trim().to_lowercase().as_str());
            for (place, plus) in word.split('+').enumerate() {
                let has_digits = |piece: &String| piece.contains(|one: char| one.is_ascii_digit());
                if is_between || (place > 0 && pieces.last().is_some_and(has_digits)) {
                    // A form wrote the code of a country before a number that has it.
                    if !is_between && pieces.last().is_some_and(|piece| is_code(piece)) {
                        pieces.pop();
                    }
                    pieces.push(String::new());
                }
                if let Some(piece) = pieces.last_mut().filter(|_| !is_between) {
                    if place > 0 {
                        piece.push('+');
                    }
                    piece.push_str(plus);
                }
            }
        }
        if is_last {
            pieces.push(String::new());
        }
    }
    pieces
}

/// Whether there are too few digits for anything but the code of a country, and nothing else.
fn is_code(piece: &str) -> bool {
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    digits <= 3 && piece.chars().all(|one| one.is_ascii_digit() || one == '+' || is_mark(one))
}

enum Piece {
    Number(Phone),
    Numbers(Vec<Phone>),
    /// A number with words that do not say what it is.
    Labelled(Phone),
    Words,
    Nothing,
    /// Digits that are no certain number.
    Digits(Vec<Phone>),
}

fn read_piece(piece: &str, home: Country) -> Piece {
    let piece = without_extension(piece);
    let Some(first) = piece.find(|one: char| one.is_ascii_digit()) else {
        let has_letters = piece.contains(char::is_alphanumeric);
        return if has_letters && !are_labels(piece) { Piece::Words } else { Piece::Nothing };
    };
    let last = piece.rfind(|one: char| one.is_ascii_digit()).unwrap_or(first);
    let (before, number, after) = (&piece[..first], &piece[first..=last], &piece[last + 1..]);
    let has_plus = before.ends_with('+') || before.ends_with("+(") || before.ends_with("+ ");
    let is_clean = are_labels(before) && are_labels(after);
    // People write O for 0.
    let number = &number.replace(['o', 'O', 'о', 'О'], "0");
    if !number.chars().all(|one| one.is_ascii_digit() || is_mark(one)) {
        return Piece::Digits(Vec::new());
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= TWO_NUMBERS
        && !has_plus
        && let Some(two) = two_numbers(number, home)
    {
        return Piece::Numbers(two);
    }
    if digits.len() < FEWEST {
        return Piece::Digits(Vec::new());
    }
    match decide(&digits, has_plus, home) {
        Ok((phone, _)) if is_clean => Piece::Number(phone),
        Ok((phone, _)) => Piece::Labelled(phone),
        Err(candidates) => Piece::Digits(candidates),
    }
}

/// Two numbers with nothing but a space between them.
fn two_numbers(text: &str, home: Country) -> Option<Vec<Phone>> {
    let whole = |part: &str| {
        let digits: String = part.chars().filter(char::is_ascii_digit).collect();
        decide(&digits, false, home).ok().map(|(phone, _)| phone).filter(|_| digits.len() >= 10)
    };
    text.match_indices([' ', '\t']).find_map(|(at, _)| {
        let (one, other) = text.split_at(at);
        Some(vec![whole(one)?, whole(other)?])
    })
}

/// Whether all words of a text say that a number is one of a phone.
fn are_labels(text: &str) -> bool {
    text.to_lowercase()
        .split(|one: char| !one.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .all(|word| LABELS.contains(&word))
}

/// A text without the extension at its end.
fn without_extension(piece: &str) -> &str {
    let trimmed = piece.trim_end_matches(|one: char| one.is_whitespace() || one == ')' || one == '.');
    let before = trimmed.trim_end_matches(|one: char| one.is_ascii_digit());
    let digits = trimmed.len() - before.len();
    if !(1..=7).contains(&digits) {
        return piece;
    }
    let before = before.trim_end_matches(|one: char| one.is_whitespace() || ".:№".contains(one));
    let before = before.strip_suffix("номер").unwrap_or(before);
    let before = before.trim_end_matches(|one: char| one.is_whitespace() || one == '.');
    let small = before.to_lowercase();
    let found = EXTENSIONS
        .iter()
        .find(|word| small.strip_suffix(**word).is_some_and(|rest| !rest.ends_with(char::is_alphabetic)));
    // Small letters of these words take as many bytes as large ones.
    match found.and_then(|word| before.get(..before.len().checked_sub(word.len())?)) {
        Some(number) => number.trim_end_matches(|one: char| one.is_whitespace() || "(,;".contains(one)),
        None => piece,
    }
}
