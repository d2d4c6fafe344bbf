//! The tables of an older program that kept clients, appeals and history: their rows read leniently, as what `/v1/client-imports`
//! takes. Pure but for what it counts.

use std::collections::{BTreeMap, BTreeSet};

use domain::{AccountName, AppealState, Author, ChannelChat, ChannelName, Contact, ContactKind, Timestamp};
use serde_json::{Map, Value, json};
use store::foreign::{flag, text, time};

/// The tables that are read, in this order: what comes later names what came before.
pub const OLD_TABLES: [&str; 4] = ["clients", "appeals", "messages_history", "client_merges"];

/// Columns that hold an id in a channel, and the channel.
const IDS: [(&str, &str); 8] = [
    ("telegram_id", "telegram"),
    ("avito_id", "avito"),
    ("vk_id", "vk"),
    ("whatsapp_id", "whatsapp"),
    ("max_id", "max"),
    ("instagram_id", "instagram"),
    ("telegram_account_id", "telegram_account"),
    ("email", "email"),
];

/// Columns that say something here, or nothing that is missed.
const COLUMNS: &str = " id uuid telegram_id avito_id vk_id whatsapp_id max_id instagram_id telegram_account_id phone phone_number \
    client_phone name full_name client_name email client_email created_at updated_at client_id channel external_chat_id chat_id \
    status state assignee assigned_to operator manager opened_at closed_at appeal_id message_type sender_type sender direction \
    is_from_client message_text text message external_message_id timestamp sent_at merged_client_id master_client_id tenant_id \
    channel_id ";

/// The account of messages of a channel that has none here.
pub const NO_ACCOUNT: &str = "imported";

/// Whether a column is read, or holds nothing that is missed.
pub fn is_old_column(name: &str) -> bool {
    COLUMNS.split(' ').any(|known| !known.is_empty() && known == name)
}

/// What was found so far in the tables.
#[derive(Debug, Default)]
pub struct OldRows {
    /// Seconds that the clocks of the old server are ahead of UTC.
    pub utc_offset: i64,
    /// The account of ours for each channel.
    pub accounts: BTreeMap<String, AccountName>,
    /// Numbers show who someone is even where no provider vouches for them.
    trusts_phones: bool,
    /// The time of what has none.
    undated: Timestamp,
    /// What each status of the old program became, and of how many appeals.
    pub statuses: BTreeMap<String, (AppealState, u64)>,
    /// Channels of rows, and how many rows.
    pub channels: BTreeMap<String, u64>,
    /// Channels that have no account here.
    pub without_account: BTreeSet<String>,
    /// What was not understood, and how often.
    pub not_understood: BTreeMap<String, u64>,
    /// The time of the last message, and how many had it before.
    last: Option<(Timestamp, u32)>,
}

/// A row as `/v1/client-imports` takes it: the list that it belongs to, and the item.
pub type OldItem = (&'static str, Value);

impl OldRows {
    /// Nothing yet, of a program whose channels these accounts have. What has no time of its own is `undated`.
    pub fn new(accounts: BTreeMap<String, AccountName>, trusts_phones: bool, undated: Timestamp) -> Self {
        Self { accounts, trusts_phones, undated, ..Self::default() }
    }

    /// Reads a row; none where it says nothing usable.
    pub fn take(&mut self, table: &str, row: &Map<String, Value>) -> Option<OldItem> {
        match table {
            "clients" => self.client(row).map(|item| ("clients", item)),
            "appeals" => self.appeal(row).map(|item| ("appeals", item)),
            "messages_history" => self.message(row).map(|item| ("messages", item)),
            "client_merges" => self.merge(row).map(|item| ("merges", item)),
            _ => None,
        }
    }

    fn client(&mut self, row: &Map<String, Value>) -> Option<Value> {
        let id = self.id("clients", row)?;
        let mut identities = Vec::new();
        let phone = text(row, &["phone", "phone_number", "client_phone"]);
        let number = phone.as_deref().and_then(|phone| Contact::read(phone, Some(ContactKind::Phone)).ok());
        let number = number.map(|number| number.to_string());
        let mut is_vouched_for = self.trusts_phones;
        for (column, channel) in IDS {
            let Some(value) = text(row, &[column, if column == "email" { "client_email" } else { column }])
            else {
                continue;
            };
            if channel == "whatsapp" {
                let digits = value.strip_suffix("@c.us").unwrap_or(&value).to_owned();
                is_vouched_for |=
                    number.as_deref().and_then(|number| number.strip_prefix('+')) == Some(&*digits);
                identities.push(json!([channel, address_in_whatsapp(&value)]));
            }
            identities.push(json!([channel, value]));
        }
        if let Some(number) = number.as_ref().filter(|_| is_vouched_for) {
            identities.push(json!(["phone", number]));
        }
        Some(json!({
            "id": id, "identities": identities, "name": text(row, &["name", "full_name", "client_name"]),
            "phone": number.or(phone), "email": text(row, &["email", "client_email"]),
            "created_at": self.time(row, &["created_at"]), "updated_at": self.time(row, &["updated_at"]),
        }))
    }

    fn appeal(&mut self, row: &Map<String, Value>) -> Option<Value> {
        let id = self.id("appeals", row)?;
        let Some(chat) = self.chat(row) else {
            self.puzzle("appeals without a channel and a chat, which are left out");
            return None;
        };
        let status = text(row, &["status", "state"]).unwrap_or_default();
        let state = state(&status);
        if state.is_none() {
            self.puzzle(&format!("the status {status:?} of appeals, which are open here"));
        }
        let state = state.unwrap_or(AppealState::Open);
        self.statuses.entry(status).or_insert((state, 0)).1 += 1;
        Some(json!({
            "id": id, "client_id": text(row, &["client_id"]), "chat": chat, "state": state.as_str(),
            "assignee": text(row, &["assignee", "assigned_to", "operator", "manager"]),
            "opened_at": self.time(row, &["opened_at", "created_at"]), "closed_at": self.time(row, &["closed_at"]),
            "updated_at": self.time(row, &["updated_at"]),
        }))
    }

    fn message(&mut self, row: &Map<String, Value>) -> Option<Value> {
        let id = self.id("messages_history", row)?;
        let (chat, appeal) = (self.chat(row), text(row, &["appeal_id"]));
        if chat.is_none() && appeal.is_none() {
            self.puzzle("messages without a chat and an appeal, which are left out");
            return None;
        }
        let kind = text(row, &["message_type", "sender_type", "sender", "direction"]);
        let author = match kind.as_deref().map(author) {
            Some(Some(author)) => author,
            _ if row.contains_key("is_from_client") => {
                if flag(row, &["is_from_client"]) {
                    Author::Client
                } else {
                    Author::Agent
                }
            }
            unrecognized => {
                let kind = kind.unwrap_or_default();
                if unrecognized.is_some() || kind.is_empty() {
                    self.puzzle(&format!("message_type {kind:?}, which is taken for a program's"));
                }
                Author::Program
            }
        };
        let at = self.time(row, &["created_at", "timestamp", "sent_at"]);
        if at.is_none() {
            self.puzzle("messages without a time, which stand at the time of this import");
        }
        let at = at.unwrap_or(self.undated);
        let nth = match self.last {
            Some((last, nth)) if last == at => nth.saturating_add(1),
            _ => 0,
        };
        self.last = Some((at, nth));
        Some(json!({
            "id": id, "appeal_id": appeal, "client_id": text(row, &["client_id"]), "chat": chat, "author": author.as_str(),
            "external_message_id": text(row, &["external_message_id"]),
            "text": text(row, &["message_text", "text", "message"]).unwrap_or_default(), "at": at, "nth": nth,
        }))
    }

    fn merge(&mut self, row: &Map<String, Value>) -> Option<Value> {
        let pair = text(row, &["merged_client_id"]).zip(text(row, &["master_client_id"]));
        if pair.is_none() {
            self.puzzle("client_merges without two clients, which are left out");
        }
        pair.map(|(merged, master)| json!({ "merged": merged, "master": master }))
    }

    fn id(&mut self, table: &str, row: &Map<String, Value>) -> Option<String> {
        let id = text(row, &["id", "uuid"]);
        if id.is_none() {
            self.puzzle(&format!("{table} without an id, which are left out"));
        }
        id
    }

    /// The chat of a row, at the account of ours that has its channel.
    fn chat(&mut self, row: &Map<String, Value>) -> Option<String> {
        let (channel, chat) = (text(row, &["channel"])?, text(row, &["external_chat_id", "chat_id"])?);
        let channel = channel_name(&channel)?;
        *self.channels.entry(channel.clone()).or_default() += 1;
        let account = self.accounts.get(&channel).map_or(NO_ACCOUNT, AccountName::as_str);
        if account == NO_ACCOUNT {
            self.without_account.insert(channel.clone());
        }
        let chat = if channel == "whatsapp" { address_in_whatsapp(&chat) } else { chat };
        let address = format!("{channel}:{account}/{chat}");
        address.parse::<ChannelChat>().is_ok().then_some(address)
    }

    fn time(&self, row: &Map<String, Value>, columns: &[&str]) -> Option<Timestamp> {
        time(row, columns, self.utc_offset)
    }

    fn puzzle(&mut self, what: &str) {
        *self.not_understood.entry(what.to_owned()).or_default() += 1;
    }
}

/// A number as an address of WhatsApp.
fn address_in_whatsapp(given: &str) -> String {
    let is_number = !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("{given}@c.us") } else { given.to_owned() }
}

/// The name that a channel of the old program has here.
fn channel_name(channel: &str) -> Option<String> {
    let channel = word(channel);
    let name = match channel.as_str() {
        "tg" | "telegram_bot" | "bot" => "telegram",
        "wa" | "wappi" => "whatsapp",
        "ig" => "instagram",
        "mail" => "email",
        "site" | "website" | "tilda" => "form",
        other => other,
    };
    name.parse::<ChannelName>().ok().map(|name| name.as_str().to_owned())
}

/// The state that a status of the old program is.
fn state(status: &str) -> Option<AppealState> {
    Some(match word(status).as_str() {
        "new" | "created" | "новый" | "новая" | "новое" => AppealState::New,
        "" | "open" | "opened" | "active" | "in_progress" | "in_work" | "processing" | "assigned"
        | "reopened" | "открыт" | "открыта" | "открыто" | "в_работе" => {
            AppealState::Open
        }
        "waiting"
        | "waiting_client"
        | "waiting_for_client"
        | "wait_client"
        | "answered"
        | "pending_client"
        | "ожидает_клиента"
        | "ждём_клиента"
        | "ждем_клиента"
        | "отвечено" => AppealState::WaitingClient,
        "waiting_us"
        | "waiting_for_us"
        | "waiting_operator"
        | "waiting_manager"
        | "waiting_agent"
        | "pending"
        | "handed_over"
        | "handoff"
        | "human"
        | "escalated"
        | "ожидает_оператора"
        | "ожидает_ответа" => AppealState::WaitingUs,
        "closed" | "done" | "resolved" | "completed" | "finished" | "archived" | "cancelled" | "canceled"
        | "spam" | "закрыт" | "закрыта" | "закрыто" | "завершён" | "завершен" | "завершено" => {
            AppealState::Closed
        }
        _ => return None,
    })
}

/// Who wrote a message of this type.
fn author(kind: &str) -> Option<Author> {
    Some(match word(kind).as_str() {
        "client" | "user" | "customer" | "incoming" | "inbound" | "in" | "received" => Author::Client,
        "ai" | "bot" | "assistant" | "gpt" | "llm" => Author::Ai,
        "agent" | "operator" | "manager" | "human" | "admin" | "outgoing" | "outbound" | "out" | "sent" => {
            Author::Agent
        }
        "program" | "system" | "auto" | "service" | "template" => Author::Program,
        _ => return None,
    })
}

/// A word in small letters, with `_` for what separates.
fn word(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    fn rows() -> OldRows {
        let shop = "shop".parse().expect("a name");
        OldRows { accounts: BTreeMap::from([("avito".to_owned(), shop)]), ..OldRows::default() }
    }

    #[test]
    fn clients_have_their_ids_and_only_verified_numbers() {
        let mut old = rows();
        let (_, client) = old
            .take(
                "clients",
                &row(&json!({"id": 7, "telegram_id": 700, "phone": "8 (000) 000-00-01", "name": "Anna"})),
            )
            .expect("a client");
        assert_eq!((&client["id"], &client["identities"]), (&json!("7"), &json!([["telegram", "700"]])));
        let typed = row(&json!({"id": "u", "whatsapp_id": "70000000001", "phone": "+70000000001"}));
        let (_, client) = old.take("clients", &typed).expect("a client");
        let expected =
            json!([["whatsapp", "70000000001@c.us"], ["whatsapp", "70000000001"], ["phone", "+70000000001"]]);
        assert_eq!(client["identities"], expected);
        assert!(old.take("clients", &row(&json!({"telegram_id": 1}))).is_none());
        assert_eq!(old.not_understood.len(), 1);
    }

    #[test]
    fn statuses_become_states_and_strange_ones_are_named() {
        for (status, expected) in [
            ("new", "new"),
            ("In progress", "open"),
            ("waiting-client", "waiting_client"),
            ("Ожидает оператора", "waiting_us"),
            ("Закрыто", "closed"),
            ("in limbo", "open"),
        ] {
            let mut old = rows();
            let appeal = json!({"id": 1, "channel": "Avito", "external_chat_id": "u2i-1", "status": status});
            let (list, appeal) = old.take("appeals", &row(&appeal)).expect("an appeal");
            assert_eq!((list, &appeal["state"]), ("appeals", &json!(expected)), "{status}");
            assert_eq!(appeal["chat"], "avito:shop/u2i-1");
            assert_eq!(old.not_understood.len(), usize::from(status == "in limbo"));
        }
    }

    #[test]
    fn messages_of_one_time_keep_their_order() {
        let mut old = OldRows { utc_offset: 3 * 3600, ..rows() };
        let mut nth = |id: u32, at: &str| {
            let message = json!({"id": id, "appeal_id": 1, "message_type": "agent", "message_text": "Hi", "created_at": at});
            let (_, message) = old.take("messages_history", &row(&message)).expect("a message");
            (message["at"].clone(), message["nth"].clone(), message["author"].clone())
        };
        let at = "2026-01-01T00:00:00.000000Z";
        assert_eq!(nth(1, "2026-01-01T03:00:00"), (json!(at), json!(0), json!("agent")));
        assert_eq!(nth(2, at), (json!(at), json!(1), json!("agent")));
        assert_eq!(nth(3, "2026-01-01T00:00:01Z").1, 0);
    }

    #[test]
    fn channels_without_an_account_are_named() {
        let mut old = rows();
        let message = json!({"id": 1, "channel": "tg", "external_chat_id": "5", "is_from_client": true});
        let (_, message) = old.take("messages_history", &row(&message)).expect("a message");
        assert_eq!((&message["chat"], &message["author"]), (&json!("telegram:imported/5"), &json!("client")));
        assert_eq!(old.without_account, BTreeSet::from(["telegram".to_owned()]));
    }
}
