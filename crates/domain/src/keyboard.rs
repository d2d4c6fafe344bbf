//! Keyboards that bots put under their messages, as an account sees them.

use std::fmt;

/// The buttons of a message, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Keyboard {
    /// From the top; each from the left.
    pub rows: Vec<Vec<Button>>,
}

/// One button.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Button {
    /// What is written on it.
    pub label: String,
    /// What pressing it does.
    pub deed: ButtonDeed,
}

/// What pressing a button does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ButtonDeed {
    /// The bot receives these bytes, which mean something to it alone.
    Callback(Vec<u8>),
    /// Its label is sent as a text: a button of a reply keyboard.
    Text,
    /// An address is opened.
    Url(String),
    /// Something that only a person can do.
    Personal(PersonalDeed),
}

/// What only a person can do with a button.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonalDeed {
    /// The bot receives something, once the password of the account was given.
    Password,
    /// An application opens inside Telegram.
    WebApp,
    /// The phone number of the account is given away.
    Contact,
    /// The place of the person is given away.
    Location,
    /// A poll is made.
    Poll,
    /// A user or a chat is chosen.
    ChoosePeer,
    /// Something is paid for.
    Buy,
    /// A query is written in a chat.
    SwitchInline,
    /// A web site is signed in to.
    Login,
    /// A game is played.
    Game,
    /// A person's page is opened.
    Profile,
    /// A text goes to the clipboard.
    Copy,
    /// Nothing, until the bot changes it.
    Disabled,
    /// Something that this program does not know.
    Unknown,
}

enum_words!(PersonalDeed);

impl fmt::Display for PersonalDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Keyboard {
    /// Its buttons in the order people read them, each with its row and column, both from 1.
    pub fn buttons(&self) -> impl Iterator<Item = (usize, usize, &Button)> {
        self.rows
            .iter()
            .zip(1..)
            .flat_map(|(row, at)| row.iter().zip(1..).map(move |(button, column)| (at, column, button)))
    }

    /// The button in this row and column, both from 1.
    pub fn at(&self, row: usize, column: usize) -> Option<&Button> {
        self.rows.get(row.checked_sub(1)?)?.get(column.checked_sub(1)?)
    }
}
