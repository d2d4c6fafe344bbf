//! `If-None-Match`: whether a reader has a file already (RFC 9110, 13.1.2). Pure.

use http::HeaderMap;
use http::header::IF_NONE_MATCH;

/// What a reader says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Has {
    /// Whatever the file is now: `*`.
    Any,
    /// Files with these tags, without quotes and without the mark of weak ones: the header compares weakly. Often none.
    Tagged(Vec<Vec<u8>>),
}

impl Has {
    /// Reads the header. From where it cannot be read on, it says nothing: a file too much is better than one too few.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let lines: Vec<&[u8]> = headers.get_all(IF_NONE_MATCH).iter().map(AsRef::as_ref).collect();
        match lines.as_slice() {
            [only] if only.trim_ascii() == b"*" => Self::Any,
            lines => Self::Tagged(lines.iter().flat_map(|line| tags(line)).map(<[u8]>::to_vec).collect()),
        }
    }

    /// Whether that is the file with this tag, which is given without quotes.
    pub(crate) fn is(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tagged(tags) => tags.iter().any(|one| one == tag.as_bytes()),
        }
    }
}

/// The tags in one line, which may have commas in them.
fn tags(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        while let [b' ' | b'\t' | b',', after @ ..] = rest {
            rest = after;
        }
        let quoted = rest.strip_prefix(b"W/").unwrap_or(rest).strip_prefix(b"\"")?;
        let end = quoted.iter().position(|byte| !matches!(byte, 0x21 | 0x23..=0x7e | 0x80..))?;
        let (tag, after) = quoted.split_at_checked(end)?;
        rest = after.strip_prefix(b"\"")?;
        // Two tags are side by side only with a comma between them.
        let behind = rest.trim_ascii_start();
        if !behind.is_empty() && !behind.starts_with(b",") {
            rest = b"";
        }
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Has {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_NONE_MATCH, HeaderValue::from_bytes(line.as_bytes()).expect("a value"));
        }
        Has::read(&headers)
    }

    #[test]
    fn entity_tags_are_read_as_in_the_standard() {
        for lines in [
            &[r#""xyzzy""#][..],
            &[r#"W/"xyzzy""#],
            &[r#""r2d2xxxx", "xyzzy", "c3piozzzz""#],
            &[r#"W/"r2d2xxxx",W/"xyzzy" , "#],
            &[r#""other""#, r#""xyzzy""#],
            &[r#",, "a,b" ,"xyzzy""#],
            &["*"],
            &[" * "],
        ] {
            assert!(read(lines).is("xyzzy"), "{lines:?}");
        }
        for lines in [
            &[][..],
            &[""],
            &["xyzzy"],
            &[r#""xyzzy"#],
            &[r#""xyzzy2""#],
            &[r#""XYZZY""#],
            &[r#"w/"xyzzy""#],
            &[r#""a" "xyzzy""#],
            &[r#""a","*""#],
            &["*", r#""a""#],
            &[r#"*, "xyzzy""#],
        ] {
            assert!(!read(lines).is("xyzzy"), "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn a_tag_is_found_exactly_when_it_is_listed(
            listed in prop::collection::vec(("[!#-~é]{0,4}", any::<bool>(), "[ \t]{0,2},[ ,\t]{0,3}"), 0..5),
            lines in 1..3_usize,
            requested in "[!#-~é]{0,4}",
        ) {
            let written: Vec<_> = listed
                .iter()
                .map(|(tag, weak, behind)| format!("{}\"{tag}\"{behind}", if *weak { "W/" } else { "" }))
                .collect();
            let line = written.concat();
            let has = read(&vec![line.as_str(); lines]);
            for (tag, ..) in &listed {
                prop_assert!(has.is(tag));
            }
            prop_assert_eq!(has.is(&requested), listed.iter().any(|(tag, ..)| *tag == requested));
        }

        #[test]
        fn any_header_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let has = Has::read(&HeaderMap::from_iter([(IF_NONE_MATCH, value)]));
                prop_assert!(has == Has::Any || !has.is("no \" tag"));
            }
        }
    }
}
