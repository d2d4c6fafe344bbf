//! AES-256 in the IGE mode, which MTProto encrypts packets with: each block is mixed with the one before it, clear and
//! encrypted, so that blocks cannot be done side by side. Pure.
//!
//! The whole run goes through the cipher's backend in one piece: the instructions of the processor are looked for once for a
//! packet instead of once for each of its blocks, and the round keys stay in registers. That halves the time.
//!
//! After <https://core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector>.

use aes::Aes256;
use aes::cipher::common::BlockSizeUser;
use aes::cipher::consts::U16;
use aes::cipher::{
    Array, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncBackend,
    BlockCipherEncClosure, BlockCipherEncrypt, KeyInit,
};

pub(super) const BLOCK: usize = 16;

/// One packet and what its first block is mixed with.
struct Run<'a> {
    data: &'a mut [u8],
    encrypted_before: u128,
    clear_before: u128,
}

impl<'a> Run<'a> {
    fn new(data: &'a mut [u8], vector: &[u8; 32]) -> Self {
        let (encrypted, clear) = vector.split_at(BLOCK);
        Self { data, encrypted_before: number(encrypted), clear_before: number(clear) }
    }
}

/// A block as a number, for mixing: which end comes first is all the same.
fn number(block: &[u8]) -> u128 {
    block.try_into().map_or(0, u128::from_ne_bytes)
}

impl BlockSizeUser for Run<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Run<'_> {
    #[expect(
        clippy::inline_always,
        reason = "only inside the backend's own function are its instructions there"
    )]
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(mut self, backend: &B) {
        for place in self.data.chunks_exact_mut(BLOCK) {
            let clear = number(place);
            let mut block = Array((clear ^ self.encrypted_before).to_ne_bytes());
            backend.encrypt_block_inplace(&mut block);
            self.encrypted_before = u128::from_ne_bytes(block.0) ^ self.clear_before;
            self.clear_before = clear;
            place.copy_from_slice(&self.encrypted_before.to_ne_bytes());
        }
    }
}

impl BlockCipherDecClosure for Run<'_> {
    #[expect(
        clippy::inline_always,
        reason = "only inside the backend's own function are its instructions there"
    )]
    #[inline(always)]
    fn call<B: BlockCipherDecBackend<BlockSize = U16>>(mut self, backend: &B) {
        for place in self.data.chunks_exact_mut(BLOCK) {
            let encrypted = number(place);
            let mut block = Array((encrypted ^ self.clear_before).to_ne_bytes());
            backend.decrypt_block_inplace(&mut block);
            self.clear_before = u128::from_ne_bytes(block.0) ^ self.encrypted_before;
            self.encrypted_before = encrypted;
            place.copy_from_slice(&self.clear_before.to_ne_bytes());
        }
    }
}

/// Encrypts in place. Whole blocks only: what is over at the end stays as it is.
pub(super) fn encrypt(data: &mut [u8], key: &[u8; 32], vector: &[u8; 32]) {
    Aes256::new(key.into()).encrypt_with_backend(Run::new(data, vector));
}

/// Decrypts in place. Whole blocks only: what is over at the end stays as it is.
pub(super) fn decrypt(data: &mut [u8], key: &[u8; 32], vector: &[u8; 32]) {
    Aes256::new(key.into()).decrypt_with_backend(Run::new(data, vector));
}

#[cfg(test)]
mod tests {
    use grammers_crypto::aes::{ige_decrypt, ige_encrypt};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_cipher_matches_another_implementation(
            blocks in 0..40_usize, seed in any::<u8>(), key in any::<[u8; 32]>(), vector in any::<[u8; 32]>(),
        ) {
            let clear: Vec<u8> = (seed..=255).cycle().take(blocks * BLOCK).collect();
            let (mut ours, mut theirs) = (clear.clone(), clear.clone());
            encrypt(&mut ours, &key, &vector);
            ige_encrypt(&mut theirs, &key, &vector);
            prop_assert_eq!(&ours, &theirs);
            decrypt(&mut ours, &key, &vector);
            ige_decrypt(&mut theirs, &key, &vector);
            prop_assert_eq!(&ours, &clear);
            prop_assert_eq!(&theirs, &clear);
        }
    }
}
