//! A do-not-contact list as a file: CSV, or one contact a line. Pure.

use crate::do_not_contact::{Contact, ContactKind, NoContact, reason};

/// The columns of a list that is written out.
pub const COLUMNS: [&str; 6] = ["contact", "kind", "source", "added_by", "added_at", "reason"];

/// A line of a list that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLine {
    /// Its number; the first is 1.
    pub number: usize,
    /// Whom it names, and why.
    pub read: Result<(Contact, Option<String>), NoContact>,
}

/// Reads a list. A first line with a column `contact` names the columns; otherwise a line has the contact, and after a
/// comma, a semicolon or a tab the reason. Empty lines and those that begin with `#` say nothing.
pub fn read(text: &str) -> Vec<ListLine> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = text.chars().find(|sign| ",;\t".contains(*sign)).unwrap_or(',');
    let mut lines = (1..).zip(text.lines().map(str::trim)).peekable();
    let named: Vec<String> = lines.peek().map_or_else(Vec::new, |(_, first)| fields(first, separator));
    let place = |name: &str| named.iter().position(|field| field.eq_ignore_ascii_case(name));
    let (contact, kind, why) = match place("contact") {
        Some(contact) => {
            lines.next();
            (contact, place("kind"), place("reason"))
        }
        None => (0, None, Some(1)),
    };
    let says_something = |(_, line): &(usize, &str)| !line.is_empty() && !line.starts_with('#');
    lines
        .filter(says_something)
        .map(|(number, line)| {
            let fields = fields(line, separator);
            let field = |place: Option<usize>| place.and_then(|place| fields.get(place)).map(String::as_str);
            let kind = field(kind).filter(|word| !word.is_empty());
            let read = match kind.map(ContactKind::from_word) {
                Some(None) => Err(NoContact),
                kind => Contact::read(field(Some(contact)).unwrap_or_default(), kind.flatten()),
            };
            ListLine { number, read: read.map(|contact| (contact, field(why).and_then(reason))) }
        })
        .collect()
}

/// A line of CSV, with its end.
pub fn line(fields: &[&str]) -> String {
    let quoted = |field: &&str| {
        if field.contains([',', ';', '\t', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            (*field).to_owned()
        }
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
}

/// The fields of a line; a quoted one may have the separator in it.
fn fields(line: &str, separator: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        let last = fields.len() - 1;
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => fields[last].extend(signs.next()),
            '"' => quoted = !quoted,
            sign if sign == separator && !quoted => fields.push(String::new()),
            sign => fields[last].push(sign),
        }
    }
    fields.into_iter().map(|field| field.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_of(text: &str) -> Vec<(usize, Option<String>, Option<String>)> {
        let parts = |line: ListLine| match line.read {
            Ok((contact, why)) => (line.number, Some(contact.to_string()), why),
            Err(NoContact) => (line.number, None, None),
        };
        read(text).into_iter().map(parts).collect()
    }

    #[test]
    fn a_list_is_read_as_csv_or_a_contact_a_line() {
        let (anna, phone) = (Some("@anna_1".to_owned()), Some("+70000000001".to_owned()));
        let stop = Some("asked, twice".to_owned());
        assert_eq!(
            lines_of("@anna_1\r\n\n# later\n8 (000) 000-00-01\nno one"),
            [(1, anna.clone(), None), (4, phone.clone(), None), (5, None, None),]
        );
        assert_eq!(
            lines_of("\u{feff}t.me/anna_1;\"asked, twice\"\n70000000001;"),
            [(1, anna.clone(), stop.clone()), (2, phone, None),]
        );
        assert_eq!(
            lines_of("Reason,Contact,kind\n\"asked, twice\",anna_1,username\nx,777,phone\nx,7,nonsense"),
            [(2, anna, stop), (3, None, None), (4, None, None),]
        );
        assert_eq!(lines_of(""), []);
    }

    proptest! {
        #[test]
        fn a_written_line_reads_back(name in "[a-z][a-z_0-9]{4,10}", why in "[a-z,;\" ]{0,20}") {
            let text = line(&COLUMNS) + &line(&[&format!("@{name}"), "username", "api", "me", "2026-01-01T00:00:00Z", &why]);
            prop_assert_eq!(lines_of(&text), [(2, Some(format!("@{name}")), reason(&why))]);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            let _ = read(&text);
        }
    }
}
