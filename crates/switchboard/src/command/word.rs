//! The words of options with a fixed set of values.

use clap::ValueEnum;

/// The word of a value on the command line, which is also its word in the API.
pub(crate) fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// What an account or a session is for, and a service of the server: the words of [`domain::Purpose`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum PurposeWord {
    /// Creating chats and inviting people
    CreateChat,
    /// Sending text
    SendText,
    /// Sending files
    SendMedia,
    /// Leaving chats
    LeaveChat,
}

/// The words of a list.
pub(crate) fn words(values: &[impl ValueEnum]) -> Vec<String> {
    values.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use domain::Purpose;

    use super::*;

    #[test]
    fn purposes_have_the_words_of_the_api() {
        assert_eq!(words(PurposeWord::value_variants()), Purpose::ALL.map(Purpose::as_str));
    }
}
