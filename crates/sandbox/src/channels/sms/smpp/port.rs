//! The port of the pretend message centre: PDUs in, answers out, on loopback only.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use rusmpp::pdus::{BindReceiverResp, BindTransceiverResp, BindTransmitterResp, SubmitSm, SubmitSmResp};
use rusmpp::tlvs::TlvValue;
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use super::super::super::fake::ChannelEffect;
use super::super::super::request::{Reply, Request};
use super::super::super::{Called, Channels, serve};
use super::super::CHANNEL;
use crate::telegram::Telegram;

/// How often is looked for what is due.
const LOOK: Duration = Duration::from_millis(20);
/// So much is under way to a client at most.
const WINDOW: usize = 5;

/// Serves message centres' clients until the token is cancelled.
pub(crate) async fn serve_smpp(
    listener: TcpListener,
    channels: Arc<Channels>,
    world: Arc<Telegram>,
    stop: CancellationToken,
) {
    serve(listener, stop, move |stream| {
        let (channels, world) = (Arc::clone(&channels), Arc::clone(&world));
        async move {
            let connection = channels.next_call();
            let mut talk = Talk {
                frames: Framed::new(stream, CommandCodec::new()),
                channels,
                world,
                connection,
                sends: false,
                hears: false,
                in_flight: HashSet::new(),
            };
            let ended = talk.talk().await;
            talk.note("gone", 0);
            ended
        }
    })
    .await;
}

/// A connection.
struct Talk {
    frames: Framed<TcpStream, CommandCodec>,
    channels: Arc<Channels>,
    world: Arc<Telegram>,
    connection: u64,
    /// It is bound as a transmitter, a receiver or both.
    sends: bool,
    hears: bool,
    in_flight: HashSet<u32>,
}

impl Talk {
    async fn talk(&mut self) -> io::Result<()> {
        loop {
            let command = tokio::select! {
                command = self.frames.next() => command,
                () = tokio::time::sleep(LOOK) => {
                    self.deliver().await?;
                    continue;
                }
            };
            let Some(command) = command else { return Ok(()) };
            let command = command.map_err(|error| io::Error::other(error.to_string()))?;
            let sequence = command.sequence_number();
            let ok = CommandStatus::EsmeRok;
            match command.pdu() {
                Some(Pdu::BindTransceiver(bind)) => {
                    let status =
                        self.bind(bind.system_id.as_str(), bind.password.as_str(), true, true).await?;
                    self.answer(status, sequence, BindTransceiverResp::new(name(), version(status))).await?;
                }
                Some(Pdu::BindTransmitter(bind)) => {
                    let status =
                        self.bind(bind.system_id.as_str(), bind.password.as_str(), true, false).await?;
                    self.answer(status, sequence, BindTransmitterResp::new(name(), version(status))).await?;
                }
                Some(Pdu::BindReceiver(bind)) => {
                    let status =
                        self.bind(bind.system_id.as_str(), bind.password.as_str(), false, true).await?;
                    self.answer(status, sequence, BindReceiverResp::new(name(), version(status))).await?;
                }
                Some(Pdu::SubmitSm(_)) if !self.sends => {
                    self.answer(CommandStatus::EsmeRinvbndsts, sequence, SubmitSmResp::default()).await?;
                }
                Some(Pdu::SubmitSm(message)) => {
                    let Some(reply) = self.call(submission(message)).await? else { continue };
                    let status = status(&reply);
                    let id = String::from_utf8_lossy(&reply.body).parse().unwrap_or_default();
                    let id: COctetString<1, 65> = if status == ok && reply.content_type != "text/html" {
                        id
                    } else {
                        COctetString::empty()
                    };
                    self.answer(status, sequence, SubmitSmResp::new(id, Vec::new())).await?;
                }
                Some(Pdu::EnquireLink) => self.answer(ok, sequence, Pdu::EnquireLinkResp).await?,
                Some(Pdu::Unbind) => {
                    self.answer(ok, sequence, Pdu::UnbindResp).await?;
                    return Ok(());
                }
                // A refusal has no body.
                _ if command.id() == CommandId::DeliverSmResp => {
                    self.answered(sequence, command.status() == ok);
                }
                Some(Pdu::EnquireLinkResp | Pdu::GenericNack) => {}
                _ => self.answer(CommandStatus::EsmeRinvcmdid, sequence, Pdu::GenericNack).await?,
            }
        }
    }

    async fn answer(&mut self, status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) -> io::Result<()> {
        let sent = self.frames.send(Command::new(status, sequence, pdu)).await;
        sent.map_err(|error| io::Error::other(error.to_string()))
    }

    async fn bind(
        &mut self,
        system_id: &str,
        password: &str,
        sends: bool,
        hears: bool,
    ) -> io::Result<CommandStatus> {
        if self.sends || self.hears {
            return Ok(CommandStatus::EsmeRalybnd);
        }
        let headers = [("system_id", system_id), ("password", password)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = Request { headers, ..step("bind") };
        let Some(reply) = self.call(request).await? else { return std::future::pending().await };
        let status = status(&reply);
        if status == CommandStatus::EsmeRok {
            (self.sends, self.hears) = (sends, hears);
        }
        Ok(status)
    }

    /// A call of the fake; none where it is not answered. An error is the end of the connection.
    async fn call(&self, request: Request) -> io::Result<Option<Reply>> {
        let record = |effect: ChannelEffect| self.world.record_outside(effect);
        match self.channels.call(CHANNEL, &request, &record).await {
            Some(Called::Answer(reply)) => Ok(Some(reply)),
            Some(Called::Silence) => Ok(None),
            Some(Called::Cut) | None => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// Notifies the fake of something that no fault strikes.
    fn note(&self, what: &str, number: u32) -> Reply {
        let headers = [("connection", self.connection.to_string()), ("number", number.to_string())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let request = Request { headers, ..step(what) };
        self.channels.answer(CHANNEL, &request, &|_: ChannelEffect| {}).unwrap_or_default()
    }

    fn answered(&mut self, number: u32, is_taken: bool) {
        if self.in_flight.remove(&number) {
            self.note(if is_taken { "taken" } else { "refused" }, number);
        }
    }

    async fn deliver(&mut self) -> io::Result<()> {
        while self.hears && self.in_flight.len() < WINDOW {
            let pdu = self.note("next", 0).body;
            // Its number comes after the length, the command and the status.
            let Some(number) = pdu.get(12..16).and_then(|word| word.try_into().ok()) else { break };
            self.in_flight.insert(u32::from_be_bytes(number));
            self.frames.get_mut().write_all(&pdu).await?;
        }
        Ok(())
    }
}

fn name() -> COctetString<1, 16> {
    "pretend-smsc".parse().unwrap_or_default()
}

fn version(status: CommandStatus) -> Option<InterfaceVersion> {
    (status == CommandStatus::EsmeRok).then_some(InterfaceVersion::Smpp3_4)
}

fn step(what: &str) -> Request {
    Request { method: "SMPP".to_owned(), path: format!("/smpp/{what}"), ..Request::default() }
}

/// The status of a reply, faults included.
fn status(reply: &Reply) -> CommandStatus {
    match reply.status {
        // A page for people comes with it.
        200 => CommandStatus::EsmeRok,
        429 => CommandStatus::EsmeRthrottled,
        500.. => CommandStatus::EsmeRsyserr,
        status => CommandStatus::from(u32::from(status)),
    }
}

fn submission(message: &SubmitSm) -> Request {
    let payload = message.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.to_vec()),
        _ => None,
    });
    let headers = [
        ("source_addr", message.source_addr.to_string()),
        ("destination_addr", message.destination_addr.to_string()),
        ("esm_class", u8::from(message.esm_class).to_string()),
        ("data_coding", u8::from(message.data_coding).to_string()),
        ("is_payload", payload.as_ref().map(|_| "yes".to_owned()).unwrap_or_default()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let body = payload.unwrap_or_else(|| message.short_message().to_vec());
    Request { headers, body, ..step("submit_sm") }
}
