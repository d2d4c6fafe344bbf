//! One mail, handed to its server over a connection of its own.

use std::error::Error as _;
use std::time::Duration;

use ambient::Clock;
use domain::outcome::HoldScope;
use domain::secret::ExposeSecret;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Severity;

use crate::error::{CallError, NO_NUMBER};
use crate::http::{ANSWER, UPLOAD, explained};
use crate::server::{Security, Server};
use crate::wire::Dial;

/// How long an account waits that its server shuts out for a while.
const SHUT_OUT: Duration = Duration::from_mins(5);
/// As much of an answer is said.
const LONGEST_REPLY: usize = 300;

/// Where in the talk a server refuses something: the same number means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The greeting, `EHLO`, `STARTTLS`.
    Greeting,
    /// `AUTH`.
    Login,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Receiver,
    /// `DATA` and what follows it.
    Content,
}

/// Hands a mail over, once.
///
/// # Errors
/// It was refused, or no answer came; only after the last line of the mail is it unclear what was done.
pub(super) async fn deliver(
    dial: &Dial,
    server: &Server,
    (from, to): (&Address, &Address),
    content: &[u8],
) -> Result<(), CallError> {
    let clock = &dial.clock;
    let mut connection = connect(dial, server, from.domain()).await?;
    let is_plain = from.to_string().is_ascii() && to.to_string().is_ascii();
    let parameters = if is_plain {
        Vec::new()
    } else if connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        vec![MailParameter::SmtpUtfEight]
    } else {
        return Err(CallError::NotFound("its server takes only addresses in Latin letters".to_owned()));
    };
    let sender = Mail::new(Some(from.clone()), parameters);
    before(clock, Step::Sender, connection.command(sender)).await?;
    before(clock, Step::Receiver, connection.command(Rcpt::new(to.clone(), Vec::new()))).await?;
    before(clock, Step::Content, connection.command(Data)).await?;
    let answer = clock.timeout(UPLOAD, connection.message(content)).await;
    let answer = answer.map_err(|_| CallError::NoAnswer(UPLOAD))?.map_err(|error| after(&error))?;
    if answer.code().severity != Severity::PositiveCompletion {
        return Err(CallError::Unreadable(format!("{} after the mail", u16::from(answer.code()))));
    }
    // It has the mail whatever becomes of the connection.
    let _ = clock.timeout(Duration::from_secs(2), connection.quit()).await;
    Ok(())
}

/// Signs in and goes away again.
///
/// # Errors
/// As with [`deliver`], before the mail.
pub(super) async fn check(dial: &Dial, server: &Server, from: &Address) -> Result<(), CallError> {
    let mut connection = connect(dial, server, from.domain()).await?;
    let _ = dial.clock.timeout(Duration::from_secs(2), connection.quit()).await;
    Ok(())
}

async fn connect(dial: &Dial, server: &Server, domain: &str) -> Result<AsyncSmtpConnection, CallError> {
    let hello = ClientId::Domain(domain.to_owned());
    let wire = Box::new(dial.open(server).await?);
    let greeting = AsyncSmtpConnection::connect_with_transport(wire, &hello);
    let mut connection = before(&dial.clock, Step::Greeting, greeting).await?;
    if server.security == Security::StartTls {
        let tls = dial.starttls(server)?;
        before(&dial.clock, Step::Greeting, connection.starttls(tls, &hello)).await?;
    }
    if let Some((user, password)) = &server.login {
        let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
        before(&dial.clock, Step::Login, connection.auth(DEFAULT_MECHANISMS, &credentials)).await?;
    }
    Ok(connection)
}

/// A step before the last line of the mail: whatever goes wrong, nothing was sent.
async fn before<T>(
    clock: &Clock,
    step: Step,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, CallError> {
    let done = clock.timeout(ANSWER, work).await;
    let done = done.map_err(|_| CallError::Unreached(format!("no answer within {} s", ANSWER.as_secs())))?;
    done.map_err(|error| match error.status() {
        Some(code) => refusal(step, code.into(), &detail(&error)),
        None => CallError::Unreached(explained(detail(&error))),
    })
}

/// What came after the last line of the mail.
fn after(error: &Error) -> CallError {
    match error.status() {
        Some(code) => refusal(Step::Content, code.into(), &detail(error)),
        None if error.is_response() || error.is_client() => CallError::Unreadable(detail(error)),
        None => CallError::Broken(detail(error)),
    }
}

/// What the server said, in one line.
fn detail(error: &Error) -> String {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).take(LONGEST_REPLY).collect()
}

/// What a refusal means. The enhanced code at the beginning of `detail` (RFC 3463) says more than the number, where there is one.
pub(super) fn refusal(step: Step, code: u16, detail: &str) -> CallError {
    let enhanced =
        detail.split_whitespace().next().filter(|word| word.starts_with(['4', '5'])).unwrap_or_default();
    let about = |prefix: &str| enhanced.get(1..).is_some_and(|rest| rest.starts_with(prefix));
    let why = || format!("{code} {detail}");
    match (step, code) {
        (_, 421) | (Step::Login, 400..=499) => CallError::wait(SHUT_OUT),
        (Step::Receiver | Step::Content, 450 | 451) => {
            CallError::Wait { wait: NO_NUMBER, scope: HoldScope::Chat }
        }
        (_, 400..=499) => CallError::wait(NO_NUMBER),
        (_, 530 | 534 | 535 | 538) | (Step::Login, 500..=599) => CallError::Token(why()),
        (Step::Greeting | Step::Sender, 550 | 553 | 554) => CallError::Account(why()),
        (_, 552) if !about(".2.") => CallError::refused("too_large", why()),
        (Step::Receiver, 550..=559) if about(".2.") || about(".7.") => CallError::Forbidden(why()),
        (Step::Receiver, 550..=559) => CallError::NotFound(why()),
        _ => CallError::refused(code.to_string(), detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_a_mail_server_has_its_meaning() {
        let chat = || CallError::Wait { wait: NO_NUMBER, scope: HoldScope::Chat };
        let why = |text: &str| text.to_owned();
        for (step, code, detail, wanted) in [
            (Step::Receiver, 450, "4.2.0 greylisted", chat()),
            (Step::Receiver, 451, "4.7.1 try again", chat()),
            (Step::Content, 451, "local error", chat()),
            (Step::Sender, 452, "4.3.1 full", CallError::wait(NO_NUMBER)),
            (Step::Sender, 421, "4.7.0 too much", CallError::wait(SHUT_OUT)),
            (Step::Login, 454, "4.7.0 later", CallError::wait(SHUT_OUT)),
            (Step::Login, 535, "5.7.8 wrong", CallError::Token(why("535 5.7.8 wrong"))),
            (Step::Sender, 530, "5.7.0 sign in", CallError::Token(why("530 5.7.0 sign in"))),
            (Step::Sender, 553, "5.7.1 not yours", CallError::Account(why("553 5.7.1 not yours"))),
            (Step::Greeting, 554, "no", CallError::Account(why("554 no"))),
            (Step::Receiver, 550, "5.1.1 unknown", CallError::NotFound(why("550 5.1.1 unknown"))),
            (Step::Receiver, 550, "no such user", CallError::NotFound(why("550 no such user"))),
            (Step::Receiver, 550, "5.7.1 blocked", CallError::Forbidden(why("550 5.7.1 blocked"))),
            (Step::Receiver, 552, "5.2.2 full", CallError::Forbidden(why("552 5.2.2 full"))),
            (Step::Content, 552, "5.3.4 too big", CallError::refused("too_large", "552 5.3.4 too big")),
            (Step::Content, 554, "5.7.1 spam", CallError::refused("554", "5.7.1 spam")),
        ] {
            let meant = refusal(step, code, detail);
            assert_eq!(meant, wanted, "{step:?} {code} {detail}");
            assert!(meant.proves_nothing_done());
        }
    }
}
