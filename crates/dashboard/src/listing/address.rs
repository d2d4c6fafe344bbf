//! A path with a query that leaves out what is empty.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Names and values of a query.
pub(crate) type Pairs<'a> = [(&'a str, &'a str)];

pub(crate) fn address(path: &str, pairs: &Pairs<'_>) -> String {
    let mut whole = path.to_owned();
    let mut joint = '?';
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        whole.push(joint);
        whole.push_str(name);
        whole.push('=');
        whole.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        joint = '&';
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn empty_values_are_left_out() {
        assert_eq!(address("/messages", &[("q", ""), ("state", "")]), "/messages");
        assert_eq!(
            address("/messages", &[("q", "a b&c"), ("state", "sent")]),
            "/messages?q=a%20b%26c&state=sent"
        );
    }

    proptest! {
        #[test]
        fn written_values_read_back(value in "\\PC{1,40}") {
            let whole = address("/logs", &[("a", ""), ("q", &value)]);
            let query = whole.split_once('?').map_or("", |(_, query)| query);
            let read: Vec<(String, String)> = serde_urlencoded::from_str(query).expect("a query");
            prop_assert_eq!(read, vec![("q".to_owned(), value)]);
        }
    }
}
