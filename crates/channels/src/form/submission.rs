//! A form that a visitor sent, as a message. Pure.

use domain::inbound::AdSource;
use domain::phone::e164;
use domain::{ContactProof, ExternalChat, InboundMessage, ProvedContact, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::fields;
use crate::provider::HookPost;

/// The largest body that is read.
const LARGEST: usize = 64 * 1024;
/// The most fields, and answers of a quiz.
const MOST: usize = 100;
/// The most characters of a field, of a name, and of all that is written.
const LONGEST_FIELD: usize = 2_000;
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 10_000;
/// What is sent again within this is the same form, where the page gives it no id.
const SAME_WITHIN: i64 = 600;

/// Fields that people do not see: a program that fills in all there are fills in these.
const TRAPS: [&str; 2] = ["_gotcha", "honeypot"];
const PHONE: [&str; 6] = ["phone", "telephone", "mobile", "cell", "tel", "phone_number"];
const NAME: [&str; 5] = ["name", "full_name", "client_name", "fio", "fullname"];
const EMAIL: [&str; 2] = ["email", "e_mail"];
const MESSAGE: [&str; 4] = ["message", "comment", "comments", "text"];
/// An id that the page made; Tilda's is the second.
const ID: [&str; 2] = ["submission_id", "tranid"];
const FORM: [&str; 4] = ["form_name", "formname", "form_id", "formid"];
/// What says nothing to who answers.
const TECHNICAL: [&str; 9] = [
    "referrer",
    "landing_page",
    "tenant_id",
    "quiz_answers",
    "custom_data",
    "test",
    "page",
    "cookies",
    "csrf_token",
];

/// A form that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Its id: the page's own, or made of what it says.
    pub id: String,
    /// The message that it is; none where a program filled in a field that people do not see, which it does not have to know.
    pub message: Option<InboundMessage>,
}

/// What is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct WrongForm {
    /// The field, `body` for the whole.
    pub field: &'static str,
    /// In words.
    pub message: &'static str,
}

const fn wrong(field: &'static str, message: &'static str) -> WrongForm {
    WrongForm { field, message }
}

/// Reads a posted form.
///
/// # Errors
/// What is wrong with it.
pub fn read(post: &HookPost, now: Timestamp) -> Result<Submission, WrongForm> {
    if post.body.len() > LARGEST {
        return Err(wrong("body", "has more than 64 KB"));
    }
    let given = fields::read(post).ok_or(wrong("body", "is neither JSON nor a form"))?;
    if given.len() > MOST {
        return Err(wrong("body", "has more than 100 fields"));
    }
    let id = id(&given, post, now)?;
    let chat =
        ExternalChat::new(&id).ok_or(wrong("submission_id", "may have letters, digits, - and _ alone"))?;
    let find = |names: &[&str]| names.iter().find_map(|name| fields::shown(given.get(*name)?));
    if find(&TRAPS).is_some() {
        return Ok(Submission { id, message: None });
    }
    let phone = find(&PHONE).ok_or(wrong("phone", "is missing"))?;
    let phone = e164(&phone).ok_or(wrong("phone", "needs its country, such as +70000000001"))?;
    let name = find(&NAME);
    if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
        return Err(wrong("name", "has at most 200 characters"));
    }
    let text = text(&given, find(&MESSAGE), find(&FORM).as_deref())?;
    let message = InboundMessage {
        user: Some(phone.clone()),
        name,
        // A visitor may type what belongs to others.
        sender_proof: ContactProof::Typed,
        phone: Some(ProvedContact::typed(phone)),
        email: find(&EMAIL)
            .filter(|email| email.contains('@') && email.len() <= 254)
            .map(ProvedContact::typed),
        ad: find(&["utm_source"]).map(|channel| AdSource { channel, id: find(&["utm_campaign"]) }),
        raw: serde_json::to_string(&given).ok(),
        ..InboundMessage::private(chat, id.clone(), text, now)
    };
    Ok(Submission { id, message: Some(message) })
}

/// Whether a post only asks if the address is there, as Tilda does before it sends forms.
pub(super) fn is_trial(post: &HookPost) -> bool {
    post.body.trim_ascii() == b"test=test"
}

fn id(given: &Map<String, Value>, post: &HookPost, now: Timestamp) -> Result<String, WrongForm> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.');
    if let Some(id) = ID.iter().find_map(|name| fields::shown(given.get(*name)?)) {
        let is_right = id.len() <= 64 && id.bytes().all(is_plain);
        return if is_right {
            Ok(id)
        } else {
            Err(wrong("submission_id", "has at most 64 letters, digits, - and _"))
        };
    }
    let path = post.url.split('?').next().unwrap_or_default();
    let mut digest = Sha256::new_with_prefix(path);
    // The fields in the order of their names.
    let sorted: std::collections::BTreeMap<&String, &Value> = given.iter().collect();
    for (name, value) in sorted {
        digest.update(format!("\n{name}\n{value}"));
    }
    digest.update(format!("\n{}", now.as_seconds().div_euclid(SAME_WITHIN)));
    Ok(hex::encode(&digest.finalize()[..16]))
}

/// All that a visitor wrote or chose, line by line.
fn text(
    given: &Map<String, Value>,
    message: Option<String>,
    form: Option<&str>,
) -> Result<String, WrongForm> {
    let mut lines: Vec<String> = message.into_iter().collect();
    let answers = nested(given.get("quiz_answers"));
    let answers = answers.as_array().map(Vec::as_slice).unwrap_or_default();
    if answers.len() > MOST {
        return Err(wrong("quiz_answers", "has at most 100 answers"));
    }
    for answer in answers {
        let part = |name: &str| fields::shown(&answer[name]);
        let question = part("question").or_else(|| part("question_id"));
        lines.extend(part("answer").map(|answer| match question {
            Some(question) => format!("{question}: {answer}"),
            None => answer,
        }));
    }
    let custom = nested(given.get("custom_data"));
    let known: Vec<&str> = [&TRAPS[..], &PHONE, &NAME, &EMAIL, &MESSAGE, &ID, &FORM, &TECHNICAL].concat();
    let is_other = |name: &str| !known.contains(&name) && !name.starts_with("utm_") && !name.starts_with('_');
    let others =
        given.iter().filter(|(name, _)| is_other(name)).chain(custom.as_object().into_iter().flatten());
    for (name, value) in others {
        if let Some(value) = fields::shown(value) {
            if value.chars().count() > LONGEST_FIELD {
                return Err(wrong("body", "has a field of more than 2000 characters"));
            }
            lines.push(format!("{name}: {value}"));
        }
    }
    let text = lines.join("\n");
    if text.chars().count() > LONGEST_TEXT {
        return Err(wrong("message", "has at most 10000 characters"));
    }
    Ok(if text.is_empty() { format!("[form] {}", form.unwrap_or_default()).trim().to_owned() } else { text })
}

/// A list or an object, which a form has as the text of it.
fn nested(value: Option<&Value>) -> Value {
    match value {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_760_000_700_000_000);

    fn post(kind: &str, body: impl Into<Vec<u8>>) -> HookPost {
        HookPost {
            method: "POST".to_owned(),
            url: "https://example.com/api/quiz".to_owned(),
            query: String::new(),
            headers: vec![("content-type".to_owned(), kind.as_bytes().to_vec())],
            body: body.into(),
        }
    }

    fn message(kind: &str, body: impl Into<Vec<u8>>) -> InboundMessage {
        read(&post(kind, body), NOW).unwrap().message.unwrap()
    }

    #[test]
    fn a_quiz_is_read_with_its_answers() {
        let quiz = json!({
            "phone": "8 (000) 000-00-01", "full_name": "Ivan", "email": "ivan@example.com", "form_id": "quiz-1",
            "quiz_answers": [{"question": "Model?", "answer": "A 12"}, {"question_id": 2, "answer": ["screen", 7]}, {}],
            "custom_data": {"city": "Town"}, "utm_source": "search", "utm_campaign": 42, "submission_id": "s-1",
        });
        let read = message("application/json", quiz.to_string());
        assert_eq!((read.chat.as_str(), read.external_id.as_str()), ("s-1", "s-1"));
        assert_eq!(&*read.text, "Model?: A 12\n2: screen, 7\ncity: Town");
        assert_eq!(
            (read.phone.clone(), read.name.as_deref()),
            (Some(ProvedContact::typed("+70000000001")), Some("Ivan"))
        );
        assert_eq!(read.email, Some(ProvedContact::typed("ivan@example.com")));
        assert_eq!(read.ad, Some(AdSource { channel: "search".to_owned(), id: Some("42".to_owned()) }));
    }

    #[test]
    fn forms_and_parts_are_read_like_json() {
        let tilda =
            "Phone=%2B7+000+000-00-01&fio=%D0%98%D0%B2%D0%B0%D0%BD&comment=hi&tranid=1:2&formid=form1";
        let read = message("application/x-www-form-urlencoded", tilda);
        assert_eq!((read.name.as_deref(), &*read.text, read.chat.as_str()), (Some("Иван"), "hi", "1:2"));
        let parts = "--x\r\nContent-Disposition: form-data; name=\"tel\"\r\n\r\n80000000001\r\n--x\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nzzz\r\n--x\r\n\
            Content-Disposition: form-data; name=\"model\"\r\n\r\nA 12\r\n--x--\r\n";
        let read = message("multipart/form-data; boundary=x", parts);
        assert_eq!((read.phone, &*read.text), (Some(ProvedContact::typed("+70000000001")), "model: A 12"));
        let callback = message("", r#"{"cell": 80000000001, "form_name": "Call me"}"#);
        assert_eq!(&*callback.text, "[form] Call me");
    }

    #[test]
    fn a_form_without_an_id_is_the_same_for_a_while() {
        let id = |body: &str, now| read(&post("application/json", body), now).unwrap().id;
        let (one, other) = (r#"{"tel":"80000000001","a":1}"#, r#"{"a":1,"tel":"80000000001"}"#);
        assert_eq!(id(one, NOW), id(other, NOW));
        assert_ne!(id(one, NOW), id(r#"{"tel":"80000000001","a":2}"#, NOW));
        assert_ne!(id(one, NOW), id(one, NOW.plus(std::time::Duration::from_hours(1))));
    }

    #[test]
    fn an_invalid_submission_names_its_field() {
        let field = |body: Value| read(&post("application/json", body.to_string()), NOW).unwrap_err().field;
        assert_eq!(field(json!({"name": "Ivan"})), "phone");
        assert_eq!(field(json!({"phone": "call me"})), "phone");
        assert_eq!(field(json!({"phone": "80000000001", "name": "x".repeat(201)})), "name");
        assert_eq!(field(json!({"phone": "80000000001", "message": "x".repeat(10_001)})), "message");
        assert_eq!(field(json!({"phone": "80000000001", "note": "x".repeat(2_001)})), "body");
        assert_eq!(field(json!({"phone": "80000000001", "submission_id": "a b"})), "submission_id");
        assert_eq!(field(json!([])), "body");
        assert_eq!(read(&post("", "x".repeat(LARGEST + 1)), NOW).unwrap_err().field, "body");
        let trapped = read(&post("", "phone=80000000001&_gotcha=x"), NOW).unwrap();
        assert_eq!(trapped.message, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            body in prop::collection::vec(any::<u8>(), 0..300),
            kind in "(application/json|multipart/form-data; boundary=(x)?|)",
        ) {
            let _ = read(&post(&kind, body), NOW);
        }

        #[test]
        fn any_fields_are_read_without_a_panic(
            name in "(phone|name|quiz_answers|custom_data|submission_id|email|[a-z]{0,4})", value in ".{0,80}", phone in ".{0,20}",
        ) {
            let body = json!({"phone": phone, name: value, "quiz_answers": [value, {"answer": value}]});
            let _ = read(&post("application/json", body.to_string()), NOW);
        }
    }
}
