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
    let mut unended = 0;
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
        if !is_end && unended < MOST_UNENDED && !VOID.contains(&name.as_str()) && is_hidden(body) {
            match behind_element(rest, &name) {
                Some(behind) => rest = behind,
                None => unended += 1,
            }
            continue;
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
            "a" => link = address(body).map(|address| (address, text.len())),
            name if BLOCKS.contains(&name) => text.end_line_once(),
            _ => {}
        }
    }
    text.finish()
}

/// Whether a start tag says that its element is not shown.
fn is_hidden(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    let bare = tag.split(['"', '\'']).step_by(2);
    if bare.flat_map(str::split_ascii_whitespace).any(|word| word.trim_end_matches('/') == "hidden") {
        return true;
    }
    let Some(style) = tag.split_once("style=").map(|(_, style)| style.trim_start_matches(['"', '\''])) else {
        return false;
    };
    let style = style.split(['"', '\'']).next().unwrap_or_default();
    let is_zero = |value: &str| {
        let number = value.trim_end_matches(|one: char| one.is_ascii_alphabetic() || one == '%');
        number.parse::<f32>() == Ok(0.0)
    };
    style.split(';').filter_map(|rule| rule.split_once(':')).any(|(property, value)| {
        let value = value.trim().trim_end_matches("!important").trim();
        match property.trim() {
            "display" => value == "none",
            "visibility" => value == "hidden",
            "font-size" | "max-height" | "opacity" => is_zero(value),
            _ => false,
        }
    })
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
            // Without an end it hides nothing.
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
