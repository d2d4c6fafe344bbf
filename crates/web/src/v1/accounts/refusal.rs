//! What a change of accounts or a sign-in that was refused answers.

use domain::Timestamp;
use telegram::{LoginError, LoginFailure, RosterError};

use crate::problem::{Code, FieldError, Problem, seconds_until};

/// Why accounts or their sessions stay as they are.
pub(super) fn of_roster(error: RosterError) -> Problem {
    let code = match error {
        RosterError::NoSuchAccount(name) => return Problem::account_not_found(name.as_str()),
        RosterError::Invalid { field, message } => {
            return Problem::fields(vec![FieldError::new(field, message)]);
        }
        RosterError::Store(error) => return error.into(),
        RosterError::NameTaken(_) => Code::AccountExists,
        RosterError::ReadOnly(_) => Code::AccountIsInSettings,
        RosterError::MessagesInProgress { .. } | RosterError::NotClosed(_) => Code::AccountBusy,
        RosterError::SessionInUse(_) | RosterError::UnderImport => Code::SessionInUse,
        RosterError::NoSuchSession => Code::SessionNotFound,
        RosterError::WrongUser { .. } | RosterError::SamePerson { .. } => Code::OtherPerson,
        RosterError::NoAddress(_) | RosterError::TooManySessions(_) => Code::WrongState,
        RosterError::Ending => Code::ShuttingDown,
    };
    Problem::new(code, sentence(&error.to_string()))
}

/// Why a step of a sign-in was not taken.
pub(super) fn of_login(error: LoginError, now: Timestamp) -> Problem {
    let code = match error {
        LoginError::NoSuchAccount(name) => return Problem::account_not_found(name.as_str()),
        LoginError::Roster(error) => return of_roster(error),
        LoginError::Store(error) => return error.into(),
        LoginError::TooSoon(until) => {
            let detail = format!("Telegram wants nothing of it before {until}.");
            return Problem::new(Code::FloodWait, detail).retry_after(seconds_until(until, now));
        }
        LoginError::NoPhone => Code::PhoneNeeded,
        LoginError::InvalidPhone => Code::PhoneInvalid,
        LoginError::NotNow(_) | LoginError::NoOtherDelivery => Code::WrongState,
        LoginError::Unreachable(_) | LoginError::Password(_) => Code::LoginFailed,
        LoginError::Ending => Code::ShuttingDown,
    };
    Problem::new(code, sentence(&error.to_string()))
}

/// The word of a sign-in that came to nothing.
pub(super) const fn code_of(failure: LoginFailure) -> Code {
    match failure {
        LoginFailure::PhoneInvalid => Code::PhoneInvalid,
        LoginFailure::PhoneBanned => Code::PhoneBanned,
        LoginFailure::SignUpRequired => Code::SignUpNeeded,
        LoginFailure::EmailRequired => Code::EmailNeeded,
        LoginFailure::PaymentRequired => Code::PaymentNeeded,
        LoginFailure::CodeExpired => Code::LoginCodeExpired,
        LoginFailure::Flood => Code::FloodWait,
        LoginFailure::ApiIdInvalid => Code::ApiIdInvalid,
        LoginFailure::OtherPerson => Code::OtherPerson,
        LoginFailure::Banned => Code::AccountBanned,
        LoginFailure::TermsDeclined => Code::TermsDeclined,
        LoginFailure::LeftAlone => Code::WrongState,
        LoginFailure::StartOver | LoginFailure::Refused => Code::LoginFailed,
    }
}

/// What a sign-in that came to nothing answers.
pub(super) fn of_failure(
    failure: LoginFailure,
    detail: &str,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Problem {
    let detail = format!("{} {}", sentence(detail), sentence(failure.next()));
    let problem = Problem::new(code_of(failure), detail);
    match until {
        Some(until) => problem.retry_after(seconds_until(until, now)),
        None => problem,
    }
}

/// An error's words as a sentence.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if words.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(sentence("there is no such session"), "There is no such session.");
        assert_eq!(sentence("It ended."), "It ended.");
    }
}
