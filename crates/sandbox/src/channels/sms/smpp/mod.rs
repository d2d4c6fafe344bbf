//! The pretend message centre: who is bound, what is submitted, and what waits to be delivered until it is answered.

mod port;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::BytesMut;
use domain::Timestamp;
use rusmpp::encode::owned::Encode;
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Tlv;
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessageState, Npi, Ton};
use rusmpp::{Command, CommandStatus};

use super::super::fake::{ChannelEffect, CustomerDeed, Outside};
use super::super::request::{Reply, Request};
use super::{Gateway, NUMBER, Sent, Sms, digits};

pub(crate) use port::serve_smpp;

const OURS: Gateway = Gateway::Smpp;
pub(super) const SYSTEM_ID: &str = "demo";
pub(super) const PASSWORD: &str = "planted8";
/// The most submissions of a second that are taken.
const MOST: usize = 30;
/// What was refused is delivered again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// The letters of GSM's default alphabet (3GPP TS 23.038, 6.2.1).
const LETTERS: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1B}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                       abcdefghijklmnopqrstuvwxyzäöñüà";

/// The centre.
#[derive(Default)]
pub(super) struct Centre {
    submitted: VecDeque<Timestamp>,
    /// The parts of messages, by phone, reference and how many there are.
    parts: BTreeMap<(String, u8, u8), BTreeMap<u8, String>>,
    waiting: Vec<Delivery>,
    delivered: u32,
}

/// What waits to be delivered.
struct Delivery {
    number: u32,
    pdu: Vec<u8>,
    /// The connection that it is under way by.
    connection: Option<u64>,
    due: Timestamp,
}

fn status(status: CommandStatus) -> Reply {
    Reply::text(u16::try_from(u32::from(status)).unwrap_or(u16::MAX), "")
}

impl Sms {
    /// A step of a connection.
    pub(super) fn smpp(&mut self, step: &str, request: &Request, outside: &mut Outside) -> Reply {
        let value = |name: &str| request.header(name).unwrap_or_default();
        let connection = value("connection").parse().unwrap_or(0);
        let number = value("number").parse().unwrap_or(0);
        match step {
            "bind" if value("system_id") != SYSTEM_ID => status(CommandStatus::EsmeRinvsysid),
            "bind" if value("password") != PASSWORD || self.have_credentials_ended => {
                status(CommandStatus::EsmeRinvpaswd)
            }
            "submit_sm" => self.submit(request, outside),
            "next" => {
                let is_due = |it: &&mut Delivery| it.connection.is_none() && it.due <= outside.now;
                let next = self.centre.waiting.iter_mut().find(is_due);
                let pdu = next.map(|next| {
                    next.connection = Some(connection);
                    next.pdu.clone()
                });
                Reply { body: pdu.unwrap_or_default(), ..Reply::default() }
            }
            "taken" => {
                self.centre.waiting.retain(|it| it.number != number);
                Reply::default()
            }
            "refused" | "gone" => {
                for it in &mut self.centre.waiting {
                    if it.connection == Some(connection) && (step == "gone" || it.number == number) {
                        it.connection = None;
                        it.due = if step == "gone" { it.due } else { outside.now.plus(AGAIN) };
                    }
                }
                Reply::default()
            }
            _ => Reply::default(),
        }
    }

    fn submit(&mut self, request: &Request, outside: &mut Outside) -> Reply {
        let value = |name: &str| request.header(name).unwrap_or_default();
        let byte = |name: &str| value(name).parse::<u8>().unwrap_or(0);
        let submitted = &mut self.centre.submitted;
        submitted.retain(|at| outside.now.since(*at) < Duration::from_secs(1));
        if submitted.len() >= MOST {
            return status(CommandStatus::EsmeRthrottled);
        }
        submitted.push_back(outside.now);
        if Some(value("source_addr").to_owned()) != digits(NUMBER) {
            return status(CommandStatus::EsmeRinvsrcadr);
        }
        let Some(phone) = digits(value("destination_addr")) else {
            return status(CommandStatus::EsmeRinvdstadr);
        };
        let has_header = byte("esm_class") & 0x40 != 0;
        let (header, content) = match request.body.split_first() {
            Some((length, rest)) if has_header => match rest.split_at_checked(usize::from(*length)) {
                Some(split) => split,
                None => return status(CommandStatus::EsmeRinvmsglen),
            },
            _ => (&[] as &[u8], request.body.as_slice()),
        };
        let (text, longest) = match byte("data_coding") {
            // Clients write the default alphabet where they say ASCII, too.
            0 | 1 => (gsm(content), if has_header { 153 } else { 160 }),
            8 if content.len().is_multiple_of(2) => (ucs2(content), if has_header { 134 } else { 140 }),
            8 => return status(CommandStatus::EsmeRinvmsglen),
            _ => return status(CommandStatus::EsmeRinvdcs),
        };
        let Some(text) = text else { return status(CommandStatus::EsmeRsubmitfail) };
        // A centre cuts what is in `message_payload`.
        if content.is_empty() || value("is_payload").is_empty() && content.len() > longest {
            return status(CommandStatus::EsmeRinvmsglen);
        }
        let id = format!("{:X}", 0xA0 + self.number());
        let whole = if let [0, 3, reference, total, number] = header {
            let key = (phone.clone(), *reference, *total);
            let parts = self.centre.parts.entry(key.clone()).or_default();
            parts.insert(*number, text);
            if parts.len() < usize::from(*total) {
                return Reply::text(0, id);
            }
            self.centre.parts.remove(&key).unwrap_or_default().into_values().collect()
        } else {
            text
        };
        let effect = ChannelEffect {
            method: "submit_sm".to_owned(),
            external_id: Some(id.clone()),
            ..ChannelEffect::default()
        };
        let is_closed = self.is_closed(OURS, &phone);
        let sent =
            Sent { gateway: OURS, id: id.clone(), phone, text: whole, at: outside.now, callback: None };
        self.take(sent, effect, outside);
        if let Some(sent) = self.sent.last().filter(|_| is_closed) {
            let receipt = receipt(sent, false, &CustomerDeed::default());
            self.centre.deliver(receipt, outside.now);
        }
        Reply::text(0, id)
    }

    /// A customer writes; the text goes in parts where it is too long for one.
    pub(super) fn smpp_incoming(&mut self, phone: &str, deed: &CustomerDeed, outside: &mut Outside) {
        let text = deed.text.as_deref().unwrap_or_default();
        let units: Vec<u16> = text.encode_utf16().collect();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .,!?".contains(&byte));
        let (data_coding, parts): (u8, Vec<Vec<u8>>) = match units.len() {
            0..=160 if is_plain => (0, vec![text.as_bytes().to_vec()]),
            0..=70 => (8, vec![units.iter().flat_map(|unit| unit.to_be_bytes()).collect()]),
            _ => (
                8,
                units
                    .chunks(67)
                    .map(|part| part.iter().flat_map(|unit| unit.to_be_bytes()).collect())
                    .collect(),
            ),
        };
        let reference = u8::try_from(self.number() % 256).unwrap_or(0);
        let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        for (number, part) in (1_u8..).zip(&parts) {
            let (esm_class, header) =
                if total > 1 { (0x40, vec![5, 0, 3, reference, total, number]) } else { (0, Vec::new()) };
            for _ in 0..deed.times.unwrap_or(1) {
                let content = [header.as_slice(), part].concat();
                self.centre.deliver(deliver_sm(phone, esm_class, data_coding, &content), outside.now);
            }
        }
    }

    /// Something became of a message of ours.
    pub(super) fn smpp_status(
        &mut self,
        place: usize,
        is_delivered: bool,
        deed: &CustomerDeed,
        outside: &Outside,
    ) {
        let receipt = receipt(&self.sent[place], is_delivered, deed);
        self.centre.deliver(receipt, outside.now);
    }
}

impl Centre {
    fn deliver(&mut self, message: DeliverSm, due: Timestamp) {
        self.delivered += 1;
        // Numbers of the centre's own requests; those of the other side are apart (3.2).
        let number = self.delivered;
        let mut pdu = BytesMut::new();
        let command = Command::new(CommandStatus::EsmeRok, number, message);
        command.encode(&mut pdu);
        let framed = [u32::try_from(pdu.len() + 4).unwrap_or(0).to_be_bytes().as_slice(), &pdu].concat();
        self.waiting.push(Delivery { number, pdu: framed, connection: None, due });
    }
}

fn deliver_sm(phone: &str, esm_class: u8, data_coding: u8, content: &[u8]) -> DeliverSm {
    DeliverSm::builder()
        .source_addr_ton(Ton::International)
        .source_addr_npi(Npi::Isdn)
        .source_addr(phone.parse().unwrap_or_default())
        .dest_addr_ton(Ton::International)
        .dest_addr_npi(Npi::Isdn)
        .destination_addr(NUMBER.trim_start_matches('+').parse().unwrap_or_default())
        .esm_class(EsmClass::from(esm_class))
        .data_coding(DataCoding::from(data_coding))
        .short_message(OctetString::from_slice(content).unwrap_or_default())
        .build()
}

/// A receipt, as the specification's appendix B writes it, with its TLVs unless the deed says otherwise.
fn receipt(sent: &Sent, is_delivered: bool, deed: &CustomerDeed) -> DeliverSm {
    let id = match deed.extra["id"].as_str() {
        Some("decimal") => {
            u64::from_str_radix(&sent.id, 16).map_or_else(|_| sent.id.clone(), |id| id.to_string())
        }
        _ => sent.id.clone(),
    };
    let (word, error) = if is_delivered { ("DELIVRD", "000") } else { ("UNDELIV", "011") };
    let word = deed.extra["stat"].as_str().unwrap_or(word);
    let text = format!(
        "id:{id} sub:001 dlvrd:{} submit date:2601010000 done date:2601010001 stat:{word} err:{error} text:",
        if is_delivered { "001" } else { "000" },
    );
    let mut message = deliver_sm(&sent.phone, 0x04, 0, text.as_bytes());
    if deed.extra["tlv"] != false {
        let state = match word {
            "DELIVRD" => MessageState::Delivered,
            "UNDELIV" => MessageState::Undeliverable,
            "EXPIRED" => MessageState::Expired,
            "REJECTD" => MessageState::Rejected,
            _ => MessageState::Enroute,
        };
        let id: COctetString<1, 65> = id.parse().unwrap_or_default();
        message.push_tlv(Tlv::ReceiptedMessageId(id));
        message.push_tlv(Tlv::MessageState(state));
    }
    message
}

/// A text of the default alphabet; none where it has bytes of no letter.
fn gsm(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        text.push(if *byte == 0x1B {
            match rest.next()? {
                0x0A => '\u{C}',
                0x14 => '^',
                0x28 => '{',
                0x29 => '}',
                0x2F => '\\',
                0x3C => '[',
                0x3D => '~',
                0x3E => ']',
                0x40 => '|',
                0x65 => '€',
                _ => return None,
            }
        } else {
            LETTERS.chars().nth(usize::from(*byte))?
        });
    }
    Some(text)
}

fn ucs2(bytes: &[u8]) -> Option<String> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}
