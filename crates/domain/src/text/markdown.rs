//! Markdown: the few marks that Telegram users know; a mark without its partner is text.

use std::borrow::Cow;

use super::formatted::{Builder, EntityKind, FormattedText};

/// The marks that open and close with the same sign.
const MARKS: [(&str, EntityKind); 4] = [
    ("**", EntityKind::Bold),
    ("__", EntityKind::Italic),
    ("~~", EntityKind::Strikethrough),
    ("||", EntityKind::Spoiler),
];

/// What a backslash makes ordinary.
const ESCAPABLE: [char; 10] = ['\\', '*', '_', '~', '|', '`', '[', ']', '(', ')'];

/// The input in the order it is read.
enum Token<'a> {
    Text(&'a str),
    /// The index of one of [`MARKS`], and whether it can open and close.
    Mark(usize, bool, bool),
    Code(&'a str),
    Pre {
        language: &'a str,
        code: &'a str,
    },
    LinkStart(Cow<'a, str>),
    LinkEnd,
}

/// Reads Markdown; there is no such thing as broken Markdown.
pub(super) fn parse(input: &str) -> FormattedText {
    let tokens = tokens(input);
    let paired = pair(&tokens);
    let mut built = Builder::default();
    let mut open = [0_u32; MARKS.len()];
    let mut link: Option<(u32, &Cow<'_, str>)> = None;
    for (token, role) in tokens.iter().zip(paired) {
        match token {
            Token::Text(text) => built.push_str(text),
            Token::Code(code) => {
                let start = built.position();
                built.push_str(code);
                built.mark(start, EntityKind::Code);
            }
            Token::Pre { language, code } => {
                let start = built.position();
                built.push_str(code);
                built.mark(start, EntityKind::Pre { language: (*language).to_owned() });
            }
            Token::LinkStart(url) => link = Some((built.position(), url)),
            Token::LinkEnd => {
                if let Some((start, url)) = link.take()
                    && let Some(kind) = EntityKind::link(url)
                {
                    built.mark(start, kind);
                }
            }
            Token::Mark(mark, ..) => {
                let (Some((sign, kind)), Some(start)) = (MARKS.get(*mark), open.get_mut(*mark)) else {
                    continue;
                };
                match role {
                    Role::Opens => *start = built.position(),
                    Role::Closes => built.mark(*start, kind.clone()),
                    Role::Literal => built.push_str(sign),
                }
            }
        }
    }
    built.finish()
}

/// A text that Markdown shows as it is: a backslash stands before its signs. In code it has none, and an apostrophe in the place of
/// the sign that ends code.
pub fn escape_markdown(text: &str, in_code: bool) -> String {
    if in_code {
        return text.replace('`', "'");
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if ESCAPABLE.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Whether code begins in a text and does not end there.
pub fn is_code_open(text: &str) -> bool {
    let signs = text.match_indices('`').filter(|(at, _)| !escaped(text, *at));
    signs.count() % 2 == 1
}

/// What a mark turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Literal,
    Opens,
    Closes,
}

/// Finds each mark its partner: the next one of its kind, with something in between.
fn pair(tokens: &[Token<'_>]) -> Vec<Role> {
    let mut roles = vec![Role::Literal; tokens.len()];
    let mut open: [Option<usize>; MARKS.len()] = [None; MARKS.len()];
    for (index, token) in tokens.iter().enumerate() {
        let Token::Mark(mark, opens, closes) = token else { continue };
        let Some(waiting) = open.get_mut(*mark) else { continue };
        match *waiting {
            // Right after its partner a mark is text: there is nothing to mark in between.
            Some(start) if *closes && start + 1 < index => {
                *waiting = None;
                if let Some(role) = roles.get_mut(start) {
                    *role = Role::Opens;
                }
                if let Some(role) = roles.get_mut(index) {
                    *role = Role::Closes;
                }
            }
            None if *opens => *waiting = Some(index),
            Some(_) | None => {}
        }
    }
    roles
}

fn tokens(input: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut reader = Reader {
        input,
        fence: Search::new(|text| text.find("```")),
        tick: Search::new(|text| text.find('`')),
        bracket: Search::new(|text| text.find(']')),
        parenthesis: Search::new(|text| text.find(')')),
        space: Search::new(|text| text.find(char::is_whitespace)),
        address_to: 0,
    };
    let mut at = 0;
    let mut text_from = 0;
    // A link's text is read as any other; here it ends, and there the link does.
    let mut link: Option<(usize, usize)> = None;
    while at < input.len() {
        if let Some((text_end, end)) = link
            && at >= text_end
        {
            push_text(&mut tokens, input, text_from, text_end);
            tokens.push(Token::LinkEnd);
            link = None;
            at = end;
            text_from = end;
            continue;
        }
        let rest = input.get(at..).unwrap_or_default();
        let limit = link.map_or(input.len(), |(text_end, _)| text_end);
        match reader.next(rest, at, limit, link.is_some()) {
            Found::Text(length) => at += length,
            Found::Escaped(length) => {
                push_text(&mut tokens, input, text_from, at);
                text_from = at + 1;
                at += 1 + length;
            }
            Found::Token(token, length) => {
                push_text(&mut tokens, input, text_from, at);
                tokens.push(token);
                at += length;
                text_from = at;
            }
            Found::Link { url, text_end, end } => {
                push_text(&mut tokens, input, text_from, at);
                tokens.push(Token::LinkStart(url));
                link = Some((text_end, end));
                at += 1;
                text_from = at;
            }
        }
    }
    push_text(&mut tokens, input, text_from, input.len());
    tokens
}

fn push_text<'a>(tokens: &mut Vec<Token<'a>>, input: &'a str, from: usize, to: usize) {
    if let Some(text) = input.get(from..to).filter(|text| !text.is_empty()) {
        tokens.push(Token::Text(text));
    }
}

enum Found<'a> {
    /// The number of bytes of text.
    Text(usize),
    /// A backslash, and the number of bytes that it makes ordinary.
    Escaped(usize),
    /// A token, and the bytes it takes.
    Token(Token<'a>, usize),
    /// A link: its address, where its text ends, where it ends.
    Link { url: Cow<'a, str>, text_end: usize, end: usize },
}

struct Reader<'a> {
    input: &'a str,
    fence: Search,
    tick: Search,
    bracket: Search,
    parenthesis: Search,
    space: Search,
    /// Up to here an address goes, in which nothing is a mark.
    address_to: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self, rest: &'a str, at: usize, limit: usize, in_link: bool) -> Found<'a> {
        let mut characters = rest.chars();
        let Some(first) = characters.next() else { return Found::Text(1) };
        if first == '\\' {
            return match characters.next() {
                Some(escaped) if ESCAPABLE.contains(&escaped) => Found::Escaped(1),
                _ => Found::Text(1),
            };
        }
        if at >= self.address_to && is_at_word(self.input, at) {
            self.address_to = at + address(rest.get(..limit - at).unwrap_or(rest));
        }
        if at < self.address_to {
            let rest = rest.get(..self.address_to.min(limit) - at).unwrap_or(rest);
            return Found::Text(rest.find('\\').unwrap_or(rest.len()).max(1));
        }
        match first {
            '`' => self.code(rest, at, limit),
            '[' if in_link => Found::Text(1),
            '[' => self.link(at).unwrap_or(Found::Text(1)),
            '*' | '_' | '~' | '|' => {
                let Some(mark) = MARKS.iter().position(|(sign, _)| rest.starts_with(sign)) else {
                    return Found::Text(1);
                };
                let (opens, closes) = if first == '_' { sides(self.input, at) } else { (true, true) };
                Found::Token(Token::Mark(mark, opens, closes), 2)
            }
            // What is behind it may be an address.
            between if is_between_words(between) => Found::Text(between.len_utf8()),
            _ => {
                // The next word may be an address.
                let end = rest.char_indices().skip(1).find_map(|(at, one)| match one {
                    '\\' | '`' | '[' | '*' | '_' | '~' | '|' => Some(at),
                    one if is_between_words(one) => Some(at + one.len_utf8()),
                    _ => None,
                });
                Found::Text(end.unwrap_or(rest.len()).min(limit - at))
            }
        }
    }

    fn code(&mut self, rest: &'a str, at: usize, limit: usize) -> Found<'a> {
        if rest.starts_with("```") {
            let body = at + 3;
            // One character at least, as with every mark.
            if let Some(end) = self.fence.after(self.input, body + 1).filter(|end| end + 3 <= limit)
                && let Some(inside) = self.input.get(body..end)
            {
                let (language, code) = with_language(inside);
                return Found::Token(Token::Pre { language, code }, end + 3 - at);
            }
            return Found::Text(3);
        }
        match self.tick.after(self.input, at + 2).filter(|end| *end < limit) {
            Some(end) => match self.input.get(at + 1..end) {
                Some(code) => Found::Token(Token::Code(code), end + 1 - at),
                None => Found::Text(1),
            },
            None => Found::Text(1),
        }
    }

    fn link(&mut self, at: usize) -> Option<Found<'a>> {
        let mut text_end = self.bracket.after(self.input, at + 1)?;
        while escaped(self.input, text_end) {
            text_end = self.bracket.after(self.input, text_end + 1)?;
        }
        if text_end == at + 1 || !self.input.get(text_end..)?.starts_with("](") {
            return None;
        }
        let url_start = text_end + 2;
        let first = self.parenthesis.after(self.input, url_start)?;
        let space = self.space.after(self.input, url_start).unwrap_or(self.input.len());
        if first > space {
            return None;
        }
        let url_end = url_start + end_of_url(self.input.get(url_start..space)?).unwrap_or(first - url_start);
        let url = self.input.get(url_start..url_end).filter(|url| !url.is_empty())?;
        Some(Found::Link { url: unescaped(url), text_end, end: url_end + 1 })
    }
}

/// How deep parentheses stand in each other in an address, and its most characters.
const DEEPEST: usize = 16;
const LONGEST_ADDRESS: usize = 4_096;

/// Where the address of a link ends: at the first parenthesis that closes none of its own.
fn end_of_url(text: &str) -> Option<usize> {
    let (mut depth, mut is_escaped) = (0, false);
    for (at, one) in text.char_indices().take(LONGEST_ADDRESS) {
        match one {
            _ if is_escaped => {}
            '(' if depth == DEEPEST => return None,
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
        is_escaped = one == '\\' && !is_escaped;
    }
    None
}

/// A text without the backslashes that make signs ordinary.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(one) = characters.next() {
        match characters.peek() {
            Some(next) if one == '\\' && ESCAPABLE.contains(next) => made.extend(characters.next()),
            _ => made.push(one),
        }
    }
    Cow::Owned(made)
}

/// Whether a word begins here.
fn is_at_word(input: &str, at: usize) -> bool {
    let before = input.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|one| !one.is_alphanumeric())
}

/// What an address does not go on behind.
fn is_between_words(one: char) -> bool {
    one.is_whitespace() || matches!(one, '<' | '>' | '"' | '«' | '»' | '(' | '[')
}

/// What addresses begin with that have no `://`.
const BEGINNINGS: [&str; 6] = ["mailto:", "tel:", "sms:", "www.", "t.me/", "telegram.me/"];

/// The bytes of the address that a text begins with: none where it begins with something else. Marks at its end are not of it.
fn address(text: &str) -> usize {
    let begins = BEGINNINGS.iter().any(|beginning| {
        text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    });
    if !begins && !has_scheme(text) && !is_bare_host(text) && !is_mail(text) {
        return 0;
    }
    let word = text.find(|one: char| one.is_whitespace() || "<>\"«»`".contains(one)).unwrap_or(text.len());
    text.get(..word).map_or(0, |word| word.trim_end_matches(|one| "*_~|.,:;!?)]'".contains(one)).len())
}

/// Whether a text begins with a scheme, such as `https://`.
fn has_scheme(text: &str) -> bool {
    const LONGEST: usize = 20;
    let is_of_scheme = |one: char| one.is_ascii_alphanumeric() || "+.-".contains(one);
    let end = text.char_indices().take(LONGEST).find(|(_, one)| !is_of_scheme(*one));
    end.is_some_and(|(end, _)| end > 0 && text.get(end..).is_some_and(|rest| rest.starts_with("://")))
}

/// Whether a text begins with an address of email. Underscores round all of it are marks.
fn is_mail(text: &str) -> bool {
    const LONGEST: usize = 254;
    let is_of_address = |one: char| one.is_alphanumeric() || "._%+-@".contains(one);
    let end = text.char_indices().take(LONGEST).find(|(_, one)| !is_of_address(*one)).map(|(end, _)| end);
    let Some(end) = end.or_else(|| (text.len() <= LONGEST).then_some(text.len())) else { return false };
    let word = text.get(..end).unwrap_or_default();
    let is_marked = word.starts_with("__") && word.trim_end_matches('.').ends_with("__");
    let parts = word.split_once('@').filter(|(local, _)| !local.is_empty() && !is_marked);
    parts.is_some_and(|(_, host)| host.trim_matches(['.', '_']).contains('.') && !host.contains('@'))
}

/// Whether a text begins with a host and what follows one, such as `example.com/a`, `example.com:8080` and `example.com?a=1`.
fn is_bare_host(text: &str) -> bool {
    const LONGEST: usize = 253;
    let is_of_host = |one: char| one.is_alphanumeric() || matches!(one, '-' | '.');
    let end = text.char_indices().take(LONGEST).find(|(_, one)| !is_of_host(*one));
    let Some((end, sign)) = end else { return false };
    let next = text.get(end + sign.len_utf8()..).and_then(|rest| rest.chars().next());
    let goes_on = match sign {
        '/' => true,
        ':' => next.is_some_and(|next| next.is_ascii_digit()),
        '?' | '#' => next.is_some_and(|next| next.is_ascii_alphanumeric()),
        _ => false,
    };
    goes_on
        && text.get(..end).is_some_and(|host| {
            let last = host.rsplit('.').next().unwrap_or_default();
            host.contains('.') && last.chars().count() >= 2 && last.chars().all(char::is_alphabetic)
        })
}

/// Whether the underscores here can open and close: inside a word they do neither.
fn sides(input: &str, at: usize) -> (bool, bool) {
    const FURTHEST: usize = 64;
    let (before, after) = input.split_at_checked(at).unwrap_or_default();
    let is_letter = |one: Option<char>| one.is_some_and(char::is_alphanumeric);
    let before = before.chars().rev().take(FURTHEST).find(|one| *one != '_');
    let after = after.chars().take(FURTHEST).find(|one| *one != '_');
    (!is_letter(before), !is_letter(after))
}

/// Whether an odd number of backslashes comes before a byte.
fn escaped(input: &str, at: usize) -> bool {
    input.as_bytes().iter().take(at).rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// A block whose first line is one word names its language there.
fn with_language(inside: &str) -> (&str, &str) {
    let word = |text: &str| {
        !text.is_empty()
            && text.len() <= 32
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-#_.".contains(&byte))
    };
    match inside.split_once('\n') {
        Some((first, code)) if first.is_empty() && !code.is_empty() => ("", code),
        Some((first, code)) if word(first) && !code.is_empty() => (first, code),
        _ => ("", inside),
    }
}

/// Finds something at or after a place that only moves on, so that all searches together read the input once.
struct Search {
    find: fn(&str) -> Option<usize>,
    /// The last place found; none when there is no more.
    found: Option<usize>,
    started: bool,
}

impl Search {
    fn new(find: fn(&str) -> Option<usize>) -> Self {
        Self { find, found: None, started: false }
    }

    fn after(&mut self, input: &str, from: usize) -> Option<usize> {
        let stale = match self.found {
            Some(found) => found < from,
            None => !self.started,
        };
        if stale {
            self.started = true;
            // Inside a character nothing begins, so the search moves on to the next one.
            let from = (from..input.len()).find(|at| input.is_char_boundary(*at));
            self.found = from.and_then(|from| (self.find)(input.get(from..)?).map(|at| from + at));
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Vec<(u32, u32, EntityKind)>) {
        let formatted = parse(text);
        (formatted.text, formatted.entities.into_iter().map(|e| (e.offset, e.length, e.kind)).collect())
    }

    #[test]
    fn every_mark_is_read() {
        use EntityKind as K;
        for (text, kind) in [
            ("**x**", K::Bold),
            ("__x__", K::Italic),
            ("~~x~~", K::Strikethrough),
            ("||x||", K::Spoiler),
            ("`x`", K::Code),
            ("```x```", K::Pre { language: String::new() }),
            ("```\nx```", K::Pre { language: String::new() }),
            ("```rust\nx```", K::Pre { language: "rust".into() }),
            ("[x](https://example.com)", K::TextLink { url: "https://example.com".into() }),
            ("[x](tg://user?id=42)", K::MentionUser { user_id: 42 }),
        ] {
            assert_eq!(read(text), ("x".into(), vec![(0, 1, kind)]), "{text}");
        }
    }

    #[test]
    fn marks_without_a_partner_are_text() {
        for text in [
            "**x",
            "x__",
            "2 ** 3",
            "a_b*c~d|e",
            "****",
            "`x",
            "```x",
            "[x]",
            "[x](",
            "[x]()",
            "[](y)",
            "[x](a b)",
            "[x] (y)",
            "]x[",
            "C:\\new\\table",
            "snake__case__name",
            "имя__файла__тут.txt",
            "file__ and more __x",
            "a____b",
            "https://example.com/a__b__c",
            "https://example.com/**a**/~~b~~?c=||d||",
            "see www.example.com/__x__/y, then",
            "t.me/demo__main__bot",
            "пример.рф/a__b__c",
            "example.com/__init__.py",
            "x__y__z@example.com",
            "__anna__@example.com",
            "whatsapp://send?text=__x__",
            "TON://a**b**c",
            "example.com:8080/__x__",
            "example.com?utm=**x**y",
            "example.com#a~~x~~",
        ] {
            assert_eq!(read(text), (text.into(), vec![]), "{text}");
        }
    }

    #[test]
    fn addresses_and_words_stay_whole() {
        use EntityKind as K;
        let link = |url: &str| K::TextLink { url: url.to_owned() };
        for (text, shown, entities) in [
            ("[x](https://e.example/A_(b))", "x", vec![(0, 1, link("https://e.example/A_(b)"))]),
            ("[x](https://e.example/(a(b)c)d).", "x.", vec![(0, 1, link("https://e.example/(a(b)c)d"))]),
            ("([x](https://e.example/a))", "(x)", vec![(1, 1, link("https://e.example/a"))]),
            ("[x](https://e.example/a(b)", "x", vec![(0, 1, link("https://e.example/a(b"))]),
            (r"[x](https://e.example/a\)b)", "x", vec![(0, 1, link("https://e.example/a)b"))]),
            ("[x](https://e.example/a__b__c)", "x", vec![(0, 1, link("https://e.example/a__b__c"))]),
            ("**https://e.example/a__b**", "https://e.example/a__b", vec![(0, 22, K::Bold)]),
            ("__see https://e.example/a__", "see https://e.example/a", vec![(0, 23, K::Italic)]),
            ("(https://e.example/a_b) **x**", "(https://e.example/a_b) x", vec![(24, 1, K::Bold)]),
            (r"https://e.example/a\_\_b **x**", "https://e.example/a__b x", vec![(23, 1, K::Bold)]),
            ("__a__, (__b__)!", "a, (b)!", vec![(0, 1, K::Italic), (4, 1, K::Italic)]),
            ("__anna@example.com__", "anna@example.com", vec![(0, 16, K::Italic)]),
            ("**anna@example.com**", "anna@example.com", vec![(0, 16, K::Bold)]),
            ("Да.Нет?**x**", "Да.Нет?x", vec![(7, 1, K::Bold)]),
            ("example.com: **x**", "example.com: x", vec![(13, 1, K::Bold)]),
            ("**при**вет", "привет", vec![(0, 3, K::Bold)]),
            ("`https://e.example/`a", "https://e.example/a", vec![(0, 18, K::Code)]),
        ] {
            assert_eq!(read(text), (shown.to_owned(), entities), "{text}");
        }
    }

    #[test]
    fn marks_stand_in_each_other() {
        let url = "https://example.com";
        assert_eq!(
            read(&format!("😀 **a __b__ [c ||d||]({url}) e**")),
            (
                "😀 a b c d e".into(),
                vec![
                    (3, 9, EntityKind::Bold),
                    (5, 1, EntityKind::Italic),
                    (7, 3, EntityKind::TextLink { url: url.into() }),
                    (9, 1, EntityKind::Spoiler),
                ]
            )
        );
        assert_eq!(
            read("**a __b** c__"),
            ("a b c".into(), vec![(0, 3, EntityKind::Bold), (2, 3, EntityKind::Italic)])
        );
    }

    #[test]
    fn marks_inside_code_are_plain_text() {
        assert_eq!(read(r"`**a** \[ [b](c)`").0, r"**a** \[ [b](c)");
        let block = EntityKind::Pre { language: "a".into() };
        assert_eq!(read("```a\n`b` **c**```"), ("`b` **c**".into(), vec![(0, 9, block)]));
    }

    #[test]
    fn a_backslash_makes_a_mark_ordinary() {
        assert_eq!(read(r"\*\*a\*\* \`b\` \[c](d) \\"), (r"**a** `b` [c](d) \".into(), vec![]));
        let link = EntityKind::TextLink { url: "c".into() };
        assert_eq!(read(r"[a\]b](c)"), ("a]b".into(), vec![(0, 3, link)]));
    }

    proptest::proptest! {
        #[test]
        fn an_escaped_text_is_read_as_it_was(text in "[a-z .*_~|`()\\[\\]\\\\/:-]{0,40}") {
            let plain = FormattedText::plain(&text);
            proptest::prop_assert_eq!(parse(&escape_markdown(&text, false)), plain);
        }
    }

    #[test]
    fn long_runs_of_marks_are_read_once() {
        for sign in [
            "[", "`", "**", "[a](", "]", "\\", "``` ", "[a](b ", "[\\]", "_", "__a", "(", "[a](b(",
            "http://", "a.b/",
        ] {
            let text = sign.repeat(100_000);
            assert!(parse(&text).text.len() <= text.len());
        }
    }
}
