//! What a field of a form is: by the type that its builder states, or by its name in English or Russian, however that is written. Pure.

use super::fields::Field;

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Phone,
    Email,
    Name,
    FirstName,
    LastName,
    /// What the visitor wrote.
    Message,
    /// The id that the page gave to the form that was sent.
    Id,
    /// What the form is called.
    Form,
    /// A field that people do not see: a program that fills in all there are fills in it.
    Trap,
    /// The advertisement that the visitor came by: where it stands if true, else which it is.
    Advertisement(bool),
    /// What says nothing to who answers.
    Technical,
    /// Anything else that the visitor wrote or chose.
    Other,
}

const TRAPS: [&str; 3] = ["_gotcha", "honeypot", "_honeypot"];
/// An id that the page made; Tilda's is the second.
const IDS: [&str; 2] = ["submission_id", "tranid"];
const FORMS: [&str; 5] = ["form_name", "formname", "form_title", "form_id", "formid"];
/// Fields of a page, of its builder and of what counts its visitors.
const TECHNICAL: [&str; 31] = [
    "referrer",
    "referer",
    "referer_title",
    "landing_page",
    "tenant_id",
    "test",
    "page",
    "page_url",
    "page_title",
    "href",
    "cookies",
    "csrf",
    "csrf_token",
    "user_agent",
    "remote_ip",
    "ip",
    "ip_address",
    "client_ip",
    "powered_by",
    "post_id",
    "queried_id",
    "nonce",
    "sessid",
    "session_id",
    "g_recaptcha_response",
    "h_captcha_response",
    "cf_turnstile_response",
    "smart_token",
    "ga_client_id",
    "roistat_visit",
    "tildaspec_cookie",
];
/// What holds technical fields alone.
const CONTAINERS: [&str; 7] = ["meta", "cookies", "page", "status", "system", "visit", "utm"];
/// What holds a visitor's own name. The name of anything else, such as a product, is not theirs.
const PERSONS: [&str; 18] = [
    "",
    "contact",
    "contacts",
    "client",
    "customer",
    "user",
    "lead",
    "person",
    "data",
    "fields",
    "values",
    "namedvalues",
    "form",
    "form_data",
    "body",
    "payload",
    "submission",
    "custom_data",
];
/// Further words in the names of what holds a visitor's own contacts.
const VISITORS: [&str; 14] = [
    "custom",
    "info",
    "details",
    "order",
    "billing",
    "buyer",
    "visitor",
    "request",
    "response",
    "answers",
    "клиент",
    "контакт",
    "контакты",
    "заказ",
];
/// Words beside a phone number or an address for email that do not make it another's.
const OF_ADDRESSES: [&str; 5] = ["e", "address", "адрес", "электронная", "электронной"];
/// Words of a name that say no more than that it is a field of a customer's.
const NOISE: [&str; 27] = [
    "your",
    "my",
    "number",
    "мой",
    "моя",
    "client",
    "customer",
    "user",
    "contact",
    "contacts",
    "lead",
    "field",
    "input",
    "main",
    "form",
    "ваш",
    "ваше",
    "ваша",
    "свой",
    "свою",
    "укажите",
    "введите",
    "контактный",
    "контактное",
    "клиента",
    "пользователя",
    "номер",
];
const PHONES: [&str; 17] = [
    "phone",
    "callerphone",
    "callernumber",
    "phones",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "msisdn",
    "whatsapp",
    "телефон",
    "телефона",
    "тел",
    "мобильный",
    "telefon",
    "telefono",
];
const EMAILS: [&str; 8] = ["email", "emails", "mail", "почта", "почты", "почту", "емейл", "имейл"];
const NAMES: [&str; 6] = ["name", "full_name", "fullname", "fio", "имя", "фио"];
const FIRST_NAMES: [&str; 4] = ["first_name", "firstname", "fname", "f_name"];
const LAST_NAMES: [&str; 7] =
    ["last_name", "lastname", "lname", "l_name", "surname", "second_name", "фамилия"];
const MESSAGES: [&str; 9] =
    ["message", "comment", "comments", "text", "msg", "question", "сообщение", "комментарий", "вопрос"];

impl Role {
    pub(super) fn of(field: &Field) -> Self {
        if field.is_answer {
            return Self::Other;
        }
        let of_kind = match field.kind.as_str() {
            "tel" | "phone" => Some(Self::Phone),
            "email" => Some(Self::Email),
            "name" => Some(Self::Name),
            "textarea" => Some(Self::Message),
            _ => None,
        };
        let of = field.containers().last().map(|name| name.to_lowercase()).unwrap_or_default();
        let roles = || field.names.iter().map(|name| Self::named(name, &of));
        let of_name = roles().find(|role| *role != Self::Other);
        match of_name {
            Some(known @ (Self::Trap | Self::Technical | Self::Advertisement(_))) => known,
            known => of_kind.or(known).unwrap_or(Self::Other),
        }
    }

    pub(super) fn named(name: &str, of: &str) -> Self {
        let raw = name.trim().to_lowercase();
        let words = words(name);
        let joined = words.join("_");
        let is = |known: &[&str]| known.contains(&joined.as_str());
        if TRAPS.contains(&raw.as_str()) {
            return Self::Trap;
        }
        if joined == "utm_source" || of == "utm" && joined == "source" {
            return Self::Advertisement(true);
        }
        if joined == "utm_campaign" || of == "utm" && joined == "campaign" {
            return Self::Advertisement(false);
        }
        let is_technical = is(&TECHNICAL)
            || raw.starts_with('_')
            || joined.starts_with("utm_")
            || joined.starts_with("tildaspec")
            || joined.starts_with("wpcf7");
        if is_technical || CONTAINERS.contains(&of) {
            return Self::Technical;
        }
        if is(&IDS) {
            return Self::Id;
        }
        if is(&FORMS) || matches!(of, "form" | "quiz") && matches!(joined.as_str(), "id" | "name" | "title") {
            return Self::Form;
        }
        let said: Vec<&str> = words.iter().map(String::as_str).filter(|word| !NOISE.contains(word)).collect();
        let whole = said.join("_");
        let is_exactly = |known: &[&str]| known.contains(&whole.as_str());
        let has = |known: &[&str]| said.iter().any(|word| known.contains(word));
        if is_exactly(&FIRST_NAMES) {
            Self::FirstName
        } else if is_exactly(&LAST_NAMES) {
            Self::LastName
        } else if is_exactly(&NAMES) || joined.contains("зовут") {
            if PERSONS.contains(&of) { Self::Name } else { Self::Other }
        } else if has(&PHONES) || whole == "caller" {
            Self::Phone
        } else if has(&EMAILS) || whole.contains("e_mail") {
            Self::Email
        } else if is_exactly(&MESSAGES) {
            Self::Message
        } else {
            Self::Other
        }
    }
}

/// How surely a phone number or an address for email is the visitor's own, the surest first: a form may have those of a shop too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// Its name says no more than that it is one.
    Exact,
    /// Its builder states its type, and its name says nothing.
    Typed,
    /// Its name says more, such as `courier_phone`.
    Described,
    /// It lies in what is not the visitor's, such as `branch`.
    Others,
}

impl Nearness {
    pub(super) fn of(field: &Field) -> Self {
        if !field.containers().iter().all(|name| is_of_visitor(name)) {
            return Self::Others;
        }
        let is_known = |word: &String| {
            [&NOISE[..], &PHONES, &EMAILS, &OF_ADDRESSES].iter().any(|known| known.contains(&word.as_str()))
                || word == "caller"
        };
        let contacts = field
            .names
            .iter()
            .filter(|name| matches!(Role::named(name, ""), Role::Phone | Role::Email))
            .map(|name| if words(name).iter().all(is_known) { Self::Exact } else { Self::Described });
        contacts.min().unwrap_or(Self::Typed)
    }
}

/// Whether what holds a field holds a visitor's own fields, as far as its name says.
fn is_of_visitor(container: &str) -> bool {
    let is_known = |word: &str| {
        [&PERSONS[..], &NOISE, &VISITORS].iter().any(|known| known.contains(&word))
            || word.parse::<u32>().is_ok()
    };
    is_known(&container.to_lowercase()) || words(container).iter().all(|word| is_known(word))
}

/// The words of a name in small letters: `your-Tel`, `clientPhone` and `Your phone` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_small) {
            words.push(String::new());
        }
        was_small = letter.is_lowercase();
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> Role {
        Role::of(&Field { names: vec![name.to_owned()], ..Field::default() })
    }

    #[test]
    fn names_say_what_a_field_is_however_they_are_written() {
        for (names, wanted) in [
            (
                "phone|Phone|your-tel|YOUR_PHONE|clientPhone|Телефон|Ваш телефон|Номер телефона|cell|phone_number|contact[tel]|Phone_2",
                Role::Phone,
            ),
            ("email|e-mail|E_mail|your-email|Email address|Почта|Электронная почта|ваш e-mail", Role::Email),
            (
                "name|Name|your-name|full_name|fio|Имя|Ваше имя|Как вас зовут?|client_name|user-name",
                Role::Name,
            ),
            ("firstName|first_name", Role::FirstName),
            ("lastname|surname|Фамилия", Role::LastName),
            ("message|your-message|Comment|Сообщение|Ваш вопрос", Role::Message),
            ("form_name|formid|formName", Role::Form),
            ("_gotcha|honeypot", Role::Trap),
            (
                "_wpcf7|_wpcf7_unit_tag|_wpnonce|g-recaptcha-response|utm_term|Page URL|User Agent|Remote IP|COOKIES|referrer",
                Role::Technical,
            ),
            ("company_name|product|city|model|Удобное время|payment", Role::Other),
        ] {
            for name in names.split('|') {
                assert_eq!(role(name), wanted, "{name}");
            }
        }
        let of_kind = |kind: &str| {
            Role::of(&Field { names: vec!["field_1".to_owned()], kind: kind.to_owned(), ..Field::default() })
        };
        assert_eq!(
            [of_kind("tel"), of_kind("email"), of_kind("textarea"), of_kind("text")],
            [Role::Phone, Role::Email, Role::Message, Role::Other]
        );
    }
}
