//! Our own ids: a prefix that says what it is, then 26 letters that sort by time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Crockford's base 32, lower case: sorts as the number does, has no `i l o u`.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Text that is no id of the wanted kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{given:?} is no id of this kind; it begins with {prefix:?} and has 26 letters and digits after it")]
pub struct InvalidId {
    prefix: &'static str,
    given: String,
}

fn encode(prefix: &str, uuid: Uuid) -> String {
    let mut rest = uuid.as_u128();
    let mut letters = [0_u8; 26];
    for slot in letters.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    let mut text = String::with_capacity(prefix.len() + letters.len());
    text.push_str(prefix);
    text.extend(letters.iter().map(|&letter| char::from(letter)));
    text
}

fn decode(prefix: &'static str, text: &str) -> Result<Uuid, InvalidId> {
    let invalid = || InvalidId { prefix, given: text.chars().take(64).collect() };
    let letters = text.strip_prefix(prefix).ok_or_else(invalid)?.as_bytes();
    if letters.len() != 26 || letters[0] > b'7' {
        return Err(invalid());
    }
    letters
        .iter()
        .try_fold(0_u128, |number, letter| {
            let digit = ALPHABET.iter().position(|known| known == letter)?;
            Some((number << 5) | digit as u128)
        })
        .map(Uuid::from_u128)
        .ok_or_else(invalid)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What the text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Smaller than every id that is ever made.
            pub const MIN: Self = Self(Uuid::nil());

            /// Wraps a version 7 UUID, whose leading bits are the time it was made.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside, for binary columns.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode($prefix, self.0))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                decode($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// An outbound message.
    MessageId = "msg_";
    /// An API key (its public name, never the key itself).
    ApiKeyId = "key_";
    /// A saga: work on a chat that takes several steps.
    OperationId = "op_";
    /// A request that failed and is kept so that it can be tried again by hand.
    FailedRequestId = "fail_";
    /// A callback on its way to another program.
    CallbackId = "call_";
    /// A file that a caller has left to be sent later.
    UploadId = "upl_";
    /// A session of a dashboard user (its public name, never the token).
    SessionId = "ses_";
    /// An alert: a card that stayed red.
    AlertId = "alert_";
    /// What is reported about alerts at one time, to every target.
    AlertNoticeId = "notice_";
    /// An entry of the do-not-contact list.
    DoNotContactId = "dnc_";
    /// A time for which no one wants to be notified.
    MaintenanceId = "maint_";
    /// An endpoint of another program that events are posted to.
    WebhookId = "hook_";
    /// A run of a flow, from the message that began it to its end.
    FlowRunId = "run_";
    /// A run of a campaign.
    CampaignRunId = "camp_";
    /// An attempt of a campaign to write to one of its recipients.
    CampaignAttemptId = "att_";
    /// A client of the business.
    ClientId = "client_";
    /// A matter that a client writes about.
    AppealId = "appeal_";
    /// A batch of a client's messages on its way to an answer.
    TurnId = "turn_";
    /// Two clients that were merged into one.
    MergeId = "merge_";
    /// A run that takes over what an older program knows of clients.
    ImportId = "imp_";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_form_reads_back_and_sorts_as_the_number(a: u128, b: u128) {
            let (x, y) = (MessageId::from_uuid(Uuid::from_u128(a)), MessageId::from_uuid(Uuid::from_u128(b)));
            prop_assert_eq!(x.to_string().parse::<MessageId>(), Ok(x));
            prop_assert_eq!(x.to_string().cmp(&y.to_string()), a.cmp(&b));
        }

        #[test]
        fn any_text_is_refused_or_round_trips(text: String) {
            if let Ok(id) = text.parse::<MessageId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let key = ApiKeyId::from_uuid(Uuid::from_u128(7)).to_string();
        assert!(key.parse::<MessageId>().is_err());
    }
}
