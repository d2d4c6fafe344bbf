//! What a session is for, as a form ticks it.

use domain::Purpose;
use serde::Deserialize;

/// The boxes of a form; one that is not ticked sends nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ticked {
    create_chat: Option<String>,
    send_text: Option<String>,
    send_media: Option<String>,
    leave_chat: Option<String>,
}

impl Ticked {
    pub(super) fn words(&self) -> Vec<&'static str> {
        let ticked = |purpose: &Purpose| match purpose {
            Purpose::CreateChat => self.create_chat.is_some(),
            Purpose::SendText => self.send_text.is_some(),
            Purpose::SendMedia => self.send_media.is_some(),
            Purpose::LeaveChat => self.leave_chat.is_some(),
        };
        Purpose::ALL.into_iter().filter(ticked).map(Purpose::as_str).collect()
    }
}

/// The words that there are boxes for.
pub(super) fn all() -> [&'static str; 4] {
    Purpose::ALL.map(Purpose::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_box_is_read() {
        for word in all() {
            let ticked: Ticked = serde_urlencoded::from_str(&format!("{word}=yes")).expect("a form");
            assert_eq!(ticked.words(), [word]);
        }
        assert_eq!(Ticked::default().words(), Vec::<&str>::new());
    }
}
