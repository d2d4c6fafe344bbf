//! Short messages, through a gateway: each gateway is a provider of its own.

mod smpp;
mod sms_ru;
mod smsc;
mod template;
mod twilio;

use std::sync::Arc;
use std::time::Duration;

use config::SmsGateway;
use delivery::{Capabilities, Dedup};
use domain::outcome::{HoldScope, SentIds};
use domain::text::{TextLimit, Unit};
use domain::{ExternalChat, MessageState, Outcome, Phone, ProviderId, Timestamp};
use outbound::RequestBuilder;
use serde_json::Value;

use crate::error::{CallError, NO_NUMBER};
use crate::http::{Answer, Http};
use crate::nature::{self, Nature};
use crate::provider::{Pacing, Provider};
use crate::setup::{Setup, SetupError};

/// Five parts of a message in letters beyond Latin ones, which is what a longer one costs at most.
const LONGEST: TextLimit = TextLimit::new(335, Unit::Utf16);
/// The most digits of a short number, such as that of a bank.
const LONGEST_SHORT: usize = 6;
/// The wait after an error that many calls brought on.
const COOL_DOWN: Duration = Duration::from_mins(5);

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "In the cabinet of the gateway take the key of its API as token, and register the name of the sender.",
        "В кабинете шлюза возьмите ключ API как token и зарегистрируйте имя отправителя.",
    ],
    [
        "Enter the address of this page there for statuses and for messages that come in.",
        "Впишите там адрес с этой страницы для статусов и входящих сообщений.",
    ],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    token: ["The API key, or Twilio's auth token.", "Ключ API или auth token у Twilio."],
    number: |chat| nature::e164(chat.trim_start_matches('+')),
    segments: Some(segments),
    chat_type: nature::of_one,
    user: nature::number_of_user,
    ..Nature::PLAIN
};

/// An account of it.
///
/// # Errors
/// A key is missing or wrong.
pub(crate) fn make(setup: &Setup) -> Result<Arc<dyn Provider>, SetupError> {
    Ok(match setup.needed("gateway", &setup.fields.gateway)? {
        SmsGateway::Smsc => Arc::new(smsc::Smsc::new(setup)?),
        SmsGateway::SmsRu => Arc::new(sms_ru::SmsRu::new(setup)?),
        SmsGateway::Twilio => Arc::new(twilio::Twilio::new(setup)?),
        SmsGateway::Smpp => Arc::new(smpp::Smpp::new(setup)?),
        SmsGateway::Http => Arc::new(template::Template::new(setup)?),
    })
}

/// How many short messages a text is, as operators count and charge for them: one has 160 letters of GSM's alphabet or 70 of
/// others, and of several each has 153 or 67.
fn segments(text: &str) -> usize {
    smpp::segments(text)
}

/// What a gateway carries that has texts alone.
const fn texts(dedup: Dedup, states: &'static [MessageState]) -> Capabilities {
    Capabilities {
        text: LONGEST,
        caption: None,
        sends: true,
        reply: false,
        album: delivery::Album::NONE,
        parse_modes: &[],
        media: &[],
        actions: &[],
        states,
        dedup,
    }
}

const fn pacing() -> Pacing {
    Pacing { account: Duration::from_millis(100), chat: Duration::from_secs(1), burst: 5 }
}

/// The digits of a number.
fn digits(chat: &ExternalChat) -> Result<&str, CallError> {
    let digits = chat.as_str().trim_start_matches('+');
    let is_number = (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits).ok_or_else(|| {
        CallError::NotFound("the chat is no number of a phone; write it as +70000000001".to_owned())
    })
}

/// A number as chats have it, in international form. Some gateways give it as it is dialled at home. A short number and a name that
/// someone sends from stay as they are.
fn number(phone: &str) -> String {
    let phone = phone.trim();
    let digits = phone.trim_start_matches('+');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return phone.to_owned();
    }
    if digits.len() <= LONGEST_SHORT {
        return digits.to_owned();
    }
    let typed = Phone::read_typed(phone).filter(|_| digits.len() == phone.len());
    typed.map_or_else(|| format!("+{digits}"), |phone| phone.to_string())
}

fn outcome(sent: Result<String, CallError>, now: Timestamp) -> Outcome {
    match sent {
        Ok(id) => Outcome::Sent(SentIds::one(Some(ProviderId::Text(id.into())))),
        Err(error) => error.outcome(now),
    }
}

/// Makes a call whose answer is an object, whatever its status.
async fn call(http: &Http, request: RequestBuilder) -> Result<(u16, Value), CallError> {
    read(&http.call(request).await?)
}

fn read(answer: &Answer) -> Result<(u16, Value), CallError> {
    match answer.status {
        429 => Err(CallError::wait(answer.retry_after.unwrap_or(COOL_DOWN))),
        status @ 500.. => Err(CallError::Server(status.to_string())),
        status => match answer.json::<Value>()? {
            body @ Value::Object(_) => Ok((status, body)),
            _ => Err(CallError::Unreadable(format!("{status} with a body of another form"))),
        },
    }
}

/// This number has just had as much as it may.
const fn repeated() -> CallError {
    CallError::Wait { wait: NO_NUMBER, scope: HoldScope::Chat }
}

/// A whole number that may be written as a text.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A word that may be written as a number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What a gateway says of an error, short.
fn detail(value: &Value) -> String {
    value.as_str().unwrap_or_default().chars().take(200).collect()
}

fn at_second(text: Option<&str>, now: Timestamp) -> Timestamp {
    let second = text.and_then(|text| text.trim().parse::<i64>().ok()).filter(|second| *second > 0);
    second.map_or(now, |second| Timestamp::from_micros(second.saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_those_that_operators_charge_for() {
        for (text, count) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("€".repeat(80), 1),
            ("ж".repeat(70), 1),
            (format!("{}ж", "a".repeat(70)), 2),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
        ] {
            assert_eq!(segments(&text), count, "{text}");
        }
    }

    #[test]
    fn numbers_have_5_to_15_digits() {
        let chat = |text: &str| ExternalChat::new(text).unwrap();
        assert_eq!(digits(&chat("+70000000001")), Ok("70000000001"));
        assert_eq!(digits(&chat("70000000001")), Ok("70000000001"));
        for wrong in ["+7", "DEMO", "+7000000000100000", "+7 000 000 00 01"] {
            assert!(digits(&chat(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sender_is_a_number_at_home_or_stays_as_it_is() {
        for (sender, chat) in [
            ("70000000001", "+70000000001"),
            ("+70000000001", "+70000000001"),
            ("89000007711", "+79000007711"),
            ("9000007711", "+79000007711"),
            ("4915112345678", "+4915112345678"),
            ("900", "900"),
            ("+900", "900"),
            ("123456", "123456"),
            ("DEMO", "DEMO"),
            ("", ""),
        ] {
            assert_eq!(number(sender), chat, "{sender}");
        }
    }
}
