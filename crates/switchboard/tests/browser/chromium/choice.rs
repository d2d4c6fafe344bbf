//! Lists of options: opened, walked with the arrows, and one of them taken.

use serde_json::json;

use super::Key;
use super::tab::Tab;

impl Tab {
    /// Opens the list that has the focus and takes the option with this value, with the keys alone.
    pub(crate) async fn take_option(&self, value: &str) {
        let way = format!(
            "(() => {{ const list = document.activeElement;
               return [...list.options].findIndex((one) => one.value === {}) - list.selectedIndex; }})()",
            json!(value)
        );
        let way = self.tell(&way).await.as_i64().expect("a list of options has the focus");
        assert!(way != 0, "{value} is taken already");
        let arrow = if way > 0 { Key::Down } else { Key::Up };
        let steps = usize::try_from(way.unsigned_abs()).expect("few");
        self.keys(&[Key::Space]).await;
        self.keys(&vec![arrow; steps]).await;
        self.keys(&[Key::Enter]).await;
    }

    /// The same with a list that is gone to first.
    pub(crate) async fn choose_option(&self, list: &str, value: &str) {
        let there = format!(
            "(() => {{ const list = document.querySelector({}); list.focus(); return document.activeElement === list; }})()",
            json!(list)
        );
        assert_eq!(self.tell(&there).await, true, "{list} takes no focus");
        self.take_option(value).await;
    }
}
