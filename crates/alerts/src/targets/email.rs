//! Mail: one message for each notice, handed to a mail server.

use std::fmt;
use std::time::{Duration, SystemTime};

use config::{SmtpAddress, SmtpSecurity};
use domain::Timestamp;
use domain::secret::ExposeSecret;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use outbound::Allowed;
use outbound::guard::judge;

use super::DeliveryError;
use crate::notice::Words;

/// The longest wait for one answer of the server.
const STEP: Duration = Duration::from_secs(10);

/// Mailboxes and the server that takes mail for them.
pub(crate) struct Mail {
    smtp: SmtpAddress,
    from: Mailbox,
    to: Vec<Mailbox>,
    allowed: Allowed,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("smtp", &self.smtp).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Mail {
    /// A sender to these mailboxes; an address that cannot be is named by its field.
    pub(crate) fn new(
        smtp: SmtpAddress,
        from: &str,
        to: &[String],
        allowed: &Allowed,
    ) -> Result<Self, (&'static str, String)> {
        let mailbox = |field: &'static str, text: &str| {
            text.parse::<Mailbox>().map_err(|error| (field, format!("is no address of a mailbox: {error}")))
        };
        Ok(Self {
            from: mailbox("from", from)?,
            to: to.iter().map(|to| mailbox("to", to)).collect::<Result<_, _>>()?,
            smtp,
            allowed: allowed.clone(),
        })
    }

    /// The host and the port of the server that takes the mail.
    pub(crate) fn address(&self) -> (String, u16) {
        (self.smtp.host.clone(), self.smtp.port)
    }

    pub(crate) async fn send(&self, words: &Words) -> Result<(), DeliveryError> {
        let message = self.message(words).map_err(DeliveryError::Failed)?;
        let transport = self.transport().await.map_err(DeliveryError::Failed)?;
        match transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(DeliveryError::Failed(format!("{}: {error}", self.smtp))),
        }
    }

    fn message(&self, words: &Words) -> Result<Message, String> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(words.subject.clone())
            .date(system_time(words.at))
            // The same in each attempt, so that mailboxes know a repeat.
            .message_id(Some(format!("<{}@switchboard.invalid>", words.id)))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        message.body(words.text.clone()).map_err(|error| format!("the mail cannot be written: {error}"))
    }

    /// A connection to be: to an address that has passed the guard, under the name that its certificate must have.
    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
        let SmtpAddress { security, host, port, login } = &self.smtp;
        let found = tokio::net::lookup_host((host.as_str(), *port))
            .await
            .map_err(|error| format!("{host} is not found: {error}"))?;
        let mut refused = None;
        let address = found.map(|address| address.ip()).find(|ip| match judge(*ip, &self.allowed) {
            Ok(()) => true,
            Err(error) => {
                refused = Some(error);
                false
            }
        });
        let Some(address) = address else {
            return Err(refused.map_or_else(|| format!("{host} has no address"), |error| error.to_string()));
        };
        let tls = || TlsParameters::new(host.clone()).map_err(|error| format!("no TLS to {host}: {error}"));
        let tls = match security {
            SmtpSecurity::Tls => Tls::Wrapper(tls()?),
            SmtpSecurity::StartTls => Tls::Required(tls()?),
            SmtpSecurity::Plain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.to_string())
            .port(*port)
            .tls(tls)
            .timeout(Some(STEP));
        if let Some((user, password)) = login {
            builder =
                builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(builder.build())
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0))
}
