//! Text that was read in another encoding than it was written in: the bytes of UTF-8 as letters of ISO-8859-1, windows-1252 or
//! windows-1251.

/// How many such letters in a row are no accident.
const IN_A_ROW: usize = 2;
/// The signs of windows-1252 and windows-1251 for the bytes 80 to 9F.
const SIGNS: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸЂЃѓЉЊЌЋЏђљњќћџ";
/// The small letters of windows-1251 among the bytes A0 to BF. Words in capital letters have the others: "СІРІ".
const LETTERS: &str = "ўіґёєјѕї";

/// Says whether a text has a control character that no text has, or two letters in a row that are halves of others.
pub(super) fn is_in(text: &str) -> bool {
    // U+0085 ends a line.
    let is_control = |other: char| matches!(other, '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}');
    text.contains(is_control) || has_pairs(text, is_first_of_latin) || has_pairs(text, is_first_of_cyrillic)
}

/// Whether several pairs follow each other: a first half, then a second one.
fn has_pairs(text: &str, is_first: impl Fn(char) -> bool) -> bool {
    let (mut pairs, mut is_open) = (0, false);
    text.chars().any(|character| {
        if is_open && is_second(character) {
            pairs += 1;
            is_open = false;
            return pairs == IN_A_ROW;
        }
        if is_open {
            pairs = 0;
        }
        is_open = is_first(character);
        if !is_open {
            pairs = 0;
        }
        false
    })
}

/// The bytes with which letters of Latin, Greek, Cyrillic, Hebrew and Arabic scripts begin.
const fn is_first_of_latin(character: char) -> bool {
    matches!(character, '\u{C3}'..='\u{DB}')
}

/// The bytes D0 and D1, with which Cyrillic letters begin, in windows-1251.
const fn is_first_of_cyrillic(character: char) -> bool {
    matches!(character, 'Р' | 'С')
}

fn is_second(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{BF}') || SIGNS.contains(character) || LETTERS.contains(character)
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn text_in_another_encoding_is_found() {
        for text in ["Ð\u{94}Ð°, ÐµÑ\u{81}Ñ\u{82}Ñ\u{8c}", "Ð”Ð°", "РџСЂРёРІРµС‚", "Цена: РґР°", "It\u{92}s"]
        {
            assert!(is_in(text), "{text}");
        }
        for text in [
            "Да, есть в наличии.",
            "РОССИЯ, СССР, Рёма и Сёма",
            "СІРІ ШТАНИ, СЁРЁЖА",
            "Размер «С» — «Р»",
            "Р. С.",
            "«CAFÉ» «IRMÃ»",
            "CAFÉ » À — É…",
            "Ñandú, Ðór, São Paulo",
            "25 °C, ½ кг, ÄÖÜ",
            "",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }
}
