//! The data centre's RSA key: the one thing a client must know of it before the first key exchange.

use std::path::PathBuf;
use std::{fmt, fs};

use num_bigint::BigUint;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use sha1::{Digest, Sha1};

use super::der;
use super::tl::{self, Malformed};

const PRIVATE_LABEL: &str = "RSA PRIVATE KEY";
const PUBLIC_LABEL: &str = "RSA PUBLIC KEY";
const BITS: u64 = 2048;
const EXPONENT: u32 = 65537;
/// The variable that names a file with a key for many worlds: making a key is the slowest part of a start.
const SHARED: &str = "SWITCHBOARD_TEST_SANDBOX_KEY";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum RsaError {
    /// The text is no PKCS#1 private key, or its numbers do not belong together.
    #[error("not a 2048-bit PKCS#1 private key (\"BEGIN {PRIVATE_LABEL}\")")]
    Unreadable,
    /// The system gave no random numbers.
    #[error("no key could be made: {0}")]
    Generation(#[from] rcgen::Error),
}

/// A 2048-bit RSA key.
pub struct RsaKey {
    modulus: BigUint,
    exponent: BigUint,
    private_exponent: BigUint,
    first: BigUint,
    second: BigUint,
    first_exponent: BigUint,
    second_exponent: BigUint,
    coefficient: BigUint,
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({:016x})", self.fingerprint())
    }
}

impl RsaKey {
    /// Makes a new key.
    pub fn generate() -> Result<Self, RsaError> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        Self::from_numbers(&der::private(key.serialized_der()).map_err(|Malformed| RsaError::Unreadable)?)
    }

    /// Returns the key of the file that `SWITCHBOARD_TEST_SANDBOX_KEY` names, which the first caller makes. Without it, makes a new key.
    pub fn shared() -> Result<Self, RsaError> {
        let file = std::env::var_os(SHARED).map(PathBuf::from);
        if let Some(pem) = file.as_ref().and_then(|file| fs::read_to_string(file).ok()) {
            return Self::from_pem(&pem);
        }
        let key = Self::generate()?;
        if let Some(file) = file {
            // If this fails, the next process makes a key of its own: keys need not be equal.
            let part = file.with_extension(std::process::id().to_string());
            let _ = fs::write(&part, key.to_pem()).and_then(|()| fs::rename(&part, &file));
        }
        Ok(key)
    }

    fn from_primes(first: BigUint, second: BigUint) -> Result<Self, RsaError> {
        let one = BigUint::from(1_u32);
        let exponent = BigUint::from(EXPONENT);
        let modulus = &first * &second;
        if modulus.bits() != BITS || first <= one || second <= one || first == second {
            return Err(RsaError::Unreadable);
        }
        let (below_first, below_second) = (&first - &one, &second - &one);
        let private = exponent.modinv(&(&below_first * &below_second));
        let (Some(private_exponent), Some(coefficient)) = (private, second.modinv(&first)) else {
            return Err(RsaError::Unreadable);
        };
        let (first_exponent, second_exponent) =
            (&private_exponent % &below_first, &private_exponent % &below_second);
        Ok(Self {
            modulus,
            exponent,
            private_exponent,
            first,
            second,
            first_exponent,
            second_exponent,
            coefficient,
        })
    }

    /// Reads what [`RsaKey::to_pem`] wrote.
    pub fn from_pem(text: &str) -> Result<Self, RsaError> {
        Self::from_numbers(&der::read(PRIVATE_LABEL, text).map_err(|Malformed| RsaError::Unreadable)?)
    }

    /// The key of PKCS#1's numbers, where they belong together.
    fn from_numbers(numbers: &[BigUint]) -> Result<Self, RsaError> {
        let [_version, modulus, exponent, _private, first, second, ..] = numbers else {
            return Err(RsaError::Unreadable);
        };
        let key = Self::from_primes(first.clone(), second.clone())?;
        if key.modulus != *modulus || key.exponent != *exponent {
            return Err(RsaError::Unreadable);
        }
        Ok(key)
    }

    /// The whole key as PKCS#1 text. A secret.
    pub fn to_pem(&self) -> String {
        der::write(
            PRIVATE_LABEL,
            &[
                &BigUint::ZERO,
                &self.modulus,
                &self.exponent,
                &self.private_exponent,
                &self.first,
                &self.second,
                &self.first_exponent,
                &self.second_exponent,
                &self.coefficient,
            ],
        )
    }

    /// What a client needs to know, as PKCS#1 text ("BEGIN RSA PUBLIC KEY").
    pub fn public_pem(&self) -> String {
        der::write(PUBLIC_LABEL, &[&self.modulus, &self.exponent])
    }

    /// The number by which the key exchange names the key.
    pub fn fingerprint(&self) -> i64 {
        fingerprint(&self.modulus, &self.exponent)
    }

    /// What was encrypted with the public key, as 256 bytes.
    pub(crate) fn decrypt(&self, data: &[u8]) -> Option<[u8; 256]> {
        let data = BigUint::from_bytes_be(data);
        if data >= self.modulus {
            return None;
        }
        // By the two primes apart, which is four times as fast.
        let first = data.modpow(&self.first_exponent, &self.first);
        let second = data.modpow(&self.second_exponent, &self.second);
        let difference = (&first + &self.first - (&second % &self.first)) % &self.first;
        let clear = &second + (&self.coefficient * difference % &self.first) * &self.second;
        fixed(&clear)
    }
}

fn fingerprint(modulus: &BigUint, exponent: &BigUint) -> i64 {
    let mut bytes = Vec::new();
    tl::put_bytes(&mut bytes, &modulus.to_bytes_be());
    tl::put_bytes(&mut bytes, &exponent.to_bytes_be());
    let digest = Sha1::digest(bytes);
    i64::from_le_bytes(std::array::from_fn(|i| digest[12 + i]))
}

/// A number as 256 bytes, zeros in front.
pub(crate) fn fixed(number: &BigUint) -> Option<[u8; 256]> {
    let bytes = number.to_bytes_be();
    let start = 256_usize.checked_sub(bytes.len())?;
    let mut fixed = [0; 256];
    fixed[start..].copy_from_slice(&bytes);
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_decrypts_and_survives_its_text() {
        let key = RsaKey::generate().unwrap();
        let clear: [u8; 256] = std::array::from_fn(|i| u8::try_from(i / 2).unwrap());
        let secret = BigUint::from_bytes_be(&clear).modpow(&key.exponent, &key.modulus);
        let again = RsaKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.decrypt(&secret.to_bytes_be()), Some(clear));
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert_eq!(again.public_pem(), key.public_pem());
        assert_eq!(key.decrypt(&[0xff; 256]), None);
        assert!(!format!("{key:?}").contains(&key.first.to_string()));
        assert!(matches!(RsaKey::from_pem(&key.public_pem()), Err(RsaError::Unreadable)));
    }

    #[test]
    fn the_fingerprint_is_telegrams() {
        // A published key of Telegram, whose fingerprint clients have built in.
        let modulus = concat!(
            "293795981706693370229861771494561285653884311200588637681625564240475121913308474551465763",
            "444877644086617018905050662086321691122695810637742931025773084905312827484659861398809772",
            "803022427728329725394035313160108704012876427630091361567343395380424193887227773571344877",
            "461690935390938502512438971889287359033894517727302452530629633841088128420798875389763604",
            "652909461396386914914960620995708364764548559963191927476636159556337780348971409825174464",
            "053344237013591088101820977494672105095842934280766545733848288095742170799443883012394313",
            "09115013843331317877374435868468779972014486325557807783825502498215169806323",
        );
        let modulus = BigUint::parse_bytes(modulus.as_bytes(), 10).unwrap();
        assert_eq!(fingerprint(&modulus, &BigUint::from(EXPONENT)), -3_414_540_481_677_951_611);
    }
}
