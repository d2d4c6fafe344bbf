//! Calls of the API, alike for whoever answers them: a server over its socket, or the same API inside this process.

use std::time::Duration;

use anyhow::Context;
use hyper::Method;
use serde_json::Value;

/// Whoever answers calls of the API.
pub(crate) trait Calls {
    /// The longest wait for an answer, where a call says no other.
    const TIMEOUT: Duration;

    /// One call with a wait of its own; an answer that is no success becomes a [`crate::reply::ApiError`] with its own words.
    async fn call_within(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value>;

    /// One call.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        self.call_within(Self::TIMEOUT, method, path, body).await
    }

    /// All items of a list, page by page.
    async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut page = path.to_owned();
        loop {
            let answer = self.call(Method::GET, &page, None).await?;
            items.extend_from_slice(answer["items"].as_array().context("the server's answer has no items")?);
            let Some(cursor) = answer["next_cursor"].as_str() else { return Ok(items) };
            let joint = if path.contains('?') { '&' } else { '?' };
            page = format!("{path}{joint}cursor={cursor}");
        }
    }
}
