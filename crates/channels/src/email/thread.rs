//! Threads: what a chat of this channel is, and what is needed to answer in it.
//!
//! A chat is `address#root`: the customer's address and the Message-ID of the mail that began the thread, without its brackets;
//! where both are too long together, a hash stands for the root. The address alone is what a mail goes to that begins a
//! thread; answers to such mails stay in that chat.

use std::collections::VecDeque;

use domain::{ExternalChat, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most threads that are known at a time; the one that was quiet for longest goes first.
const MOST: usize = 500;
/// The most ids of mails that are remembered.
const MOST_IDS: usize = 500;
/// The most ids of earlier mails that an answer names.
const MOST_REFERENCES: usize = 11;
/// The longest id that is kept as it is.
const LONGEST_ID: usize = 250;
/// A mail that names no other belongs to the thread of the same subject that was alive within this time.
const SAME_SUBJECT: i64 = 30 * 24 * 60 * 60;

/// The customer's address and the thread, as a chat names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChatParts<'a> {
    pub(super) address: &'a str,
    /// None where the next mail begins a thread.
    pub(super) root: Option<&'a str>,
}

impl<'a> ChatParts<'a> {
    pub(super) fn of(chat: &'a ExternalChat) -> Self {
        Self::read(chat.as_str())
    }

    fn read(text: &'a str) -> Self {
        // The part before the @ may have a # of its own.
        let domain = text.find('@').unwrap_or(0);
        match text[domain..].find('#') {
            Some(place) => Self { address: &text[..domain + place], root: Some(&text[domain + place + 1..]) },
            None => Self { address: text, root: None },
        }
    }
}

/// The chat of an address and a thread.
fn chat(address: &str, root: Option<&str>) -> Option<ExternalChat> {
    let Some(root) = root else { return ExternalChat::new(address) };
    ExternalChat::new(&format!("{address}#{root}"))
        .or_else(|| ExternalChat::new(&format!("{address}#{}", short_hash(root))))
}

/// The chat of a mail alone whose sender has no address that can be answered.
pub(super) fn chat_without_address(id: &str) -> Option<ExternalChat> {
    chat("no-address", Some(&short_hash(id)))
}

fn short_hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))[..24].to_owned()
}

/// An id of a mail without its brackets. A hash stands for one that is too long or has signs that no id has.
pub(super) fn bare(id: &str) -> String {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let is_sound = !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|one| one.is_ascii_graphic());
    if is_sound { id.to_owned() } else { short_hash(id) }
}

/// The ids of the mails that this program sends.
#[derive(Debug, Clone)]
pub(super) struct OwnIds {
    /// What follows the @.
    pub(super) domain: String,
}

/// The thread that an id of ours was sent into.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SentInto {
    /// A new one, to an address alone.
    New,
    /// One that a customer began, by the hash of its root.
    Thread(String),
}

impl OwnIds {
    /// The id of a mail: the same in every attempt.
    pub(super) fn make(&self, key: i64, chat: &ExternalChat) -> String {
        let thread = ChatParts::of(chat).root.map_or_else(|| "0".to_owned(), short_hash);
        format!("{:016x}.{thread}@{}", key.cast_unsigned(), self.domain)
    }

    /// Whether this program made the id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.read(id).is_some()
    }

    fn read(&self, id: &str) -> Option<SentInto> {
        let (local, domain) = id.rsplit_once('@')?;
        let (key, thread) = local.split_once('.')?;
        let is_hex = |text: &str| text.bytes().all(|one| one.is_ascii_digit() || matches!(one, b'a'..=b'f'));
        if !domain.eq_ignore_ascii_case(&self.domain) || key.len() != 16 || !is_hex(key) {
            return None;
        }
        match thread {
            "0" => Some(SentInto::New),
            hash if hash.len() == 24 && is_hex(hash) => Some(SentInto::Thread(hash.to_owned())),
            _ => None,
        }
    }
}

/// What is known of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Thread {
    chat: String,
    /// As the last mail wrote it.
    pub(super) subject: String,
    /// The id of the last mail that came in.
    pub(super) last: String,
    /// The ids of the mails before it.
    pub(super) references: Vec<String>,
    /// When that was, in seconds since 1970.
    at: i64,
    /// Whether a mail of it had an authenticated sender. No other mail belongs to it from then on.
    #[serde(default)]
    is_proved: bool,
    /// Whether the owner answered in it with another mail program.
    #[serde(default)]
    pub(super) is_answered: bool,
}

/// The threads of an account, the one that was quiet for longest first, and the ids of its last mails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Threads(Vec<Thread>, #[serde(skip)] SeenIds);

/// The ids of the last mails of others, each with a hash of what distinguishes its mail from another one with the same id.
pub(super) type SeenIds = VecDeque<(String, String)>;

/// A mail, as far as it says to which thread it belongs.
#[derive(Debug, Clone)]
pub(super) struct Belonging<'a> {
    /// The customer's address in small letters.
    pub(super) address: &'a str,
    /// Its own id.
    pub(super) id: &'a str,
    /// The ids of `References`, then of `In-Reply-To`.
    pub(super) earlier: &'a [String],
    /// The subject without what answers put before it.
    pub(super) topic: &'a str,
    pub(super) at: Timestamp,
    /// Whether its sender is authenticated.
    pub(super) is_proved: bool,
}

impl Threads {
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same, with the ids of the last mails as they were kept.
    pub(super) fn with_ids(self, ids: &str) -> Self {
        Self(self.0, serde_json::from_str(ids).unwrap_or_default())
    }

    /// The ids of the last mails as they are kept.
    pub(super) fn write_ids(&self) -> String {
        serde_json::to_string(&self.1).unwrap_or_default()
    }

    /// The id of a mail, which is another one where another mail had it first. Copies of one mail have the same writer and the same date.
    pub(super) fn unique_id(&mut self, id: &str, from: Option<&str>, written_at: &[u8]) -> String {
        let print = short_hash(&format!("{from:?}\n{}", short_hash(&String::from_utf8_lossy(written_at))));
        let is_same = |(known, _): &&(String, String)| known == id;
        match self.1.iter().find(is_same) {
            Some((_, first)) if *first == print => id.to_owned(),
            Some(_) => bare(&format!("{id}.{print}")),
            None => {
                self.1.push_back((id.to_owned(), print));
                let surplus = self.1.len().saturating_sub(MOST_IDS);
                self.1.drain(..surplus);
                id.to_owned()
            }
        }
    }

    /// What is known of a chat.
    pub(super) fn of(&self, chat: &ExternalChat) -> Option<&Thread> {
        self.0.iter().rev().find(|thread| thread.chat == chat.as_str())
    }

    /// The chat of a mail. One whose sender is not proved begins a chat of its own beside a thread whose sender is.
    pub(super) fn chat_of(&self, mail: &Belonging<'_>, own: &OwnIds) -> Option<ExternalChat> {
        let found = self.named_chat_of(mail, own)?;
        let is_of_others =
            |chat: &ExternalChat| !mail.is_proved && self.of(chat).is_some_and(|thread| thread.is_proved);
        let alone = [mail.id.to_owned(), short_hash(&format!("not proved {}", mail.id))];
        let alone = alone.iter().filter_map(|root| chat(mail.address, Some(root)));
        std::iter::once(found).chain(alone).find(|chat| !is_of_others(chat))
    }

    /// That of an earlier mail which it names, else that of its customer's last mail of the same subject, else
    /// a new one.
    fn named_chat_of(&self, mail: &Belonging<'_>, own: &OwnIds) -> Option<ExternalChat> {
        let of_customer = || {
            let may_be = |thread: &&Thread| mail.is_proved || !thread.is_proved;
            self.0.iter().rev().filter(|thread| thread.parts().address == mail.address).filter(may_be)
        };
        let names = |id: &str| mail.earlier.iter().any(|earlier| earlier == id);
        let is_named = |thread: &&Thread| {
            names(&thread.last)
                || thread.parts().root.is_some_and(names)
                || thread.references.iter().any(|id| names(id))
        };
        if let Some(known) = of_customer().find(is_named) {
            return ExternalChat::new(&known.chat);
        }
        // The mail itself may be one of ours that comes back.
        for id in [mail.id].into_iter().chain(mail.earlier.iter().map(String::as_str)) {
            match own.read(id) {
                Some(SentInto::New) => return chat(mail.address, None),
                Some(SentInto::Thread(hash)) => {
                    let is_it =
                        |thread: &&Thread| thread.parts().root.is_some_and(|root| short_hash(root) == hash);
                    if let Some(known) = self.0.iter().rev().find(is_it) {
                        return chat(mail.address, known.parts().root);
                    }
                }
                None => {}
            }
        }
        if let Some(first) = mail.earlier.first() {
            return chat(mail.address, Some(first));
        }
        let oldest = mail.at.as_seconds() - SAME_SUBJECT;
        let same = |thread: &&Thread| {
            thread.at >= oldest
                && !mail.topic.is_empty()
                && topic(&thread.subject).eq_ignore_ascii_case(mail.topic)
        };
        match of_customer().find(same) {
            Some(known) => ExternalChat::new(&known.chat),
            None => chat(mail.address, Some(mail.id)),
        }
    }

    /// Notes that the owner answered in a chat.
    pub(super) fn answered(&mut self, chat: &ExternalChat) {
        if let Some(thread) = self.0.iter_mut().rev().find(|thread| thread.chat == chat.as_str()) {
            thread.is_answered = true;
        }
    }

    /// Takes in a customer's mail.
    pub(super) fn learn(&mut self, chat: &ExternalChat, subject: &str, mail: &Belonging<'_>) {
        let at = mail.at.as_seconds();
        if self.of(chat).is_some_and(|known| known.at > at) {
            return;
        }
        let was_proved = self.of(chat).is_some_and(|known| known.is_proved);
        let is_answered = self.of(chat).is_some_and(|known| known.is_answered);
        self.0.retain(|thread| thread.chat != chat.as_str());
        let mut references: Vec<String> = Vec::new();
        for id in mail.earlier {
            if !references.contains(id) && id != mail.id {
                references.push(id.clone());
            }
        }
        self.0.push(Thread {
            chat: chat.as_str().to_owned(),
            subject: one_line(subject, 200),
            last: mail.id.to_owned(),
            references: shortened(references),
            at,
            is_proved: mail.is_proved || was_proved,
            is_answered,
        });
        let too_many = self.0.len().saturating_sub(MOST);
        self.0.drain(..too_many);
    }
}

impl Thread {
    fn parts(&self) -> ChatParts<'_> {
        ChatParts::read(&self.chat)
    }

    /// The ids that an answer names, the first of the thread first.
    pub(super) fn chain(&self) -> Vec<String> {
        shortened(self.references.iter().chain([&self.last]).cloned().collect())
    }
}

/// The first one and the last ones.
fn shortened(mut ids: Vec<String>) -> Vec<String> {
    let too_many = ids.len().saturating_sub(MOST_REFERENCES);
    if too_many > 0 {
        ids.drain(1..=too_many);
    }
    ids
}

/// A subject without what answers put before it.
pub(super) fn topic(subject: &str) -> &str {
    mail_parser::parsers::fields::thread::thread_name(subject).trim()
}

/// The subject of an answer.
pub(super) fn answered(subject: &str) -> String {
    let is_answer = subject.trim_start().get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    if is_answer { subject.trim().to_owned() } else { format!("Re: {}", subject.trim()) }
}

/// A text as one line without control characters, at most `most` characters long: no header can be put into it.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).take(most).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1_000_000;

    fn own() -> OwnIds {
        OwnIds { domain: "example.com".to_owned() }
    }

    fn mail<'a>(address: &'a str, id: &'a str, earlier: &'a [String], topic: &'a str) -> Belonging<'a> {
        Belonging { address, id, earlier, topic, at: Timestamp::from_micros(100 * DAY), is_proved: false }
    }

    #[test]
    fn a_mail_goes_to_the_thread_that_it_names() {
        let (own, mut threads) = (own(), Threads::default());
        let new = mail("anna@example.org", "first@example.org", &[], "Price");
        let chat = threads.chat_of(&new, &own).unwrap();
        assert_eq!(chat.as_str(), "anna@example.org#first@example.org");
        threads.learn(&chat, "Price", &new);
        let sent = [own.make(7, &chat)];
        let first = ["first@example.org".to_owned()];
        let chat_of = |mail| threads.chat_of(&mail, &own).unwrap().to_string();
        // Only In-Reply-To, with our id, which has the thread in it.
        assert_eq!(chat_of(mail("anna@example.org", "2@x", &sent, "")), chat.as_str());
        // A colleague answers in the same thread: the answer goes to the colleague.
        assert_eq!(
            chat_of(mail("boris@example.org", "3@x", &sent, "")),
            "boris@example.org#first@example.org"
        );
        assert_eq!(chat_of(mail("anna@example.org", "4@x", &first, "")), chat.as_str());
        // Nothing is named, but the subject is the same.
        assert_eq!(chat_of(mail("anna@example.org", "5@x", &[], "price")), chat.as_str());
        assert_eq!(chat_of(mail("boris@example.org", "6@x", &[], "Price")), "boris@example.org#6@x");
        let late = Belonging {
            at: Timestamp::from_micros(131 * DAY),
            ..mail("anna@example.org", "7@x", &[], "Price")
        };
        assert_eq!(chat_of(late), "anna@example.org#7@x");
        // A mail to an address alone is answered into that chat.
        let alone = [own.make(8, &ExternalChat::new("anna@example.org").unwrap())];
        assert_eq!(chat_of(mail("anna@example.org", "8@x", &alone, "")), "anna@example.org");
        assert_eq!(Threads::read(&threads.write()), threads);
    }

    #[test]
    fn a_mail_that_is_not_proved_joins_no_thread_that_is() {
        let (own, mut threads) = (own(), Threads::default());
        let proved =
            |id, earlier| Belonging { is_proved: true, ..mail("anna@example.org", id, earlier, "Price") };
        let chat = threads.chat_of(&proved("first@x", &[]), &own).unwrap();
        threads.learn(&chat, "Price", &proved("first@x", &[]));
        let (first, sent) = (["first@x".to_owned()], [own.make(7, &chat)]);
        assert_eq!(threads.chat_of(&proved("2@x", &first), &own), Some(chat.clone()));
        for earlier in [&[][..], &first[..], &sent[..]] {
            for id in ["3@x", "first@x"] {
                let forged = mail("anna@example.org", id, earlier, "Price");
                let other = threads.chat_of(&forged, &own).unwrap();
                assert_ne!(other, chat, "{id} {earlier:?}");
                assert_eq!(ChatParts::of(&other).address, "anna@example.org");
            }
        }
        // A thread of its own goes on as any other.
        let own_chat = threads.chat_of(&mail("anna@example.org", "3@x", &[], "Price"), &own).unwrap();
        threads.learn(&own_chat, "Price", &mail("anna@example.org", "3@x", &[], "Price"));
        assert_eq!(threads.chat_of(&mail("anna@example.org", "4@x", &[], "Price"), &own), Some(own_chat));
    }

    #[test]
    fn a_chat_that_is_too_long_has_a_hash_for_its_root() {
        let long = format!("{}@example.org", "x".repeat(240));
        let chat = chat("anna@example.org", Some(&long)).unwrap();
        assert_eq!(ChatParts::of(&chat).root.map(str::len), Some(24));
        let odd = ExternalChat::new("a#b@example.org#root@x").unwrap();
        assert_eq!(ChatParts::of(&odd), ChatParts { address: "a#b@example.org", root: Some("root@x") });
        assert_eq!(bare(" <a@b> "), "a@b");
        assert_eq!(bare("a\r\nb").len(), 24);
    }

    #[test]
    fn threads_and_references_have_bounds() {
        let (own, mut threads) = (own(), Threads::default());
        let earlier: Vec<String> = (0..50).map(|number| format!("{number}@x")).collect();
        for number in 0..MOST + 10 {
            let address = format!("{number}@example.org");
            let mail = mail(&address, "id@x", &earlier, "");
            threads.learn(&threads.chat_of(&mail, &own).unwrap(), "", &mail);
        }
        assert_eq!(threads.0.len(), MOST);
        let chain = threads.0[0].chain();
        assert_eq!((chain.len(), chain[0].as_str(), chain[10].as_str()), (MOST_REFERENCES, "0@x", "id@x"));
    }

    #[test]
    fn an_answer_says_re_once_and_in_one_line() {
        assert_eq!(answered("Price"), "Re: Price");
        assert_eq!(answered("RE: Price"), "RE: Price");
        assert_eq!(one_line("Price\r\nBcc: all@example.com", 80), "Price Bcc: all@example.com");
    }
}
