//! The pointer: goes to what a person sees, and presses there.

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::TIMEOUT;
use super::tab::{MOMENT, Tab};

/// Finds the first visible element with a selector and words in it (or in its label), brings it into view, and says where
/// it can be pressed. What is under something else cannot.
const FIND: &str = r#"(selector, words) => {
  const said = (one) => (one.getAttribute("aria-label") || one.textContent || "").replace(/\s+/g, " ").trim();
  const dialog = document.querySelector("dialog[open]") || document;
  const all = [...dialog.querySelectorAll(selector)].filter((one) => one.checkVisibility() && one.getClientRects().length);
  const one = all.find((one) => said(one) === words) || all.find((one) => said(one).includes(words));
  if (!one) return null;
  one.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const box = one.getClientRects()[0];
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const top = document.elementFromPoint(x, y);
  const reached = top && (one.contains(top) || top.contains(one) || top.closest("label")?.control === one);
  return reached ? { x, y } : { under: top ? top.outerHTML.slice(0, 200) : "nothing" };
}"#;

impl Tab {
    /// Presses the first visible element with this selector.
    pub(crate) async fn press(&self, selector: &str) {
        self.press_words(selector, "").await;
    }

    /// Presses the first visible element with this selector and these words in it.
    pub(crate) async fn press_words(&self, selector: &str, words: &str) {
        let place = self.place_of(selector, words).await;
        self.mouse("mouseMoved", &place).await;
        self.mouse("mousePressed", &place).await;
        self.mouse("mouseReleased", &place).await;
    }

    /// Points into the first element with this selector, so large a part of its width from its left side.
    pub(crate) async fn point_into(&self, selector: &str, part: f64) {
        let find = format!(
            "(() => {{ const one = document.querySelector({}); one.scrollIntoView({{ block: 'center', behavior: 'instant' }});
               const box = one.getBoundingClientRect();
               return {{ x: box.left + box.width * {part}, y: box.top + box.height / 2 }}; }})()",
            json!(selector)
        );
        let place = self.tell(&find).await;
        self.mouse("mouseMoved", &place).await;
    }

    /// Points at nothing.
    pub(crate) async fn point_away(&self) {
        self.mouse("mouseMoved", &json!({ "x": 1, "y": 1 })).await;
    }

    async fn mouse(&self, kind: &str, place: &Value) {
        let (button, clicks) = if kind == "mouseMoved" { ("none", 0) } else { ("left", 1) };
        let order =
            json!({ "type": kind, "x": place["x"], "y": place["y"], "button": button, "clickCount": clicks });
        self.call("Input.dispatchMouseEvent", order).await;
    }

    pub(super) async fn place_of(&self, selector: &str, words: &str) -> Value {
        let find = format!("({FIND})({}, {})", json!(selector), json!(words));
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let place = self.try_tell(&find).await.unwrap_or_default();
            if place["x"].is_number() {
                return place;
            }
            assert!(
                Instant::now() < deadline,
                "{selector} {words:?} cannot be pressed: {place}\n{}",
                self.described().await
            );
            sleep(MOMENT).await;
        }
    }
}
