//! Codes that change every half minute (TOTP, RFC 6238): SHA-1, six digits, as every authenticator knows.

use domain::secret::ExposeSecret;
use domain::{Secret, SecretText, Timestamp, UserName};
use totp_rs::{Builder, Totp, TotpError};

use crate::OfferedFactor;

/// Bytes of chance in a secret: as many as the digest has.
const LENGTH: usize = 20;

pub(crate) fn draw() -> Result<Secret<Vec<u8>>, getrandom::Error> {
    let mut bytes = vec![0; LENGTH];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(Box::new(bytes)))
}

fn totp(secret: &Secret<Vec<u8>>, user: &str) -> Result<Totp, TotpError> {
    Builder::new()
        .with_secret(secret.expose_secret().clone())
        .with_skew(1)
        .with_issuer(Some("Switchboard"))
        .with_account_name(user)
        .build()
}

/// The step whose code this is: the present one, the one before or the one after, for clocks that differ.
pub(crate) fn step_of(secret: &Secret<Vec<u8>>, given: &str, now: Timestamp) -> Option<u64> {
    let digits: String = given.chars().filter(|letter| !letter.is_whitespace()).collect();
    totp(secret, "").ok()?.check(&digits, u64::try_from(now.as_seconds()).ok()?)
}

/// What an authenticator needs: the secret for typing, and the address for the QR code.
pub(crate) fn offer(user: &UserName, secret: &Secret<Vec<u8>>) -> Result<OfferedFactor, TotpError> {
    let totp = totp(secret, user.as_str())?;
    Ok(OfferedFactor {
        address: SecretText::from(totp.to_url()?),
        secret: SecretText::from(totp.secret().to_base32()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rfc() -> Secret<Vec<u8>> {
        Secret::new(Box::new(b"12345678901234567890".to_vec()))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_neighbouring_step_is_taken_and_no_other() {
        for (seconds, step) in [(29, None), (30, Some(2)), (60, Some(2)), (119, Some(2)), (120, None)] {
            // Step 2 begins at 60 s; its code is in RFC 4226, appendix D.
            assert_eq!(step_of(&rfc(), "359152", at(seconds)), step, "{seconds}");
        }
        assert_eq!(step_of(&rfc(), " 359 152 ", at(60)), Some(2));
        for wrong in ["", "35915", "3591520", "35915x", "٣٥٩١٥٢", "+35915", "359152\0"] {
            assert_eq!(step_of(&rfc(), wrong, at(60)), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_secret_is_written_for_authenticators() {
        let offered = offer(&"анна@example.com".parse().expect("a name"), &rfc()).expect("an offer");
        assert_eq!(offered.secret.expose_secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            offered.address.expose_secret(),
            "otpauth://totp/Switchboard:%D0%B0%D0%BD%D0%BD%D0%B0%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Switchboard"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,20}", seconds: i32) {
            let _ = step_of(&rfc(), &text, at(i64::from(seconds)));
        }
    }
}
