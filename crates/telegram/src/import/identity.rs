//! Whose a session is, asked of Telegram: one connection for each key, closed before anything else is done with it.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use domain::account::Reason;
use futures::StreamExt;
use grammers_tl_types::{Deserializable, Serializable, enums, functions};
use mtproto::{Application, Proxied, Updates};

use super::planner::{Identity, Person};
use super::row::SessionOutcome;
use crate::calls::classify::{self, CallError, ErrorEffect};
use crate::peers::parsing;
use crate::session::{Claims, Key};

/// How long Telegram may take to answer, connecting included.
const ANSWER: Duration = Duration::from_secs(15);

/// How many sessions are asked about at once.
const AT_ONCE: usize = 8;

/// What is asked with: a key, and the application it is shown under.
pub(super) struct Question {
    pub(super) key: Result<Arc<Key>, String>,
    /// The number of the application, when any is known.
    pub(super) api_id: Option<i32>,
    pub(super) proxy: Option<Proxied>,
    pub(super) claims: Claims,
}

/// Asks about many sessions, some at once; the answers are in their order. `answered` hears of each answer, in that order
/// too.
pub(super) async fn ask_all(
    questions: Vec<Question>,
    clock: &Clock,
    answered: impl Fn(usize),
) -> Vec<Identity> {
    let answers = futures::stream::iter(questions).map(|question| ask(question, clock)).buffered(AT_ONCE);
    answers.enumerate().inspect(|(question, _)| answered(*question)).map(|(_, answer)| answer).collect().await
}

async fn ask(question: Question, clock: &Clock) -> Identity {
    let Question { key, api_id, proxy, claims } = question;
    let key = match key {
        Ok(key) => key,
        Err(why) => return Identity::Gone(SessionOutcome::Unreadable, why),
    };
    let Some(api_id) = api_id else {
        let why = "no application is known to connect as; give --api-id, or name one in the plan file";
        return Identity::Gone(SessionOutcome::NoAnswer, why.to_owned());
    };
    // Until the connection is closed no one else may connect with the key.
    let Some(_asking) = claims.ask(key.fingerprint()) else {
        return Identity::Gone(
            SessionOutcome::NoAnswer,
            "an account began to use it meanwhile; import it again".to_owned(),
        );
    };
    let connection = key.connect(&Application { api_id, proxy }, clock, |_, _| {}, |_| {});
    let request = functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] }.to_bytes();
    let answer = clock.timeout(ANSWER, connection.wire.request(request, Updates::Unwanted)).await;
    connection.close().await;
    match answer {
        Ok(Ok(body)) => identity_in(&body),
        Ok(Err(error)) => refused(&CallError::Failed(error)),
        Err(_) => refused(&CallError::TimedOut),
    }
}

fn identity_in(body: &[u8]) -> Identity {
    let users = match Vec::<enums::User>::from_bytes(body) {
        Ok(users) => users,
        Err(error) => return refused(&CallError::Failed(error.into())),
    };
    let person = users.iter().find_map(|user| {
        let own = parsing::own(user)?;
        let phone = match user {
            enums::User::User(user) => user.phone.clone(),
            enums::User::Empty(_) => None,
        };
        Some(Person { user_id: own.user_id, username: own.username, display_name: own.display_name, phone })
    });
    let signed_out =
        || Identity::Gone(SessionOutcome::SignedOut, "it is not signed in; sign in again".to_owned());
    person.map_or_else(signed_out, Identity::Person)
}

/// What a refusal means, with what to do about it. Pure.
fn refused(error: &CallError) -> Identity {
    let ErrorEffect::Dead(reason) = classify::effect(error) else {
        let why = match error {
            CallError::TimedOut => format!("Telegram did not answer within {} s", ANSWER.as_secs()),
            CallError::Failed(_) | CallError::NotConnected(_) => error.to_string(),
        };
        return Identity::Gone(SessionOutcome::NoAnswer, format!("{why}; nothing was kept, try again"));
    };
    let (what, why) = match reason {
        Reason::AuthKeyDuplicated => (
            SessionOutcome::Duplicated,
            "another program used it at the same time, so Telegram has ended it for good; sign in again, and use no session \
             in two programs",
        ),
        Reason::Banned => (SessionOutcome::Banned, "Telegram has banned the account"),
        Reason::Deactivated => (SessionOutcome::Banned, "the account was deleted"),
        Reason::KeyUnknown => (
            SessionOutcome::SignedOut,
            "the data centre that the file names does not know its key: signed out long ago, or a wrong copy; sign in again",
        ),
        _ => (SessionOutcome::SignedOut, "it was signed out; sign in again"),
    };
    Identity::Gone(what, why.to_owned())
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::types;

    use super::*;
    use mtproto::{RequestError, RpcError};

    fn answer(code: i32, message: &str) -> SessionOutcome {
        refusal_of(code, message).0
    }

    fn refusal_of(code: i32, message: &str) -> (SessionOutcome, String) {
        let error = types::RpcError { error_code: code, error_message: message.to_owned() };
        match refused(&CallError::Failed(RequestError::Rpc(RpcError::from(error)))) {
            Identity::Gone(what, why) => {
                assert!(!why.is_empty());
                (what, why)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_used_twice_names_its_end() {
        let (what, why) = refusal_of(406, "AUTH_KEY_DUPLICATED");
        assert_eq!(what, SessionOutcome::Duplicated);
        for words in [
            "another program used it at the same time",
            "ended it for good",
            "sign in again",
            "no session in two programs",
        ] {
            assert!(why.contains(words), "{words}: {why}");
        }
    }

    #[test]
    fn each_refusal_has_its_word() {
        assert_eq!(answer(401, "AUTH_KEY_UNREGISTERED"), SessionOutcome::SignedOut);
        assert_eq!(answer(401, "SESSION_REVOKED"), SessionOutcome::SignedOut);
        assert_eq!(answer(406, "AUTH_KEY_DUPLICATED"), SessionOutcome::Duplicated);
        assert_eq!(answer(401, "USER_DEACTIVATED_BAN"), SessionOutcome::Banned);
        assert_eq!(answer(420, "FLOOD_WAIT_30"), SessionOutcome::NoAnswer);
        assert_eq!(answer(500, "INTERNAL"), SessionOutcome::NoAnswer);
        assert!(matches!(refused(&CallError::TimedOut), Identity::Gone(SessionOutcome::NoAnswer, _)));
        assert!(matches!(
            identity_in(&Vec::<enums::User>::new().to_bytes()),
            Identity::Gone(SessionOutcome::SignedOut, _)
        ));
    }
}
