//! Whether the account may write in the open chat.

use std::fmt;

use super::facts::{Chat, PlateButton};

/// Why the account may not write there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restriction {
    /// The account is frozen: it must stop.
    Frozen,
    /// The other side takes messages of Premium accounts alone.
    Premium,
    /// Each message is paid for in stars.
    Paid,
    MustJoin,
    /// A bot that was not started.
    MustStart,
    /// We blocked the other side.
    BlockedByUs,
    /// A channel in which we only read.
    ReadOnly,
    /// Texts are not allowed.
    NoTexts,
    /// The peer is restricted.
    Restricted,
    /// A plate that we do not know.
    Unknown,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frozen => "the account is frozen",
            Self::Premium => "only Premium accounts may write there",
            Self::Paid => "messages there are paid for in stars",
            Self::MustJoin => "the chat must be joined first",
            Self::MustStart => "the bot was not started",
            Self::BlockedByUs => "the account has blocked it",
            Self::ReadOnly => "only its admins write there",
            Self::NoTexts => "texts are not allowed there",
            Self::Restricted => "the chat is restricted",
            Self::Unknown => "a plate that is not known is in the place of the field",
        })
    }
}

/// What forbids to write, if anything does. The buttons of the plate say nothing as long as the plate is not shown.
pub(crate) fn restriction(chat: &Chat) -> Option<Restriction> {
    if chat.plate {
        return Some(of_the_plate(&chat.buttons));
    }
    if chat.empty_premium {
        return Some(Restriction::Premium);
    }
    if chat.stars || chat.empty_paid {
        return Some(Restriction::Paid);
    }
    if chat.empty_restricted {
        return Some(Restriction::Restricted);
    }
    (chat.input_hidden || !chat.editable).then_some(Restriction::NoTexts)
}

fn of_the_plate(buttons: &[PlateButton]) -> Restriction {
    let visible = || buttons.iter().filter(|button| !button.hidden);
    if visible().any(|button| button.frozen) {
        return Restriction::Frozen;
    }
    if visible().any(|button| button.premium) {
        return Restriction::Premium;
    }
    // The order of the others depends on the version: only where exactly one is left does its place count.
    let mut left = visible();
    let (Some(button), None) = (left.next(), left.next()) else { return Restriction::Unknown };
    match button.index {
        _ if button.primary => Restriction::MustJoin,
        0 => Restriction::MustStart,
        1 => Restriction::BlockedByUs,
        2 => Restriction::MustJoin,
        3 => Restriction::ReadOnly,
        _ => Restriction::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn writable() -> Chat {
        Chat { editable: true, buttons: plate(&[0, 1]), ..Chat::default() }
    }

    /// Eight buttons, of which these are not hidden.
    fn plate(visible: &[u8]) -> Vec<PlateButton> {
        let button = |index| PlateButton {
            index,
            hidden: !visible.contains(&index),
            frozen: index == 5,
            premium: index == 4,
            primary: index == 2,
        };
        (0..8).map(button).collect()
    }

    #[test]
    fn each_restriction_has_its_marks() {
        let shown = |visible: &[u8]| Chat { plate: true, buttons: plate(visible), ..writable() };
        for (chat, expected) in [
            (writable(), None),
            (shown(&[5]), Some(Restriction::Frozen)),
            (shown(&[4]), Some(Restriction::Premium)),
            (shown(&[2]), Some(Restriction::MustJoin)),
            (shown(&[1]), Some(Restriction::BlockedByUs)),
            (shown(&[0]), Some(Restriction::MustStart)),
            (shown(&[3]), Some(Restriction::ReadOnly)),
            (shown(&[]), Some(Restriction::Unknown)),
            (shown(&[0, 3]), Some(Restriction::Unknown)),
            (Chat { stars: true, ..writable() }, Some(Restriction::Paid)),
            (Chat { empty_paid: true, ..writable() }, Some(Restriction::Paid)),
            (Chat { empty_premium: true, ..writable() }, Some(Restriction::Premium)),
            (Chat { empty_restricted: true, ..writable() }, Some(Restriction::Restricted)),
            (Chat { editable: false, ..writable() }, Some(Restriction::NoTexts)),
            (Chat { input_hidden: true, ..writable() }, Some(Restriction::NoTexts)),
        ] {
            assert_eq!(restriction(&chat), expected, "{chat:?}");
        }
    }

    proptest! {
        #[test]
        fn a_plate_or_a_closed_field_prevents_writing(
            (plate, stars, hidden, editable) in any::<(bool, bool, bool, bool)>(),
            buttons in proptest::collection::vec(any::<(u8, bool, bool, bool, bool)>(), 0..9),
        ) {
            let buttons = buttons
                .into_iter()
                .map(|(index, hidden, frozen, premium, primary)| PlateButton { index, hidden, frozen, premium, primary })
                .collect::<Vec<_>>();
            let frozen = buttons.iter().any(|button| button.frozen && !button.hidden);
            let chat = Chat { plate, stars, input_hidden: hidden, editable, buttons, ..Chat::default() };
            let found = restriction(&chat);
            prop_assert_eq!(found.is_none(), !plate && !stars && !hidden && editable);
            prop_assert_eq!(found == Some(Restriction::Frozen), plate && frozen);
        }
    }
}
