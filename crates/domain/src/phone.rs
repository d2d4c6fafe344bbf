//! Phone numbers as people and programs write them, brought to E.164 by the data of libphonenumber. Pure, but for the home
//! country, which the settings give once.

mod country;
mod found;
mod unread;
mod written;

use std::fmt;

use rlibphonenumber::{NumberLengthType, PhoneNumber, PhoneNumberFormat, Region};

pub use country::{Country, InvalidCountry, set_home};
pub use found::{NumberEnd, PhoneDigits, WrittenContacts, digits_in};
pub use unread::UnreadPhone;
pub(crate) use written::{is_other_chat_of_whatsapp, number_in_whatsapp};

/// The fewest and the most digits of a number in international form.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The codes of Telegram's test and anonymous numbers, which no country has.
const OF_TELEGRAM: [&str; 2] = ["999", "888"];

/// A phone number in international form: its digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

impl Phone {
    /// The digits, without the plus.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Reads one number as people write it: at home without its country, as a link, with an extension, as a spreadsheet exports it.
    /// Without a plus, a number is first read as one of the home country.
    ///
    /// # Errors
    /// It is not certain which number is meant.
    pub fn read(text: &str) -> Result<Self, UnreadPhone> {
        let home = Country::home();
        let phone = written::read(text, home)?;
        // What is read is a number itself: a zero within `+84 02…` may have been one of its digits.
        let shown = phone.to_string();
        if shown == text { Ok(phone) } else { written::read(&shown, home) }
    }

    /// The first number that a field names for certain. A form's field may have several numbers, or words beside one.
    pub fn first_in(text: &str) -> Option<Self> {
        let found = match Self::read(text) {
            Ok(phone) => return Some(phone),
            Err(UnreadPhone::Several(found) | UnreadPhone::Words(found)) => found.into_iter().next(),
            Err(_) => None,
        };
        found.or_else(|| Some(Self(WrittenContacts::read(text).phones.first()?.get(1..)?.to_owned())))
    }

    /// The number of digits that a provider gives in international form, with or without a plus.
    pub fn international(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_number = DIGITS.contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| Self(today(digits)))
    }

    /// Reads a number that is not in international form yet, such as `89000007711`. None where the text is to stay as it is.
    pub fn read_typed(text: &str) -> Option<Self> {
        Self::read(text).ok().filter(|phone| Self::international(text).as_ref() != Some(phone))
    }

    /// All the ways in which providers write this number: those of Mexico, Argentina and Brazil have two each.
    pub fn forms(&self) -> Vec<Self> {
        let digits = self.0.as_str();
        let other = match digits.len() {
            12 if digits.starts_with("549") => None,
            12 if digits.starts_with("52") => Some(format!("521{}", &digits[2..])),
            12 if digits.starts_with("54") => Some(format!("549{}", &digits[2..])),
            13 if digits.starts_with("549") => Some(format!("54{}", &digits[3..])),
            13 if digits.starts_with("521") => Some(format!("52{}", &digits[3..])),
            12 if is_short_brazilian(digits) => Some(today(digits)),
            13 if digits.starts_with("55") && digits.as_bytes().get(4) == Some(&b'9') => {
                Some(format!("{}{}", &digits[..4], &digits[5..]))
            }
            _ => None,
        };
        std::iter::once(self.clone()).chain(other.map(Self)).collect()
    }

    /// Reads back digits that the store keeps.
    pub(crate) fn stored(digits: &str) -> Option<Self> {
        let is_number = DIGITS.contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| Self(digits.to_owned()))
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone([REDACTED])")
    }
}

/// A number in E.164, as [`Phone::read`] reads it.
pub fn e164(text: &str) -> Option<String> {
    Phone::read(text).ok().map(|phone| phone.to_string())
}

/// International digits as they are dialled today: numbers of Mexico lost what was dialled before them, mobile numbers of Brazil got a
/// 9.
fn today(digits: &str) -> String {
    let mexican = ["521", "5201", "52044", "52045"].iter().find_map(|old| digits.strip_prefix(old));
    if let Some(number) = mexican.filter(|number| number.len() == 10) {
        return format!("52{number}");
    }
    if is_short_brazilian(digits) {
        return format!("{}9{}", &digits[..4], &digits[4..]);
    }
    digits.to_owned()
}

/// A Brazilian mobile number without its 9: after the area it begins with 6 to 9, as no number at a fixed place does.
fn is_short_brazilian(digits: &str) -> bool {
    digits.len() == 12 && digits.starts_with("55") && matches!(digits.as_bytes().get(4), Some(b'6'..=b'9'))
}

/// Digits of a number at home as they are dialled today.
fn today_at_home(digits: &str, home: Country) -> String {
    let rest = |prefix: &str, length: usize| digits.strip_prefix(prefix).filter(|rest| rest.len() == length);
    let changed = match home.code().as_deref() {
        // Ukraine dialled 8, Mexico 044, 045 and 01, and mobile numbers of Brazil had no 9.
        Some("380") => rest("8", 10).filter(|number| number.starts_with('0')).map(str::to_owned),
        Some("52") => ["044", "045", "01"].iter().find_map(|old| rest(old, 10)).map(str::to_owned),
        Some("55") if digits.len() == 10 => Some(today(&format!("55{digits}")).split_off(2)),
        _ => None,
    };
    changed.unwrap_or_else(|| digits.to_owned())
}

/// How digits became a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// It was written with its country.
    International,
    /// It is a number of the home country.
    Home,
    /// It has the digits of a number of another country, without a plus.
    Foreign,
}

/// The number that these digits are, with or without a plus before them.
///
/// # Errors
/// The numbers that may be meant.
fn decide(digits: &str, has_plus: bool, home: Country) -> Result<(Phone, Reading), Vec<Phone>> {
    if let Some(phone) = without_second_code(digits, home) {
        return Ok((phone, Reading::International));
    }
    if has_plus {
        return decide_international(digits, Candidate::of(digits, Some(home.region())));
    }
    let digits = &today_at_home(digits, home);
    let at_home = Candidate::of(digits, Some(home.region()));
    let abroad = Candidate::of(&format!("+{}", today(digits)), None);
    let abroad = abroad.filter(|found| digits.len() > 7 && found.phone.0.len() == today(digits).len());
    let is_whole = |found: &&Candidate| found.is_valid && digits.len() > 10;
    if let Some(found) = at_home.as_ref().filter(|found| found.is_valid || found.is_shorter_than(digits)) {
        // Without a prefix such as 8 in Russia, digits as long as those of a whole number may be one of another country.
        let other = abroad.as_ref().filter(is_whole).filter(|other| other.phone != found.phone);
        return match other.filter(|_| !found.is_shorter_than(digits)) {
            Some(other) => Err(vec![found.phone.clone(), other.phone.clone()]),
            None => Ok((found.phone.clone(), Reading::Home)),
        };
    }
    if let Some(found) = abroad.as_ref() {
        let is_home = home.code().is_some_and(|code| digits.starts_with(&code));
        if is_home {
            return Ok((found.phone.clone(), Reading::Home));
        }
        if is_whole(&found) {
            return Ok((found.phone.clone(), Reading::Foreign));
        }
    }
    if let Some(rest) = digits.strip_prefix("00")
        && let Ok((phone, _)) = decide_international(rest, Candidate::of(rest, Some(home.region())))
    {
        return Ok((phone, Reading::International));
    }
    Err(abroad.into_iter().map(|found| found.phone).collect())
}

/// The number of one that has the code of the home country twice: a form wrote the first, a person the second.
fn without_second_code(digits: &str, home: Country) -> Option<Phone> {
    let code = home.code()?;
    let rest = digits.strip_prefix(&code).filter(|rest| rest.starts_with(&code))?;
    let of = |digits: &str| Candidate::of(&format!("+{digits}"), None);
    of(rest).filter(|number| number.is_valid && of(digits).is_none()).map(|number| number.phone)
}

fn decide_international(digits: &str, at_home: Option<Candidate>) -> Result<(Phone, Reading), Vec<Phone>> {
    let written = Candidate::of(&format!("+{}", today(digits)), None);
    let at_home = at_home.filter(|found| found.is_valid);
    if OF_TELEGRAM.iter().any(|code| digits.starts_with(code))
        && let Some(phone) = Phone::stored(digits)
    {
        return Ok((phone, Reading::International));
    }
    match (written, at_home) {
        (Some(written), _) if written.is_valid => Ok((written.phone, Reading::International)),
        (Some(written), Some(at_home)) if written.phone != at_home.phone => {
            Err(vec![written.phone, at_home.phone])
        }
        (Some(written), _) => Ok((written.phone, Reading::International)),
        // No country has this code: what is written after the plus is the number as it is dialled at home.
        (None, Some(at_home)) => Ok((at_home.phone, Reading::Home)),
        (None, None) => Err(Vec::new()),
    }
}

/// A number that digits can be; its length is one of its country.
struct Candidate {
    phone: Phone,
    /// Whether the country gives such numbers out.
    is_valid: bool,
    /// The digits after the country's code.
    national: usize,
}

impl Candidate {
    fn of(written: &str, region: Option<Region>) -> Option<Self> {
        let number = PhoneNumber::parse(written, region).ok()?;
        let is_possible = |number: &PhoneNumber| {
            matches!(number.is_possible_with_reason(), Ok(NumberLengthType::IsPossible))
        };
        let is_valid = number.is_valid();
        if !is_valid && !is_possible(&number) {
            return None;
        }
        let e164 = number.format_as(PhoneNumberFormat::E164);
        let kept = if is_valid || PhoneNumber::parse(&e164, None).is_ok_and(|again| again == number) {
            e164.as_ref()
        } else {
            // No country gives this number out, and each reading would cut one more digit off it.
            Some(written).filter(|written| written.starts_with('+')).unwrap_or(e164.as_ref())
        };
        let national = number.get_national_significant_number().len();
        Some(Self { phone: Phone::stored(&today(kept.strip_prefix('+')?))?, is_valid, national })
    }

    /// Whether the digits have a prefix of the country before the number, such as 8 in Russia.
    fn is_shorter_than(&self, digits: &str) -> bool {
        self.national < digits.len() && self.national >= 8
    }
}

#[cfg(test)]
mod tests;
