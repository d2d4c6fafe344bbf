//! What a message centre delivers: receipts, and messages of customers, whose parts are gathered. Pure.
//!
//! A centre gives what it delivers no id, and delivers it again where it did not get our answer. What is not answered yet is therefore
//! remembered by its content, across connections and restarts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use domain::{
    ContactProof, ExternalChat, InboundChange, InboundEvent, InboundMessage, InboundReceipt, ProvedContact,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::alphabet::{self, Language, Piece};
use super::pdu::{self, HAS_HEADER, ShortMessage};

/// The missing parts of a message are waited for so long; then it is kept without them.
const PARTS: Duration = Duration::from_mins(5);
/// What was reported and not answered is known so long, should it be delivered again.
const AGAIN: Duration = Duration::from_mins(10);
/// The most messages that wait for parts.
const MOST: usize = 500;

/// How the centre writes ids: its answers and its receipts may differ (appendix B of the specification leaves it open).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// The same in both.
    Same,
    /// Hexadecimal in answers, decimal in receipts.
    HexInAnswers,
    /// Decimal in answers, hexadecimal in receipts.
    HexInReceipts,
}

impl Ids {
    /// An id of an answer as it is kept.
    pub(super) fn of_answer(self, id: &str) -> String {
        if self == Self::HexInAnswers { decimal(id) } else { id.to_owned() }
    }

    /// An id of a receipt as it is kept.
    fn of_receipt(self, id: &str) -> String {
        match self {
            Self::Same => id.to_owned(),
            // Some write zeros before it.
            Self::HexInAnswers => id.parse::<u64>().map_or_else(|_| id.to_owned(), |id| id.to_string()),
            Self::HexInReceipts => decimal(id),
        }
    }
}

fn decimal(id: &str) -> String {
    u64::from_str_radix(id, 16).map_or_else(|_| id.to_owned(), |id| id.to_string())
}

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) id: String,
    /// None while the message is on its way.
    pub(super) state: Option<InboundReceipt>,
}

/// Whether it is a receipt rather than a message (5.2.12). Some centres only name the message that it is about.
pub(super) fn is_receipt(message: &ShortMessage) -> bool {
    matches!(message.esm_class & 0x3C, 0x04 | 0x20) || message.tlv(pdu::RECEIPTED_MESSAGE_ID).is_some()
}

/// Reads a receipt, by its TLVs or by the text that most centres write.
pub(super) fn receipt(message: &ShortMessage, ids: Ids) -> Option<Receipt> {
    let text = alphabet::read(message.data_coding, &message.content);
    let field = |name: &str| {
        let start = text.to_ascii_lowercase().find(&format!("{name}:"))? + name.len() + 1;
        text.get(start..)?.split_whitespace().next().map(str::to_owned)
    };
    let id = message.tlv(pdu::RECEIPTED_MESSAGE_ID).map(pdu::text).or_else(|| field("id"))?;
    let word = match message.tlv(pdu::MESSAGE_STATE) {
        Some([2]) => "DELIVRD".to_owned(),
        Some([3]) => "EXPIRED".to_owned(),
        Some([4]) => "DELETED".to_owned(),
        Some([5]) => "UNDELIV".to_owned(),
        Some([8]) => "REJECTD".to_owned(),
        Some([9]) => "SKIPPED".to_owned(),
        Some(_) => return Some(Receipt { id: ids.of_receipt(&id), state: None }),
        None => field("stat")?.to_ascii_uppercase(),
    };
    // Some write the words out, such as `DELIVERED`.
    let begins = |start: &str| word.starts_with(start);
    let why = [
        ("EXPIR", "it expired on its way"),
        ("DELET", "it was deleted on its way"),
        ("UNDEL", "it cannot be delivered"),
        ("FAIL", "it cannot be delivered"),
        ("REJEC", "the network rejected it"),
        ("SKIP", "the centre skipped it"),
    ];
    let failed = why.into_iter().find(|(start, _)| begins(start)).map(|(_, why)| {
        let error = field("err").filter(|error| error.bytes().any(|digit| digit != b'0'));
        let error = error.map(|error| format!(", error {error}")).unwrap_or_default();
        InboundReceipt::Failed(format!("{why} ({word}{error})"))
    });
    // Of `ENROUTE`, `ACCEPTD` and `UNKNOWN` nothing follows.
    let state = if begins("DELIV") { Some(InboundReceipt::Delivered) } else { failed };
    Some(Receipt { id: ids.of_receipt(&id), state })
}

/// The place of a part in its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PartPosition {
    reference: u16,
    total: u8,
    number: u8,
}

/// The place of a part, its language, and its content without a header.
fn parted(message: &ShortMessage) -> (Option<PartPosition>, Language, &[u8]) {
    let content = message.content.as_slice();
    let (mut position, mut language) = (None, Language::default());
    if message.esm_class & HAS_HEADER != 0
        && let Some((length, rest)) = content.split_first()
        && let Some((mut header, content)) = rest.split_at_checked(usize::from(*length))
    {
        while let [element, length, rest @ ..] = header {
            let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
            header = rest;
            match (element, value) {
                (0, [reference, total, number]) => {
                    let reference = u16::from(*reference);
                    position = Some(PartPosition { reference, total: *total, number: *number });
                }
                (8, [high, low, total, number]) => {
                    let reference = u16::from_be_bytes([*high, *low]);
                    position = Some(PartPosition { reference, total: *total, number: *number });
                }
                (0x24, [single]) => language.single = *single,
                (0x25, [locking]) => language.locking = *locking,
                _ => {}
            }
        }
        return (position, language, content);
    }
    let sar = (message.tlv(pdu::SAR_REFERENCE), message.tlv(pdu::SAR_TOTAL), message.tlv(pdu::SAR_NUMBER));
    let (Some([high, low]), Some([total]), Some([number])) = sar else { return (None, language, content) };
    let reference = u16::from_be_bytes([*high, *low]);
    (Some(PartPosition { reference, total: *total, number: *number }), language, content)
}

/// A message of a customer that the centre has no answer for yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Gathered {
    /// When its first part came, in microseconds: this distinguishes it from the same text another day.
    at: i64,
    total: u8,
    source: String,
    /// As they came: a letter may be cut between two of them.
    parts: BTreeMap<u8, Piece>,
    raw: Vec<serde_json::Value>,
}

impl Gathered {
    const fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.at)
    }

    fn is_whole(&self) -> bool {
        self.parts.len() >= usize::from(self.total)
    }

    /// The text. Where parts are missing, what is before them and what is behind them are read apart, and it says so.
    fn text(&self) -> String {
        let (mut text, mut run) = (String::new(), Vec::new());
        for number in 1..=self.total {
            if let Some(piece) = self.parts.get(&number) {
                run.push(piece.clone());
            } else {
                text += &alphabet::read_all(&std::mem::take(&mut run));
                let _ = write!(text, "[part {number} of {} is missing]", self.total);
            }
        }
        text + &alphabet::read_all(&run)
    }
}

/// The messages of customers that the centre has no answer for yet, or not all parts of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gathering(BTreeMap<String, Gathered>);

impl Gathering {
    /// Those that were kept.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// As they are kept.
    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes messages that the centre has no answer for yet, of one connection; it may be called again with the same, and more. The
    /// keys of what can be reported: messages that are whole now, and those whose other parts do not come.
    pub(super) fn take(&mut self, messages: &[ShortMessage], now: Timestamp) -> Vec<String> {
        // What the centre does not deliver again it has our answer for.
        self.0.retain(|_, gathered| !gathered.is_whole() || now.since(gathered.at()) < AGAIN);
        let mut met: BTreeMap<String, usize> = BTreeMap::new();
        let mut keys = Vec::new();
        for message in messages {
            let (position, language, content) = parted(message);
            let position = position.filter(|position| (1..=position.total).contains(&position.number));
            let PartPosition { total, number, .. } =
                position.unwrap_or(PartPosition { reference: 0, total: 1, number: 1 });
            let parties = format!("{}\n{}", message.source.address, message.destination.address);
            let key = if let Some(position) = position {
                format!("{parties}\n{}/{}", position.reference, position.total)
            } else {
                // Twice on one connection, it was written twice.
                let base = format!("{parties}\n#{}/", hash(&message.content));
                let known: Vec<&String> = self.0.keys().filter(|key| key.starts_with(&base)).collect();
                let count = met.entry(base.clone()).or_default();
                *count += 1;
                let last = known.last().and_then(|key| key[base.len()..].parse::<u32>().ok()).unwrap_or(0);
                known.get(*count - 1).map_or_else(|| format!("{base}{:06}", last + 1), |key| (*key).clone())
            };
            let gathered = self.0.entry(key.clone()).or_insert_with(|| Gathered {
                at: now.as_micros(),
                total,
                source: message.source.address.clone(),
                parts: BTreeMap::new(),
                raw: Vec::new(),
            });
            let piece = Piece { data_coding: message.data_coding, language, bytes: content.to_vec() };
            if gathered.parts.insert(number, piece).is_none() {
                gathered.raw.push(json!({
                    "source_addr": message.source.address,
                    "destination_addr": message.destination.address,
                    "esm_class": message.esm_class,
                    "data_coding": message.data_coding,
                    "short_message": hex::encode(&message.content),
                }));
            }
            if gathered.is_whole() && !keys.contains(&key) {
                keys.push(key);
            }
        }
        let mut waiting: Vec<(&String, &Gathered)> =
            self.0.iter().filter(|(_, gathered)| !gathered.is_whole()).collect();
        waiting.sort_by_key(|(_, gathered)| gathered.at);
        // Of too many messages the oldest are reported as they are: the centre has our answers for their parts.
        let surplus = waiting.len().saturating_sub(MOST);
        let is_due = |(place, (_, gathered)): &(usize, (&String, &Gathered))| {
            *place < surplus || now.since(gathered.at()) >= PARTS
        };
        keys.extend(waiting.into_iter().enumerate().filter(is_due).map(|(_, (key, _))| key.clone()));
        keys
    }

    /// What is reported.
    pub(super) fn events(&self, keys: &[String]) -> Vec<InboundEvent> {
        keys.iter().filter_map(|key| event(key, self.0.get(key)?)).collect()
    }

    /// Forgets what was reported and answered.
    pub(super) fn forget(&mut self, keys: &[String]) {
        self.0.retain(|key, _| !keys.contains(key));
    }

    /// When a message is next reported without its other parts.
    pub(super) fn next_late(&self) -> Option<Timestamp> {
        let waiting = self.0.values().filter(|gathered| !gathered.is_whole());
        waiting.map(|gathered| gathered.at().plus(PARTS)).min()
    }
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}

fn event(key: &str, gathered: &Gathered) -> Option<InboundEvent> {
    let phone = super::super::number(&gathered.source);
    let chat = ExternalChat::new(&phone)?;
    let id = format!("{}-{:x}", hash(key.as_bytes()), gathered.at);
    let text = gathered.text();
    let message = InboundMessage {
        user: Some(phone.clone()),
        phone: phone.starts_with('+').then(|| ProvedContact::new(phone, ContactProof::ChannelId)),
        raw: Some(json!(gathered.raw).to_string()),
        ..InboundMessage::private(chat, id.clone(), text, gathered.at())
    };
    Some(InboundEvent { key: format!("in:{id}"), change: InboundChange::Message(Box::new(message)) })
}

#[cfg(test)]
mod tests {
    use super::super::pdu::Party;
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn message(content: &[u8]) -> ShortMessage {
        let source = Party { kind: 1, plan: 1, address: "70000000001".to_owned() };
        ShortMessage { source, content: content.to_vec(), ..ShortMessage::default() }
    }

    fn part(number: u8, text: &str) -> ShortMessage {
        let content = [&[5, 0, 3, 9, 2, number], text.as_bytes()].concat();
        ShortMessage { esm_class: HAS_HEADER, ..message(&content) }
    }

    fn texts(events: &[InboundEvent]) -> Vec<String> {
        let text = |event: &InboundEvent| match &event.change {
            InboundChange::Message(message) => message.text.to_string(),
            other => panic!("{other:?}"),
        };
        events.iter().map(text).collect()
    }

    #[test]
    fn receipts_are_read_by_tlv_and_by_text() {
        let text = b"id:0031 sub:001 dlvrd:000 submit date:2511201000 done date:2511201001 stat:UNDELIV err:011 text:";
        let delivered = ShortMessage { esm_class: 4, ..message(text) };
        let read = receipt(&delivered, Ids::Same).unwrap();
        assert_eq!(read.id, "0031");
        assert!(
            matches!(read.state, Some(InboundReceipt::Failed(why)) if why.contains("UNDELIV, error 011"))
        );
        assert_eq!(receipt(&delivered, Ids::HexInAnswers).unwrap().id, Ids::HexInAnswers.of_answer("1F"));
        assert_eq!(receipt(&delivered, Ids::HexInReceipts).unwrap().id, Ids::HexInReceipts.of_answer("49"));
        let tlvs = vec![(pdu::RECEIPTED_MESSAGE_ID, b"7A".to_vec()), (pdu::MESSAGE_STATE, vec![2])];
        let delivered = ShortMessage { tlvs, ..message(b"") };
        assert!(is_receipt(&delivered) && !is_receipt(&message(text)), "anyone can write such a text");
        assert_eq!(
            receipt(&delivered, Ids::Same),
            Some(Receipt { id: "7A".to_owned(), state: Some(InboundReceipt::Delivered) })
        );
        for (stat, wanted) in [
            ("DELIVERED err:000", None),
            ("UNDELIVERABLE err:000", Some("it cannot be delivered (UNDELIVERABLE)")),
            ("EXPIRED", Some("it expired on its way (EXPIRED)")),
            ("DELETED", Some("it was deleted on its way (DELETED)")),
            ("REJECTD err:069", Some("the network rejected it (REJECTD, error 069)")),
        ] {
            let read = receipt(&message(format!("id:1 stat:{stat} text:").as_bytes()), Ids::Same).unwrap();
            let wanted =
                wanted.map_or(InboundReceipt::Delivered, |why| InboundReceipt::Failed(why.to_owned()));
            assert_eq!(read.state, Some(wanted), "{stat}");
        }
        let states = ["ENROUTE", "ACCEPTD", "UNKNOWN"];
        assert!(states.iter().all(|stat| {
            let text = format!("id:1 stat:{stat}");
            receipt(&message(text.as_bytes()), Ids::Same).unwrap().state.is_none()
        }));
        for (text, found) in [("id:1 stat:ENROUTE", true), ("stat:DELIVRD", false), ("Hello", false)] {
            assert_eq!(
                receipt(&message(text.as_bytes()), Ids::Same).is_some_and(|read| read.state.is_none()),
                found
            );
        }
    }

    #[test]
    fn parts_make_one_message_in_whatever_order() {
        let mut gathering = Gathering::default();
        assert_eq!(gathering.take(&[part(2, "world")], NOW), [""; 0]);
        let keys = gathering.take(&[part(2, "world"), part(1, "Hello ")], NOW.plus(PARTS / 2));
        let events = gathering.events(&keys);
        assert_eq!(texts(&events), ["Hello world"]);
        assert_eq!(Gathering::read(&gathering.write()).events(&keys), events);
        gathering.forget(&keys);
        assert_eq!(gathering, Gathering::default());
    }

    #[test]
    fn a_letter_that_is_cut_between_parts_is_whole() {
        let emoji: Vec<u8> = "Да 😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let (one, two) = emoji.split_at(emoji.len() - 2);
        let part = |number: u8, data_coding: u8, bytes: &[u8]| {
            let content = [&[5, 0, 3, 9, 2, number], bytes].concat();
            ShortMessage { esm_class: HAS_HEADER, data_coding, ..message(&content) }
        };
        for (parts, wanted) in [
            ([part(1, 8, one), part(2, 8, two)], "Да 😀"),
            ([part(1, 0, b"10 \x1B"), part(2, 0, b"\x65")], "10 €"),
        ] {
            let mut gathering = Gathering::default();
            assert_eq!(gathering.take(&parts[1..], NOW), [""; 0]);
            // Over a restart too.
            let mut gathering = Gathering::read(&gathering.write());
            let keys = gathering.take(&parts[..1], NOW);
            assert_eq!(texts(&gathering.events(&keys)), [wanted]);
        }
        // A language is named before or behind the place.
        let mut gathering = Gathering::default();
        let content = [&[8, 0x25, 1, 1, 0, 3, 9, 1, 1], b"\x40stanbul".as_slice()].concat();
        let keys = gathering.take(&[ShortMessage { esm_class: HAS_HEADER, ..message(&content) }], NOW);
        assert_eq!(texts(&gathering.events(&keys)), ["İstanbul"]);
    }

    #[test]
    fn a_part_that_stays_alone_is_reported_in_time() {
        let mut gathering = Gathering::default();
        gathering.take(&[part(1, "Hello ")], NOW);
        let late = gathering.next_late().unwrap();
        assert_eq!(late, NOW.plus(PARTS));
        let keys = gathering.take(&[], late);
        assert_eq!(texts(&gathering.events(&keys)), ["Hello [part 2 of 2 is missing]"]);
        gathering.forget(&keys);
        let part = |number: u8| {
            let content = [&[6, 8, 4, 1, 9, 4, number], format!("{number}").as_bytes()].concat();
            ShortMessage { esm_class: HAS_HEADER, ..message(&content) }
        };
        gathering.take(&[part(4), part(1)], NOW);
        let keys = gathering.take(&[], late);
        let wanted = "1[part 2 of 4 is missing][part 3 of 4 is missing]4";
        assert_eq!(texts(&gathering.events(&keys)), [wanted]);
    }

    #[test]
    fn of_too_many_messages_none_is_lost() {
        let mut gathering = Gathering::default();
        let first = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let content = [&[6, 8, 4, high, low, 2, 1], format!("{number} ").as_bytes()].concat();
            ShortMessage { esm_class: HAS_HEADER, ..message(&content) }
        };
        let mut reported = Vec::new();
        for number in 0..600_u16 {
            let keys = gathering.take(&[first(number)], NOW.plus(Duration::from_millis(number.into())));
            reported.extend(texts(&gathering.events(&keys)));
            gathering.forget(&keys);
        }
        assert_eq!((reported.len(), gathering.0.len()), (100, MOST));
        assert!(reported[0].starts_with("0 [part 2 of 2") && reported[99].starts_with("99 "), "{reported:?}");
    }

    #[test]
    fn only_what_comes_again_unanswered_is_the_same() {
        let mut gathering = Gathering::default();
        let both = [message(b"Yes"), message(b"Yes")];
        let keys = gathering.take(&both, NOW);
        let events = gathering.events(&keys);
        assert_eq!((events.len(), events[0].key == events[1].key), (2, false));
        // The connection broke before they were answered.
        let mut gathering = Gathering::read(&gathering.write());
        assert_eq!(gathering.take(&[], NOW.plus(PARTS)), [""; 0]);
        let again = gathering.take(&both, NOW.plus(PARTS));
        assert_eq!(gathering.events(&again), events);
        for known_for in [Duration::ZERO, AGAIN] {
            let mut gathering = gathering.clone();
            if known_for.is_zero() {
                gathering.forget(&again);
            }
            let keys = gathering.take(&both[..1], NOW.plus(known_for.max(PARTS)));
            assert!(!events.contains(&gathering.events(&keys)[0]));
        }
    }

    #[test]
    fn sar_parts_are_parts() {
        let sar = |number: u8| {
            vec![(pdu::SAR_REFERENCE, vec![0, 3]), (pdu::SAR_TOTAL, vec![2]), (pdu::SAR_NUMBER, vec![number])]
        };
        let both = [2, 1].map(|number| ShortMessage { tlvs: sar(number), ..message(&[b'0' + number]) });
        let mut gathering = Gathering::default();
        let keys = gathering.take(&both, NOW);
        assert_eq!(texts(&gathering.events(&keys)), ["12"]);
    }
}
