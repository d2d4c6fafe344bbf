//! Lists: each field of a filter leaves what it says and nothing else; pages are turned to the last one and back.

mod filters;
mod pages;
mod records;

use serde_json::Value;

use crate::chromium::Tab;
use crate::stage::Stage;

/// What a row leads to, row by row.
const LED_TO: &str =
    "[...document.querySelectorAll('main [data-item]')].map((one) => one.getAttribute('href')).join('\\n')";

/// The rows of a page in the order they stand, each by what this expression tells of it.
async fn rows(tab: &Tab, expression: &str) -> Vec<String> {
    tab.text(expression).await.lines().map(str::to_owned).collect()
}

/// All that the API lists at a path, as far as a page of it goes.
async fn items(stage: &Stage, path: &str) -> Vec<Value> {
    let (status, told) = stage.program.get(path).await;
    assert_eq!(status, 200, "{told}");
    told["items"].as_array().expect("items").clone()
}
