//! Places that a template left unfilled: `{name}`, `%name%`, `[Your Name]`.

/// The longest place, in characters.
const LONGEST: usize = 60;

/// What stands in brackets instead of a name, a number or the like.
const PLACES: [&str; 28] = [
    "name",
    "customer",
    "client",
    "company",
    "order number",
    "order id",
    "phone",
    "phone number",
    "email",
    "date",
    "time",
    "price",
    "amount",
    "address",
    "link",
    "имя",
    "фамилия",
    "номер заказа",
    "номер телефона",
    "телефон",
    "дата",
    "время",
    "цена",
    "сумма",
    "адрес",
    "ссылка",
    "город",
    "компания",
];
/// The first words of the same.
const FIRST: [&str; 14] = [
    "your",
    "ваш",
    "ваше",
    "ваша",
    "insert",
    "вставьте",
    "вставить",
    "укажите",
    "customer",
    "client",
    "company",
    "имя",
    "название",
    "customer's",
];
/// The same in `<…>`, which shops write for keys and for what the customer is to type.
const ANGLE: [&str; 6] = ["name", "your name", "customer name", "имя", "имя клиента", "ваше имя"];
/// Says whether a place is left in a text.
pub(super) fn is_left(text: &str) -> bool {
    text.contains("<%")
        || text.split("%(").skip(1).any(|rest| {
            rest.split_once(')').is_some_and(|(name, after)| {
                after.starts_with(['s', 'd'])
                    && name.bytes().all(|other| other.is_ascii_alphanumeric() || other == b'_')
            })
        })
        || text.match_indices(['{', '[', '<', '%']).any(|(at, sign)| {
            let rest = text.get(at + 1..).unwrap_or_default();
            let closing = match sign {
                "{" => '}',
                "[" => ']',
                "<" => '>',
                _ => '%',
            };
            let is_end = |other: char| other == closing || other == '\n';
            let end = rest.char_indices().take(LONGEST).find(|(_, other)| is_end(*other)).map(|(end, _)| end);
            let Some((inner, after)) = end.and_then(|end| rest.split_at_checked(end)) else { return false };
            let before = text.get(..at).unwrap_or_default().chars().next_back();
            after.starts_with(closing) && is_place(sign, inner.trim(), before)
        })
}

fn is_place(sign: &str, inner: &str, before: Option<char>) -> bool {
    let is_ascii_name = |others: &str| {
        inner.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && inner.chars().all(|other| other.is_ascii_alphanumeric() || others.contains(other))
    };
    let words = inner.to_lowercase();
    let is_known = PLACES.contains(&words.as_str())
        || words.split_once(' ').is_some_and(|(first, _)| FIRST.contains(&first))
            && !words.contains(|other: char| other.is_ascii_digit());
    match sign {
        "{" => {
            let is_number = inner.len() == 1 && inner.bytes().all(|other| other.is_ascii_digit());
            inner.len() > 1 && is_ascii_name("_. -") || is_known || is_number
        }
        "[" => is_known,
        "<" => ANGLE.contains(&words.as_str()),
        _ => inner.len() > 2 && is_ascii_name("_") && !before.is_some_and(|last| last.is_ascii_digit()),
    }
}
