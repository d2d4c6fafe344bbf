//! Whether numbers that a server offers are safe to make a secret with.

use std::sync::LazyLock;

use grammers_crypto::two_factor_auth::check_p_and_g;
use num_bigint::BigUint;

/// The 2048-bit prime that Telegram publishes. It was checked once for all, which takes a while.
const PUBLISHED: &str = concat!(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB",
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64",
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41",
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4",
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF",
    "6F4FADF034B10403119CD8E3B92FCC5B",
);

/// The generators that are known to be good with it: those of its quadratic residues.
const GENERATORS: [i32; 3] = [3, 4, 7];

static PRIME: LazyLock<Vec<u8>> =
    LazyLock::new(|| BigUint::parse_bytes(PUBLISHED.as_bytes(), 16).unwrap_or_default().to_bytes_be());

/// Whether a prime and a generator may be used (<https://core.telegram.org/mtproto/auth_key>). Slow for any prime but
/// the published one.
pub fn is_good_prime(prime: &[u8], generator: i32) -> bool {
    if prime == &PRIME[..] && GENERATORS.contains(&generator) {
        return true;
    }
    (2..=7).contains(&generator) && prime != &PRIME[..] && check_p_and_g(prime, &generator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_residue(generator: i32) -> bool {
        let prime = BigUint::from_bytes_be(&PRIME);
        let half = (&prime - 1_u32) >> 1_u32;
        BigUint::from(generator.unsigned_abs()).modpow(&half, &prime) == BigUint::from(1_u32)
    }

    #[test]
    fn only_generators_that_hide_the_exponent_are_accepted() {
        let good: Vec<i32> = (2..=7).filter(|generator| is_residue(*generator)).collect();
        assert_eq!(good, GENERATORS);
    }

    #[test]
    fn other_numbers_are_refused() {
        assert!(is_good_prime(&PRIME, 3));
        assert!(!is_good_prime(&PRIME, 2) && !is_good_prime(&PRIME, 1) && !is_good_prime(&PRIME, 8));
        assert!(!is_good_prime(&[7], 3) && !is_good_prime(&[], 3));
        let mut even = PRIME.clone();
        even[255] -= 1;
        assert!(!is_good_prime(&even, 3));
    }
}
