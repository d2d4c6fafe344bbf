//! The text of a mail as a person wrote it: HTML becomes text, and what it quotes of earlier mails is cut.

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
/// What mail programs call the part of the page in which they quote the mail that is answered.
const QUOTED: [&str; 5] = ["gmail_quote", "divRplyFwdMsg", "appendonsend", "yahoo_quoted", "moz-cite-prefix"];
/// What the line begins with after which a program quotes without marks.
const SEPARATORS: [&str; 5] = [
    "-----Original Message-----",
    "----- Original Message -----",
    "-----Исходное сообщение-----",
    "-------- Исходное сообщение --------",
    "-------- Пересылаемое сообщение --------",
];

/// A page as text. With `without_quotes` all is cut from where the mail is quoted that is answered.
pub(super) fn of_html(page: &str, without_quotes: bool) -> String {
    let mut text = Lines::default();
    let mut rest = page;
    let mut silent: Option<&str> = None;
    let mut link: Option<(String, usize)> = None;
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        if silent.is_none() {
            text.add(&rest[..end]);
        }
        rest = &rest[end..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(tag) = rest.strip_prefix('<') else { break };
        let end = tag.find('>').unwrap_or(tag.len());
        rest = tag.get(end + 1..).unwrap_or_default();
        let tag = &tag[..end];
        let is_end = tag.starts_with('/');
        let body = tag.trim_start_matches('/');
        let name_end = body.find(|one: char| !one.is_ascii_alphanumeric()).unwrap_or(body.len());
        let name = body[..name_end].to_ascii_lowercase();
        if let Some(known) = SILENT.iter().find(|known| **known == name) {
            silent = if is_end { None } else { Some(known) };
            continue;
        }
        if silent.is_some() {
            continue;
        }
        if without_quotes
            && !is_end
            && (name == "blockquote" || QUOTED.iter().any(|mark| body.contains(mark)))
            && text.has_words()
        {
            break;
        }
        match name.as_str() {
            "br" => text.end_line(),
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
            "a" => link = address(body).map(|address| (address, text.len())),
            name if BLOCKS.contains(&name) => text.end_line_once(),
            _ => {}
        }
    }
    text.finish()
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
}

impl Lines {
    fn add(&mut self, piece: &str) {
        let mut decoded = String::with_capacity(piece.len());
        add_text(&mut decoded, piece);
        for one in decoded.chars() {
            if one.is_whitespace() {
                self.space();
            } else if one != '\u{200b}' && one != '\u{feff}' {
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

    fn has_words(&self) -> bool {
        !self.text.trim().is_empty()
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

/// A text without what it quotes. One that is nothing but quotes stays as it is.
pub(super) fn without_quotes(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut place = 0;
    while place < lines.len() {
        let line = lines[place];
        if SEPARATORS.iter().any(|separator| line.trim_start().starts_with(separator))
            || is_header_block(&lines[place..])
        {
            break;
        }
        if is_quote(line) {
            place += 1;
            continue;
        }
        if let Some(length) = attribution(&lines[place..]) {
            let quotes = lines[place + length..]
                .iter()
                .find(|line| !line.is_empty())
                .is_some_and(|line| is_quote(line));
            if !quotes {
                break;
            }
            place += length;
            continue;
        }
        kept.push(line);
        place += 1;
    }
    let kept = kept.join("\n").trim().to_owned();
    if kept.is_empty() { text.trim().to_owned() } else { kept }
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
                || ends(&["пишет:", "писал:", "писал(а):", "написал:", "написала:", "написал(а):"])
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

/// Whether the header of a quoted mail begins here, as Outlook writes it: `From:`, then `Sent:` or `To:` within two lines.
fn is_header_block(lines: &[&str]) -> bool {
    let begins =
        |line: &str, words: &[&str]| words.iter().any(|word| line.trim_start_matches('*').starts_with(word));
    let Some(first) = lines.first() else { return false };
    begins(first, &["From:", "От:", "От кого:", "Von:"])
        && first.contains('@')
        && lines.iter().skip(1).take(2).any(|line| {
            begins(line, &["Sent:", "Date:", "To:", "Отправлено:", "Дата:", "Кому:", "Gesendet:", "An:"])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let answer =
            "<div>Yes</div><div class=\"gmail_quote\">On Monday<blockquote>Do you?</blockquote></div>";
        assert_eq!(of_html(answer, true), "Yes");
        assert_eq!(of_html("<blockquote>all of it</blockquote>", true), "all of it");
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
            ("Ok\n\nFrom: Shop <shop@example.com>\nSent: Monday\nTo: Anna\n\nDo you?", "Ok"),
            ("> only a quote", "> only a quote"),
            ("From: here to there", "From: here to there"),
        ] {
            assert_eq!(without_quotes(text), wanted, "{text}");
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
