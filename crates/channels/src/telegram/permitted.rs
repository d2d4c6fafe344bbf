//! Which personal accounts and channels the bot works for. Anyone can connect a bot to an account of theirs, or make it an
//! administrator of a channel of theirs. Switchboard ignores what the settings do not list. Pure.

use std::collections::BTreeMap;

use config::ChannelFields;
use domain::ChatId;
use serde_json::Value;

use super::inbound::{CONNECTION, name, word};
use super::outgoing::{Target, Topic};
use super::place::{named_place, target_and_chat};

/// The most connections and ignored places that are remembered.
const MOST: usize = 1_000;
/// The most ignored places that are named to the owner.
const MOST_NAMED: usize = 20;
/// The longest name of a place, in characters.
const LONGEST_NAME: usize = 64;

/// The personal accounts and channels that the settings list, and what is known of others.
#[derive(Debug, Default)]
pub(super) struct Permitted {
    accounts: Vec<i64>,
    channels: Vec<i64>,
    /// The person of each connection to a personal account; none where Telegram knows no such connection.
    connections: BTreeMap<String, Option<i64>>,
    /// What is ignored, in words for the owner.
    ignored: BTreeMap<i64, String>,
}

impl Permitted {
    pub(super) fn of(fields: &ChannelFields) -> Self {
        let ids = |list: &[ChatId]| list.iter().map(|id| id.get()).collect();
        Self {
            accounts: ids(&fields.business_accounts),
            channels: ids(&fields.direct_message_channels),
            ..Self::default()
        }
    }

    /// Returns the connection that an update names and whose person is not known.
    fn unknown<'a>(&self, update: &'a Value) -> Option<&'a str> {
        connection_of(update).filter(|id| !self.knows(id))
    }

    /// Whether an update may be for the owner once the person of its connection is known.
    pub(super) fn awaits(&self, update: &Value) -> bool {
        self.lists_accounts() && self.unknown(update).is_some()
    }

    pub(super) const fn lists_accounts(&self) -> bool {
        !self.accounts.is_empty()
    }

    pub(super) fn knows(&self, connection: &str) -> bool {
        self.connections.contains_key(connection)
    }

    /// Keeps the person of a connection, as Telegram describes it. A connection that Telegram does not know has none.
    pub(super) fn learn(&mut self, connection: &str, described: &Value) {
        let person = described["user"]["id"].as_i64();
        if self.connections.len() >= MOST {
            self.connections.clear();
        }
        self.connections.insert(connection.to_owned(), person);
        let Some(person) = person.filter(|person| !self.accounts.contains(person)) else { return };
        if described["is_enabled"] == false {
            self.ignored.remove(&person);
        } else {
            self.ignore(person, "personal account", name(&described["user"]), "business_accounts");
        }
    }

    /// Whether an update is for the owner of the bot. It learns from an update on a connection.
    pub(super) fn takes(&mut self, update: &Value) -> bool {
        let connection = &update[CONNECTION];
        if let Some(id) = word(connection, "id") {
            self.learn(id, connection);
        }
        let place = named_place(update);
        let Some((target, _)) = target_and_chat(place) else { return true };
        let is_taken = self.allows(&target);
        if !is_taken && target.is_direct() {
            self.ignore(target.chat, "channel", name(&place["chat"]), "direct_message_channels");
        }
        is_taken
    }

    /// Whether the bot works in a chat: one of its own, or of a listed account or channel.
    pub(super) fn allows(&self, target: &Target) -> bool {
        let is_listed = |connection: &String| {
            let person = self.connections.get(connection).copied().flatten();
            person.is_some_and(|person| self.accounts.contains(&person))
        };
        target.business.as_ref().is_none_or(is_listed)
            && (!matches!(target.topic, Some(Topic::Direct(_))) || self.channels.contains(&target.chat))
    }

    /// What is ignored, in words for the owner.
    pub(super) fn ignored(&self) -> Vec<String> {
        self.ignored.values().take(MOST_NAMED).cloned().collect()
    }

    fn ignore(&mut self, id: i64, what: &str, name: Option<String>, setting: &str) {
        if self.ignored.contains_key(&id) || self.ignored.len() >= MOST {
            return;
        }
        let name: String = name.unwrap_or_default().chars().take(LONGEST_NAME).collect();
        let words = format!(
            "Switchboard ignores messages of the {what} {id} ({name:?}): {setting} does not list it; add \"{id}\" there if it is yours"
        );
        tracing::warn!(why = words, "another account or channel uses the bot");
        self.ignored.insert(id, words);
    }
}

/// Returns the connection to a personal account that an update names.
pub(super) fn connection_of(update: &Value) -> Option<&str> {
    word(named_place(update), "business_connection_id")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn permitted(keys: &str) -> Permitted {
        let fields: ChannelFields =
            toml::from_str(&format!("name = \"bot\"\nchannel = \"telegram\"\n{keys}")).unwrap();
        Permitted::of(&fields)
    }

    fn connection(id: &str, person: i64) -> Value {
        json!({"update_id": 1, "business_connection": {"id": id, "user": {"id": person, "first_name": "Eve"}}})
    }

    #[test]
    fn chats_of_a_personal_account_count_once_it_is_listed() {
        let kinds = ["business_message", "edited_business_message", "deleted_business_messages"];
        let of = |kind: &str| {
            json!({"update_id": 2, kind: {"business_connection_id": "bc-1", "chat": {"id": 2_001},
                "from": {"id": 2_001}, "message_id": 17}})
        };
        let press = json!({"update_id": 2, "callback_query": {"id": "1", "from": {"id": 2_001},
            "message": {"business_connection_id": "bc-1", "chat": {"id": 2_001}, "message_id": 18}}});
        let updates: Vec<Value> = kinds.into_iter().map(of).chain([press]).collect();
        let target = Target::of("bc-1:2001").unwrap();
        let takes = |permitted: &mut Permitted| {
            let taken: Vec<bool> = updates.iter().map(|update| permitted.takes(update)).collect();
            assert!(taken.iter().all(|it| *it == taken[0]) && permitted.allows(&target) == taken[0]);
            taken[0]
        };
        let listed = "business_accounts = [\"5001\"]";
        let mut none = permitted("");
        assert!(!takes(&mut none) && !none.awaits(&updates[0]));
        let mut unknown = permitted(listed);
        assert_eq!(unknown.unknown(&updates[0]), Some("bc-1"));
        assert!(!takes(&mut unknown) && updates.iter().all(|update| unknown.awaits(update)));
        for (keys, person, wanted) in [("", 5_001, false), (listed, 6_666, false), (listed, 5_001, true)] {
            let mut permitted = permitted(keys);
            assert!(permitted.takes(&connection("bc-1", person)));
            assert_eq!(takes(&mut permitted), wanted, "{keys} {person}");
            assert_eq!(permitted.unknown(&updates[0]), None);
            // The connection of another account stays another's.
            assert!(!permitted.allows(&Target::of("bc-2:2001").unwrap()));
            let named = permitted.ignored().concat();
            assert_eq!(named.contains(&format!("account {person} (\"Eve\")")), !wanted, "{named}");
            assert_eq!(named.contains(&format!("add \"{person}\"")), !wanted, "{named}");
            let mut gone = connection("bc-1", person);
            gone["business_connection"]["is_enabled"] = false.into();
            assert!(permitted.takes(&gone) && permitted.ignored().is_empty());
        }
        let mut gone = permitted(listed);
        gone.learn("bc-1", &Value::Null);
        assert!(!takes(&mut gone) && gone.unknown(&updates[0]).is_none() && gone.ignored().is_empty());
    }

    #[test]
    fn direct_messages_to_a_channel_count_once_it_is_listed() {
        let update = json!({"update_id": 2, "message": {"message_id": 17, "from": {"id": 2_001},
            "chat": {"id": -1_002_222, "title": "News"},
            "direct_messages_topic": {"topic_id": 501, "user": {"id": 2_001}}}});
        let target = Target::of("-1002222!501").unwrap();
        for (keys, wanted) in [
            ("", false),
            ("direct_message_channels = [\"-1003333\"]", false),
            ("direct_message_channels = [\"-1002222\"]", true),
        ] {
            let mut permitted = permitted(keys);
            assert_eq!((permitted.takes(&update), permitted.allows(&target)), (wanted, wanted), "{keys}");
            let named = permitted.ignored().concat();
            assert_eq!(named.contains("channel -1002222 (\"News\")"), !wanted, "{named}");
        }
    }

    #[test]
    fn chats_of_the_bot_itself_need_no_list() {
        let mut permitted = permitted("");
        for chat in [2_001, -1_001_234] {
            assert!(permitted.takes(&json!({"update_id": 2, "message": {"chat": {"id": chat}}})));
        }
        for name in ["2001", "-1001234", "-1001234/7"] {
            assert!(permitted.allows(&Target::of(name).unwrap()), "{name}");
        }
        for odd in
            [json!([1]), json!({"update_id": 1}), json!({"update_id": 1, "callback_query": {"id": "1"}})]
        {
            assert!(permitted.takes(&odd));
        }
        for number in 0..2_000 {
            permitted.takes(&connection(&format!("bc-{number}"), number));
        }
        assert!(permitted.connections.len() <= MOST && permitted.ignored.len() <= MOST);
        assert_eq!(permitted.ignored().len(), MOST_NAMED);
    }
}
