//! The body of `POST /v1/messages`, and what is wrong with one. Pure.

use std::time::Duration;

use api::schemas;
use domain::message::{Content, Mention, OnFlood, Writer};
use domain::missing::{self, MISSING};
use domain::text::{ParseMode, parse};
use domain::{
    AccountName, ChannelChat, ChannelName, ChatRef, ExternalChat, NamedChat, Timestamp, Username, Words,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::chat_name::WrittenChat;
use super::new_media::{self, MediaBody};
use super::reply_to::ReplyTo;
use super::wait::wait;
use crate::extract::Object;
use crate::files::Named;
use crate::problem::{FieldError, Problem};

/// How long a caller waits if it does not say.
const WAIT: Duration = Duration::from_secs(20);
/// How far ahead a message can be scheduled.
const FARTHEST: Duration = Duration::from_hours(366 * 24);
/// How many users can be excluded from a mention.
const MOST_EXCLUDED: usize = 200;

/// A text to be sent, files with a caption, or files alone.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"chat": "@demo_channel", "text": "Hello <b>there</b>", "parse_mode": "html"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage {
    /// Where to: a chat id as the Bot API writes it (text or number), a username, a link such as `https://t.me/name`, the
    /// phone number of a person, or `me` for the Saved Messages of the account that sends.
    #[schema(schema_with = schemas::chat)]
    chat: WrittenChat,
    /// The channel, such as `avito`: then `chat` is the provider's own name for the chat. Left out, `chat` says it all, as
    /// `avito:shop/u2i-1` does; `telegram_account` is the accounts of Telegram.
    #[schema(value_type = Option<String>, example = "avito")]
    channel: Option<ChannelName>,
    /// The account of the channel; may be left out where the channel has one.
    #[schema(value_type = Option<String>, example = "shop")]
    channel_account: Option<AccountName>,
    /// What to send; with `media` their caption, which may be left out. A text over 4,096 UTF-16 units leaves in several parts, the
    /// rest of a caption over 1,024 follows as a text.
    #[schema(value_type = Option<String>, example = "Hello <b>there</b>")]
    text: Option<Words>,
    /// Files, in the order in which they are shown; several become albums of ten at most.
    #[schema(value_type = Option<Vec<MediaBody>>, max_items = 50)]
    media: Option<Vec<Object<MediaBody>>>,
    /// How the text says what is bold: `html`, `markdown` (or `md`) or `none`.
    #[schema(value_type = Option<String>, default = "none", example = "html")]
    parse_mode: Option<ParseMode>,
    /// The message that is answered, by its id at the provider: a number at Telegram, text at other channels.
    #[schema(schema_with = schemas::reply_to, required = false)]
    reply_to: Option<ReplyTo>,
    /// Whom to mention, in the place of `{client}` or in front.
    #[schema(value_type = Option<MentionBody>)]
    mention: Option<Object<MentionBody>>,
    /// Only through this account.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
    /// Who wrote it.
    #[schema(schema_with = schemas::written_by, required = false)]
    written_by: Option<Writer>,
    /// Without a sound.
    #[schema(default = false)]
    silent: Option<bool>,
    /// With a preview of the first link.
    #[schema(default = false)]
    preview: Option<bool>,
    /// What to do when every account that could send must wait: `wait` in the queue, or `fail`.
    #[schema(schema_with = schemas::on_flood, required = false)]
    on_flood: Option<OnFlood>,
    /// Not before this instant, at most a year ahead.
    send_at: Option<Timestamp>,
    /// Whether it waits until a person lets it out (`POST /v1/messages/{id}/approve`). The answer is 202 at once then.
    #[schema(default = false)]
    needs_approval: Option<bool>,
    /// How many seconds to wait for the result; then the answer is 202 and the message goes on.
    #[schema(minimum = 0, maximum = 100, default = 20)]
    wait: Option<f64>,
}

/// Whom a message mentions: exactly one of `user_id`, `username` and `auto`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Mention)]
#[serde(deny_unknown_fields)]
pub(crate) struct MentionBody {
    /// This user.
    user_id: Option<i64>,
    /// The user with this public name.
    #[schema(example = "@client_1")]
    username: Option<String>,
    /// The last who wrote, or else the first of the recent participants, who is no bot, no account of yours and not excluded; no one, if there is none.
    auto: Option<bool>,
    /// With `auto`: never these.
    exclude: Option<Vec<String>>,
}

/// What the delivery is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) chat: NamedChat,
    pub(crate) content: Content,
    /// The files, which are not taken in yet.
    pub(crate) files: Vec<Named>,
    pub(crate) pin: Option<AccountName>,
    pub(crate) on_flood: OnFlood,
    pub(crate) send_at: Option<Timestamp>,
    pub(crate) needs_approval: bool,
    /// The time it was to be sent at is over. Only a repeat of a call that was made in time may say so.
    pub(crate) late: Option<FieldError>,
    pub(crate) wait: Duration,
}

impl NewMessage {
    /// Checks the fields together; all errors are reported at once. `only` is the account of a channel that has one.
    pub(crate) fn order(
        self,
        now: Timestamp,
        only: impl FnOnce(&ChannelName) -> Result<AccountName, String>,
    ) -> Result<Order, Problem> {
        let mut errors = Vec::new();
        let (chat, of_channel) = match resolve_chat(&self.chat, self.channel, self.channel_account, only) {
            Ok(found) => found,
            Err(error) => {
                errors.push(error);
                (NamedChat::Own, None)
            }
        };
        let pin = self.account.or(of_channel);
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));

        let has_files = self.media.as_ref().is_some_and(|media| !media.is_empty());
        let mention = match self.mention.map(|mention| mention.0.mention()) {
            None => None,
            Some(Ok(mention)) => Some(mention),
            Some(Err(error)) => {
                wrong(&error.field, error.message);
                None
            }
        };
        let files = match new_media::read(self.media.unwrap_or_default()) {
            Ok(files) => files,
            Err(errors) => {
                for error in errors {
                    wrong(&error.field, error.message);
                }
                Vec::new()
            }
        };
        let parse_mode = self.parse_mode.unwrap_or_default();
        let given_text = self.text.as_deref();
        let text = parse(parse_mode, given_text.unwrap_or_default()).unwrap_or_else(|error| {
            wrong("text", format!("is wrong: {error}"));
            domain::text::FormattedText::plain("…")
        });
        if text.is_blank() && mention.is_none() && !has_files {
            let what = if given_text.is_some() { "is empty" } else { "is missing" };
            wrong("text", format!("{what}; write what is to be sent, or name files in media"));
        }
        if given_text.is_some_and(missing::is_in_text) {
            wrong("text", MISSING.to_owned());
        }
        let is_of_channel = matches!(chat, NamedChat::Chat(ChatRef::Channel(_)));
        let reply_to = self.reply_to.and_then(|id| {
            let id = if is_of_channel { id.of_channel() } else { id.of_telegram() };
            id.map_err(|message| wrong("reply_to", message.to_owned())).ok()
        });
        let late = self.send_at.filter(|at| *at <= now).map(|at| {
            let message = format!("is wrong: {at} is over; it is {now}. Leave it out to send now");
            FieldError::new("send_at", message)
        });
        if self.send_at.is_some_and(|at| at > now.plus(FARTHEST)) {
            wrong("send_at", "is wrong: it is more than a year ahead".to_owned());
        }
        let wait = wait(self.wait, WAIT).unwrap_or_else(|error| {
            wrong(&error.field, error.message);
            WAIT
        });
        if !errors.is_empty() {
            errors.extend(late);
            return Err(Problem::fields(errors));
        }
        Ok(Order {
            chat,
            content: Content {
                text,
                parse_mode,
                reply_to,
                mention,
                mention_optional: false,
                written_by: self.written_by.unwrap_or_default(),
                silent: self.silent.unwrap_or(false),
                preview: self.preview.unwrap_or(false),
                media: Vec::new(),
                provider_options: None,
            },
            files,
            pin,
            on_flood: self.on_flood.unwrap_or_default(),
            send_at: self.send_at,
            needs_approval: self.needs_approval.unwrap_or(false),
            late,
            wait,
        })
    }
}

/// The chat that is meant, and the account that it goes through, where the channel says so.
fn resolve_chat(
    chat: &WrittenChat,
    channel: Option<ChannelName>,
    account: Option<AccountName>,
    only: impl FnOnce(&ChannelName) -> Result<AccountName, String>,
) -> Result<(NamedChat, Option<AccountName>), FieldError> {
    let wrong = |field: &str, message: String| FieldError::new(field, message);
    let named = || chat.named.clone().map_err(|why| wrong("chat", format!("is wrong: {why}")));
    match channel {
        None if account.is_some() => Err(wrong(
            "channel_account",
            "goes with `channel` only; `account` is an account of Telegram".to_owned(),
        )),
        None => Ok((named()?, None)),
        Some(channel) if channel.as_str() == super::ACCOUNTS => Ok((named()?, account)),
        Some(channel) => {
            if let Ok(NamedChat::Chat(ChatRef::Channel(whole))) = &chat.named
                && whole.channel == channel
                && account.as_ref().is_none_or(|account| *account == whole.account)
            {
                return Ok((NamedChat::Chat(ChatRef::Channel(whole.clone())), None));
            }
            let account = match account {
                Some(account) => account,
                None => only(&channel).map_err(|why| wrong("channel_account", why))?,
            };
            if missing::is_in_id(&chat.text) {
                return Err(wrong("chat", MISSING.to_owned()));
            }
            let chat = ExternalChat::new(chat.text.trim()).ok_or_else(|| {
                wrong("chat", "is wrong: a chat of a channel has 1 to 256 characters".to_owned())
            })?;
            Ok((NamedChat::Chat(ChatRef::Channel(ChannelChat { channel, account, chat })), None))
        }
    }
}

impl MentionBody {
    fn mention(self) -> Result<Mention, FieldError> {
        let exclude = self.exclude.unwrap_or_default();
        if !exclude.is_empty() && self.auto != Some(true) {
            return Err(FieldError::new("mention.exclude", "goes with \"auto\": true only"));
        }
        if exclude.len() > MOST_EXCLUDED {
            let message = format!("has more than {MOST_EXCLUDED} names");
            return Err(FieldError::new("mention.exclude", message));
        }
        match (self.user_id, self.username, self.auto) {
            (Some(user_id), None, None) if user_id > 0 => Ok(Mention::User { user_id }),
            (Some(_), None, None) => {
                Err(FieldError::new("mention.user_id", "is wrong: a Telegram user id is a number from 1"))
            }
            (None, Some(username), None) if missing::is_missing(&username) => {
                Err(FieldError::new("mention.username", MISSING))
            }
            (None, Some(username), None) => match username.parse::<Username>() {
                Ok(_) => Ok(Mention::Username { username }),
                Err(error) => Err(FieldError::new("mention.username", format!("is wrong: {error}"))),
            },
            (None, None, Some(true)) => Ok(Mention::Auto { auto: true, exclude }),
            (None, None, Some(false)) => {
                Err(FieldError::new("mention.auto", "can only be true; leave mention out to mention no one"))
            }
            _ => Err(FieldError::new("mention", "needs exactly one of user_id, username and auto")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Unchecked;

    fn read(json: &str) -> Result<Order, Problem> {
        let now = Timestamp::from_micros(1_000_000_000_000_000);
        let only = |channel: &ChannelName| match channel.as_str() {
            "avito" => Ok("shop".parse().expect("a name")),
            _ => Err("is missing".to_owned()),
        };
        Unchecked::<NewMessage>::of(json.to_owned().into())?.checked(|message| message.order(now, only))
    }

    #[test]
    fn omitted_fields_have_their_defaults() {
        let order = read(r#"{"chat":-1001234567890,"text":" <b>a</b> "}"#).expect("an order");
        assert_eq!(order.chat.to_string(), "-1001234567890");
        assert_eq!(order.wait, Duration::from_secs(20));
        assert_eq!((order.on_flood, order.pin, order.send_at), (OnFlood::Wait, None, None));
        let content = order.content;
        assert_eq!((content.parse_mode, content.silent, content.preview), (ParseMode::None, false, false));
        assert_eq!((content.text.text.as_str(), content.written_by), ("<b>a</b>", Writer::Program));
        let by_person = read(r#"{"chat":1,"text":"a","written_by":"person"}"#).expect("an order");
        assert_eq!(by_person.content.written_by, Writer::Person);
        let same = r#"{"chat":"-1001234567890","text":"<b>a</b>","parse_mode":null,"reply_to":null,"mention":null,
            "account":null,"silent":null,"preview":null,"on_flood":null,"send_at":null,"wait":null}"#;
        assert_eq!(read(same).expect("an order").content, content);
    }

    #[test]
    fn mentions_have_three_shapes() {
        for (mention, expected) in [
            (r#"{"user_id":7}"#, Mention::User { user_id: 7 }),
            (r#"{"username":"@Client_1"}"#, Mention::Username { username: "@Client_1".to_owned() }),
            (
                r#"{"auto":true,"exclude":["@a"]}"#,
                Mention::Auto { auto: true, exclude: vec!["@a".to_owned()] },
            ),
        ] {
            let order = read(&format!(r#"{{"chat":"@x1","text":"","mention":{mention}}}"#)).expect(mention);
            assert_eq!(order.content.mention, Some(expected));
        }
    }

    #[test]
    fn each_wrong_field_is_named() {
        for (fields, field) in [
            (r#""text":"""#, "text"),
            (r#""text":" \n\u200b""#, "text"),
            (r#""text":"<b>a","parse_mode":"html""#, "text"),
            (r#""text":"a","parse_mode":"rtf""#, "parse_mode"),
            (r#""text":"a","reply_to":0"#, "reply_to"),
            (r#""text":"a","reply_to":3000000000"#, "reply_to"),
            (r#""text":"a","reply_to":"seven""#, "reply_to"),
            (r#""text":"a","reply_to":true"#, "reply_to"),
            (r#""text":["a"]"#, "text"),
            (r#""text":"undefined""#, "text"),
            (r#""text":"null","media":[{"url":"https://example.com/a.jpg"}]"#, "text"),
            (r#""text":"Hello [object Object]""#, "text"),
            (r#""text":"a","mention":{"username":"undefined"}"#, "mention.username"),
            (r#""text":{"a":1}"#, "text"),
            (r#""text":"a","wait":101"#, "wait"),
            (r#""text":"a","wait":-1"#, "wait"),
            (r#""text":"a","wait":"a while""#, "wait"),
            (r#""text":"a","send_at":"2990-01-01T00:00:00Z""#, "send_at"),
            (r#""text":"a","send_at":"tomorrow""#, "send_at"),
            (r#""text":"a","mention":{}"#, "mention"),
            (r#""text":"a","mention":{"user_id":1,"auto":true}"#, "mention"),
            (r#""text":"a","mention":{"user_id":-1}"#, "mention.user_id"),
            (r#""text":"a","mention":{"username":"a b"}"#, "mention.username"),
            (r#""text":"a","mention":{"auto":false}"#, "mention.auto"),
            (r#""text":"a","mention":{"user_id":1,"exclude":["@a"]}"#, "mention.exclude"),
            (r#""text":"a","mention":{"user":1}"#, "mention.user"),
            (r#""text":"a","account":"No Name""#, "account"),
            (r#""text":"a","on_flood":"explode""#, "on_flood"),
            (r#""text":"a","written_by":"a robot""#, "written_by"),
            (r#""text":"a","silent":1"#, "silent"),
            (r#""text":"a","slient":true"#, "slient"),
        ] {
            let problem = read(&format!(r#"{{"chat":"@demo",{fields}}}"#)).expect_err(fields);
            let body = serde_json::to_value(problem.body()).expect("JSON");
            assert_eq!(body["errors"][0]["field"], field, "{fields}: {body}");
        }
        for chat in ["undefined", "null", "u2i-undefined"] {
            let body = format!(r#"{{"chat":"{chat}","channel":"avito","text":"x"}}"#);
            assert_eq!(read(&body).expect_err(chat).errors()[0].field, "chat", "{chat}");
        }
        let problem = read(r#"{"chat":"a b","text":"x"}"#).expect_err("a chat with a space");
        assert!(problem.detail().contains("names no chat"), "{}", problem.detail());
    }

    #[test]
    fn an_answer_names_the_message_as_its_provider_does() {
        let answered = |chat: &str, id: &str| {
            let body = format!(r#"{{"chat":"{chat}","text":"a","reply_to":{id}}}"#);
            read(&body).expect("an order").content.reply_to
        };
        assert_eq!(answered("@demo", "7"), Some(7.into()));
        assert_eq!(answered("@demo", "\"7\""), Some(7.into()));
        assert_eq!(answered("avito:shop/u2i-1", "\"7\""), Some("7".into()));
        assert_eq!(answered("avito:shop/u2i-1", "\"a1-b2\""), Some("a1-b2".into()));
        let long = format!(r#"{{"chat":"avito:shop/1","text":"a","reply_to":"{}"}}"#, "a".repeat(257));
        assert_eq!(read(&long).expect_err("too long").errors()[0].field, "reply_to");
    }

    #[test]
    fn a_channel_and_its_account_say_where_a_chat_is() {
        let chat = |fields: &str| {
            let order = read(&format!(r#"{{{fields},"text":"a"}}"#));
            order
                .map(|order| (order.chat.to_string(), order.pin))
                .map_err(|problem| problem.errors()[0].field.clone())
        };
        let address = |text: &str| Ok((text.to_owned(), None));
        assert_eq!(chat(r#""chat":"u2i-A~b","channel":"avito""#), address("avito:shop/u2i-A~b"));
        assert_eq!(chat(r#""chat":42,"channel":"vk","channel_account":"club""#), address("vk:club/42"));
        assert_eq!(chat(r#""chat":"avito:two/u2i-1","channel":"avito""#), address("avito:two/u2i-1"));
        let main = Some("main".parse().expect("a name"));
        let account = r#""channel":"telegram_account","channel_account":"main""#;
        assert_eq!(chat(&format!(r#""chat":"@demo",{account}"#)), Ok(("@demo".to_owned(), main)));
        assert_eq!(chat(r#""chat":"1","channel":"vk""#), Err("channel_account".to_owned()));
        assert_eq!(chat(r#""chat":"1","channel_account":"club""#), Err("channel_account".to_owned()));
        assert_eq!(chat(r#""chat":"a b","channel":"Ä""#), Err("channel".to_owned()));
    }

    #[test]
    fn a_past_time_is_reported_separately() {
        let late = read(r#"{"chat":"@demo","text":"a","send_at":"1990-01-01T00:00:00Z"}"#).expect("an order");
        assert_eq!(late.late.expect("late").field, "send_at");
        let two =
            read(r#"{"chat":"@demo","text":"","send_at":"1990-01-01T00:00:00Z"}"#).expect_err("two errors");
        assert_eq!(two.detail(), "2 fields are wrong; see errors.");
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let problem =
            read(r#"{"chat":"@demo","text":"","wait":200,"reply_to":0}"#).expect_err("three errors");
        assert_eq!(problem.detail(), "3 fields are wrong; see errors.");
        let problem =
            read(r#"{"chat":"a b","wait":"soon","reply_to":-1,"silent":"perhaps"}"#).expect_err("five");
        let fields: Vec<_> = problem.errors().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["wait", "silent", "chat", "text", "reply_to"]);
    }

    /// As n8n's field editor sends a message: each value as text, and what was left empty as empty text.
    #[test]
    fn values_may_be_text_and_empty_ones_are_absent() {
        let typed = read(r#"{"chat":777,"text":"42","silent":false,"preview":true,"wait":0.5,"reply_to":7}"#);
        let as_text = read(
            r#"{"chat":"777","text":42,"silent":"false","preview":"true","wait":"0.5","reply_to":"7","account":"",
                "send_at":"","media":"","mention":"","parse_mode":"","on_flood":"","written_by":""}"#,
        );
        assert_eq!(as_text.expect("an order"), typed.expect("an order"));
    }
}
