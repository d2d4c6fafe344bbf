//! The two-step password: the server's side of SRP, with Telegram's own published prime.

use std::num::NonZero;
use std::sync::LazyLock;

use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA512, derive};
use grammers_tl_types::types;
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use crate::mtproto::{GENERATOR, PRIME, fixed};
use crate::telegram::identities::Seed;
use crate::telegram::rpc::{Result, bad_request};

/// Rounds of the slow hash.
const ROUNDS: NonZero<u32> = NonZero::new(100_000).expect("not zero");

/// How clients are asked to hash.
pub(crate) type Algorithm = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow;

static P: LazyLock<BigUint> =
    LazyLock::new(|| BigUint::parse_bytes(PRIME.as_bytes(), 16).unwrap_or_default());

fn padded(number: &BigUint) -> [u8; 256] {
    fixed(number).unwrap_or([0; 256])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

fn salted(data: &[u8], salt: &[u8]) -> [u8; 32] {
    hash(&[salt, data, salt])
}

/// A password as the server keeps it: it can be checked, and, this being a pretend server, shown.
#[derive(Debug, Clone)]
pub(crate) struct Password {
    pub(crate) plain: String,
    pub(crate) hint: Option<String>,
    salt1: Vec<u8>,
    salt2: Vec<u8>,
    verifier: BigUint,
}

/// One question to a client, good for one answer.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    pub(crate) id: i64,
    secret: BigUint,
    pub(crate) public: [u8; 256],
}

impl Password {
    /// Takes a while: it is meant to.
    pub(crate) fn new(seed: Seed, plain: &str, hint: Option<String>) -> Self {
        let salt = |label: &str| seed.hex32(&format!("password salt {label} {plain}")).into_bytes();
        let (salt1, salt2) = (salt("1"), salt("2"));
        let first = salted(&salted(plain.as_bytes(), &salt1), &salt2);
        let mut slow = [0; 64];
        derive(PBKDF2_HMAC_SHA512, ROUNDS, &salt1, &first, &mut slow);
        let x = BigUint::from_bytes_be(&salted(&slow, &salt2));
        let verifier = BigUint::from(GENERATOR).modpow(&x, &P);
        Self { plain: plain.to_owned(), hint, salt1, salt2, verifier }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        let p = padded(&P).to_vec();
        Algorithm { salt1: self.salt1.clone(), salt2: self.salt2.clone(), g: i32::from(GENERATOR), p }
    }

    /// A question whose secret is this number.
    pub(crate) fn challenge(&self, id: i64, secret: &[u8; 256]) -> Challenge {
        let secret = BigUint::from_bytes_be(secret);
        let g = padded(&BigUint::from(GENERATOR));
        let k = BigUint::from_bytes_be(&hash(&[&padded(&P), &g]));
        let public = (k * &self.verifier + BigUint::from(GENERATOR).modpow(&secret, &P)) % &*P;
        Challenge { id, secret, public: padded(&public) }
    }

    /// Whether the answer shows that the client knows the password.
    #[expect(clippy::many_single_char_names, reason = "as the description of SRP names them")]
    pub(crate) fn check(&self, challenge: &Challenge, a: &[u8], m1: &[u8]) -> Result<()> {
        let one = BigUint::from(1_u8);
        let public = BigUint::from_bytes_be(a);
        if a.len() != 256 || public <= one || public >= &*P - &one {
            return Err(bad_request("SRP_A_INVALID"));
        }
        let b = &challenge.public;
        let u = BigUint::from_bytes_be(&hash(&[a, b]));
        let shared = (public * self.verifier.modpow(&u, &P)).modpow(&challenge.secret, &P);
        let key = hash(&[&padded(&shared)]);
        let (p, g) = (hash(&[&padded(&P)]), hash(&[&padded(&BigUint::from(GENERATOR))]));
        let mixed: [u8; 32] = std::array::from_fn(|i| p[i] ^ g[i]);
        let expected = hash(&[&mixed, &hash(&[&self.salt1]), &hash(&[&self.salt2]), a, b, &key]);
        if m1 == expected { Ok(()) } else { Err(bad_request("PASSWORD_HASH_INVALID")) }
    }
}

#[cfg(test)]
mod tests {
    use grammers_crypto::two_factor_auth::calculate_2fa;

    use super::*;

    #[test]
    fn only_the_right_password_is_accepted() {
        let seed = Seed(1);
        let password = Password::new(seed, "correct horse", None);
        let challenge = password.challenge(1, &seed.auth_key("b"));
        let algorithm = password.algorithm();
        let answer = |plain: &str| {
            let a = seed.auth_key("a").to_vec();
            let b = challenge.public.to_vec();
            calculate_2fa(&algorithm.salt1, &algorithm.salt2, &algorithm.p, &algorithm.g, b, a, plain)
        };
        let (m1, a) = answer("correct horse");
        assert_eq!(password.check(&challenge, &a, &m1), Ok(()));
        let (wrong, a) = answer("wrong horse");
        assert_eq!(password.check(&challenge, &a, &wrong).unwrap_err().message, "PASSWORD_HASH_INVALID");
        let other = password.challenge(2, &seed.auth_key("another b"));
        assert_eq!(password.check(&other, &a, &m1).unwrap_err().message, "PASSWORD_HASH_INVALID");
        for bad in [vec![0; 256], vec![0xff; 256], vec![1; 5]] {
            assert_eq!(password.check(&challenge, &bad, &m1).unwrap_err().message, "SRP_A_INVALID");
        }
    }
}
