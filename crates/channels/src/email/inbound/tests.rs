//! What mails of each kind come to.

use proptest::prelude::*;

use super::*;

fn own() -> Own {
    let ids = OwnIds { domain: "example.com".to_owned() };
    Own {
        addresses: vec!["shop@example.com".to_owned()],
        ids,
        authserv_id: Some("mx.example.com".to_owned()),
    }
}

fn found(raw: &[u8]) -> Found<'_> {
    let location = MailLocation { is_sent: false, validity: 1, uid: 2 };
    Found { raw, location, at: Timestamp::from_micros(0), too_large: None }
}

fn message(raw: &str) -> InboundMessage {
    let raw = raw.replace('\n', "\r\n");
    match read(&found(raw.as_bytes()), &own(), &mut Threads::default()).unwrap().change {
        InboundChange::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mail_without_a_sound_sender_is_kept_for_a_person() {
    let mut chats = std::collections::BTreeSet::new();
    for (number, from) in [
        "<victim@example.org>\0<attacker@evil.example>",
        "victim@example.org@evil.example",
        "\"victim@example.org\"@evil.example",
        "<@evil.example:victim@example.org>",
        "victim@example.org#evil.example",
        "victim",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let mail =
            format!("From: {from}\nTo: shop@example.com\nSubject: Price\nMessage-ID: <{number}@x>\n\nText");
        let read = message(&mail);
        assert_eq!((&*read.text, read.origin), ("Text", MessageOrigin::Person), "{from:?}");
        assert_eq!((read.user, read.email, read.sender_proof), (None, None, ContactProof::Typed), "{from:?}");
        // It has no address that anyone could be answered at.
        let parts = crate::email::ChatParts::of(&read.chat);
        assert!(!parts.address.contains('@') && parts.root.is_some(), "{}", read.chat);
        assert_eq!(read.name.is_some(), !from.is_empty(), "{from:?}");
        assert!(chats.insert(read.chat), "{from:?}");
    }
    let long = format!("{}@example.org", "x".repeat(240));
    let read = message(&format!("From: {long}\nTo: shop@example.com\nMessage-ID: <1@x>\n\nText"));
    assert_eq!(read.email, Some(ProvedContact::typed(&long)));
}

#[test]
fn people_are_shown_all_but_what_programs_write_to_no_one_in_particular() {
    let of = |from: &str, headers: &str| {
        let read = message(&format!("From: {from}\nSubject: x\nMessage-ID: <1@x>\n{headers}\n\nText"));
        (read.origin, read.is_for_people)
    };
    let (anna, to) = ("anna@example.org", "To: Shop <SHOP@example.com>");
    let (anyone, people) = ((MessageOrigin::Person, false), (MessageOrigin::Person, true));
    let programs = (MessageOrigin::Bot, false);
    for (headers, wanted) in [
        ("", anyone),
        ("Auto-Submitted: no", anyone),
        ("Auto-Submitted: No (a person wrote it)", anyone),
        ("X-Auto-Response-Suppress: DR, RN, NRN", anyone),
        ("X-Auto-Response-Suppress: All", people),
        ("X-Auto-Response-Suppress: OOF, AutoReply", people),
        ("Precedence: list", people),
        ("List-Unsubscribe: <mailto:x@example.org>", people),
        ("List-Id: <friends.example.org>", people),
        (
            "List-Id: <friends.example.org>\nList-Post: <mailto:f@example.org>\nList-Unsubscribe: <mailto:x@example.org>",
            people,
        ),
        ("Auto-Submitted: auto-generated", programs),
        ("Auto-Submitted: auto-replied; x=y", programs),
        ("Return-Path: <>", programs),
        ("Precedence: Bulk", programs),
        ("Precedence: auto_reply", programs),
        ("List-Id: <news.example.org>\nList-Unsubscribe: <mailto:x@example.org>", programs),
        ("X-Autoreply: yes", programs),
    ] {
        assert_eq!(of(anna, format!("{to}\n{headers}").trim_end()), wanted, "{headers}");
    }
    for program in [
        "no-reply@example.org",
        "no.reply@example.org",
        "noreply@example.org",
        "billing-noreply@example.org",
        "notifications@example.org",
        "MAILER-DAEMON@example.org",
        "postmaster@example.org",
    ] {
        assert_eq!(of(program, to), programs, "{program}");
    }
    // In a thread that goes on it is a person who answers, whatever the mail came through.
    let answer = "In-Reply-To: <0000000000000007.0@example.com>";
    for headers in [
        "Precedence: bulk",
        "List-Id: <news.example.org>\nList-Unsubscribe: <mailto:x@example.org>",
        "X-Auto-Response-Suppress: All",
        "Auto-Submitted: auto-generated",
        "X-Autoreply: yes",
        "Return-Path: <>",
    ] {
        assert_eq!(of(anna, &format!("{to}\n{answer}\n{headers}")), people, "{headers}");
    }
    assert_eq!(of(anna, &format!("{to}\n{answer}\nAuto-Submitted: auto-replied")), programs);
    // So it is where the owner answered with another mail program, and not where no one of us did.
    let mut threads = Threads::default();
    let mut origin = |is_sent: bool, head: &str| {
        let raw = format!("Subject: x\n{head}\n\nText").replace('\n', "\r\n");
        let found = found(raw.as_bytes());
        let location = MailLocation { is_sent, ..found.location };
        match read(&Found { location, ..found }, &own(), &mut threads).unwrap().change {
            InboundChange::Message(message) => message.origin,
            other => panic!("{other:?}"),
        }
    };
    let news = "From: anna@example.org\nTo: shop@example.com\nPrecedence: bulk";
    assert_eq!(origin(false, &format!("{news}\nMessage-ID: <1@x>")), MessageOrigin::Bot);
    assert_eq!(origin(false, &format!("{news}\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>")), MessageOrigin::Bot);
    let ours = "From: shop@example.com\nTo: anna@example.org\nMessage-ID: <3@phone>\nIn-Reply-To: <2@x>\nReferences: <1@x> <2@x>";
    assert_eq!(origin(true, ours), MessageOrigin::Owner);
    let answer =
        format!("{news}\nMessage-ID: <4@x>\nReferences: <1@x> <2@x> <3@phone>\nIn-Reply-To: <3@phone>");
    assert_eq!(origin(false, &answer), MessageOrigin::Person);
}

#[test]
fn a_mail_to_an_alias_is_to_us() {
    let is_for_people = |headers: &str| {
        let read =
            message(&format!("From: anna@example.org\nSubject: x\nMessage-ID: <1@x>\n{headers}\n\nText"));
        assert_eq!(read.origin, MessageOrigin::Person, "{headers}");
        read.is_for_people
    };
    for answered in [
        "To: x@example.org\nCc: shop@example.com",
        "To: shop+orders@example.com",
        "To: sales@example.com\nDelivered-To: sales@example.com",
        "To: sales@example.com\nX-Original-To: <sales@example.com>\nDelivered-To: shop@example.com",
        "To: others@example.org\nIn-Reply-To: <0000000000000007.0@example.com>",
    ] {
        assert!(!is_for_people(answered), "{answered}");
    }
    // It may be a copy in secret: people see it.
    for copy in [
        "To: others@example.org",
        "To: undisclosed-recipients:;",
        "X-Mailer: x",
        "To: others@example.org\nDelivered-To: shop@example.com",
    ] {
        assert!(is_for_people(copy), "{copy}");
    }
}

#[test]
fn the_address_for_answers_is_answered() {
    let authenticated = "Authentication-Results: mx.example.com; dmarc=pass\n";
    let of = |from: &str, headers: &str| {
        message(&format!(
            "{authenticated}From: {from}\nTo: shop@example.com\nSubject: x\nMessage-ID: <1@x>\n{headers}\n\nText"
        ))
    };
    for (from, reply_to, customer, name) in [
        ("Forms <noreply@builder.example>", "Анна <anna@example.org>", "anna@example.org", Some("Анна")),
        ("Forms <noreply@builder.example>", "anna@example.org", "anna@example.org", None),
        ("Anna <anna@work.example>", "anna@example.org", "anna@example.org", Some("Anna")),
    ] {
        let read = of(from, &format!("Reply-To: {reply_to}"));
        assert_eq!((read.user.as_deref(), read.name.as_deref()), (Some(customer), name), "{from}");
        assert_eq!((read.chat.as_str(), read.origin), (&*format!("{customer}#1@x"), MessageOrigin::Person));
        // The sender is proved, the address for answers is not.
        assert_eq!(read.sender_proof, ContactProof::Typed);
        assert_eq!(read.email, Some(ProvedContact::typed(customer)));
    }
    // A notice of a house that names itself for answers is no person's.
    for (from, headers, wanted) in [
        ("noreply@bank.example", "Reply-To: support@bank.example", (MessageOrigin::Bot, false)),
        (
            "noreply@builder.example",
            "Reply-To: anna@example.org\nAuto-Submitted: auto-generated",
            (MessageOrigin::Person, true),
        ),
        (
            "shop@example.com",
            "Reply-To: anna@example.org\nAuto-Submitted: auto-generated",
            (MessageOrigin::Person, true),
        ),
        (
            "wordpress@site.example",
            "Reply-To: anna@example.org\nAuto-Submitted: auto-generated",
            (MessageOrigin::Person, true),
        ),
        (
            "wordpress@example.com",
            "Reply-To: anna@example.org\nAuto-Submitted: auto-generated",
            (MessageOrigin::Person, true),
        ),
        ("info@site.example", "Reply-To: anna@example.org\nPrecedence: bulk", (MessageOrigin::Person, true)),
        (
            "news@shop.example",
            "Reply-To: anna@example.org\nPrecedence: bulk\nList-Unsubscribe: <mailto:x@shop.example>",
            (MessageOrigin::Bot, false),
        ),
        (
            "noreply@builder.example",
            "Reply-To: anna@example.org\nAuto-Submitted: auto-replied",
            (MessageOrigin::Bot, false),
        ),
        (
            "noreply@bank.example",
            "Reply-To: help@bank.example\nAuto-Submitted: auto-generated",
            (MessageOrigin::Bot, false),
        ),
    ] {
        let read = of(from, headers);
        assert_eq!((read.origin, read.is_for_people), wanted, "{from} {headers}");
    }
    let anna = "Anna <anna@example.org>";
    for (from, headers) in [
        (anna, "Reply-To: Anna@Example.org"),
        (anna, "Reply-To: shop@example.com"),
        (anna, "Reply-To: noreply@example.org"),
        (anna, "Reply-To: list@example.net\nPrecedence: list"),
        (anna, "Reply-To: list@example.net\nList-Post: <mailto:list@example.net>"),
    ] {
        let read = of(from, headers);
        assert_eq!(
            (read.user.as_deref(), read.sender_proof),
            (Some("anna@example.org"), ContactProof::Mail),
            "{headers}"
        );
    }
    // Who is answered elsewhere is in a chat of its own: nothing said to the sender leads there.
    let mut threads = Threads::default();
    let mut chat_of = |id: &str, more: &str| {
        let raw = format!(
            "{authenticated}From: anna@example.org\nTo: shop@example.com\nSubject: x\nMessage-ID: <{id}>\n{more}\n\nText"
        );
        match read(&found(raw.replace('\n', "\r\n").as_bytes()), &own(), &mut threads).unwrap().change {
            InboundChange::Message(message) => message.chat,
            other => panic!("{other:?}"),
        }
    };
    let (first, second) =
        (chat_of("1@x", "X-Mailer: x"), chat_of("2@x", "In-Reply-To: <1@x>\nReply-To: evil@example.net"));
    assert_eq!((first.as_str(), second.as_str()), ("anna@example.org#1@x", "evil@example.net#1@x"));
}

#[test]
fn a_subject_stands_where_a_thread_begins_or_is_called_otherwise() {
    let mut threads = Threads::default();
    let mut subject = |id: &str, earlier: &str, subject: &str, text: &str| {
        let raw = format!(
            "From: anna@example.org\nTo: shop@example.com\nSubject: {subject}\nMessage-ID: <{id}>\n{earlier}\n{text}"
        );
        match read(&found(raw.replace('\n', "\r\n").as_bytes()), &own(), &mut threads).unwrap().change {
            InboundChange::Message(message) => (message.subject, message.text.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let known = |subject: &str, text: &str| (Some(subject.to_owned()), text.to_owned());
    assert_eq!(subject("1@x", "", "Price", "Text"), known("Price", "Text"));
    assert_eq!(subject("2@x", "In-Reply-To: <1@x>\n", "Re: Price", "Yes"), (None, "Yes".to_owned()));
    assert_eq!(subject("3@x", "In-Reply-To: <1@x>\n", "Delivery", "When?"), known("Delivery", "When?"));
    // A mail without a text has its subject as text.
    assert_eq!(subject("4@x", "", "Call me", ""), (None, "Call me".to_owned()));
}

#[test]
fn what_is_cut_is_kept() {
    let text = "Да.\n\n01.11.2026 10:00, shop@example.com пишет:\n> Хотите?";
    let head = "From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\nContent-Type: text/plain; charset=utf-8\n";
    let answer = message(&format!("{head}In-Reply-To: <0@x>\n\n{text}"));
    assert_eq!((&*answer.text, answer.whole_text.as_ref().map(Words::as_str)), ("Да.", Some(text)));
    let first = message(&format!("{head}\n{text}"));
    assert_eq!((&*first.text, first.whole_text), (text, None));
}

#[test]
fn an_answer_that_would_be_cut_to_nothing_is_whole() {
    let head = "From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\nIn-Reply-To: <0@x>\n";
    let quote = "From: Shop\nSent: today\nTo: Anna\nSubject: Order\n\nWhere to?";
    for own in ["________________________________", "See below in red:", "--\n"] {
        let text = format!("{own}\n> Where to?\n{quote}\n\nLenina 5");
        let read = message(&format!("{head}\n{text}"));
        assert_eq!((&*read.text, read.whole_text), (&*text, None), "{own}");
    }
    assert_eq!(&*message(&format!("{head}\n👍\n> Where to?")).text, "👍");
}

#[test]
fn a_sender_is_proved_by_the_trusted_server_alone() {
    let of = |head: &str| {
        let mail = "From: anna@example.org\nTo: shop@example.com\nSubject: x\nMessage-ID: <1@x>\n";
        let read = message(&format!("{head}{mail}\nText"));
        (read.sender_proof, read.email.map(|email| email.proof))
    };
    let passed = of("Authentication-Results: mx.example.com; dmarc=pass header.from=example.org\n");
    assert_eq!(passed, (ContactProof::Mail, Some(ContactProof::Mail)));
    for head in [
        "",
        "Authentication-Results: mx.example.com; dmarc=fail\n",
        "Authentication-Results: mx.evil.example; dmarc=pass\n",
    ] {
        assert_eq!(of(head), (ContactProof::Typed, Some(ContactProof::Typed)), "{head}");
    }
    // A form of our page is sent by our server, and says what a visitor typed.
    let form = message(
        "Authentication-Results: mx.example.com; dmarc=pass\nFrom: shop@example.com\nTo: shop@example.com\n\
         Reply-To: anna@example.org\nMessage-ID: <1@web>\n\nText",
    );
    assert_eq!(form.sender_proof, ContactProof::Typed);
}

#[test]
fn a_form_that_writes_from_our_address_is_its_customers() {
    let ours = "From: Shop <shop@example.com>\nTo: shop@example.com\nSubject: x\n";
    let form = |more: &str| message(&format!("{ours}Message-ID: <1@web>\n{more}\n\nText"));
    let asked = form("Reply-To: shop@example.com, Anna <Anna@example.org>");
    assert_eq!(
        (asked.email.clone(), asked.name.as_deref()),
        (Some(ProvedContact::typed("anna@example.org")), Some("Anna"))
    );
    assert_eq!((asked.chat.as_str(), asked.origin), ("anna@example.org#1@web", MessageOrigin::Person));
    assert_eq!(form("X-Mailer: form").email, Some(ProvedContact::typed("shop@example.com")));
    // To a customer it is what the owner wrote, if the server proves that. Anyone can write our address.
    let to_anna = |results: &str| {
        let mail = format!(
            "Authentication-Results: mx.example.com; {results}\n{ours}Cc: anna@example.org\nMessage-ID: <1@web>\n\nText"
        );
        let mail = mail.replace('\n', "\r\n");
        read(&found(mail.as_bytes()), &own(), &mut Threads::default()).map(|event| event.change)
    };
    let Some(InboundChange::Message(proved)) = to_anna("dmarc=pass header.from=example.com") else {
        panic!("it is proved")
    };
    assert_eq!(proved.origin, MessageOrigin::Owner);
    // A person sees what only looks like ours. It is in no customer's chat.
    let Some(InboundChange::Message(forged)) = to_anna("dmarc=fail header.from=example.com") else {
        panic!("it is kept")
    };
    assert_eq!((forged.origin, forged.user.as_deref()), (MessageOrigin::Person, None));
    assert!(!forged.chat.as_str().contains("anna"), "{}", forged.chat);
    // What this program sent to itself, or is among what was sent, is no form.
    let sent = format!("{ours}Message-ID: <0000000000000007.0@example.com>\n\nText").replace('\n', "\r\n");
    assert_eq!(read(&found(sent.as_bytes()), &own(), &mut Threads::default()), None);
    let copy = format!("{ours}Message-ID: <1@web>\n\nText").replace('\n', "\r\n");
    let location = MailLocation { is_sent: true, validity: 1, uid: 2 };
    let copy = Found { location, ..found(copy.as_bytes()) };
    assert_eq!(read(&copy, &own(), &mut Threads::default()), None);
}

#[test]
fn reports_are_of_our_mails_alone() {
    let report = |id: &str, action: &str| {
        let text = format!(
            "From: MAILER-DAEMON@example.org\nTo: shop@example.com\nMessage-ID: <r@x>\n\
             Content-Type: multipart/report; boundary=b\n\n\
             --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n\
             Action: {action}\nStatus: 5.0.0\n\n\
             --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n--b--\n"
        );
        read(&found(text.replace('\n', "\r\n").as_bytes()), &own(), &mut Threads::default())
    };
    let ours = "0000000000000007.0@example.com";
    let InboundChange::Receipt { external_id, .. } = report(ours, "failed").unwrap().change else {
        panic!("no receipt")
    };
    assert_eq!(external_id, ours);
    // What is no failure of a mail of ours is a mail of a program, which people can look up.
    for (id, action) in [(ours, "delayed"), ("7@example.com", "failed")] {
        let InboundChange::Message(kept) = report(id, action).unwrap().change else {
            panic!("{id} {action}")
        };
        assert_eq!((kept.origin, kept.is_for_people), (MessageOrigin::Bot, false), "{id} {action}");
    }
    // Some servers write no report of a standard form.
    let plain = format!(
        "From: Mail Delivery System <Mailer-Daemon@example.org>\nTo: shop@example.com\nMessage-ID: <r@x>\n\
         X-Failed-Recipients: anna@example.org\n\nA message could not be delivered.\n\nMessage-ID: <{ours}>\n"
    );
    let plain = plain.replace('\n', "\r\n");
    let read = read(&found(plain.as_bytes()), &own(), &mut Threads::default()).unwrap();
    assert!(matches!(read.change, InboundChange::Receipt { external_id, .. } if external_id == ours));
}

#[test]
fn a_text_that_is_in_the_page_alone_is_read() {
    let parts = |plain: &str, page: &str| {
        message(&format!(
            "From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\nContent-Type: multipart/alternative; boundary=b\n\n\
             --b\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n--b\nContent-Type: text/html; charset=utf-8\n\n{page}\n--b--\n"
        ))
    };
    assert_eq!(&*parts("", "<p>Где заказ?</p>").text, "Где заказ?");
    assert_eq!(&*parts("   \n", "<p>Где заказ?</p>").text, "Где заказ?");
    assert_eq!(&*parts("Plain", "<p>Page</p>").text, "Plain");
}

#[test]
fn a_text_that_is_too_long_says_where_the_rest_is() {
    let of = |length: usize| {
        let text = "x".repeat(length);
        message(&format!("From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\n\n{text}")).text
    };
    assert_eq!(of(LONGEST_TEXT).len(), LONGEST_TEXT);
    assert!(of(LONGEST_TEXT + 1).ends_with("x\n[the rest is in the mailbox]"));
}

#[test]
fn an_invitation_says_what_when_and_where() {
    let read = message(
        "From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\nSubject: Invitation\n\
         Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nCome\n\
         --b\nContent-Type: text/x-amp-html\n\n<html></html>\n\
         --b\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\n\
         DTSTART;TZID=Europe/Moscow:20261201T100000\nSUMMARY:Visit of\n  the shop\nLOCATION:Lenina 1\\, Moscow\nEND:VEVENT\n\
         END:VCALENDAR\n--b--\n",
    );
    assert_eq!(&*read.text, "Come\n[appointment] Visit of the shop 20261201T100000 Lenina 1, Moscow");
    let kinds: Vec<_> = read.media.iter().map(|media| (media.kind, media.mime.as_deref())).collect();
    assert_eq!(kinds, [(InboundKind::Document, Some("text/calendar")), (InboundKind::Appointment, None)]);
}

#[test]
fn a_mail_that_is_attached_has_its_subject_as_a_name() {
    let read = message(
        "From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\nSubject: Fwd: Price\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee\n\
         --b\nContent-Type: message/rfc822\n\nFrom: boris@example.org\nSubject: Price\n\nA hundred\n--b--\n",
    );
    assert_eq!((&*read.text, read.media[0].name.as_deref()), ("See", Some("Price.eml")));
}

#[test]
fn two_mails_of_one_id_are_two_messages() {
    let mut threads = Threads::default();
    let mut id_of = |from: &str, date: &str, subject: &str| {
        let raw = format!(
            "From: {from}\nTo: shop@example.com\nMessage-ID: <1@x>\n{date}Subject: {subject}\n\nText"
        );
        let kept = Threads::read(&threads.write()).with_ids(&threads.write_ids());
        threads = kept;
        let event = read(&found(raw.replace('\n', "\r\n").as_bytes()), &own(), &mut threads).unwrap();
        let InboundChange::Message(read) = event.change else { panic!("no message") };
        assert_eq!(event.key, format!("mail:{}", read.external_id));
        read.external_id
    };
    let first = "Date: Mon, 30 Nov 2026 10:00:00 +0300\n";
    assert_eq!(id_of("anna@example.org", first, "Price"), "1@x");
    // A copy through a list has another subject.
    assert_eq!(id_of("anna@example.org", first, "[list] Price"), "1@x");
    let second = id_of("anna@example.org", "Date: Mon, 30 Nov 2026 11:00:00 +0300\n", "Price");
    let other = id_of("boris@example.org", first, "Price");
    let undated = [id_of("anna@example.org", "", "One"), id_of("anna@example.org", "", "Two")];
    let all = std::collections::BTreeSet::from([&second, &other, &undated[0], &undated[1]]);
    assert!(all.len() == 4 && all.iter().all(|id| id.starts_with("1@x.")), "{all:?}");
    assert_eq!(id_of("boris@example.org", first, "Price"), other);
}

#[test]
fn programs_that_answer_for_people_say_so_in_many_ways() {
    let origin = |header: &str| {
        message(&format!("From: anna@example.org\nTo: shop@example.com\nMessage-ID: <1@x>\n{header}\n\nText"))
            .origin
    };
    for header in [
        "X-Autoreply: yes",
        "X-Auto-Reply: 1",
        "X-AutoReply-From: anna@example.org",
        "X-Autoresponder: x",
        "X-Autorespond: Away",
        "X-Mail-Autoreply: Vacation",
        "X-Yandex-Autoreply: 1",
        "Subject: Автоответ: Вопрос",
        "Subject: Automatic reply: Price",
        "Subject: Undelivered Mail Returned to Sender",
        "X-Autogenerated: Reply",
    ] {
        assert_eq!(origin(header), MessageOrigin::Bot, "{header}");
    }
    for header in [
        "Subject: Автоответчик",
        "X-Autoreply: no",
        "X-Autogenerated: Forward",
        "X-Auto-Response-Suppress: All",
    ] {
        assert_eq!(origin(header), MessageOrigin::Person, "{header}");
    }
}

#[test]
fn a_forwarded_mail_keeps_what_it_has() {
    let mail = |subject: &str| {
        let head = "From: anna@example.org\nTo: shop@example.com\nIn-Reply-To: <0@x>\n";
        message(&format!("{head}Subject: {subject}\n\nSee\n-----Original Message-----\nOld"))
    };
    assert_eq!(mail("Re: Price").text.as_str(), "See");
    assert!(mail("Fwd: Price").text.contains("Old"));
}

proptest! {
    #[test]
    fn any_bytes_are_read(
        raw in proptest::collection::vec(any::<u8>(), 0..300),
        lines in "(From: [a-z@<>\"# é]{0,20}\r\n|Content-Type: (multipart/report|text/html|message/rfc822); boundary=b\r\n|\
            \r\n|--b(--)?\r\n|[ -~]{0,20}\r\n|References: [<>a-z@ ]{0,30}\r\n){0,20}",
    ) {
        let mut threads = Threads::default();
        let from = [b"From: a@b\r\n", raw.as_slice()].concat();
        for raw in [raw.as_slice(), lines.as_bytes(), from.as_slice()] {
            let _ = read(&found(raw), &own(), &mut threads);
        }
    }
}
