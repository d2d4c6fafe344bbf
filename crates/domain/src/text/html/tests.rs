//! What HTML becomes, and how broken HTML is refused.

use super::*;
use crate::text::formatted::Entity;

fn read(text: &str) -> (String, Vec<(u32, u32, EntityKind)>) {
    let formatted = parse(text, Strictness::Strict).unwrap();
    (formatted.text, formatted.entities.into_iter().map(|e| (e.offset, e.length, e.kind)).collect())
}

fn refused(text: &str) -> String {
    parse(text, Strictness::Strict).unwrap_err().to_string()
}

fn lenient(text: &str) -> FormattedText {
    parse(text, Strictness::Lenient).unwrap()
}

#[test]
fn every_tag_is_read() {
    use EntityKind as K;
    for (html, kind) in [
        ("<b>x</b>", K::Bold),
        ("<STRONG>x</strong>", K::Bold),
        ("<i>x</i>", K::Italic),
        ("<em>x</em>", K::Italic),
        ("<u>x</u>", K::Underline),
        ("<ins>x</ins>", K::Underline),
        ("<s>x</s>", K::Strikethrough),
        ("<strike>x</strike>", K::Strikethrough),
        ("<del>x</del >", K::Strikethrough),
        ("<tg-spoiler>x</tg-spoiler>", K::Spoiler),
        ("<span class=\"tg-spoiler\">x</span>", K::Spoiler),
        ("<code>x</code>", K::Code),
        ("<code class=\"language-rust\">x</code>", K::Code),
        ("<pre>x</pre>", K::Pre { language: String::new() }),
        ("<pre><code>x</code></pre>", K::Pre { language: String::new() }),
        ("<pre><code class=\"language-rust\">x</code></pre>", K::Pre { language: "rust".into() }),
        (
            "<a href='https://example.com/?a=1&amp;b=2'>x</a>",
            K::TextLink { url: "https://example.com/?a=1&b=2".into() },
        ),
        ("<a href=https://example.com/>x</a>", K::TextLink { url: "https://example.com/".into() }),
        ("<a href=\"tg://user?id=42\">x</a>", K::MentionUser { user_id: 42 }),
        ("<blockquote>x</blockquote>", K::Blockquote { expandable: false }),
        ("<blockquote expandable>x</blockquote>", K::Blockquote { expandable: true }),
        (
            "<tg-emoji emoji-id=\"5368324170671202286\">x</tg-emoji>",
            K::CustomEmoji { id: 5_368_324_170_671_202_286 },
        ),
    ] {
        assert_eq!(read(html), ("x".into(), vec![(0, 1, kind)]), "{html}");
    }
}

#[test]
fn offsets_are_utf16_units() {
    assert_eq!(
        read("😀 <b>ж<i>😀</i></b>"),
        ("😀 ж😀".into(), vec![(3, 3, EntityKind::Bold), (4, 2, EntityKind::Italic)])
    );
}

#[test]
fn references_line_breaks_and_lone_ampersands() {
    assert_eq!(read("a &amp; b & c &lt;b&gt;&#33;").0, "a & b & c <b>!");
    assert_eq!(read("a<br>b<br/>c<br />d").0, "a\nb\nc\nd");
    assert_eq!(read("a > b").0, "a > b");
}

#[test]
fn empty_tags_make_no_entities() {
    assert_eq!(read("a<b></b><a>b</a><a href=''>c</a>"), ("abc".into(), vec![]));
    assert_eq!(read("  <b> </b>"), (String::new(), vec![]));
}

#[test]
fn refusals_name_the_position_the_fault_and_the_remedy() {
    let way_out = "; escape < as &lt; or send parse_mode none";
    let known = "(known are b, strong, i, em, u, ins, s, strike, del, code, pre, a, blockquote, tg-spoiler, \
                 span class=\"tg-spoiler\", tg-emoji, br)";
    for (html, expected) in [
        ("ж <b>x", "broken HTML at byte 3: Can't find the end tag of \"<b>\"".to_owned()),
        ("<b><i>x</b></i>", {
            "broken HTML at byte 7: Unmatched end tag, expected \"</i>\", found \"</b>\"".to_owned()
        }),
        ("x</b>", "broken HTML at byte 1: Unexpected end tag \"b\": no tag is open here".to_owned()),
        ("1 < 2", format!("broken HTML at byte 2: Unsupported start tag \"\" {known}")),
        ("I <3 you", format!("broken HTML at byte 2: Unsupported start tag \"3\" {known}")),
        ("<p>x</p>", format!("broken HTML at byte 0: Unsupported start tag \"p\" {known}")),
        ("<", format!("broken HTML at byte 0: Unsupported start tag \"\" {known}")),
        ("x <b", "broken HTML at byte 2: the tag \"b\" is not finished with >".to_owned()),
        ("<a href=\"x>y</a>", "broken HTML at byte 0: the tag \"a\" is not finished with >".to_owned()),
        ("<b/>x", "broken HTML at byte 0: Can't find the end tag of \"<b>\"".to_owned()),
        ("<span>x</span>", "broken HTML at byte 0: the tag \"span\" needs class=\"tg-spoiler\"".to_owned()),
        (
            "<tg-emoji emoji-id=\"x\">x</tg-emoji>",
            "broken HTML at byte 0: the tag \"tg-emoji\" needs emoji-id=the number of a custom emoji"
                .to_owned(),
        ),
    ] {
        assert_eq!(refused(html), format!("{expected}{way_out}"), "{html}");
    }
    let deep = "<b>".repeat(33);
    assert!(refused(&deep).contains("byte 96: tags stand more than 32 deep"), "{}", refused(&deep));
    let long = format!("<{}>", "x".repeat(10_000));
    assert!(refused(&long).len() < 300, "names in an error are cut");
}

#[test]
fn lenient_reading_refuses_nothing() {
    let bold = |offset, length| Entity { offset, length, kind: EntityKind::Bold };
    for (html, text, entities) in [
        ("1 < 2 <3", "1 < 2 <3", vec![]),
        ("<p>a <b>b</b></p>", "a b", vec![bold(2, 1)]),
        ("<b>never closed", "never closed", vec![]),
        ("a</b> b", "a b", vec![]),
        (
            "<b>a<i>b</b>c</i>",
            "abc",
            vec![bold(0, 2), Entity { offset: 1, length: 2, kind: EntityKind::Italic }],
        ),
        ("a<!-- not <b>shown</b> -->b", "ab", vec![]),
        ("a <b", "a <b", vec![]),
        ("<span style='x'>a</span>", "a", vec![]),
        ("&mdash;", "—", vec![]),
    ] {
        assert_eq!(lenient(html), FormattedText { text: text.into(), entities }, "{html}");
    }
}

#[test]
fn long_runs_are_read_once() {
    for part in ["<", "<b", "<b ", "<a x='", "<!--", "<?", "&", "&#", "<b>", "</b>", "<pre><code>", "<x "] {
        let text = part.repeat(100_000);
        assert!(lenient(&text).text.len() <= text.len());
        let _ = parse(&text, Strictness::Strict);
    }
}
