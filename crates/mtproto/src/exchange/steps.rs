//! The key exchange, our half of it: three questions, and what has to be true of their answers. Pure but for chance.
//!
//! After <https://core.telegram.org/mtproto/auth_key>.

use domain::Secret;
use domain::secret::Zeroize;
use grammers_crypto::aes::{ige_decrypt, ige_encrypt};
use grammers_crypto::{AuthKey as Hashed, factorize, generate_key_data_from_nonce, rsa};
use grammers_tl_types::{Cursor, Deserializable, Serializable, enums, functions, types};
use num_bigint::BigUint;
use sha1::{Digest, Sha1};

use super::prime::is_good_prime;
use super::server_key::ServerKeys;
use crate::AuthKey;

/// Why the exchange goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    #[error("the system gives no random numbers")]
    NoRandomness,
    #[error("the data centre answered something else than was asked; try again")]
    Mismatch,
    #[error(
        "the data centre shows a key that is not known; if it is not Telegram's own, name its key in `telegram.server_keys`"
    )]
    UnknownKey,
    #[error("the data centre offers numbers that are not safe")]
    Unsafe,
    #[error("the data centre refused the key; try again")]
    Refused,
}

fn random<const N: usize>() -> Result<[u8; N], StepError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StepError::NoRandomness)?;
    Ok(bytes)
}

fn ensure(right: bool) -> Result<(), StepError> {
    if right { Ok(()) } else { Err(StepError::Mismatch) }
}

/// A number in as few bytes as it needs.
fn minimal(number: u64) -> Vec<u8> {
    BigUint::from(number).to_bytes_be()
}

/// The first question is asked.
pub(crate) struct Begun {
    nonce: [u8; 16],
}

/// The first question.
pub(crate) fn begin() -> Result<(functions::ReqPqMulti, Begun), StepError> {
    let nonce = random()?;
    Ok((functions::ReqPqMulti { nonce }, Begun { nonce }))
}

/// The second question is asked: a secret of ours is hidden with the key of the data centre.
pub(crate) struct Hidden {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
}

impl Begun {
    pub(crate) fn hide(
        self,
        answer: enums::ResPq,
        keys: &ServerKeys,
    ) -> Result<(functions::ReqDhParams, Hidden), StepError> {
        let enums::ResPq::Pq(answer) = answer;
        let Self { nonce } = self;
        ensure(answer.nonce == nonce)?;
        let product: [u8; 8] = answer.pq.try_into().map_err(|_| StepError::Mismatch)?;
        let number = u64::from_be_bytes(product);
        // Two odd primes of half its size; anything else could not be taken apart in a reasonable time.
        ensure(number % 2 == 1 && (1 << 32..1 << 63).contains(&number))?;
        let fingerprints = &answer.server_public_key_fingerprints;
        let (public_key_fingerprint, key) = keys.find(fingerprints).ok_or(StepError::UnknownKey)?;
        let (p, q) = factorize(number);
        ensure(p > 1 && p < q)?;
        let (server_nonce, new_nonce) = (answer.server_nonce, random()?);
        let (p, q) = (minimal(p), minimal(q));
        let (pq, p_too, q_too) = (product.to_vec(), p.clone(), q.clone());
        let secret = types::PQInnerData { pq, p: p_too, q: q_too, nonce, server_nonce, new_nonce };
        let encrypted_data =
            rsa::encrypt_hashed(&enums::PQInnerData::Data(secret).to_bytes(), &key, &random()?);
        let request =
            functions::ReqDhParams { nonce, server_nonce, p, q, public_key_fingerprint, encrypted_data };
        Ok((request, Hidden { nonce, server_nonce, new_nonce }))
    }
}

/// The third question is asked: both sides can make the key.
pub(crate) struct Agreed {
    hidden: Hidden,
    key: Hashed,
}

impl Hidden {
    pub(crate) fn agree(
        self,
        answer: enums::ServerDhParams,
    ) -> Result<(functions::SetClientDhParams, Agreed), StepError> {
        let enums::ServerDhParams::Ok(answer) = answer else { return Err(StepError::Refused) };
        let Self { nonce, server_nonce, new_nonce } = self;
        ensure(answer.nonce == nonce && answer.server_nonce == server_nonce)?;
        let mut inner = answer.encrypted_answer;
        ensure(inner.len() % 16 == 0 && inner.len() > 20)?;
        let (key, vector) = generate_key_data_from_nonce(&server_nonce, &new_nonce);
        ige_decrypt(&mut inner, &key, &vector);
        let (digest, clear) = inner.split_at(20);
        let mut cursor = Cursor::from_slice(clear);
        let params = enums::ServerDhInnerData::deserialize(&mut cursor).map_err(|_| StepError::Mismatch)?;
        ensure(clear.get(..cursor.pos()).is_some_and(|read| digest == &Sha1::digest(read)[..]))?;
        let enums::ServerDhInnerData::Data(params) = params;
        ensure(params.nonce == nonce && params.server_nonce == server_nonce)?;
        let generator = u32::try_from(params.g).map_err(|_| StepError::Unsafe)?;
        if !is_good_prime(&params.dh_prime, params.g) {
            return Err(StepError::Unsafe);
        }
        let prime = BigUint::from_bytes_be(&params.dh_prime);
        let theirs = BigUint::from_bytes_be(&params.g_a);
        let mut exponent = random::<256>()?;
        let secret = BigUint::from_bytes_be(&exponent);
        exponent.zeroize();
        let ours = BigUint::from(generator).modpow(&secret, &prime);
        if ![&theirs, &ours].into_iter().all(|half| is_far_from_the_ends(half, &prime)) {
            return Err(StepError::Unsafe);
        }
        let shared = theirs.modpow(&secret, &prime).to_bytes_be();
        let mut bytes = [0; 256];
        let start = bytes.len().checked_sub(shared.len()).ok_or(StepError::Unsafe)?;
        bytes[start..].copy_from_slice(&shared);
        let half = types::ClientDhInnerData { nonce, server_nonce, retry_id: 0, g_b: ours.to_bytes_be() };
        let half = enums::ClientDhInnerData::Data(half).to_bytes();
        let mut encrypted_data = [&Sha1::digest(&half)[..], &half].concat();
        let padding: [u8; 16] = random()?;
        let missing = encrypted_data.len().next_multiple_of(16) - encrypted_data.len();
        encrypted_data.extend_from_slice(&padding[..missing]);
        ige_encrypt(&mut encrypted_data, &key, &vector);
        let request = functions::SetClientDhParams { nonce, server_nonce, encrypted_data };
        let agreed =
            Agreed { hidden: Hidden { nonce, server_nonce, new_nonce }, key: Hashed::from_bytes(bytes) };
        bytes.zeroize();
        Ok((request, agreed))
    }
}

/// Whether a half of the secret is between 2^1984 and that much less than the prime.
fn is_far_from_the_ends(half: &BigUint, prime: &BigUint) -> bool {
    let margin = BigUint::from(1_u32) << (2048_u32 - 64);
    *half > margin && *half < prime - &margin
}

impl Agreed {
    /// The key, if the data centre made the same.
    pub(crate) fn finish(self, answer: enums::SetClientDhParamsAnswer) -> Result<AuthKey, StepError> {
        // Of keys that exist already there are so few that starting again is simpler than the retry.
        let enums::SetClientDhParamsAnswer::DhGenOk(answer) = answer else { return Err(StepError::Refused) };
        let Hidden { nonce, server_nonce, new_nonce } = self.hidden;
        ensure(answer.nonce == nonce && answer.server_nonce == server_nonce)?;
        ensure(answer.new_nonce_hash1 == self.key.calc_new_nonce_hash(&new_nonce, 1))?;
        Ok(Secret::new(Box::new(self.key.to_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(nonce: [u8; 16], pq: Vec<u8>, fingerprint: i64) -> enums::ResPq {
        types::ResPq { nonce, server_nonce: [2; 16], pq, server_public_key_fingerprints: vec![fingerprint] }
            .into()
    }

    #[test]
    fn an_answer_to_something_else_is_refused() {
        let keys = ServerKeys::new(&[]).expect("keys");
        let known = -3_414_540_481_677_951_611;
        let product = 0x17ED_4894_1A08_F981_u64.to_be_bytes().to_vec();
        let refusal = |change: &dyn Fn([u8; 16]) -> enums::ResPq| {
            let (request, begun) = begin().expect("begun");
            begun.hide(change(request.nonce), &keys).err()
        };
        assert_eq!(refusal(&|_| answer([0; 16], product.clone(), known)), Some(StepError::Mismatch));
        assert_eq!(refusal(&|nonce| answer(nonce, vec![1], known)), Some(StepError::Mismatch));
        assert_eq!(refusal(&|nonce| answer(nonce, vec![0; 8], known)), Some(StepError::Mismatch));
        assert_eq!(refusal(&|nonce| answer(nonce, product.clone(), 5)), Some(StepError::UnknownKey));
        assert_eq!(refusal(&|nonce| answer(nonce, product.clone(), known)), None);
    }

    #[test]
    fn halves_at_the_ends_are_not_safe() {
        let prime = (BigUint::from(1_u32) << 2048_u32) - 1_u32;
        for half in [BigUint::from(1_u32), &prime - 1_u32, BigUint::ZERO] {
            assert!(!is_far_from_the_ends(&half, &prime));
        }
        assert!(is_far_from_the_ends(&(&prime >> 1_u32), &prime));
    }
}
