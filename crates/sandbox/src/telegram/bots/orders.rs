//! What a bot does by order of the control port.

use serde::{Deserialize, Serialize};

use crate::telegram::orders::Button;

/// A bot that is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBot {
    /// Without the `@`; ends in `bot`.
    pub username: String,
    /// As it is shown; without it, the username.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether a program speaks for it through the Bot API.
    #[serde(default)]
    pub api: bool,
}

/// A bot that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadeBot {
    pub user_id: i64,
    pub username: String,
    /// For the Bot API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A client presses a button of a bot that has a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsidePress {
    /// `@client_1`, or an account's name.
    pub from: String,
    /// The bot.
    pub bot: String,
    /// In the bot's numbering.
    pub message_id: i32,
    pub data: String,
}

/// All that a bot does, in the order in which it is looked through.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The first that fits applies.
    pub rules: Vec<Rule>,
}

/// What a bot does about a press or a text. Without `data`, `prefix` and `text` it is about every press.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// The data of the button.
    pub data: Option<String>,
    /// What the data of the button begins with.
    pub prefix: Option<String>,
    /// What is written to the bot, or what a button of a reply keyboard writes.
    pub text: Option<String>,
    /// Only this account's.
    pub account: Option<String>,
    /// How often it applies; none means always.
    pub times: Option<u32>,
    /// How the press is answered.
    pub answer: AnswerOrder,
    /// What the bot does.
    pub then: Vec<Deed>,
}

/// How a press is answered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerOrder {
    pub kind: AnswerKind,
    /// For `late`.
    pub after_ms: u64,
    /// For `flood_wait`, and for `never`: when Telegram gives the bot up.
    pub seconds: Option<u32>,
    /// What the presser is shown.
    pub text: Option<String>,
    /// Whether it is shown in a window of its own.
    pub alert: bool,
    /// What the presser is to open.
    pub url: Option<String>,
}

/// The ways to answer a press.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// At once.
    #[default]
    Now,
    /// After `after_ms`.
    Late,
    /// The same answer two times.
    Twice,
    /// 400 `BOT_RESPONSE_TIMEOUT`, after `seconds`.
    Never,
    /// 400 `MESSAGE_ID_INVALID`, and the bot hears nothing.
    MessageIdInvalid,
    /// 400 `DATA_INVALID`, and the bot hears nothing.
    DataInvalid,
    /// 420 `FLOOD_WAIT_n`, and the bot hears nothing.
    FloodWait,
}

/// One thing that a bot does; exactly one of `edit`, `send`, `delete` and `storm`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deed {
    /// How long after the deed before it.
    pub after_ms: u64,
    /// The message is changed: the one pressed, or the one sent last.
    pub edit: Option<Words>,
    /// A message is sent.
    pub send: Option<Words>,
    /// The message is taken away.
    pub delete: bool,
    /// The message is changed again and again.
    pub storm: Option<Storm>,
}

/// What a message says, and its keyboard. `{rest}` is what follows the rule's prefix, `{button}` the text of the button.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    pub text: String,
    /// An inline keyboard, row by row.
    pub buttons: Vec<Vec<Button>>,
    /// A reply keyboard, row by row.
    pub keyboard: Vec<Vec<Key>>,
}

/// A button of a reply keyboard: its text, or its text and what it asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Key {
    Text(String),
    /// `contact`, `location`, `poll` or `web_app`.
    Asking {
        text: String,
        kind: String,
    },
}

/// Edits in quick succession: buttons change places, are renamed, and carry the number of the edit in their data.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// 1 to 15.
    pub per_second: u32,
    /// For how long, up to 600 seconds.
    pub seconds: u32,
    /// How many edits there have been.
    #[serde(skip)]
    pub(crate) done: u32,
}

/// A bot does something by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// Where: an account's name, or a chat that the bot is in.
    pub chat: String,
    pub then: Vec<Deed>,
}

/// What came of it at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Played {
    /// The chat as the receiver knows it.
    pub chat_id: String,
    /// The message sent last, in the receiver's numbering.
    pub message_id: Option<i32>,
}

/// A trip that the demo bot offers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTrip {
    /// To whom: an account's name.
    #[serde(default = "main")]
    pub account: String,
    /// Where it begins; one of the places of the keyboard.
    #[serde(default = "tver")]
    pub from: String,
}

fn main() -> String {
    "main".to_owned()
}

fn tver() -> String {
    "Tver".to_owned()
}

/// The offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trip {
    pub trip: u32,
    #[serde(flatten)]
    pub message: Played,
}
