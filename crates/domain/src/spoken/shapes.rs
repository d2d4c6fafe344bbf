//! Shapes that plain words for a customer do not have, whatever they mean to the program or model that writes them so.

use super::Unspoken;

/// Names in angle brackets that are for a program or hide words, in small letters. Keys, sizes and blanks of a shop are others.
const TAGS: [&str; 40] = [
    "end",
    "stop",
    "done",
    "eot",
    "eom",
    "eoa",
    "eoh",
    "eod",
    "eos",
    "cls",
    "sep",
    "turn",
    "endofturn",
    "endoftext",
    "end of turn",
    "bot",
    "human",
    "user",
    "operator",
    "handoff",
    "transfer",
    "escalate",
    "product",
    "hidden",
    "private",
    "note",
    "comment",
    "aside",
    "memo",
    "thk",
    "think",
    "lookup",
    "refund",
    "search",
    "action",
    "tool",
    "call",
    "номер телефона",
    "имя клиента",
    "blockquote expandable",
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
/// What programs and models write in square brackets, and no key of a machine is called.
const IN_BRACKETS: [&str; 16] = [
    "HANDOFF",
    "TRANSFER",
    "ESCALATE",
    "CLOSE",
    "CALL",
    "TOOL",
    "SEARCH",
    "SEND",
    "SET_",
    "END",
    "STOP",
    "DONE",
    "EOT",
    "EOM",
    "First Name",
    "Last Name",
];
/// Words that programs react to. In capital letters no customer reads them.
const COMMANDS: [&str; 23] = [
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
/// Parts of the names of errors.
const FAILS: [&str; 6] = ["limit", "filter", "error", "exceeded", "failed", "timeout"];
/// What programs write in place of a missing text.
const MISSING: [&str; 5] = ["undefined", "null", "NaN", "[object", "nil"];
/// What a model writes before what is not for the customer, at the beginning of a line, in small letters.
const LABELS: [&str; 15] = [
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
    "заметка",
    "комментарий для оператора",
    "thought",
    "thoughts",
    "reasoning",
];
/// Marks of formatting that is not read, and of citations.
const MARKS: [&str; 10] = ["==", ":::", "|---", "| ---", "oaicite", "turn0", "data: [", "<<", ">>", "(("];

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

/// `<end>`, `<hidden>`, `<ctrl46>`, `<\\s>`, `<номер телефона>`.
fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let name = rest.split('>').next().unwrap_or_default().to_lowercase();
        let is_control = name.strip_prefix("ctrl").is_some_and(|number| number.parse::<u16>().is_ok());
        rest.starts_with(['\\', '_']) || is_control || TAGS.contains(&name.as_str())
    })
}

/// A word in square brackets, a footnote, or a citation.
fn has_bracket(text: &str) -> bool {
    text.match_indices('[').filter(|(at, _)| !is_in_address(text, *at)).any(|(at, _)| {
        let inner = text.get(at + 1..).unwrap_or_default().split(']').next().unwrap_or_default();
        // `500 ₽.[1]`, and not `room [305]`.
        let is_behind =
            text.get(..at).is_some_and(|before| before.ends_with(|sign: char| !sign.is_whitespace()));
        let is_inner = text.get(..at).is_some_and(|before| before.ends_with('['));
        let is_number =
            is_behind && !is_inner && !inner.is_empty() && inner.bytes().all(|sign| sign.is_ascii_digit());
        let first = inner.split_whitespace().next().unwrap_or_default().to_lowercase();
        let is_latin = inner.chars().any(|sign| sign.is_ascii_alphabetic());
        // `[id1|Anna]` is a mention in VK, `[Control]` a key.
        let is_order = is_latin
            && !inner.contains('|')
            && (inner.contains(['=', ':', '_']) || IN_BRACKETS.iter().any(|order| inner.starts_with(order)));
        is_number
            || inner.starts_with(['!', '/'])
            || is_order
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
    matches!(
        sign,
        '│' | '┌'
            | '┐'
            | '└'
            | '┘'
            | '├'
            | '┤'
            | '┬'
            | '┴'
            | '┼'
            | '║'
            | '╔'
            | '╗'
            | '╚'
            | '╝'
    )
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
    let fails = |part: &&str| FAILS.contains(part);
    if parts.len() > 1 && parts.iter().all(is_part) && parts.iter().any(fails) {
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
    text.match_indices('(').filter(|(at, _)| !is_in_address(text, *at)).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let start = before.trim_end_matches(|sign: char| sign.is_ascii_alphanumeric() || "_.".contains(sign));
        let name = before.get(start.len()..).unwrap_or_default();
        let inner = text.get(at + 1..).unwrap_or_default().split(')').next().unwrap_or_default();
        let has_case = name.chars().skip(1).any(|sign| sign.is_ascii_uppercase())
            && name.chars().any(|sign| sign.is_ascii_lowercase());
        let is_name = name.len() > 2 && name.starts_with(|first: char| first.is_ascii_alphabetic());
        let is_argument = inner.is_empty() || inner.contains(['=', '"', '\'', '{', ':']);
        let is_capitalized = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().skip(1).all(|sign| sign.is_ascii_lowercase());
        let is_short = name.bytes().all(|sign| !sign.is_ascii_lowercase()) && !inner.contains(['"', '\'']);
        let is_spaced = inner.is_ascii() && name.trim_matches(['.', '_']).contains(['.', '_']);
        is_name
            && (is_argument && !is_capitalized && !is_short
                || has_case && !is_capitalized && inner.is_ascii()
                || is_spaced)
    })
}

/// Whether a place in a text is in an address.
fn is_in_address(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.rsplit(char::is_whitespace).next().is_some_and(|word| word.contains("://"))
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
            "Колесо стоит 500 ₽.<ctrl46>",
            "[!NOTE]\nКолесо 500",
            "Сейчас помогу. HANDOFF",
            "Сейчас помогу. /operator",
            "rate_limit_exceeded",
            "Смотрю: getOrder(id) и отвечу",
            "Смотрю: search(query=\"колесо\")",
            "##Цены\nКолесо 500",
            "==Колесо== 500",
            ":wave: Привет",
            "Здравствуйте, $name!",
            "Здравствуйте, undefined!",
            "Здравствуйте, ____!",
            "+7 (\u{58}XX) 000-00-00",
            "┌──┐",
            "Черновик: Колесо стоит 500 ₽.",
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
            "Введите <ваш код>",
            "Угол <ABC> равен 60",
            "Кабель USB(type=C)",
            "кабинет [305]",
            "spring_sale",
            "─────",
            "[SEP] 15–20 скидки",
            "https://shop.example/a_b(c)?x=1&y=[2]",
            "a<b, c>d",
            "Кнопка [Control] слева",
            "my_login(логин)",
            "Set('3 pcs')",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }
}
