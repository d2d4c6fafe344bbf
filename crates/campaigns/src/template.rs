//! Templates: texts with `{name}` where a recipient's variable goes; `{{` and `}}` are braces.

use std::collections::{BTreeMap, BTreeSet};

use domain::text::{MarkupError, ParseMode, escape_html, escape_markdown, is_code_open, parse};

/// Why a template makes no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("the variable {{{0}}} has no value for this recipient; add it to the list of chats")]
    Missing(String),
    #[error("the brace at character {0} is never closed; write {{{{ and }}}} for braces")]
    Unclosed(usize),
    #[error("{{{0}}} is no name of a variable; names are made of letters, digits and _")]
    Name(String),
    #[error("the markup is broken: {0}")]
    Markup(String),
    #[error("the text is empty")]
    Empty,
}

impl From<MarkupError> for TemplateError {
    fn from(error: MarkupError) -> Self {
        Self::Markup(error.to_string())
    }
}

enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn pieces(template: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        pieces.push(Piece::Text(before));
        rest = if from.starts_with("{{") || from.starts_with("}}") {
            pieces.push(Piece::Text(&from[..1]));
            &from[2..]
        } else if let Some(inside) = from.strip_prefix('{') {
            let place = || template.len() - from.len();
            let end = inside
                .find('}')
                .ok_or_else(|| TemplateError::Unclosed(template[..place()].chars().count() + 1))?;
            let name = inside[..end].trim();
            if name.is_empty() || !name.chars().all(|sign| sign.is_alphanumeric() || sign == '_') {
                return Err(TemplateError::Name(name.chars().take(64).collect()));
            }
            pieces.push(Piece::Variable(name));
            &inside[end + 1..]
        } else {
            pieces.push(Piece::Text("}"));
            &from[1..]
        };
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// The variables that a template names.
///
/// # Errors
/// It is no template.
pub fn variables(template: &str) -> Result<BTreeSet<String>, TemplateError> {
    let named = |piece| match piece {
        Piece::Variable(name) => Some(name.to_owned()),
        Piece::Text(_) => None,
    };
    Ok(pieces(template)?.into_iter().filter_map(named).collect())
}

/// What a template says with these values, in its markup. A value is text, never markup.
///
/// # Errors
/// A variable has no value, or the text cannot be sent.
pub fn render(
    template: &str,
    mode: ParseMode,
    values: &BTreeMap<String, String>,
) -> Result<String, TemplateError> {
    let mut text = String::with_capacity(template.len());
    let mut pieces = pieces(template)?.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Text(words) => text.push_str(words),
            Piece::Variable(name) => {
                let value = values.get(name).ok_or_else(|| TemplateError::Missing(name.to_owned()))?;
                match mode {
                    ParseMode::Html => text.push_str(&escape_html(value)),
                    ParseMode::Markdown => {
                        let closes = matches!(pieces.peek(), Some(Piece::Text(next)) if next.contains('`'));
                        text.push_str(&escape_markdown(value, closes && is_code_open(&text)));
                    }
                    ParseMode::None => text.push_str(value),
                }
            }
        }
    }
    if parse(mode, &text)?.is_blank() { Err(TemplateError::Empty) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_replace_their_names() {
        let rendered =
            render("Hello {name}, {{yes}}", ParseMode::None, &values(&[("name", "Anna")])).expect("said");
        assert_eq!(rendered, "Hello Anna, {yes}");
        let rendered =
            render("<b>{name}</b>", ParseMode::Html, &values(&[("name", "<Anna & co>")])).expect("said");
        assert_eq!(parse(ParseMode::Html, &rendered).expect("markup").text, "<Anna & co>");
    }

    #[test]
    fn template_errors_are_named() {
        let refused = |template, mode| render(template, mode, &BTreeMap::new()).expect_err("refused");
        assert_eq!(refused("Hi {name}", ParseMode::None), TemplateError::Missing("name".into()));
        assert_eq!(refused("Hi {name", ParseMode::None), TemplateError::Unclosed(4));
        assert_eq!(refused("Hi {a b}", ParseMode::None), TemplateError::Name("a b".into()));
        assert!(matches!(refused("<b>Hi", ParseMode::Html), TemplateError::Markup(_)));
        assert_eq!(refused(" ", ParseMode::None), TemplateError::Empty);
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_a_clear_refusal(template: String) {
            if let Ok(names) = variables(&template) {
                let all: BTreeMap<_, _> = names.into_iter().map(|name| (name, "x".to_owned())).collect();
                let rendered = render(&template, ParseMode::None, &all);
                prop_assert!(matches!(rendered, Ok(_) | Err(TemplateError::Empty)), "{rendered:?}");
            }
        }

        #[test]
        fn a_value_is_never_read_as_markup(value in "[ -~]{1,40}") {
            let rendered = render("{value}.", ParseMode::Html, &values(&[("value", &value)])).expect("said");
            let rendered = parse(ParseMode::Html, &rendered).expect("markup");
            let expected = format!("{value}.");
            prop_assert_eq!(rendered.text.trim(), expected.trim());
            prop_assert!(rendered.entities.is_empty());
        }

        #[test]
        fn a_value_is_never_read_as_markdown(value in "[!-~]([ -~]{0,30}[!-~])?") {
            let read = |template: &str| {
                let rendered = render(template, ParseMode::Markdown, &values(&[("value", &value)])).expect("said");
                parse(ParseMode::Markdown, &rendered).expect("Markdown")
            };
            for template in ["{value}.", "**{value}** {value}.", "__Hi__ {value}.", "[{value}](https://e.example/a_(b)) {value}."] {
                let plain = template.replace("**", "").replace("__", "").replace("](https://e.example/a_(b))", "").replace('[', "");
                let marks = usize::from(plain.len() < template.len());
                let found = read(template);
                prop_assert_eq!(&found.text, &plain.replace("{value}", &value), "{}", template);
                prop_assert_eq!(found.entities.len(), marks, "{}", template);
            }
            let code = read("Code: `{value}`.");
            prop_assert_eq!(code.text, format!("Code: {}.", value.replace('`', "'")));
            prop_assert_eq!(code.entities.len(), 1);
        }
    }
}
