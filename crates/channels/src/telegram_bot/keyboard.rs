//! Inline keyboards.

use serde::Serialize;

/// The most bytes of a button's data.
const LONGEST_DATA: usize = 64;

/// A button that calls back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Button {
    text: String,
    callback_data: String,
}

/// Telegram takes 1 to 64 bytes of data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the data of a button has 1 to {LONGEST_DATA} bytes; this one has {0}")]
pub struct WrongButton(usize);

impl Button {
    /// # Errors
    /// The data is empty or too long.
    pub fn new(text: impl Into<String>, data: impl Into<String>) -> Result<Self, WrongButton> {
        let callback_data = data.into();
        let length = callback_data.len();
        if !(1..=LONGEST_DATA).contains(&length) {
            return Err(WrongButton(length));
        }
        Ok(Self { text: text.into(), callback_data })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a press says.
    pub fn data(&self) -> &str {
        &self.callback_data
    }
}

/// Buttons under a message, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Keyboard {
    #[serde(rename = "inline_keyboard")]
    pub rows: Vec<Vec<Button>>,
}
