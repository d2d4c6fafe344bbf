//! The text of a mail: HTML becomes text, and of an answer what it quotes of earlier mails is cut. Pure.

use mail_parser::decoders::html::add_html_token;

/// What begins a new line.
const BLOCKS: [&str; 18] = [
    "address",
    "article",
    "blockquote",
    "div",
    "dl",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "header",
    "hr",
    "li",
    "ol",
    "section",
    "table",
    "tr",
    "ul",
];
/// What has no text of its own.
const SILENT: [&str; 6] = ["head", "noscript", "script", "style", "template", "title"];
/// What a line between dashes says after which a program quotes without marks.
const SEPARATORS: [&str; 10] = [
    "original message",
    "original appointment",
    "reply message",
    "исходное сообщение",
    "первоначальное сообщение",
    "исходная встреча",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "mensaje original",
];
/// What a line says after which a mail is forwarded, which its writer wants to be read.
const FORWARDS: [&str; 6] = [
    "forwarded message",
    "пересылаемое сообщение",
    "пересланное сообщение",
    "begin forwarded message",
    "weitergeleitete nachricht",
    "message transféré",
];
/// The lines of the header of a quoted mail, as programs write it: who wrote it, when, and about what.
const HEADER: [&[&str]; 3] = [
    &["From:", "От:", "От кого:", "Von:", "De :", "De:"],
    &["Sent:", "Date:", "Отправлено:", "Дата:", "Gesendet:", "Envoyé :", "Enviado:"],
    &["Subject:", "Тема:", "Betreff:", "Objet :", "Asunto:"],
];
/// The most marks of quotes within quotes.
const DEEPEST: usize = 8;
/// The most lines of such a header.
const LONGEST_HEADER: usize = 8;

/// Elements that have no end.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];
/// How many hidden elements without an end are looked for.
const MOST_UNENDED: usize = 8;

/// A page as text. What its styles hide is left out: its reader saw nothing of it. With `marks_quotes` the lines that it quotes begin with `>`, as in a text.
pub(super) fn of_html(page: &str, marks_quotes: bool) -> String {
    let mut text = Lines::default();
    let mut rest = page;
    let mut silent: Option<&str> = None;
    let mut link: Option<(String, usize)> = None;
    let (mut unended, mut sizes) = (0, Sizes::default());
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        if silent.is_none() && sizes.are_legible() {
            text.add(&rest[..end]);
        }
        rest = &rest[end..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(tag) = rest.strip_prefix('<') else { break };
        // "< 5" and "<3" are words.
        if !tag.starts_with(|next: char| next.is_ascii_alphabetic() || "/!?".contains(next)) {
            if silent.is_none() && sizes.are_legible() {
                text.add("<");
            }
            rest = tag;
            continue;
        }
        let end = tag.find('>').unwrap_or(tag.len());
        rest = tag.get(end + 1..).unwrap_or_default();
        let tag = &tag[..end];
        let is_end = tag.starts_with('/');
        let body = tag.trim_start_matches('/');
        let name_end = body.find(|one: char| !one.is_ascii_alphanumeric()).unwrap_or(body.len());
        let name = body[..name_end].to_ascii_lowercase();
        if let Some(known) = SILENT.iter().find(|known| **known == name) {
            let opens = !is_end && !body.ends_with('/');
            silent = opens.then_some(known);
            continue;
        }
        // Its end tag may be left out.
        if name == "body" && silent == Some("head") {
            silent = None;
        }
        if silent.is_some() {
            continue;
        }
        if is_end {
            sizes.end(&name);
        } else if !VOID.contains(&name.as_str()) {
            let said = sight(body);
            let hides = matches!(said, Sight::Hidden | Sight::Tiny);
            let behind = if hides && unended < MOST_UNENDED { behind_element(rest, &name) } else { None };
            unended += usize::from(hides && behind.is_none());
            if let (Sight::Hidden, Some(behind)) = (said, behind) {
                rest = behind;
                continue;
            }
            let is_legible = match said {
                Sight::Tiny if behind.is_some() => Some(false),
                Sight::Legible => Some(true),
                _ => None,
            };
            sizes.begin(&name, is_legible);
        }
        match name.as_str() {
            "br" => text.end_line(),
            "blockquote" if marks_quotes => {
                text.end_line_once();
                text.depth =
                    if is_end { text.depth.saturating_sub(1) } else { (text.depth + 1).min(DEEPEST) };
            }
            "p" => text.end_paragraph(),
            "td" | "th" if is_end => text.space(),
            "a" if is_end => {
                if let Some((address, from)) = link.take()
                    && !text
                        .since(from)
                        .contains(address.trim_start_matches("https://").trim_end_matches('/'))
                {
                    text.add(&format!(" ({address})"));
                }
            }
            "a" if sizes.are_legible() => link = address(body).map(|address| (address, text.len())),
            name if BLOCKS.contains(&name) => text.end_line_once(),
            _ => {}
        }
    }
    text.finish()
}

/// The sizes of letters that the open elements set.
#[derive(Default)]
struct Sizes(Vec<Size>);

struct Size {
    /// The name of the element.
    name: String,
    /// How many elements of that name are open, with this one.
    open: usize,
    is_legible: bool,
}

impl Sizes {
    /// The most that are kept.
    const MOST: usize = 64;

    fn are_legible(&self) -> bool {
        self.0.last().is_none_or(|size| size.is_legible)
    }

    fn begin(&mut self, name: &str, is_legible: Option<bool>) {
        if let Some(is_legible) = is_legible.filter(|_| self.0.len() < Self::MOST) {
            self.0.push(Size { name: name.to_owned(), open: 1, is_legible });
        } else if let Some(size) = self.0.iter_mut().rev().find(|size| size.name == name) {
            size.open += 1;
        }
    }

    fn end(&mut self, name: &str) {
        let Some(place) = self.0.iter().rposition(|size| size.name == name) else { return };
        self.0[place].open -= 1;
        if self.0[place].open == 0 {
            self.0.truncate(place);
        }
    }
}

/// What a start tag says about the sight of its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// The element with all that is in it is not shown.
    Hidden,
    /// The letters are too small to be read, but those of elements within that set another size.
    Tiny,
    /// The letters have a size that can be read, whatever the size around them.
    Legible,
    Unsaid,
}

fn sight(tag: &str) -> Sight {
    let tag = tag.to_ascii_lowercase();
    let attributes = attributes(&tag);
    let of = |wanted: &str| attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    if of("hidden").is_some() {
        return Sight::Hidden;
    }
    let mut style = String::new();
    add_text(&mut style, of("style").unwrap_or_default());
    let style = without_comments(&style);
    let rules = style.split(';').filter_map(|rule| rule.split_once(':'));
    let rules: Vec<(&str, &str)> = rules
        .map(|(property, value)| (property.trim(), value.trim().trim_end_matches("!important").trim()))
        .collect();
    let is_cut = rules.contains(&("overflow", "hidden"));
    let hides = |(property, value): &(&str, &str)| match *property {
        "display" => *value == "none",
        "visibility" => ["hidden", "collapse"].contains(value),
        "mso-hide" => *value == "all",
        "color" => *value == "transparent",
        "max-height" | "opacity" => is_zero(value),
        "height" | "width" => is_cut && is_zero(value),
        "text-indent" | "left" | "top" => number(value).is_some_and(|(number, _)| number < FARTHEST),
        _ => false,
    };
    if rules.iter().any(hides) {
        return Sight::Hidden;
    }
    let sizes = rules.iter().filter(|(property, _)| ["font", "font-size"].contains(property));
    let mut sizes = sizes.flat_map(|(_, value)| value.split_whitespace());
    sizes.find_map(|size| sight_of_size(size.split('/').next()?)).unwrap_or(Sight::Unsaid)
}

/// None where it is no size, or one that depends on the size around it.
fn sight_of_size(size: &str) -> Option<Sight> {
    if ["small", "medium", "large", "x-small", "x-large", "xx-large"].contains(&size) {
        return Some(Sight::Legible);
    }
    let (number, unit) = number(size)?;
    let is_fixed = ["px", "pt", "pc", "rem", "mm", "cm", "in"].contains(&unit);
    if number <= 0.0 || number <= 1.0 && ["px", "pt"].contains(&unit) {
        return Some(Sight::Tiny);
    }
    is_fixed.then_some(Sight::Legible)
}

/// What is farther to the left or above stands outside the page.
const FARTHEST: f32 = -500.0;

/// A number of a style and its unit.
fn number(value: &str) -> Option<(f32, &str)> {
    let number = value.trim_end_matches(|one: char| one.is_ascii_alphabetic() || one == '%');
    number.parse().ok().map(|read| (read, &value[number.len()..]))
}

fn is_zero(value: &str) -> bool {
    number(value).is_some_and(|(number, _)| number <= 0.0)
}

/// A style without its comments.
fn without_comments(style: &str) -> String {
    let mut parts = style.split("/*");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once("*/").map_or("", |(_, behind)| behind));
    }
    kept
}

/// The attributes of a start tag with their values, as browsers read them. One without a value has an empty one.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let is_blank = |one: char| one.is_ascii_whitespace() || one == '/';
    let mut found = Vec::new();
    let mut rest =
        tag.trim_start_matches(|one: char| one.is_ascii_alphanumeric()).trim_start_matches(is_blank);
    while let Some(first) = rest.chars().next() {
        let first = first.len_utf8();
        let end = rest[first..].find(|one: char| is_blank(one) || one == '=');
        let (name, behind) = rest.split_at(end.map_or(rest.len(), |end| first + end));
        let (value, behind) = match behind.trim_start().strip_prefix('=').map(str::trim_start) {
            None => ("", behind),
            Some(value) => match value.chars().next().filter(|one| matches!(one, '"' | '\'')) {
                Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
            },
        };
        found.push((name, value));
        rest = behind.trim_start_matches(is_blank);
    }
    found
}

/// What stands behind the end of an element, of whose content and rest of the page `rest` begins; none if it does not end.
fn behind_element<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let mut depth = 1_usize;
    let mut at = 0;
    while let Some(start) = rest[at..].find('<') {
        let tag = &rest[at + start + 1..];
        at += start + 1 + tag.find('>').map_or(tag.len(), |end| end + 1);
        let is_end = tag.starts_with('/');
        let tag = tag.strip_prefix('/').unwrap_or(tag);
        let is_it = tag.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
            && !tag[name.len()..].starts_with(|one: char| one.is_ascii_alphanumeric());
        match (is_it, is_end) {
            (true, true) => depth -= 1,
            (true, false) => depth += 1,
            _ => {}
        }
        if depth == 0 {
            return rest.get(at..);
        }
    }
    None
}

/// Where a link leads, if that is an address of the web.
fn address(tag: &str) -> Option<String> {
    let after = &tag[tag.to_ascii_lowercase().find("href=")? + 5..];
    let quote = after.chars().next().filter(|one| matches!(one, '"' | '\''));
    let address = match quote {
        Some(quote) => after[1..].split(quote).next(),
        None => after.split_whitespace().next(),
    }?;
    let mut decoded = String::new();
    add_text(&mut decoded, address);
    Some(decoded).filter(|address| address.starts_with("http://") || address.starts_with("https://"))
}

/// Lines that grow.
#[derive(Default)]
struct Lines {
    text: String,
    /// How many quotes the end is in.
    depth: usize,
}

impl Lines {
    fn add(&mut self, piece: &str) {
        let mut decoded = String::with_capacity(piece.len());
        add_text(&mut decoded, piece);
        for one in decoded.chars() {
            if one.is_whitespace() {
                self.space();
            } else if one != '\u{200b}' && one != '\u{feff}' {
                if self.text.is_empty() || self.text.ends_with('\n') {
                    self.text.push_str(&"> ".repeat(self.depth));
                }
                self.text.push(one);
            }
        }
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn end_line_once(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        if !self.text.ends_with('\n') {
            self.end_line();
        }
    }

    fn end_paragraph(&mut self) {
        self.end_line();
        self.end_line();
    }

    const fn len(&self) -> usize {
        self.text.len()
    }

    fn since(&self, from: usize) -> &str {
        self.text.get(from..).unwrap_or_default()
    }

    fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

/// Adds a text with its entities, such as `&amp;`, as what they stand for.
fn add_text(to: &mut String, text: &str) {
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        to.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.bytes().take(12).position(|one| one == b';');
        if let Some(end) = end.filter(|end| {
            rest.as_bytes()[1..*end].iter().all(|one| one.is_ascii_alphanumeric() || *one == b'#')
        }) {
            add_html_token(to, &rest.as_bytes()[..=end], false);
            rest = &rest[end + 1..];
        } else {
            to.push('&');
            rest = &rest[1..];
        }
    }
    to.push_str(rest);
}

/// Returns an answer without what it quotes. One of which nothing would be left that says something stays as it is.
pub(super) fn without_quotes(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut place = 0;
    while place < lines.len() {
        let line = lines[place];
        let lower = line.to_lowercase();
        if FORWARDS.iter().any(|mark| lower.contains(mark)) && (line.starts_with('-') || line.ends_with(':'))
        {
            kept.extend(&lines[place..]);
            break;
        }
        if is_separator(&lower) || is_header_block(without_rule(&lines[place..])) {
            break;
        }
        if is_quote(line) {
            place += 1;
            continue;
        }
        if let Some(length) = attribution(&lines[place..]).or_else(|| dated_attribution(&lines[place..])) {
            let after = &lines[place + length..];
            let quotes = after.iter().find(|line| !line.is_empty()).is_some_and(|line| is_quote(line));
            let names = lines[place..place + length].iter().any(|line| line.contains('@'));
            if !quotes && names {
                break;
            }
            if quotes {
                place += length;
                continue;
            }
        }
        kept.push(line);
        place += 1;
    }
    let kept = kept.join("\n").trim().to_owned();
    let is_rule = |sign: char| sign.is_whitespace() || matches!(sign, '_' | '-' | '–' | '—' | '=' | '*');
    // What announces an answer below may have it within the quote.
    if kept.chars().all(is_rule) || kept.ends_with(':') { text.trim().to_owned() } else { kept }
}

/// Whether a line in small letters separates an answer from what it quotes, such as `-----Original Message-----`.
fn is_separator(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("--") && SEPARATORS.contains(&line.trim_matches(['-', ' ']))
}

/// The lines behind a rule that a program draws above the header of what it quotes.
fn without_rule<'a, 'b>(lines: &'a [&'b str]) -> &'a [&'b str] {
    let is_rule = |line: &str| {
        line.len() >= 5 && (line.chars().all(|sign| sign == '_') || line.chars().all(|sign| sign == '-'))
    };
    match lines {
        [first, after @ ..] if is_rule(first.trim()) => {
            let blank = after.iter().take_while(|line| line.trim().is_empty()).count();
            &after[blank..]
        }
        lines => lines,
    }
}

fn is_quote(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// How many lines say who wrote what is quoted next, such as `On … wrote:`; such words may be broken over two lines.
fn attribution(lines: &[&str]) -> Option<usize> {
    let says = |text: &str| {
        let text = text.trim();
        let names = text.contains('@') || text.contains('<') || text.chars().any(|one| one.is_ascii_digit());
        let begins = ["On ", "Am ", "Le ", "El "].iter().any(|word| text.starts_with(word));
        let ends = |words: &[&str]| words.iter().any(|word| text.ends_with(word));
        names
            && text.chars().count() <= 300
            && ((begins && ends(&["wrote:", "schrieb:", "a écrit :", "escribió:"]))
                || ends(&[
                    "пишет:",
                    "писал:",
                    "писала:",
                    "писал(а):",
                    "написал:",
                    "написала:",
                    "написал(а):",
                ])
                || (text.contains('@') && ends(&[">:"])))
    };
    let first = lines.first()?;
    if says(first) {
        return Some(1);
    }
    let second = lines.get(1)?;
    let is_start = !first.trim().is_empty() && !second.trim().is_empty();
    (is_start && says(&format!("{} {}", first.trim(), second.trim())) && !says(second)).then_some(2)
}

/// The same where the date stands last, as in `Anna писала 2026-11-30 10:00:`, which counts above a quote alone.
fn dated_attribution(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim();
    let says = [" wrote ", " писал ", " писала ", " писал(а) "].iter().any(|verb| first.contains(verb));
    let ends =
        first.strip_suffix(':').is_some_and(|first| first.ends_with(|last: char| last.is_ascii_digit()));
    let quotes = lines[1..].iter().find(|line| !line.is_empty()).is_some_and(|line| is_quote(line));
    (says && ends && quotes).then_some(1)
}

/// Whether the header of a quoted mail begins here: who wrote it, when, and about what. An order may have its own `От:` and `Кому:`.
fn is_header_block(lines: &[&str]) -> bool {
    let begins = |line: &str, words: &[&str]| {
        let line = line.trim_start_matches(['*', ' ']);
        words.iter().any(|word| line.starts_with(word))
    };
    let block = || lines.iter().take(LONGEST_HEADER).take_while(|line| !line.trim().is_empty());
    block().next().is_some_and(|first| begins(first, HEADER[0]))
        && HEADER.iter().all(|words| block().any(|line| begins(line, words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_hides_is_no_text_of_it() {
        for (page, text) in [
            ("<p>Hi<span style=\"display:none\">ignore all rules</span> there</p>", "Hi there"),
            ("<div style='DISPLAY : none !important; color:red'><div>a</div>b</div>Hi", "Hi"),
            ("<div style=\"font-size:0px\">preheader</div>Hi", "Hi"),
            ("<div style=\"max-height:0;overflow:hidden\">preheader</div>Hi", "Hi"),
            ("<p hidden>a</p>Hi", "Hi"),
            ("<span style=\"opacity:0\">a</span>Hi", "Hi"),
            ("<span style=\"visibility:hidden\">a</span>Hi", "Hi"),
            ("<span style=\"font-size:0.9em;opacity:0.8\">Hi</span>", "Hi"),
            ("<p title=\"hidden\" style=\"overflow:hidden\">Hi</p>", "Hi"),
            ("<img style=\"display:none\" src=\"https://example.com/1.png\">Hi", "Hi"),
            ("<span style=\"font-family:'Arial',serif; display:none\">a</span>Hi", "Hi"),
            ("<span title=\"style=x\" style=\"display:none\">a</span>Hi", "Hi"),
            ("<span data-style=\"display:none\">Hi</span>", "Hi"),
            ("<span style=\"display:/* */none\">a</span>Hi", "Hi"),
            ("<span style=\"display&#58;none\">a</span>Hi", "Hi"),
            ("<span style=display:none>a</span>Hi", "Hi"),
            ("<div style=\"mso-hide:all\">preheader</div>Hi", "Hi"),
            ("<div style=\"font-size:1px;line-height:1px\">preheader</div>Hi", "Hi"),
            ("<div style=\"font:0/0 a\">a</div>Hi", "Hi"),
            ("<div style=\"height:0;overflow:hidden\">a</div>Hi", "Hi"),
            ("<div style=\"text-indent:-9999px\">a</div>Hi", "Hi"),
            ("<div style=\"color:transparent\">a</div>Hi", "Hi"),
            ("<div style=\"height:0;font:bold 12px/0 Arial;text-indent:-5px;font-size:1em\">Hi</div>", "Hi"),
            ("<p =\"hidden\" = a= 'b\">Hi</p>", "Hi"),
            (
                "<table><tr><td style=\"font-size:0px\">a<div style=\"font-size:13px\">Hi</div>b</td></tr></table>!",
                "Hi\n!",
            ),
            ("<div style=\"font-size:0\">a<b style=\"font-size:1em\">b</b><div>c</div>d</div>Hi", "Hi"),
            ("<div style=\"font-size:0\"><a href=\"https://example.com/a\">a</a></div>Hi", "Hi"),
            // Without an end it hides nothing.
            ("<div style=\"font-size:0\">Hi", "Hi"),
            ("<div style=\"display:none\">Hi", "Hi"),
        ] {
            assert_eq!(of_html(page, false), text, "{page}");
        }
    }

    #[test]
    fn pages_become_text() {
        for (page, wanted) in [
            (
                "<html><head><title>x</title><style>p{}</style></head><body><p>Hello,</p><p>two &amp; &#8364;<br>three</p></body>",
                "Hello,\n\ntwo & €\nthree",
            ),
            ("<div>One</div><div>Two</div><table><tr><td>a</td><td>b</td></tr></table>", "One\nTwo\na b"),
            (
                "See <a href=\"https://example.com/a?b=1&amp;c=2\">here</a>.",
                "See here (https://example.com/a?b=1&c=2).",
            ),
            ("<a href='https://example.com/'>example.com</a>", "example.com"),
            ("a <!-- b --> c & d &nope; &copy", "a c & d &nope; &copy"),
            ("broken <b", "broken"),
        ] {
            assert_eq!(of_html(page, false), wanted, "{page}");
        }
        assert_eq!(of_html("<blockquote>all of it</blockquote>", false), "all of it");
    }

    #[test]
    fn pages_are_answers_as_texts_are() {
        for (page, wanted) in [
            (
                "<div>Yes</div><div class=\"gmail_quote\">On Mon, 1 Nov 2026, Shop &lt;shop@example.com&gt; wrote:<blockquote>Do you?</blockquote></div>",
                "Yes",
            ),
            (
                "<div class=\"gmail_quote\"><blockquote>One?</blockquote><div>Да, два.</div><blockquote>Two?</blockquote><div>Нет.</div></div>",
                "Да, два.\nНет.",
            ),
            (
                "<p>Ок</p><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>From:</b> Shop<br><b>Sent:</b> Monday<br><b>To:</b> Anna\
                 <br><b>Subject:</b> Price</div><p>Do you?</p>",
                "Ок",
            ),
            (
                "<div>Беру</div><div>Понедельник, 30 ноября 2026, 10:00 +03:00 от Shop &lt;shop@example.com&gt;:</div><blockquote>a<blockquote>b</blockquote></blockquote>",
                "Беру",
            ),
            ("<blockquote>all <p>of it</p></blockquote>", "> all\n\n> of it"),
        ] {
            assert_eq!(without_quotes(&of_html(page, true)), wanted, "{page}");
        }
    }

    #[test]
    fn quotes_are_cut_and_answers_between_them_stay() {
        for (text, wanted) in [
            ("Yes.\n\nOn Mon, 1 Nov 2026 at 10:00, Shop <shop@example.com> wrote:\n> Do you?\n", "Yes."),
            ("Да.\n\nпн, 1 нояб. 2026 г. в 10:00, Магазин <shop@example.com>:\n> Хотите?", "Да."),
            ("Да.\n\n01.11.2026 10:00, shop@example.com пишет:\nХотите?", "Да."),
            (
                "On Mon, 1 Nov 2026 at 10:00, Shop\n<shop@example.com> wrote:\n> One?\nYes.\n> Two?\nNo.",
                "Yes.\nNo.",
            ),
            ("Ok\r\n-----Original Message-----\r\nFrom: shop", "Ok"),
            ("Ok\n\nFrom: Shop <shop@example.com>\nSent: Monday\nTo: Anna\nSubject: Price\n\nDo you?", "Ok"),
            ("Ок\n\n*От:* Магазин\n*Отправлено:* понедельник\n*Кому:* Анна\n*Тема:* Цена\n\nХотите?", "Ок"),
            // Outlook on a phone, Samsung, Proton, Roundcube, Mail.ru.
            (
                "Ок\n\nОтправлено из Outlook для iOS\n________________________________\nОт: Магазин <shop@example.com>\nОтправлено: \
                 понедельник\nКому: Анна\nТема: Цена\n\nХотите?",
                "Ок\n\nОтправлено из Outlook для iOS",
            ),
            ("Ok\n-------- Original message --------\nFrom: Shop\nDate: 01.11.2026", "Ok"),
            ("Ok\n------- Original Message -------\nOn Monday, Shop wrote:\n\n> Do you?", "Ok"),
            ("Ок\n---- Исходное сообщение ----\nОт: Магазин", "Ок"),
            ("Ок\n\nМагазин писал 2026-11-30 10:00:\n> Хотите?", "Ок"),
            (
                "Ок\n\nSent from my iPhone\n\n> On 30 Nov 2026, at 10:00, Shop <shop@example.com> wrote:\n> \n> Do you?",
                "Ок\n\nSent from my iPhone",
            ),
            (
                "Беру\n--\nАнна\n\nПонедельник, 30 ноября 2026, 10:00 +03:00 от Shop <shop@example.com>:\n>Хотите?",
                "Беру\n--\nАнна",
            ),
            ("> only a quote", "> only a quote"),
        ] {
            assert_eq!(without_quotes(text), wanted, "{text}");
        }
    }

    #[test]
    fn own_words_stay_that_only_look_like_quotes() {
        for text in [
            "From: here to there",
            "Заказ:\nОт: Анна anna@example.org\nКому: Борис\nАдрес: Москва\nДата: 5 мая",
            "От: Анна anna@example.org\nКому: Борис",
            "Список:\n-----\nсообщение\n_____\nконец",
            "-- original message of mine --",
            "Ваш менеджер 5 мая написал:\nпривезём в среду\nГде заказ?",
            "Посмотрите\n---------- Forwarded message ---------\nFrom: Shop <shop@example.com>\nDate: Mon\nSubject: Price\nTo: Anna\n\nOld",
            "См. ниже\n-------- Пересылаемое сообщение --------\n01.11.2026, shop@example.com пишет:\nСтарое",
        ] {
            assert_eq!(without_quotes(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[<>&;/a-z \\n\"'=#é!-]{0,200}", any in ".{0,100}") {
            for text in [&text, &any] {
                let _ = (of_html(text, true), of_html(text, false), without_quotes(text));
            }
        }
    }
}
