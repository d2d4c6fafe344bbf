//! Login tokens: shown as a QR code by one device, accepted by another.

use std::collections::HashMap;

use crate::keys::AuthKeyId;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::Moment;

/// How long a token can be accepted, in microseconds.
const LIFE: i64 = 30_000_000;
/// How long an accepted one can be used.
const GRACE: i64 = 300_000_000;
/// Tokens that are remembered.
const MOST: usize = 4_096;

#[derive(Debug, Clone, Copy)]
struct Token {
    key: AuthKeyId,
    expires: Moment,
    accepted: Option<i64>,
}

#[derive(Debug, Default)]
pub(crate) struct Tokens(HashMap<Vec<u8>, Token>);

impl Tokens {
    /// Lets a key show a token; returns until when.
    pub(crate) fn show(&mut self, token: Vec<u8>, key: AuthKeyId, at: Moment) -> Moment {
        self.0.retain(|_, known| known.expires > at);
        let expires = Moment(at.0 + LIFE);
        if self.0.len() < MOST {
            self.0.insert(token, Token { key, expires, accepted: None });
        }
        expires
    }

    /// The token that was accepted for a key, and for whom.
    pub(crate) fn accepted_for(&self, key: AuthKeyId, at: Moment) -> Option<(Vec<u8>, i64)> {
        let mut shown = self.0.iter().filter(|(_, token)| token.key == key && token.expires > at);
        shown.find_map(|(bytes, token)| Some((bytes.clone(), token.accepted?)))
    }

    pub(crate) fn accept(&mut self, token: &[u8], user: i64, at: Moment) -> Result<AuthKeyId> {
        let token = self.0.get_mut(token).ok_or(bad_request("AUTH_TOKEN_INVALID"))?;
        if token.expires <= at {
            return Err(bad_request("AUTH_TOKEN_EXPIRED"));
        }
        if token.accepted.is_some() {
            return Err(bad_request("AUTH_TOKEN_ALREADY_ACCEPTED"));
        }
        (token.accepted, token.expires) = (Some(user), Moment(at.0 + GRACE));
        Ok(token.key)
    }

    /// Who accepted a token.
    pub(crate) fn user(&self, token: &[u8], at: Moment) -> Result<i64> {
        let token = self.0.get(token).ok_or(bad_request("AUTH_TOKEN_INVALID"))?;
        if token.expires <= at {
            return Err(bad_request("AUTH_TOKEN_EXPIRED"));
        }
        token.accepted.ok_or(bad_request("AUTH_TOKEN_INVALID"))
    }

    /// The tokens of a key that signed in.
    pub(crate) fn forget(&mut self, key: AuthKeyId, token: &[u8]) {
        self.0.remove(token);
        self.0.retain(|_, known| known.key != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_accepted_once_and_in_time() {
        let (key, at) = (AuthKeyId(1), Moment(0));
        let mut tokens = Tokens::default();
        assert_eq!(tokens.show(vec![1], key, at), Moment(30_000_000));
        tokens.show(vec![2], key, Moment(1));
        assert_eq!(tokens.user(&[1], at).unwrap_err().message, "AUTH_TOKEN_INVALID");
        assert_eq!(tokens.accept(&[9], 7, at).unwrap_err().message, "AUTH_TOKEN_INVALID");
        assert_eq!(tokens.accept(&[2], 7, Moment(LIFE + 1)).unwrap_err().message, "AUTH_TOKEN_EXPIRED");
        assert_eq!(tokens.accept(&[1], 7, Moment(LIFE - 1)), Ok(key));
        assert_eq!(tokens.accept(&[1], 7, at).unwrap_err().message, "AUTH_TOKEN_ALREADY_ACCEPTED");
        assert_eq!(tokens.user(&[1], Moment(LIFE + 5)), Ok(7));
        assert_eq!(tokens.accepted_for(key, at), Some((vec![1], 7)));
        assert_eq!(tokens.accepted_for(AuthKeyId(2), at), None);
        tokens.forget(key, &[1]);
        assert_eq!(tokens.accepted_for(key, at), None);
    }
}
