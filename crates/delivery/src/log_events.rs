//! Each step of a message and of an operation as a log line: what happened, through which account, with what outcome.
//! Never what a message says.
//!
//! A message that is begun as it is accepted and sent at the first attempt has two of them: accepted, and ended.
//!
//! The lines carry the path of this module as their target, so that the writer of logs can distinguish the many lines
//! of each message from the few of the program.

use std::time::Duration;

use domain::message::{MessageState, OutboundMessage};
use domain::outcome::Failure;
use domain::saga::{Failover, SagaEntry, SagaEvent, StepOutcome, TaskKind};
use domain::{ChatRef, MessageId, OperationId, Outcome, Service, Timestamp};

use crate::worker::Route;

/// The word of the service that carries a message, or its channel.
fn service(message: &OutboundMessage) -> &str {
    match &message.chat {
        ChatRef::Channel(chat) => chat.channel.as_str(),
        ChatRef::Id(_) | ChatRef::Username(_) => crate::service(message).map_or("", Service::as_str),
    }
}

/// It is on disk and will be carried; begun already if it is with an account.
pub(crate) fn accepted(message: &OutboundMessage, listener: &str) {
    let OutboundMessage { id, address, pin, send_at, .. } = message;
    let begun_by = message.account.as_ref().filter(|_| message.state == MessageState::Sending);
    tracing::info!(
        subject = %id,
        service = service(message),
        listener,
        account = begun_by.map(tracing::field::display),
        chat_id = address.as_ref().map(tracing::field::display),
        pin = pin.as_ref().map(tracing::field::display),
        send_at = send_at.map(tracing::field::display),
        files = message.content.media.len(),
        "accepted"
    );
}

/// Another caller waits for the same message.
pub(crate) fn joined(id: MessageId, how: &str) {
    tracing::info!(subject = %id, how, "joined by a caller");
}

/// No account may send it yet.
pub(crate) fn waits(message: &OutboundMessage, until: Option<Timestamp>) {
    let until = until.map(tracing::field::display);
    tracing::info!(subject = %message.id, service = service(message), until, "it waits: no account may send it yet");
}

/// Another account than the first choice takes it.
pub(crate) fn moved(message: &OutboundMessage, failover: &Failover) {
    let Failover { from, to, reason, .. } = failover;
    tracing::info!(subject = %message.id, service = service(message), account = %to, %from, reason, "it goes to another account");
}

/// The files of a part are where the provider takes them from.
pub(crate) fn prepared(message: &OutboundMessage, route: &Route, part: usize, took: Duration) {
    let (account, took_ms) = (&route.account, millis(took));
    tracing::info!(subject = %message.id, service = service(message), %account, part, took_ms, "prepared");
}

/// A part of it is given to an account after its acceptance, and the store knows.
pub(crate) fn begun(message: &OutboundMessage, route: &Route, part: usize) {
    let (account, chat_id) = (&route.account, &route.address);
    tracing::info!(subject = %message.id, service = service(message), %account, %chat_id, part, "begun");
}

/// An attempt came back, and did not end the message as sent.
pub(crate) fn attempted(
    message: &OutboundMessage,
    route: &Route,
    part: usize,
    outcome: &Outcome,
    took: Option<Duration>,
) {
    let (id, service, account, word) = (message.id, service(message), &route.account, outcome.word());
    let (took_ms, detail) = (took.map(millis), outcome.detail());
    if let Outcome::Sent(_) = outcome {
        tracing::info!(subject = %id, service, %account, part, outcome = word, detail, took_ms, "attempted");
    } else {
        tracing::warn!(subject = %id, service, %account, part, outcome = word, detail, took_ms, "attempted");
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// It is final; `took` is how long the attempt took that it was sent by.
pub(crate) fn ended(message: &OutboundMessage, took: Option<Duration>) {
    let (id, service, state) = (message.id, service(message), message.state.as_str());
    let account = message.account.as_ref().map(tracing::field::display);
    match (message.state, &message.failure) {
        (MessageState::InDoubt, _) => {
            tracing::error!(subject = %id, service, account, state, "it may have been sent or not; a person must say");
        }
        (MessageState::Failed, Some(failure)) => {
            let (code, detail) = (failure.code(), failure.describe());
            match failure {
                // The caller is asked to come again, or not to: nothing is wrong.
                Failure::FloodWait { .. } | Failure::LimitReached { .. } | Failure::DoNotContact { .. } => {
                    tracing::warn!(subject = %id, service, account, state, code, detail, "ended");
                }
                _ => tracing::error!(subject = %id, service, account, state, code, detail, "ended"),
            }
        }
        _ => {
            let (outcome, took_ms) = (took.map(|_| "sent"), took.map(millis));
            tracing::info!(subject = %id, service, account, state, outcome, took_ms, "ended");
        }
    }
}

/// An operation is on disk and will be carried.
pub(crate) fn task_accepted(id: OperationId, kind: TaskKind, listener: &str) {
    tracing::info!(operation = %id, service = kind.as_str(), listener, "accepted");
}

/// An entry in the history of an operation. Whom a step is about stays there: names and numbers of people are no matter of logs.
pub(crate) fn task_went_on(id: OperationId, kind: Option<TaskKind>, entry: &SagaEntry) {
    let service = kind.map(TaskKind::as_str);
    let account = entry.account.as_ref().map(tracing::field::display);
    let (step, outcome) = (entry.what.as_str(), entry.outcome.map(StepOutcome::as_str));
    match (entry.what, entry.outcome) {
        (SagaEvent::Failed | SagaEvent::InDoubt, _) => {
            tracing::error!(operation = %id, service, account, step, outcome, "it goes on");
        }
        (_, None | Some(StepOutcome::Ok | StepOutcome::Begun)) => {
            tracing::info!(operation = %id, service, account, step, outcome, "it goes on");
        }
        _ => tracing::warn!(operation = %id, service, account, step, outcome, "it goes on"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use ambient::{Chance, Clock, Ids};
    use domain::media::{Media, MediaForm, MediaSource};
    use domain::message::{Content, OnFlood};
    use domain::text::{FormattedText, ParseMode};
    use domain::{ChatId, ChatRef};
    use store::Origin;

    use super::*;
    use crate::Ambient;
    use crate::submission::{Submission, build};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged, line by line.
    fn logged(log: impl FnOnce()) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(lines.0.lock().expect("a lock").clone()).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    fn photo() -> OutboundMessage {
        let clock = Clock::system();
        let ambient = Ambient { ids: Ids::new(clock.clone()), chance: Chance::from_system(), clock };
        let media = Media {
            source: MediaSource::FileId { file_id: "planted-file".to_owned() },
            form: MediaForm::Photo { width: 3, height: 2 },
            name: "planted.jpg".to_owned(),
            mime: "image/jpeg".to_owned(),
        };
        let content = Content {
            text: FormattedText::plain("planted words"),
            parse_mode: ParseMode::None,
            reply_to: None,
            mention: None,
            mention_optional: false,
            written_by: domain::message::Writer::Program,
            silent: false,
            preview: false,
            media: vec![media],
            provider_options: None,
        };
        let submission = Submission {
            chat: ChatRef::Id(ChatId::new(-1_001_234_567_890).expect("an id")),
            content,
            pin: None,
            on_flood: OnFlood::Wait,
            send_at: None,
            needs_approval: false,
            origin: Origin { listener: "v1".to_owned(), api_key: None, address: None },
            idempotency: None,
            join: None,
        };
        build(submission, &crate::capabilities::LARGE, &ambient).expect("a message").message
    }

    #[test]
    fn each_step_is_a_line_without_the_content() {
        let mut message = photo();
        let route = Route {
            account: "main".parse().expect("a name"),
            address: ChatId::new(-1_001_234_567_890).expect("an id").into(),
        };
        let lines = logged(|| {
            accepted(&message, "v1");
            prepared(&message, &route, 0, Duration::from_secs(2));
            begun(&message, &route, 0);
            attempted(
                &message,
                &route,
                0,
                &Outcome::Unavailable("it connects".to_owned()),
                Some(Duration::from_secs(15)),
            );
            message.state = MessageState::Cancelled;
            ended(&message, None);
        });
        let steps = ["accepted", "prepared", "begun", "attempted", "ended"];
        assert_eq!(lines.len(), steps.len(), "{lines:#?}");
        for (line, step) in lines.iter().zip(steps) {
            assert!(line.contains(step) && line.contains(&format!("subject={}", message.id)), "{line}");
            assert!(line.contains("service=\"send_media\"") && !line.contains("planted"), "{line}");
        }
    }
}
