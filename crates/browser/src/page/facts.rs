//! What a script saw of the page, as it gathered it.

use serde::{Deserialize, Serialize};

use super::state::Card;

/// What can be seen of the page at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of the page, and any may be there")]
pub struct Facts {
    pub address: String,
    /// How many elements there are: a white page has a handful.
    pub nodes: u32,
    /// The element of all chats is displayed.
    pub chats_shown: bool,
    /// It has faded in.
    pub columns_opaque: bool,
    /// There is a list of chats or a search.
    pub list: bool,
    /// What someone who is logged out is shown.
    pub card: Option<Card>,
    /// A passcode is asked for.
    pub locked: bool,
    /// Another tab has the session, or the client is a new one.
    pub deactivated: bool,
    pub user_id: Option<i64>,
    /// The uppermost popup.
    pub popup: Option<Popup>,
    /// The popup of files, covered or not.
    pub preview: Option<Preview>,
    /// A note that goes by itself.
    pub toast: bool,
    /// What a search found, in its order.
    pub rows: Vec<Row>,
    /// The chats of the list that have messages which were not read.
    pub unread: Vec<Unread>,
    pub chat: Option<Chat>,
}

impl Facts {
    /// The public name of the open chat: the page writes it into its address.
    pub fn public_name(&self) -> Option<&str> {
        self.address.split_once("#@").map(|(_, name)| name)
    }
}

/// A row of search results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    pub peer: i64,
    /// Begins with the public name.
    pub subtitle: String,
    /// It is an advert.
    pub sponsored: bool,
    /// It is not folded away.
    pub shown: bool,
}

/// A chat of the list with messages that were not read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unread {
    pub peer: i64,
    /// How many there are and how the newest begins: another one changes it.
    pub mark: String,
}

/// Which kind of popup it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PopupKind {
    /// A question, or a notice of the server.
    Confirmation,
    /// Premium is offered.
    Premium,
    /// Stars are.
    Stars,
    /// A file is about to be sent, with its caption.
    Media,
    #[default]
    Other,
}

/// What covers the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Popup {
    pub kind: PopupKind,
    /// In the language of the profile: for the eyes of people alone.
    pub title: String,
    /// The same.
    pub words: String,
}

/// Files that are about to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preview {
    /// How many there are.
    pub items: u32,
    /// Their caption.
    pub typed: String,
    /// There is a button that sends them.
    pub sends: bool,
}

/// The open chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of the page, and any may be there")]
pub struct Chat {
    pub title_peer: Option<i64>,
    pub field_peer: Option<i64>,
    /// A plate with a button is shown in the place of the field.
    pub plate: bool,
    /// The buttons of the plate. They are there in each chat.
    pub buttons: Vec<PlateButton>,
    pub input_hidden: bool,
    pub editable: bool,
    /// What is in the field.
    pub typed: String,
    /// The round button sends; else it would begin a recording.
    pub sends: bool,
    /// Messages cost stars.
    pub stars: bool,
    pub empty_premium: bool,
    pub empty_paid: bool,
    pub empty_restricted: bool,
    /// There are newer messages below the screen.
    pub below: bool,
    /// Messages of ours on the screen, oldest first.
    pub own: Vec<Message>,
    /// Messages of others.
    pub incoming: Vec<Message>,
}

/// A button of the plate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of the page, and any may be there")]
pub struct PlateButton {
    /// Its place.
    pub index: u8,
    pub hidden: bool,
    /// It says that the account is frozen.
    pub frozen: bool,
    /// It has a name and a link, as the one that asks for Premium.
    pub premium: bool,
    /// It is the coloured one, as the one that joins.
    pub primary: bool,
}

/// A message on the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    pub mid: Mid,
    pub peer: Option<i64>,
    /// Unix seconds.
    pub at: Option<i64>,
    pub text: String,
    /// It has a picture or a file.
    pub media: bool,
    /// It was not sent.
    pub error: bool,
}

/// The id of a message in the page: whole once the server has it, with a fraction before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mid(pub String);

impl Mid {
    /// The server's id of a message that it has. Supergroups and channels count from 2^32.
    pub fn server(&self) -> Option<i64> {
        let whole: u64 = self.0.parse().ok()?;
        let id = i64::try_from(whole % (1 << 32)).ok()?;
        (id > 0).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_the_servers_once_it_is_whole() {
        for (mid, server) in [
            ("4711", Some(4711)),
            ("4294972007", Some(4711)),
            ("4711.0001", None),
            ("4711.0", None),
            ("", None),
            ("-5", None),
            ("4294967296", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(Mid(mid.to_owned()).server(), server, "{mid}");
        }
    }

    proptest! {
        #[test]
        fn no_id_panics(mid in ".*") {
            let _ = Mid(mid).server();
        }
    }
}
