//! Names in any script, and the short forms of them that addresses and commands take. Pure.

use crate::text::visible;

/// The longest slug, in bytes.
const LONGEST: usize = 64;

/// Letters and what stands for each.
const LETTERS: &str = "
    а a б b в v г g д d е e ё e ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f х h ц ts ч ch ш sh щ sch ъ _ ы y ь _ э e
    ю yu я ya і i ї yi є ye ґ g ў u ј j љ lj њ nj ћ c ђ dj џ dz қ q ң n ғ g ү u ұ u ө o һ h ә a
    à a á a â a ã a ä a å a ā a ă a ą a ç c ć c č c ď d đ d è e é e ê e ë e ē e ė e ę e ě e ğ g ģ g ì i í i î i ï i ī i į i ı i ķ k ĺ l
    ļ l ľ l ł l ñ n ń n ņ n ň n ò o ó o ô o õ o ö o ø o ő o ō o ŕ r ř r ś s ş s š s ș s ť t ţ t ț t ù u ú u û u ü u ū u ů u ű u ų u ý y ÿ y
    ź z ż z ž z ß ss æ ae œ oe
    α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o ά a έ e ή i ί i ό o ύ y ώ o";

/// The slug of a name: small Latin letters, digits, `_` and `-`. Of a name that is one it is the name itself. A letter of a script
/// without a transcription here becomes its number. Empty if the name has no letter and no digit.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    let shown = visible(name);
    for sign in shown.trim().chars().flat_map(char::to_lowercase) {
        match sign {
            'a'..='z' | '0'..='9' | '-' | '_' => slug.push(sign),
            // The marks of letters that are written in two signs.
            '\u{300}'..='\u{36f}' => {}
            sign => match transcribed(sign) {
                Some("_") => {}
                Some(letters) => slug.push_str(letters),
                None if sign.is_alphanumeric() => slug.extend(["u", &format!("{:x}", u32::from(sign))]),
                None if slug.ends_with('_') => {}
                None => slug.push('_'),
            },
        }
    }
    if !slug.bytes().any(|sign| sign.is_ascii_alphanumeric()) {
        return String::new();
    }
    if slug.len() > LONGEST {
        // Names that begin alike stay apart.
        let end = format!("-{:08x}", checksum(&slug));
        slug.truncate(LONGEST - end.len());
        slug.push_str(&end);
    }
    let trimmed = slug.trim_end_matches('_');
    if shown.trim() == slug { slug } else { trimmed.to_owned() }
}

fn transcribed(sign: char) -> Option<&'static str> {
    let mut pairs = LETTERS.split_whitespace();
    while let (Some(letter), Some(latin)) = (pairs.next(), pairs.next()) {
        if letter.starts_with(sign) {
            return Some(latin);
        }
    }
    None
}

/// FNV-1a.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_any_script_have_slugs_of_their_own() {
        for (name, wanted) in [
            ("spring", "spring"),
            ("_a-1_", "_a-1_"),
            ("Осень", "osen"),
            ("Весна", "vesna"),
            ("Щука и Ёж 2", "schuka_i_ezh_2"),
            ("My Group!", "my_group"),
            ("Été", "ete"),
            ("Ελλάδα", "ellada"),
            ("春", "u6625"),
            ("გაზაფხული", "u10d2u10d0u10d6u10d0u10e4u10eeu10e3u10dau10d8"),
            // й in two signs, a mark of direction, a variation selector, and a letter of a right-to-left script.
            ("Чаи\u{306}", "chay"),
            ("Чай", "chay"),
            ("\u{202b}Чай\u{202c}", "chay"),
            ("Чай ☕\u{fe0f}", "chay"),
            ("שלום", "u5e9u5dcu5d5u5dd"),
            ("../a/b", "_a_b"),
            ("a.b", "a_b"),
            ("🌸", ""),
            ("…", ""),
            ("\u{200b}", ""),
            ("  ", ""),
        ] {
            assert_eq!(slug(name), wanted, "{name}");
        }
        let long = |end: &str| format!("{}{end}", "весна ".repeat(20));
        assert_ne!(slug(&long("а")), slug(&long("б")));
    }

    proptest! {
        #[test]
        fn a_slug_is_a_name_and_its_own_slug(name: String) {
            let made = slug(&name);
            prop_assert!(made.len() <= LONGEST && made.bytes().all(|sign| matches!(sign, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')));
            prop_assert_eq!(slug(&made), made);
        }
    }
}
