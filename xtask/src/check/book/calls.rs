//! Calls of the API that a page names: the description of the API has them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::page::Page;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The paths of the description, each with its methods.
type Described = BTreeMap<String, Vec<String>>;

/// Names calls that the API does not have: `METHOD /v1/…` in the text, and any `/v1/…` in what is to be typed.
pub(super) fn judge(description: &str, pages: &[Page]) -> Result<Vec<String>> {
    let described = read(description)?;
    let mut findings = Vec::new();
    for page in pages {
        let shown = page.path.display();
        for span in &page.spans {
            let Some((method, path)) = call(&span.text) else { continue };
            if !is_described(&described, Some(method), path) {
                findings.push(format!("{shown}:{}: the API has no {method} {path}", span.line));
            }
        }
        for line in &page.fenced {
            for path in paths(&line.text).filter(|path| !is_described(&described, None, path)) {
                findings.push(format!("{shown}:{}: the API has no {path}", line.line));
            }
        }
    }
    Ok(findings)
}

fn read(description: &str) -> Result<Described> {
    let description: Value = serde_json::from_str(description).context("the API's description is no JSON")?;
    let paths = description["paths"].as_object().context("the API's description has no paths")?;
    let methods =
        |of: &Value| of.as_object().into_iter().flatten().map(|(name, _)| name.to_uppercase()).collect();
    Ok(paths.iter().map(|(path, of)| (path.clone(), methods(of))).collect())
}

/// `METHOD /v1/path`, with what may follow cut off.
fn call(span: &str) -> Option<(&str, &str)> {
    let (method, rest) = span.split_once(' ')?;
    if !METHODS.contains(&method) {
        return None;
    }
    paths(rest).next().map(|path| (method, path))
}

/// The paths below `/v1/` in a text.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("/v1/").filter_map(|(at, _)| {
        let path = &text[at..];
        let end = path.find(|letter: char| letter.is_whitespace() || "?'\"`,;)>".contains(letter));
        let path = path[..end.unwrap_or(path.len())].trim_end_matches('.');
        // Where a path goes on with dots, the page means all that begin so.
        (!path.ends_with("/…")).then_some(path)
    })
}

fn is_described(described: &Described, method: Option<&str>, path: &str) -> bool {
    described.iter().any(|(template, methods)| {
        is_of(path, template) && method.is_none_or(|method| methods.iter().any(|known| known == method))
    })
}

/// Whether the path is one of those that the template stands for.
fn is_of(path: &str, template: &str) -> bool {
    let (mut path, mut template) = (path.split('/'), template.split('/'));
    loop {
        match (path.next(), template.next()) {
            (None, None) => return true,
            (Some(part), Some(place)) if part == place || (place.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_there_are_not_are_found() {
        let description =
            r#"{"paths":{"/v1/messages":{"get":{},"post":{}},"/v1/messages/{id}/why":{"get":{}}}}"#;
        let text = "`GET /v1/messages?limit=1` `DELETE /v1/messages` `GET /v1/messages/msg_…/why` `/v1/none` `GET /v1/…`\n\
            ```\ncurl -s 'http://127.0.0.1:5099/v1/messages?state=sent'\ncurl http://127.0.0.1:5099/v1/message -d '{}'\n```\n";
        let found = judge(description, &[Page::read("docs/a.md".into(), text)]).unwrap();
        assert_eq!(
            found,
            ["docs/a.md:1: the API has no DELETE /v1/messages", "docs/a.md:4: the API has no /v1/message"]
        );
    }
}
