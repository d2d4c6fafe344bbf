//! The key exchange, the server's side: an auth key is agreed on with a client that knows the RSA key alone.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use grammers_crypto::aes::{ige_decrypt, ige_encrypt};
use grammers_crypto::{AuthKey, generate_key_data_from_nonce};
use grammers_tl_types::enums::{ClientDhInnerData, PQInnerData};
use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, functions, types};
use num_bigint::BigUint;
use rand::RngExt;
use rand::rngs::StdRng;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::message_id;
use super::rsa::{RsaKey, fixed};
use super::tl;
use crate::keys::KeyRing;

/// Telegram's own published 2048-bit prime: clients take it without checking for minutes whether it is a good one.
pub const PRIME: &str = concat!(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB",
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64",
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41",
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4",
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF",
    "6F4FADF034B10403119CD8E3B92FCC5B",
);
/// The generator that goes with it.
pub const GENERATOR: u8 = 3;

static MODULUS: LazyLock<BigUint> =
    LazyLock::new(|| BigUint::parse_bytes(PRIME.as_bytes(), 16).unwrap_or_default());

/// Why an exchange goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("a step of the key exchange cannot be read")]
    Unreadable,
    #[error("a step of the key exchange out of order")]
    Order,
    #[error("a nonce of the key exchange is not the one of its first step")]
    Nonce,
    #[error("the key exchange names another RSA key")]
    Fingerprint,
    #[error("the key exchange names wrong factors")]
    Factors,
    #[error("the key exchange was encrypted in no known way")]
    Encryption,
    #[error("the key exchange is meant for another data centre")]
    DataCentre,
    #[error("temporary keys are not made here")]
    Temporary,
}

impl From<grammers_tl_types::deserialize::Error> for ExchangeError {
    fn from(_: grammers_tl_types::deserialize::Error) -> Self {
        Self::Unreadable
    }
}

type Result<T> = std::result::Result<T, ExchangeError>;

/// The nonces by which both sides know that they mean the same exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nonces {
    client: [u8; 16],
    server: [u8; 16],
}

impl Nonces {
    fn check(self, client: [u8; 16], server: [u8; 16]) -> Result<()> {
        if (Self { client, server }) == self { Ok(()) } else { Err(ExchangeError::Nonce) }
    }
}

/// How far it has come.
enum Stage {
    Start,
    /// The client is to prove that it can factor a number.
    Factors {
        nonces: Nonces,
        first: u32,
        second: u32,
    },
    /// The client is to send its half of the key.
    Half(Box<Half>),
}

struct Half {
    nonces: Nonces,
    new_nonce: [u8; 32],
    secret: BigUint,
    /// The hash of the key that was refused before; 0 at first.
    retry: i64,
}

/// One connection's key exchange.
pub(crate) struct Exchange {
    dc_id: i32,
    rsa: Arc<RsaKey>,
    stage: Stage,
    chance: StdRng,
}

impl Exchange {
    pub(crate) fn new(dc_id: i32, rsa: Arc<RsaKey>) -> Self {
        Self { dc_id, rsa, stage: Stage::Start, chance: rand::make_rng() }
    }

    /// Takes a request and returns the answer. The key that comes of it is put on the ring. Large powers: takes milliseconds.
    pub(crate) fn step(&mut self, request: &[u8], now: SystemTime, keys: &KeyRing) -> Result<Vec<u8>> {
        let mut cursor = Cursor::from_slice(request);
        let stage = std::mem::replace(&mut self.stage, Stage::Start);
        let (stage, reply) = match (u32::deserialize(&mut cursor)?, stage) {
            (functions::ReqPqMulti::CONSTRUCTOR_ID, _) => {
                self.factors(functions::ReqPqMulti::deserialize(&mut cursor)?.nonce)
            }
            (functions::ReqPq::CONSTRUCTOR_ID, _) => {
                self.factors(functions::ReqPq::deserialize(&mut cursor)?.nonce)
            }
            (functions::ReqDhParams::CONSTRUCTOR_ID, Stage::Factors { nonces, first, second }) => {
                let request = functions::ReqDhParams::deserialize(&mut cursor)?;
                self.half(&request, nonces, first, second, now)?
            }
            (functions::SetClientDhParams::CONSTRUCTOR_ID, Stage::Half(half)) => {
                self.finish(functions::SetClientDhParams::deserialize(&mut cursor)?, half, keys)?
            }
            (functions::ReqDhParams::CONSTRUCTOR_ID | functions::SetClientDhParams::CONSTRUCTOR_ID, _) => {
                return Err(ExchangeError::Order);
            }
            _ => return Err(ExchangeError::Unreadable),
        };
        self.stage = stage;
        Ok(reply)
    }

    fn factors(&mut self, nonce: [u8; 16]) -> (Stage, Vec<u8>) {
        let (one, other) = (small_prime(&mut self.chance), small_prime(&mut self.chance));
        let (first, second) = if one < other { (one, other) } else { (other, one) };
        let nonces = Nonces { client: nonce, server: self.chance.random() };
        let reply = boxed(&types::ResPq {
            nonce,
            server_nonce: nonces.server,
            pq: (u64::from(first) * u64::from(second)).to_be_bytes().to_vec(),
            server_public_key_fingerprints: vec![self.rsa.fingerprint()],
        });
        (Stage::Factors { nonces, first, second }, reply)
    }

    fn half(
        &mut self,
        request: &functions::ReqDhParams,
        nonces: Nonces,
        first: u32,
        second: u32,
        now: SystemTime,
    ) -> Result<(Stage, Vec<u8>)> {
        nonces.check(request.nonce, request.server_nonce)?;
        if request.public_key_fingerprint != self.rsa.fingerprint() {
            return Err(ExchangeError::Fingerprint);
        }
        let factor = |bytes: &[u8], expected: u32| number(bytes) == Some(u64::from(expected));
        if !factor(&request.p, first) || !factor(&request.q, second) {
            return Err(ExchangeError::Factors);
        }
        let clear = self.rsa.decrypt(&request.encrypted_data).ok_or(ExchangeError::Encryption)?;
        let inner = padded(&clear).or_else(|| hashed(&clear)).ok_or(ExchangeError::Encryption)?;
        nonces.check(inner.nonce(), inner.server_nonce())?;
        let (pq, new_nonce) = match inner {
            PQInnerData::Data(data) => (data.pq, data.new_nonce),
            // Test data centres are numbered from 10,000, media ones are negative.
            PQInnerData::Dc(data) if data.dc.unsigned_abs() % 10_000 != self.dc_id.unsigned_abs() => {
                return Err(ExchangeError::DataCentre);
            }
            PQInnerData::Dc(data) => (data.pq, data.new_nonce),
            PQInnerData::Temp(_) | PQInnerData::TempDc(_) => return Err(ExchangeError::Temporary),
        };
        if number(&pq) != Some(u64::from(first) * u64::from(second)) {
            return Err(ExchangeError::Factors);
        }
        let secret = BigUint::from_bytes_be(&self.chance.random::<[u8; 256]>());
        let public = BigUint::from(GENERATOR).modpow(&secret, &MODULUS);
        let answer = boxed(&types::ServerDhInnerData {
            nonce: nonces.client,
            server_nonce: nonces.server,
            g: i32::from(GENERATOR),
            dh_prime: MODULUS.to_bytes_be(),
            g_a: fixed(&public).map(Vec::from).unwrap_or_default(),
            server_time: message_id::date(now),
        });
        let mut encrypted_answer = Sha1::digest(&answer).to_vec();
        encrypted_answer.extend_from_slice(&answer);
        while !encrypted_answer.len().is_multiple_of(16) {
            encrypted_answer.push(self.chance.random());
        }
        let (key, vector) = generate_key_data_from_nonce(&nonces.server, &new_nonce);
        ige_encrypt(&mut encrypted_answer, &key, &vector);
        let reply =
            types::ServerDhParamsOk { nonce: nonces.client, server_nonce: nonces.server, encrypted_answer };
        Ok((Stage::Half(Box::new(Half { nonces, new_nonce, secret, retry: 0 })), boxed(&reply)))
    }

    fn finish(
        &self,
        request: functions::SetClientDhParams,
        mut half: Box<Half>,
        keys: &KeyRing,
    ) -> Result<(Stage, Vec<u8>)> {
        let Nonces { client: nonce, server: server_nonce } = half.nonces;
        half.nonces.check(request.nonce, request.server_nonce)?;
        let inner = decrypted(request.encrypted_data, &half)?;
        half.nonces.check(inner.nonce, inner.server_nonce)?;
        if inner.retry_id != half.retry {
            return Err(ExchangeError::Order);
        }
        let theirs = BigUint::from_bytes_be(&inner.g_b);
        let key = fixed(&theirs.modpow(&half.secret, &MODULUS)).ok_or(ExchangeError::Unreadable)?;
        let proof = |number| AuthKey::from_bytes(key).calc_new_nonce_hash(&half.new_nonce, number);
        if !is_safe(&theirs) {
            let new_nonce_hash3 = proof(3);
            return Ok((Stage::Start, boxed(&types::DhGenFail { nonce, server_nonce, new_nonce_hash3 })));
        }
        if let Some(id) = keys.register_new(key, self.dc_id) {
            tracing::debug!(dc = self.dc_id, key = id.0, "a new auth key");
            let new_nonce_hash1 = proof(1);
            return Ok((Stage::Start, boxed(&types::DhGenOk { nonce, server_nonce, new_nonce_hash1 })));
        }
        let new_nonce_hash2 = proof(2);
        let digest = Sha1::digest(key);
        half.retry = i64::from_le_bytes(std::array::from_fn(|i| digest[i]));
        Ok((Stage::Half(half), boxed(&types::DhGenRetry { nonce, server_nonce, new_nonce_hash2 })))
    }
}

fn boxed<T: Identifiable + Serializable>(object: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    tl::put_boxed(&mut bytes, object);
    bytes
}

/// Up to 8 bytes as a number.
fn number(bytes: &[u8]) -> Option<u64> {
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// What `RSA_PAD` hides.
fn padded(clear: &[u8; 256]) -> Option<PQInnerData> {
    let (key, content) = clear.split_first_chunk::<32>()?;
    let digest = Sha256::digest(content);
    let key: [u8; 32] = std::array::from_fn(|i| key[i] ^ digest[i]);
    let mut content = content.to_vec();
    ige_decrypt(&mut content, &key, &[0; 32]);
    let (data, hash) = content.split_at_mut(192);
    data.reverse();
    if hash != &Sha256::new().chain_update(key).chain_update(&*data).finalize()[..] {
        return None;
    }
    PQInnerData::from_bytes(data).ok()
}

/// What the older way hides: hash, data, padding.
fn hashed(clear: &[u8; 256]) -> Option<PQInnerData> {
    let [0, content @ ..] = clear else { return None };
    let (hash, data) = content.split_at(20);
    checked(hash, data)
}

/// An object that comes after its own hash and before some padding.
fn checked<T: Deserializable>(hash: &[u8], data: &[u8]) -> Option<T> {
    let mut cursor = Cursor::from_slice(data);
    let object = T::deserialize(&mut cursor).ok()?;
    (hash == &Sha1::digest(&data[..cursor.pos()])[..]).then_some(object)
}

fn decrypted(mut data: Vec<u8>, half: &Half) -> Result<types::ClientDhInnerData> {
    if !data.len().is_multiple_of(16) || data.len() < 32 {
        return Err(ExchangeError::Unreadable);
    }
    let (key, vector) = generate_key_data_from_nonce(&half.nonces.server, &half.new_nonce);
    ige_decrypt(&mut data, &key, &vector);
    let (hash, data) = data.split_at(20);
    let ClientDhInnerData::Data(inner) = checked(hash, data).ok_or(ExchangeError::Encryption)?;
    Ok(inner)
}

/// Neither a trivial half nor one so near the ends that the key could be guessed.
fn is_safe(half: &BigUint) -> bool {
    let margin = BigUint::from(1_u32) << (2048 - 64);
    *half >= margin && *half <= &*MODULUS - &margin
}

/// A prime of 31 bits: two of them make a number that takes a client a moment to factor.
fn small_prime(chance: &mut StdRng) -> u32 {
    let mut candidate = chance.random_range(1 << 30..u32::MAX / 2) | 1;
    while !is_prime(candidate) {
        candidate = if candidate > u32::MAX / 2 { 1 << 30 | 1 } else { candidate + 2 };
    }
    candidate
}

fn is_prime(number: u32) -> bool {
    (3..)
        .step_by(2)
        .take_while(|divisor: &u32| u64::from(*divisor) * u64::from(*divisor) <= u64::from(number))
        .all(|divisor| !number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prime_is_whole() {
        assert_eq!(MODULUS.bits(), 2048);
        assert!(glass_pumpkin::safe_prime::check(&MODULUS).unwrap());
    }

    #[test]
    fn small_primes_are_prime_and_differ() {
        let mut chance: StdRng = rand::make_rng();
        let primes: std::collections::HashSet<u32> = (0..20).map(|_| small_prime(&mut chance)).collect();
        assert!(primes.len() > 15);
        for prime in primes {
            assert!(prime >= 1 << 30 && (3..1000).all(|divisor| prime % divisor != 0));
        }
        assert!(!is_prime(46_337 * 46_337));
    }

    #[test]
    fn halves_near_the_ends_are_not_safe() {
        let one = BigUint::from(1_u32);
        for weak in [BigUint::ZERO, one.clone(), &*MODULUS - &one, MODULUS.clone(), one << 1983] {
            assert!(!is_safe(&weak));
        }
        assert!(is_safe(&(&*MODULUS / BigUint::from(2_u32))));
    }
}
