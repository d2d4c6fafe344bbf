//! Markdown: the few marks that Telegram users know; a mark without its partner is text.

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
    /// The index of one of [`MARKS`].
    Mark(usize),
    Code(&'a str),
    Pre {
        language: &'a str,
        code: &'a str,
    },
    LinkStart(&'a str),
    LinkEnd,
}

/// Reads Markdown; there is no such thing as broken Markdown.
pub(super) fn parse(input: &str) -> FormattedText {
    let tokens = tokens(input);
    let paired = pair(&tokens);
    let mut built = Builder::default();
    let mut open = [0_u32; MARKS.len()];
    let mut link: Option<(u32, &str)> = None;
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
            Token::Mark(mark) => {
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
        let Token::Mark(mark) = token else { continue };
        let Some(waiting) = open.get_mut(*mark) else { continue };
        match *waiting {
            Some(start) if start + 1 < index => {
                *waiting = None;
                if let Some(role) = roles.get_mut(start) {
                    *role = Role::Opens;
                }
                if let Some(role) = roles.get_mut(index) {
                    *role = Role::Closes;
                }
            }
            // Right after its partner a mark is text: there is nothing to mark in between.
            Some(_) => {}
            None => *waiting = Some(index),
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
    /// So many bytes of text.
    Text(usize),
    /// A backslash, and so many bytes that it makes ordinary.
    Escaped(usize),
    /// A token, and the bytes it takes.
    Token(Token<'a>, usize),
    /// A link: its address, where its text ends, where it ends.
    Link { url: &'a str, text_end: usize, end: usize },
}

struct Reader<'a> {
    input: &'a str,
    fence: Search,
    tick: Search,
    bracket: Search,
    parenthesis: Search,
    space: Search,
}

impl<'a> Reader<'a> {
    fn next(&mut self, rest: &'a str, at: usize, limit: usize, in_link: bool) -> Found<'a> {
        let mut characters = rest.chars();
        let Some(first) = characters.next() else { return Found::Text(1) };
        match first {
            '\\' => match characters.next() {
                Some(escaped) if ESCAPABLE.contains(&escaped) => Found::Escaped(1),
                _ => Found::Text(1),
            },
            '`' => self.code(rest, at, limit),
            '[' if in_link => Found::Text(1),
            '[' => self.link(at).unwrap_or(Found::Text(1)),
            '*' | '_' | '~' | '|' => MARKS
                .iter()
                .position(|(sign, _)| rest.starts_with(sign))
                .map_or(Found::Text(1), |mark| Found::Token(Token::Mark(mark), 2)),
            _ => {
                let plain = rest.find(['\\', '`', '[', '*', '_', '~', '|']).unwrap_or(rest.len());
                Found::Text(plain.min(limit - at))
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
        let url_end = self.parenthesis.after(self.input, url_start)?;
        let one_word = self.space.after(self.input, url_start).is_none_or(|space| space > url_end);
        let url = self.input.get(url_start..url_end).filter(|url| one_word && !url.is_empty())?;
        Some(Found::Link { url, text_end, end: url_end + 1 })
    }
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
        ] {
            assert_eq!(read(text), (text.into(), vec![]), "{text}");
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

    #[test]
    fn long_runs_of_marks_are_read_once() {
        for sign in ["[", "`", "**", "[a](", "]", "\\", "``` ", "[a](b ", "[\\]"] {
            let text = sign.repeat(100_000);
            assert!(parse(&text).text.len() <= text.len());
        }
    }
}
