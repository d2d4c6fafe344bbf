//! How far an entry of the do-not-contact list goes.

/// Which messages an entry of the do-not-contact list refuses. The later ones go further.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suppression {
    /// Campaigns and invitations, until a person has read what the contact wrote.
    Paused,
    /// Campaigns, invitations and first messages. Answers to what the contact asks are sent.
    Advertising,
    /// All messages and invitations.
    All,
}

enum_words!(Suppression);

impl Suppression {
    /// Whether the contact asked for it, and may take it back.
    pub const fn is_of_advertising(self) -> bool {
        !matches!(self, Self::All)
    }
}
