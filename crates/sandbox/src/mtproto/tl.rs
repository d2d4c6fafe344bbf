//! TL values read and written by hand: the generated types cannot hold an inner object that is not parsed yet.

use grammers_tl_types::{Identifiable, Serializable};

/// `rpc_result#f35c6d01 req_msg_id:long result:Object`
pub(crate) const RPC_RESULT: u32 = 0xf35c_6d01;
/// `msg_container#73f1f8dc messages:vector<message>`
pub(crate) const MESSAGE_CONTAINER: u32 = 0x73f1_f8dc;
/// `gzip_packed#3072cfa1 packed_data:bytes`
pub(crate) const GZIP_PACKED: u32 = 0x3072_cfa1;

/// The bytes end too early, or a length in them is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes end too early or hold an impossible length")]
pub(crate) struct Malformed;

/// Reads TL values from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    /// An `int` that counts something.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.i32()?).map_err(|_| Malformed)
    }

    /// A `bytes`, with its padding.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let [first] = self.array()?;
        let (header, length) = if first == 254 {
            let [low, middle, high] = self.array()?;
            (4, usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16)
        } else {
            (1, usize::from(first))
        };
        let value = self.take(length)?;
        self.take((header + length).next_multiple_of(4) - header - length)?;
        Ok(value)
    }

    /// A `Vector<long>`.
    pub(crate) fn longs(&mut self) -> Result<Vec<i64>, Malformed> {
        const VECTOR: u32 = 0x1cb5_c415;
        if self.u32()? != VECTOR {
            return Err(Malformed);
        }
        let count = self.count()?;
        let mut bytes = Reader(self.take(count.checked_mul(8).ok_or(Malformed)?)?);
        (0..count).map(|_| bytes.i64()).collect()
    }
}

/// The constructor id at the front of an object.
pub(crate) fn constructor(object: &[u8]) -> Option<u32> {
    object.first_chunk().map(|id| u32::from_le_bytes(*id))
}

/// A length as TL writes it. What is written here is bounded far below the type's end.
pub(crate) fn int(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// Appends a `bytes`.
pub(crate) fn put_bytes(out: &mut Vec<u8>, value: &[u8]) {
    let start = out.len();
    match u8::try_from(value.len()) {
        Ok(short) if short < 254 => out.push(short),
        _ => {
            out.push(254);
            out.extend_from_slice(&int(value.len()).to_le_bytes()[..3]);
        }
    }
    out.extend_from_slice(value);
    let length = out.len() - start;
    out.resize(start + length.next_multiple_of(4), 0);
}

/// Appends an object with its constructor id.
pub(crate) fn put_boxed<T: Identifiable + Serializable>(out: &mut Vec<u8>, value: &T) {
    T::CONSTRUCTOR_ID.serialize(out);
    value.serialize(out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wrong_length_is_an_error() {
        assert_eq!(Reader::new(&[5, 1, 2, 3]).bytes(), Err(Malformed));
        assert_eq!(Reader::new(&[]).bytes(), Err(Malformed));
        assert_eq!(Reader::new(&[0xff; 4]).count(), Err(Malformed));
        assert_eq!(Reader::new(&[0x15, 0xc4, 0xb5, 0x1c, 0xff, 0xff, 0xff, 0x7f]).longs(), Err(Malformed));
    }

    proptest! {
        #[test]
        fn bytes_survive_a_round_trip(value in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut out = vec![7];
            put_bytes(&mut out, &value);
            prop_assert_eq!((out.len() - 1) % 4, 0);
            let mut generated = Vec::new();
            value.serialize(&mut generated);
            prop_assert_eq!(&out[1..], &generated[..]);
            prop_assert_eq!(Reader::new(&out[1..]).bytes(), Ok(&value[..]));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(value in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Reader::new(&value).bytes();
            let _ = Reader::new(&value).longs();
        }
    }
}
