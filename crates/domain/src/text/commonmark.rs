//! CommonMark with tables, as language models write it: what it marks becomes entities, and the signs themselves go.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeWithOffset};

use super::formatted::{Builder, EntityKind, FormattedText};

/// How deep lists are indented.
const DEEPEST: usize = 6;

/// Reads CommonMark; there is no such thing as broken CommonMark. Tags of HTML stay as they are.
pub(crate) fn parse(source: &str) -> FormattedText {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let source = &*with_escapes(source);
    let events = Parser::new_ext(source, options).into_offset_iter();
    let mut reader = Reader { source, ..Reader::default() };
    for (event, range) in TextMergeWithOffset::new(events) {
        reader.take(event, &range);
    }
    reader.built.finish()
}

/// The same with a backslash before each mark in addresses, in paths and in codes for telephones, which are no formatting, and before a
/// label at the beginning of a line, which would be left out with all behind it.
fn with_escapes(source: &str) -> Cow<'_, str> {
    let has_any = ["://", "@", "www.", ":\\", "#", "]:"].iter().any(|sign| source.contains(sign));
    if !has_any {
        return Cow::Borrowed(source);
    }
    let mut escaped = String::with_capacity(source.len() + 16);
    // Between backticks stands code.
    for (place, part) in source.split('`').enumerate() {
        if place > 0 {
            escaped.push('`');
        }
        if place % 2 == 1 {
            escaped.push_str(part);
            continue;
        }
        for line in part.split_inclusive('\n') {
            let start = line.trim_start();
            let label = start.starts_with('[') && !start.starts_with("[^") && line.contains("]:");
            for (at, word) in line.split_inclusive(char::is_whitespace).enumerate() {
                if label && at == 0 {
                    escaped.push('\\');
                }
                push_word(&mut escaped, word);
            }
        }
    }
    Cow::Owned(escaped)
}

fn push_word(escaped: &mut String, word: &str) {
    let is_link = word.starts_with(['<', '[']) || word.contains("](");
    let whole = word.trim_end();
    let (core, before) = if is_code_of_phone(whole.trim_end_matches(['.', ',', ';', '!', '?', ')'])) {
        (whole, 0)
    } else {
        let inner = whole.trim_start_matches(|sign: char| "*_~([<\"'«|".contains(sign));
        let before = whole.len() - inner.len();
        (inner.trim_end_matches(|sign: char| "*_~)]>\"'».,;:!?|".contains(sign)), before)
    };
    let is_address = core.contains("://")
        || core.contains('@') && core.len() > 3
        || core.starts_with("www.")
        || core.contains(":\\")
        || before == 0 && is_code_of_phone(core.trim_end_matches(['.', ',', ';', '!', '?', ')']));
    if is_link || !is_address {
        escaped.push_str(word);
        return;
    }
    let (start, rest) = word.split_at(before);
    let (core, end) = rest.split_at(core.len());
    escaped.push_str(start);
    for sign in core.chars() {
        if "*_~&\\[]".contains(sign) {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped.push_str(end);
}

/// `*105*1*2#`
fn is_code_of_phone(word: &str) -> bool {
    word.starts_with(['*', '#'])
        && word.ends_with('#')
        && word.chars().all(|sign| sign.is_ascii_digit() || "*#+".contains(sign))
        && word.contains(|sign: char| sign.is_ascii_digit())
}

/// What a text would be without entities: the address of a link follows its words, and what is struck through is said to be over,
/// since "5000 4000" is another price.
pub(crate) fn flattened(text: &FormattedText) -> String {
    let mut links: Vec<(u32, &str)> = Vec::new();
    for entity in &text.entities {
        if let EntityKind::TextLink { url } = &entity.kind {
            links.push((entity.end(), url.as_str()));
        }
    }
    links.sort_by_key(|(end, _)| *end);
    let is_russian = text.text.contains(|other| matches!(other, '\u{400}'..='\u{4FF}' | '₽'));
    let word = if is_russian { "было" } else { "was" };
    let (mut links, mut struck) = (links.into_iter().peekable(), struck(text).into_iter().peekable());
    let (mut flat, mut units, mut struck_to) = (String::with_capacity(text.text.len()), 0, 0);
    let mut over = String::new();
    for character in text.text.chars().map(Some).chain([None]) {
        while let Some((end, url)) = links.next_if(|(end, _)| *end <= units) {
            if end > struck_to {
                flat.extend([" (", url, ")"]);
            }
        }
        if units >= struck_to && !over.is_empty() {
            push_over(&mut flat, &std::mem::take(&mut over), word, character);
        }
        while let Some((_, end)) = struck.next_if(|(start, _)| *start <= units) {
            struck_to = struck_to.max(end);
        }
        let Some(character) = character else { break };
        let shown = if units < struck_to { &mut over } else { &mut flat };
        shown.push(character);
        units += super::units::units_of(character);
    }
    flat
}

/// What is struck through in a text, by where it begins and ends.
fn struck(text: &FormattedText) -> Vec<(u32, u32)> {
    let struck = text.entities.iter().filter(|entity| entity.kind == EntityKind::Strikethrough);
    let mut struck: Vec<(u32, u32)> = struck.map(|entity| (entity.offset, entity.end())).collect();
    struck.sort_unstable();
    struck
}

/// Whether a text says nothing but what is struck through.
pub(crate) fn is_all_struck(text: &FormattedText) -> bool {
    let struck = struck(text);
    let mut units = 0;
    !struck.is_empty()
        && text.text.chars().all(|character| {
            let at = units;
            units += super::units::units_of(character);
            character.is_whitespace()
                || ".,;:!?".contains(character)
                || struck.iter().any(|(start, end)| (*start..*end).contains(&at))
        })
}

/// Adds what is struck through, with a word that says that it is over, unless the line before says so.
fn push_over(flat: &mut String, over: &str, word: &str, next: Option<char>) {
    const SAYS_SO: [&str; 12] = [
        "было",
        "была",
        "были",
        "вместо",
        "старая цена",
        "прежняя цена",
        "обычная цена",
        "was",
        "were",
        "old price",
        "regular price",
        "instead of",
    ];
    if over.trim().is_empty() {
        flat.push_str(over);
        return;
    }
    let line = flat.lines().next_back().unwrap_or_default().to_lowercase();
    let line = line.trim_end_matches([' ', ':']);
    let says_so = SAYS_SO.iter().any(|words| line.ends_with(words));
    if flat.ends_with(char::is_alphanumeric) {
        flat.push(' ');
    }
    let (start, end) = if says_so { ("", "") } else { ("(", ")") };
    let (word, space) = if says_so { ("", "") } else { (word, " ") };
    flat.extend([start, word, space, over.trim(), end]);
    if over.ends_with(char::is_whitespace) || next.is_some_and(char::is_alphanumeric) {
        flat.push(' ');
    }
}

/// A text without signs of bold text that found no partner; "2 ** 3" keeps its own.
fn without_stray_bold(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut pieces = text.split("**").peekable();
    while let Some(piece) = pieces.next() {
        made.push_str(piece);
        let is_digit = |other: Option<char>| other.is_some_and(|other| other.is_ascii_digit());
        let is_power = made.ends_with(' ')
            && is_digit(made.trim_end().chars().next_back())
            && pieces.peek().is_some_and(|next| is_digit(next.trim_start().chars().next()));
        if is_power {
            made.push_str("**");
        }
    }
    made
}

/// A mark whose end is awaited.
struct Open {
    start: u32,
    bytes: usize,
    /// None: the sign stays, because it marks nothing.
    kind: Option<EntityKind>,
}

#[derive(Default)]
struct Reader<'a> {
    source: &'a str,
    built: Builder,
    open: Vec<Open>,
    /// The lists that are open.
    depth: usize,
    /// How many cells of a row came.
    cells: usize,
    /// The next block begins where it is: after the sign of an item.
    is_after_sign: bool,
    in_code: bool,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: &Range<usize>) {
        self.is_after_sign &= matches!(event, Event::Start(_) | Event::End(_));
        match event {
            Event::Start(tag) => self.begin(tag, range),
            Event::End(tag) => self.end(tag),
            // A sign that found no partner says nothing to a reader.
            Event::Text(text) if !self.in_code => self.built.push_str(&without_stray_bold(&text)),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.built.push_str(&text),
            Event::Code(code) => {
                let start = self.built.position();
                self.built.push_str(&code);
                self.built.mark(start, EntityKind::Code);
            }
            Event::SoftBreak | Event::HardBreak => self.built.push('\n'),
            Event::TaskListMarker(is_done) => self.built.push_str(if is_done { "☑ " } else { "☐ " }),
            Event::Rule => self.part(range),
            Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn begin(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock | Tag::Table(_) => self.part(range),
            Tag::Heading { .. } => {
                self.part(range);
                self.begin_mark(Some(EntityKind::Bold));
            }
            Tag::BlockQuote(_) => {
                self.part(range);
                self.is_after_sign = true;
                self.begin_mark(Some(EntityKind::Blockquote { expandable: false }));
            }
            Tag::CodeBlock(kind) => {
                self.part(range);
                self.in_code = true;
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.begin_mark(Some(EntityKind::Pre { language }));
            }
            Tag::List(_) => self.depth += 1,
            Tag::Item => {
                self.part(range);
                for _ in 1..self.depth.min(DEEPEST) {
                    self.built.push_str("  ");
                }
                let sign = sign(self.source.get(range.clone()).unwrap_or_default());
                self.built.push_str(sign);
                self.is_after_sign = true;
            }
            Tag::TableHead => {
                self.cells = 0;
                self.begin_mark(Some(EntityKind::Bold));
            }
            Tag::TableRow => {
                self.cells = 0;
                self.built.push('\n');
            }
            Tag::TableCell => {
                if self.cells > 0 {
                    self.built.push_str(" — ");
                }
                self.cells += 1;
            }
            Tag::Emphasis => self.begin_inline(range, 1, EntityKind::Italic),
            Tag::Strong => self.begin_mark(Some(EntityKind::Bold)),
            Tag::Strikethrough => self.begin_inline(range, 2, EntityKind::Strikethrough),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.begin_mark(Some(EntityKind::TextLink { url: dest_url.to_string() }));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::List(_) => self.depth = self.depth.saturating_sub(1),
            TagEnd::Emphasis => self.end_mark("*"),
            TagEnd::Strikethrough => self.end_mark("~"),
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.end_mark("");
            }
            TagEnd::Heading(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::TableHead
            | TagEnd::Strong
            | TagEnd::Link
            | TagEnd::Image => self.end_mark(""),
            _ => {}
        }
        self.is_after_sign &= !matches!(tag, TagEnd::Item | TagEnd::Paragraph);
    }

    /// Begins a block: on a line of its own, after an empty one where the source has one.
    fn part(&mut self, range: &Range<usize>) {
        if std::mem::take(&mut self.is_after_sign) || self.built.bytes() == 0 {
            return;
        }
        let before = self.source.get(..range.start).unwrap_or_default();
        let gap = before.get(before.trim_end_matches([' ', '\t', '\n', '>']).len()..).unwrap_or_default();
        let wanted = gap.matches('\n').count().clamp(1, 2);
        let text = self.built.since(0);
        let there = text.len() - text.trim_end_matches('\n').len();
        for _ in there..wanted {
            self.built.push('\n');
        }
    }

    /// A sign between letters and digits is no mark: `10*20*30`. So is one that is shorter than it has to be: `5~10~15`.
    fn begin_inline(&mut self, range: &Range<usize>, least: usize, kind: EntityKind) {
        let (before, marked) = self.source.split_at(range.start.min(self.source.len()));
        let sign = marked.chars().next().unwrap_or_default();
        let is_inside = sign != '_' && before.chars().next_back().is_some_and(char::is_alphanumeric);
        let is_short = marked.chars().take_while(|other| *other == sign).count() < least;
        let is_mark = if least > 1 { !is_short } else { !is_inside };
        if !is_mark {
            self.built.push(sign);
        }
        self.begin_mark(is_mark.then_some(kind));
    }

    fn begin_mark(&mut self, kind: Option<EntityKind>) {
        self.open.push(Open { start: self.built.position(), bytes: self.built.bytes(), kind });
    }

    fn end_mark(&mut self, sign: &str) {
        let Some(Open { start, bytes, kind }) = self.open.pop() else { return };
        match kind {
            None => self.built.push_str(sign),
            Some(EntityKind::TextLink { url }) => {
                let words = self.built.since(bytes);
                if is_shown_by(&url, words) || !is_openable(&url) {
                    return;
                }
                if words.trim().is_empty() {
                    self.built.push_str(&url);
                } else {
                    self.built.mark(start, EntityKind::TextLink { url });
                }
            }
            Some(kind) => self.built.mark(start, kind),
        }
    }
}

/// The sign of an item of a list, as it is shown.
fn sign(item: &str) -> &str {
    let digits = item.bytes().take_while(u8::is_ascii_digit).count();
    match item.as_bytes().first() {
        Some(b'-') => "- ",
        Some(b'*' | b'+') => "• ",
        _ if digits > 0 && digits + 1 < item.len() && item.is_char_boundary(digits + 2) => {
            item.get(..digits + 2).filter(|sign| sign.ends_with(' ')).unwrap_or("• ")
        }
        _ => "• ",
    }
}

/// Whether the words of a link are its address.
fn is_shown_by(url: &str, words: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().trim_end_matches('/').to_lowercase();
        let starts = ["https://", "http://", "mailto:", "tel:", "www."];
        starts.iter().fold(text, |text, start| text.strip_prefix(start).unwrap_or(&text).to_owned())
    };
    bare(url) == bare(words)
}

fn is_openable(url: &str) -> bool {
    let url = url.trim().to_ascii_lowercase();
    ["https://", "http://", "mailto:", "tel:"].iter().any(|start| url.starts_with(start))
}

#[cfg(test)]
mod tests {
    #[test]
    fn marks_in_addresses_and_codes_stay() {
        for text in [
            "Наберите *105*1*2#",
            "https://e.example/_next_/x",
            "https://e.example/?a=*b*&c=*d*",
            "https://e.example/?a=1&copy;b",
            "_info_@example.com",
            "@_anna_",
            "C:\\_temp\\x",
            "[Телефон]: +79000000001",
        ] {
            assert_eq!(super::parse(text).text, text);
        }
        assert_eq!(super::parse("**https://e.example/a_b_c** and _a_").text, "https://e.example/a_b_c and a");
        assert_eq!(super::parse("`https://e.example/_a_`").text, "https://e.example/_a_");
    }

    use super::*;

    #[test]
    fn signs_go_and_the_text_stays() {
        for (source, flat) in [
            ("Да, есть.\nПриходите!", "Да, есть.\nПриходите!"),
            ("## Цены\n\nКолесо: **500 ₽**", "Цены\n\nКолесо: 500 ₽"),
            ("Есть:\n- одно\n- два\n\nЖдём.", "Есть:\n- одно\n- два\n\nЖдём."),
            ("* одно\n  * два\n* три", "• одно\n  • два\n• три"),
            ("1) раз\n2) два", "1) раз\n2) два"),
            ("3. три\n4. четыре", "3. три\n4. четыре"),
            ("[сайт](https://example.com/a_(b))", "сайт (https://example.com/a_(b))"),
            (
                "<https://example.com> и [https://example.com](https://example.com/)",
                "https://example.com и https://example.com",
            ),
            ("![фото](https://example.com/1.jpg)", "фото (https://example.com/1.jpg)"),
            (
                "| Товар | Цена |\n|---|---:|\n| Колесо | 500 |\n| Шина | 300 |",
                "Товар — Цена\nКолесо — 500\nШина — 300",
            ),
            ("> Цитата\n> дальше\n\nОтвет", "Цитата\nдальше\n\nОтвет"),
            ("```\nкод **x**\n```", "код **x**"),
            ("a_b_c, 10*20*30, 5~10, 15~20", "a_b_c, 10*20*30, 5~10, 15~20"),
            ("**Важно:**цена", "Важно:цена"),
            ("**не закрыто", "не закрыто"),
            ("- [x] готово\n- [ ] нет", "- ☑ готово\n- ☐ нет"),
            ("Текст\n\n---\n\nДальше", "Текст\n\nДальше"),
            (r"Цена\: 5\.5 \(руб\)", "Цена: 5.5 (руб)"),
            ("***очень***", "очень"),
            ("2 ** 3 = 8, ** Важно ** нет", "2 ** 3 = 8,  Важно  нет"),
            ("~~5000~~ 4000 ₽", "(было 5000) 4000 ₽"),
            ("~~$50~~ $40", "(was $50) $40"),
            ("Было ~~900~~, стало 700", "Было 900, стало 700"),
            ("Старая цена: ~~15 990 ₽~~\nЦена: 12 990 ₽", "Старая цена: 15 990 ₽\nЦена: 12 990 ₽"),
            ("Цена ~~1 000 ₽~~ **800 ₽**", "Цена (было 1 000 ₽) 800 ₽"),
            ("Цена: ~~1 000 ₽~~", "Цена: (было 1 000 ₽)"),
            (
                "~~[сайт](https://example.com)~~ [новый](https://example.org)",
                "(было сайт) новый (https://example.org)",
            ),
            ("~~Нет~~", "(было Нет)"),
            ("", ""),
        ] {
            assert_eq!(flattened(&parse(source)), flat, "{source}");
        }
    }

    #[test]
    fn marks_become_entities() {
        use EntityKind as K;
        for (source, kind) in [
            ("**x**", K::Bold),
            ("__x__", K::Bold),
            ("*x*", K::Italic),
            ("~~x~~", K::Strikethrough),
            ("`x`", K::Code),
            ("# x", K::Bold),
            ("```rust\nx\n```", K::Pre { language: "rust".into() }),
            ("[x](https://example.com)", K::TextLink { url: "https://example.com".into() }),
        ] {
            let parsed = parse(source);
            assert_eq!(parsed.text, "x", "{source}");
            assert_eq!(parsed.entities[0].kind, kind, "{source}");
        }
        assert!(parse("[x](javascript:alert(1))").entities.is_empty());
    }
}
