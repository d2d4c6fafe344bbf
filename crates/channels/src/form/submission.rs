//! A form that a visitor sent, as a message. Pure.

use domain::inbound::AdSource;
use domain::phone::{WrittenContacts, e164};
use domain::{ContactProof, ExternalChat, InboundMessage, ProvedContact, Timestamp};
use domain::{email, lenient};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::fields::{self, Field};
use super::role::{Nearness, Role};
use crate::provider::HookPost;

/// The largest body that is read.
const LARGEST: usize = 64 * 1024;
/// The most fields that say something.
const MOST: usize = 100;
/// The most characters of a field, of a name, and of all that is written.
const LONGEST_FIELD: usize = 2_000;
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 10_000;
/// What is sent again within this is the same form, where the page gives it no id.
const SAME_WITHIN: i64 = 600;

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

/// What is said of a number that cannot be read.
const NO_PHONE: &str = "needs its country, such as +70000000001";

const fn wrong(field: &'static str, message: &'static str) -> WrongForm {
    WrongForm { field, message }
}

/// Reads a posted form. A phone number or an address of email suffices.
///
/// # Errors
/// What is wrong with it.
pub fn read(post: &HookPost, now: Timestamp) -> Result<Submission, WrongForm> {
    if post.body.len() > LARGEST {
        return Err(wrong("body", "has more than 64 KB"));
    }
    let (tree, fields) = fields::in_order(post).ok_or(wrong("body", "is neither JSON nor a form"))?;
    let fields: Vec<(Role, Field)> = fields.into_iter().map(|field| (Role::of(&field), field)).collect();
    let is_content = |(role, _): &&(Role, Field)| !matches!(role, Role::Technical | Role::Advertisement(_));
    if fields.iter().filter(is_content).count() > MOST {
        return Err(wrong("body", "has more than 100 fields"));
    }
    let of = |wanted: Role| fields.iter().filter(move |(role, _)| *role == wanted).map(|(_, field)| field);
    let first = |role: Role| of(role).next().map(|field| field.value.as_str());
    let id = id(first(Role::Id), &tree, post, now)?;
    let chat =
        ExternalChat::new(&id).ok_or(wrong("submission_id", "may have letters, digits, - and _ alone"))?;
    if of(Role::Trap).any(is_filled) {
        return Ok(Submission { id, message: None });
    }
    let phone_in = |field: &Field| {
        e164(&field.value).or_else(|| WrittenContacts::read(&field.value).phones.into_iter().next())
    };
    let email_in = |field: &Field| {
        email::read(&field.value).or_else(|| WrittenContacts::read(&field.value).emails.into_iter().next())
    };
    let phone = nearest(of(Role::Phone), phone_in);
    let email = nearest(of(Role::Email), email_in);
    // What lies in another's fields, such as those of a branch, is no contact where the other one is the visitor's own.
    let surest = phone.iter().chain(&email).map(|(nearness, _)| *nearness).min();
    let taken = |found: Option<(Nearness, String)>| {
        found.filter(|(nearness, _)| *nearness < Nearness::Others || surest == Some(Nearness::Others))
    };
    let mut phone = taken(phone).map(|(_, phone)| phone);
    let mut email = taken(email).map(|(_, email)| email);
    if phone.is_none() && email.is_none() {
        // A page may call its fields as it likes.
        let is_written = |(role, _): &&(Role, Field)| !matches!(role, Role::Id | Role::Form);
        let fields = fields.iter().filter(is_content).filter(is_written);
        let mut written = fields.map(|(_, field)| WrittenContacts::read(&field.value));
        let found = written.find(|found| !found.phones.is_empty() || !found.emails.is_empty());
        let found = found.unwrap_or_default();
        (phone, email) = (found.phones.into_iter().next(), found.emails.into_iter().next());
    }
    if phone.is_none() && email.is_none() {
        let is_given = of(Role::Phone).next().is_some();
        return Err(wrong("phone", if is_given { NO_PHONE } else { "is missing" }));
    }
    let name = [Role::Name, Role::FirstName, Role::LastName].into_iter().filter_map(first);
    let name = name.collect::<Vec<_>>().join(" ");
    if name.chars().count() > LONGEST_NAME {
        return Err(wrong("name", "has at most 200 characters"));
    }
    let text = text(&fields, phone.as_deref(), email.as_deref())?;
    let message = InboundMessage {
        user: phone.clone().or_else(|| email.clone()),
        name: Some(name).filter(|name| !name.is_empty()),
        // A visitor may type what belongs to others.
        sender_proof: ContactProof::Typed,
        phone: phone.map(ProvedContact::typed),
        email: email.map(ProvedContact::typed),
        ad: first(Role::Advertisement(true)).map(|channel| AdSource {
            channel: channel.to_owned(),
            id: first(Role::Advertisement(false)).map(str::to_owned),
        }),
        raw: serde_json::to_string(&tree).ok(),
        ..InboundMessage::private(chat, id.clone(), text, now)
    };
    Ok(Submission { id, message: Some(message) })
}

/// The contact that is most surely the visitor's own; of equal ones the first of the post.
fn nearest<'a>(
    fields: impl Iterator<Item = &'a Field>,
    contact_in: impl Fn(&Field) -> Option<String>,
) -> Option<(Nearness, String)> {
    let found = fields.filter_map(|field| Some((Nearness::of(field), contact_in(field)?)));
    found.min_by_key(|(nearness, _)| *nearness)
}

/// The fields of a form that cannot be taken, as JSON, so that a person can correct it; none where it says nothing.
pub(crate) fn kept(post: &HookPost) -> Option<String> {
    let tree = fields::read(post).filter(|tree| !fields::all(tree).is_empty());
    let text = || Value::from(crate::charset::text(post.body.trim_ascii()));
    let is_trap = |tree: &Map<String, Value>| {
        fields::all(tree).iter().any(|field| Role::of(field) == Role::Trap && is_filled(field))
    };
    match tree {
        Some(tree) if is_trap(&tree) => None,
        Some(tree) => Some(Value::Object(tree).to_string()),
        None => Some(text()).filter(|text| text != "").map(|text| text.to_string()),
    }
}

/// A form that was kept, as the page would have posted it with these fields. It has the id of what was kept where it has none that is
/// right: taken in twice, it is one message.
pub(crate) fn corrected(kept: &str, fields: Map<String, Value>, id: &str) -> HookPost {
    let mut tree = match serde_json::from_str(kept) {
        Ok(Value::Object(tree)) => tree,
        Ok(Value::String(text)) => Map::from_iter([("message".to_owned(), text.into())]),
        _ => Map::new(),
    };
    tree.extend(fields);
    let is_wrong = |(name, value): (&String, &Value)| {
        let given = fields::shown(value).unwrap_or_default();
        Role::named(name, "") == Role::Id && !is_id(&given)
    };
    let wrong: Vec<String> = tree.iter().filter(|one| is_wrong(*one)).map(|(name, _)| name.clone()).collect();
    for name in wrong {
        tree.remove(&name);
    }
    if !tree.keys().any(|name| Role::named(name, "") == Role::Id) {
        tree.insert("submission_id".to_owned(), id.into());
    }
    HookPost {
        method: "POST".to_owned(),
        url: String::new(),
        query: String::new(),
        headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
        body: Value::Object(tree).to_string().into_bytes(),
    }
}

/// Whether a text can be the id of a form.
fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Whether a post only asks if the address is there, as Tilda does before it sends forms; the key of its webhook may be in it.
pub(super) fn is_trial(post: &HookPost) -> bool {
    let tree = fields::read(post).unwrap_or_default();
    let is_contact = |field: &Field| matches!(Role::of(field), Role::Phone | Role::Email);
    tree.len() <= 2
        && tree.get("test").is_some_and(|test| test == "test")
        && !fields::all(&tree).iter().any(is_contact)
}

fn id(
    given: Option<&str>,
    tree: &Map<String, Value>,
    post: &HookPost,
    now: Timestamp,
) -> Result<String, WrongForm> {
    if let Some(id) = given {
        return if is_id(id) {
            Ok(id.to_owned())
        } else {
            Err(wrong("submission_id", "has at most 64 letters, digits, - and _"))
        };
    }
    let path = post.url.split('?').next().unwrap_or_default();
    let mut digest = Sha256::new_with_prefix(path);
    // The fields in the order of their names.
    let sorted: std::collections::BTreeMap<&String, &Value> = tree.iter().collect();
    for (name, value) in sorted {
        digest.update(format!("\n{name}\n{value}"));
    }
    digest.update(format!("\n{}", now.as_seconds().div_euclid(SAME_WITHIN)));
    Ok(hex::encode(&digest.finalize()[..16]))
}

/// Whether a program filled a field that people do not see. A box that no one ticked is sent, too.
fn is_filled(field: &Field) -> bool {
    !lenient::is_no(&Value::from(field.value.as_str()))
}

/// Whether a number stands alone, without an extension.
fn is_bare(number: &str) -> bool {
    !number.chars().any(char::is_alphabetic)
}

/// All that a visitor wrote or chose, line by line: messages first, then answers of a quiz, then all else that is not shown otherwise.
fn text(fields: &[(Role, Field)], phone: Option<&str>, email: Option<&str>) -> Result<String, WrongForm> {
    let is_shown_otherwise = |role: Role, field: &Field| match role {
        Role::Phone => {
            e164(&field.value).as_deref().is_some_and(|shown| Some(shown) == phone) && is_bare(&field.value)
        }
        Role::Email => Some(field.value.trim().to_lowercase().as_str()) == email,
        Role::Name | Role::FirstName | Role::LastName => fields
            .iter()
            .find(|(known, _)| *known == role)
            .is_some_and(|(_, first)| first.value == field.value),
        Role::Message | Role::Other => false,
        Role::Id | Role::Form | Role::Trap | Role::Technical | Role::Advertisement(_) => true,
    };
    let mut lines: Vec<String> = Vec::new();
    let is_message = |(role, _): &&(Role, Field)| *role == Role::Message;
    lines.extend(fields.iter().filter(is_message).map(|(_, field)| field.value.clone()));
    for is_answer in [true, false] {
        for (role, field) in fields.iter().filter(|one| !is_message(one) && one.1.is_answer == is_answer) {
            if is_shown_otherwise(*role, field) {
                continue;
            }
            if field.value.chars().count() > LONGEST_FIELD {
                return Err(wrong("body", "has a field of more than 2000 characters"));
            }
            lines.push(match field.title() {
                "" => field.value.clone(),
                title => format!("{title}: {}", field.value),
            });
        }
    }
    let text = lines.join("\n");
    if text.chars().count() > LONGEST_TEXT {
        return Err(wrong("message", "has at most 10000 characters"));
    }
    let form = fields.iter().find(|(role, _)| *role == Role::Form).map(|(_, field)| field.value.as_str());
    Ok(if text.is_empty() { format!("[form] {}", form.unwrap_or_default()).trim().to_owned() } else { text })
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
        let typed = Some(ProvedContact::typed("+70000000001"));
        // A file is not taken, but that there is one is seen.
        assert_eq!((read.phone, &*read.text), (typed, "file: a\nmodel: A 12"));
        let callback = message("", r#"{"cell": 80000000001, "form_name": "Call me"}"#);
        assert_eq!(&*callback.text, "[form] Call me");
    }

    #[test]
    fn the_visitors_own_contacts_are_taken_before_those_of_others() {
        let (own, shop) = ("80000000001", "88005553535");
        let contacts = |body: &str| {
            let kind = if body.starts_with('{') { "application/json" } else { "" };
            let read = message(kind, body);
            (read.phone.map(|phone| phone.value), read.email.map(|email| email.value))
        };
        for body in [
            json!({"phone": own, "branch": {"phone": shop}}),
            json!({"contact": {"phone": own}, "assignee": {"contact": {"phone": shop}}}),
            json!({"merchant": {"phone": shop}, "order": {"phone": own}}),
            json!({"Company phone": shop, "Your phone": own}),
            json!({"friend_phone": shop, "my_phone": own}),
            json!({"emergency_contact_phone": shop, "phone_number": own}),
            json!({"courier_phone": shop, "telephone": own}),
            json!({"calledphone": shop, "callerphone": own, "phonenumber": shop}),
            json!({"callee": shop, "caller": own}),
            json!({"agent": {"phone": shop}, "custom_fields": [{"code": "PHONE", "values": [{"value": own}]}]}),
        ] {
            assert_eq!(contacts(&body.to_string()).0.as_deref(), Some("+70000000001"), "{body}");
        }
        for body in [
            json!({"admin_email": "boss@shop.example", "email": "anna@example.org"}),
            json!({"account": {"email": "boss@shop.example"}, "user": {"email": "anna@example.org"}}),
        ] {
            assert_eq!(contacts(&body.to_string()).1.as_deref(), Some("anna@example.org"), "{body}");
        }
        assert_eq!(
            contacts("company[phone]=88005553535&phone=80000000001").0.as_deref(),
            Some("+70000000001")
        );
        // A shop's number is not that of a visitor who left an address alone.
        let body = r#"{"branch":{"phone":"88005553535"},"email":"anna@example.org"}"#;
        assert_eq!(contacts(body), (None, Some("anna@example.org".to_owned())));
        let alone = r#"{"branch":{"phone":"80000000001"}}"#;
        assert_eq!(contacts(alone).0.as_deref(), Some("+70000000001"));
    }

    #[test]
    fn what_is_equal_stays_in_the_order_of_the_post() {
        for (kind, body) in [
            ("", "whatsapp=80000000001&size=M&phone=80000000002&color=red"),
            (
                "application/json",
                r#"{"whatsapp":"80000000001","size":"M","phone":"80000000002","color":"red"}"#,
            ),
        ] {
            let read = message(kind, body);
            assert_eq!(read.phone, Some(ProvedContact::typed("+70000000001")), "{body}");
            assert_eq!(&*read.text, "size: M\nphone: 80000000002\ncolor: red", "{body}");
        }
        // What a page writes for a field that it does not find is no text.
        assert_eq!(&*message("", "phone=80000000001&message=undefined&city=Town").text, "city: Town");
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
        assert_eq!(field(json!({"phone": "call me", "email": "anna"})), "phone");
        assert_eq!(field(json!({"phone": "80000000001", "name": "x".repeat(201)})), "name");
        assert_eq!(field(json!({"phone": "80000000001", "message": "x".repeat(10_001)})), "message");
        assert_eq!(field(json!({"phone": "80000000001", "note": "x".repeat(2_001)})), "body");
        assert_eq!(field(json!({"phone": "80000000001", "submission_id": "a b"})), "submission_id");
        assert_eq!(field(json!([])), "body");
        assert_eq!(read(&post("", "x".repeat(LARGEST + 1)), NOW).unwrap_err().field, "body");
        let trapped = read(&post("", "phone=80000000001&_gotcha=x"), NOW).unwrap();
        assert_eq!(trapped.message, None);
    }

    #[test]
    fn a_trial_is_no_form() {
        let form = "application/x-www-form-urlencoded";
        for (kind, body) in
            [(form, "test=test"), (form, "test=test&key=abc"), ("application/json", r#"{"test":"test"}"#)]
        {
            assert!(is_trial(&post(kind, body)), "{body}");
        }
        for body in ["test=1", "test=test&phone=80000000001", "name=test", ""] {
            assert!(!is_trial(&post(form, body)), "{body}");
        }
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
