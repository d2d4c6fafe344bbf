//! Codes on their way to a phone: how they go, how long they are good, how many there may be.

use std::collections::HashMap;

use serde::Serialize;

use crate::telegram::rpc::{Result, RpcError, bad_request, not_acceptable};
use crate::telegram::state::{Moment, digits};

/// How long a code is good.
const LIFE: i64 = 300_000_000;
/// So many codes for one phone in one span; more is a flood.
const MOST_CODES: usize = 5;
const SPAN: i64 = 600_000_000;
/// Wrong codes for one request; with the last the request is over.
const MOST_TRIES: u32 = 5;
/// Requests that are remembered.
const MOST_REQUESTS: usize = 1_024;

/// The way a code goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To the apps where the user is signed in.
    App,
    /// As a text message.
    Sms,
    /// By voice.
    Call,
}

impl Way {
    /// The way after this one.
    pub(crate) fn next(self) -> Option<Self> {
        match self {
            Self::App => Some(Self::Sms),
            Self::Sms => Some(Self::Call),
            Self::Call => None,
        }
    }
}

/// A code that waits to be entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentCode {
    /// With the `+`.
    pub phone: String,
    /// Five digits.
    pub code: String,
    /// How it went.
    pub way: Way,
    /// What the client was given with it.
    pub phone_code_hash: String,
}

#[derive(Debug, Clone)]
struct Waiting {
    phone: String,
    code: String,
    way: Way,
    sent: Moment,
    tries: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Codes {
    waiting: HashMap<String, Waiting>,
    /// When codes were asked for, by phone.
    requests: HashMap<String, Vec<Moment>>,
}

impl Codes {
    /// Counts a request for a code; too many are a flood.
    pub(crate) fn ask(&mut self, phone: &str, at: Moment) -> Result<()> {
        let requests = self.requests.entry(phone.to_owned()).or_default();
        requests.retain(|then| at.0 - then.0 < SPAN);
        match requests.first() {
            Some(first) if requests.len() >= MOST_CODES => {
                let seconds = (first.0 + SPAN - at.0).max(0) / 1_000_000 + 1;
                Err(RpcError { code: 420, message: format!("FLOOD_WAIT_{seconds}").into() })
            }
            _ => {
                requests.push(at);
                Ok(())
            }
        }
    }

    /// Sends a code to a phone, digits only.
    pub(crate) fn send(&mut self, hash: String, phone: &str, code: String, at: Moment) -> Way {
        self.waiting.retain(|_, waiting| at.0 - waiting.sent.0 < LIFE);
        if self.waiting.len() < MOST_REQUESTS {
            let waiting = Waiting { phone: phone.to_owned(), code, way: Way::App, sent: at, tries: 0 };
            self.waiting.insert(hash, waiting);
        }
        Way::App
    }

    /// The phone that waits for a code under this hash.
    pub(crate) fn phone(&self, phone: &str, hash: &str, at: Moment) -> Result<&str> {
        if hash.is_empty() {
            return Err(bad_request("PHONE_CODE_HASH_EMPTY"));
        }
        let waiting = self.waiting.get(hash).filter(|waiting| waiting.phone == digits(phone));
        let waiting = waiting.filter(|waiting| at.0 - waiting.sent.0 < LIFE);
        waiting.map(|waiting| &*waiting.phone).ok_or(bad_request("PHONE_CODE_EXPIRED"))
    }

    /// Sends the code by the next way.
    pub(crate) fn resend(&mut self, hash: &str, at: Moment) -> Result<Way> {
        let waiting = self.waiting.get_mut(hash).ok_or(bad_request("PHONE_CODE_EXPIRED"))?;
        let next = waiting.way.next().ok_or(not_acceptable("SEND_CODE_UNAVAILABLE"))?;
        (waiting.way, waiting.sent) = (next, at);
        Ok(next)
    }

    /// Whether this is the code. After too many wrong ones there is none any longer.
    pub(crate) fn check(&mut self, hash: &str, code: &str) -> Result<()> {
        let waiting = self.waiting.get_mut(hash).ok_or(bad_request("PHONE_CODE_EXPIRED"))?;
        if waiting.code == code {
            return Ok(());
        }
        waiting.tries += 1;
        if waiting.tries >= MOST_TRIES {
            self.waiting.remove(hash);
        }
        Err(bad_request("PHONE_CODE_INVALID"))
    }

    /// The code was used, or is not wanted.
    pub(crate) fn forget(&mut self, hash: &str) {
        self.waiting.remove(hash);
    }

    /// Lets a phone that signed in ask again.
    pub(crate) fn forgive(&mut self, phone: &str) {
        self.requests.remove(phone);
    }

    pub(crate) fn expire(&mut self) -> usize {
        std::mem::take(&mut self.waiting).len()
    }

    pub(crate) fn list(&self, at: Moment) -> Vec<SentCode> {
        let mut alive: Vec<_> = self.waiting.iter().collect();
        alive.retain(|(_, waiting)| at.0 - waiting.sent.0 < LIFE);
        alive.sort_by_key(|(hash, waiting)| (waiting.sent, *hash));
        let sent = |(hash, waiting): (&String, &Waiting)| SentCode {
            phone: format!("+{}", waiting.phone),
            code: waiting.code.clone(),
            way: waiting.way,
            phone_code_hash: hash.clone(),
        };
        alive.into_iter().map(sent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Moment = Moment(1_700_000_000_000_000);

    fn later(seconds: i64) -> Moment {
        Moment(AT.0 + seconds * 1_000_000)
    }

    #[test]
    fn a_code_is_good_for_a_while_and_for_some_tries() {
        let mut codes = Codes::default();
        codes.send("h".into(), "7000", "12345".into(), AT);
        assert_eq!(codes.phone("+7000", "h", later(299)), Ok("7000"));
        assert_eq!(codes.phone("+7000", "h", later(300)).unwrap_err().message, "PHONE_CODE_EXPIRED");
        assert_eq!(codes.phone("+7001", "h", AT).unwrap_err().message, "PHONE_CODE_EXPIRED");
        assert_eq!(codes.resend("h", later(200)), Ok(Way::Sms));
        assert_eq!(codes.phone("+7000", "h", later(400)), Ok("7000"));
        assert_eq!(codes.list(AT)[0].way, Way::Sms);
        assert_eq!(codes.resend("h", AT), Ok(Way::Call));
        assert_eq!(codes.resend("h", AT).unwrap_err().message, "SEND_CODE_UNAVAILABLE");
        assert_eq!(codes.check("h", "12345"), Ok(()));
        for _ in 0..5 {
            assert_eq!(codes.check("h", "1").unwrap_err().message, "PHONE_CODE_INVALID");
        }
        assert_eq!(codes.check("h", "12345").unwrap_err().message, "PHONE_CODE_EXPIRED");
    }

    #[test]
    fn too_many_codes_are_a_flood_that_ends() {
        let mut codes = Codes::default();
        for second in 0..5 {
            assert_eq!(codes.ask("7000", later(second)), Ok(()));
        }
        assert_eq!(codes.ask("7000", later(100)).unwrap_err().message, "FLOOD_WAIT_501");
        assert_eq!(codes.ask("7001", later(100)), Ok(()));
        assert_eq!(codes.ask("7000", later(600)), Ok(()));
        codes.forgive("7000");
        assert_eq!(codes.ask("7000", later(601)), Ok(()));
    }
}
