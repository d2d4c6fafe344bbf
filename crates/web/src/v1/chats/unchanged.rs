//! What something in a chat that was not changed answers. Pure.

use api::each;
use domain::Timestamp;
use telegram::ChangeError;

use crate::problem::{Code, Problem, seconds_until};

pub(super) fn problem(error: ChangeError, now: Timestamp) -> Problem {
    match error {
        ChangeError::NotFound { asked } => {
            Problem::new(Code::ChatNotFound, format!("No account finds this chat ({}).", each(&asked)))
        }
        ChangeError::NoSuchMessage { account, message_id } => Problem::new(
            Code::MessageNotFound,
            format!("The account {account} finds no message {message_id} in this chat."),
        ),
        ChangeError::NoRights { asked } => {
            Problem::new(Code::NoRights, format!("No account may do this in the chat ({}).", each(&asked)))
        }
        ChangeError::NoAccount { asked } => {
            Problem::new(Code::NoAccount, format!("No account can do it now ({}).", each(&asked)))
        }
        ChangeError::FloodWait { until } => {
            Problem::new(Code::FloodWait, format!("Every account must wait; the first may do it at {until}."))
                .retry_after(seconds_until(until, now))
        }
        ChangeError::Rejected { code } => {
            Problem::new(Code::Rejected, format!("Telegram refused it: {code}.")).provider_code(&code)
        }
        ChangeError::Unknown(why) => Problem::new(
            Code::ReadFailed,
            format!("It is not known whether it was done: {why}. The same call again is safe."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_answer() {
        let account = || "main".parse().expect("a name");
        for (error, status, says) in [
            (ChangeError::NotFound { asked: Vec::new() }, 404, "finds this chat"),
            (
                ChangeError::NoSuchMessage {
                    account: account(),
                    message_id: 45_i64.try_into().expect("an id"),
                },
                404,
                "no message 45",
            ),
            (ChangeError::NoRights { asked: Vec::new() }, 403, "may do this"),
            (ChangeError::NoAccount { asked: Vec::new() }, 503, "No account"),
            (ChangeError::FloodWait { until: Timestamp::from_micros(1) }, 429, "must wait"),
            (ChangeError::Rejected { code: "MESSAGE_TOO_LONG".to_owned() }, 422, "MESSAGE_TOO_LONG"),
            (ChangeError::Unknown("no answer".to_owned()), 502, "again is safe"),
        ] {
            let problem = problem(error, Timestamp::default());
            assert_eq!(problem.code().status().as_u16(), status);
            assert!(problem.detail().contains(says), "{}", problem.detail());
        }
    }
}
