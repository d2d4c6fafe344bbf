//! Ranges: which bytes of a file a caller asks for (RFC 9110, one range of bytes). Pure.

/// What the header `Range` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// From this byte to the end.
    From(u64),
    /// From this byte to that one, both included.
    Between(u64, u64),
    /// The number of last bytes.
    Last(u64),
}

/// Some bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first.
    pub(crate) start: u64,
    /// How many; never 0.
    pub(crate) length: u64,
}

/// The file has none of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsatisfiable;

impl Wanted {
    /// Reads the header. What cannot be read, or names several ranges, asks for everything: so the standard has it.
    pub(crate) fn read(header: &str) -> Self {
        Self::one(header).unwrap_or(Self::All)
    }

    fn one(header: &str) -> Option<Self> {
        let (unit, range) = header.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
            // A number past all files is past this one.
            digits.then(|| text.parse().unwrap_or(u64::MAX))
        };
        match (first.trim(), last.trim()) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => number(first).map(Self::From),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// The bytes of a file of this size; nothing for all of them.
    pub(crate) fn within(self, size: u64) -> Result<Option<Span>, Unsatisfiable> {
        let (start, end) = match self {
            Self::All => return Ok(None),
            Self::From(first) => (first, size),
            Self::Between(first, last) => (first, last.saturating_add(1).min(size)),
            Self::Last(count) => (size.saturating_sub(count), size),
        };
        match end.checked_sub(start) {
            None | Some(0) => Err(Unsatisfiable),
            Some(length) => Ok(Some(Span { start, length })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn range_headers_of_clients_are_read() {
        for (header, wanted) in [
            ("bytes=0-99", Wanted::Between(0, 99)),
            ("Bytes = 5 - 5", Wanted::Between(5, 5)),
            ("bytes=100-", Wanted::From(100)),
            ("bytes=-100", Wanted::Last(100)),
            ("bytes=0-99999999999999999999999", Wanted::Between(0, u64::MAX)),
        ] {
            assert_eq!(Wanted::read(header), wanted, "{header}");
        }
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=9-1",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=a-b",
            "bytes=+1-2",
        ] {
            assert_eq!(Wanted::read(header), Wanted::All, "{header}");
        }
    }

    #[test]
    fn ranges_are_limited_to_the_file() {
        let span = |start, length| Ok(Some(Span { start, length }));
        assert_eq!(Wanted::All.within(0), Ok(None));
        assert_eq!(Wanted::Between(2, 100).within(10), span(2, 8));
        assert_eq!(Wanted::Last(3).within(10), span(7, 3));
        assert_eq!(Wanted::Last(30).within(10), span(0, 10));
        for (wanted, size) in
            [(Wanted::From(10), 10), (Wanted::Last(0), 10), (Wanted::Last(5), 0), (Wanted::Between(0, 0), 0)]
        {
            assert_eq!(wanted.within(size), Err(Unsatisfiable), "{wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn a_span_lies_within_its_file(header in "bytes=[0-9]{0,4}-[0-9]{0,4}", size in 0..5000_u64) {
            if let Ok(Some(span)) = Wanted::read(&header).within(size) {
                prop_assert!(span.length > 0 && span.start + span.length <= size);
            }
        }
    }
}
