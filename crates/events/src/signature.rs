//! Signatures of posts to other programs, after Standard Webhooks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::WebhookSecret;
use domain::Secret;
use domain::secret::ExposeSecret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key after whsec_ is no base64")]
pub struct InvalidKey;

/// What posts to one receiver are signed with.
pub struct SigningKey(Secret<Vec<u8>>);

impl SigningKey {
    /// The bytes of a secret: after `whsec_` in base64, else the text itself.
    ///
    /// # Errors
    /// What follows `whsec_` is no base64.
    pub fn new(secret: &WebhookSecret) -> Result<Self, InvalidKey> {
        Self::of(secret.expose())
    }

    /// The same of a text.
    ///
    /// # Errors
    /// What follows `whsec_` is no base64.
    pub fn of(text: &str) -> Result<Self, InvalidKey> {
        let bytes = match text.strip_prefix("whsec_") {
            Some(text) => STANDARD.decode(text).map_err(|_| InvalidKey)?,
            None => text.as_bytes().to_vec(),
        };
        Ok(Self(Secret::new(Box::new(bytes))))
    }

    /// The value of `webhook-signature`: HMAC-SHA256 over id, time in seconds and body.
    pub fn sign(&self, id: &str, at: i64, body: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()) else {
            return String::new();
        };
        mac.update(format!("{id}.{at}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification (Standard Webhooks, "Verifying webhook authenticity").
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let key = SigningKey::of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
