//! Shapes that plain words for a customer do not have, whatever they mean to the program or model that writes them so.

use super::Unspoken;

/// Names in angle brackets that are keys or sizes.
const KEYS: [&str; 26] = [
    "enter",
    "esc",
    "tab",
    "ctrl",
    "alt",
    "shift",
    "delete",
    "del",
    "backspace",
    "space",
    "home",
    "insert",
    "pgup",
    "pgdn",
    "win",
    "fn",
    "xs",
    "s",
    "m",
    "l",
    "xl",
    "xxl",
    "xxxl",
    "ok",
    "далее",
    "назад",
];
/// Beginnings of words in square brackets that were to be filled in or done.
const TO_FILL_IN: [&str; 14] = [
    "номер",
    "имя",
    "адрес",
    "дата",
    "дату",
    "ссылк",
    "ваш",
    "телефон",
    "назван",
    "цен",
    "сумм",
    "перевожу",
    "размышля",
    "дума",
];
/// Words that programs react to. In capital letters no customer reads them.
const COMMANDS: [&str; 25] = [
    "HANDOFF",
    "HAND_OFF",
    "HANDOVER",
    "TRANSFER",
    "ESCALATE",
    "ESCALATION",
    "OPERATOR",
    "HUMAN",
    "EOS",
    "EOT",
    "EOD",
    "EOF",
    "BOS",
    "CLS",
    "SEP",
    "PAD",
    "UNK",
    "DONE",
    "NULL",
    "CLOSE_DIALOG",
    "END_CONVERSATION",
    "OOC",
    "SYSTEM",
    "ASSISTANT",
    "USER",
];
/// What programs write in place of a missing text.
const MISSING: [&str; 5] = ["undefined", "null", "NaN", "[object", "nil"];
/// What a model writes before what is not for the customer, at the beginning of a line, in small letters.
const LABELS: [&str; 18] = [
    "внутренний монолог",
    "ход рассуждений",
    "ход мыслей",
    "логика ответа",
    "обоснование",
    "черновик",
    "рассуждение",
    "рассуждения",
    "мысли",
    "план ответа",
    "шаг 1",
    "заметка",
    "комментарий для оператора",
    "observation",
    "thought",
    "thoughts",
    "reasoning",
    "step 1",
];
/// Marks of formatting that is not read, and of citations.
const MARKS: [&str; 11] =
    ["||", "==", ":::", "|---", "| ---", "oaicite", "turn0", "data: [", "<<", ">>", "(("];

/// Finds such a shape.
pub(super) fn check(text: &str) -> Result<(), Unspoken> {
    if has_tag(text) || has_mark(text) || has_blank(text) || text.chars().any(is_drawn) {
        return Err(Unspoken::Markup);
    }
    if has_bracket(text) || has_call(text) || has_command(text) {
        return Err(Unspoken::ToolMarkup);
    }
    if text.lines().any(is_labelled) {
        return Err(Unspoken::Thoughts);
    }
    Ok(())
}

/// `<end>`, `</product`, `<номер телефона>`, and not `<3`, `a < b` or `<Enter>`.
fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let name = rest.split('>').next().unwrap_or_default();
        let is_key = rest.len() > name.len()
            && (KEYS.contains(&name.to_lowercase().as_str()) || is_function_key(name));
        rest.starts_with(|next: char| next.is_alphabetic() || "/\\_|!".contains(next)) && !is_key
    })
}

/// `F5`
fn is_function_key(name: &str) -> bool {
    name.strip_prefix(['F', 'f']).is_some_and(|number| number.parse().is_ok_and(|number: u8| number <= 24))
}

/// A word in square brackets, a footnote, or a citation.
fn has_bracket(text: &str) -> bool {
    text.match_indices('[').any(|(at, _)| {
        let inner = text.get(at + 1..).unwrap_or_default().split(']').next().unwrap_or_default();
        let is_inner = text.get(..at).is_some_and(|before| before.ends_with('['));
        let is_number = !is_inner && !inner.is_empty() && inner.bytes().all(|sign| sign.is_ascii_digit());
        let first = inner.split_whitespace().next().unwrap_or_default().to_lowercase();
        // `[id1|Anna]` is a mention in VK.
        let is_latin = inner.chars().any(|sign| sign.is_ascii_alphabetic()) && !inner.contains('|');
        is_number
            || inner.starts_with(['^', '!', '/'])
            || is_latin
            || TO_FILL_IN.iter().any(|start| first.starts_with(start))
    })
}

fn has_mark(text: &str) -> bool {
    let is_heading = |line: &str| {
        let rest = line.trim_start().trim_start_matches('#');
        line.trim_start().len() - rest.len() > 1
    };
    // `:wave:`
    let is_shortcode = |word: &str| {
        word.len() > 3
            && word
                .strip_prefix(':')
                .and_then(|rest| rest.strip_suffix(':'))
                .is_some_and(|name| name.bytes().all(|sign| sign.is_ascii_lowercase() || sign == b'_'))
    };
    // `~600~`, `10^3^`
    let is_wrapped = |word: &str| ['~', '^'].iter().any(|sign| word.matches(*sign).count() == 2);
    // `$$500$$` is a formula, `$$` a price range.
    let is_formula = text.split("$$").skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
    is_formula
        || MARKS.iter().any(|mark| text.contains(mark))
        || text.lines().any(is_heading)
        || text.split_whitespace().any(|word| is_shortcode(word) || is_wrapped(word))
}

/// Lines of a drawn table.
const fn is_drawn(sign: char) -> bool {
    matches!(sign, '\u{2500}'..='\u{257F}')
}

/// Digits of a phone number that were to be filled in.
const UNKNOWN_DIGITS: &str = "(\u{58}XX)";

/// Something that was to be filled in: `$name`, `____`, `undefined`.
fn has_blank(text: &str) -> bool {
    let is_word = |sign: char| !(sign.is_alphanumeric() || "_[$".contains(sign));
    let is_missing = |word: &str| {
        let name = word.strip_prefix('$');
        MISSING.contains(&word)
            || name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_lowercase()))
    };
    text.contains("____") || text.contains(UNKNOWN_DIGITS) || text.split(is_word).any(is_missing)
}

/// A call or an order to a program: `search(query)`, `/operator`, `rate_limit_exceeded`, `HANDOFF`.
fn has_command(text: &str) -> bool {
    // A name of a program as the whole answer.
    let parts: Vec<&str> = text.trim().split('_').collect();
    let is_part = |part: &&str| !part.is_empty() && part.bytes().all(|sign| sign.is_ascii_alphabetic());
    if parts.len() > 1 && parts.iter().all(is_part) {
        return true;
    }
    text.split_whitespace().any(|piece| {
        let bare = piece.trim_matches(|sign: char| !(sign.is_alphanumeric() || "_/".contains(sign)));
        let is_slash = bare.strip_prefix('/').is_some_and(|name| {
            name.len() > 2 && name.bytes().all(|sign| sign.is_ascii_lowercase() || sign == b'_')
        });
        is_slash || COMMANDS.contains(&bare)
    })
}

/// `lookup(order=5)`, `sendPhoto("a")`, `close()`, and not `size(s)` or `A4(210)`.
fn has_call(text: &str) -> bool {
    text.match_indices('(').any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let start = before.trim_end_matches(|sign: char| sign.is_ascii_alphanumeric() || "_.".contains(sign));
        let name = before.get(start.len()..).unwrap_or_default();
        let inner = text.get(at + 1..).unwrap_or_default().split(')').next().unwrap_or_default();
        let has_case = name.chars().skip(1).any(|sign| sign.is_ascii_uppercase())
            && name.chars().any(|sign| sign.is_ascii_lowercase());
        let is_name = name.len() > 2 && name.starts_with(|first: char| first.is_ascii_alphabetic());
        let is_argument = inner.is_empty() || inner.contains(['=', '"', '\'', '{', ':']);
        is_name && (is_argument || has_case || name.trim_matches(['.', '_']).contains(['.', '_']))
    })
}

fn is_labelled(line: &str) -> bool {
    let line = line.trim_start_matches(|sign: char| !sign.is_alphanumeric()).to_lowercase();
    line.split_once(':').is_some_and(|(label, _)| LABELS.contains(&label.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_customer_reads_is_found_by_its_shape() {
        for text in [
            "Колесо стоит 500 ₽.<END>",
            "Вот: <product> колесо 500",
            "Колесо стоит 500 ₽. <hidden>Клиент беден",
            "Колесо стоит 500 ₽.<\\s>",
            "Позвоните по номеру <номер телефона>.",
            "Сейчас помогу. [TRANSFER]",
            "Позвоните: [номер телефона магазина]",
            "Колесо стоит 500 ₽.[1][2]",
            "[!NOTE]\nКолесо 500",
            "Сейчас помогу. HANDOFF",
            "Сейчас помогу. /operator",
            "rate_limit_exceeded",
            "Смотрю: getOrder(id) и отвечу",
            "Смотрю: search(query=\"колесо\")",
            "##Цены\nКолесо 500",
            "||Колесо|| 500",
            "==Колесо== 500",
            ":wave: Привет",
            "Здравствуйте, $name!",
            "Здравствуйте, undefined!",
            "Здравствуйте, ____!",
            "+7 (\u{58}XX) 000-00-00",
            "┌──┐",
            "Черновик: Колесо стоит 500 ₽.",
            "Observation: the price is 500",
            "((Клиент беден)) Колесо стоит 500 ₽.",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        for text in [
            "Нажмите <Enter> или <F5>",
            "Люблю вас <3",
            "Если вес < 5 кг, доставка бесплатна",
            "Размер(ы): S, M",
            "Price: $5, size(s) in stock",
            "Почта my_shop@example.com, сайт https://example.com/a_b",
            "@demo_main",
            "руб/шт и/или 24/7",
            "Наш телеграм:\nbest_shop",
            "Средний чек: $$ – $$$",
            "[id1|Павел] Да",
            "Action: 20% off until Friday",
            "USB, HDMI, VIP, BMW X5",
            "Ответ: да",
            "#скидки",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }
}
