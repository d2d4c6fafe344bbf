//! The proof that someone knows a two-step password, without revealing it.
//!
//! After <https://core.telegram.org/api/srp>. The work takes a while, as it is meant to.

use domain::SecretText;
use domain::secret::{ExposeSecret, Zeroize};
use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_tl_types::{enums, types};
use mtproto::is_good_prime;
use num_bigint::BigUint;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProofError {
    #[error("Telegram asks for the password in a way that this version does not know")]
    UnknownAlgorithm,
    #[error("Telegram asks for the password with numbers that are not safe")]
    Unsafe,
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// The answer to a question for the password. Blocks for a moment.
pub(crate) fn proof(
    question: types::account::Password,
    password: &SecretText,
) -> Result<enums::InputCheckPasswordSrp, ProofError> {
    let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(how)) =
        question.current_algo
    else {
        return Err(ProofError::UnknownAlgorithm);
    };
    let (Some(srp_id), Some(theirs)) = (question.srp_id, question.srp_b) else {
        return Err(ProofError::UnknownAlgorithm);
    };
    let (half, prime) = (BigUint::from_bytes_be(&theirs), BigUint::from_bytes_be(&how.p));
    if theirs.len() > 256 || half == BigUint::ZERO || half >= prime || !is_good_prime(&how.p, how.g) {
        return Err(ProofError::Unsafe);
    }
    let mut ours = [0; 256];
    getrandom::fill(&mut ours).map_err(|_| ProofError::NoRandomness)?;
    let plain = password.expose_secret();
    let (m1, a) = calculate_2fa(&how.salt1, &how.salt2, &how.p, &how.g, theirs, ours.to_vec(), plain);
    ours.zeroize();
    Ok(types::InputCheckPasswordSrp { srp_id, a: a.to_vec(), m1: m1.to_vec() }.into())
}
