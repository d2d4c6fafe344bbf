//! axe-core, the accessibility checker of Deque, run on the page as it stands.

use std::env;
use std::fs;
use std::sync::LazyLock;

use serde_json::json;

use super::Tab;

/// Names the file of axe-core. `cargo xtask test` sets it.
const FILE: &str = "SWITCHBOARD_TEST_AXE";

static SOURCE: LazyLock<String> = LazyLock::new(|| {
    let file = env::var(FILE).unwrap_or_else(|_| {
        panic!("{FILE} does not say where axe-core is: run these tests with `cargo xtask test`")
    });
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
});

/// WCAG 2.2 up to level AA, and what is good practice beyond it.
const RUN: &str = r#"axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"],
}).then(({ violations }) => violations.map(({ id, help, nodes }) => `${id}: ${help}: `
  + nodes.map(({ html, any }) => html.slice(0, 160) + " " + (any[0]?.message || "")).slice(0, 4).join(" | ")))"#;

impl Tab {
    /// What it finds; each finding names its rule and where.
    pub(crate) async fn findings(&self) -> Vec<String> {
        if self.tell("typeof axe").await == "undefined" {
            let source = format!("{};0", &*SOURCE);
            self.tell(&source).await;
            // The next pages of the tab have it compiled.
            self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
        }
        let found = self.tell(RUN).await;
        let found = found.as_array().expect("a list").iter();
        found.map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
    }
}
