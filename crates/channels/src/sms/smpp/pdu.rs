//! PDUs of SMPP 3.4 (its chapters 3 to 5), without the length that frames them. Pure.
//!
//! What is read is taken as centres write it: texts without their NUL at the end, TLVs that are cut off.

pub(super) const BIND_TRANSMITTER: u32 = 0x02;
pub(super) const SUBMIT_SM: u32 = 0x04;
pub(super) const DELIVER_SM: u32 = 0x05;
pub(super) const UNBIND: u32 = 0x06;
pub(super) const BIND_TRANSCEIVER: u32 = 0x09;
pub(super) const ENQUIRE_LINK: u32 = 0x15;
/// An answer has the number of its request and this bit.
pub(super) const ANSWER: u32 = 0x8000_0000;
pub(super) const GENERIC_NACK: u32 = ANSWER;

/// `ESME_RINVCMDID`: no such command.
pub(super) const NO_SUCH_COMMAND: u32 = 0x03;
/// `ESME_RSYSERR`.
pub(super) const SYSTEM_ERROR: u32 = 0x08;
/// `ESME_RMSGQFUL`: no room for more.
pub(super) const QUEUE_FULL: u32 = 0x14;

/// TLVs (5.3.2).
pub(super) const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
pub(super) const SAR_REFERENCE: u16 = 0x020C;
pub(super) const SAR_TOTAL: u16 = 0x020E;
pub(super) const SAR_NUMBER: u16 = 0x020F;
pub(super) const MESSAGE_PAYLOAD: u16 = 0x0424;
pub(super) const MESSAGE_STATE: u16 = 0x0427;

/// The bit of `esm_class` that says that the content begins with a header (5.2.12).
pub(super) const HAS_HEADER: u8 = 0x40;
/// What a `short_message` holds at most, in bytes (5.2.22).
const LONGEST_SHORT: usize = 254;

/// A PDU, its body not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pdu {
    pub(super) command: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
    pub(super) body: Vec<u8>,
}

impl Pdu {
    /// The answer to a request.
    pub(super) fn answer(command: u32, status: u32, sequence: u32) -> Self {
        // `deliver_sm_resp` has a message id, which is empty.
        let body = if command == DELIVER_SM { vec![0] } else { Vec::new() };
        let command = if command == GENERIC_NACK { command } else { command | ANSWER };
        Self { command, status, sequence, body }
    }

    pub(super) fn read(frame: &[u8]) -> Option<Self> {
        let mut reader = Reader(frame);
        let (command, status, sequence) = (reader.word()?, reader.word()?, reader.word()?);
        Some(Self { command, status, sequence, body: reader.0.to_vec() })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let head = [self.command, self.status, self.sequence].map(u32::to_be_bytes).concat();
        [head, self.body.clone()].concat()
    }

    /// The text that its body begins with: the id in the answer to `submit_sm`, the name of the centre in that to a bind.
    pub(super) fn text(&self) -> String {
        Reader(&self.body).text()
    }
}

/// The body of a bind: version 3.4, any address.
pub(super) fn bind(system_id: &str, password: &str, system_type: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for text in [system_id, password, system_type] {
        put(&mut body, text);
    }
    body.extend([0x34, 0, 0, 0]);
    body
}

/// A number or a name, with what kind it is and whose plan numbers it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) kind: u8,
    pub(super) plan: u8,
    pub(super) address: String,
}

/// The body of `submit_sm` and `deliver_sm`, which have the same form (4.4.1, 4.6.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ShortMessage {
    pub(super) source: Party,
    pub(super) destination: Party,
    pub(super) esm_class: u8,
    pub(super) registered_delivery: u8,
    pub(super) data_coding: u8,
    /// In `message_payload` once it is too long for `short_message`.
    pub(super) content: Vec<u8>,
    /// The other TLVs.
    pub(super) tlvs: Vec<(u16, Vec<u8>)>,
}

impl ShortMessage {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        reader.text();
        let mut party = || {
            let (kind, plan) = (reader.byte()?, reader.byte()?);
            Some(Party { kind, plan, address: reader.text() })
        };
        let (source, destination) = (party()?, party()?);
        let esm_class = reader.byte()?;
        reader.take(2)?;
        reader.text();
        reader.text();
        let (registered_delivery, _, data_coding, _) =
            (reader.byte()?, reader.byte()?, reader.byte()?, reader.byte()?);
        let length = usize::from(reader.byte()?);
        let mut content = reader.take(length)?.to_vec();
        let mut tlvs = Vec::new();
        while let Some((tag, value)) = reader.tlv() {
            if tag == MESSAGE_PAYLOAD {
                content = value.to_vec();
            } else {
                tlvs.push((tag, value.to_vec()));
            }
        }
        Some(Self { source, destination, esm_class, registered_delivery, data_coding, content, tlvs })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        // The default service.
        let mut body = vec![0];
        for party in [&self.source, &self.destination] {
            body.extend([party.kind, party.plan]);
            put(&mut body, &party.address);
        }
        // No protocol, no priority, now, for as long as the centre keeps it.
        body.extend([self.esm_class, 0, 0, 0, 0, self.registered_delivery, 0, self.data_coding, 0]);
        let is_short = self.content.len() <= LONGEST_SHORT;
        let short = if is_short { self.content.as_slice() } else { &[] };
        body.push(u8::try_from(short.len()).unwrap_or(0));
        body.extend(short);
        if !is_short {
            put_tlv(&mut body, MESSAGE_PAYLOAD, &self.content);
        }
        for (tag, value) in &self.tlvs {
            put_tlv(&mut body, *tag, value);
        }
        body
    }

    /// The value of a TLV.
    pub(super) fn tlv(&self, tag: u16) -> Option<&[u8]> {
        self.tlvs.iter().find(|(known, _)| *known == tag).map(|(_, value)| value.as_slice())
    }
}

/// A text without its NULs.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_owned()
}

fn put(body: &mut Vec<u8>, text: &str) {
    body.extend(text.bytes().filter(|byte| *byte != 0));
    body.push(0);
}

fn put_tlv(body: &mut Vec<u8>, tag: u16, value: &[u8]) {
    let Ok(length) = u16::try_from(value.len()) else { return };
    body.extend(tag.to_be_bytes());
    body.extend(length.to_be_bytes());
    body.extend(value);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn word(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// Up to a NUL, or to the end.
    fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0);
        let (bytes, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        text(bytes)
    }

    fn tlv(&mut self) -> Option<(u16, &'a [u8])> {
        let tag = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        Some((tag, self.take(usize::from(length))?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_written_pdu_reads_back(
            address in "[+a-zA-Z0-9]{0,20}", esm_class in any::<u8>(), data_coding in any::<u8>(),
            content in prop::collection::vec(any::<u8>(), 0..600), value in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let party = Party { kind: 1, plan: 1, address };
            let message = ShortMessage {
                source: party.clone(),
                destination: party,
                esm_class,
                registered_delivery: 1,
                data_coding,
                content,
                tlvs: vec![(MESSAGE_STATE, value)],
            };
            prop_assert_eq!(ShortMessage::read(&message.write()), Some(message.clone()));
            let pdu = Pdu { command: DELIVER_SM, status: 0, sequence: 7, body: message.write() };
            prop_assert_eq!(Pdu::read(&pdu.write()), Some(pdu));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            ShortMessage::read(&bytes);
            Pdu::read(&bytes);
        }
    }

    #[test]
    fn an_id_without_its_nul_is_read() {
        let answer = |body: &[u8]| Pdu { command: 0, status: 0, sequence: 1, body: body.to_vec() }.text();
        assert_eq!(
            (answer(b"1A\0"), answer(b"1A"), answer(b"")),
            ("1A".to_owned(), "1A".to_owned(), String::new())
        );
    }
}
