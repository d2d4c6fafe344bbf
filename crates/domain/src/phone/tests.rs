//! Numbers as people and programs write them, and what is refused.

use proptest::prelude::*;

use super::*;

fn read_in(text: &str, country: &str) -> Result<String, UnreadPhone> {
    written::read(text, country.parse().expect("a country")).map(|phone| phone.to_string())
}

fn read(text: &str) -> Option<String> {
    read_in(text, "RU").ok()
}

#[test]
fn a_number_is_read_however_it_is_written() {
    for text in [
        "+79000007711",
        "8 900 000-77-11",
        "89000007711",
        "79000007711",
        "(900)0007711",
        "900 000-77-11",
        "+7 (900) 000-77-11",
        "+7 8 900 000 77 11",
        "+8 900 000 77 11",
        "7.900.000.77.11",
        "007 900 000 77 11",
        "79000007711.0",
        "79000007711,00",
        "7.9000007711E+10",
        "7,9000007711e+10",
        "'79000007711",
        "=\"+79000007711\"",
        "tel:+7-900-000-77-11",
        "tel:+79000007711;ext=12",
        "+7\t900\t000\t77\t11",
        "+7\u{a0}900\u{202f}000\u{2011}77\u{2013}11",
        "\u{202a}+79000007711\u{202c}",
        "\u{feff}8900\u{200b}0007711",
        "＋７（９００）０００－７７－１１",
        "٧٩٠٠٠٠٠٧٧١١",
        "+7 900 000 77 11 доб. 12",
        "+7 900 000 77 11 (доб 12)",
        "+7 900 000 77 11, доб. 12",
        "8 900 000 77 11 ext 3",
        "8 900 000 77 11 x3",
        "8 900 000 77 11 #305",
        "тел.: 8 900 000 77 11",
        "Моб. +7 900 000 77 11",
        "WhatsApp +7 900 000-77-11",
        "https://wa.me/79000007711?text=hi",
        "https://api.whatsapp.com/send?phone=79000007711&text=a",
        "viber://chat?number=%2B79000007711",
        "(+7) 900 000 77 11",
        "+ 7 900 000 77 11",
        "+79000007711;ext=12",
        "+79000007711p12",
        "+79000007711w12",
        "8 900 000 77 11*12",
        "8 900 000 77 11 доб.номер 12",
        "8 900 000 77 11 вн.12",
        "79000007711@c.us",
        "79000007711@s.whatsapp.net",
        "79000007711:12@s.whatsapp.net",
        "79000007711:3@C.US",
        "https://t.me/+79000007711",
        "8 9OO OOO 77 11",
        "8 9ОО ООО 77 11",
        "тел/факс 8 900 000 77 11",
        "мой контактный телефон: 8 900 000 77 11",
        "8(900) 000-77-11 (WA, TG)",
        "+7+79000007711",
        "+7 +7 900 000 77 11",
        "+7 7900 000 77 11",
        "8+79000007711",
        "1. +79000007711",
        "79,000,007,711",
        "79 000 007 711,00",
        "8—900—000—77—11",
        "⁺7 900 000 77 11",
        "﹢79000007711",
        "tel://8(900)000-77-11",
        "viber://add?number=79000007711",
        "whatsapp://send?phone=+79000007711",
    ] {
        assert_eq!(read_in(text, "RU").as_deref(), Ok("+79000007711"), "{text}");
    }
    for (text, number) in [
        ("(812) 315-98-83", "+78123159883"),
        ("8 812 315-98-83", "+78123159883"),
        ("8-800-555-35-35", "+78005553535"),
        ("+7 800 555 35 35", "+78005553535"),
        ("8 701 123 45 67", "+77011234567"),
        ("375 29 123-45-67", "+375291234567"),
        ("998901234567", "+998901234567"),
        ("8 10 44 20 7946 0000", "+442079460000"),
        ("+44 (0)20 7946 0000", "+442079460000"),
        ("+1 202 555 0123", "+12025550123"),
        ("0044 (0)20 7946 0000", "+442079460000"),
        ("44 20 7946 0000", "+442079460000"),
        ("+49 (0)151/12345678", "+4915112345678"),
        ("+38 050 123 45 67", "+380501234567"),
        ("8 10 375 29 123 45 67", "+375291234567"),
        ("+52 044 55 1234 5678", "+525512345678"),
        ("+52 01 55 1234 5678", "+525512345678"),
        ("+55 (0)11 98765-4321", "+5511987654321"),
        ("+54 11 15 4321-0000", "+5491143210000"),
        ("+972 (0)50-123-4567", "+972501234567"),
        ("+39 06 1234 5678", "+390612345678"),
        // Numbers that no one has, of the length of their country's.
        ("8 000 000-00-01", "+70000000001"),
        ("70000000001", "+70000000001"),
        ("+7 (000) 000-00-01", "+70000000001"),
        ("0070000000001", "+70000000001"),
        ("+86 000 0000 0001", "+8600000000001"),
        ("+999 66 1 0001", "+9996610001"),
    ] {
        assert_eq!(read_in(text, "RU").as_deref(), Ok(number), "{text}");
    }
    for (text, country, number) in [
        ("044 123 4567", "UA", "+380441234567"),
        ("8 029 123-45-67", "BY", "+375291234567"),
        ("87011234567", "KZ", "+77011234567"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("011 15 4321-0000", "AR", "+5491143210000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("(0)20 7946 0000", "GB", "+442079460000"),
        ("80501234567", "UA", "+380501234567"),
        ("8 (050) 123-45-67", "UA", "+380501234567"),
        ("+38 (050) 123-45-67", "UA", "+380501234567"),
        ("50 123 45 67", "UA", "+380501234567"),
        ("701 123 45 67", "KZ", "+77011234567"),
        ("8 900 000 77 11", "KZ", "+79000007711"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("01 55 1234 5678", "MX", "+525512345678"),
        ("521 55 1234 5678", "MX", "+525512345678"),
        ("(11) 8765-4321", "BR", "+5511987654321"),
        ("(11) 4321-0000", "BR", "+551143210000"),
        ("0 15 11 98765-4321", "BR", "+5511987654321"),
        ("11 4321 0000", "AR", "+541143210000"),
        ("0555 123 456", "KG", "+996555123456"),
        ("030/123456", "DE", "+4930123456"),
        ("1 1 202 555 0123", "US", "+12025550123"),
        ("001 202 555 0123", "US", "+12025550123"),
    ] {
        assert_eq!(read_in(text, country).as_deref(), Ok(number), "{text} in {country}");
    }
}

#[test]
fn what_is_not_certain_is_refused_with_what_was_understood() {
    for (text, says) in [
        ("", "no phone number"),
        ("phone", "no phone number"),
        ("name", "no phone number"),
        ("1042", "not certainly"),
        ("5550001", "not certainly"),
        ("79000007711@lid", "no phone number"),
        ("Anna 79000007711@g.us", "no phone number"),
        ("7.9E+10", "rounded"),
        ("7.90000077E+10", "rounded"),
        // Turkey's code, or a number of Russia behind a plus.
        ("+9000007711", "+79000007711"),
        ("+79000007711, +79000007712", "several phone numbers: +79000007711, +79000007712"),
        ("8 900 000 77 11 / 8 900 000 77 12", "several"),
        ("8 900 000 77 11 или 8 900 000 77 12", "several"),
        ("89000007711 89000007712", "several"),
        ("+79000007711+79000007712", "several"),
        ("8 (812) 315-98-83/84", "may be the phone number +78123159883"),
        ("Anna 8 900 000 77 11", "words beside the phone number +79000007711"),
        ("8 900 000 77 11 order 5", "not certainly"),
        ("+7 900 000 77", "not certainly"),
        ("790000077110", "not certainly"),
        ("790000077x11", "not certainly"),
        ("+79000007711, 12", "+79000007711"),
        ("+79000007711 (12)", "not certainly"),
        ("+7 900 ***-77-11", "not certainly"),
        ("+7 (___) ___-__-__", "not certainly"),
        ("15-4321-0000", "not certainly"),
        ("30.11.2026 12:45:00", "not certainly"),
        ("4111 1111 1111 1111", "not certainly"),
        ("00000000000", "not certainly"),
        // No number of Slovakia, but one of Russia.
        ("004211000000", "not certainly"),
    ] {
        let refused = read_in(text, "RU").expect_err(text).to_string();
        assert!(refused.contains(says), "{text}: {refused}");
    }
    // A number of Germany, or of Russia.
    let refused = read_in("79000007711", "DE").expect_err("two").to_string();
    assert!(refused.contains("+4979000007711, +79000007711"), "{refused}");
}

#[test]
fn the_first_number_of_a_field_is_kept_where_a_lead_would_be_lost() {
    for text in [
        "+79000007711, +79000007712",
        "8 900 000 77 11 / 8 900 000 77 12",
        "Anna, 8 900 000 77 11",
        "call me: 8 900 000-77-11 after 18:00",
        "89000007711 89000007712",
    ] {
        assert_eq!(
            Phone::first_in(text).map(|phone| phone.to_string()).as_deref(),
            Some("+79000007711"),
            "{text}"
        );
    }
    for text in ["", "call me", "order 1042", "+7 900", "79000007711@lid", "79000007711@g.us"] {
        assert_eq!(Phone::first_in(text), None, "{text}");
    }
}

#[test]
fn double_forms_of_a_country_are_one_number() {
    for (text, other) in [
        ("5215512345678", "525512345678"),
        ("5491143210000", "541143210000"),
        ("551187654321", "5511987654321"),
    ] {
        let both: Vec<_> = [text, other].map(|digits| Phone::international(digits).expect("a number")).into();
        let meets = |one: &Phone, other: &Phone| one.forms().contains(other) && other.forms().contains(one);
        assert!(meets(&both[0], &both[1]), "{text}");
        let typed = read(&format!("+{text}")).expect("a number");
        let typed = Phone::international(&typed).expect("a number");
        assert!(
            meets(&typed, &both[1]) && both[1].forms().iter().any(|form| form.digits() == text),
            "{text}"
        );
    }
    for digits in ["551143210000", "79000007711", "12025550123"] {
        assert_eq!(Phone::international(digits).expect("a number").forms().len(), 1, "{digits}");
    }
}

#[test]
fn countries_are_named_by_two_letters() {
    assert_eq!("kz".parse::<Country>().expect("a country").to_string(), "KZ");
    for wrong in ["", "R", "RUS", "ZZ", "xx", "001", "Россия"] {
        assert!(wrong.parse::<Country>().is_err(), "{wrong}");
    }
}

#[test]
fn a_phone_is_the_same_however_it_is_written() {
    let phone = PhoneDigits::read("+7 (000) 000-00-01").expect("a phone");
    for text in
        ["70000000001", "8 000 000 00 01", "call +7 000 000-00-01, please", "8.000.000\u{2011}00\u{a0}01"]
    {
        assert!(phone.is_in(text), "{text}");
    }
    assert!(!phone.is_in("+7 000 000-00-02"));
    for text in ["", "1042", "ready", "+", "70000000001x"] {
        assert_eq!(PhoneDigits::read(text), None, "{text}");
    }
}

#[test]
fn a_number_in_a_text_is_indexed_by_what_all_its_spellings_share() {
    for text in [
        "My number is 8 (900) 000-77-11, call me",
        "мой номер 8-900-000-77-11.",
        "тел +7 900 000 77 11",
        "89000007711",
        "пишите: 8\u{a0}900\u{2011}000\u{2011}77\u{2011}11!",
        "９００ ０００ ７７ １１",
    ] {
        let found = digits_in(text);
        for spelling in ["+79000007711", "8 900 000-77-11", "9000007711", "89000007711", "(900) 000 77 11"] {
            let wanted = PhoneDigits::read(spelling).expect("a phone");
            assert!(found.iter().any(|digits| digits == wanted.as_str()), "{text} for {spelling}: {found:?}");
        }
    }
    assert_eq!(digits_in("order 1042 of 2026"), ["1042", "2026"]);
    assert_eq!(digits_in("1, 2 and 345"), Vec::<String>::new());
}

#[test]
fn a_number_is_found_by_its_end() {
    for (end, text) in [
        ("7711", "my number is 8 (900) 000-77-11, call me"),
        ("…77-11", "+79000007711"),
        ("*7711", "79000007711"),
        ("000 77 11", "8-900-000-77-11"),
        ("1234567", "contract № 12-34/567"),
        ("№ 12/34-567", "contract 1234567"),
        ("4-567", "order 1234 567"),
    ] {
        let wanted = NumberEnd::read(end).expect("an end");
        assert!(wanted.is_in(text), "{end} in {text}");
        assert!(digits_in(text).iter().any(|digits| digits == wanted.as_str()), "{end} in {text}");
    }
    for (end, text) in [("7711", "77110 and 1177"), ("1042", "1 0 4 3")] {
        assert!(!NumberEnd::read(end).expect("an end").is_in(text), "{end} in {text}");
    }
    for text in ["", "771", "a7711", "7711 or so", "1234567890123456"] {
        assert_eq!(NumberEnd::read(text), None, "{text}");
    }
}

#[test]
fn contacts_are_found_in_a_text() {
    let text = "Call 8 (000) 000-00-01 or +44 20 0000 0001, order 1042 of 2026-11-25. Mail: <Anna@Example.com>, anna@example.com.";
    let found = WrittenContacts::read(text);
    assert_eq!(found.phones, ["+70000000001", "+442000000001"]);
    assert_eq!(found.emails, ["anna@example.com"]);
    let found = WrittenContacts::read(
        "тел 8\u{2011}812\u{2011}315\u{2011}98\u{2011}83\u{200b}; e-mail:x@example.org",
    );
    assert_eq!(
        (found.phones, found.emails),
        (vec!["+78123159883".to_owned()], vec!["x@example.org".to_owned()])
    );
    for text in [
        "",
        "my number ends with 0001",
        "@demo_main",
        "a@b",
        "anna@example",
        "1234567890123456789",
        "order 12345 67890",
    ] {
        assert_eq!(WrittenContacts::read(text), WrittenContacts::default(), "{text}");
    }
}

#[test]
fn a_number_is_not_printed_for_a_log() {
    let refused = read_in("Anna 8 900 000 77 11", "RU").expect_err("words");
    assert!(!format!("{refused:?}").contains("0007711"), "{refused:?}");
}

proptest! {
    #[test]
    fn a_normalized_phone_stays_as_it_is(text in "(.{0,50}|[0-9+() -]{0,20}|\\+[0-9]{7,15}|[0-9]{7,15})") {
        if let Some(phone) = e164(&text) {
            prop_assert_eq!(e164(&phone), Some(phone));
        }
    }

    #[test]
    fn any_text_is_searched(text in "(\\PC|[0-9+() @.-]){0,200}") {
        let WrittenContacts { phones, emails } = WrittenContacts::read(&text);
        prop_assert!(phones.len() <= 5 && emails.len() <= 5);
        for phone in phones {
            prop_assert_eq!(e164(&phone), Some(phone));
        }
        let _ = (digits_in(&text), Phone::first_in(&text));
    }
}
