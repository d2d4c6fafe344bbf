//! One gate for what a language model says: [`SpokenText`] is made here alone, and only of words for a customer.
//!
//! An answer of a model has more in it than the answer: thoughts, calls of tools, tokens that separate turns, Markdown. The gate
//! takes away what it can read as a whole, and refuses an answer in which anything of the kind is left. [`finished`] says whether
//! the model came to its end at all. Everything here is pure.

mod aloud;
mod finish;
mod function_words;
mod garbled;
mod html;
mod language;
mod leftover;
mod marks;
pub mod names;
mod places;
mod promise;
mod shapes;
mod signals;
mod staff;
mod thoughts;

pub use finish::{finished, goes_on, is_of_calls, not_cut, unfinished};
pub use language::Languages;

use crate::text::{FormattedText, commonmark};

/// Words of a model that a customer may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenText(FormattedText);

/// Why an answer of a model is not for a customer. The text is for the person who answers instead; [`Unspoken::word`] is for logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unspoken {
    #[error("the model said nothing")]
    Empty,
    #[error("the model's thoughts are in the answer")]
    Thoughts,
    #[error("the model wrote a call of a tool into the answer")]
    ToolMarkup,
    #[error("tokens that separate turns are in the answer")]
    SpecialTokens,
    #[error("markup is left in the answer")]
    Markup,
    #[error("the answer is a signal to a program")]
    Signal,
    #[error("the answer is in a language that the conversation does not have")]
    Language,
    #[error("the model gave several answers")]
    Several,
    #[error("the model's answer broke off at its limit of tokens")]
    Cut,
    #[error("the model asks for a person")]
    PersonWanted,
    #[error("the model declines to answer, or its provider withholds the answer")]
    Refused,
    /// The reason is none that an answer ends with.
    #[error("the model did not finish its answer: {0:?}")]
    Unfinished(String),
}

impl Unspoken {
    /// One word of it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Thoughts => "thoughts",
            Self::ToolMarkup => "tool_markup",
            Self::SpecialTokens => "special_tokens",
            Self::Markup => "markup",
            Self::Signal => "signal",
            Self::Language => "language",
            Self::Several => "several",
            Self::Cut => "truncated",
            Self::PersonWanted => "asked",
            Self::Refused => "refused",
            Self::Unfinished(_) => "unfinished",
        }
    }
}

impl SpokenText {
    /// Reads what a model said: thoughts, tokens at its ends and Markdown are taken away.
    ///
    /// # Errors
    /// It is not for a customer: nothing is left, or something that is no answer.
    pub fn read(said: &str) -> Result<Self, Unspoken> {
        // Markdown drops control characters.
        if garbled::is_in(said) {
            return Err(Unspoken::Markup);
        }
        let answer = without_thoughts(said)?;
        Self::checked(commonmark::parse(&html::to_markdown(&answer)))
    }

    /// Takes a text that passed the gate before, such as one from the store.
    ///
    /// # Errors
    /// Something is in it that is no answer.
    pub fn checked(text: FormattedText) -> Result<Self, Unspoken> {
        let spoken = Self(text);
        let plain = spoken.plain();
        if plain.trim().is_empty() || spoken.0.is_all_struck() {
            return Err(Unspoken::Empty);
        }
        leftover::check(&spoken.0)?;
        leftover::check(&FormattedText::plain(&plain))?;
        Ok(spoken)
    }

    /// The words with what is bold, a link and so on, for a channel that can show it.
    pub const fn formatted(&self) -> &FormattedText {
        &self.0
    }

    /// The words alone: the address of a link follows its words, and what is struck through is said to be over.
    pub fn plain(&self) -> String {
        self.0.flattened()
    }
}

/// Says whether words of a program promise the customer a person: "Передаю вас оператору", "I'll connect you with a manager".
pub fn promises_a_person(text: &str) -> bool {
    promise::is_made(text)
}

/// Says whether a text cites one of the texts that a model was given, by its name: `[delivery]`, `(source: delivery)`.
pub fn cites(text: &str, names: &[String]) -> bool {
    staff::cites(text, names)
}

/// What a model said as its text, for a reader of calls: without thoughts and tokens at its ends, Markdown as it is.
///
/// # Errors
/// Nothing is left but thoughts.
pub fn without_thoughts(said: &str) -> Result<String, Unspoken> {
    thoughts::without(&html::with_struck_prices(&visible(said)))
}

/// A text without characters that show nothing and hide marks; those that join emoji and letters stay.
fn visible(text: &str) -> String {
    let hides = |character: char| {
        matches!(
            character,
            '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        )
    };
    text.chars().filter(|character| !hides(*character)).collect::<String>().replace("\r\n", "\n")
}

#[cfg(test)]
mod tests;
