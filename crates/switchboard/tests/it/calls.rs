//! Calls of the API that pages and workflows name: the description that the program prints lists them.

use std::process::Command;

use serde_json::Value;

use crate::{binary, book};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The OpenAPI document.
pub(crate) struct Description(Value);

impl Description {
    /// Has the program print it.
    pub(crate) fn print() -> Self {
        let output = Command::new(binary()).arg("openapi").output().expect("runs");
        assert!(output.status.success());
        Self(serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    /// Whether it lists a path, with this method if one is given.
    pub(crate) fn has(&self, method: Option<&str>, path: &str) -> bool {
        let paths = self.0["paths"].as_object().expect("paths");
        paths.iter().any(|(template, methods)| {
            fits(path, template) && method.is_none_or(|method| methods.get(method.to_lowercase()).is_some())
        })
    }

    /// Returns the calls in a line of a page that it does not list.
    fn unlisted<'a>(&self, line: &'a str) -> Vec<&'a str> {
        let method = line.split(' ').next().filter(|word| METHODS.contains(word));
        paths(line).filter(|path| !self.has(method, path)).collect()
    }
}

/// Whether a path fits a template, where `{name}` stands for one part.
fn fits(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len()
        && path
            .iter()
            .zip(&template)
            .all(|(part, place)| part == place || (place.starts_with('{') && !part.is_empty()))
}

/// The paths below `/v1/` in a line. A path that ends in `/` or `…` means all that begin so; a path of a source is no call.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("/v1/").filter_map(|(at, _)| {
        let path = &line[at..];
        let end = path.find(|letter: char| letter.is_whitespace() || "?'\"`,;)>".contains(letter));
        let path = path[..end.unwrap_or(path.len())].trim_end_matches('.');
        (!path.ends_with('/') && !path.ends_with("/…") && !path.contains(".rs")).then_some(path)
    })
}

#[test]
fn every_call_on_a_page_is_described() {
    let description = Description::print();
    let (mut findings, mut seen) = (Vec::new(), 0);
    for page in book::pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for line in book::typed(&text) {
            seen += paths(&line).count();
            let unlisted = description.unlisted(&line);
            findings.extend(unlisted.iter().map(|path| format!("{}: `{line}`: no {path}", page.display())));
        }
    }
    assert!(seen > 300, "only {seen} calls were found");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn a_call_that_is_not_described_is_found() {
    let description = Description(serde_json::json!({
        "paths": { "/v1/messages": { "get": {}, "post": {} }, "/v1/messages/{id}/why": { "get": {} } },
    }));
    for line in [
        "GET /v1/messages?limit=1",
        "GET /v1/messages/msg_…/why",
        "GET /v1/…",
        "crates/web/src/v1/messages.rs::one",
        "curl -s 'http://127.0.0.1:5099/v1/messages?state=sent'",
    ] {
        assert_eq!(description.unlisted(line), Vec::<&str>::new(), "{line}");
    }
    for (line, path) in [
        ("DELETE /v1/messages", "/v1/messages"),
        ("GET /v1/messages//why", "/v1/messages//why"),
        ("curl http://127.0.0.1:5099/v1/message -d '{}'", "/v1/message"),
    ] {
        assert_eq!(description.unlisted(line), [path], "{line}");
    }
}
