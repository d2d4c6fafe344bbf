//! A short message service centre over SMPP 3.4: one connection, bound both ways.
//!
//! A centre takes the same message twice, and what it took cannot be looked up: a submission without an answer stays in doubt. What it
//! delivers is answered once it is on disk, which the next poll shows: it brings the cursor that was kept with it.

mod alphabet;
mod incoming;
mod pdu;
mod session;

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ambient::lock::Mutex;
use config::ReceiveBy;
use delivery::{Capabilities, Dedup};
use domain::secret::ExposeSecret;
use domain::{InboundChange, InboundEvent, InboundMedia, InboundReceipt, MessageState, Outcome};
use futures::future::{BoxFuture, FutureExt, ready};

use self::alphabet::Long;
use self::incoming::{Gathering, Ids};
use self::pdu::{Party, ShortMessage};
use self::session::{Centre, Session};
use crate::error::CallError;
use crate::http::NoClient;
use crate::provider::{
    Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, LONGEST_POLL, Outgoing, Pacing, Polled,
    Provider,
};
use crate::server::Server;
use crate::setup::{Setup, SetupError};
use crate::stored_values::StoredValues;
use crate::wire::Dial;

/// What has no answer yet, among the kept values.
const GATHERING: &str = "smpp_gathering";
/// `system_id`, `password` and `system_type` have at most these numbers of bytes (4.1.1).
const LONGEST: [(&str, usize); 3] = [("the system id", 15), ("the password", 8), ("`system_type`", 12)];
/// How many messages a text is that leaves in parts.
pub(super) fn segments(text: &str) -> usize {
    alphabet::write(text, Long::Parts).parts.len()
}

/// The messages whose parts are remembered.
const MOST_PARTED: usize = 1_000;
/// How often one part of a message is submitted again while the centre wants to wait.
const MOST_WAITS: u32 = 5;
const OPTIONS: &str = "has an option that is none of system_type=…, long=parts|payload and ids=same|hex_in_answers|hex_in_receipts";

pub(super) struct Smpp {
    centre: Arc<Centre>,
    session: OnceLock<Session>,
    source: Party,
    long: Long,
    ids: Ids,
    stored: StoredValues,
    gathering: Mutex<Gathering>,
    /// What the last poll brought.
    brought: Mutex<Option<Brought>>,
    /// The ids of all parts but the last, with that of the last, which is the message's.
    parted: Mutex<VecDeque<(String, String)>>,
}

/// What a poll brought and the centre has no answer for.
#[derive(Debug, Clone)]
struct Brought {
    cursor: String,
    bound: u64,
    count: usize,
    keys: Vec<String>,
}

impl Smpp {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        let fields = &setup.fields;
        let wrong = |message: String| SetupError::Field { field: "smpp", message };
        let address = setup.needed("smpp", &fields.smpp)?;
        let (server, options) =
            Server::smpp(address.expose_secret()).map_err(|message| wrong(message.to_owned()))?;
        let (mut system_type, mut long, mut ids) = (String::new(), Long::Parts, Ids::Same);
        for (name, value) in form_urlencoded::parse(options.as_bytes()) {
            match (&*name, &*value) {
                ("system_type", _) => system_type = value.into_owned(),
                ("long", "parts") => long = Long::Parts,
                ("long", "payload") => long = Long::Payload,
                ("ids", "same") => ids = Ids::Same,
                ("ids", "hex_in_answers") => ids = Ids::HexInAnswers,
                ("ids", "hex_in_receipts") => ids = Ids::HexInReceipts,
                _ => return Err(wrong(OPTIONS.to_owned())),
            }
        }
        let (user, password) = server
            .login
            .as_ref()
            .map_or(("", ""), |(user, password)| (user.as_str(), password.expose_secret()));
        for ((what, longest), text) in LONGEST.into_iter().zip([user, password, &system_type]) {
            if text.len() > longest || !text.is_ascii() {
                return Err(wrong(format!(
                    "has more than SMPP takes: {what} has at most {longest} letters of ASCII"
                )));
            }
        }
        let source = party(&setup.needed("sender", &fields.sender)?);
        let source = source.ok_or_else(|| SetupError::Field {
            field: "sender",
            message: "must be a number of at most 20 digits or a name of at most 11 letters of ASCII"
                .to_owned(),
        })?;
        let ca = fields.ca_file.as_ref().map(std::fs::read).transpose();
        let ca = ca.map_err(|error| NoClient::Certificate(error.to_string()))?;
        let dial = Dial::new(setup.clock.clone(), fields, ca, &[&server])?;
        let hears = matches!(fields.receive, ReceiveBy::Auto | ReceiveBy::Poll);
        let gathering = setup.kept.text(GATHERING).map(|text| Gathering::read(&text)).unwrap_or_default();
        Ok(Self {
            centre: Arc::new(Centre { dial, server, system_type, hears }),
            session: OnceLock::new(),
            source,
            long,
            ids,
            stored: setup.kept.clone(),
            gathering: Mutex::new(gathering),
            brought: Mutex::new(None),
            parted: Mutex::default(),
        })
    }

    fn session(&self) -> &Session {
        self.session.get_or_init(|| Session::start(&self.centre))
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<String, CallError> {
        let address = super::digits(&outgoing.chat)?.to_owned();
        let written = alphabet::write(&outgoing.text.text, self.long);
        let total = u8::try_from(written.parts.len())
            .map_err(|_| CallError::refused("too_long", "it has more than 255 parts"))?;
        let mut ids: Vec<String> = Vec::new();
        for (number, part) in (1_u8..).zip(&written.parts) {
            let mut message = ShortMessage {
                source: self.source.clone(),
                destination: Party { kind: 1, plan: 1, address: address.clone() },
                registered_delivery: 1,
                data_coding: written.data_coding,
                content: part.clone(),
                ..ShortMessage::default()
            };
            if total > 1 {
                let [.., reference] = outgoing.key.to_be_bytes();
                message.esm_class = pdu::HAS_HEADER;
                message.content = [&[5, 0, 3, reference, total, number], part.as_slice()].concat();
            }
            match self.submit(&message, number > 1).await {
                Ok(id) => ids.push(self.ids.of_answer(&id)),
                Err(error) if number == 1 => return Err(error),
                Err(error) => {
                    let detail = format!("{} of {total} parts were taken, then: {error}", number - 1);
                    return Err(CallError::Server(detail));
                }
            }
        }
        let last = ids.pop().unwrap_or_default();
        let mut parted = self.parted.lock();
        parted.extend(ids.into_iter().map(|id| (id, last.clone())));
        while parted.len() > MOST_PARTED {
            parted.pop_front();
        }
        Ok(last)
    }

    /// Submits a message; one that is `begun` waits itself where the centre wants that.
    async fn submit(&self, message: &ShortMessage, begun: bool) -> Result<String, CallError> {
        let mut waits = 0;
        loop {
            let answer = self.session().ask(pdu::SUBMIT_SM, message.write()).await?;
            match session::refusal(answer.status) {
                None if answer.text().is_empty() => {
                    return Err(CallError::Unreadable("an answer without the id of the message".to_owned()));
                }
                None => return Ok(answer.text()),
                Some(CallError::Wait { .. }) if begun && waits < MOST_WAITS => {
                    waits += 1;
                    self.centre.dial.clock.sleep(Duration::from_secs(1)).await;
                }
                Some(error) => return Err(error),
            }
        }
    }

    async fn polled(&self, cursor: Option<&str>) -> Result<Polled, CallError> {
        let clock = &self.centre.dial.clock;
        let brought = self.brought.lock().take();
        if let Some(brought) = brought.filter(|brought| Some(brought.cursor.as_str()) == cursor) {
            // What the centre may not have an answer for is delivered again, and known again.
            let is_answered = self.session().answer(brought.bound, brought.count).await;
            if is_answered && !brought.keys.is_empty() {
                self.gathering.lock().forget(&brought.keys);
                if let Err(error) = self.keep().await {
                    // The same text, were it written again within minutes and after a restart, would be taken for this one.
                    tracing::warn!(%error, "an answer to a message centre is not kept");
                }
            }
        }
        let late = self.gathering.lock().next_late().map(|at| at.since(clock.now()));
        let waiting = self.session().incoming(late.unwrap_or(LONGEST_POLL).min(LONGEST_POLL)).await?;
        let now = clock.now();
        let (receipts, messages): (Vec<_>, Vec<_>) =
            waiting.messages.iter().cloned().partition(incoming::is_receipt);
        let mut events: Vec<InboundEvent> =
            receipts.iter().map(|message| self.receipt(message, now)).collect();
        let (keys, brought) = {
            let mut gathering = self.gathering.lock();
            let keys = gathering.take(&messages, now);
            let brought = gathering.events(&keys);
            (keys, brought)
        };
        events.extend(brought);
        if !messages.is_empty() {
            self.keep().await?;
        }
        let count = waiting.messages.len();
        if count == 0 && keys.is_empty() {
            return Ok(Polled { events, cursor: cursor.map(str::to_owned), more: true });
        }
        let cursor = format!("{}.{}", now.as_micros(), waiting.bound);
        *self.brought.lock() = Some(Brought { cursor: cursor.clone(), bound: waiting.bound, count, keys });
        Ok(Polled { events, cursor: Some(cursor), more: true })
    }

    /// Keeps what has no answer yet.
    async fn keep(&self) -> Result<(), CallError> {
        let text = self.gathering.lock().write();
        let kept = self.stored.put(vec![(GATHERING, text.into())]).await;
        kept.map_err(|error| CallError::Unreached(format!("what came in cannot be kept: {error}")))
    }

    fn receipt(&self, message: &ShortMessage, now: domain::Timestamp) -> InboundEvent {
        let Some(receipt) = incoming::receipt(message, self.ids) else {
            return InboundEvent::notice("a receipt that cannot be read");
        };
        let Some(state) = receipt.state else {
            return InboundEvent::notice("a receipt of a message on its way");
        };
        let mut parted = self.parted.lock();
        let place = parted.iter().position(|(part, _)| *part == receipt.id);
        // A message is delivered once its last part is; it is not once any part is not.
        let id = match place.and_then(|place| parted.remove(place)) {
            Some((_, whole)) if matches!(state, InboundReceipt::Failed(_)) => whole,
            Some(_) => return InboundEvent::notice("a receipt of a part"),
            None => receipt.id,
        };
        let word = if state == InboundReceipt::Delivered { "delivered" } else { "failed" };
        let change = InboundChange::Receipt { external_id: id.clone(), receipt: state, at: now };
        InboundEvent { key: format!("{word}:{id}"), change }
    }
}

/// What messages come from: a number, a short one, or a name.
fn party(sender: &str) -> Option<Party> {
    let digits = sender.trim_start_matches('+');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (kind, plan, longest) = match digits.len() {
        _ if !is_number => (5, 0, 11),
        // A short number is one of the network's own.
        0..7 if sender == digits => (0, 0, 20),
        _ => (1, 1, 20),
    };
    let address = if is_number { digits } else { sender };
    let fits = address.len() <= longest && address.is_ascii();
    fits.then(|| Party { kind, plan, address: address.to_owned() })
}

impl Provider for Smpp {
    fn capabilities(&self) -> Capabilities {
        super::texts(Dedup::None, &[MessageState::Delivered])
    }

    fn receives(&self) -> &'static [Incoming] {
        &[Incoming::Poll, Incoming::Text, Incoming::Undelivered]
    }

    fn first_chat(&self, who: &str) -> Result<crate::FirstChat, crate::NoFirstChat> {
        crate::FirstChat::of_number(who, ("+", ""))
    }

    fn pacing(&self) -> Pacing {
        super::pacing()
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async { super::outcome(self.deliver(outgoing).await, self.centre.dial.clock.now()) }.boxed()
    }

    fn hook(&self, _: &HookPost) -> Result<Hook, HookRefusal> {
        Err(HookRefusal::Unreadable(
            "a message centre posts nothing, it delivers over its connection".to_owned(),
        ))
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> Option<BoxFuture<'a, Result<Polled, CallError>>> {
        self.centre.hears.then(|| self.polled(cursor).boxed())
    }

    fn fetch<'a>(&'a self, _: &'a InboundMedia, _: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        ready(Err(CallError::NotFound("short messages have no files".to_owned()))).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async {
            let answer = self.session().ask(pdu::ENQUIRE_LINK, Vec::new()).await?;
            let user = self.centre.server.login.as_ref().map(|(user, _)| user.clone()).unwrap_or_default();
            match session::refusal(answer.status) {
                Some(error) => Err(error),
                None => Ok(Identity { id: user, name: self.session().name(), ..Identity::default() }),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_a_number_or_a_name() {
        for (sender, wanted) in [
            ("+70000000001", Some((1, 1, "70000000001"))),
            ("70000000001", Some((1, 1, "70000000001"))),
            ("1234", Some((0, 0, "1234"))),
            ("DEMO", Some((5, 0, "DEMO"))),
            ("A name too long", None),
            ("Имя", None),
        ] {
            let found = party(sender);
            assert_eq!(found.as_ref().map(|it| (it.kind, it.plan, it.address.as_str())), wanted, "{sender}");
        }
    }
}
