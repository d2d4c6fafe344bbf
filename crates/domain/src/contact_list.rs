//! A do-not-contact list as a file: CSV, or one contact a line. Pure.

use crate::Suppression;
use crate::do_not_contact::{Contact, ContactKind, NoContact, reason};
use crate::phone::Phone;
use crate::text::{announced_separator, folded, with_line_feeds};

/// The columns of a list that is written out.
pub const COLUMNS: [&str; 7] = ["contact", "kind", "level", "source", "added_by", "added_at", "reason"];

/// A line of a list that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLine {
    /// Its number; the first is 1.
    pub number: usize,
    /// What it says, or why it cannot be read.
    pub read: Result<ListedContact, NoContact>,
}

/// A contact of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedContact {
    /// The person or group.
    pub contact: Contact,
    /// What the entry refuses.
    pub level: Suppression,
    /// Why, in a few words.
    pub reason: Option<String>,
    /// Whether the contact is a number without a kind. The number may also be the id of a chat of a channel.
    pub is_bare_id: bool,
}

/// Columns that other programs call otherwise, as they are compared: small letters, without signs.
const CONTACTS: [(Option<ContactKind>, &[&str]); 5] = [
    (None, &["contact", "contacts", "контакт", "контакты", "recipient", "получатель", "адресат"]),
    (
        Some(ContactKind::Phone),
        &[
            "phone",
            "phones",
            "phonenumber",
            "telephone",
            "tel",
            "mobile",
            "mobilephone",
            "cell",
            "whatsapp",
            "msisdn",
            "телефон",
            "телефоны",
            "тел",
            "номертелефона",
            "номер",
            "мобильный",
            "мобильныйтелефон",
            "сотовый",
        ],
    ),
    (
        Some(ContactKind::Address),
        &[
            "email",
            "emails",
            "mail",
            "emailaddress",
            "address",
            "почта",
            "электроннаяпочта",
            "элпочта",
            "имейл",
        ],
    ),
    (
        Some(ContactKind::Username),
        &["username", "telegram", "telegramusername", "tg", "nickname", "ник", "телеграм"],
    ),
    (Some(ContactKind::ChatId), &["chatid", "telegramid", "userid", "tgid"]),
];

/// Parts of the names of other columns with a phone number or an address, such as `mobilephone2` and `workemail`.
const PARTS: [(ContactKind, &[&str]); 2] = [
    (ContactKind::Phone, &["phone", "mobile", "whatsapp", "телефон", "мобильн", "сотов"]),
    (ContactKind::Address, &["email", "почта", "имейл"]),
];
/// Parts of the names of columns that are about a contact, and have none.
const ABOUT: [&str; 14] = [
    "opt",
    "unsub",
    "donot",
    "дата",
    "date",
    "статус",
    "status",
    "тип",
    "type",
    "verified",
    "count",
    "valid",
    "label",
    "owner",
];

/// What the contacts of a column are named by, if that is known.
struct ContactColumn(Option<ContactKind>);

/// Reads the name of a column; none where it has no contacts.
fn contact_column(name: &str) -> Option<ContactColumn> {
    let known =
        CONTACTS.iter().find(|(_, known)| known.contains(&name)).map(|(kind, _)| ContactColumn(*kind));
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    known.or_else(|| {
        let (kind, _) = PARTS.iter().find(|(_, parts)| has(parts)).filter(|_| !has(&ABOUT))?;
        Some(ContactColumn(Some(*kind)))
    })
}

/// Columns that say whether a contact is on the list at all.
const FLAGS: [&str; 9] = [
    "donotcontact",
    "donotcall",
    "donotmail",
    "optout",
    "optedout",
    "unsubscribed",
    "stop",
    "неписать",
    "небеспокоить",
];

/// What such a column says of those who may be written to.
const NO: [&str; 12] = ["false", "f", "0", "0.0", "off", "no", "n", "нет", "н", "-", "ложь", ""];

/// What the columns of a list are.
#[derive(Default)]
struct Layout {
    contacts: Vec<(usize, Option<ContactKind>)>,
    kind: Option<usize>,
    reason: Option<usize>,
    level: Option<usize>,
    flags: Vec<usize>,
    has_names: bool,
}

impl Layout {
    /// The columns that a first line names; one contact and its reason where it names none.
    fn of(first: &[String]) -> Self {
        let names: Vec<String> = first
            .iter()
            .map(|field| folded(field).chars().filter(|one| one.is_alphanumeric()).collect())
            .collect();
        let place = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
        let contacts: Vec<_> =
            (0..).zip(&names).filter_map(|(place, name)| Some((place, contact_column(name)?.0))).collect();
        // A username may be called like a column.
        let has_sign = first.iter().any(|field| field.starts_with('@'));
        if contacts.is_empty() || has_sign {
            return Self { contacts: vec![(0, None)], ..Self::default() };
        }
        Self {
            contacts,
            kind: place(&["kind", "вид"]),
            level: place(&["level", "refuses", "уровень"]),
            reason: place(&["reason", "причина", "comment", "comments", "комментарий", "note", "notes"]),
            flags: (0..)
                .zip(&names)
                .filter(|(_, name)| FLAGS.contains(&name.as_str()))
                .map(|(place, _)| place)
                .collect(),
            has_names: true,
        }
    }
}

/// Reads a list. A first line that names columns, such as `contact`, `phone` or `email`, is no contact, and each of these columns
/// has one; otherwise a line has the contact, and after a comma, a semicolon or a tab the reason. A second contact in the place of the
/// reason is read too. A first line such as `sep=;` says what separates columns. Empty lines and those that begin with `#` say nothing. Lines end as on any system.
pub fn read(text: &str) -> Vec<ListLine> {
    let text = with_line_feeds(text).replace(['\u{2028}', '\u{2029}', '\u{85}'], "\n");
    let announced = text.lines().next().and_then(announced_separator);
    let found = || text.chars().find(|sign| ",;\t".contains(*sign));
    let separator = announced.or_else(found).unwrap_or(',');
    let says_something = |(_, line): &(usize, &str)| !line.is_empty() && !line.starts_with('#');
    let lines = (1..).zip(text.lines().map(str::trim)).skip(usize::from(announced.is_some()));
    let mut lines = lines.filter(says_something).peekable();
    let first = lines.peek().map_or_else(Vec::new, |(_, first)| fields(first, separator));
    let layout = Layout::of(&first);
    if layout.has_names {
        lines.next();
    }
    lines.flat_map(|(number, line)| read_line(number, &fields(line, separator), &layout)).collect()
}

fn read_line(number: usize, fields: &[String], layout: &Layout) -> Vec<ListLine> {
    let field = |place: Option<usize>| place.and_then(|place| fields.get(place)).map(String::as_str);
    let says_no = |place: &usize| NO.contains(&folded(field(Some(*place)).unwrap_or_default()).as_str());
    if !layout.flags.is_empty() && layout.flags.iter().all(says_no) {
        return Vec::new();
    }
    let word = field(layout.kind).filter(|word| !word.is_empty());
    let stated = word.map(|word| ContactKind::from_word(word).ok_or(NoContact::Kind)).transpose();
    let given: Vec<_> = layout
        .contacts
        .iter()
        .filter_map(|(place, kind)| Some((fields.get(*place)?.as_str(), *kind)))
        .collect();
    // A list without levels is one of people who want nothing.
    let word = field(layout.level).filter(|word| !word.is_empty());
    let level = word
        .map_or(Ok(Suppression::All), |word| Suppression::from_word(&folded(word)).ok_or(NoContact::Level));
    let read_one = |(text, kind): &(&str, Option<ContactKind>)| -> Result<(Contact, bool), NoContact> {
        let stated = stated.clone()?;
        let kind = stated.or(*kind);
        let contact = Contact::read(text, kind)?;
        // A column of addresses may have anything in it.
        let is_address = contact.kind() != ContactKind::Address || text.contains(['@', ':']);
        if stated.is_none() && kind == Some(ContactKind::Address) && !is_address {
            return Ok((Contact::Phone(Phone::read(text)?), false));
        }
        let is_bare_id = contact.is_bare_id(text, kind);
        Ok((contact, is_bare_id))
    };
    let mut read: Vec<Result<(Contact, bool), NoContact>> =
        given.iter().filter(|(text, _)| !text.is_empty() || given.len() == 1).map(read_one).collect();
    if read.is_empty() {
        read.push(Err(NoContact::Unknown));
    }
    let mut why = field(layout.reason).and_then(reason);
    if !layout.has_names {
        for text in fields.iter().skip(1).filter(|text| !text.is_empty()) {
            match Contact::read(text, None) {
                Ok(contact @ (Contact::Phone(_) | Contact::Address(_))) => read.push(Ok((contact, false))),
                Ok(contact @ Contact::Username(_)) if text.starts_with('@') => {
                    read.push(Ok((contact, false)));
                }
                _ => why = why.or_else(|| reason(text)),
            }
        }
    }
    let listed = |(contact, is_bare_id): (Contact, bool)| -> Result<ListedContact, NoContact> {
        let level = level.clone()?;
        Ok(ListedContact { contact, level, reason: why.clone(), is_bare_id })
    };
    read.into_iter().map(|read| ListLine { number, read: read.and_then(listed) }).collect()
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
            Ok(listed) => (line.number, Some(listed.contact.to_string()), listed.reason),
            Err(_) => (line.number, None, None),
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

    #[test]
    fn columns_of_other_programs_are_read_and_lines_end_as_on_any_system() {
        let one = |text: &str| Some(text.to_owned());
        assert_eq!(
            lines_of("email,doNotContact\nx@example.org,true\ny@example.org,false"),
            [(2, one("x@example.org"), None)]
        );
        assert_eq!(
            lines_of("phone;name\n(900)0007711;Anna\n;Ivan"),
            [(2, one("+79000007711"), None), (3, None, None)]
        );
        assert_eq!(
            lines_of("Имя\tТелефон\tE-mail\tПричина\nАнна\t9000007711\tx@example.org\tпросила"),
            [(2, one("+79000007711"), one("просила")), (2, one("x@example.org"), one("просила")),]
        );
        assert_eq!(
            lines_of(
                "Телефон;Телефон 2;Рабочий e-mail;Email opt out\n9000007711;9000007712;x@example.org;yes"
            ),
            [(2, one("+79000007711"), None), (2, one("+79000007712"), None), (2, one("x@example.org"), None)]
        );
        assert_eq!(
            lines_of(
                "email,doNotCall,doNotMail\nx@example.org,false,true\ny@example.org,off,\n+79000007711,1,\nn/a,1,"
            ),
            [(2, one("x@example.org"), None), (4, one("+79000007711"), None), (5, None, None)]
        );
        assert_eq!(lines_of("Phone number\r8 900 000-77-11\r8 900 000-77-12\r").len(), 2);
        assert_eq!(lines_of("@client_1\r@client_2\r\n@client_3\u{2028}@client_4").len(), 4);
        assert_eq!(lines_of("telegram\n@client_1"), [(2, one("@client_1"), None)]);
        assert_eq!(lines_of("@telegram\n@client_1").len(), 2);
        assert_eq!(
            lines_of("+79000007711, +79000007712\n@anna_1,asked"),
            [
                (1, one("+79000007711"), None),
                (1, one("+79000007712"), None),
                (2, one("@anna_1"), one("asked")),
            ]
        );
        assert_eq!(lines_of("79000007716.0\n+9000007711"), [(1, one("+79000007716"), None), (2, None, None)]);
    }

    #[test]
    fn a_column_says_what_each_entry_refuses() {
        let list = "contact,level\n@client_1,advertising\n@client_2,ALL\n@client_3,\n@client_4,never\n@client_5,paused";
        let levels: Vec<_> =
            read(list).into_iter().map(|line| line.read.map(|listed| listed.level)).collect();
        let all = Ok(Suppression::All);
        let (advertising, paused) = (Ok(Suppression::Advertising), Ok(Suppression::Paused));
        assert_eq!(levels, [advertising, all.clone(), all.clone(), Err(NoContact::Level), paused]);
        assert_eq!(read("@client_1")[0].read.clone().map(|listed| listed.level), all);
    }

    proptest! {
        #[test]
        fn a_written_line_reads_back(name in "[a-z][a-z_0-9]{4,10}", why in "[a-z,;\" ]{0,20}") {
            let named = format!("@{name}");
            let fields: [&str; 7] = [&named, "username", "advertising", "api", "me", "2026-01-01T00:00:00Z", &why];
            let text = line(&COLUMNS) + &line(&fields);
            prop_assert_eq!(lines_of(&text), [(2, Some(format!("@{name}")), reason(&why))]);
            prop_assert_eq!(read(&text)[0].read.clone().map(|listed| listed.level), Ok(Suppression::Advertising));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            let _ = read(&text);
        }
    }
}
