//! What a session is for, in arguments: `--for create_chat,send_text`.

use clap::ValueEnum;

/// One thing a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum PurposeName {
    /// Creating chats and inviting people
    CreateChat,
    /// Sending text
    SendText,
    /// Sending files
    SendMedia,
    /// Leaving chats
    LeaveChat,
}

impl PurposeName {
    /// The word in the API.
    const fn as_str(self) -> &'static str {
        use domain::Purpose;
        match self {
            Self::CreateChat => Purpose::CreateChat.as_str(),
            Self::SendText => Purpose::SendText.as_str(),
            Self::SendMedia => Purpose::SendMedia.as_str(),
            Self::LeaveChat => Purpose::LeaveChat.as_str(),
        }
    }
}

/// The words in the API.
pub(super) fn words(purposes: &[PurposeName]) -> Vec<&'static str> {
    purposes.iter().map(|purpose| purpose.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use domain::Purpose;

    use super::*;

    #[test]
    fn every_purpose_can_be_named_by_its_own_word() {
        let named: Vec<_> = PurposeName::value_variants().iter().map(|name| name.as_str()).collect();
        assert_eq!(named, Purpose::ALL.map(Purpose::as_str));
        for name in PurposeName::value_variants() {
            let value = name.to_possible_value().expect("a value");
            assert_eq!(value.get_name(), name.as_str());
        }
    }
}
