//! HTML as models write it into a text for people: its lines, lists and links as Markdown, the rest taken away.

use super::marks::{Kind, marks};

/// A text whose tags of HTML are Markdown.
pub(super) fn to_markdown(text: &str) -> String {
    let (mut made, mut from) = (String::with_capacity(text.len()), 0);
    let mut links: Vec<String> = Vec::new();
    for mark in marks(text).filter(|mark| mark.kind == Kind::Html) {
        made.push_str(text.get(from..mark.at.start).unwrap_or_default());
        from = mark.at.end;
        match (mark.name.as_str(), mark.closes) {
            ("br" | "tr", _) | ("div" | "ul" | "ol" | "table" | "section" | "dt", true) => made.push('\n'),
            ("p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "hr", true) => {
                made.push_str("\n\n");
            }
            ("li", false) => {
                made.push_str(if made.is_empty() || made.ends_with('\n') { "- " } else { "\n- " });
            }
            ("td" | "th", true) => made.push(' '),
            ("del" | "strike", _) => made.push_str("~~"),
            ("a", false) => {
                links.push(address(text.get(mark.at).unwrap_or_default()));
                made.push('[');
            }
            ("a", true) => {
                let url = links.pop().unwrap_or_default();
                made.extend(["](<", url.as_str(), ">)"]);
            }
            _ => {}
        }
    }
    made.push_str(text.get(from..).unwrap_or_default());
    made
}

/// A text in which `<s>5000 ₽</s> 4000 ₽` is a price that is struck through, and no turn of the model.
pub(super) fn with_struck_prices(text: &str) -> String {
    const LONGEST: usize = 40;
    let (mut made, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, price, after)) = rest.split_once("<s>").and_then(|(before, after)| {
        let (price, after) = after.split_once("</s>")?;
        Some((before, price, after))
    }) {
        let is_price = price.chars().count() <= LONGEST
            && price.contains(|other: char| other.is_ascii_digit())
            && !price.contains(['<', '\n']);
        let is_amid_words = !(made.trim().is_empty() && before.trim().is_empty() && after.trim().is_empty());
        let (opens, closes) = if is_price && is_amid_words { ("<del>", "</del>") } else { ("<s>", "</s>") };
        made.extend([before, opens, price, closes]);
        rest = after;
    }
    made.push_str(rest);
    made
}

/// The address in a tag that opens a link.
fn address(tag: &str) -> String {
    let value = tag
        .split_once("href")
        .and_then(|(_, rest)| rest.trim_start().strip_prefix('='))
        .unwrap_or_default()
        .trim_start();
    let found = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.get(1..).and_then(|rest| rest.split(quote).next()),
        _ => value.split([' ', '>']).next(),
    };
    found.unwrap_or_default().replace(['<', '>', '\n'], "")
}
