//! What Telegram's refusals mean for a login. Pure.

use std::time::Duration;

use mtproto::RpcError;

use super::state::LoginFailure;

/// How long a wait lasts whose length is not given.
const UNSTATED_WAIT: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The code is wrong; another try is possible.
    WrongCode,
    /// The password is wrong; another try is possible.
    WrongPassword,
    /// The code was right, and there is a password.
    PasswordNeeded,
    /// The question for the password was another one: ask again.
    AskAgain,
    /// The account lives in another data centre.
    Elsewhere(i32),
    /// Nothing before that time has passed.
    Wait(Duration),
    /// No one is signed in with this key.
    NotSignedIn,
    /// There is no other way for the code.
    NoOtherDelivery,
    /// A token is too old, or another one's.
    TokenGone,
    /// Telegram is in trouble; it may have done what was asked.
    Trouble,
    /// It came to nothing.
    Failed(LoginFailure),
}

pub(crate) fn meaning(error: &RpcError) -> Meaning {
    let name = error.name.as_str();
    match (error.code, name) {
        (303, _) => {
            let dc_id = error.value.and_then(|value| i32::try_from(value).ok());
            return dc_id.map_or(Meaning::Failed(LoginFailure::Refused), Meaning::Elsewhere);
        }
        (420, _) => {
            let given = error.value.map(|seconds| Duration::from_secs(u64::from(seconds.max(1))));
            return Meaning::Wait(given.unwrap_or(UNSTATED_WAIT));
        }
        (500.. | ..0, _) if name != "AUTH_RESTART" => return Meaning::Trouble,
        _ => {}
    }
    match name {
        "PHONE_CODE_INVALID"
        | "PHONE_CODE_EMPTY"
        | "EMAIL_VERIFY_INVALID"
        | "EMAIL_VERIFY_EXPIRED"
        | "EMAIL_CODE_INVALID" => Meaning::WrongCode,
        "PASSWORD_HASH_INVALID" => Meaning::WrongPassword,
        "SESSION_PASSWORD_NEEDED" => Meaning::PasswordNeeded,
        "SRP_ID_INVALID" | "SRP_PASSWORD_CHANGED" => Meaning::AskAgain,
        "SEND_CODE_UNAVAILABLE" => Meaning::NoOtherDelivery,
        "PHONE_PASSWORD_FLOOD" | "PHONE_NUMBER_FLOOD" => Meaning::Wait(UNSTATED_WAIT),
        "AUTH_TOKEN_EXPIRED" | "AUTH_TOKEN_INVALID" | "AUTH_TOKEN_ALREADY_ACCEPTED" => Meaning::TokenGone,
        "AUTH_KEY_UNREGISTERED" | "AUTH_KEY_PERM_EMPTY" => Meaning::NotSignedIn,
        "PHONE_CODE_EXPIRED" | "PHONE_CODE_HASH_EMPTY" | "PHONE_HASH_EXPIRED" => {
            Meaning::Failed(LoginFailure::CodeExpired)
        }
        "PHONE_NUMBER_INVALID" | "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN" => {
            Meaning::Failed(LoginFailure::PhoneInvalid)
        }
        "PHONE_NUMBER_BANNED" => Meaning::Failed(LoginFailure::PhoneBanned),
        "PHONE_NUMBER_UNOCCUPIED" => Meaning::Failed(LoginFailure::SignUpRequired),
        "API_ID_INVALID" | "API_ID_PUBLISHED_FLOOD" => Meaning::Failed(LoginFailure::ApiIdInvalid),
        "USER_DEACTIVATED" | "USER_DEACTIVATED_BAN" => Meaning::Failed(LoginFailure::Banned),
        "AUTH_RESTART" | "PHONE_CODE_HASH_INVALID" => Meaning::Failed(LoginFailure::StartOver),
        _ => Meaning::Failed(LoginFailure::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32, name: &str, value: Option<u32>) -> Meaning {
        meaning(&RpcError { code, name: name.to_owned(), value, caused_by: None })
    }

    #[test]
    fn each_refusal_has_a_meaning() {
        assert_eq!(of(303, "PHONE_MIGRATE", Some(4)), Meaning::Elsewhere(4));
        assert_eq!(of(303, "USER_MIGRATE", Some(1)), Meaning::Elsewhere(1));
        assert_eq!(of(303, "NETWORK_MIGRATE", None), Meaning::Failed(LoginFailure::Refused));
        assert_eq!(of(420, "FLOOD_WAIT", Some(30)), Meaning::Wait(Duration::from_secs(30)));
        assert_eq!(of(420, "FLOOD_WAIT", Some(0)), Meaning::Wait(Duration::from_secs(1)));
        assert_eq!(of(406, "PHONE_PASSWORD_FLOOD", None), Meaning::Wait(UNSTATED_WAIT));
        assert_eq!(of(500, "INTERNAL", None), Meaning::Trouble);
        assert_eq!(of(-503, "Timeout", None), Meaning::Trouble);
        assert_eq!(of(500, "AUTH_RESTART", None), Meaning::Failed(LoginFailure::StartOver));
        assert_eq!(of(400, "PHONE_CODE_INVALID", None), Meaning::WrongCode);
        assert_eq!(of(400, "PHONE_CODE_EXPIRED", None), Meaning::Failed(LoginFailure::CodeExpired));
        assert_eq!(of(401, "SESSION_PASSWORD_NEEDED", None), Meaning::PasswordNeeded);
        assert_eq!(of(400, "PHONE_NUMBER_UNOCCUPIED", None), Meaning::Failed(LoginFailure::SignUpRequired));
        assert_eq!(of(400, "WHATEVER", None), Meaning::Failed(LoginFailure::Refused));
    }
}
