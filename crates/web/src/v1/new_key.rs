//! What an API key is to be, as a body says it, checked field by field. Pure.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use api::schemas;
use config::{parse_duration, parse_repeats};
use domain::{ApiKeyId, ChatRef, KeyLimits, NamedChat, NamedChatError, RequestRate, Timestamp};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use store::{ApiKey, Scope};
use utoipa::ToSchema;

use crate::problem::{FieldError, Problem, shorten};

/// The longest name of a key.
const LONGEST_NAME: usize = 100;
/// Entries of one list at most.
const MOST: usize = 100;
/// The farthest end of a key.
const FARTHEST: Duration = Duration::from_hours(24 * 3650);

/// A key to be made.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// What to call it.
    #[schema(example = "n8n")]
    name: String,
    /// What it may: `send`, `read`, `operate`, `personal` (change and erase clients), `admin` (all).
    #[schema(schema_with = schemas::scopes)]
    scopes: Vec<Scope>,
    /// For how long the same body, sent with this key to the same path without an `Idempotency-Key`, is the same message and
    /// answered as a replay, `1s` to `1d`. Left out: each request is a new message.
    #[schema(example = "10m")]
    repeats: Option<String>,
    /// The accounts that it is limited to. Left out or empty: it may use all.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, example = json!(["main"]))]
    accounts: Option<Names>,
    /// The chats that it is limited to, as calls name them.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, example = json!(["-1001234567890"]))]
    chats: Option<Names>,
    /// The channels that it is limited to: `telegram`, or one beside it.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, example = json!(["telegram"]))]
    channels: Option<Names>,
    /// From when on it no longer works. Left out: it works until it is revoked.
    #[schema(example = "2030-01-31T12:00:00Z")]
    expires_at: Option<String>,
    /// The same as a length of time from now, such as `90d`.
    #[schema(example = "90d")]
    expires_in: Option<String>,
    /// How many requests it may make: in a second (`10/s`), a minute (`600/m`) or an hour (`5000/h`). Left out: as many as
    /// `limits.requests_per_minute_per_key` says.
    #[schema(example = "10/s")]
    rate: Option<String>,
    /// How many of them at once. Left out: those of one period.
    #[schema(minimum = 1, maximum = 1_000_000, example = 20)]
    burst: Option<u32>,
}

/// What of a key is to be another; what is left out stays.
#[derive(Debug, Default, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyChange {
    /// What to call it.
    #[schema(example = "n8n")]
    name: Option<String>,
    /// For how long the same body is the same message, `1s` to `1d`; `none`: each request is a new one.
    #[schema(example = "10m")]
    repeats: Option<String>,
    /// The accounts that it is limited to; an empty list: it may use all.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, example = json!(["main"]))]
    accounts: Option<Names>,
    /// The chats that it is limited to, as calls name them; an empty list: it may name all.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, example = json!(["-1001234567890"]))]
    chats: Option<Names>,
    /// The channels that it is limited to; an empty list: it may reach all.
    #[schema(value_type = Option<Vec<String>>, max_items = 100, example = json!(["telegram"]))]
    channels: Option<Names>,
    /// From when on it no longer works; `never`: it works until it is revoked.
    #[schema(example = "2030-01-31T12:00:00Z")]
    expires_at: Option<String>,
    /// The same as a length of time from now, such as `90d`.
    #[schema(example = "90d")]
    expires_in: Option<String>,
    /// How many requests it may make; `none`: as many as the settings say.
    #[schema(example = "10/s")]
    rate: Option<String>,
    /// How many of them at once.
    #[schema(minimum = 1, maximum = 1_000_000, example = 20)]
    burst: Option<u32>,
}

/// Names as a list, or as text with commas between.
#[derive(Debug, PartialEq, Eq)]
struct Names(Vec<String>);

impl NewKey {
    /// The key that it asks for.
    pub(super) fn key(self, id: ApiKeyId, now: Timestamp) -> Result<ApiKey, Problem> {
        let mut errors = Vec::new();
        let mut scopes = Vec::new();
        for scope in self.scopes {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        if scopes.is_empty() {
            errors.push(FieldError::new(
                "scopes",
                "is empty; name one or more of send, read, operate and admin",
            ));
        }
        let blank = ApiKey {
            id,
            name: String::new(),
            scopes,
            created_at: now,
            revoked_at: None,
            repeats: None,
            limits: KeyLimits::default(),
            expires_at: None,
            rate: None,
            burst: None,
            last_used: None,
        };
        let change = KeyChange {
            name: Some(self.name),
            repeats: self.repeats,
            accounts: self.accounts,
            chats: self.chats,
            channels: self.channels,
            expires_at: self.expires_at,
            expires_in: self.expires_in,
            rate: self.rate,
            burst: self.burst,
        };
        change.fill_with(blank, now, errors)
    }
}

impl KeyChange {
    /// The key as it is to be.
    pub(super) fn fill(self, key: ApiKey, now: Timestamp) -> Result<ApiKey, Problem> {
        self.fill_with(key, now, Vec::new())
    }

    fn fill_with(
        self,
        mut key: ApiKey,
        now: Timestamp,
        mut errors: Vec<FieldError>,
    ) -> Result<ApiKey, Problem> {
        let wrong = &mut errors;
        if let Some(name) = self.name {
            name.trim().clone_into(&mut key.name);
            if key.name.is_empty()
                || key.name.chars().count() > LONGEST_NAME
                || key.name.chars().any(char::is_control)
            {
                let message = format!("is wrong: write 1 to {LONGEST_NAME} characters on one line");
                wrong.push(FieldError::new("name", message));
            }
        }
        key.repeats = read("repeats", self.repeats.as_deref(), "none", key.repeats, wrong, parse_repeats);
        let limits = std::mem::take(&mut key.limits);
        key.limits = KeyLimits {
            accounts: read_list("accounts", self.accounts, limits.accounts, wrong, str::parse),
            chats: read_list("chats", self.chats, limits.chats, wrong, chat),
            channels: read_list("channels", self.channels, limits.channels, wrong, str::parse),
        };
        if key.limits.is_limited() && key.scopes.contains(&Scope::Admin) {
            let message = "has admin, which is limited to nothing: it could make a key without limits. Leave admin out, \
                           or accounts, chats and channels";
            wrong.push(FieldError::new("scopes", message));
        }
        let is_given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        if is_given(&self.expires_at) && is_given(&self.expires_in) {
            wrong.push(FieldError::new("expires_in", "stands beside expires_at; name one of them"));
        }
        let end = read("expires_at", self.expires_at.as_deref(), "never", key.expires_at, wrong, |text| {
            end(text, now)
        });
        key.expires_at =
            read("expires_in", self.expires_in.as_deref(), "never", end, wrong, |text| end_in(text, now));
        let rate = key.rate;
        key.rate = read("rate", self.rate.as_deref(), "none", rate, wrong, str::parse::<RequestRate>);
        if key.rate != rate {
            // It was meant for the other rate.
            key.burst = None;
        }
        if let Some(number) = self.burst {
            key.burst = burst(number, key.rate, wrong);
        }
        if errors.is_empty() { Ok(key) } else { Err(Problem::fields(errors)) }
    }
}

/// A value in words, one of which takes it away; what is left out or empty stays.
fn read<T, E: fmt::Display>(
    field: &str,
    given: Option<&str>,
    without: &str,
    old: Option<T>,
    errors: &mut Vec<FieldError>,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Option<T> {
    match given.map(str::trim) {
        None | Some("") => old,
        Some(word) if word == without => None,
        Some(text) => match read(text) {
            Ok(value) => Some(value),
            Err(error) => {
                errors.push(FieldError::new(field, format!("is wrong: {error}")));
                old
            }
        },
    }
}

fn read_list<T: PartialEq, E: fmt::Display>(
    field: &str,
    given: Option<Names>,
    old: Vec<T>,
    errors: &mut Vec<FieldError>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let Some(Names(names)) = given else { return old };
    if names.len() > MOST {
        errors.push(FieldError::new(field, format!("has more than {MOST} names")));
        return old;
    }
    let mut values = Vec::new();
    for (place, name) in names.iter().enumerate() {
        match read(name.trim()) {
            Ok(value) if values.contains(&value) => {}
            Ok(value) => values.push(value),
            Err(error) => {
                errors.push(FieldError::new(format!("{field}[{place}]"), format!("is wrong: {error}")));
            }
        }
    }
    values
}

fn chat(text: &str) -> Result<ChatRef, String> {
    match text.parse().map_err(|error: NamedChatError| error.to_string())? {
        NamedChat::Chat(chat) => Ok(chat),
        NamedChat::Own | NamedChat::Phone(_) => {
            Err("me and phone numbers are other chats for other accounts; write the id of the chat"
                .to_owned())
        }
    }
}

fn end(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let end = text
        .parse::<Timestamp>()
        .map_err(|_| format!("{:?} is no time; write one such as 2030-01-31T12:00:00Z", shorten(text)))?;
    if end <= now {
        return Err(format!("{end} is over; it is {now}"));
    }
    if end.since(now) > FARTHEST { Err("it is more than ten years ahead".to_owned()) } else { Ok(end) }
}

fn end_in(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let length = parse_duration(text).map_err(|_| "write a length of time such as 90d or 12h".to_owned())?;
    if length.is_zero() || length > FARTHEST {
        return Err("write a length of time up to 3650d".to_owned());
    }
    Ok(now.plus(length))
}

fn burst(number: u32, rate: Option<RequestRate>, errors: &mut Vec<FieldError>) -> Option<NonZeroU32> {
    let burst = RequestRate::burst(number);
    if rate.is_none() {
        errors.push(FieldError::new("burst", "goes with rate only"));
    } else if burst.is_none() {
        errors.push(FieldError::new("burst", "is wrong: write a number from 1 to 1000000"));
    }
    burst
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Names, E> {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                Ok(Names(names.map(str::to_owned).collect()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Names, E> {
                Ok(Names(vec![number.to_string()]))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Names, E> {
                Ok(Names(vec![number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element::<String>()? {
                    // What a form leaves empty is no name.
                    if !name.trim().is_empty() {
                        names.push(name);
                    }
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Unchecked;

    const NOW: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);

    fn made(fields: &str) -> Result<ApiKey, Problem> {
        let body = format!(r#"{{"name":"n8n","scopes":["send","read"],{fields}}}"#);
        Unchecked::<NewKey>::of(body.into())?.checked(|new| new.key(ApiKeyId::MIN, NOW))
    }

    fn changed(key: ApiKey, body: &str) -> Result<ApiKey, Problem> {
        Unchecked::<KeyChange>::of(body.to_owned().into())?.checked(|change| change.fill(key, NOW))
    }

    #[test]
    fn limits_are_lists_or_text_with_commas() {
        let listed = made(
            r#""accounts":["main","main"],"chats":[-1001234567890,"@Demo"],"channels":["telegram"],"rate":"10/s","burst":20"#,
        );
        let texts = made(
            r#""accounts":"main, ","chats":"-1001234567890,@demo","channels":"telegram","rate":" 10/sec","burst":"20","repeats":"","expires_in":"""#,
        );
        let key = listed.expect("a key");
        assert_eq!(texts.expect("a key"), key);
        assert_eq!((key.limits.accounts.len(), key.limits.chats.len()), (1, 2));
        assert_eq!(
            (key.rate.map(|rate| rate.to_string()).as_deref(), key.burst),
            (Some("10/s"), NonZeroU32::new(20))
        );
        let bare = made(r#""accounts":"","chats":[],"channels":"","expires_at":"","rate":"","burst":"""#)
            .expect("a key");
        assert!(!bare.limits.is_limited() && bare.expires_at.is_none() && bare.rate.is_none());
    }

    #[test]
    fn an_end_is_a_time_or_a_length_of_time() {
        let day = Duration::from_hours(24);
        assert_eq!(made(r#""expires_in":"90d""#).expect("a key").expires_at, Some(NOW.plus(day * 90)));
        let at = format!(r#""expires_at":"{}""#, NOW.plus(day));
        assert_eq!(made(&at).expect("a key").expires_at, Some(NOW.plus(day)));
        assert_eq!(made(r#""expires_at":"never""#).expect("a key").expires_at, None);
    }

    #[test]
    fn invalid_fields_are_named() {
        for (fields, field) in [
            (r#""accounts":["No Name"]"#, "accounts[0]"),
            (r#""chats":["a b"]"#, "chats[0]"),
            (r#""channels":["http"]"#, "channels[0]"),
            (r#""channels":{"a":1}"#, "channels"),
            (r#""expires_in":"soon""#, "expires_in"),
            (r#""expires_in":"0s""#, "expires_in"),
            (r#""expires_in":"9999d""#, "expires_in"),
            (r#""expires_at":"2001-01-01T00:00:00Z""#, "expires_at"),
            (r#""expires_in":"1d","expires_at":"2040-01-01T00:00:00Z""#, "expires_in"),
            (r#""rate":"fast""#, "rate"),
            (r#""rate":"1/s","burst":0"#, "burst"),
            (r#""burst":5"#, "burst"),
        ] {
            let problem = made(fields).expect_err(fields);
            assert_eq!(problem.errors()[0].field, field, "{fields}");
        }
        let admin = r#"{"name":"a","scopes":["admin"],"accounts":["main"]}"#.to_owned();
        let admin = Unchecked::<NewKey>::of(admin.into())
            .and_then(|new| new.checked(|new| new.key(ApiKeyId::MIN, NOW)));
        assert_eq!(admin.expect_err("it could make another").errors()[0].field, "scopes");
    }

    #[test]
    fn omitted_fields_of_a_change_stay() {
        let key = made(
            r#""accounts":["main"],"chats":["@demo"],"rate":"10/s","burst":20,"expires_in":"1d","repeats":"10m""#,
        );
        let key = key.expect("a key");
        assert_eq!(changed(key.clone(), "{}").expect("a key"), key);
        assert_eq!(changed(key.clone(), r#"{"accounts":"","rate":"","expires_at":""}"#).expect("a key"), key);
        let other = changed(key.clone(), r#"{"name":"b","accounts":[],"rate":"5/s"}"#).expect("a key");
        assert_eq!((other.name.as_str(), other.limits.accounts.len(), other.limits.chats.len()), ("b", 0, 1));
        assert_eq!((other.burst, other.expires_at), (None, key.expires_at));
        let free = changed(key, r#"{"chats":[],"rate":"none","expires_at":"never","repeats":"none"}"#)
            .expect("a key");
        assert_eq!((free.rate, free.burst, free.expires_at, free.repeats), (None, None, None, None));
    }
}
