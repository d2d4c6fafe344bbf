//! An appeal: a matter that a client writes about, from its first message until it is closed.

use serde::{Deserialize, Serialize};

/// How far an appeal is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppealState {
    /// The client wrote, and no one has looked at it.
    New,
    /// Someone, or a program, works on it.
    Open,
    /// Ours was the last word.
    WaitingClient,
    /// A person of ours has to answer.
    WaitingUs,
    /// It is over.
    Closed,
}

enum_words!(AppealState);

/// What happens to an appeal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppealMove {
    /// The client wrote.
    ClientWrote,
    /// An answer left.
    Answered,
    /// A person is to answer.
    HandedOver,
    /// A person of ours takes it.
    Assigned,
    /// It is over.
    Closed,
    /// It goes on after it was over.
    Reopened,
}

impl AppealState {
    /// The state after a move.
    #[must_use]
    pub const fn after(self, happens: AppealMove) -> Self {
        match (happens, self) {
            (AppealMove::Closed, _) => Self::Closed,
            // What is over goes on by reopening alone: an answer or an assignment afterwards changes nothing.
            (AppealMove::Answered | AppealMove::HandedOver | AppealMove::Assigned, Self::Closed) => {
                Self::Closed
            }
            (AppealMove::ClientWrote, Self::New) => Self::New,
            (AppealMove::ClientWrote, Self::WaitingUs) | (AppealMove::HandedOver, _) => Self::WaitingUs,
            (AppealMove::ClientWrote | AppealMove::Reopened, _) | (AppealMove::Assigned, Self::New) => {
                Self::Open
            }
            (AppealMove::Answered, _) => Self::WaitingClient,
            (AppealMove::Assigned, state) => state,
        }
    }

    /// Whether it is not over.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed)
    }
}

/// Who wrote a message of a conversation.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Author {
    /// The client.
    Client,
    /// A model, through this program.
    Ai,
    /// A person of ours, through this program.
    Agent,
    /// Another program, through this one.
    Program,
    /// A person of ours, in the provider's own app.
    Elsewhere,
}

enum_words!(Author);

/// Who answers clients.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Responder {
    /// A model.
    Ai,
    /// Another program that is posted to, such as n8n.
    Webhook,
    /// Another program that takes from a list in Redis.
    Redis,
    /// A person, in the inbox.
    #[default]
    Human,
    /// No one; the messages are kept.
    Off,
}

enum_words!(Responder);

/// How far a turn is: one batch of a client's messages on its way to an answer.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TurnStage {
    /// Whose messages they are is found out.
    Resolve,
    /// The appeal is found or opened.
    Appeal,
    /// An answer is made.
    Respond,
    /// The answer is handed to the outbox.
    Send,
    /// The outbox has the answer.
    Answered,
    /// A person is to answer, or no one.
    HandedOver,
    /// The client wrote meanwhile, or a person answered: another turn has the messages, or none.
    Discarded,
}

enum_words!(TurnStage);

impl TurnStage {
    /// Whether there is more to do.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Resolve | Self::Appeal | Self::Respond | Self::Send)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVES: [AppealMove; 6] = [
        AppealMove::ClientWrote,
        AppealMove::Answered,
        AppealMove::HandedOver,
        AppealMove::Assigned,
        AppealMove::Closed,
        AppealMove::Reopened,
    ];

    #[test]
    fn only_the_client_or_reopening_ends_closed() {
        for happens in MOVES {
            let goes_on = matches!(happens, AppealMove::ClientWrote | AppealMove::Reopened);
            assert_eq!(AppealState::Closed.after(happens).is_open(), goes_on, "{happens:?}");
        }
    }

    #[test]
    fn an_owed_answer_stays_owed_until_it_is_given() {
        let owed = AppealState::WaitingUs;
        assert_eq!(owed.after(AppealMove::ClientWrote), owed);
        assert_eq!(owed.after(AppealMove::Assigned), owed);
        assert_eq!(owed.after(AppealMove::Answered), AppealState::WaitingClient);
    }
}
